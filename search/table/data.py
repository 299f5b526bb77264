"""The table of a run, checked before the search begins, and its parts: training rows, test rows and folds."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.tree import Label
from search.config.settings import DataConfig, TaskConfig
from search.errors import InputError
from search.strict import one_line, shown
from search.table.raw import check_values, check_weight
from search.table.sources import read_source
from search.table.target import as_numbers, is_regression, read_classes, varying

RowIndices = NDArray[np.int64]

HOLD_OUT = 0.25  # share of the training rows that are validation rows if there is one fold


@dataclass(frozen=True, eq=False)
class Table:
    """``X`` (rows, features); ``y`` (rows,): float64 for regression, int64 positions in ``classes`` otherwise.

    A regression with several targets has ``y`` (rows, targets); it comes from an estimator, never from a file.
    ``kind`` is "regression", "binary" or "multiclass"; ``digest`` is the SHA-256 of all the rest.
    ``weight`` (rows,): the weight of each row in training, 0 or more; None if all rows count the same.
    """

    X: NDArray[np.float64]
    y: NDArray
    features: tuple[str, ...]
    target: str
    classes: tuple[Label, ...] | None
    kind: str
    digest: str
    weight: NDArray[np.float64] | None = None

    @property
    def targets(self) -> int:
        return 1 if self.y.ndim == 1 else self.y.shape[1]


def load_table(data: DataConfig, task: TaskConfig) -> Table:
    """The table that a config asks for; ``InputError`` for anything in it that would make a run fail."""
    raw = read_source(data)
    regression = is_regression(raw, task)
    raw = replace(raw, y=as_numbers(raw.y)) if regression else raw
    check_values(raw, data.drop)
    check_weight(raw, data.weight)
    y, classes = (varying(raw), None) if regression else read_classes(raw)
    kind = "regression" if classes is None else "binary" if len(classes) == 2 else "multiclass"
    if classes is None and task.class_weight != "none":
        raise InputError(f'task.class_weight = "{task.class_weight}" needs classes; {raw.source} is a regression task')
    _check_names([*raw.features, raw.target, *map(str, classes or ())], raw.source)
    X = np.ascontiguousarray(raw.X)
    names = json.dumps([raw.features, raw.target, classes, kind])
    numbers = [X, y] if raw.weight is None else [X, y, raw.weight]
    parts = (names.encode(), *(part.astype("<f8").tobytes() for part in numbers))
    digest = hashlib.sha256(b"".join(parts)).hexdigest()
    return Table(X, y, raw.features, raw.target, classes, kind, digest, raw.weight)


def _check_names(names: list[str], source: str) -> None:
    """``InputError`` for names that are not UTF-8, which arrays of texts can hold but files cannot."""
    try:
        "".join(names).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{source}: the name of a column or a class is not UTF-8: {one_line(error)}") from None


def check_folds(table: Table, folds: int, test_fraction: float) -> None:
    """``InputError`` unless the parts that ``split`` and ``make_folds`` make are large enough for fitting and scoring.

    Every class must have rows among the fit rows and the validation rows of every fold.
    """
    rows = len(table.y)
    n_test = math.ceil(rows * test_fraction)
    n_train = rows - n_test
    tested = f" and data.test_fraction = {test_fraction:g}" if test_fraction else ""
    settings = f"search.folds = {folds}{tested}"
    least = max(2 * folds, round(2 / HOLD_OUT))
    if n_train < least or (test_fraction and n_test < 2):
        raise InputError(
            f"{rows} rows leave {n_train} to train and {n_test} to test with {settings}; "
            f"at least {least} and {2 if test_fraction else 0} are needed"
        )
    if table.classes is None:
        return
    least = folds if folds > 1 else round(1 / HOLD_OUT)
    sizes = np.bincount(table.y, minlength=len(table.classes))
    if (smallest := int(sizes.min())) * n_train // rows < least:
        raise InputError(
            f"class {shown(table.classes[sizes.argmin()])} has {smallest} rows, too few for {settings}: "
            f"{least} must be left to train; lower either, add rows of the class, or leave it out"
        )
    if test_fraction and n_test < len(table.classes):
        raise InputError(f"{n_test} test rows cannot hold all {len(table.classes)} classes; raise data.test_fraction")


def check_spread(table: Table, parts: dict[str, RowIndices]) -> None:
    """``InputError`` unless the numbers to predict vary in every part: otherwise 1 - R² is not defined there."""
    for name, rows in parts.items():
        # A variance below the smallest normal double has lost digits.
        if np.var(table.y[rows], axis=0).min() < np.finfo(np.float64).tiny:
            raise InputError(
                f"the target {shown(table.target)} is the same, or nearly, in all {len(rows)} {name} rows; "
                "scale it up, choose another run.seed or data.test_fraction, or add rows"
            )


def check_weights(table: Table, folds: list[tuple[RowIndices, RowIndices]]) -> None:
    """``InputError`` if, in a fold, all validation rows have weight 0, or all fit rows of a class have."""
    if table.weight is None:
        return
    for k, (fit, held) in enumerate(folds):
        by_class = class_weights(table, fit)
        if by_class.min() > 0 and class_weights(table, held).any():
            continue
        rows = f"{'validation' if by_class.min() > 0 else 'training'} rows of fold {k}"
        if table.classes and by_class.min() == 0:
            rows += f" of class {shown(table.classes[by_class.argmin()])}"
        raise InputError(
            f"data.weight is 0, or next to it, in all {rows}; "
            "choose another run.seed or fewer search.folds, or leave out rows of weight 0"
        )


def class_weights(table: Table, rows: RowIndices) -> NDArray[np.float64]:
    """(classes,) the weight of these rows of each class; of a regression, (1,) that of all."""
    weight = np.ones(len(table.y)) if table.weight is None else table.weight / table.weight.max()
    codes = np.zeros(len(weight), dtype=np.int64) if table.classes is None else table.y
    # Training in float32 may round the smallest weights to 0.
    weights: NDArray[np.float64] = weight[rows].astype(np.float32).astype(np.float64)
    return np.bincount(codes[rows], weights, minlength=int(codes.max()) + 1).astype(np.float64)


def positions(folds: list[tuple[NDArray, NDArray]], train_rows: NDArray) -> list[tuple[NDArray, NDArray]]:
    """Folds as positions among the training rows instead of rows of the table."""
    return [(np.searchsorted(train_rows, fit), np.searchsorted(train_rows, validation)) for fit, validation in folds]


def split(table: Table, test_fraction: float, seed: int) -> tuple[RowIndices, RowIndices]:
    """Sorted positions of the training rows and of the test rows; each class is split in proportion."""
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(table.y))
    if not test_fraction:
        return rows, rows[:0]
    classes = None if table.classes is None else table.y
    train, test = train_test_split(rows, test_size=test_fraction, random_state=seed, stratify=classes)
    return np.sort(train), np.sort(test)


def make_folds(table: Table, train_rows: RowIndices, folds: int, seed: int) -> list[tuple[RowIndices, RowIndices]]:
    """(fit rows, validation rows) of each fold, as sorted positions in the table; one fold is a hold-out."""
    from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

    if folds == 1:
        splitter = ShuffleSplit if table.classes is None else StratifiedShuffleSplit
        cut = splitter(n_splits=1, test_size=HOLD_OUT, random_state=seed)
    else:
        folder = KFold if table.classes is None else StratifiedKFold
        cut = folder(n_splits=folds, shuffle=True, random_state=seed)
    target = table.y[train_rows]
    return [(np.sort(train_rows[fit]), np.sort(train_rows[held])) for fit, held in cut.split(target, target)]
