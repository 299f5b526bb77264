"""Test vectors for code that takes integers: numbers of columns rounded to them, and the edges of their types."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import Input
from neuraltree.export.c.argument import Argument
from neuraltree.export.c.parts import literal

LOWEST, HIGHEST, ZERO = 6, 7, 8  # rows with an edge of the type in every integer


def in_types(inputs: Sequence[Input], numbers: NDArray[np.floating]) -> FloatArray:
    """(rows, inputs) the numbers as code takes them: integers times their scale and rounded, NaN as a missing cell."""
    found = numbers.astype(np.float64)
    for i, (kind, scale) in enumerate(inputs):
        row = Input(kind, scale).row
        if row.is_integer:
            x = np.clip(np.rint(found[:, i] * scale), row.low, row.high)
            x[[LOWEST, HIGHEST, ZERO]] = row.low, row.high, 0
            found[:, i] = np.nan_to_num(x, nan=float(row.hole or 0))
    return found


def arrays(argument: Argument, X: NDArray[np.floating]) -> list[NDArray]:
    """The argument of each row as it lies in memory; a struct as its bytes, with the padding of 32-bit cores."""
    kinds = [one.kind for one in argument.inputs]
    if not argument.is_struct:
        return list(X.astype(kinds[0] if kinds else "float32"))
    layout = np.dtype([(f"x{i}", kind) for i, kind in enumerate(kinds)], align=True)
    return [np.frombuffer(np.array(tuple(row), dtype=layout).tobytes(), dtype=np.uint8) for row in X.tolist()]


def initialiser(argument: Argument, row: Sequence[float]) -> str:
    """The C initialiser of one row."""
    cells = [str(int(x)) if one.row.is_integer else cell(x) for one, x in zip(argument.inputs, row, strict=True)]
    return "{" + ", ".join(cells) + "}"


def cell(value: float) -> str:
    return "NAN" if np.isnan(value) else literal(value)
