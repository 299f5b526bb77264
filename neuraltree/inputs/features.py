"""How the number of a column becomes a feature.

A column has one number for each row: its value, the place of its level, or seconds. A hole is NaN. Each rule below
makes a feature of it, and stands here with its text in C and in Python and its nodes in ONNX.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Feature(NamedTuple):
    """A feature of a column: ``rule`` is a key of ``RULES``, which says what ``numbers`` are."""

    name: str
    rule: str
    numbers: tuple[float, ...] = ()


class Rule(NamedTuple):
    """``value(column, *numbers)``: the feature (rows,) of the numbers of a column (rows,), both in double precision.

    ``c`` and ``python`` are expressions of the variable ``{x}`` and the ``{numbers}`` by position, which have their
    form in that language; C may use ``nt_sine`` if ``sine``. ``onnx(graph, x, *numbers)`` adds nodes to an
    ``export.onnx`` graph and returns the name of the result, like ``x`` of the shape (rows, 1).
    """

    value: Callable[..., FloatArray]
    c: str
    python: str
    onnx: Callable[..., str]
    sine: bool = False


def _filled(x: FloatArray, fill: float) -> FloatArray:
    return np.where(np.isnan(x), fill, x)


def _cycle(x: FloatArray, period: float, offset: float, quarter: float) -> FloatArray:
    turns = (x + offset) / period
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(x), 0.0, np.sin(2 * np.pi * (turns - np.floor(turns) + quarter)))


def _onnx_filled(graph: Any, x: str, fill: float) -> str:
    return graph.add("Where", graph.add("IsNaN", x), graph.number(fill), x)


def _onnx_level(graph: Any, x: str, place: float) -> str:
    return graph.add("Cast", graph.add("Equal", x, graph.number(place)), to=graph.onnx.TensorProto.FLOAT)


def _onnx_hole(graph: Any, x: str) -> str:
    return graph.add("Cast", graph.add("IsNaN", x), to=graph.onnx.TensorProto.FLOAT)


def _onnx_cycle(graph: Any, x: str, period: float, offset: float, quarter: float) -> str:
    turns = graph.add("Div", graph.add("Add", x, graph.number(offset)), graph.number(period))
    part = graph.add("Add", graph.add("Sub", turns, graph.add("Floor", turns)), graph.number(quarter))
    angle = graph.add("Mul", part, graph.number(2 * np.pi))
    return graph.add("Where", graph.add("IsNaN", x), graph.number(0.0), graph.add("Sin", angle))


RULES: dict[str, Rule] = {
    # The value itself.
    "value": Rule(lambda x: x, "{x}", "{x}", lambda graph, x: x),
    # The value, or in place of a hole the first number.
    "filled": Rule(_filled, "{x} == {x} ? {x} : {0}", "np.where(np.isnan({x}), {0}, {x})", _onnx_filled),
    # Whether the value is the first number: the place of a level.
    "level": Rule(
        lambda x, place: (x == place).astype(np.float64),
        "{x} == {0} ? 1.0f : 0.0f",
        "np.where({x} == {0}, 1.0, 0.0)",
        _onnx_level,
    ),
    # Whether the value is a hole.
    "hole": Rule(
        lambda x: np.isnan(x).astype(np.float64),
        "{x} == {x} ? 0.0f : 1.0f",
        "np.where(np.isnan({x}), 1.0, 0.0)",
        _onnx_hole,
    ),
    # The sine over a period of seconds, from an offset before 0, a part of the period further; 0 for a hole.
    "cycle": Rule(
        _cycle,
        "{x} == {x} ? nt_sine(6.28318531f * (nt_part(({x} + {1}) / {0}) + {2})) : 0.0f",
        "np.where(np.isnan({x}), 0.0, np.sin(2 * np.pi * ((({x} + {1}) / {0}) % 1.0 + {2})))",
        _onnx_cycle,
        sine=True,
    ),
}
