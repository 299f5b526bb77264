"""What an activation is: a row of the table, one file each.

A file imports NumPy at most. What another library has to compute is a function that takes that library (``xp``, NumPy
or ``jax.numpy``; ``sp``, SymPy) or an object made by it (``graph``, an ONNX graph under construction).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

INF = float("inf")
HIGHEST = 127  # the integer that stands for the value 1 of a bounded activation, or for the end of a range


class Value(Protocol):
    """The activation of weighted sums ``s``, elementwise."""

    def __call__(self, s: Any, xp: Any = np, /) -> Any: ...


class Slope(Protocol):
    """The derivative at weighted sums ``s``, elementwise; ``h`` is the activation's value there."""

    def __call__(self, s: Any, h: Any, xp: Any = np, /) -> Any: ...


class Functions(NamedTuple):
    """The elementary functions of single numbers that ``Activation.alone`` builds on."""

    exp: Callable[[float], float]
    tanh: Callable[[float], float]
    sin: Callable[[float], float]


class Exponential(NamedTuple):
    """The value as scale / (one + exp(exponent)) - shift: all kinds of this form share one ``exp`` in the engine."""

    exponent: Callable[[Any], Any]  # of a weighted sum
    scale: float = 1.0
    one: float = 1.0
    shift: float = 0.0


class Integers(NamedTuple):
    """How 8-bit code turns an index ``t``, a rescaled sum, into a value.

    With a ``domain``, ``t`` in -128..127 stands for the sum t x domain / 128 and indexes a look-up table of the values;
    beyond it the activation is flat to 8 bits and ``t`` is clamped, or, if it ``repeats``, the domain is half a period
    and ``t`` wraps. Without (0), ``t`` clamped to ``low``..``high`` is the value, for piecewise linear activations.
    ``turns``: the index, and the sign of the value, wherever it turns between rising and falling; it is then 1 or -1.
    """

    domain: float = 0.0
    low: int = -128
    high: int = HIGHEST
    turns: tuple[tuple[int, int], ...] = ()
    repeats: bool = False


class Look(NamedTuple):
    """Colour and shape: either alone tells what is drawn."""

    colour: str
    marker: str
    hatch: str = ""


@dataclass(frozen=True, kw_only=True)
class Activation:
    """One activation function, in every form that the program needs."""

    name: str
    aliases: tuple[str, ...] = ()
    # Mathematics.
    value: Value
    derivative: Slope
    bounds: tuple[float, float]  # the closed range of the value
    steepest: float  # the largest absolute slope
    alone: Callable[[Functions], Callable[[float], float]]  # for single numbers: never overflows, and NaN stays NaN
    exponential: Exponential | None = None
    # C99 in single floats.
    c_text: str  # an expression in s, for the documentation
    c_function: str = ""  # the text of nt_NAME, which may call nt_exp; none for the identity
    c_slope: str  # an expression in ``value``, or in ``kept``, the weighted sum, if the value alone does not tell it
    c_slope_function: str = ""  # the text of a function that ``c_slope`` calls
    # Costs.
    flops: int  # Livermore weights: add, multiply, compare 1, divide 4, exp and sin 8; a change of sign is free
    shared: tuple[
        str, ...
    ]  # what its code shares with other kinds, see ``neuraltree.hardware.profile.profile_schema.SHARED``
    # The kind whose figures it takes from a device profile that is older than itself. Every new kind names one: without
    # it no old profile could be read, and none be calibrated for the new kind.
    priced_as: str | None = None
    integers: Integers
    # Other languages.
    python: str = "{}"  # a NumPy expression of its argument
    python_function: str = ""  # the text of a function that ``python`` calls
    onnx: Callable[[Any, str], str]  # adds to a graph, and names the value
    formula: str = ""  # the name in formulas; none for the identity
    sympy: Callable[[Any, Any], Any] | None = None  # the definition, from a symbol and the module
    text: str = ""  # definition in plain text, unless everyone knows it
    latex: str = ""
    # Pictures.
    look: Look
    letter: str
