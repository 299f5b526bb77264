"""What a part is: a quantity of one stream's window, computed once for all features that read it.

NumPy computes it from whole windows; C too, or, if it streams, sample by sample into blocks of a hop each, which are
merged when a window ends. Both give the same integers: sums, minima and maxima of integers do not depend on the order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from neuraltree.tree.nodes import IntArray


class Window(NamedTuple):
    """Windows of one stream. ``x`` (windows, samples) int64; ``before`` (windows,): the sample before each, or its
    first sample where there is none; ``parts``: those that are there already, by name; ``y``: as x, of the second
    stream of a pair."""

    x: IntArray
    before: IntArray
    parts: dict[str, IntArray]
    y: IntArray | None = None


class Block(NamedTuple):
    """How a part streams. ``first``: the value of an empty block; ``update``: a statement in C on the block's value
    ``a`` for the sample ``x`` (int32_t) and the one ``before``, for a part of a pair also ``y``; ``merge``: "add",
    "min" or "max"."""

    first: str
    update: str
    merge: str


@dataclass(frozen=True)
class Part:
    """``integer``: (windows,) or (windows, values) int64. ``needs``: parts that are computed before. ``c_type``: of a
    value. ``block``: how it streams, None if it needs the window. ``c``: without a block the text of the function
    ``static c_type nt_NAME(const int16_t *x, int n, needs...)``, or with more than one value ``static void
    nt_NAME(const int16_t *x, int n, needs..., c_type *values)``. With neither a block nor ``c`` it is the window
    itself: C passes the address of its first sample, ``const int16_t *x``. ``functions``: helpers in C that it calls,
    see ``c_functions``. ``values``: the number of values for a window of n samples. ``pair``: of two streams, x and y;
    such a part has a block."""

    name: str
    meaning: str
    integer: Callable[[Window], IntArray]
    needs: tuple[str, ...] = ()
    c_type: str = "int32_t"
    block: Block | None = None
    c: str = ""
    functions: tuple[str, ...] = ()
    values: Callable[[int], int] = lambda n: 1
    pair: bool = False
