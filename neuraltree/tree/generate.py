"""Random trees: our own, of many sizes, and trees like those of the reference (BNeuralT)."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import Nodes, arities, node_dtype, parents
from neuraltree.tree.space import Space, TreeError

BIAS_SPREAD = 0.3  # standard deviation of a new bias
DRAWN_ARITY = 5  # most children of a drawn node; wider nodes come from wide trees and inserted edges
WIDE_HIDDEN = 6  # most hidden nodes of each output of a wide tree
DrawnNode = tuple[int, int, float]  # depth, op, standard deviation of the weight


def least_nodes(space: Space) -> int:
    """The number of nodes of the smallest subtree with a function node at its root."""
    return 1 + max(1, space.min_arity)


def random_tree(rng: np.random.Generator, space: Space, *, folds: int = 1, max_nodes: int | None = None) -> Nodes:
    """A legal tree of a size drawn uniformly up to ``max_nodes`` (by default half of the space's limit).

    Every output gets about the same share of the nodes. The drawn size is an upper limit: shares too
    small for a function node, or at the largest depth, become single leaves. No input is repeated
    under a parent unless the space forces it. Weights are N(0, 2 / arity of the parent) and biases
    N(0, 0.3²), equal in all folds.
    """
    share = least_nodes(space)
    least = share * space.n_outputs
    if least > space.max_nodes or space.max_depth < 1:
        raise TreeError(
            f"the smallest tree has {least} nodes and depth 1; "
            f"max_nodes = {space.max_nodes} and max_depth = {space.max_depth} leave no room for it"
        )
    most = space.max_nodes // 2 if max_nodes is None else min(max_nodes, space.max_nodes)
    spare = int(rng.integers(max(most - least, 0), endpoint=True))
    rows: list[DrawnNode] = []
    for extra in rng.multinomial(spare, [1 / space.n_outputs] * space.n_outputs).tolist():
        rows.append((0, ~space.output_code, 0.0))
        _add_children(rng, rows, space, 1, share + extra - 1)
    return _fill(rng, rows, folds)


def wide_tree(rng: np.random.Generator, space: Space, *, folds: int = 1) -> Nodes:
    """A legal tree whose outputs read many inputs directly and have a few hidden nodes that read inputs.

    Such a tree is a linear model with a few nonlinear terms. In about half of the trees the outputs read all inputs, if
    the space allows it. All outputs have the same number of inputs and of hidden nodes, drawn within the limits of the
    space. Weights are drawn as in ``random_tree``. If the space has no such tree, the result is a ``random_tree``.
    """
    room, features = space.max_nodes // space.n_outputs - 1, space.n_features
    least = max(min(2, features), space.min_arity)  # inputs of a hidden node
    spare = (room - features) // (1 + least) if space.max_depth > 1 and least <= features else 0
    hidden = _below(rng, 1 + max(0, min(WIDE_HIDDEN, spare, space.max_arity - 1)))
    fewest = max(1, space.min_arity - hidden)
    most = min(features, room - hidden * (1 + least), space.max_arity - hidden)
    if fewest > most or space.max_depth < 1:
        return random_tree(rng, space, folds=folds)
    direct = min(most, features if rng.random() < 0.5 else fewest + _below(rng, features - fewest + 1))
    fan_in = min(features, space.max_arity, (room - direct) // hidden - 1) if hidden else 0
    rows: list[DrawnNode] = []
    for _ in range(space.n_outputs):
        scale = sqrt(2 / (direct + hidden))
        rows.append((0, ~space.output_code, 0.0))
        rows += [(1, feature, scale) for feature in rng.permutation(features)[:direct].tolist()]
        for _ in range(hidden):
            inputs = rng.permutation(features)[: least + _below(rng, fan_in - least + 1)].tolist()
            rows.append((1, ~space.codes[_below(rng, len(space.codes))], scale))
            rows += [(2, feature, sqrt(2 / len(inputs))) for feature in inputs]
    return _fill(rng, rows, folds)


def varied_tree(rng: np.random.Generator, space: Space, *, folds: int = 1) -> Nodes:
    """A ``random_tree`` or, equally likely, a ``wide_tree``: a population then has both small and linear models."""
    return (wide_tree if rng.random() < 0.5 else random_tree)(rng, space, folds=folds)


def random_subtree(
    rng: np.random.Generator, space: Space, *, depth: int, max_nodes: int, folds: int, min_nodes: int = 1
) -> Nodes:
    """A random subtree with its root, a leaf or a function node, at ``depth``, and at most ``max_nodes`` nodes.

    Sizes are log-uniform from ``min_nodes``, so small subtrees are more frequent. If ``min_nodes`` is
    ``least_nodes`` or more, the root is a function node whenever ``depth`` allows one. The weight of the
    root is drawn as for an only child; an operator that keeps the edge above it keeps the edge's weight.
    """
    size = min(int(min_nodes * ((max_nodes + 1) / min_nodes) ** rng.random()), max_nodes)
    if size < least_nodes(space) or depth >= space.max_depth:
        return _fill(rng, [(depth, _below(rng, space.n_features), sqrt(2))], folds)
    rows: list[DrawnNode] = [(depth, ~space.codes[_below(rng, len(space.codes))], sqrt(2))]
    _add_children(rng, rows, space, depth + 1, size - 1)
    return _fill(rng, rows, folds)


def _below(rng: np.random.Generator, stop: int) -> int:
    # Four times as fast as rng.integers(stop), and called for every node.
    return int(rng.random() * stop)


def _add_children(rng: np.random.Generator, rows: list[DrawnNode], space: Space, depth: int, budget: int) -> None:
    """Append the subtrees of the last function node, whose children are at ``depth``: at most ``budget`` nodes."""
    codes, shares, read = space.codes, _shares(rng, space, depth, budget), set[int]()
    scale = sqrt(2 / len(shares))
    for share in shares:
        if share > 1:
            rows.append((depth, ~codes[_below(rng, len(codes))], scale))
            _add_children(rng, rows, space, depth + 1, share - 1)
            continue
        feature = _below(rng, space.n_features)
        while feature in read and len(read) < space.n_features:
            feature = _below(rng, space.n_features)
        read.add(feature)
        rows.append((depth, feature, scale))


def _shares(rng: np.random.Generator, space: Space, depth: int, budget: int) -> list[int]:
    """The number of nodes of each child at ``depth``: a random split of ``budget``; 1 means a leaf."""
    most = min(space.max_arity, max(DRAWN_ARITY, space.min_arity), budget)
    fewest = min(max(space.min_arity, 2), most)
    arity = fewest + _below(rng, most - fewest + 1)
    spare = budget - arity
    cuts = [0, *sorted(_below(rng, spare + 1) for _ in range(arity - 1)), spare]
    smallest = least_nodes(space) if depth < space.max_depth else budget + 1
    shares = [1 + right - left for left, right in pairwise(cuts)]
    shares = [share if share >= smallest else 1 for share in shares]
    # Leaves beyond the number of features would repeat an input.
    for _ in range(min(shares.count(1) - space.n_features, arity - max(1, space.min_arity))):
        shares.remove(1)
    return shares


def redraw_weights(rng: np.random.Generator, tree: Nodes) -> Nodes:
    """The same structure with new weights and biases, drawn as in ``random_tree``."""
    depth = tree["depth"]
    arity = arities(depth)[parents(depth)]
    return _draw_weights(rng, tree.copy(), np.where(depth > 0, np.sqrt(2 / np.maximum(arity, 1)), 0.0))


def _fill(rng: np.random.Generator, rows: list[DrawnNode], folds: int) -> Nodes:
    depth, op, scale = zip(*rows, strict=True)
    nodes = np.zeros(len(rows), node_dtype(folds))
    nodes["depth"], nodes["op"] = depth, op
    return _draw_weights(rng, nodes, np.array(scale))


def _draw_weights(rng: np.random.Generator, nodes: Nodes, scale: NDArray[np.float64]) -> Nodes:
    """Write weights, N(0, ``scale``²) with ``scale`` (nodes,), and biases into ``nodes``, the same for every fold."""
    weight, bias = rng.standard_normal((2, len(nodes)))
    nodes["weight"] = (weight * scale)[:, None]
    nodes["bias"] = (BIAS_SPREAD * bias * (nodes["op"] < 0))[:, None]
    return nodes


def reference_tree(
    rng: np.random.Generator,
    n_features: int,
    n_classes: int,
    *,
    leaf_probability: float = 0.4,
    max_children: int = 5,
    max_depth: int = 5,
    minimum_nodes: int = 8,
    folds: int = 1,
) -> Nodes:
    """A random tree as the reference makes it (BNeuralT, github.com/vojha-code/BNeuralT): all sigmoids.

    A function node has 2 to ``max_children`` - 1 children. A child is a leaf with ``leaf_probability``
    and reads any input, repeats included. Edge weights and biases are U[0, 1]. The reference's class
    nodes, always function nodes, are the outputs here. Its root above them computes nothing and is left
    out, as are the unused edges to it. A regression tree (``n_classes`` = 1) with fewer than
    ``minimum_nodes`` nodes is drawn again. The reference counts depth from the children of its root,
    so a path has up to ``max_depth`` + 1 edges.
    """
    space = reference_space(n_features, n_classes, max_children=max_children, max_depth=max_depth)
    largest = max_children if leaf_probability >= 1 else space.max_nodes
    if n_classes == 1 and minimum_nodes > largest:
        raise ValueError(f"minimum_nodes = {minimum_nodes}; with these settings a tree has at most {largest} nodes")
    while True:
        depth, leaf = _reference_shape(rng, n_classes, leaf_probability, space)
        if n_classes > 1 or len(depth) >= minimum_nodes:
            break
    nodes = np.zeros(len(depth), node_dtype(folds))
    nodes["depth"] = depth
    nodes["op"] = np.where(leaf, rng.integers(n_features, size=len(depth)), ~space.output_code)
    weight, bias = rng.random((2, len(depth)))
    nodes["weight"] = (weight * (nodes["depth"] > 0))[:, None]
    nodes["bias"] = (bias * (nodes["op"] < 0))[:, None]
    return nodes


def reference_space(n_features: int, n_classes: int, *, max_children: int = 5, max_depth: int = 5) -> Space:
    """The space of the reference's trees; its ``max_nodes`` is the size of the largest possible tree."""
    if max_children < 3:
        raise ValueError(f"max_children = {max_children}; it must be at least 3, as nodes have 2 to max_children - 1")
    # The root of a regression is one level above the class nodes of a classifier, which are the outputs here.
    deepest = max_depth + (n_classes == 1)
    return Space(
        n_features,
        n_classes,
        activations=("sigmoid",),
        output_activation="sigmoid",
        max_nodes=n_classes * sum((max_children - 1) ** level for level in range(deepest + 1)),
        max_depth=deepest,
        max_arity=max_children - 1,
        min_arity=2,
    )


def _reference_shape(
    rng: np.random.Generator, roots: int, leaf_probability: float, space: Space
) -> tuple[list[int], list[bool]]:
    """The depth of every node in prefix order, and whether it is a leaf."""
    random = rng.random
    waiting, depth, leaf = [0] * roots, list[int](), list[bool]()
    while waiting:
        level = waiting.pop()
        ends = level > 0 and (level == space.max_depth or random() <= leaf_probability)
        depth.append(level)
        leaf.append(ends)
        if not ends:
            waiting += [level + 1] * (2 + int(random() * (space.max_arity - 1)))
    return depth, leaf
