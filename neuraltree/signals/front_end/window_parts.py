"""The parts of windows, each computed once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.signals.parts.part import Window
from neuraltree.signals.parts.part_table import PARTS
from neuraltree.tree.nodes import IntArray


class Sides(NamedTuple):
    """Windows of a stream or of two. ``whole``: of the stream, or of the pair. ``sides``: of each stream alone."""

    whole: Window
    sides: dict[str, Window]

    @classmethod
    def of(cls, x: tuple[IntArray, ...], before: tuple[IntArray, ...]) -> Sides:
        """``x``: (windows, samples) of each stream; ``before``: (windows,) of each."""
        sides = {side: Window(a, b, {}) for side, a, b in zip("xy", x, before, strict=False)}
        return cls(sides["x"] if len(x) == 1 else Window(x[0], before[0], {}, x[1]), sides)


def cut(streams: tuple[IntArray, ...], ends: IntArray, window: int) -> Sides:
    """The windows that end before each of ``ends``."""
    x = [np.lib.stride_tricks.sliding_window_view(one, window)[ends - window] for one in streams]
    return Sides.of(tuple(x), tuple(one[np.maximum(ends - window - 1, 0)] for one in streams))


def part_of(sides: Sides, read: str) -> IntArray:
    """A part by the name that features read it by: ``sum``, or ``x.sum`` of the first of two streams."""
    side, _, name = read.rpartition(".")
    return _part(sides.sides[side] if side else sides.whole, name)


def _part(window: Window, name: str) -> IntArray:
    if name not in window.parts:
        for other in PARTS[name].needs:
            _part(window, other)
        window.parts[name] = PARTS[name].integer(window)
    return window.parts[name]
