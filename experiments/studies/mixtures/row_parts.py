"""The rows of a unit in natural units: those that are fitted, those that limits are found on, those that are tested."""

from __future__ import annotations

import gzip
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.frame.data_places import check_digest, looked_in, table_folders
from neuraltree.arrays import FloatArray
from neuraltree.tree.labels import Label
from search.errors import InputError

VALIDATION = 0.25  # of the training rows
ENERGY = "energy"
DIGEST = "fcc2f6f2cf377deba50deeccdb0e273c922be7365486cdc718b38243061256fe"
TEST = 0.2


class Parts(NamedTuple):
    """Inputs (rows, features) and targets (rows,) of the three parts; ``classes`` are labels, of which targets are
    positions."""

    kind: str
    features: tuple[str, ...]
    classes: tuple[Label, ...] | None
    fit: tuple[FloatArray, NDArray]
    validation: tuple[FloatArray, NDArray]
    test: tuple[FloatArray, NDArray]

    def labels(self, codes: NDArray) -> NDArray:
        return codes if self.classes is None else np.asarray(self.classes)[codes]

    def codes(self, predicted: NDArray) -> NDArray:
        return predicted if self.classes is None else np.searchsorted(np.asarray(self.classes), predicted)


def parts_of(name: str, seed: int) -> Parts:
    table = paper_tables.table(name)
    train, test = holdout(table, seed)
    rows = (*_divided(train, seed), test)
    features = tuple(f"x{i}" for i in range(table.X.shape[1]))
    return Parts(table.kind, features, table.classes, *((table.X[own], table.y[own]) for own in rows))


def _divided(train: NDArray, seed: int) -> tuple[NDArray, NDArray]:
    order = np.random.default_rng([seed, 7]).permutation(train)
    held = round(VALIDATION * len(order))
    return order[held:], order[:held]


class Tasks(NamedTuple):
    """Inputs, the targets (rows,) of a task of numbers and of one of classes, and the rows of each part."""

    X: FloatArray
    number: FloatArray
    classes: NDArray
    fit: NDArray
    validation: NDArray
    test: NDArray


def tasks_of(name: str, seed: int) -> Tasks:
    """Vehicle: its class, and its first column as a number. Friedman and energy: their number, and the third of the
    training rows that it lies in as a class: low, middle or high."""
    if name == ENERGY:
        X, number = energy()
        order = np.random.default_rng([seed, 8]).permutation(len(X))
        train, test = order[round(TEST * len(X)) :], order[: round(TEST * len(X))]
    else:
        table = paper_tables.table(name)
        train, test = holdout(table, seed)
        X, number = table.X, table.y
    fit, validation = _divided(train, seed)
    if name != ENERGY and paper_tables.table(name).classes is not None:
        return Tasks(X[:, 1:], X[:, 0], number.astype(np.int64), fit, validation, test)
    classes = np.digitize(number, np.quantile(number[fit], [1 / 3, 2 / 3]))
    return Tasks(X, number, classes, fit, validation, test)


@cache
def energy() -> tuple[FloatArray, FloatArray]:
    """UCI *Energy efficiency*: eight inputs, and the heating load; the file has no cooling load."""
    paths = [folder.parent / "uci" / f"{ENERGY}.csv.gz" for folder in table_folders()]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise InputError(
            f"no {ENERGY}.csv.gz in the folder uci beside {looked_in(table_folders())}; put the file there, or leave "
            "these units out, as in --only 'vehicle/*'"
        )
    content = gzip.decompress(path.read_bytes())
    check_digest(path, content, DIGEST)
    values = np.loadtxt(content.decode().splitlines(), delimiter=",", skiprows=1)
    return values[:, :8], values[:, 8]
