"""What training of a few nodes on the device regains after a drift, by selector and budget.

``sensor``: of a table, one input gets a gain and another an offset. ``foresight``: the same, but selectors see rows
from before the drift, as if the nodes were chosen ahead. ``subject``: activities of a new person. ``costs``:
RAM, flash, instructions and energy of a step on emulated cores. A random tree is trained well before the drift; after
it, it sees labelled rows one at a time, by plain descent as the device does. A quarter of these rows is held back: it
chooses the learning rate, and says whether the old weights stay. Selectors see the other rows; test rows score once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.activities import DIGEST, HAPT
from experiments.common.holdout import TEST_FRACTION
from experiments.common.scoring import score
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.drift.drifts import (
    FIRST,
    FIRST_HELD_OUT,
    FIRST_RATE,
    GAIN,
    HELD_BACK,
    OFFSET,
    QUICK_WEIGHTS,
    ROWS,
    WEIGHTS,
    Drift,
    drifted_table,
    mean_loss,
    new_subject,
    with_nodes,
)
from experiments.studies.drift.step_costs import CORES, COST_COLUMNS, cost_rows
from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.lesson import Lesson, lesson_of
from neuraltree.tree.tree import Tree
from neuraltree.updating.selection import SELECTORS, select
from neuraltree.updating.single_rows import losses, row_by_row
from neuraltree.updating.training_state import Live, TrainingState

SENSOR, FORESIGHT, SUBJECT, COSTS = "sensor", "foresight", "subject", "costs"
TABLES = ("friedman", "mpg6", "dee", "baseball", "wdbc", "vehicle", "australian")
COSTED, COST_SEEDS = ("output", "gradient"), 2  # on friedman
EPOCHS, QUICK_EPOCHS = 10, 2
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
# In bytes of state, or as a share of what training of all nodes takes.
BUDGETS: dict[str, float] = {"8.8 %": 0.088, "21.2 %": 0.212, "30.8 %": 0.308, "512 B": 512, "700 B": 700}
CHOSEN = tuple(name for name in SELECTORS if name != "full")
FORESEEING = tuple(name for name in CHOSEN if SELECTORS[name].needs_rows)
COLUMNS = (
    *("selector", "budget", "bytes", "trained", "weights", "rate", "kept"),
    *("held_loss", "held_score", "raw_score", "test_score"),
    *COST_COLUMNS,
)


def units(seeds: int, quick: bool) -> list[Unit]:
    if quick:
        return [Unit("friedman", SENSOR, 0)]
    made = [Unit(table, SENSOR, seed) for seed in range(seeds) for table in TABLES]
    made += [Unit(HAPT, SUBJECT, seed) for seed in range(seeds)]
    made += [Unit("friedman", COSTS, seed) for seed in range(min(seeds, COST_SEEDS))]
    return made + [Unit(table, FORESIGHT, seed) for seed in range(seeds) for table in TABLES]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    about: dict[str, Any] = {
        "data": DIGEST if unit.job == SUBJECT else paper_tables.DIGESTS[unit.table],
        "fraction": TEST_FRACTION,
        "weights": QUICK_WEIGHTS if quick else WEIGHTS,
        "first": [FIRST, FIRST_RATE, FIRST_HELD_OUT],
        "after": [QUICK_EPOCHS if quick else EPOCHS, ROWS, HELD_BACK, list(RATES)],
        "drift": [GAIN, OFFSET],
        "budgets": BUDGETS,
        "selectors": FORESEEING if unit.job == FORESIGHT else CHOSEN,
    }
    return about | ({"cores": CORES, "costed": COSTED} if unit.job == COSTS else {})


def run(unit: Unit, quick: bool) -> list[Row]:
    drift = new_subject(unit.seed, quick) if unit.job == SUBJECT else drifted_table(unit.table, unit.seed, quick)
    lesson, state = lesson_of(drift.tree, *drift.fitted), TrainingState(drift.tree.nodes)
    if unit.job == COSTS:
        return _costs(drift, lesson, state, unit.seed)
    seen = lesson_of(drift.tree, *drift.known) if drift.known and unit.job == FORESIGHT else lesson
    selectors = FORESEEING if unit.job == FORESIGHT else CHOSEN
    choices = {("full", "all"): state.function} | dict(_choices(drift.tree, seen, state, selectors, unit.seed))
    return list(_rows(drift, lesson, choices, unit.seed, QUICK_EPOCHS if quick else EPOCHS))


def budget_bytes(budget: str, state: TrainingState) -> int:
    amount = BUDGETS[budget]
    return int(amount * state.most_bytes if amount < 1 else amount)


def _choices(
    tree: Tree, lesson: Lesson, state: TrainingState, selectors: tuple[str, ...], seed: int
) -> Iterator[tuple[tuple[str, str], Live]]:
    for name in selectors:
        for budget in BUDGETS:
            yield (name, budget), select(tree.nodes, budget_bytes(budget, state), name, lesson, seed)


def _rows(drift: Drift, lesson: Lesson, choices: dict[tuple[str, str], Live], seed: int, epochs: int) -> Iterator[Row]:
    """The rows of no training, before and after the drift, and of each choice at the rate that held rows prefer."""
    tree = drift.tree
    live = np.repeat(list(choices.values()), len(RATES), axis=0)
    rates = np.tile(RATES, len(choices))
    *_, last = row_by_row(tree.nodes, lesson, live, rates, epochs, np.random.default_rng([seed, 3]))
    held = lesson_of(tree, *drift.held)
    old = mean_loss(tree.nodes, held)
    found = losses(tree.nodes, last, held).reshape(len(choices), len(RATES))
    about = dict.fromkeys(COLUMNS) | {"weights": tree.num_weights}
    for name, rows in (("before", drift.before), ("none", drift.test)):
        if rows is not None:
            yield about | {"selector": name, "test_score": _score(tree, rows), "held_score": _score(tree, drift.held)}
    state = TrainingState(tree.nodes)
    for place, ((name, budget), chosen) in enumerate(choices.items()):
        best = int(np.argmin(found[place]))
        better = bool(found[place, best] < old)
        new = with_nodes(tree, last.nodes(tree.nodes, place * len(RATES) + best))
        yield about | {
            "selector": name,
            "budget": budget,
            "bytes": state.bytes(chosen),
            "trained": int(state.weights[chosen].sum()),
            "rate": RATES[best],
            "kept": int(not better),
            "held_loss": min(float(found[place, best]), old),
            "held_score": _score(new if better else tree, drift.held),
            "raw_score": _score(new, drift.test),
            "test_score": _score(new if better else tree, drift.test),
        }


def _score(tree: Tree, rows: tuple[FloatArray, NDArray]) -> float:
    return score(tree.kind, rows[1], tree.predict(rows[0]))


def _costs(drift: Drift, lesson: Lesson, state: TrainingState, seed: int) -> list[Row]:
    choices = {("full", "all"): state.function} | dict(_choices(drift.tree, lesson, state, COSTED, seed))
    row, target = drift.fitted[0][0], float(drift.fitted[1][0])
    about = dict.fromkeys(COLUMNS) | {"weights": drift.tree.num_weights}
    return [
        about
        | {"selector": name, "budget": budget, "bytes": state.bytes(live), "trained": state.trained_weights(live)}
        | costs
        for (name, budget), live in choices.items()
        for costs in cost_rows(drift.tree, live, row, target)
    ]


EXPERIMENT = Experiment(
    "drift",
    "what training of a few nodes on the device regains after a drift, by selector and bytes",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
