"""``python -m search.run``: evolve neural trees for a table of data, and write the results into a run folder."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.cli.command import DONE, INTERRUPTED, Parser, fail, fail_of_system, run_command, say
from search.errors import LOCKED, InputError, LockedError
from search.interrupts import interrupts, resume_command

if TYPE_CHECKING:
    from search.config.config import Config
    from search.folder.records import RunFolder
    from search.runs.progress import Reporter
    from search.table.data import Table

EPILOG = """examples:
  python -m search.run experiments/configs/quickstart.toml
  python -m search.run my.toml --set search.population=200 --seed 3 --out results/mine
  python -m search.run my.toml --time 60s
  python -m search.run results/mine --resume
  python -m search.run results/mine --resume --generations 60
  python -m search.run my.toml --workers folder

exit codes: 0 done, 2 bad input, 3 run folder in use, 130 interrupted (saved; resume with --resume)"""


def parser() -> Parser:
    made = Parser(
        prog="python -m search.run",
        description="Evolve neural trees for a table of data and write the Pareto front into a run folder.",
        epilog=EPILOG,
    )
    made.add_argument("path", type=Path, help="a config file (TOML), or a run folder with --resume")
    add_overrides(made)
    made.add_argument("--seed", type=int, help="the random seed; replaces run.seed of the config")
    length = made.add_mutually_exclusive_group()
    length.add_argument(
        "--generations", type=int, metavar="N", help="the number of generations in all; with --resume a run goes on"
    )
    length.add_argument(
        "--time",
        metavar="TIME",
        help="the time of the whole run, as in 90s, 5m or 1.5h, instead of a number of generations; with --resume "
        "the run goes on for this time",
    )
    made.add_argument("--out", metavar="FOLDER", help="the run folder, new or empty; replaces run.out of the config")
    made.add_argument("--resume", action="store_true", help="resume the run in a folder")
    made.add_argument(
        "--workers",
        default="threads",
        metavar="WORKERS",
        help="who trains the trees: threads, of this process (the default); folder: this process and every "
        "python -m search.worker FOLDER; or dask://HOST:PORT, the workers of a Dask scheduler",
    )
    made.add_argument(
        "--dry-run",
        action="store_true",
        help="check everything, print the config and an estimate of the cost, and stop",
    )
    add_ways_to_say(made)
    return made


def add_overrides(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--set",
        dest="overrides",
        metavar="SECTION.KEY=VALUE",
        action="append",
        default=[],
        help="set a key of the config, as in search.population=200; may be repeated",
    )


def add_ways_to_say(made: argparse.ArgumentParser) -> None:
    said = made.add_mutually_exclusive_group()
    said.add_argument("--quiet", action="store_true", help="print nothing but errors")
    said.add_argument("--json", action="store_true", help="write progress as JSON lines to standard output")


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        return _run(arguments)
    except InputError as error:
        return max(map(fail, error.problems))
    except LockedError as error:
        return fail(str(error), LOCKED)
    except OSError as error:  # such as a full disk, or a folder that became read-only
        return fail_of_system(error, f"; {_how_to_resume(arguments)}")
    except KeyboardInterrupt:
        say(f"interrupted; {_how_to_resume(arguments)}")
        return INTERRUPTED


def _how_to_resume(arguments: argparse.Namespace) -> str:
    folder = arguments.path if arguments.resume else arguments.out or "FOLDER"
    return f"if the run has begun, resume it with: {resume_command(folder)}"


def _run(arguments: argparse.Namespace) -> int:
    # These imports are quick. JAX is imported only after config and seed are written to the run folder.
    from search.executors.named_workers import check_workers
    from search.runs.progress import reporter

    begun = time.perf_counter()
    report = reporter(arguments.quiet, arguments.json)
    check_workers(arguments.workers)
    if arguments.resume:
        return _resume(arguments, report, begun)
    return _new(arguments, report, begun)


def _new(arguments: argparse.Namespace, report: Reporter, begun: float) -> int:
    from search.config.config import load_config

    with suppress(OSError):  # if the path cannot be read at all, load_config says why
        if arguments.path.is_dir():
            raise InputError(
                f"{arguments.path} is a folder; add --resume to resume the run in it, or name a config file"
            )
    if arguments.out == "":
        raise InputError("--out is empty; name a new folder")
    overrides = [*arguments.overrides, *_length(arguments)]
    config = load_config(arguments.path, overrides, arguments.seed, arguments.out)
    return begin(config, report, begun, dry_run=arguments.dry_run, workers=arguments.workers)


def begin(
    config: Config,
    report: Reporter,
    begun: float,
    *,
    dry_run: bool,
    settled: Callable[[Config, Table], Config] | None = None,
    workers: str = "threads",
) -> int:
    """Make the run of a config, or only describe it; ``begun``: when the time of the run began, by ``perf_counter``.

    ``settled`` makes the config final once the table is read. ``workers``: see ``evolve``. Returns the exit code.
    Raises ``InputError`` for bad input, ``LockedError`` for a run folder in use.
    """
    from neuraltree.cli.patience import patience
    from search.config.config import config_hash, to_toml
    from search.folder.records import RunFolder, write_text
    from search.runs.tracking import check_trackers
    from search.table.loading import load_table

    check_trackers(config.tracking)
    folder = RunFolder(Path(config.run.out))
    folder.check_free()
    if config.signal.one_class:
        return _one_class(config, folder, report, dry_run)
    with patience(report.message, "reading the table"):
        table = load_table(config)
    config = settled(config, table) if settled else config
    if dry_run:
        from search.runs.dry_run import describe

        print(describe(config, table))
        return DONE
    with folder, interrupts(report.message) as stopping:
        folder.create()
        write_text(folder.path / "config.toml", to_toml(config))
        folder.update_manifest(
            status="running", seed=config.run.seed, config_hash=config_hash(config), data_hash=table.digest
        )
        from search.runs.loop import evolve

        try:
            return evolve(config, table, folder, report, stopping, begun, workers)
        except InputError:
            folder.discard()
            raise


def _one_class(config: Config, folder: RunFolder, report: Reporter, dry_run: bool) -> int:
    """The whole run takes as long as reading the recordings does; it is not resumed."""
    from neuraltree.cli.patience import patience
    from search.config.config import config_hash, to_toml
    from search.runs.one_class_run import one_class_run

    if dry_run:
        print(to_toml(config))
        return DONE
    with folder:
        folder.create()
        try:
            with patience(report.message, "learning from normal windows"):
                told = one_class_run(config, folder)
        except InputError:
            folder.discard()
            raise
        folder.update_manifest(status="finished", seed=config.run.seed, config_hash=config_hash(config))
    report.message(told)
    return DONE


def _length(arguments: argparse.Namespace) -> list[str]:
    """The overrides for the length of the search: a number of generations, or a time."""
    if arguments.time is not None:
        return [f'search.time="{arguments.time}"']
    return [] if arguments.generations is None else [f"search.generations={arguments.generations}", 'search.time=""']


def _resume(arguments: argparse.Namespace, report: Reporter, begun: float) -> int:
    from neuraltree.cli.patience import patience
    from search.config.config import as_begun, config_hash, load_config
    from search.folder.records import RunFolder
    from search.runs.tracking import check_trackers
    from search.table.loading import load_table

    if arguments.overrides or arguments.seed is not None or arguments.out is not None:
        raise InputError("--resume continues the run as it was started; it takes no --set, --seed or --out")
    if arguments.dry_run:
        raise InputError("--resume and --dry-run exclude each other; the config as run is config.toml in the folder")
    with RunFolder(arguments.path) as folder, interrupts(report.message) as stopping:
        manifest = folder.reopen()
        length = _length(arguments)
        if not length and manifest.get("status") == "complete":
            if folder.has_parts():  # the process was killed before it removed them, or a lost one may be back
                from search.folder.generation_parts import join_parts

                folder.clear_parts(join_parts(folder, report.warning))
            report.message(f"the run in {folder.path} is complete; its front is {folder.path / 'front.csv'}")
            return DONE
        path = folder.path / "config.toml"
        digest = config_hash(load_config(path))
        config = load_config(path, older := as_begun(path))
        if config.signal.one_class:
            raise InputError(f"{path} asks for models of normal windows, which are not resumed: fit them again")
        check_trackers(config.tracking)
        with patience(report.message, "reading the table"):
            table = load_table(config)
        began = (
            ("config_hash", digest, f"{path} is"),
            ("data_hash", table.digest, f"the data of {config.data.source!r} are"),
        )
        for name, found, what in began:
            if manifest.get(name, found) != found:
                raise InputError(f"{what} not what the run began with; restore it, or start a new run")
        # The loop loads the checkpoint again. Loaded here too, a damaged one is refused before anything is written.
        folder.load_checkpoint()
        if length:
            from search.runs.extending import extend

            config = extend(folder, manifest, load_config(path, [*older, *length]))
        from search.runs.loop import evolve

        config = _as_run(config, folder.path)
        return evolve(config, table, folder, report, stopping, begun, arguments.workers)


def _as_run(config: Config, path: Path) -> Config:
    """The config with the folder's present path: the folder may have been moved."""
    import msgspec

    return msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, out=str(path)))


if __name__ == "__main__":
    run_command(main)
