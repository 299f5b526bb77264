"""Fitting the figures of one activation while all other figures of a profile stay as they are.

So a new activation gets its costs, and the costs of all trees without it stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.arrays import FloatArray
from neuraltree.hardware.calibrate.fit import Residual, residual
from neuraltree.hardware.calibrate.measured_samples import Sample, columns
from neuraltree.hardware.model.linear_model import TERMS, coefficients
from neuraltree.hardware.profile.places import Raw
from neuraltree.hardware.profile.profile_schema import Bound, Entry
from neuraltree.structs import to_struct
from neuraltree.tree.tree import Tree

SHARE = 0.5  # share of the hidden nodes that get the activation
# By block of an entry and end of its figures: the name of the measurement.
MEASURED: dict[str, dict[Bound, str]] = {
    "instructions": {"lo": "instructions"},
    "cycles": {"lo": "cycles_lo", "hi": "cycles_hi"},
    "flash": {"lo": "flash_bytes"},
    "ram": {"lo": "ram_bytes"},
}


def with_activation(trees: Sequence[Tree], name: str, seed: int) -> list[Tree]:
    """The trees with the activation given to a random half of their hidden nodes."""
    rng = np.random.default_rng((seed, 2))
    return [replace(tree, nodes=_changed(tree, rng, ~code_of(name))) for tree in trees]


def _changed(tree: Tree, rng: np.random.Generator, op: int) -> NDArray:
    nodes = tree.nodes.copy()
    hidden = (nodes["op"] < 0) & (nodes["depth"] > 0)
    nodes["op"][hidden & (rng.random(len(nodes)) < SHARE)] = op
    return nodes


def with_kind(entry: Raw, name: str, samples: Sequence[Sample]) -> Raw:
    """The entry with new figures of the activation ``name``, by least squares on the relative error of ``samples``."""
    source = f"least squares over {len(samples)} compiled and emulated trees with it, all other figures as they are"
    ends = {end: _fitted(entry, name, samples, end) for end in ("lo", "hi")}
    result = dict(entry)
    for block, measured in _measured(entry).items():
        figure: dict[str, Any] = {end: ends[end][block] for end in measured}
        kinds = {kind: value for kind, value in entry[block].get("kinds", {}).items() if kind != name}
        if block != "ram" or any(figure.values()):
            kinds[name] = figure | {"source": source}
        # The tables of a block come last, as in a profile.
        rest = {key: value for key, value in entry[block].items() if key not in ("kinds", "shared")}
        shared = {"shared": entry[block]["shared"]} if "shared" in entry[block] else {}
        result[block] = rest | ({"kinds": kinds} if kinds else {}) | shared
    return result


def _measured(entry: Raw) -> dict[str, dict[Bound, str]]:
    """The rows of ``MEASURED`` for the blocks that the entry has."""
    return {block: measured for block, measured in MEASURED.items() if block in entry}


def _fitted(entry: Raw, name: str, samples: Sequence[Sample], end: Bound) -> dict[str, float]:
    """For each block the figure whose predictions are nearest to the measurements at one end of the range."""
    others = _coefficients(entry, end, without=name)
    found = {}
    for block, measured in _measured(entry).items():
        if end in measured:
            design, target = _design(samples, block, measured[end])
            count, missing = design[:, TERMS.index(name)] / target, 1 - design @ others[block] / target
            figure = max(0.0, float(count @ missing / (count @ count)))
            found[block] = float(f"{figure:.4g}")
    return found


def residuals(entry: Raw, samples: Sequence[Sample]) -> dict[str, Residual]:
    """The errors of the entry's predictions for ``samples``, trees to which it was not fitted."""
    ends: tuple[Bound, Bound] = ("lo", "hi")
    rows = [_coefficients(entry, end) for end in ends]
    result = {}
    for block, measured in (("cycles", "cycles"), ("flash", "flash_bytes"), ("ram", "ram_bytes")):
        design, target = _design(samples, block, measured)
        result[block] = residual(np.mean([design @ row[block] for row in rows], axis=0), target)
    return result


def _coefficients(entry: Raw, end: Bound, without: str = "") -> dict[str, FloatArray]:
    found = coefficients(to_struct(entry, Entry), end)
    return {block: row * (np.array(TERMS) != without) for block, row in found.items()}


def _design(samples: Sequence[Sample], block: str, measured: str) -> tuple[FloatArray, FloatArray]:
    each, once, figures = columns(samples)
    return (once if block in ("flash", "ram") else each), figures[measured]
