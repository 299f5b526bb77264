"""``python -m search.report``: a run's page, a page that compares runs, or a server of live pages."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from neuraltree.cli.command import DONE, Parser, fail, run_command
from search.errors import InputError

EPILOG = """examples:
  python -m search.report results/mine                    writes results/mine/report.html
  python -m search.report results/a results/b             compares runs: results/comparison.html
  python -m search.report --serve results                 shows finished and running searches on this computer

A page is one file and needs no network. Stop --serve with Ctrl-C; the exit code is then 0.

exit codes: 0 done, 2 bad input, 130 interrupted"""


def parser() -> Parser:
    made = Parser(
        prog="python -m search.report",
        description="Write the web page of a run, or one that compares runs; or serve the pages of all runs, live.",
        epilog=EPILOG,
    )
    made.add_argument("runs", metavar="RUN", type=Path, nargs="*", help="a run folder")
    made.add_argument("--out", metavar="FILE", type=Path, help="the page (default: RUN/report.html or comparison.html)")
    made.add_argument("--serve", metavar="RESULTS", type=Path, help="serve the runs in this folder on 127.0.0.1")
    made.add_argument("--port", type=int, help="port for --serve (default: the first free one from 8765 on)")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        return _serve(arguments) if arguments.serve else _write(arguments)
    except ValueError as error:
        return fail(str(error))


def _write(arguments: argparse.Namespace) -> int:
    if not arguments.runs:
        raise InputError("name a run folder, or --serve a folder of runs; see python -m search.report --help")
    if arguments.port is not None:
        raise InputError("--port belongs to --serve; leave it out, or name a folder to --serve")
    from search.report.pages.write import write_comparison, write_report

    made = write_report if len(arguments.runs) == 1 else write_comparison
    path = made(arguments.runs, arguments.out)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    return DONE


def _serve(arguments: argparse.Namespace) -> int:
    if arguments.runs or arguments.out:
        raise InputError("--serve takes one folder of runs; leave out RUN and --out")
    from search.report.live.serve import serve

    return serve(arguments.serve, arguments.port)


if __name__ == "__main__":
    run_command(main)
