"""Well-trained trees, and rows from after a drift: a sensor with another gain and offset, or a new person."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.activities import CLASSES, DIGEST, FEATURES, activities
from experiments.common.holdout import holdout
from experiments.studies.pruning.run import grown
from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.lesson import Lesson, lesson_of
from neuraltree.compress.pruning.retraining import retrained
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree
from neuraltree.updating.single_rows import Parameters, losses
from search.table.data import Table

WEIGHTS, QUICK_WEIGHTS = 192, 60
# Before the drift: epochs at a rate, after the training of the study ``pruning``, of which rows held out choose.
FIRST, FIRST_RATE, FIRST_HELD_OUT = (0, 100, 400), 0.01, 0.2
GAIN, OFFSET = 1.5, 0.6  # of the distance from the mean, and in standard deviations
ROWS, HELD_BACK = 160, 4  # after the drift at most; every fourth is held back


class Drift(NamedTuple):
    """A trained tree, and rows (X, labels) from after a drift; of a sensor's, also ``known`` rows from before it, and
    the test rows as they were ``before``."""

    tree: Tree
    fitted: tuple[FloatArray, NDArray]
    held: tuple[FloatArray, NDArray]
    test: tuple[FloatArray, NDArray]
    known: tuple[FloatArray, NDArray] | None
    before: tuple[FloatArray, NDArray] | None


def drifted_table(name: str, seed: int, quick: bool) -> Drift:
    """Two thirds of the training rows are from before the drift, the others from after it."""
    table = paper_tables.table(name)
    train, test = holdout(table, seed)
    shuffled = np.random.default_rng([seed, 1]).permutation(train)
    first, later = np.split(shuffled, [2 * len(train) // 3])
    tree = well_trained(table, np.sort(first), seed, quick)
    X, moved = table.X, drifted(tree, table.X, table.X[first], table.labels[first])
    later = later[:ROWS]
    held = np.arange(len(later)) % HELD_BACK == HELD_BACK - 1
    fitted, judged, tested = ((moved[rows], table.labels[rows]) for rows in (later[~held], later[held], test))
    known = first[: ROWS - ROWS // HELD_BACK]
    return Drift(tree, fitted, judged, tested, (X[known], table.labels[known]), (X[test], table.labels[test]))


def well_trained(table: Table, rows: NDArray[np.int64], seed: int, quick: bool) -> Tree:
    """Trained for as long as is best for rows that are held out of these."""
    rng = np.random.default_rng([seed, 2])
    judged, fitted = np.split(rng.permutation(rows), [int(FIRST_HELD_OUT * len(rows))])
    tree = grown(table, fitted, seed, QUICK_WEIGHTS if quick else WEIGHTS)
    own, others = (lesson_of(tree, table.X[part], table.labels[part]) for part in (fitted, judged))
    found = [retrained(tree.nodes, own, epochs, rng, rate=FIRST_RATE) for epochs in FIRST]
    return with_nodes(tree, min(found, key=lambda nodes: mean_loss(nodes, others)))


def mean_loss(nodes: Nodes, lesson: Lesson) -> float:
    return float(losses(nodes, Parameters(nodes["weight"], nodes["bias"]), lesson)[0])


def with_nodes(tree: Tree, nodes: Nodes) -> Tree:
    return replace(tree, nodes=nodes, int8_loss=None, band=None)


def drifted(tree: Tree, X: FloatArray, known_X: FloatArray, known_y: NDArray) -> FloatArray:
    """All rows with a gain on one input and an offset on another: those that do most harm on rows from before it."""
    scaler = tree.scaler
    assert scaler is not None
    used = np.unique(tree.nodes["op"][tree.nodes["op"] >= 0]).tolist()

    def moved(rows: FloatArray, gained: int | None, offset: int | None) -> FloatArray:
        found = rows.copy()
        if gained is not None:
            found[:, gained] += (GAIN - 1) * (found[:, gained] - scaler.mean[gained])
        if offset is not None:
            found[:, offset] += OFFSET * scaler.scale[offset]
        return found

    def loss(gained: int | None, offset: int | None) -> float:
        lesson = lesson_of(tree, moved(known_X, gained, offset), known_y)
        return mean_loss(tree.nodes, lesson)

    gained = max(used, key=lambda i: loss(i, None))
    offset = max((i for i in used if i != gained), key=lambda i: loss(gained, i))
    return moved(X, gained, offset)


def new_subject(seed: int, quick: bool) -> Drift:
    """One subject is new: its first recording is what the device sees, its second one is the test."""
    windows = activities()
    subjects = np.random.default_rng(0).permutation(np.unique(windows.subject))
    own = windows.subject == subjects[seed % len(subjects)]
    table = Table(windows.X, windows.y, FEATURES, "activity", CLASSES, "multiclass", DIGEST)
    tree = well_trained(table, np.flatnonzero(~own), seed, quick)
    recordings = np.unique(windows.recording[own])
    later = np.flatnonzero(own & (windows.recording == recordings[0]))
    test = np.flatnonzero(own & (windows.recording != recordings[0]))
    held = last_of_each(windows.y[later])
    some = np.random.default_rng([seed, 1]).permutation(later[~held])[: ROWS - ROWS // HELD_BACK]
    fitted, judged, tested = ((windows.X[rows], table.labels[rows]) for rows in (some, later[held], test))
    return Drift(tree, fitted, judged, tested, None, None)


def last_of_each(y: NDArray) -> NDArray[np.bool_]:
    """(rows,) the last quarter of the rows of each class in time: windows overlap, so that held ones must lie apart."""
    found = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        found[rows[len(rows) - len(rows) // HELD_BACK :]] = True
    return found
