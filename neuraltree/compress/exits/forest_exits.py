"""Early exits of many trees at once, and how far rows go in them, by the kernel.

They are those of ``early_exit_of`` and ``EarlyExit``, in the same integers.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.arrays import FloatArray
from neuraltree.compress.exits.early_exit import OF_SEVERAL, ONE_SCORE, TYPICAL_ROWS, early_exit_of, walk_of
from neuraltree.compress.exits.integer_forest import IntegerForest
from neuraltree.compress.exits.output_terms import EDGE, NODE
from neuraltree.compress.exits.stretches import Stretch, Walk
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.compress.kernel_sums import FIELDS, kernel_sums
from neuraltree.engine.forest import Indices
from neuraltree.engine.kernel.binding import Exits as Job
from neuraltree.engine.kernel.binding import Kernel, address
from neuraltree.engine.lowering import kernel_in_use
from neuraltree.engine.training import NEVER
from neuraltree.tree.nodes import IntArray


class _Terms(NamedTuple):
    """The terms of a forest, in prefix order. ``node``, ``end`` (terms,): the nodes of each; ``first`` (trees x outputs
    + 1,): where those of each output begin. ``input`` (nodes,): what a leaf reads, as a position among the used inputs
    of all trees, which are ``feature`` (inputs,) and begin at ``first_input`` (trees + 1,)."""

    node: IntArray
    end: IntArray
    first: IntArray
    input: IntArray
    feature: IntArray
    first_input: IntArray


class Planned(NamedTuple):
    """The early exits of a forest; the terms are those of ``_Terms``.

    ``part`` (trees, outputs): the outputs in the order of the code; ``order`` (terms,): the terms in that order;
    ``passed`` (terms,): how many rows go on after a check before a term, -1 if there is no check; ``ahead`` (inputs,):
    the place of the part before which an input is read, -1 if there is none.
    """

    terms: _Terms
    part: IntArray
    order: IntArray
    passed: IntArray
    ahead: IntArray


def walk_of_tree(tree: IntegerTree, q: NDArray[np.int8]) -> Walk:
    """How far rows ``q`` (rows, used) of quantised inputs go in a tree; without the kernel, in Python."""
    kernel = kernel_in_use()
    if not isinstance(kernel, Kernel):
        exits = early_exit_of(tree)
        return walk_of(exits, exits(q).terms)
    codes = np.zeros((len(tree.source.features), len(q)), np.int8)
    codes[tree.inputs.features] = q.T
    (walk,) = walks_of(kernel, IntegerForest.of_tree(tree), codes)
    return walk


def walks_of(kernel: Kernel, forest: IntegerForest, codes: NDArray[np.int8], stop: Indices = NEVER) -> list[Walk]:
    """How far rows go in each tree; ``codes`` (features, rows): quantised inputs."""
    return _walks(forest, plans(kernel, forest, codes, stop), codes.shape[1])


def plans(kernel: Kernel, forest: IntegerForest, codes: NDArray[np.int8], stop: Indices = NEVER) -> Planned:
    """The early exits of the trees, and the rows that go on."""
    terms = _terms_of(forest)
    added = _added(kernel, forest, terms, np.hstack([_typical(forest, terms), codes[terms.feature]]), stop)
    of_node, first_read, read = _reads(forest, terms)
    depth, numbers = forest.nodes["depth"], forest.numbers
    ends = np.stack([numbers.weight[terms.node] * value[terms.node] for value in (numbers.low, numbers.high)])
    edges = terms.end - terms.node
    trees, outputs = forest.multiplier.shape
    found = Planned(
        terms,
        np.empty((trees, outputs), np.int32),
        *(np.empty(n, np.int32) for n in (len(edges), len(edges), len(terms.feature))),
    )
    look = ONE_SCORE if outputs == 1 else OF_SEVERAL
    job = Job(trees, outputs, len(edges), len(read), len(terms.feature), look, TYPICAL_ROWS, codes.shape[1])
    given = {
        "first_term": terms.first,
        "low": ends.min(axis=0),
        "high": ends.max(axis=0),
        "cost": EDGE * edges + NODE * of_node,
        "first_read": first_read,
        "read": read,
        "first_input": terms.first_input,
        "input_cost": forest.input_cost[terms.feature],
        "bias": numbers.bias[depth == 0],
        "multiplier": forest.multiplier.ravel(),
        "shift": forest.shift.ravel(),
        "threshold": np.full(trees, forest.threshold),
    }
    arrays: dict[str, IntArray] = {name: np.ascontiguousarray(values, np.int32) for name, values in given.items()}
    arrays |= {"added": added, "part": found.part, "order": found.order, "passed": found.passed, "ahead": found.ahead}
    for name, values in (arrays | {"stop": stop}).items():
        setattr(job, name, address(values, np.int32, *values.shape))
    kernel.exits(job)
    return found


def _terms_of(forest: IntegerForest) -> _Terms:
    depth, op = forest.nodes["depth"], forest.nodes["op"].astype(np.int64)
    trees, outputs = forest.multiplier.shape
    marks = np.flatnonzero(depth <= 1)
    ends, is_term = np.append(marks[1:], len(depth)), depth[marks] == 1
    output = np.cumsum(~is_term) - 1
    first = np.concatenate([[0], np.cumsum(np.bincount(output[is_term], minlength=trees * outputs))])
    leaf, tree = op >= 0, np.repeat(np.arange(trees), np.diff(forest.starts))
    width = len(forest.reach)
    used, place = np.unique(tree[leaf] * width + op[leaf], return_inverse=True)
    input = np.full(len(op), -1)
    input[leaf] = place
    first_input = np.concatenate([[0], np.cumsum(np.bincount(used // width, minlength=trees))])
    return _Terms(marks[is_term], ends[is_term], first, input, used % width, first_input)


def _reads(forest: IntegerForest, terms: _Terms) -> tuple[IntArray, IntArray, IntArray]:
    """(terms,) the hidden nodes of each term; and the inputs of each, once: (terms + 1,) where they begin, (reads,)."""
    hidden = np.concatenate([[0], np.cumsum(terms.input < 0)])
    # A leaf that is an output's child is a term, so every leaf comes after the beginning of its own.
    leaf = np.flatnonzero(terms.input >= 0)
    term, width = np.searchsorted(terms.node, leaf, "right") - 1, len(terms.feature)
    pair = np.unique(term * width + terms.input[leaf])
    first = np.concatenate([[0], np.cumsum(np.bincount(pair // max(width, 1), minlength=len(terms.node)))])
    return hidden[terms.end] - hidden[terms.node], first, pair % max(width, 1)


@cache
def normal_rows(used: int) -> FloatArray:
    """(200, used) standard normal numbers, the same at every call."""
    return np.random.default_rng(0).normal(size=(TYPICAL_ROWS, used))


def _typical(forest: IntegerForest, terms: _Terms) -> NDArray[np.int8]:
    """(inputs, 200) as ``early_exit.typical_rows`` of each tree."""
    z = np.hstack([normal_rows(used) for used in np.diff(terms.first_input).tolist()])
    reach, middle = forest.reach[terms.feature], forest.middle[terms.feature]
    return np.clip(np.rint((z - middle) / reach * UNIT), -UNIT, UNIT).astype(np.int8).T


def _added(kernel: Kernel, forest: IntegerForest, terms: _Terms, codes: NDArray[np.int8], stop: Indices) -> IntArray:
    """(terms, rows) what each term adds to its output's sum: the sum of an output that has no other child. ``codes``
    (inputs, rows)."""
    below = forest.nodes["depth"] > 0
    tops = np.cumsum(below)[terms.node] - 1
    own = forest.numbers._asdict() | {"depth": forest.nodes["depth"]}
    own["op"] = np.where(terms.input >= 0, terms.input, forest.nodes["op"])
    of_top = {"op": ~code_of("identity"), "multiplier": 2048, "shift": 1}
    parts = {name: np.insert(own[name][below], tops, of_top.get(name, 0)) for name in FIELDS}
    return kernel_sums(kernel, parts, codes, stop)


def _walks(forest: IntegerForest, found: Planned, rows: int) -> list[Walk]:
    terms, outputs = found.terms, found.part.shape[1]
    # Plain lists: a tree has few terms, for which arrays take longer.
    starts, first, first_input = forest.starts.tolist(), terms.first.tolist(), terms.first_input.tolist()
    order, passed, ahead = found.order.tolist(), found.passed.tolist(), found.ahead.tolist()
    node, end, feature = terms.node.tolist(), terms.end.tolist(), terms.feature.tolist()
    walks = []
    for tree, sequence in enumerate(found.part.tolist()):
        begin, slot = starts[tree], first[tree * outputs]
        spans = [(node[term] - begin, end[term] - begin) for term in order[slot : first[(tree + 1) * outputs]]]
        read = [(ahead[i], feature[i]) for i in range(first_input[tree], first_input[tree + 1]) if ahead[i] >= 0]
        of_tree, looks, reached = list[Stretch](), 0, list[float]()
        for place, k in enumerate(sequence):
            count = first[tree * outputs + k + 1] - first[tree * outputs + k]
            own, spans = spans[:count], spans[count:]
            on = {n: share for n, share in enumerate(passed[slot : slot + count]) if share >= 0}
            before = tuple(name for at, name in read if at == place)
            if on and before:
                of_tree.append(Stretch([], before, 1.0))
            begins = [0, *(n for n in on if n)]
            for n, last in zip(begins, [*begins[1:], count], strict=True):
                of_tree.append(Stretch(own[n:last], (), on[n] / rows if n in on else 1.0))
            reached += [number / rows for number in [rows, *on.values()][: len(on)]]
            looks += len(on)
            slot += count
        walks.append(Walk(forest.nodes[begin : starts[tree + 1]], of_tree, looks, float(sum(reached))))
    return walks
