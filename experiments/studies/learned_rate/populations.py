"""Random trees of a table that are trained from one start by any optimiser; the rows of the test are not read."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.holdout import holdout
from neuraltree.engine.forest import Packed, load_params, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Course, Data, Fitted, Settings, learned_rate, make_course, make_data
from neuraltree.tasks.task import encode, make_task
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from search.table.splits import make_folds

FOLDS, NODES = 4, 60  # one fold is held out for validation
NOBODY = np.zeros(0, np.int32)
NewTree = Callable[[np.random.Generator, Space], Nodes]


class Population(NamedTuple):
    """Untrained trees, and the rows that they learn and are validated on."""

    packed: Packed
    params: NDArray
    data: Data
    fit: NDArray[np.int64]
    held: NDArray[np.int64]
    loss: str
    seed: int


class Trained(NamedTuple):
    """The median losses of the last weights over the trees, the trees that diverged, the median of the last rates, and
    the CPU time of a step of one tree."""

    train_loss: float
    val_loss: float
    diverged: int
    rate: float
    step_us: float


def usual(rng: np.random.Generator, space: Space) -> Nodes:
    return random_tree(rng, space, max_nodes=NODES)


def population(name: str, seed: int, trees: int, new_tree: NewTree = usual) -> Population:
    """Random trees of a table, and the training rows of its hold-out ``seed``; scalers know the rows to fit alone."""
    table, rng = paper_tables.table(name), np.random.default_rng(seed)
    fit, held = make_folds(table, holdout(table, seed)[0], FOLDS, seed)[0]
    task = make_task(table.kind, len(table.classes or ()))
    inputs, y = Scaler.fit(table.X[fit]).transform(table.X), table.y
    if table.classes is None:
        y = Scaler.fit(y[fit, None]).transform(y[:, None])[:, 0]
    space = Space(table.X.shape[1], task.n_outputs, output_activation=task.output_activation, max_nodes=2 * NODES)
    nodes, starts = join([new_tree(rng, space) for _ in range(trees)])
    packed = pack(nodes, starts, space.n_features)
    data = make_data(inputs, encode(task, y), None, "float32")
    return Population(packed, load_params(packed, nodes, "float32")[0], data, fit, held, task.loss, seed)


def trained(given: Population, optimizer: str, rate: float, schedule: str, epochs: int) -> Trained:
    """The trees trained by an optimiser, and their losses on all rows to fit and on those held out."""
    settings = Settings(given.loss, optimizer, rate, schedule)
    course = make_course(settings, given.fit, NOBODY, epochs=epochs, patience=0, seed=given.seed)
    begun = time.process_time()
    found = _train(given, settings, course, given.params)
    seconds, steps = time.process_time() - begun, max(len(course.rates), 1) * given.packed.forest.trees
    fit, held = (losses(given, settings, found.last, rows) for rows in (given.fit, given.held))
    last = float(np.median(found.moments[-1][:, 0])) if learned_rate(settings) else rate
    return Trained(_median(fit), _median(held), int(np.isinf(fit).sum()), last, 1e6 * seconds / steps)


def _train(given: Population, settings: Settings, course: Course, params: NDArray) -> Fitted:
    forest = given.packed.forest
    return lowering().train(forest, settings, given.data, course, params, np.full(forest.trees, course.epochs))


def losses(given: Population, settings: Settings, params: NDArray, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(trees,) the mean losses: those of the validation of a training of no epochs."""
    course = make_course(settings, given.fit, rows, epochs=0, patience=0, seed=0)
    return _train(given, settings, course, params).loss


def _median(losses: NDArray[np.float64]) -> float:
    """A tree that diverged is worse than all others."""
    return float(np.quantile(losses, 0.5, method="inverted_cdf"))
