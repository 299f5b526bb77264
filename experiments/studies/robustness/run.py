"""How much of their scores trees keep under noise, missing inputs and attacks, and what can be proved of them.

``trees``: a random tree of each table, trained on the training rows of a hold-out, in several ways, as floats and as
8-bit code; ``parameters``: the same tree without some of its parameters; and searches with and without
``robust_error``. Test rows are attacked and scored, and choose nothing.
"""

from __future__ import annotations

from typing import Any

from experiments.common import paper_tables
from experiments.common.holdout import TEST_FRACTION, holdout
from experiments.common.scoring import score
from experiments.common.searching import settings as search_settings
from experiments.common.searching import size_of
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.pruning.run import grown, settings_of
from experiments.studies.robustness import conditions as changing
from experiments.studies.robustness import parameters, variants
from experiments.studies.robustness.conditions import Rows, conditions, looseness
from experiments.studies.robustness.robust_searches import SEARCHED, WAYS, searched
from neuraltree.compress import quantize_tree
from neuraltree.compress.int8.clipping import fit_ranges
from neuraltree.tree.tree import Tree

TABLES = ("iris", "wine", "wdbc", "australian", "glass", "vehicle", "friedman")
SEARCHED_TABLES = ("australian", "glass", "vehicle")
TREES, PARAMETERS = "trees", "parameters"
WEIGHTS = (60, 250)  # of the trees; the variants are those of the last
QUICK_WEIGHTS = (40,)
INT8, IN_INTEGERS = ", int8", (variants.PLAIN, *variants.ROUNDED)  # the variants that are scored as 8-bit code too
COLUMNS = (
    "model",
    "size",
    "weights",
    "train_score",
    "chosen_by",
    "robust_error",
    *changing.COLUMNS,
    *changing.LOOSE,
    *parameters.COLUMNS,
)


def units(seeds: int, quick: bool) -> list[Unit]:
    tables, searches = (("iris",), ("iris",)) if quick else (TABLES, SEARCHED_TABLES)
    trees = [Unit(table, job, seed) for seed in range(seeds) for table in tables for job in (TREES, PARAMETERS)]
    return trees + [Unit(table, job, seed) for seed in range(seeds) for table in searches for job in WAYS]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    changes = [
        changing.NOISE,
        changing.MISSING,
        changing.RADII,
        changing.REPEATS,
        changing.STEPS,
        changing.TOLERANCE,
        [changing.BEYOND, changing.STARTS, changing.MORE_STEPS],
    ]
    if unit.job in WAYS:
        return search_settings(unit.table, size_of(quick, SEARCHED), WAYS[unit.job]) | {"changes": changes}
    return {
        "data": paper_tables.DIGESTS[unit.table],
        "fraction": TEST_FRACTION,
        "grown": settings_of(unit.table, quick)["first"],
        "weights": _sizes(quick),
        "changes": changes,
        "training": [variants.ROUNDS, _epochs(quick), variants.RADIUS, variants.STEPS, variants.RATE, variants.CUT],
        "variants": list(variants.VARIANTS),
        "parameters": [parameters.RADIUS, parameters.SHARES, parameters.FLIPS, parameters.DRAWS],
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    empty: Row = dict.fromkeys(COLUMNS)
    if unit.job in WAYS:
        return [empty | row for row in searched(unit.table, unit.seed, size_of(quick, SEARCHED), unit.job)]
    return [empty | row for row in (_trees if unit.job == TREES else _parameters)(unit, quick)]


def _trees(unit: Unit, quick: bool) -> list[Row]:
    rows = []
    for size in _sizes(quick):
        tree, train, test = _grown(unit, size)
        names = variants.VARIANTS if size == _sizes(quick)[-1] else (variants.PLAIN,)
        for name in names:
            model = variants.VARIANTS[name](tree, train, _epochs(quick), unit.seed)
            integers = quantize_tree(fit_ranges(model, train.X))
            for label, each in ((name, model), (name + INT8, integers))[: 1 + (name in IN_INTEGERS)]:
                about: Row = {"model": label, "size": size, "weights": model.num_weights}
                about["train_score"] = score(tree.kind, train.y, each.predict(train.X))
                rows.append(about | conditions(each, model, test, unit.seed))
                if name == variants.PLAIN:
                    rows[-1] |= looseness(each, model, test, unit.seed)
    return rows


def _parameters(unit: Unit, quick: bool) -> list[Row]:
    size = _sizes(quick)[0]
    tree, train, test = _grown(unit, size)
    integers = quantize_tree(fit_ranges(tree, train.X))
    about: Row = {"size": size, "weights": tree.num_weights}
    return [about | row for row in parameters.lost_parameters(tree, integers, test, unit.seed)]


def _grown(unit: Unit, weights: int) -> tuple[Tree, Rows, Rows]:
    """A trained tree, and its training and test rows."""
    table = paper_tables.table(unit.table)
    train, test = holdout(table, unit.seed)
    fit, held = (Rows(table.X[rows], table.labels[rows]) for rows in (train, test))
    return grown(table, train, unit.seed, weights), fit, held


def _sizes(quick: bool) -> tuple[int, ...]:
    return QUICK_WEIGHTS if quick else WEIGHTS


def _epochs(quick: bool) -> int:
    return variants.QUICK_EPOCHS if quick else variants.EPOCHS


EXPERIMENT = Experiment(
    "studies/robustness",
    "noise, missing inputs, attacks, certificates, lost parameters; training against attacks; robust searches",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
