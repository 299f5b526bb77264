"""The table of a run, read again for its page: a summary, and the results of the front's models on test rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.soundness import COVERAGE
from neuraltree.tree.tree import Tree
from search.config.config import Config
from search.config.settings import OPENML
from search.errors import InputError
from search.report.facts.member_models import few_digits
from search.table.data import Table
from search.table.loading import load_table
from search.table.splits import RowIndices, split, told

MOST_FEATURES = 300  # with figures in the page
MOST_NUMBERS = 150_000  # residuals in a page, over all models
LEAST_ROWS = 50  # residuals shown for each model, however many models there are
TENTHS = 10  # points of a reliability curve
MOST_CLASSES = 20  # in a confusion matrix


@dataclass(frozen=True)
class Parts:
    """The table of a run, its training rows and its test rows, and how they were split."""

    table: Table
    train: RowIndices
    test: RowIndices
    told: str


def read_parts(config: Config, digest: str | None) -> Parts:
    """Raises ``InputError`` if the data cannot be read, or are not those that the run was made with.

    Nothing is downloaded: a folder from somebody else must not make this computer use the network.
    """
    if config.data.source.startswith(OPENML):
        raise InputError(f"{config.data.source} is on the network, and a report reads only what is on this computer")
    table = load_table(config)
    if digest and table.digest != digest:
        raise InputError(f"the data of {config.data.source!r} are not those that the run was made with")
    train, test = split(table, config.data.test_fraction, config.run.seed)
    return Parts(table, train, test, told(table, config.data, train, test))


def summary(parts: Parts) -> dict[str, Any]:
    """Rows, classes, and each feature's mean, standard deviation, least and largest value in the training rows."""
    table, X = parts.table, parts.table.X[parts.train][:, :MOST_FEATURES]
    figures = {"mean": X.mean(axis=0), "sd": X.std(axis=0), "min": X.min(axis=0), "max": X.max(axis=0)}
    return {
        "rows": len(table.y),
        "train": len(parts.train),
        "test": len(parts.test),
        "split": parts.told,
        "kind": table.kind,
        "target": table.target,
        "features": len(table.features),
        "names": list(table.features[:MOST_FEATURES]),
        "figures": {name: few_digits(values) for name, values in figures.items()},
        "classes": _class_rows(parts),
        "targets": None if table.classes else _spread(table.y[parts.train]),
    }


def _class_rows(parts: Parts) -> list[list[Any]] | None:
    """(label, training rows, test rows) of every class."""
    if parts.table.classes is None:
        return None
    k = len(parts.table.classes)
    counts = [np.bincount(parts.table.y[rows], minlength=k).tolist() for rows in (parts.train, parts.test)]
    return [[str(label), *row] for label, *row in zip(parts.table.classes, *counts, strict=True)]


def _spread(values: NDArray) -> list[float]:
    return few_digits([values.mean(), values.std(), values.min(), values.max()])


def judged(parts: Parts, trees: Sequence[Tree | None]) -> dict[str, Any]:
    """The models on the test rows: a confusion matrix each and how good their probabilities are, or the predictions of
    some rows and their target; and how many rows their intervals or sets hold.

    A matrix is (classes, classes) counts, rows the true class; with more classes than ``MOST_CLASSES`` it is
    the list of its largest entries off the diagonal instead: (true, predicted, count). See ``reliability``.
    """
    X, y = parts.table.X[parts.test], parts.table.y[parts.test]
    covered = [None if tree is None or tree.band is None else coverage(tree, X, y) for tree in trees]
    if parts.table.classes is None:
        shown = _some(len(y), max(LEAST_ROWS, MOST_NUMBERS // max(1, len(trees))), parts.test)
        outputs = [None if tree is None else few_digits(tree.outputs(X[shown])[:, 0]) for tree in trees]
        return {"target": few_digits(y[shown]), "of": len(y), "predicted": outputs, "coverage": covered}
    labels = parts.table.classes
    matrices = [None if tree is None else _confusion(tree, X, y, labels) for tree in trees]
    measured = [None if tree is None else reliability(tree, X, y) for tree in trees]
    found: dict[str, Any] = {"reliability": measured, "coverage": covered}
    if len(labels) > MOST_CLASSES:
        return found | {"confused": [None if matrix is None else _largest(matrix) for matrix in matrices]}
    return found | {"matrices": [None if matrix is None else matrix.tolist() for matrix in matrices]}


def _some(rows: int, most: int, ids: RowIndices) -> NDArray[np.int64]:
    """At most ``most`` of the positions 0 to ``rows`` - 1, ascending; the same for the same table."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(int(ids.sum())).choice(rows, most, replace=False))


def _confusion(tree: Tree, X: NDArray, y: NDArray, labels: Sequence[object]) -> NDArray[np.int64]:
    k = len(labels)
    code = {label: i for i, label in enumerate(labels)}
    predicted = np.array([code[label] for label in tree.predict(X).tolist()])
    return np.bincount(y * k + predicted, minlength=k * k).reshape(k, k)


def reliability(tree: Tree, X: NDArray, y: NDArray) -> dict[str, Any] | None:
    """The Brier score (Brier 1950), and the points of the reliability curve: mean probability, share of rows, rows.

    The probability is that of the second of two classes, or that of the predicted class of more; the share is of rows
    of that class. Each point stands for the rows in a tenth of the probabilities from 0 to 1. None if a probability is
    not a number.
    """
    shares = tree.predict_proba(X)
    if not np.isfinite(shares).all():
        return None
    of_class = shares - np.eye(shares.shape[1])[y]
    brier = np.mean(of_class[:, 1] ** 2 if shares.shape[1] == 2 else np.sum(of_class**2, axis=1))
    if shares.shape[1] == 2:
        said, true = shares[:, 1], y == 1
    else:
        said, true = shares.max(axis=1), shares.argmax(axis=1) == y
    place = np.minimum((said * TENTHS).astype(np.int64), TENTHS - 1)
    parts = [place == tenth for tenth in np.unique(place)]
    points = [[*few_digits([said[part].mean(), true[part].mean()]), int(part.sum())] for part in parts]
    return {"brier": few_digits([brier])[0], "points": points}


def coverage(tree: Tree, X: NDArray, y: NDArray) -> str:
    """The share of rows whose target lies in the interval or set of the tree, in words."""
    if tree.classes is None:
        low, high = tree.predict_interval(X).T
        held, what = (low <= y) & (y <= high), f"intervals, prediction ± {tree.band:.4g}"
    else:
        sets = tree.predict_set(X)
        held, what = sets[np.arange(len(y)), y], f"sets, which have {sets.sum(axis=1).mean():.2f} classes on average"
    return f"{100 * held.mean():.1f} % of the test rows are in the model's {100 * COVERAGE:.0f} % {what}."


def _largest(matrix: NDArray[np.int64]) -> list[list[int]]:
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CLASSES]
    cells = [(*divmod(int(cell), len(wrong)), int(wrong.flat[cell])) for cell in order]
    return [list(cell) for cell in cells if cell[2]]
