"""``python -m search.worker FOLDER``: help the run in a folder, from any machine that sees the folder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from neuraltree.cli.command import DONE, INTERRUPTED, Parser, fail, fail_of_system, run_command, say
from search.errors import InputError

EPILOG = """examples:
  python -m search.run my.toml --out results/mine --workers folder
  python -m search.worker results/mine                  (on this machine and on others, any number of times)

A worker may come, go, and be killed at any moment; the results of the run do not depend on it.

exit codes: 0 done, 2 bad input, 130 interrupted (what it had begun goes back)"""
IDLE_S = 600.0


def parser() -> Parser:
    made = Parser(
        prog="python -m search.worker",
        description="Train trees for a run that was started with --workers folder.",
        epilog=EPILOG,
    )
    made.add_argument("folder", type=Path, help="the run folder")
    made.add_argument(
        "--threads", type=int, default=os.cpu_count() or 1, metavar="N", help="threads, by default one for each core"
    )
    made.add_argument(
        "--idle",
        type=float,
        default=IDLE_S,
        metavar="SECONDS",
        help="leave if nothing is to do for so long (default %(default)g)",
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        return _work(arguments)
    except InputError as error:
        return max(map(fail, error.problems))
    except OSError as error:
        return fail_of_system(error)
    except KeyboardInterrupt:
        say("the worker left; chunks that it had begun went back")
        return INTERRUPTED


def _work(arguments: argparse.Namespace) -> int:
    if arguments.threads < 1:
        raise InputError(f"--threads {arguments.threads}: allowed: 1 or more")
    if not arguments.folder.is_dir():
        raise InputError(f"{arguments.folder} is no folder; name the folder of a run, and start the run first")
    from search.executors.folder_worker import FolderWorker
    from search.folder.records import RunFolder

    run = RunFolder(arguments.folder)
    worker = FolderWorker(arguments.folder, arguments.threads, say)
    say(f"worker {worker.name} waits for the run in {arguments.folder}")
    why = worker.work(arguments.idle, lambda: run.read_manifest().get("status") == "complete")
    say(f"{why}; the worker computed {worker.chunks} chunks of {worker.trees} trees")
    return DONE


if __name__ == "__main__":
    run_command(main)
