"""What a careful person would do by hand: scikit-learn's imputer and one-hot encoder before the same search."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs.clean_columns import Truth, holes
from neuraltree.inputs.column_choice import LEAST_ROWS, LEAST_SHARE, MANY, MOST_LEVELS
from search.config.durations import seconds_of

LEAST_S = 1.0  # of a search
Parts = tuple[NDArray[np.int64], NDArray[np.int64]]


def encoded(
    truth: Truth, train: NDArray[np.int64], test: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(rows, features) of the training and of the test rows, by transformers fitted to the training rows."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder

    cells = [*truth.columns.values()]
    matrix = np.column_stack([column.astype(object) for column in cells])
    least = max(LEAST_ROWS, min(MANY, int(LEAST_SHARE * len(train))))
    levels = OneHotEncoder(handle_unknown="ignore", min_frequency=least, max_categories=MOST_LEVELS + 1)
    numbers = [i for i, column in enumerate(cells) if column.dtype != object and not holes(column[train]).all()]
    texts = [i for i, column in enumerate(cells) if column.dtype == object]
    both = ColumnTransformer(
        [("numbers", SimpleImputer(), numbers), ("texts", levels, texts)], sparse_threshold=0.0
    ).fit(matrix[train])
    return both.transform(matrix[train]).astype(np.float64), both.transform(matrix[test]).astype(np.float64)


def score_of(truth: Truth, parts: Parts, seed: int, length: int | str) -> dict[str, Any]:
    """The test score, the seconds and the generations, in a process of its own, as the command has one.

    ``parts``: training and test rows. ``length``: a number of generations; or a time, which begins with the imports and
    the encoding, as that of the command does.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_score, truth, parts, seed, length).result()


def _score(truth: Truth, parts: Parts, seed: int, length: int | str) -> dict[str, Any]:
    begun = time.perf_counter()
    from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
    from search import Evolution

    train, test = parts
    X, test_X = encoded(truth, train, test)
    kind = NeuralTreeClassifier if truth.y.dtype == object else NeuralTreeRegressor
    y = truth.y.astype(str) if truth.y.dtype == object else truth.y
    if isinstance(length, str):
        search = Evolution(time=max(LEAST_S, seconds_of(length) - (time.perf_counter() - begun)))
    else:
        search = Evolution(generations=length)
    model = kind(search, random_state=seed).fit(X, y[train])
    took = {"seconds": time.perf_counter() - begun, "generations": model.n_iter_}
    return {"score": float(model.score(test_X, y[test])), **took}
