"""Training as in the reference (BNeuralT): the test rows are scored after every update, and the best score is kept.

The published protocol has a flaw: the test rows choose the weights. No score made here is honest, and every row of
a table that uses one says so (protocol "reference").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.engine.forest import Indices, load_params, pack, store_params
from neuraltree.engine.lowering import lowering
from neuraltree.engine.optimizers import SCHEDULES
from neuraltree.engine.training import Course, Data, Settings
from neuraltree.tree.nodes import Nodes


class Peeked(NamedTuple):
    """The best test score over all updates, the score of the last weights, and the tree at the best score.

    Scores are accuracy or R². For accuracy, outputs that are not finite are wrong; R² is ``-inf`` if never finite.
    """

    best_test_score: float
    last_test_score: float
    nodes: Nodes


class Run(NamedTuple):
    """One tree and its rows: scaled inputs (rows, features), encoded targets (rows, outputs).

    ``truth`` (test rows,): class codes, integers, or values on the scale of the targets. ``seed`` is for the shuffles.
    """

    nodes: Nodes
    inputs: NDArray
    targets: NDArray
    test_inputs: NDArray
    truth: NDArray
    seed: int

    @property
    def classes(self) -> bool:
        return self.truth.dtype.kind in "iu"


def train_peeking(runs: Sequence[Run], settings: Settings, *, epochs: int) -> list[Peeked]:
    """Train the tree of each run from its weights (fold 0), its rows reshuffled in every epoch.

    Raises ``ValueError`` if a regression has several outputs.
    """
    return [_peeked(run, settings, epochs) for run in runs]


def _peeked(run: Run, settings: Settings, epochs: int) -> Peeked:
    if not run.classes and run.targets.shape[1] > 1:
        raise ValueError(f"a regression has one target here; got {run.targets.shape[1]}")
    packed = pack(run.nodes, np.array([0, len(run.nodes)]), run.inputs.shape[1])
    data, order = _data(run, settings), _order(run, settings.batch_size, epochs)
    rates = settings.learning_rate * SCHEDULES[settings.schedule].share(np.arange(len(order)) / len(order))
    test = np.arange(len(data.weight) - len(run.truth), len(data.weight), dtype=np.int32)
    engine, forest, always = lowering(), packed.forest, np.full(1, len(order))
    # To the engine an update is an epoch of one step, which it validates. It would also choose among the weights before
    # the first update, so it makes that update without validation.
    first = Course(order[:1], rates[:1], test[:0], epochs=1)
    rest = Course(order[1:], rates[1:], test, len(order) - 1, judge="error_rate" if run.classes else "loss")
    begun = engine.train(forest, settings, data, first, load_params(packed, run.nodes, settings.precision)[0], always)
    found = engine.train(forest, settings, data, rest, begun.last, always, moments=begun.moments)
    best = found.params if np.isfinite(found.loss[0]) else found.last
    top, last = (_score(run, engine.predict(forest, settings, data, test, at)[0]) for at in (best, found.last))
    return Peeked(top, last, store_params(packed, run.nodes, best[None]))


def _data(run: Run, settings: Settings) -> Data:
    """The training rows, for full batches; again, for short ones; a row of padding; the test rows."""
    rows, outputs, size = len(run.inputs), run.targets.shape[1], settings.batch_size
    truth = np.eye(outputs)[run.truth] if run.classes and outputs > 1 else run.truth[:, None]
    # The mean over a batch counts the padding: heavier rows make up for it.
    weights = (1.0, size / (rows % size or size), 0.0, 1.0)
    parts = (
        np.concatenate([run.inputs, run.inputs, run.inputs[:1], run.test_inputs]),
        np.concatenate([run.targets, run.targets, run.targets[:1], truth]),
        np.repeat(weights, (rows, rows, 1, len(truth))),
    )
    return Data(*(part.astype(settings.precision) for part in parts))


def _order(run: Run, batch: int, epochs: int) -> Indices:
    """(updates, batch) rows of ``_data``."""
    rng, rows = np.random.default_rng(run.seed), len(run.inputs)
    order = np.full((epochs, -(-rows // batch) * batch), 2 * rows, dtype=np.int32)
    for epoch in order:
        epoch[:rows] = rng.permutation(rows)
        epoch[rows - rows % batch : rows] += rows
    return order.reshape(-1, batch)


def _score(run: Run, found: NDArray) -> float:
    """Accuracy or R² of outputs (outputs, test rows)."""
    if run.classes:
        codes = found.argmax(axis=0) if len(found) > 1 else found[0] > 0
        return float(np.mean((codes == run.truth) & np.isfinite(found).all(axis=0)))
    score = 1 - float(np.sum((found[0] - run.truth) ** 2) / np.sum((run.truth - run.truth.mean()) ** 2))
    return score if np.isfinite(score) else -np.inf
