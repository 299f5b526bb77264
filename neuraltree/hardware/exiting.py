"""Models whose code exits early, and the rows that say what that saves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray
from neuraltree.compress.exits.cascade import Cascade
from neuraltree.compress.exits.early_exit import early_exit_of
from neuraltree.compress.exits.forest_exits import walk_of_tree
from neuraltree.compress.formats import InputSpec
from neuraltree.compress.input_types import as_inputs, sources
from neuraltree.compress.int8.integer_tree import input_kinds, quantize_tree
from neuraltree.hardware.model.cost import costs, laid_out, rules_of
from neuraltree.hardware.model.cost_names import MEAN
from neuraltree.hardware.model.exit_cost import Walked, with_exits
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.tree.tree import Tree


def walked(tree: Tree, X: ArrayLike, inputs: InputSpec = "float32") -> Walked:
    """The early exit of a classifier on rows ``X`` (rows, features) as the tree takes them; ``inputs``: of its code."""
    integers = quantize_tree(tree, sources=sources(tree, inputs))
    if integers.source.classes is None:
        early_exit_of(integers)  # it refuses a regression
    walk = walk_of_tree(integers, integers.quantize(as_inputs(tree, X, inputs)))
    kinds = input_kinds(tree, inputs)
    rules = rules_of(tree)
    rules[kinds >= 0] = -1  # features of integers are priced as inputs of that type
    return Walked(walk, rules, kinds)


def cascade_latency(
    cascade: Cascade,
    X: ArrayLike,
    device: Device,
    code: Code,
    inputs: InputSpec = "float32",
    *,
    early_exit: bool = False,
) -> tuple[float, float]:
    """Seconds of a cascade, the mean over rows ``X`` (rows, features) as its trees take them, and the most; its large
    tree may have an ``early_exit``."""
    X, small, large = np.asarray(X), cascade.small.source, cascade.large.source
    nodes, starts, about = laid_out([small], inputs)
    alone = float(costs(nodes, starts, device, *code, **about)["latency_s"][0])
    passed = cascade.passed(as_inputs(small, X, inputs))
    nodes, starts, about = laid_out([large], inputs)
    found = costs(nodes, starts, device, *code, **about)
    if early_exit and passed.any():
        found = costs_with_exits([large], X[passed], device, code, inputs)
    mean = float(found.get(MEAN, found["latency_s"])[0])
    return alone + float(passed.mean()) * mean, alone + float(found["latency_s"][0])


def costs_with_exits(
    trees: Sequence[Tree], X: ArrayLike, device: Device, code: Code, inputs: InputSpec = "float32"
) -> dict[str, FloatArray]:
    """``cost.costs`` of classifiers of one kind, (trees,) each, in straight int8 code that exits early where that pays;
    and ``cost_names.MEAN``, the mean latency over rows ``X`` (rows, features), which energy then follows."""
    nodes, starts, about = laid_out(trees, inputs)
    found = costs(nodes, starts, device, *code, **about)
    return with_exits(found, [walked(tree, X, inputs) for tree in trees], device, code, kind=trees[0].kind)
