"""The node record: a tree is one flat structured array in prefix order.

``depth`` is 0 for an output node and one more for each edge from it, so prefix
order and depth together determine the shape: no child table is needed and a
subtree is a contiguous slice. ``op`` >= 0 is a leaf that reads feature ``op``;
``op`` < 0 is a function node whose activation code is ``~op``. ``weight`` belongs
to the edge to the parent (unused at depth 0) and ``bias`` to a function node;
both hold one value per fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS, NAMES, code_of

Nodes = np.ndarray  # structured, dtype node_dtype(folds), shape (nodes,)
IntArray = NDArray[np.integer]


class TreeError(ValueError):
    """A tree breaks a rule of its space; the message names the node."""


def node_dtype(folds: int = 1) -> np.dtype:
    """The record of one node, with weights and biases for ``folds`` folds."""
    return np.dtype(
        [("depth", np.int16), ("op", np.int32), ("weight", np.float64, (folds,)), ("bias", np.float64, (folds,))]
    )


@dataclass(frozen=True)
class Space:
    """What a legal tree is. ``max_nodes`` counts every node, outputs and leaves included."""

    n_features: int
    n_outputs: int = 1
    activations: tuple[str, ...] = ("sigmoid", "tanh", "gaussian", "relu")
    output_activation: str = "identity"
    max_nodes: int = 60
    max_depth: int = 5
    max_arity: int = 5
    min_arity: int = 1

    @property
    def codes(self) -> tuple[int, ...]:
        """The activation codes a hidden node may have, without repeats."""
        return tuple(sorted({code_of(name) for name in self.activations}))

    @property
    def output_code(self) -> int:
        return code_of(self.output_activation)


def is_leaf(nodes: Nodes) -> NDArray[np.bool_]:
    return nodes["op"] >= 0


def count_weights(nodes: Nodes) -> int:
    """Trainable scalars of one fold: an edge weight per node below the outputs, a bias per function node."""
    return int(np.count_nonzero(nodes["depth"] > 0) + np.count_nonzero(nodes["op"] < 0))


def subtree_end(depth: IntArray, start: int) -> int:
    """One past the last node of the subtree that begins at ``start``."""
    ends = np.flatnonzero(depth[start + 1 :] <= depth[start])
    return start + 1 + int(ends[0]) if len(ends) else len(depth)


def parents(depth: IntArray) -> IntArray:
    """The parent of every node (-1 for outputs), for one tree or several laid end to end."""
    parent = np.full(len(depth), -1, dtype=np.int64)
    above = np.flatnonzero(depth == 0)
    for level in range(1, int(depth.max(initial=0)) + 1):
        here = np.flatnonzero(depth == level)
        # In prefix order the parent is the nearest earlier node one level up.
        parent[here] = above[np.searchsorted(above, here) - 1]
        above = here
    return parent


def arities(depth: IntArray) -> IntArray:
    """The number of children of every node."""
    parent = parents(depth)
    return np.bincount(parent[parent >= 0], minlength=len(depth))


def check(nodes: Nodes, space: Space) -> None:
    """Raise ``TreeError`` naming the first node that breaks a rule of ``space``."""
    depth, op = nodes["depth"], nodes["op"]
    if len(nodes) == 0:
        raise TreeError("the tree has no nodes; it needs an output node at depth 0")
    if len(nodes) > space.max_nodes:
        raise TreeError(f"the tree has {len(nodes)} nodes; at most {space.max_nodes} are allowed")
    astray = (np.diff(depth, prepend=np.int16(-1)) > 1) | (depth < 0)
    if depth[0] != 0 or astray.any():
        bad = 0 if depth[0] != 0 else int(np.argmax(astray))
        raise TreeError(f"node {bad} has depth {depth[bad]}; prefix order starts at 0 and goes down one at a time")
    outputs = int(np.count_nonzero(depth == 0))
    if outputs != space.n_outputs:
        raise TreeError(f"the tree has {outputs} output nodes; the task needs {space.n_outputs}")
    inner, leaf, top = op < 0, op >= 0, depth == 0
    finite = np.isfinite(nodes["weight"]).all(axis=1) & np.isfinite(nodes["bias"]).all(axis=1)
    arity = arities(depth)
    rules = (
        (depth > space.max_depth, f"is deeper than max_depth = {space.max_depth}"),
        (leaf & (op >= space.n_features), f"reads a feature beyond the {space.n_features} there are"),
        (top & leaf, "is an output but reads a feature; outputs are function nodes"),
        (top & inner & (~op != space.output_code), f"is an output; its activation must be {space.output_activation}"),
        (
            ~top & inner & ~np.isin(~op, space.codes),
            f"has an activation outside the space: {', '.join(space.activations)}",
        ),
        (leaf & (arity > 0), "is a leaf with children"),
        (inner & (arity > space.max_arity), f"has more children than max_arity = {space.max_arity}"),
        (inner & (arity < space.min_arity), f"has fewer than {space.min_arity} children"),
        (~finite, "has a weight or bias that is not finite"),
    )
    for broken, text in rules:
        if broken.any():
            node = int(np.argmax(broken))
            raise TreeError(f"node {node} ({describe(nodes, node)}) {text}")


def describe(nodes: Nodes, index: int) -> str:
    """A node in words, for messages: ``x3 at depth 2`` or ``tanh at depth 1``."""
    op, depth = int(nodes["op"][index]), int(nodes["depth"][index])
    name = f"x{op}" if op >= 0 else NAMES[~op] if ~op < len(NAMES) else f"activation {~op}"
    return f"{name} at depth {depth}"


def simplify(nodes: Nodes) -> Nodes:
    """The same function with fewer nodes: repeated inputs merged, edges of weight zero and constants dropped.

    Exact in every fold: an edge goes only where its weight is zero in all folds, and a node that has
    lost all its children is a constant, which its parent's bias absorbs.
    """
    nodes = nodes.copy()
    depth, op = nodes["depth"], nodes["op"]
    parent = parents(depth)
    keep = np.ones(len(nodes), dtype=bool)
    first: dict[tuple[int, int], int] = {}
    for i in np.flatnonzero(op >= 0).tolist():
        twin = first.setdefault((int(parent[i]), int(op[i])), i)
        if twin != i:
            nodes["weight"][twin] += nodes["weight"][i]
            keep[i] = False
    children = np.bincount(parent[keep & (parent >= 0)], minlength=len(nodes))
    dead = keep & (depth > 0) & ~nodes["weight"].any(axis=1)
    if not dead.any() and not (children[op < 0] == 0).any():
        return nodes[keep]
    # Children come after their parent, so backwards order sees a node when all its children are settled.
    for i in range(len(nodes) - 1, -1, -1):
        if not keep[i] or depth[i] == 0:
            continue
        up = parent[i]
        constant = op[i] < 0 and children[i] == 0
        if dead[i] or constant:
            if constant and not dead[i]:
                nodes["bias"][up] += nodes["weight"][i] * ACTIVATIONS[~op[i]].value(nodes["bias"][i])
            if depth[up] == 0 and children[up] == 1:
                _last_leaf(nodes, keep, i)
                continue
            keep[i : subtree_end(depth, i)] = False
            children[up] -= 1
    return nodes[keep]


def _last_leaf(nodes: Nodes, keep: NDArray[np.bool_], i: int) -> None:
    """An output must keep a child: make ``i`` a leaf of weight zero, reading the first input below it."""
    below = slice(i, subtree_end(nodes["depth"], i))
    ops = nodes["op"][below]
    nodes["op"][i] = ops[ops >= 0][0] if (ops >= 0).any() else 0
    nodes["weight"][i] = 0.0
    nodes["bias"][i] = 0.0
    keep[below] = False
    keep[i] = True


def simplify_all(trees: list[Nodes]) -> list[Nodes]:
    """``simplify`` each; those with nothing to simplify, found for all at once, are returned as they are."""
    nodes, starts = join(trees)
    depth, op = nodes["depth"], nodes["op"].astype(np.int64)
    parent = parents(depth)
    leaves = np.flatnonzero(op >= 0)
    reads = parent[leaves] * (op.max(initial=0) + 1) + op[leaves]
    order = np.argsort(reads, kind="stable")
    repeated = leaves[order[1:][np.diff(reads[order]) == 0]]
    idle = np.flatnonzero((depth > 0) & ~nodes["weight"].any(axis=1))
    childless = np.flatnonzero((op < 0) & (np.bincount(parent[parent >= 0], minlength=len(nodes)) == 0))
    found = np.concatenate([repeated, idle, childless])
    marked = set((np.searchsorted(starts, found, side="right") - 1).tolist())
    return [simplify(tree) if i in marked else tree for i, tree in enumerate(trees)]


def join(trees: list[Nodes]) -> tuple[Nodes, IntArray]:
    """Several trees laid end to end, and where each starts (one entry more than there are trees)."""
    starts = np.concatenate([[0], np.cumsum([len(nodes) for nodes in trees])]).astype(np.int64)
    # np.concatenate compares structured types array by array; bytes join ten times faster.
    content = bytearray().join(nodes.tobytes() for nodes in trees)
    return np.frombuffer(content, dtype=trees[0].dtype), starts
