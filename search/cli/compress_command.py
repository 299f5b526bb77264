"""``neuraltree compress``: smaller models cut out of a finished one, as a front in a new folder."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuraltree.cli.command import DONE, say

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree
    from search.config.config import Config

SHARES, CRITERION, EPOCHS, RATE = (0.3, 0.5, 0.7), "ablation", 25, 0.01
EPILOG = """examples:
  neuraltree compress penguins
  neuraltree compress penguins --prune .2 .4 .6 .8 --out small
  neuraltree compress model.json --prune .5 --criterion taylor --retrain data.csv --target species --out small
  neuraltree compress penguins --prune .5 --precision int4
  neuraltree compress --criteria

The rows that rank edges and train what is left are by default the training rows of the model's run. The folder is a
front as that of a run: neuraltree show, predict, export and hardware take it. Its honest errors are those of the same
cuts in trees with new weights, on rows that these have not seen.

exit codes: 0 done, 2 bad input, 130 interrupted (nothing is written)"""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", metavar="MODEL", type=Path, nargs="?", help="a run folder, or a model file")
    made.add_argument(
        "--prune",
        metavar="SHARE",
        type=float,
        nargs="+",
        help="shares of the model's nodes to cut, rising, from 0 to 1; by default .3 .5 .7, or none with --precision",
    )
    made.add_argument("--criterion", default=CRITERION, metavar="NAME", help=f"what ranks edges; default: {CRITERION}")
    made.add_argument("--criteria", action="store_true", help="list the criteria, and stop")
    precision = "the number format of the weights, as int4 or ternary; see docs/compression.md"
    made.add_argument("--precision", metavar="FORMAT", default="", help=precision)
    made.add_argument("--retrain", metavar="TABLE", help="the table whose rows are used instead of those of the run")
    made.add_argument("--target", metavar="COLUMN", help="its column to predict; by default that of the run")
    made.add_argument("--epochs", type=int, default=EPOCHS, help=f"epochs of training for each size; default: {EPOCHS}")
    teach = "half of what the smaller models learn is what the model itself says of a row; see docs/compression.md"
    made.add_argument("--teach", action="store_true", help=teach)
    rate = f"of the training after cuts, falling to 0; less for thousands of weights; default: {RATE}"
    made.add_argument("--learning-rate", type=float, default=RATE, metavar="RATE", help=rate)
    made.add_argument("--device", help="a device, whose costs count; by default that of the run")
    made.add_argument("--seed", type=int, default=0, help="the random seed; by default 0")
    made.add_argument(
        "--out", metavar="FOLDER", type=Path, help="the folder to write, new or empty; by default MODEL-small"
    )


def compress(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    from neuraltree.compress.formats import HALVES, NARROW, ONLY_IN_C
    from neuraltree.compress.pruning.criteria import CRITERIA, criterion_named
    from neuraltree.compress.pruning.path import checked_shares
    from neuraltree.compress.weights.weight_formats import weight_format

    if options.criteria:
        print("\n".join(f"{name:<10} {row.help}" for name, row in CRITERIA.items()))
        return DONE
    if options.model is None:
        raise ValueError("name a run folder or a model file, as in: neuraltree compress penguins --prune .3 .5")
    model = options.model.absolute()
    options.out = options.out or Path(f"{model.name if model.is_dir() else model.stem}-small")
    criterion_named(options.criterion)
    if options.precision:
        weight_format(options.precision)
    if options.prune is None:
        options.prune = () if options.precision else SHARES
    checked_shares(options.prune, options.epochs, learning_rate=options.learning_rate)

    from neuraltree.tree.model_files import load
    from search.cli.chosen import formats_of_run, member_of, without_test_rows
    from search.cli.signals.signal_files import signal_file
    from search.compressing.model_rows import table_for
    from search.compressing.size_path import Cutting, size_path
    from search.config.config import to_toml
    from search.engine.problem import set_up
    from search.folder.records import CONFIG, RunFolder, write_text
    from search.judge.finish import undominated_members, write_members

    found = member_of(options.model)
    if signal_file(options.model) is not None:
        raise ValueError(
            f"{options.model} is a model of recordings, which compress cannot cut: its features would be left behind; "
            "search again with a tighter --flash, or with another hardware.precision"
        )
    tree = load(found[1].path if found and found[1].path else options.model)
    # Without a device no code is chosen, and all models have the one format of the run.
    own = found[1].precision or next(iter(formats_of_run(found[0])), "") if found else ""
    if not options.precision and own in NARROW:
        options.precision = own
    config = _config(options, found[0] if found else None, own)
    folder = RunFolder(options.out)
    folder.check_free()
    cutting = Cutting(
        options.prune,
        *(options.criterion, options.epochs, options.learning_rate),
        *(options.seed, options.precision, options.teach),
    )
    cutting.check(tree)
    table = table_for(tree, config)
    run = None if options.retrain else found and found[0]
    setup = set_up(config, table, all_rows=run is None or without_test_rows(run))
    members = undominated_members(setup, size_path(setup, table, tree, cutting, say), say)
    with folder:
        folder.create()
        write_members(folder, setup, table, members)
        write_text(folder.path / CONFIG, to_toml(config))
        folder.update_manifest(
            status="complete",
            compressed=True,
            objectives=list(setup.strategy.objectives),
            target=table.target,
            train_rows=len(setup.train_rows),
            test_rows=len(setup.test_rows),
            notes=[_word(options, tree)],
        )
    out = shlex.quote(str(options.out))
    code = f" --precision {options.precision}" * (options.precision in ONLY_IN_C)
    code += " --style table" * (options.precision in HALVES)
    made = f"{len(members)} model{'s' * (len(members) > 1)}"
    say(f"{made}; next: neuraltree show {out}; neuraltree export {out} --to c{code}")
    return DONE


def _word(options: argparse.Namespace, tree: Tree) -> str:
    """How the models were made, for the manifest."""
    cut = f"without {', '.join(map(str, options.prune))} of its nodes by {options.criterion}" if options.prune else ""
    few = f"with weights in {options.precision}" * bool(options.precision)
    taught = ", taught by itself" * options.teach
    how = f"{options.epochs} epochs at {options.learning_rate:g} after each size, seed {options.seed}{taught}"
    return f"{options.model} ({tree.num_nodes} nodes) {', '.join(filter(None, (cut, few, how)))}"


def _code_in(precision: str, hardware: dict[str, Any]) -> dict[str, Any]:
    """The keys of the config by which costs are those of code in a format below 8 bits; none, and a word about it, if
    the device has no figures for it."""
    from neuraltree.hardware.choice import candidates
    from neuraltree.hardware.profile.devices import Code
    from neuraltree.hardware.profile.load import load_device

    own = {"precision": precision, "finetune_epochs": 0}
    if not hardware.get("device"):
        return own
    device = load_device(hardware["device"])
    build = device.build(hardware.get("compiler", "clang"))
    try:
        candidates(Code(precision, hardware.get("style", "straight"), build), device)
    except ValueError as error:
        say(f"costs are those of the run's code: {error}")
        return {}
    return own


def _without_exits(raw: dict[str, Any]) -> dict[str, Any]:
    """The keys for code that computes everything: formats below 8 bits have no early exit."""
    from neuraltree.hardware.model.cost_names import MEAN

    search, limits = raw.get("search", {}), raw.get("constraints", {})
    named = ["latency_s" if name == MEAN else name for name in search.get("objectives", [])]
    if MEAN in limits:
        say(f"the limit of {limits[MEAN]:g} on {MEAN} does not hold here: formats below 8 bits have no early exit")
    return raw | {
        "compress": raw.get("compress", {}) | {"early_exit": False},
        "search": search | ({"objectives": list(dict.fromkeys(named))} if named else {}),
        "constraints": {name: most for name, most in limits.items() if name != MEAN},
    }


def _config(options: argparse.Namespace, run: Path | None, code: str) -> Config:
    """That of the model's run, with what the options ask for; ``ValueError`` if there are no rows.

    ``code``: the number format of the model's own code, which all have if those of the run had one each; int8 if it is
    below 8 bits and other weights are asked for.
    """
    import msgspec

    from neuraltree.compress.formats import NARROW
    from search.cli.table_source import source_of
    from search.config.config import config_of, load_config
    from search.folder.records import CONFIG

    raw: dict[str, Any] = {}
    if run and (run / CONFIG).is_file():
        found = load_config(run / CONFIG)
        raw = msgspec.to_builtins(found)
        if found.hardware.formats:
            raw["hardware"]["precision"] = "int8" if code in NARROW else code or "int8"
    elif not options.retrain:
        raise ValueError(f"{options.model} is of no run, whose rows are known: add --retrain TABLE --target COLUMN")
    if options.retrain:
        raw["data"] = raw.get("data", {}) | {"source": source_of(options.retrain)}
    if options.target:
        raw.setdefault("data", {})["target"] = options.target
    if options.device:
        raw["hardware"] = raw.get("hardware", {}) | {"device": options.device}
        raw["search"] = raw.get("search", {}) | {"objectives": ["error", "latency_s", "flash_bytes"]}
    if options.precision in NARROW:
        raw = _without_exits(raw)
        raw["hardware"] = raw.get("hardware", {}) | _code_in(options.precision, raw.get("hardware", {}))
    # The seed of the run draws its test rows, which the model has not seen.
    own = raw.get("run", {}).get("seed", options.seed)
    raw["run"] = {"seed": options.seed, "out": str(options.out)}
    config = config_of(raw, "neuraltree compress")
    return msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, seed=own))
