"""The linear cost model: a tree's counts times the coefficients of a device, a compiler, a precision and a style.

Calibrated coefficients (entries of certainty M) were measured on an emulated core without wait states; predicted
seconds are within about 25 % of silicon.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES
from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import INTEGER_INPUTS, number_format
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.profile.devices import CycleDevice
from neuraltree.hardware.profile.profile_schema import SHARED, TASKS, Bound, Entry, Figure, Flash, Ram, Terms

INTEGERS = tuple(f"feature_{kind}" for kind in INTEGER_INPUTS)
OF_INPUTS = ("feature", "far_input", "float_inputs", *INTEGERS)
EDGES = ("leaf_edge", "spilled_edge", "node_edge")
PLAIN = ("const", *TASKS, "node", "inner_node", *EDGES, "output", *OF_INPUTS)
RAM = ("const", *TASKS, "node", "inner_node", "live_value", "leaf_edge", "output_edge", "output", "array", *OF_INPUTS)
NODES = tuple(f"{name}_node" for name in NAMES)  # bytes of each node with the activation, beside those once
TERMS = (*PLAIN, "live_value", "output_edge", "array", *NAMES, *NODES, *SHARED)
BLOCKS = ("instructions", "cycles", "worst_cycles", "flash")
RAM_PLACE = 2  # among the costs
BLOCK = 8  # bytes; arrays on the stack fill whole blocks on most cores


def parts(
    counts: Counts, kind: str, device: CycleDevice, code: tuple[str, str, str], bound: Bound
) -> tuple[tuple[str, ...], FloatArray]:
    """The names of the terms, and the part of each in latency, flash, RAM and energy: (trees, costs, terms)."""
    entry = device.entry(*code)
    table = _coefficients(device, entry, bound)
    each, once = (design(counts, kind, once=each_kind, style=code[1]) for each_kind in (False, True))
    found = np.stack([each, once, once, each], axis=1) * table
    found[:, RAM_PLACE] = ram_of_entry(entry, once, bound, counts.raw_features > 0)
    return TERMS, found


def worst_latency(
    counts: Counts, kind: str, device: CycleDevice, code: tuple[str, str, str], bound: Bound
) -> FloatArray | None:
    """(trees,) seconds on the costliest inputs; None if the profile has no figures for them."""
    found = coefficients(device.entry(*code), bound).get("worst_cycles")
    if found is None:
        return None
    return (design(counts, kind, once=False, style=code[1]) * found).sum(axis=-1) * device.seconds(1, bound)


class Frames(NamedTuple):
    """The figures of RAM that are not sums: ``frames`` by kind (NAMES), ``least`` by task (TASKS), see ``Ram``."""

    frames: FloatArray
    least: FloatArray


def frames(ram: Ram, bound: Bound) -> Frames:
    rows = ((ram.frames, NAMES), (ram.least, TASKS))
    return Frames(*(np.array([row[n].at(bound) if n in row else 0.0 for n in names]) for row, names in rows))


def ram_of_entry(entry: Entry, once: FloatArray, bound: Bound, raw: NDArray[np.bool_] | bool = False) -> FloatArray:
    """The part of each term in RAM, (trees, terms), from the design ``once`` per tree. ``raw`` (trees,): those that
    read bytes as they are, for which neither calibration was made: the larger of both bounds."""
    found = ram_parts(once * _ram(entry.ram, bound), once, frames(entry.ram, bound))
    if (own := entry.ram_integers) is not None:
        other = ram_parts(once * _ram(own, bound), once, frames(own, bound))
        rows = reads_integers(once) | (raw & (other.sum(axis=1) > found.sum(axis=1)))
        found[rows] = other[rows]
    return found


def reads_integers(once: FloatArray) -> NDArray[np.bool_]:
    """(trees,) whether a tree reads integers, from the design."""
    of_integers: FloatArray = once[:, [TERMS.index(name) for name in INTEGERS]]
    return of_integers.max(axis=1) > 0


def ram_parts(linear: FloatArray, once: FloatArray, more: Frames) -> FloatArray:
    """The part of each term in RAM, (trees, terms), from its ``linear`` parts and the design ``once`` per tree.

    The largest frame is a part of its activation, and what the smallest tree needs more is a part of the task.
    """
    result, kinds = linear.copy(), [TERMS.index(name) for name in NAMES]
    tasks, rows = [TERMS.index(name) for name in TASKS], np.arange(len(linear))
    needed = once[:, kinds] * more.frames
    deepest = needed.argmax(axis=1)
    result[rows, np.array(kinds)[deepest]] += needed[rows, deepest]
    missing = np.maximum(once[:, tasks] @ more.least - result.sum(axis=1), 0.0)
    result[:, tasks] += once[:, tasks] * missing[:, None]
    return result


def design(counts: Counts, kind: str, *, once: bool, style: str = "straight") -> FloatArray:
    """The numbers that the coefficients multiply, (trees, terms).

    ``kind``: the task. An edge counts as spilled where sums wait for others, so that registers may run out. Straight
    code subtracts a mean once for each far input; a table does so at every leaf edge, if the tree has a far input, and
    converts integers to floats there. An activation counts once per node; with ``once`` it counts once per tree that
    uses it, and so do the functions that several activations share; ``NODES`` then count each node. An ``array`` is a
    block of the arrays of integer code: a byte for each float that it converts, 4 for each output.
    """
    one = np.ones_like(counts.nodes)
    task = [one * (kind == name) for name in TASKS]
    spilled = np.where(counts.inner_nodes > 0, counts.leaf_edges, 0)
    edges = (counts.leaf_edges, spilled, counts.node_edges)
    far = np.where(counts.far_features > 0, counts.leaf_edges, 0) if style == "table" else counts.far_features
    integers = counts.integer_edges if style == "table" else counts.integer_features
    floats = counts.float_features
    has_floats = (floats > 0) | (counts.integer_features.sum(axis=1) + counts.raw_features == 0)
    inputs = (floats, far, has_floats, *integers.T)
    plain = (one, *task, counts.function_nodes, counts.inner_nodes, *edges, counts.outputs, *inputs)
    used = counts.kinds > 0
    shared = {name: used[:, [NAMES.index(kind) for kind in kinds]].any(axis=1) for name, kinds in SHARED.items()}
    # A table adds products of any sign, and subtracts means alone; a class is found by comparisons.
    shared["addition"] |= (style == "table") | counts.adds
    shared["subtraction"] |= counts.far_features > 0 if style == "table" else counts.subtracts
    shared["comparison"] |= kind != "regression"
    kinds = used if once else counts.kinds
    stacked = counts.peak_live, counts.leaf_edges / counts.outputs, np.ceil((floats + 4 * counts.outputs) / BLOCK)
    columns = [*plain, *stacked, kinds, counts.kinds * once, *(once & row for row in shared.values())]
    return np.column_stack(columns).astype(np.float64)


def _coefficients(device: CycleDevice, entry: Entry, bound: Bound) -> FloatArray:
    """(costs, terms) seconds, bytes and joules per unit of each term."""
    found = coefficients(entry, bound)
    latency = found["cycles"] * device.seconds(1, bound)
    energy = found["cycles"] * (device.board_cycles(bound) * device.energy.value.at(bound) * 1e-12)
    return np.array([latency, found["flash"], found["ram"], energy])


def coefficients(entry: Entry, bound: Bound) -> dict[str, FloatArray]:
    """For each block of an entry the factors of the columns of ``design``, (terms,); see also ``frames``."""
    rows = {name: _row(getattr(entry, name), bound, entry.precision) for name in BLOCKS if getattr(entry, name)}
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
