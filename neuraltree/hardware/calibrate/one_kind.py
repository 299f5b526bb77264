"""Fitting the figures of one activation while all other figures of a profile stay as they are.

So a new activation gets its costs, and the costs of all trees without it stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as replaced
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.arrays import FloatArray
from neuraltree.hardware.calibrate.fit import Residual, residual, residual_of_bound
from neuraltree.hardware.calibrate.measured_samples import Sample, columns
from neuraltree.hardware.model.linear_model import TERMS, coefficients, frames, ram_parts
from neuraltree.hardware.profile.places import Raw
from neuraltree.hardware.profile.profile_schema import Bound, Entry, Ram
from neuraltree.structs import to_struct
from neuraltree.tree.tree import Tree

RAM_BLOCKS = ("ram", "ram_integers")
ROUNDING = 1e-6  # bytes
SHARE = 0.5  # share of the hidden nodes that get the activation
# By block of an entry and end of its figures: the name of the measurement.
MEASURED: dict[str, dict[Bound, str]] = {
    "instructions": {"lo": "instructions"},
    "cycles": {"lo": "cycles_lo", "hi": "cycles_hi"},
    "worst_cycles": {"lo": "worst_cycles_lo", "hi": "worst_cycles_hi"},
    "flash": {"lo": "flash_bytes"},
}


def with_activation(trees: Sequence[Tree], name: str, seed: int) -> list[Tree]:
    """The trees with the activation given to a random half of their hidden nodes."""
    rng = np.random.default_rng((seed, 2))
    return [replaced(tree, nodes=_changed(tree, rng, ~code_of(name))) for tree in trees]


def _changed(tree: Tree, rng: np.random.Generator, op: int) -> NDArray:
    nodes = tree.nodes.copy()
    hidden = (nodes["op"] < 0) & (nodes["depth"] > 0)
    nodes["op"][hidden & (rng.random(len(nodes)) < SHARE)] = op
    return nodes


def with_kind(entry: Raw, name: str, samples: Sequence[Sample]) -> Raw:
    """The entry with new figures of the activation ``name``: by least squares on the relative error of ``samples``, and
    for RAM the least with which no sample is above its bound."""
    how = f"over {len(samples)} compiled and emulated trees with it, all other figures as they are"
    ends = {end: _fitted(entry, name, samples, end) for end in ("lo", "hi")}
    result = dict(entry)
    for block, measured in _measured(entry).items():
        for table in ("kinds", "nodes"):
            figure: dict[str, Any] = {end: ends[end][block][table] for end in measured if table in ends[end][block]}
            known = any(figure.values()) or table == "kinds"
            new = figure | {"source": f"least squares {how}"} if known else None
            result[block] = _changed_group(result[block], table, name, new)
    result["ram"] = _changed_group(entry["ram"], "kinds", name, None)  # an older entry has it there
    frame = {"lo": _frame(result, name, samples), "source": f"upper bound {how}"}
    for block in filter(entry.__contains__, RAM_BLOCKS):
        result[block] = _changed_group(result[block], "frames", name, frame if frame["lo"] else None)
    return result


def _measured(entry: Raw) -> dict[str, dict[Bound, str]]:
    """The rows of ``MEASURED`` for the blocks that the entry has."""
    return {block: measured for block, measured in MEASURED.items() if block in entry}


def _changed_group(block: Raw, group: str, name: str, figure: Raw | None) -> Raw:
    """The block with one figure of a group replaced, or without it; tables come last, as in a profile."""
    tables = {key: value for key, value in block.items() if isinstance(value, dict) and "lo" not in value}
    kept = {kind: value for kind, value in tables.get(group, {}).items() if kind != name}
    kept |= {name: figure} if figure else {}
    rest = {key: value for key, value in block.items() if key not in tables}
    tables |= {group: kept}
    return rest | {key: table for key, table in tables.items() if table}


def _fitted(entry: Raw, name: str, samples: Sequence[Sample], end: Bound) -> dict[str, dict[str, float]]:
    """For each block and table the figure whose predictions are nearest to the measurements at one end of the range."""
    from scipy.optimize import nnls

    kept = ~np.isin(TERMS, [name, f"{name}_node"])
    others = {block: row * kept for block, row in _coefficients(entry, end).items()}
    found: dict[str, dict[str, float]] = {}
    for block, measured in _measured(entry).items():
        if end in measured:
            design, target = _design(samples, block, measured[end])
            terms = {"kinds": name} | ({"nodes": f"{name}_node"} if block == "flash" else {})
            counts = design[:, [TERMS.index(term) for term in terms.values()]] / target[:, None]
            figures, _ = nnls(counts, 1 - design @ others[block] / target)
            found[block] = {table: float(f"{figure:.4g}") for table, figure in zip(terms, figures, strict=True)}
    return found


def _frame(entry: Raw, name: str, samples: Sequence[Sample]) -> float:
    """The stack of the function, in whole bytes, that lifts the bound over each sample that would be above it."""
    design, target = _design(samples, "ram", "ram_bytes")
    ram = to_struct(entry, Entry).ram
    linear = design @ _coefficients(entry, "lo")["ram"]
    without = dict(ram.frames)
    without.pop(name, None)
    above = _bound(entry, samples, replace(ram, frames=without)) < target
    needs = design[:, TERMS.index(name)] > 0
    return float(np.ceil((target - linear)[above & needs].max(initial=0.0) - ROUNDING))


def _bound(entry: Raw, samples: Sequence[Sample], ram: Ram) -> FloatArray:
    design, _ = _design(samples, "ram", "ram_bytes")
    linear = design * _coefficients(entry, "lo")["ram"]
    return ram_parts(linear, design, frames(ram, "lo")).sum(axis=1)


def residuals(entry: Raw, samples: Sequence[Sample]) -> dict[str, Residual]:
    """The errors of the entry's predictions for ``samples``, trees to which it was not fitted."""
    ends: tuple[Bound, Bound] = ("lo", "hi")
    rows = [_coefficients(entry, end) for end in ends]
    result = {}
    for block, measured in (("cycles", "cycles"), ("worst_cycles", "worst_cycles"), ("flash", "flash_bytes")):
        if block in entry:
            design, target = _design(samples, block, measured)
            result[block] = residual(np.mean([design @ row[block] for row in rows], axis=0), target)
    _, target = _design(samples, "ram", "ram_bytes")
    return result | {"ram": residual_of_bound(_bound(entry, samples, to_struct(entry, Entry).ram), target)}


def _coefficients(entry: Raw, end: Bound) -> dict[str, FloatArray]:
    return coefficients(to_struct(entry, Entry), end)


def _design(samples: Sequence[Sample], block: str, measured: str) -> tuple[FloatArray, FloatArray]:
    each, once, figures = columns(samples)
    return (once if block in ("flash", "ram") else each), figures[measured]
