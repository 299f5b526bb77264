"""The type of a row of the table of activations.

Each row has a file of its own, which imports at most NumPy. A definition for another library is a function whose
argument is that library (``xp``: NumPy or ``jax.numpy``; ``sp``: SymPy) or an object of it (``graph``: an ONNX graph
under construction).
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
    """The slope that training takes at weighted sums ``s``, elementwise; ``h`` is the activation's value there. It is
    the derivative, or that of a surrogate if the activation jumps."""

    def __call__(self, s: Any, h: Any, xp: Any = np, /) -> Any: ...


class Functions(NamedTuple):
    """The elementary functions of single numbers that ``Activation.alone`` uses."""

    exp: Callable[[float], float]
    tanh: Callable[[float], float]
    sin: Callable[[float], float]


class Exponential(NamedTuple):
    """The value as scale / (one + exp(exponent)) - shift: in the engine all kinds of this form share one ``exp``."""

    exponent: Callable[[Any], Any]  # from a weighted sum
    scale: float = 1.0
    one: float = 1.0
    shift: float = 0.0


class Integers(NamedTuple):
    """How 8-bit code turns an index ``t``, a rescaled sum, into a value.

    With a ``domain``, ``t`` in -128..127 stands for the sum t x domain / 128 and indexes a look-up table of values.
    Beyond the domain the activation is flat to 8 bits, so ``t`` is clamped. If the activation ``repeats``, the domain
    is half a period, and ``t`` wraps instead. Without a domain (0), the value is ``t`` clamped to ``low``..``high``:
    a piecewise linear activation. If the activation ``jumps``, it does so at 0, and ``t`` is the sum itself, since
    rescaling would round small sums to 0: the value is ``low`` for a sum below 0, else ``high``. ``turns`` holds an
    index and a sign for each point at which the activation turns between rising and falling; its value there is 1 or
    -1, with that sign.
    """

    domain: float = 0.0
    low: int = -128
    high: int = HIGHEST
    turns: tuple[tuple[int, int], ...] = ()
    repeats: bool = False
    jumps: bool = False


class Piece(NamedTuple):
    """Sums from ``low`` to ``high``, for which a piecewise linear activation is slope x sum + intercept."""

    low: float
    high: float
    slope: float
    intercept: float = 0.0


class Look(NamedTuple):
    """Colour and shape in drawings; each alone identifies the activation."""

    colour: str
    marker: str
    hatch: str = ""


@dataclass(frozen=True, kw_only=True)
class Activation:
    """One activation function, in every form that the package needs."""

    name: str
    aliases: tuple[str, ...] = ()
    # Mathematics.
    value: Value
    derivative: Slope
    bounds: tuple[float, float]  # the closed range of the value
    steepest: float  # the largest absolute slope
    jump: float | None = None  # the sum at which the value jumps from one end of ``bounds`` to the other; None: nowhere
    rises: bool = False  # it never falls, so the ends of an interval of sums give the ends of its values
    image: Callable[[Any, Any], tuple[Any, Any]] | None = None  # the same of one that falls; None: only ``bounds``
    pieces: tuple[Piece, ...] = ()  # of a piecewise linear activation, all sums
    alone: Callable[[Functions], Callable[[float], float]]  # for single numbers; it never overflows, and NaN stays NaN
    exponential: Exponential | None = None
    # C99 in single floats.
    c_text: str  # an expression in s, for the documentation
    c_function: str = ""  # the text of nt_NAME, which may call nt_exp; empty for the identity
    c_slope: str  # an expression in ``value``, or in ``kept``, the weighted sum, if the value alone is not enough
    c_slope_function: str = ""  # the text of a function that ``c_slope`` calls
    # Costs.
    flops: int  # Livermore weights: add, multiply, compare 1; divide 4; exp, sin 8; a change of sign 0
    shared: tuple[
        str, ...
    ]  # code that it shares with other kinds, see ``neuraltree.hardware.profile.profile_schema.SHARED``
    # The kind whose costs stand for it in a device profile that is older than this kind. Every new kind names one:
    # without it no older profile could be read, and none could be calibrated for the new kind.
    priced_as: str | None = None
    integers: Integers
    # Other languages.
    python: str = "{}"  # a NumPy expression; {} is the argument
    python_function: str = ""  # the text of a function that ``python`` calls
    plain: str = "{}"  # a Python expression of a single number, with exp, sin and tanh of math; no argument is an error
    plain_function: str = ""  # the text of a function that ``plain`` calls
    rust: str = "{}"  # a Rust expression of an f32
    rust_function: str = ""  # the text of a function that ``rust`` calls; it may call exp
    onnx: Callable[[Any, str], str]  # adds nodes to a graph and returns the name of the value
    formula: str = ""  # the name in formulas; empty for the identity
    sympy: Callable[[Any, Any], Any] | None = None  # the definition, from a symbol and the module sympy
    text: str = ""  # the definition in plain text; empty if it is well known
    latex: str = ""
    # Pictures.
    look: Look
    letter: str
