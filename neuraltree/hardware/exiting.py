"""Models whose code exits early, and the rows that say what that saves."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray
from neuraltree.compress.exits.early_exit import early_exit_of
from neuraltree.compress.formats import InputSpec
from neuraltree.compress.input_types import as_inputs, integer_inputs, sources
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.hardware.model.cost import costs, laid_out, rules_of
from neuraltree.hardware.model.exit_cost import Walked, with_exits
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.tree.tree import Tree


def walked(tree: Tree, X: ArrayLike, inputs: InputSpec = "float32") -> Walked:
    """The early exit of a classifier on rows ``X`` (rows, features) as the tree takes them; ``inputs``: of its code."""
    integers = quantize_tree(tree, sources=sources(tree, inputs))
    exits = early_exit_of(integers)
    terms = exits(integers.quantize(as_inputs(tree, X, inputs))).terms
    kinds = integer_inputs(tree, inputs)
    rules = rules_of(tree)
    rules[kinds >= 0] = -1  # features of integers are priced as inputs of that type
    return Walked(exits, terms, rules, kinds)


def costs_with_exits(
    trees: Sequence[Tree], X: ArrayLike, device: Device, code: Code, inputs: InputSpec = "float32"
) -> dict[str, FloatArray]:
    """``cost.costs`` of classifiers of one kind, (trees,) each, in straight int8 code that exits early where that pays;
    and ``exit_cost.MEAN``, the mean latency over rows ``X`` (rows, features), which energy then follows."""
    nodes, starts, about = laid_out(trees, inputs)
    found = costs(nodes, starts, device, *code, **about)
    return with_exits(found, [walked(tree, X, inputs) for tree in trees], device, code, kind=trees[0].kind)
