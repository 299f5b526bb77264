"""``python -m experiments.run``: run the units still missing from an experiment's CSV file."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from neuraltree.cli.command import DONE, INTERRUPTED, Parser, fail, fail_of_system, run_command, say
from search.errors import LOCKED, InputError, LockedError

if TYPE_CHECKING:
    from experiments.frame.experiment import Experiment, Unit
    from experiments.frame.row_store import Store

FAILED = 1  # some units failed; the rows of all others are in the file

EPILOG = """examples:
  python -m experiments.run --list
  python -m experiments.run tables/bneuralt --seeds 30 --jobs 2
  python -m experiments.run tables/bneuralt --only 'wine/*' --only '*/linear'

Each unit is written to disk as soon as it is done. After Ctrl-C or kill -9, the same command resumes.
exit codes: 0 done, 1 some units failed, 2 bad input, 3 file in use, 130 interrupted"""


def parser() -> Parser:
    made = Parser(
        prog="python -m experiments.run",
        description="Run the units still missing from an experiment's CSV file, and append their rows.",
        epilog=EPILOG,
    )
    made.add_argument("name", nargs="?", help="name of the experiment; --list shows all names")
    made.add_argument(
        "--seeds", type=_positive, metavar="N", help="number of seeds; default: as the experiment defines"
    )
    made.add_argument(
        "--jobs", type=_positive, metavar="N", help="number of processes, each of one thread; default: all cores"
    )
    made.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="TABLE/JOB",
        help="run only the units that match, as in 'wine/*'; may be repeated",
    )
    made.add_argument("--quick", action="store_true", help="run the smallest version; its rows go to results/quick")
    made.add_argument("--fresh", action="store_true", help="drop rows made with other settings and run them again")
    made.add_argument(
        "--list",
        action="store_true",
        help="list the experiments, or the units of one, with the number done; run nothing",
    )
    return made


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        return _run(arguments)
    except InputError as error:
        return fail(str(error))
    except LockedError as error:
        return fail(str(error), LOCKED)
    except OSError as error:
        return fail_of_system(error, "; finished units are kept, the same command resumes")
    except KeyboardInterrupt:
        say("interrupted; finished units are kept, the same command resumes")
        return INTERRUPTED


def _run(arguments: argparse.Namespace) -> int:
    from experiments.catalogue import csv_path, load
    from experiments.frame.planning import chosen_units, describe, describe_all
    from experiments.frame.row_store import Store

    if arguments.name is None:
        if not arguments.list:
            raise InputError("name an experiment; python -m experiments.run --list shows all names")
        print(describe_all())
        return DONE
    experiment = load(arguments.name)
    seeds = arguments.seeds or (1 if arguments.quick else experiment.seeds)
    units = chosen_units(experiment, seeds, arguments.quick, arguments.only)
    path = csv_path(experiment.name, quick=arguments.quick)
    if arguments.list:
        print(describe(units, path))
        return DONE
    _check_data(units)
    with Store(path, experiment.columns) as store:
        return _fill(experiment, store, units, arguments)


def _check_data(units: Sequence[Unit]) -> None:
    from experiments.common.activities import HAPT, check_activities
    from experiments.common.images import DIGESTS, folder_of
    from experiments.common.paper_tables import check_found

    tables = dict.fromkeys(unit.table for unit in units)
    check_found(tables)
    for name in tables:
        if name in DIGESTS:
            folder_of(name)
        if name == HAPT:
            check_activities()


def _fill(experiment: Experiment, store: Store, units: Sequence[Unit], arguments: argparse.Namespace) -> int:
    """Run the missing units and return the exit code."""
    from experiments.frame.planning import Clock
    from experiments.frame.provenance import commit, config_hash, versions
    from experiments.frame.workers import outcomes
    from experiments.frame.working import worker

    configs = {unit: config_hash(experiment.settings(unit, arguments.quick)) for unit in units}
    missing = store.begin(units, configs, fresh=arguments.fresh)
    print(f"{experiment.name}: {len(units) - len(missing)} of {len(units)} units are done", flush=True)
    origin = {"commit": commit(), "versions": versions()}
    jobs = min(arguments.jobs or os.cpu_count() or 1, max(1, len(missing)))
    clock = Clock(len(units), missing, jobs, store.rows)
    failed = 0
    for unit, outcome in outcomes(partial(worker, experiment.name, arguments.quick), missing, jobs):
        if outcome.error:
            failed += 1
        else:
            measured = {"seconds": round(outcome.seconds, 3), "cpu_s": round(outcome.cpu_s, 3)}
            store.append([row | measured | origin | {"config": configs[unit]} for row in outcome.rows])
        print(clock.line(unit, outcome), flush=True)
    if failed:
        return fail(f"{failed} units failed; the same command tries them again", FAILED)
    print(f"{store.path} is complete for these units")
    return DONE


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends a run as Ctrl-C does
    run_command(main)
