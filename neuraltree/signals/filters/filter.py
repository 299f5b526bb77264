"""What a filter is: samples in, one sample out for each, integers of 16 bits both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from neuraltree.tree.nodes import IntArray


@dataclass(frozen=True)
class Filter:
    """``integer(x, constants)``: int64 of the length of ``x``, from a reset at its first sample on; ``x`` (samples,),
    or (samples, axes) if it takes all ``axes`` of a group. It is clipped to ±32767 by the caller. ``design(parameter,
    rate_hz)``: the integer constants, () if it has none. ``state``: its fields in C, as declarations. ``c``: the text
    of the function ``static int32_t nt_NAME(nt_NAME_state *s, int32_t x, const int32_t *constants, int first)``,
    ``first`` being 1 after a reset; with ``axes`` ``static int32_t nt_NAME(const int16_t *x, int axes)`` of samples
    side by side. ``parameters(rate_hz)``: those with which it is tried, such as cut-offs in mHz; (0,) if it has none;
    ``allowed(rate_hz)``: the least and the greatest."""

    name: str
    meaning: str
    integer: Callable[[IntArray, tuple[int, ...]], IntArray]
    c: str
    state: tuple[str, ...] = ()
    axes: bool = False
    design: Callable[[int, float], tuple[int, ...]] = lambda parameter, rate_hz: ()
    functions: tuple[str, ...] = ()
    parameters: Callable[[float], tuple[int, ...]] = lambda rate_hz: (0,)
    allowed: Callable[[float], tuple[int, int]] = lambda rate_hz: (0, 0)
