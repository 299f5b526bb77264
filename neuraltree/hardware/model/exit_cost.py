"""The costs of int8 code with an early exit: on average over rows, and at most.

A row's cost is that of a tree with the children that it computes, and of its looks at the bounds. The model is linear,
so the mean over rows is a weighted sum over trees that grow by a stretch of code each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.exits.stretches import Stretch, mean_looks, stretches
from neuraltree.hardware.model.cost import WORST, breakdown_of_counts, costs_of_counts, integer_counts
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.profile.devices import Code, CycleDevice, Device
from neuraltree.tree.nodes import IntArray, Nodes, join

if TYPE_CHECKING:
    from neuraltree.compress.exits.early_exit import EarlyExit

MEAN = "mean_latency_s"
TIMES = ("latency_s", "energy_j")
# Terms of time that the code does not have: a loop over the inputs, arrays of scores and the search for the largest.
WITHOUT = ("float_inputs", "multiclass", "output")
LOOK = 1.25  # what a look at the bounds costs, in edges
READ = 1.05  # times the time of a float that a loop converts
READ_BYTES, LOOP_BYTES = 8, 30  # the call that converts a float, and the loop that is not there
MORE_RAM = 24  # inputs that wait on the stack: at most 18 bytes more than the bound of other code were measured


class Walked(NamedTuple):
    """An early exit, and how many ``terms`` (rows, parts) of it rows compute. ``rules`` and ``inputs`` (features,): see
    ``counts.count``."""

    exits: EarlyExit
    terms: IntArray
    rules: IntArray
    inputs: IntArray


def with_exits(
    found: dict[str, FloatArray], walked: Sequence[Walked], device: Device, code: Code, *, kind: str
) -> dict[str, FloatArray]:
    """The costs of code with an early exit where that pays; of other trees, the mean over rows is the latency too.

    ``found``: the ordinary ``cost.costs`` of the trees of ``walked``, (trees,) each.
    """
    result = {name: values.copy() for name, values in found.items()} | {MEAN: found["latency_s"].copy()}
    places = [i for i, each in enumerate(walked) if each.exits.looks]
    if places:
        for name, values in exit_costs([walked[i] for i in places], device, code, kind=kind).items():
            result[name][places] = values
    return result


class _Grown(NamedTuple):
    """The trees of the first stretches of code, from none to all; the weight of each in the mean over rows; and how
    many edges they have that the code does not have, for the inputs that it reads beside them."""

    trees: list[Nodes]
    weights: FloatArray
    extra: list[int]


def exit_costs(walked: Sequence[Walked], device: Device, code: Code, *, kind: str) -> dict[str, FloatArray]:
    """``cost.costs`` of code with an early exit, (trees,) each, which all have checks. ``MEAN`` and energy are means
    over rows, the others those of a row that never stops."""
    grown = [_grown(each) for each in walked]
    last = np.cumsum([len(each.trees) for each in grown]) - 1
    first = np.append(0, last[:-1] + 1)
    counts = _counts(walked, grown)
    most = LOOK * np.array([each.exits.looks for each in walked])
    usual = LOOK * np.array([mean_looks(each.exits, each.terms) for each in walked])
    whole = replace(counts, **{name: values[last] for name, values in vars(counts).items() if values is not None})
    longer = replace(whole, leaf_edges=whole.leaf_edges + 1)
    parts, of_edge = _parts(whole, device, code, kind), _parts(longer, device, code, kind)
    edge = {cost: of_edge[cost] - values for cost, values in parts.items()}
    grows, weights = _parts(counts, device, code, kind), np.concatenate([each.weights for each in grown])
    means = {cost: np.add.reduceat(weights * grows[cost], first) + usual * edge[cost] for cost in TIMES}
    latency = parts["latency_s"] + most * edge["latency_s"]
    plain = costs_of_counts(whole, device, *code, kind=kind)
    found = {"latency_s": latency, MEAN: means["latency_s"], "energy_j": means["energy_j"]}
    found["flash_bytes"] = np.rint(parts["flash_bytes"] + most * edge["flash_bytes"])
    found["ram_bytes"] = plain["ram_bytes"] + MORE_RAM
    return found | ({WORST: plain[WORST] * latency / plain["latency_s"]} if WORST in plain else {})


def _parts(counts: Counts, device: Device, code: Code, kind: str) -> dict[str, FloatArray]:
    """(trees,) latency, energy and flash of the code but for its looks."""
    parts = breakdown_of_counts(counts, device, *code, kind=kind)
    factors = dict.fromkeys(WITHOUT, 0.0) | {"feature": READ}
    found = {cost: _sum(parts[cost], factors) for cost in TIMES}
    found["flash_bytes"] = _sum(parts["flash_bytes"], {"multiclass": 0.0})
    if isinstance(device, CycleDevice):
        floats = counts.features_used - counts.integer_features.sum(axis=1)
        found["flash_bytes"] += READ_BYTES * floats - LOOP_BYTES * (floats > 0)
    return found


def _sum(parts: Mapping[str, FloatArray], factors: Mapping[str, float]) -> FloatArray:
    """The sum of the terms, each times its factor, 1 if it has none."""
    return np.asarray(sum(factors.get(term, 1.0) * part for term, part in parts.items()))


def _counts(walked: Sequence[Walked], grown: Sequence[_Grown]) -> Counts:
    """The counts of all trees that grow, each with input positions of its own."""
    trees = [nodes.copy() for each in grown for nodes in each.trees]
    begins = np.repeat(np.cumsum([0, *(len(each.rules) for each in walked[:-1])]), [len(each.trees) for each in grown])
    for nodes, begin in zip(trees, begins.tolist(), strict=True):
        nodes["op"][nodes["op"] >= 0] += begin
    rules, inputs = (np.concatenate([getattr(each, name) for each in walked]) for name in ("rules", "inputs"))
    found = integer_counts(*join(trees), rules, inputs)
    return replace(found, leaf_edges=found.leaf_edges - np.concatenate([each.extra for each in grown]))


def _grown(walked: Walked) -> _Grown:
    tree = walked.exits.tree
    nothing = Stretch(np.flatnonzero(tree.nodes["depth"] == 0), (), 1.0)
    found = [nothing, *stretches(walked.exits, walked.terms)]
    kept, ahead, trees, extra = np.zeros(len(tree.nodes), dtype=bool), list[int](), list[Nodes](), list[int]()
    for each in found:
        kept[each.nodes] = True
        ahead += each.inputs
        leaves = np.zeros(len(ahead), dtype=tree.nodes.dtype)
        leaves["depth"], leaves["op"] = 1, tree.inputs.features[ahead]
        part = tree.nodes[kept]
        trees.append(np.concatenate([part[:1], leaves, part[1:]]))
        extra.append(len(ahead))
    shares = np.array([each.share for each in found])
    return _Grown(trees, shares - np.append(shares[1:], 0.0), extra)
