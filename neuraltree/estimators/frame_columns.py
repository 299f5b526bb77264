"""Frames with texts, truth values, categories, times and holes, as rows for an estimator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse

from neuraltree.inputs.column_choice import choose_all
from neuraltree.inputs.encoders import Column
from neuraltree.inputs.frames import Columns, columns_of, declared, holes_of, is_frame, is_rows

MISSING = (None, "mean", "median")


def learned_columns(X: Any, missing: Any) -> tuple[Column, ...] | None:
    """The encoders that rows need before a tree can learn from them; None if they are plain numbers.

    ``missing``: "mean" or "median", which fills holes; None refuses them. ``ValueError`` for columns that no encoder
    can take, and for holes that are refused.
    """
    if missing not in MISSING:
        raise ValueError(f"missing={missing!r}; allowed: {', '.join(map(repr, MISSING))}")
    columns = _columns(X)
    if columns is None:
        return None
    asked = declared(X)
    others = [name for name, cells in columns.items() if name in asked or cells.dtype.kind not in "biuf"]
    if not others and missing is None:
        return None
    if missing is None and (holes := [name for name, cells in columns.items() if holes_of(cells).any()]):
        names = ", ".join(map(repr, holes))
        raise ValueError(f'X has missing cells in {names}; fill them, or set missing="mean" or missing="median"')
    return choose_all(columns, asked, missing)


def _columns(X: Any) -> Columns | None:
    """The columns of a frame or a table of any cells; None for what scikit-learn has to look at itself."""
    if issparse(X):  # some of them are mappings
        return None
    if isinstance(X, Mapping) or is_rows(X):
        raise ValueError(f"X is a {type(X).__name__}; give a frame of pandas or polars, or an array")
    if is_frame(X):
        return columns_of(X)
    try:
        table = X if isinstance(X, np.ndarray) else np.array(X, dtype=object)
    except ValueError:  # rows of different lengths
        return None
    if table.ndim != 2 or 0 in table.shape or table.dtype.kind not in "biufOU":
        return None
    plain = (str, bool, int, float, np.generic, type(None))
    if table.dtype.kind == "O" and not all(isinstance(cell, plain) for cell in table.ravel().tolist()):
        return None
    return columns_of(table)
