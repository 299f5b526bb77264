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
        # The tables of a block come last, as in a profile.
        tables = {key: entry[block][key] for key in ("kinds", "nodes", "shared") if key in entry[block]}
        rest = {key: value for key, value in entry[block].items() if key not in tables}
        for table in ("kinds", "nodes"):
            figure: dict[str, Any] = {end: ends[end][block][table] for end in measured if table in ends[end][block]}
            tables[table] = {kind: value for kind, value in tables.get(table, {}).items() if kind != name}
            if any(figure.values()) or (table == "kinds" and block != "ram"):
                tables[table][name] = figure | {"source": source}
        result[block] = rest | {key: tables[key] for key in ("kinds", "nodes", "shared") if tables.get(key)}
    return result


def _measured(entry: Raw) -> dict[str, dict[Bound, str]]:
    """The rows of ``MEASURED`` for the blocks that the entry has."""
    return {block: measured for block, measured in MEASURED.items() if block in entry}


def _fitted(entry: Raw, name: str, samples: Sequence[Sample], end: Bound) -> dict[str, dict[str, float]]:
    """For each block and table the figure whose predictions are nearest to the measurements at one end of the range."""
    from scipy.optimize import nnls

    others = _coefficients(entry, end, without=name)
    found: dict[str, dict[str, float]] = {}
    for block, measured in _measured(entry).items():
        if end in measured:
            design, target = _design(samples, block, measured[end])
            terms = {"kinds": name} | ({"nodes": f"{name}_node"} if block == "flash" else {})
            counts = design[:, [TERMS.index(term) for term in terms.values()]] / target[:, None]
            figures, _ = nnls(counts, 1 - design @ others[block] / target)
            found[block] = {table: float(f"{figure:.4g}") for table, figure in zip(terms, figures, strict=True)}
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
    kept = ~np.isin(TERMS, [without, f"{without}_node"])
    return {block: row * kept for block, row in found.items()}


def _design(samples: Sequence[Sample], block: str, measured: str) -> tuple[FloatArray, FloatArray]:
    each, once, figures = columns(samples)
    return (once if block in ("flash", "ram") else each), figures[measured]
