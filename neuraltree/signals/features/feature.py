"""What a feature is: one number of a window, an integer of 16 bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from neuraltree.tree.nodes import IntArray


@dataclass(frozen=True)
class Feature:
    """``integer(parts, n, parameter)``: (windows,) int64 from the parts that it ``reads``, for windows of n samples; it
    is clipped to ±32767 by the caller. ``scale``: what 1 of its own unit is in integers: for a feature in the unit of
    the samples 1, for one without a unit e.g. 2^14. ``c``: the text of the function ``static int32_t nt_NAME(reads...,
    int n, int parameter)``; a part with several values, and the window itself, is passed by its address.
    ``functions``: helpers in C that it calls. ``parameters(n, rate_hz)``: the parameters with which it is tried, (0,)
    if it has none, () if only those are tried that somebody asks for; ``allowed(n)``: the least and the greatest.

    A feature of a pair of streams reads parts of the pair, such as ``products``, and parts of each stream, written
    ``x.sum`` and ``y.sum``."""

    name: str
    meaning: str
    reads: tuple[str, ...]
    integer: Callable[[Mapping[str, IntArray], int, int], IntArray]
    c: str
    scale: float = 1.0
    functions: tuple[str, ...] = ()
    parameters: Callable[[int, float], tuple[int, ...]] = lambda n, rate_hz: (0,)
    allowed: Callable[[int], tuple[int, int]] = lambda n: (0, 0)

    @property
    def pair(self) -> bool:
        """Whether it is of two streams."""
        return any("." in name for name in self.reads)
