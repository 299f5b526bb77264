"""The costs of int8 code with an early exit: on average over rows, and at most.

A row's cost is that of a tree with the children that it computes, and of its looks at the bounds. The model is linear,
so the mean over rows is a weighted sum over trees that grow by a stretch of code each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.exits.stretches import Walk
from neuraltree.hardware.model.cost import WORST, breakdown_of_counts, costs_of_counts, integer_counts
from neuraltree.hardware.model.cost_names import MEAN
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.profile.devices import Code, CycleDevice, Device
from neuraltree.tree.nodes import IntArray, Nodes, join

TIMES = ("latency_s", "energy_j")
# Terms of time that the code does not have: a loop over the inputs, arrays of scores and the search for the largest.
WITHOUT = ("float_inputs", "multiclass", "output")
LOOK_BYTES = 1.25  # flash of a look at the bounds, in edges
READ_BYTES, LOOP_BYTES = 8, 30  # the call that converts a float, and the loop that is not there


class Times(NamedTuple):
    """In edges: what a ``look`` at the bounds takes; the call that converts a float, beside its conversion in a loop
    (``read``); what a row saves that leaves code of a ``single`` score early; and what each of ``several`` takes.
    ``ram``: bytes of inputs that wait on the stack, the most that was measured above the bound of ordinary code."""

    look: float
    read: float
    single: float
    several: float
    ram: int


# Least squares of relative errors, over random and trained trees of seed 0 with floats, int16 and uint8 as inputs, 54
# for each core (``benchmarks.run exit_costs`` judges others). Cores that are not here have rounder figures.
CORE_TIMES = {
    "cortex-m0plus": Times(1.9, 0.25, 1.4, 0.0, 24),
    "cortex-m4f": Times(1.7, 2.5, 4.2, -0.5, 32),
    "avr": Times(0.1, 0.6, 0.4, 1.3, 80),
}
OTHER_TIMES = Times(1.25, 1.0, 0.0, 0.0, 32)


class Walked(NamedTuple):
    """How far rows go in a tree. ``rules`` and ``inputs`` (features,): see ``counts.count``."""

    walk: Walk
    rules: IntArray
    inputs: IntArray


def with_exits(
    found: dict[str, FloatArray], walked: Sequence[Walked], device: Device, code: Code, *, kind: str
) -> dict[str, FloatArray]:
    """The costs of code with an early exit where that pays; of other trees, the mean over rows is the latency too.

    ``found``: the ordinary ``cost.costs`` of the trees of ``walked``, (trees,) each.
    """
    result = {name: values.copy() for name, values in found.items()} | {MEAN: found["latency_s"].copy()}
    places = [i for i, each in enumerate(walked) if each.walk.looks]
    if places:
        for name, values in exit_costs([walked[i] for i in places], device, code, kind=kind).items():
            result[name][places] = values
    return result


class _Grown(NamedTuple):
    """The trees of the first stretches of code, from none to all, laid end to end; ``copies`` (trees,): how many of
    each tree there are. (copies,) each: the ``weights`` in the mean over rows; and how many edges they have that the
    code does not have, for the inputs that it reads beside them."""

    nodes: Nodes
    starts: IntArray
    copies: IntArray
    weights: FloatArray
    extra: IntArray


def exit_costs(walked: Sequence[Walked], device: Device, code: Code, *, kind: str) -> dict[str, FloatArray]:
    """``cost.costs`` of code with an early exit, (trees,) each, which all have checks. ``MEAN`` and energy are means
    over rows, the others those of a row that never stops."""
    grown = _grown(walked)
    last = np.cumsum(grown.copies) - 1
    first = np.append(0, last[:-1] + 1)
    counts = _counts(walked, grown)
    whole = replace(counts, **{name: values[last] for name, values in vars(counts).items() if values is not None})
    times, one = CORE_TIMES.get(device.core, OTHER_TIMES), whole.outputs == 1
    looks, reads = np.array([each.walk.looks for each in walked]), times.read * counts.float_features
    several = times.several * np.where(one, 0, whole.outputs)
    most = times.look * looks + several + reads[last]
    usual = times.look * np.array([each.walk.mean_looks for each in walked]) + several - times.single * one
    usual += np.add.reduceat(grown.weights * reads, first)
    longer = replace(whole, leaf_edges=whole.leaf_edges + 1)
    parts, of_edge = _parts(whole, device, code, kind), _parts(longer, device, code, kind)
    edge = {cost: of_edge[cost] - values for cost, values in parts.items()}
    grows = _parts(counts, device, code, kind)
    means = {cost: np.add.reduceat(grown.weights * grows[cost], first) + usual * edge[cost] for cost in TIMES}
    latency = parts["latency_s"] + most * edge["latency_s"]
    plain = costs_of_counts(whole, device, *code, kind=kind)
    found = {"latency_s": latency, MEAN: means["latency_s"], "energy_j": means["energy_j"]}
    found["flash_bytes"] = np.rint(parts["flash_bytes"] + LOOK_BYTES * looks * edge["flash_bytes"])
    found["ram_bytes"] = plain["ram_bytes"] + times.ram
    return found | ({WORST: plain[WORST] * latency / plain["latency_s"]} if WORST in plain else {})


def _parts(counts: Counts, device: Device, code: Code, kind: str) -> dict[str, FloatArray]:
    """(trees,) latency, energy and flash of the code but for its looks."""
    parts = breakdown_of_counts(counts, device, *code, kind=kind)
    found = {cost: _sum(parts[cost], WITHOUT) for cost in TIMES}
    found["flash_bytes"] = _sum(parts["flash_bytes"], ("multiclass",))
    if isinstance(device, CycleDevice):
        floats = counts.float_features
        found["flash_bytes"] += READ_BYTES * floats - LOOP_BYTES * (floats > 0)
    return found


def _sum(parts: Mapping[str, FloatArray], without: Sequence[str]) -> FloatArray:
    """The sum of the terms but for some."""
    return np.asarray(sum(part for term, part in parts.items() if term not in without))


def _counts(walked: Sequence[Walked], grown: _Grown) -> Counts:
    """The counts of all trees that grow."""
    rules, inputs = (np.concatenate([getattr(each, name) for each in walked]) for name in ("rules", "inputs"))
    found = integer_counts(grown.nodes, grown.starts, rules, inputs)
    return replace(found, leaf_edges=found.leaf_edges - grown.extra)


def _grown(walked: Sequence[Walked]) -> _Grown:
    """The trees that grow, each with input positions of its own."""
    trees, stretch_of, shares, ahead = list[Nodes](), list[IntArray](), list[float](), list[int]()
    begin = 0
    for walk, rules, _ in walked:
        # The number of the stretch that computes each node: the first computes nothing but the outputs.
        own, beside = np.zeros(len(walk.nodes), dtype=np.int64), list[tuple[int, int]]()
        extra = [0]
        for number, stretch in enumerate(walk.stretches, 1):
            for first, end in stretch.spans:
                own[first:end] = number
            beside += [(number, feature) for feature in stretch.inputs]
            extra.append(len(beside))
        # A leaf of an output, it does not matter of which, for each input that is read beside.
        leaves = np.zeros(len(beside), dtype=walk.nodes.dtype)
        leaves["depth"], leaves["op"] = 1, [feature for _, feature in beside]
        nodes = np.concatenate([walk.nodes, leaves])
        nodes["op"][nodes["op"] >= 0] += begin
        trees.append(nodes)
        stretch_of.append(np.concatenate([own, [number for number, _ in beside]]).astype(np.int64))
        of_tree = [1.0, *(stretch.share for stretch in walk.stretches)]
        shares += [share - after for share, after in zip(of_tree, [*of_tree[1:], 0.0], strict=True)]
        ahead += extra
        begin += len(rules)
    joined, starts = join(trees)
    copies = np.array([len(each.walk.stretches) + 1 for each in walked])
    size = np.repeat(np.diff(starts), copies)
    copy = np.repeat(np.arange(len(size)), size)
    within = np.arange(len(copy)) - np.repeat(np.cumsum(size) - size, size)
    node = np.repeat(np.repeat(starts[:-1], copies), size) + within
    number = np.arange(len(size)) - np.repeat(np.cumsum(copies) - copies, copies)
    kept = np.concatenate(stretch_of)[node] <= number[copy]
    ends = np.cumsum(np.bincount(copy[kept], minlength=len(size)))
    return _Grown(joined[node[kept]], np.append(0, ends), copies, np.array(shares), np.array(ahead))
