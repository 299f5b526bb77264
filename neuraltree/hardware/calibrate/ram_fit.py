"""The bounds on RAM of a code, for trees of floats and of integers, as blocks of a profile.

Integer code converts floats with a function of its own into an array, and integers where it reads them, so that more
values wait on the stack: trees of integers have a bound of their own. Float code reads both alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.hardware.calibrate.ram_bound import RamBound, fit_bound
from neuraltree.hardware.model.linear_model import INTEGERS, TERMS, reads_integers

OF_INTEGERS = ("output_edge", "array")  # terms of integer code alone
NEEDED = ("const", "live_value", "feature", "output", *INTEGERS)  # of RAM, also if they are 0


class RamFit(NamedTuple):
    """``integers``: the bound of trees that read integers, None if ``floats`` is that of all trees; ``trees``: how many
    each was fitted to."""

    floats: RamBound
    integers: RamBound | None
    trees: tuple[int, int]

    def of(self, once: FloatArray) -> FloatArray:
        """(trees,) bytes from the design per tree."""
        found = self.floats.of(once)
        return found if self.integers is None else np.where(reads_integers(once), self.integers.of(once), found)

    def blocks(self) -> dict[str, Any]:
        """The blocks of an entry."""
        bounds = {"ram": self.floats, "ram_integers": self.integers}
        rows = zip(bounds.items(), self.trees, strict=True)
        return {name: _block(bound, trees) for (name, bound), trees in rows if bound is not None}


def fit_ram(once: FloatArray, measured: FloatArray, *, is_integer: bool) -> RamFit:
    """The bounds of trees with the design ``once`` (trees, TERMS) and RAM ``measured`` (trees,), with their margins.

    ``is_integer``: whether the code is.
    """
    apart = reads_integers(once)
    if not is_integer:
        once = once * ~np.isin(TERMS, OF_INTEGERS)
    if not is_integer or apart.all() or not apart.any():
        return RamFit(fit_bound(once, measured), None, (len(once), 0))
    floats, integers = (fit_bound(once[rows], measured[rows]) for rows in (~apart, apart))
    sizes = int((~apart).sum()), int(apart.sum())
    return RamFit(floats, integers._replace(terms=integers.terms | _mixed(floats, integers)), sizes)


def _mixed(floats: RamBound, integers: RamBound) -> dict[str, float]:
    """What a tree of both adds to the bound of integers: the function that converts floats, once; and each float waits
    as an integer does."""
    more = (least - integers.least.get(task, least) for task, least in floats.least.items())
    feature = max(integers.terms.get(name, 0.0) for name in INTEGERS)
    return {"feature": feature, "float_inputs": max((0.0, *more))}


def _block(bound: RamBound, trees: int) -> dict[str, Any]:
    source = (
        f"upper bound by linear programming over {trees} compiled and emulated trees, random and trained, with a "
        f"margin of {bound.margin:g} B and {100 * bound.share:g} %; variables and the deepest stack"
    )
    given = {name: value for name, value in bound.terms.items() if value or name in NEEDED}
    groups = {"frames": bound.frames, "least": bound.least}
    inner = {group: _figures(row) for group, row in groups.items() if row}
    return {"unit": "B", "certainty": "M", "source": source, **_figures(given), **inner}


def _figures(values: Mapping[str, float]) -> dict[str, Any]:
    return {name: {"lo": value + 0.0} for name, value in values.items()}  # no -0.0
