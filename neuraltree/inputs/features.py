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
EPSILON = float(np.finfo(np.float32).eps)

# The whole turns are taken off before the division, since their product with a period of whole hours is exact. What is
# left is within a period of 0, on either side: the sine needs no more.
C_CYCLE = """/* The sine over a period, from `offset` before 0, a `quarter` of the period further; 0 for a hole. */
NT_CALL float nt_cycle(float x, float period, float offset, float quarter)
{
    const float turns = (x + offset) / period;
    if (!(turns < 8e6f && turns > -8e6f)) {
        return 0.0f;
    }
    return nt_sine(6.28318531f * (((x + offset) - (float)(int32_t)turns * period) / period + quarter));
}
"""
PYTHON_CYCLE = '''def cycle(x, period, offset, quarter):
    """The sine over a period, from an offset before 0, a quarter of the period further; 0 for a missing cell."""
    turns = (x + offset) / period
    return np.where(np.isnan(x), 0.0, np.sin(2 * np.pi * (turns - np.floor(turns) + quarter)))
'''
PLAIN_CYCLE = """def _cycle(x, period, offset, quarter):
    turns = (x + offset) / period
    if not -8e6 < turns < 8e6:  # a missing cell, too
        return 0.0
    return sin(6.28318531 * ((x + offset - int(turns) * period) / period + quarter))
"""
RUST_CYCLE = """/// The sine over a period, from `offset` before 0, a `quarter` of the period further; 0 for a hole.
fn cycle(x: f32, period: f32, offset: f32, quarter: f32) -> f32 {
    let turns = (x + offset) / period;
    if turns < 8e6 && turns > -8e6 {
        sine(6.28318531 * (((x + offset) - (turns as i32) as f32 * period) / period + quarter))
    } else {
        0.0
    }
}
"""


class Feature(NamedTuple):
    """A feature of a column: ``rule`` is a key of ``RULES``, which says what ``numbers`` are."""

    name: str
    rule: str
    numbers: tuple[float, ...] = ()


class Rule(NamedTuple):
    """``value(column, *numbers)``: the feature (rows,) of the numbers of a column (rows,), both in double precision.

    ``c`` and ``python`` are expressions of the variable ``{x}`` and the ``{numbers}`` by position, which have their
    form in that language. ``onnx(graph, x, *numbers)`` adds nodes to an ``export.onnx`` graph and returns the name of
    the result, like ``x`` of the shape (rows, 1). ``c_integer``: as ``c`` for a column of integers, in which ``{hole}``
    is a missing cell; empty if these cannot have the rule. ``python_function`` and ``c_function``: the texts of
    functions that ``python`` and ``c`` call; C may call ``nt_sine``. ``c_error(column, *numbers)``: how far from
    ``value`` C in single floats may be, (rows,), for a column that is exact in single floats.
    ``plain``: as ``python``, of single numbers; ``rust``: of an f32, and it may call ``sine``. Each has the text of a
    function that it calls.
    """

    value: Callable[..., FloatArray]
    c: str
    python: str
    onnx: Callable[..., str]
    plain: str
    rust: str
    c_integer: str = ""
    python_function: str = ""
    plain_function: str = ""
    rust_function: str = ""
    c_function: str = ""
    c_error: Callable[..., FloatArray] = lambda x, *numbers: np.zeros_like(x)


def _filled(x: FloatArray, fill: float) -> FloatArray:
    return np.where(np.isnan(x), fill, x)


def _cycle(x: FloatArray, period: float, offset: float, quarter: float) -> FloatArray:
    turns = (x + offset) / period
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(x), 0.0, np.sin(2 * np.pi * (turns - np.floor(turns) + quarter)))


def _filled_error(x: FloatArray, fill: float) -> FloatArray:
    return np.where(np.isnan(x), abs(float(np.float32(fill)) - fill), 0.0)


def _cycle_error(x: FloatArray, period: float, offset: float, quarter: float) -> FloatArray:
    """Roundings of x + offset, of the whole turns times the period, and of the constants, as an angle; then those of
    the angle, of up to 2.5 pi, and of the sine."""
    turns = 2 * np.abs((x + offset) / period) + abs(offset) / period
    return np.where(np.isnan(x), 0.0, EPSILON * 2 * np.pi * (turns + 4))


def _onnx_filled(graph: Any, x: str, fill: float) -> str:
    return graph.add("Where", graph.add("IsNaN", x), graph.number(fill), x)


def _onnx_level(graph: Any, x: str, place: float) -> str:
    return graph.cast(graph.add("Equal", x, graph.number(place)), "FLOAT")


def _onnx_hole(graph: Any, x: str) -> str:
    return graph.cast(graph.add("IsNaN", x), "FLOAT")


def _onnx_cycle(graph: Any, x: str, period: float, offset: float, quarter: float) -> str:
    """As ``C_CYCLE``: whole turns are taken off before the division."""
    later, length = graph.add("Add", x, graph.number(offset)), graph.number(period)
    whole = graph.add("Mul", graph.add("Floor", graph.add("Div", later, length)), length)
    turns = graph.add("Add", graph.add("Div", graph.add("Sub", later, whole), length), graph.number(quarter))
    angle = graph.add("Mul", turns, graph.number(2 * np.pi))
    return graph.add("Where", graph.add("IsNaN", x), graph.number(0.0), graph.add("Sin", angle))


RULES: dict[str, Rule] = {
    # The value itself.
    "value": Rule(lambda x: x, "{x}", "{x}", lambda graph, x: x, "{x}", "{x}", "{x}"),
    # The value, or in place of a hole the first number.
    "filled": Rule(
        _filled,
        "{x} == {x} ? {x} : {0}",
        "np.where(np.isnan({x}), {0}, {x})",
        _onnx_filled,
        "({x} if {x} == {x} else {0})",
        "if {x}.is_nan() {{ {0} }} else {{ {x} }}",
        "({x} == {hole} ? {0} : {x})",
        c_error=_filled_error,
    ),
    # Whether the value is the first number: the place of a level.
    "level": Rule(
        lambda x, place: (x == place).astype(np.float64),
        "{x} == {0} ? 1.0f : 0.0f",
        "np.where({x} == {0}, 1.0, 0.0)",
        _onnx_level,
        "(1.0 if {x} == {0} else 0.0)",
        "if {x} == {0} {{ 1.0 }} else {{ 0.0 }}",
        "({x} == {0})",
    ),
    # Whether the value is a hole.
    "hole": Rule(
        lambda x: np.isnan(x).astype(np.float64),
        "{x} == {x} ? 0.0f : 1.0f",
        "np.where(np.isnan({x}), 1.0, 0.0)",
        _onnx_hole,
        "(0.0 if {x} == {x} else 1.0)",
        "if {x}.is_nan() {{ 1.0 }} else {{ 0.0 }}",
        "({x} == {hole})",
    ),
    # The sine over a period of seconds, from an offset before 0, a part of the period further; 0 for a hole.
    "cycle": Rule(
        _cycle,
        "nt_cycle({x}, {0}, {1}, {2})",
        "cycle({x}, {0}, {1}, {2})",
        _onnx_cycle,
        "_cycle({x}, {0}, {1}, {2})",
        "cycle({x}, {0}, {1}, {2})",
        rust_function=RUST_CYCLE,
        plain_function=PLAIN_CYCLE,
        python_function=PYTHON_CYCLE,
        c_function=C_CYCLE,
        c_error=_cycle_error,
    ),
}
