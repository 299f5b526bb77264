"""Training as in the reference (BNeuralT): the test rows are scored after every update, and the best score is kept.

The published protocol has a flaw: the test rows choose the weights. No score made here is honest, and every row of
a table that uses one says so (protocol "reference").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.rowwise import RowwiseBin, lay_out, load, store
from experiments.studies.reference.peeking_program import Course, Data, Progress, train_and_peek
from neuraltree.activations import code_of
from neuraltree.engine.compiled import run_program
from neuraltree.engine.forest import Params
from neuraltree.engine.training_step import Settings, first_arrays
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.space import Space

UPDATES_A_CALL = 100_000  # of all trees together: a few seconds, because Ctrl-C works only between calls
VECTOR = 16  # test rows are padded to whole vectors


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


def refit_peeking(
    nodes: Nodes,
    settings: Settings,
    *,
    train: tuple[NDArray, NDArray],
    test: tuple[NDArray, NDArray],
    epochs: int,
    seed: int,
) -> Peeked:
    """Train one tree from its weights (fold 0), peeking at the test rows; see ``Run`` for the arrays."""
    usual = Space(1).codes
    return train_peeking([Run(nodes, *train, *test, seed)], settings, epochs=epochs, kinds=usual)[0]


def train_peeking(
    runs: Sequence[Run], settings: Settings, *, epochs: int, kinds: Sequence[int] = (code_of("sigmoid"),)
) -> list[Peeked]:
    """Train the trees of some runs side by side in one compiled program, reshuffled in every epoch.

    Runs have equally many rows, features and outputs. Programs are compiled for ``kinds`` of activation and those of
    the trees. Raises ``ValueError`` if the runs differ in size or a regression has several outputs.
    """
    _check(runs)
    hidden = np.concatenate([run.nodes["op"][(run.nodes["op"] < 0) & (run.nodes["depth"] > 0)] for run in runs])
    rows = lay_out([run.nodes for run in runs], sorted({*kinds, *(~hidden).tolist()}))
    data = _data(rows, runs, settings.precision)
    progress = _start(rows, settings)
    rngs = [np.random.default_rng(run.seed) for run in runs]
    call = max(1, UPDATES_A_CALL * settings.batch_size // (len(data.inputs) - 1))
    for first in range(0, epochs, call):
        order = _order(rngs, len(runs[0].inputs), settings.batch_size, call, min(call, epochs - first))
        course = Course(order, *(np.int32(value) for value in (first, min(call, epochs - first), epochs)))
        arguments = rows.packed.forest, rows.reads, progress, data, course
        progress = run_program(train_and_peek, rows.shape, settings, *arguments)
    return _results(rows, runs, progress)


def _check(runs: Sequence[Run]) -> None:
    sizes = {tuple(np.shape(part) for part in run[1:5]) for run in runs}
    if len(sizes) != 1:
        raise ValueError(f"the arrays of the runs must be of one shape each; got {sorted(sizes)}")
    if any(run.truth.dtype.kind == "f" and run.targets.shape[1] > 1 for run in runs):
        raise ValueError(f"a regression has one target here; got {runs[0].targets.shape[1]}")


def _data(rows: RowwiseBin, runs: Sequence[Run], dtype: str) -> Data:
    def joined(name: str) -> NDArray:
        parts = [np.asarray(getattr(run, name), dtype) for run in runs]
        return np.concatenate([*parts, np.zeros_like(parts[0][:1])])

    tested = len(runs[0].truth)
    missing = -tested % VECTOR
    test = np.stack([np.pad(np.asarray(run.test_inputs, dtype), [(0, missing), (0, 0)]).T for run in runs])
    owner = np.minimum(rows.packed.forest.tree, len(runs) - 1)  # padding reads the rows of the last tree
    truth = np.stack([np.pad(run.truth, (0, missing)) for run in runs])
    truth = truth.astype(np.int32 if truth.dtype.kind in "iu" else dtype)
    return Data(joined("inputs"), joined("targets"), test[owner, rows.reads], truth, np.int32(tested))


def _start(rows: RowwiseBin, settings: Settings) -> Progress:
    state = first_arrays(settings, load(rows, settings.precision))
    untested = np.full(rows.shape.trees, -np.inf, settings.precision)
    return Progress(state, state.params, untested, untested)


def _order(rngs: Sequence[np.random.Generator], rows: int, batch: int, call: int, epochs: int) -> NDArray[np.int32]:
    """Positions in the rows of all trees; the position one past the last row is padding."""
    order = np.full((call, len(rngs), -(-rows // batch) * batch), len(rngs) * rows, dtype=np.int32)
    for epoch in range(epochs):
        for tree, rng in enumerate(rngs):
            order[epoch, tree, :rows] = tree * rows + rng.permutation(rows)
    return order


def _results(rows: RowwiseBin, runs: Sequence[Run], progress: Progress) -> list[Peeked]:
    best = Params(np.asarray(progress.best.leaf).reshape(-1, rows.shape.rows), np.asarray(progress.best.edge))
    trees = store(rows, [run.nodes for run in runs], best)
    found = zip(runs, np.asarray(progress.best_score), np.asarray(progress.last_score), trees, strict=True)
    return [Peeked(_score(run.truth, top), _score(run.truth, last), tree) for run, top, last, tree in found]


def _score(truth: NDArray, found: float) -> float:
    """Accuracy or R² from a program's count of right answers or negative sum of squared errors."""
    if truth.dtype.kind in "iu":
        return float(found) / len(truth)
    return 1.0 + float(found) / float(np.sum((truth - truth.mean()) ** 2))
