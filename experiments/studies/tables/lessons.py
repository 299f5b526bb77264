"""Two controls for evolved trees: the teachers together, and pruned MLPs that learn from the same teachers.

The teachers show how much accuracy a tree loses by being small. The pruned MLPs show how much of a tree's accuracy
comes from the teachers rather than from the tree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from experiments.common.choosing import FOLDS
from experiments.common.paper_tables import table
from experiments.common.scoring import score
from experiments.common.teachers import SETTINGS, fitting, scalars_of, teachers
from experiments.frame.experiment import Row, Unit
from experiments.studies.tables.baselines import config
from experiments.studies.tables.rows import BUDGETS, honest
from neuraltree.tasks.links import class_codes
from search.baselines.baseline_models import Sample
from search.baselines.make import MLP_BATCH
from search.baselines.masked import train
from search.baselines.prune import HIDDEN, Kept, Layers, cut_down
from search.engine.problem import Setup, set_up
from search.table.data import Table
from search.teachers.teaching import LAST_EPOCHS, LAST_ROWS, OWN, ROWS, SPREAD, Learned, learn, taught

PENALTY = 1e-4  # too many rows to overfit
COURSE = (
    (LAST_EPOCHS, 0.01),
    (LAST_EPOCHS // 4, 0.001),
)  # epochs and learning rate, for the whole network and after every cut
QUICK_COURSE = ((1, 0.01),)


def run(unit: Unit, quick: bool) -> list[Row]:
    """On one thread."""
    with threadpool_limits(1), fitting():
        return _rows(unit, quick)


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    del unit
    lesson = {"rows": ROWS, "last_rows": LAST_ROWS, "spread": SPREAD, "own": OWN, "folds": FOLDS}
    course = {"hidden": HIDDEN, "course": QUICK_COURSE if quick else COURSE, "penalty": PENALTY, "batch": MLP_BATCH}
    return {"teachers": SETTINGS, "lesson": lesson, "pruned": course, "budgets": BUDGETS}


def _rows(unit: Unit, quick: bool) -> list[Row]:
    data = table(unit.table)
    setup = set_up(config(unit), data, workers=1)
    learned = learn(setup, data, teachers(data.kind, data.X.shape[1], unit.seed), lambda text: None)
    found = _score(setup, data, learned.mean(-1, data.X[setup.test_rows]))
    weights = sum(scalars_of(data.kind, teacher) for teacher in learned.last)
    return [honest("teachers", score=found, weights=weights), *_pruned(learned, data, unit.seed, quick)]


def _pruned(learned: Learned, data: Table, seed: int, quick: bool) -> list[Row]:
    """A network for every budget, all pruned from one network trained on the data of the trees' last refit."""
    setup = taught(learned)
    rows, lesson = setup.problem.whole, setup.problem.data
    inputs, targets = lesson.inputs[rows, : data.X.shape[1]], lesson.targets[rows]
    sample = Sample(inputs.astype(np.float64), targets.astype(np.float64), np.ones(len(rows)), data.kind)
    rng = np.random.default_rng((seed, HIDDEN))

    def train_on(layers: Layers, kept: Kept) -> None:
        for epochs, rate in QUICK_COURSE if quick else COURSE:
            train(layers, kept, sample, _batches(len(rows), epochs, rng), penalty=PENALTY, rate=rate)

    layers = _start(rng, sample)
    train_on(layers, (np.ones_like(layers[0][0], dtype=bool), np.ones_like(layers[0][1], dtype=bool)))
    test = setup.scaler.transform(data.X[setup.test_rows])
    return [
        honest(
            "pruned_taught",
            budget=budget,
            score=_score(setup, data, network.outputs(test)),
            weights=network.weights,
            macs=network.macs,
        )
        for budget, network in cut_down(layers, BUDGETS, train_on).items()
    ]


def _start(rng: np.random.Generator, sample: Sample) -> Layers:
    """Uniform initial weights after Glorot & Bengio 2010 (https://proceedings.mlr.press/v9/glorot10a.html, eq. 16)."""
    sizes = (sample.X.shape[1], HIDDEN, sample.y.shape[1])
    limits = [np.sqrt(6 / (above + below)) for above, below in itertools.pairwise(sizes)]
    weights = [rng.uniform(-limit, limit, sizes[i : i + 2]) for i, limit in enumerate(limits)]
    return weights, [np.zeros(size) for size in sizes[1:]]


def _batches(rows: int, epochs: int, rng: np.random.Generator) -> Iterator[NDArray]:
    for _ in range(epochs):
        yield from np.array_split(rng.permutation(rows), -(-rows // MLP_BATCH))


def _score(setup: Setup, data: Table, outputs: NDArray) -> float:
    """Test score of (test rows, outputs): scaled values, class probabilities or logits; one logit for two classes."""
    truth = data.y[setup.test_rows]
    if setup.target_scaler is not None:
        return score(data.kind, truth, setup.target_scaler.inverse(outputs)[:, 0])
    return score(data.kind, truth, class_codes(outputs))
