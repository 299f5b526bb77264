"""The linear cost model: a tree's counts times the coefficients of a device, a compiler, a precision and a style.

Calibrated coefficients (entries of certainty M) were measured on an emulated core without wait states; predicted
seconds are within about 25 % of silicon.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neuraltree.activations import NAMES
from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import INTEGER_INPUTS, number_format
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.profile.devices import CycleDevice
from neuraltree.hardware.profile.profile_schema import SHARED, Bound, Entry, Figure, Flash, Ram, Terms

TASKS = ("regression", "binary", "multiclass")
INTEGERS = tuple(f"feature_{kind}" for kind in INTEGER_INPUTS)
OF_INPUTS = ("feature", "far_input", "float_inputs", *INTEGERS)
EDGES = ("leaf_edge", "spilled_edge", "node_edge")
PLAIN = ("const", *TASKS, "node", "inner_node", *EDGES, "output", *OF_INPUTS)
RAM = ("const", *TASKS, "node", "inner_node", "live_value", "output", *OF_INPUTS)
NODES = tuple(f"{name}_node" for name in NAMES)  # bytes of each node with the activation, beside those once
TERMS = (*PLAIN, "live_value", *NAMES, *NODES, *SHARED)


def parts(
    counts: Counts, kind: str, device: CycleDevice, code: tuple[str, str, str], bound: Bound
) -> tuple[tuple[str, ...], FloatArray]:
    """The names of the terms, and the part of each in latency, flash, RAM and energy: (trees, costs, terms)."""
    table = _coefficients(device, device.entry(*code), bound)
    each, once = (design(counts, kind, once=each_kind, style=code[1]) for each_kind in (False, True))
    return TERMS, np.stack([each, once, once, each], axis=1) * table


def design(counts: Counts, kind: str, *, once: bool, style: str = "straight") -> FloatArray:
    """The numbers that the coefficients multiply, (trees, terms).

    ``kind``: the task. An edge counts as spilled where sums wait for others, so that registers may run out. Straight
    code subtracts a mean once for each far input; a table does so at every leaf edge, if the tree has a far input, and
    converts integers to floats there. An activation counts once per node; with ``once`` it counts once per tree that
    uses it, and so do the functions that several activations share; ``NODES`` then count each node.
    """
    one = np.ones_like(counts.nodes)
    task = [one * (kind == name) for name in TASKS]
    spilled = np.where(counts.inner_nodes > 0, counts.leaf_edges, 0)
    edges = (counts.leaf_edges, spilled, counts.node_edges)
    far = np.where(counts.far_features > 0, counts.leaf_edges, 0) if style == "table" else counts.far_features
    integers = counts.integer_edges if style == "table" else counts.integer_features
    floats = counts.features_used - counts.integer_features.sum(axis=1)
    has_floats = (floats > 0) | (counts.integer_features.sum(axis=1) == 0)
    inputs = (floats, far, has_floats, *integers.T)
    plain = (one, *task, counts.function_nodes, counts.inner_nodes, *edges, counts.outputs, *inputs)
    used = counts.kinds > 0
    shared = {name: used[:, [NAMES.index(kind) for kind in kinds]].any(axis=1) for name, kinds in SHARED.items()}
    # A table adds products of any sign, and subtracts means alone; a class is found by comparisons.
    shared["addition"] |= (style == "table") | counts.adds
    shared["subtraction"] |= counts.far_features > 0 if style == "table" else counts.subtracts
    shared["comparison"] |= kind != "regression"
    kinds = used if once else counts.kinds
    columns = [*plain, counts.peak_live, kinds, counts.kinds * once, *(once & row for row in shared.values())]
    return np.column_stack(columns).astype(np.float64)


def _coefficients(device: CycleDevice, entry: Entry, bound: Bound) -> FloatArray:
    """(costs, terms) seconds, bytes and joules per unit of each term."""
    found = coefficients(entry, bound)
    latency = found["cycles"] / (device.clock.value * 1e6)
    energy = found["cycles"] * (device.energy.value.at(bound) * 1e-12)
    return np.array([latency, found["flash"], found["ram"], energy])


def coefficients(entry: Entry, bound: Bound) -> dict[str, FloatArray]:
    """For each block of an entry the factors of the columns of ``design``, (terms,)."""
    rows = {
        name: _row(getattr(entry, name), bound, entry.precision)
        for name in ("instructions", "cycles", "flash")
        if getattr(entry, name)
    }
    return {name: np.array(row) for name, row in (rows | {"ram": _ram(entry.ram, bound)}).items()}


def _row(terms: Terms, bound: Bound, precision: str) -> list[float]:
    """An integer without a figure costs a float more: in integer code one that it converts, else a subtraction."""
    plain = {name: getattr(terms, name) for name in PLAIN}
    placed = _placed({**plain, **terms.kinds, **(_of_flash(terms) if isinstance(terms, Flash) else {})}, bound)
    conversion = 0.0 if number_format(precision).is_integer else terms.far_input.at(bound)
    for name in INTEGERS:
        if plain[name] is None:
            placed[TERMS.index(name)] = terms.feature.at(bound) + conversion
    return placed


def _of_flash(terms: Flash) -> dict[str, Figure]:
    return {**{f"{name}_node": figure for name, figure in terms.nodes.items()}, **terms.shared}


def _ram(ram: Ram, bound: Bound) -> list[float]:
    plain = {name: getattr(ram, name) for name in RAM}
    plain |= {name: ram.feature for name in INTEGERS if plain[name] is None}
    return _placed({**plain, **ram.kinds, **ram.shared}, bound)


def _placed(figures: Mapping[str, Figure | None], bound: Bound) -> list[float]:
    found = (figures.get(name) for name in TERMS)
    return [0.0 if figure is None else figure.at(bound) for figure in found]
