"""A random tree that reads every input: the start of a single tree that is trained without a search."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neuraltree.tree.generate import random_tree, redraw_weights
from neuraltree.tree.nodes import Nodes, node_dtype, parents
from neuraltree.tree.space import Space

# Before inputs are added, take the first tree that has this share of ``size``, or the last of so many draws.
LEAST_SHARE, DRAWS = 0.5, 10


@dataclass
class _Node:
    depth: int
    op: int
    children: list[_Node] = field(default_factory=list)


def covering_tree(rng: np.random.Generator, space: Space, *, size: int) -> Nodes:
    """A legal random tree of about ``size`` nodes, plus the nodes needed to read every input of ``space``.

    Missing inputs become leaves of nodes that have room for another child. If there is no such node, a leaf is
    replaced by a function node with that leaf as its child. If ``max_nodes``, ``max_depth`` and ``max_arity`` leave
    no room for all inputs, the inputs that are read are drawn at random.
    """
    for _ in range(DRAWS):
        base = random_tree(rng, space, max_nodes=size)
        if len(base) >= LEAST_SHARE * size:
            break
    outputs = _linked(base)
    read = set(base["op"][base["op"] >= 0].tolist())
    missing = [feature for feature in rng.permutation(space.n_features).tolist() if feature not in read]
    _add(rng, outputs, missing, space, len(base))
    flat = _flat(outputs)
    nodes = np.zeros(len(flat), node_dtype(1))
    nodes["depth"], nodes["op"] = [node.depth for node in flat], [node.op for node in flat]
    return redraw_weights(rng, nodes)


def _linked(base: Nodes) -> list[_Node]:
    made = [_Node(int(depth), int(op)) for depth, op in zip(base["depth"], base["op"], strict=True)]
    for node, parent in zip(made, parents(base["depth"]).tolist(), strict=True):
        if parent >= 0:
            made[parent].children.append(node)
    return [node for node in made if node.depth == 0]


def _add(rng: np.random.Generator, outputs: list[_Node], missing: list[int], space: Space, used: int) -> None:
    nodes = _flat(outputs)
    open_nodes = [n for n in nodes if n.op < 0 and n.depth < space.max_depth and len(n.children) < space.max_arity]
    leaves = [n for n in nodes if n.op >= 0 and n.depth < space.max_depth]
    for feature in missing:
        if not open_nodes and leaves and used + 2 <= space.max_nodes:
            split = _take(rng, leaves)
            below = _Node(split.depth + 1, split.op)
            split.op, split.children = ~int(rng.choice(space.codes)), [below]
            open_nodes.append(split)
            used += 1
            if below.depth < space.max_depth:
                leaves.append(below)
        if not open_nodes or used == space.max_nodes:
            return
        parent = _take(rng, open_nodes)
        leaf = _Node(parent.depth + 1, feature)
        parent.children.append(leaf)
        used += 1
        if leaf.depth < space.max_depth:
            leaves.append(leaf)
        if len(parent.children) < space.max_arity:
            open_nodes.append(parent)


def _take(rng: np.random.Generator, nodes: list[_Node]) -> _Node:
    """A node drawn at random and removed, in constant time."""
    i = int(rng.integers(len(nodes)))
    nodes[i], nodes[-1] = nodes[-1], nodes[i]
    return nodes.pop()


def _flat(outputs: list[_Node]) -> list[_Node]:
    """All nodes in prefix order, without recursion because a tree may be deep."""
    waiting, found = outputs[::-1], []
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.children[::-1]
    return found
