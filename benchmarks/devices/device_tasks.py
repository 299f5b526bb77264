"""The tasks: tables with a hold-out, and scores by cross-validation that look at training rows only."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from experiments.frame.data_places import table_folders
from neuraltree.hardware.measure import store
from search.errors import InputError

TEST_FRACTION, FOLDS = 0.2, 4
HEADROOM = 2**14  # the largest count of a training row, at most; of 2^15
GAS_ROWS = 1250  # of 2,565
SATURATED = 0.005  # of gas's rows, at either end of each input's range
Answer = Callable[[NDArray[np.float64]], NDArray]  # (rows, features) inputs to (rows,) positions of classes, or values
Fit = Callable[[NDArray[np.float64], NDArray], Answer]


@dataclass(frozen=True)
class Task:
    """Training and test rows of a table; ``y``: positions of classes, or values if ``classes`` is 0."""

    table: str
    seed: int
    X: NDArray[np.float64]
    y: NDArray
    test_X: NDArray[np.float64]
    test_y: NDArray
    classes: int

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """(features,) The counts of a converter that make 1 in an input's unit, powers of two."""
        return np.exp2(np.floor(np.log2(HEADROOM / np.maximum(np.abs(self.X).max(axis=0), 1e-30))))

    def given(self, X: NDArray[np.float64], dtype: type) -> NDArray:
        """Inputs as a core is given them: floats, or the counts of a converter as 16-bit integers."""
        counted = np.clip(np.rint(X * self.scale), -(2**15), 2**15 - 1) if dtype is np.int16 else X
        return counted.astype(dtype)

    def seen(self, dtype: type) -> NDArray[np.float64]:
        """The test rows in their own units as such inputs hold them."""
        given = self.given(self.test_X, dtype).astype(np.float64)
        return given / self.scale if dtype is np.int16 else given


def _toy(name: str) -> tuple[NDArray[np.float64], NDArray, int]:
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return X, y, int(y.max()) + 1


def _diabetes() -> tuple[NDArray[np.float64], NDArray, int]:
    from sklearn.datasets import load_diabetes

    return (*load_diabetes(return_X_y=True, scaled=False), 0)


def _gas() -> tuple[NDArray[np.float64], NDArray, int]:
    found = [path for folder in table_folders() if (path := folder.parent / "uci" / "gas.csv.gz").is_file()]
    if not found:
        raise InputError("there is no uci/gas.csv.gz beside the folder of the papers' tables; set NEURALTREE_DATA")
    with gzip.open(found[0], "rt") as file:
        target = file.readline().strip().split(",").index("target")
        rows = np.loadtxt(file, delimiter=",", usecols=range(target + 1))
    X, y, classes = rows[:, :target], rows[:, target], 0
    some = np.random.default_rng(0).permutation(len(y))[:GAS_ROWS]
    X, y = X[some], y[some]
    # A few rows are 50 standard deviations away from all others, which only models that saturate survive.
    return np.clip(X, *np.quantile(X, (SATURATED, 1 - SATURATED), axis=0)), y, classes


TABLES: Mapping[str, Callable[[], tuple[NDArray[np.float64], NDArray, int]]] = MappingProxyType(
    {
        "iris": lambda: _toy("iris"),
        "wine": lambda: _toy("wine"),
        "wdbc": lambda: _toy("breast_cancer"),
        "diabetes": _diabetes,
        "gas": _gas,
    }
)


def task_of(table: str, seed: int) -> Task:
    """Hold-out ``seed`` of a table; inputs are rounded to single floats, which is what a core is given."""
    X, y, classes = TABLES[table]()
    X = X.astype(np.float32).astype(np.float64)
    parts = train_test_split(X, y, test_size=TEST_FRACTION, random_state=seed, stratify=y if classes else None)
    train_X, test_X, train_y, test_y = parts
    return Task(table, seed, train_X, train_y, test_X, test_y, classes)


def score(answers: NDArray, truth: NDArray, classes: int) -> float:
    """Accuracy, or R²."""
    if classes:
        return float(np.mean(answers == truth))
    return 1.0 - float(np.mean((answers - truth) ** 2) / np.var(truth))


def promised(task: Task, fit: Fit, *settings: str | float) -> float:
    """The score of a kind of model on the training rows, each answered by a model of the other folds.

    It is kept under the settings, which say all that ``fit`` does.
    """
    key = store.key("promised", settings, task.seed, task.X, task.y, FOLDS, sklearn.__version__)
    kept = store.read(key)
    if kept is None:
        kept = {"score": np.array(_validated(task, fit))}
        store.write(key, kept)
    return float(kept["score"])


def _validated(task: Task, fit: Fit) -> float:
    kind: Any = StratifiedKFold if task.classes else KFold
    answers = np.zeros(len(task.y))
    for train, held in kind(FOLDS, shuffle=True, random_state=task.seed).split(task.X, task.y):
        answers[held] = fit(task.X[train], task.y[train])(task.X[held])
    return score(answers, task.y, task.classes)
