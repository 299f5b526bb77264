"""``neuraltree fit``: a search on a table, from a config that it writes."""

from __future__ import annotations

import argparse
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from neuraltree.cli.command import DONE
from search.cli.sizes import BUDGETS, amount_of
from search.cli.table_source import name_of, source_of
from search.run import add_overrides, add_ways_to_say, begin

if TYPE_CHECKING:
    from search.config.settings import Config
    from search.table.data import Table

TIME = "60s"
# The options about recordings, and the keys of [signal] that they set.
OF_SIGNALS = {
    **{name: name for name in ("windows", "hop", "lags", "horizon", "rate_hz", "subject_piece", "one_class")},
    "reject": "rejection",
}
EPILOG = """examples:
  neuraltree fit penguins.csv --target species
  neuraltree fit penguins.csv --target species --device rp2040 --flash 4k --time 30s --out penguins
  neuraltree fit penguins.csv --teachers mlp random_forest
  neuraltree fit sensors.csv --target fault --metric f1_macro --set data.group=machine
  neuraltree fit recordings/ --signal --device nrf52840 --ram 2k --flash 8k --time 5m --out gestures
  neuraltree fit gas.csv --signal --target co2 --horizon 1 --lags 0 1 2 3 --rate-hz 0.111 --device cortex-m4f
  neuraltree fit normal/ --signal --one-class --device nrf52840 --out motor
  neuraltree fit counts.csv --device uno --precision auto --ram 2k --latency 1ms --input int16

Each budget is an objective, too; without one, latency and flash of a --device are, or the number of weights.

then:
  neuraltree show penguins                        the front, the recommended model and the verdict
  neuraltree predict penguins new.csv             answers for new rows
  neuraltree export penguins --to c               the recommended model as C

The run folder holds config.toml, which python -m search.run takes too.

exit codes: 0 done, 2 bad input, 3 run folder in use, 130 interrupted (saved; resume with neuraltree run FOLDER
--resume)"""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("table", metavar="TABLE", help="a CSV file, or another source that data.source can name")
    target = "the column to predict; by default the last one. With --signal: a channel to predict, instead of classes"
    made.add_argument("--target", metavar="COLUMN", default="", help=target)
    made.add_argument("--drop", metavar="COLUMN", nargs="+", default=[], help="columns to leave out")
    made.add_argument("--signal", action="store_true", help="TABLE is a folder or file of labelled recordings")
    windows = "with --signal: the lengths of windows, in samples; by default powers of two near 0.6, 1.3 and 2.6 s"
    made.add_argument("--windows", metavar="N", type=int, nargs="+", help=windows)
    hop = "with --signal: samples between decisions; by default half of the shortest window"
    made.add_argument("--hop", metavar="N", type=int, help=hop)
    horizon = "with --signal and --target: how many samples ahead; by default 0, the value at the same time"
    made.add_argument("--horizon", metavar="N", type=int, help=horizon)
    lags = "with --signal: single samples that are features, counted back from the newest, 0; alone if no --windows"
    made.add_argument("--lags", metavar="N", type=int, nargs="+", help=lags)
    rate = "with --signal: the sampling rate, for files that state none"
    made.add_argument("--rate-hz", metavar="HZ", type=float, help=rate)
    piece = "with --signal: which piece of a file's name, cut at . _ and -, is the subject; subjects are not split"
    made.add_argument("--subject-piece", metavar="N", type=int, help=piece)
    reject = "with --signal: what makes a window unknown, whatever its scores; by default nothing does"
    made.add_argument("--reject", choices=("envelope", "mahalanobis"), help=reject)
    one_class = "with --signal: all recordings are normal, and the models tell what is not"
    made.add_argument("--one-class", action="store_true", help=one_class)
    made.add_argument("--metric", help="the error to minimise, e.g. f1_macro or mae; see docs/tables.md")
    made.add_argument("--device", help="a device, whose costs count; see neuraltree hardware --list")
    formats = ("float32", "int8", "auto")
    precision = "the number format of the device's code; auto: the cheapest that is exact enough; by default float32"
    made.add_argument("--precision", choices=formats, help=precision)
    inputs = (
        "what goes into the code: float32, int16 or uint8, with a scale as in int16/100; COLUMN=TYPE for one column"
    )
    made.add_argument("--input", metavar="TYPE", action="append", default=[], help=f"{inputs}; may be repeated")
    for option, budget in BUDGETS.items():
        made.add_argument(f"--{option}", metavar=budget.example, help=budget.help)
    teachers = "models that are fitted first and that the trees learn from, e.g. mlp random_forest; see docs/tables.md"
    made.add_argument("--teachers", metavar="NAME", nargs="+", default=[], help=teachers)
    length = made.add_mutually_exclusive_group()
    length.add_argument("--time", help=f"the time of the whole run, as in 90s, 5m or 1.5h; by default {TIME}")
    length.add_argument("--generations", type=int, metavar="N", help="a number of generations instead of a time")
    made.add_argument("--seed", type=int, default=0, help="the random seed; by default 0")
    made.add_argument("--out", metavar="FOLDER", help="the run folder, new or empty; by default results/TABLE")
    add_overrides(made)
    add_ways_to_say(made)
    made.add_argument("--dry-run", action="store_true", help="check everything, print the config, and stop")


def tables_of(options: argparse.Namespace) -> dict[str, Any]:
    """The tables of a config, without what is left to defaults; ``ValueError`` for budgets that need a device."""
    from neuraltree.compress.formats import input_spec

    limits = {name: amount_of(name, text) for name in BUDGETS if (text := getattr(options, name)) is not None}
    costs = [f"--{name}" for name in limits if name != "weights"]
    if costs and not options.device:
        raise ValueError(f"{', '.join(costs)}: a limit of a device's costs; add --device, as in --device cortex-m4f")
    # A budget shows what the user cares about, so that the front spreads over it.
    wanted = [BUDGETS[name].column for name in limits] or (["latency_s", "flash_bytes"] if options.device else [])
    # What a stream of integers is made of is the same to the bit in Python and in C.
    in_integers = bool(options.signal and options.device and not options.target)
    precision = options.precision or ("int8" if in_integers else None)
    objectives = [options.metric or "error", *(wanted or ["weights"])]
    search: dict[str, Any] = {"objectives": objectives}
    if options.generations is None:
        search["time"] = options.time or TIME
    else:
        search["generations"] = options.generations
    given = _given(**{name: getattr(options, option) for option, name in OF_SIGNALS.items()})
    if given and not options.signal:
        listed = ", ".join(f"--{option.replace('_', '-')}" for option in OF_SIGNALS)
        raise ValueError(f"{listed} are about recordings; add --signal")
    source = str(Path(options.table).absolute()) if options.signal else source_of(options.table)
    windows = {} if options.windows or options.lags else {"windows": "auto"}
    signal = windows | given | _given(target=options.target) if options.signal else {}
    target = "" if options.signal else options.target
    tables = {
        "data": {"source": source} | _given(target=target, drop=options.drop),
        "signal": signal,
        "run": {"seed": options.seed, "out": options.out or f"results/{name_of(options.table)}"},
        "search": search,
        "train": _given(teachers=options.teachers),
        "hardware": _given(device=options.device, precision=precision, input=input_spec(options.input)),
        "constraints": {BUDGETS[name].column: value for name, value in limits.items()},
    }
    return {section: keys for section, keys in tables.items() if keys}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def fit(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    from search.config.config import config_from
    from search.runs.progress import reporter

    begun = time.perf_counter()
    report = reporter(options.quiet, options.json)
    tables = tables_of(options)

    def settled(config: Config, table: Table) -> Config:
        """The config with room for every class, which is shown."""
        from search.evolution import room

        most = room(len(table.classes or ()))
        if most > config.space.max_nodes and not any(text.startswith("space.") for text in options.overrides):
            tables["space"] = {"max_nodes": most}
        report.message(tomli_w.dumps(tables).rstrip())
        return config_from(tables, (), "neuraltree fit")

    config = config_from(tables, options.overrides, "neuraltree fit")
    code = begin(config, report, begun, dry_run=options.dry_run, settled=settled)
    if code == DONE and not (options.dry_run or options.json):
        run = shlex.quote(config.run.out)
        answers = f"play {run} RECORDINGS --c" if options.signal else f"predict {run} ROWS"
        shown = "" if config.signal.one_class else f"neuraltree show {run}; "
        report.message(f"next: {shown}neuraltree {answers}; neuraltree export {run} --to c")
    return code
