"""Small tables of each kind of task, from what scikit-learn brings along."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_diabetes, load_iris, make_classification

from search.table.data import Table

KINDS = ("regression", "binary", "multiclass")


def small_table(kind: str, rows: int, inputs: int) -> Table:
    """So many random rows of the last ``inputs`` columns; labels are the numbers from 0 on."""
    if kind == "regression":
        X, y = load_diabetes(return_X_y=True)
    elif kind == "binary":
        X, y = make_classification(200, 6, random_state=0)
    else:
        X, y = load_iris(return_X_y=True)
    X, chosen = X[:, -inputs:].astype(float), np.random.default_rng(0).permutation(len(X))[:rows]
    classes = None if kind == "regression" else tuple(range(len(np.unique(y))))
    names = tuple(f"x{i}" for i in range(X.shape[1]))
    return Table(X[chosen], y[chosen], names, "y", classes, kind, "")
