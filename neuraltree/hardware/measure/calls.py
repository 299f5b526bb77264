"""The functions to call, and their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuraltree.hardware.measure.cores import MeasureError
from neuraltree.hardware.measure.emulator import Argument, Result

ALLOWED = ("uint8", "int", "int32", "float32", None)


@dataclass(frozen=True)
class Call:
    """A function and the arguments of its calls, one row per call; all rows have the same types and shapes.

    An argument is an array (passed by address, read back after the call), an int, or a float (float32).
    ``variables`` are read after all rows have run.
    """

    function: str
    rows: Sequence[Sequence[Argument]]
    result: Result = None
    variables: Sequence[str] = ()


def check_call(call: Call) -> None:
    """``MeasureError`` unless the rows are alike, so that their results fit into arrays."""
    if not call.rows:
        raise MeasureError(f"nothing to measure: {call.function} has no rows of arguments")
    shapes = {tuple(_shape(argument) for argument in row) for row in call.rows}
    if len(shapes) > 1:
        raise MeasureError(f"the rows of {call.function} must be alike; got arguments {' and '.join(map(str, shapes))}")
    if call.result not in ALLOWED:
        raise MeasureError(f"unknown result {call.result!r} of {call.function}; allowed: {ALLOWED}")


def _shape(argument: Argument) -> str:
    if isinstance(argument, np.ndarray):
        return f"{argument.dtype}{list(argument.shape)}"
    return "float" if isinstance(argument, float | np.floating) else "int"


def inputs(call: Call) -> tuple[Any, ...]:
    """Everything that the cost of a call depends on, except the code."""
    return call.function, [tuple(row) for row in call.rows], call.result, tuple(call.variables)
