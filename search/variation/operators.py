"""Crossover and mutations on slices of nodes: ``(rng, *trees, space) -> tree``, registered in a DEAP toolbox.

Every operator returns a legal tree and changes none of its arguments. If no legal change exists it returns the parent
itself. A weight moves with its node, in all folds. If a random subtree takes a node's place, the edge above that node
keeps its weight; in crossover and hoist the moved subtree brings its own edge weight along. Repeated inputs under one
parent are left for ``tree.simplify``.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from deap import base

from neuraltree.tree.generate import least_nodes, random_subtree
from neuraltree.tree.nodes import Nodes, subtree_end
from neuraltree.tree.space import Space
from search.errors import InputError
from search.variation import slices
from search.variation.edge_operators import absent_edges, grow_edge, insert_edge, remove_weakest_edge

REDRAWS = 5
UNCHANGED = "copy"  # stands for an operator if none changed the child


def crossover(rng: np.random.Generator, first: Nodes, second: Nodes, space: Space) -> Nodes:
    """A subtree of ``first`` below its outputs gives way to one of ``second``, drawn from those that fit the space."""
    here = slices.point(rng, slices.hidden(first), slices.leaves(first))
    end, level = subtree_end(first["depth"], here), int(first["depth"][here])
    sizes, heights = slices.extents(second["depth"].tolist())
    fits = (len(first) - (end - here) + sizes <= space.max_nodes) & (level + heights <= space.max_depth)
    # A leaf fits everywhere.
    there = slices.point(rng, [i for i in slices.hidden(second) if fits[i]], slices.leaves(second))
    return slices.spliced(first, here, end, second[there : there + sizes[there]], level)


def one_leaf(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """One leaf reads another input."""
    if space.n_features == 1:
        return tree
    child = tree.copy()
    leaf = slices.pick(rng, slices.leaves(tree))
    drawn = int(rng.random() * (space.n_features - 1))
    child["op"][leaf] = drawn + (drawn >= tree["op"][leaf])
    return child


def all_leaves(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """Every leaf reads a random input."""
    op = tree["op"]
    drawn = np.where(op >= 0, rng.integers(space.n_features, size=len(tree)), op)
    if np.array_equal(drawn, op):
        return tree
    child = tree.copy()
    child["op"] = drawn
    return child


def swap_input(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """All leaves that read one input read another one instead."""
    if space.n_features == 1:
        return tree
    old = slices.pick(rng, _inputs(tree))
    drawn = int(rng.random() * (space.n_features - 1))
    return _swapped(tree, old, drawn + (drawn >= old))


def merge_inputs(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """All leaves that read one input read another one that the tree reads already, so that it reads one less."""
    del space
    inputs = _inputs(tree)
    if len(inputs) == 1:
        return tree
    first, second = rng.permutation(inputs)[:2].tolist()
    return _swapped(tree, first, second)


def _inputs(tree: Nodes) -> list[int]:
    return np.unique(tree["op"][tree["op"] >= 0]).tolist()


def _swapped(tree: Nodes, old: int, new: int) -> Nodes:
    child = tree.copy()
    child["op"][tree["op"] == old] = new
    return child


def subtree_insertion(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """A leaf becomes a function node with a random subtree below it."""
    depth = tree["depth"]
    leaves = [i for i in slices.leaves(tree) if depth[i] < space.max_depth]
    smallest, room = least_nodes(space), space.max_nodes - len(tree) + 1
    if not leaves or room < smallest:
        return tree
    return _regrown(rng, tree, slices.pick(rng, leaves), space, smallest, room)


def subtree_deletion(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """A hidden function node and all below it become one leaf on a random input."""
    hidden = slices.hidden(tree)
    return _regrown(rng, tree, slices.pick(rng, hidden), space, 1, 1) if hidden else tree


def subtree_replacement(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """A subtree below the outputs becomes a random one."""
    point = slices.point(rng, slices.hidden(tree), slices.leaves(tree))
    size = subtree_end(tree["depth"], point) - point
    return _regrown(rng, tree, point, space, 1, space.max_nodes - len(tree) + size)


def change_activation(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """A hidden function node gets another activation of the space."""
    hidden = slices.hidden(tree)
    if not hidden or len(space.codes) == 1:
        return tree
    child = tree.copy()
    node = slices.pick(rng, hidden)
    child["op"][node] = ~slices.pick(rng, [code for code in space.codes if code != ~tree["op"][node]])
    return child


def hoist(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """A hidden function node is replaced by one of its descendants."""
    del space
    hidden = slices.hidden(tree)
    if not hidden:
        return tree
    depth, node = tree["depth"], slices.pick(rng, hidden)
    risen = slices.pick(rng, range(node + 1, subtree_end(depth, node)))
    return slices.replaced(tree, node, tree[risen : subtree_end(depth, risen)])


def perturb_weights(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """Every weight and bias in use gets its own noise in every fold: times 1 + N(0, 0.1²), plus N(0, 0.05²)."""
    del space
    child = tree.copy()
    noise = rng.standard_normal((4, *tree["weight"].shape))
    for name, factor, shift, used in (
        ("weight", noise[0], noise[1], tree["depth"] > 0),
        ("bias", noise[2], noise[3], tree["op"] < 0),
    ):
        child[name] = (tree[name] * (1 + 0.1 * factor) + 0.05 * shift) * used[:, None]
    return child


def _regrown(rng: np.random.Generator, tree: Nodes, start: int, space: Space, fewest: int, most: int) -> Nodes:
    """A random subtree of ``fewest`` to ``most`` nodes below the edge to ``start``; ``tree`` if it is the same."""
    piece = random_subtree(
        rng,
        space,
        depth=int(tree["depth"][start]),
        min_nodes=fewest,
        max_nodes=most,
        folds=tree["weight"].shape[1],
    )
    if len(piece) == 1 and piece["op"][0] == tree["op"][start]:
        return tree
    piece["weight"][0] = tree["weight"][start]
    return slices.replaced(tree, start, piece)


class Operator(NamedTuple):
    """One operator: ``function(rng, *parents, space)`` returns a child.

    The function of a ``guided`` operator also takes ``slopes``, see ``grow_edge``. ``of_signals``: the default
    probability in a search on recordings, where each input that a tree reads has a price of its own.
    """

    name: str
    function: Callable[..., Any]
    default_probability: float
    doc: str
    parents: int = 1
    guided: bool = False
    of_signals: float | None = None

    def usual(self, signals: bool) -> float:
        """The default probability."""
        return self.of_signals if signals and self.of_signals is not None else self.default_probability


OPERATORS: tuple[Operator, ...] = (
    Operator("crossover", crossover, 0.40, "a subtree is replaced by one of another tree", parents=2),
    Operator("one_leaf", one_leaf, 0.07, "one leaf reads another input"),
    Operator("all_leaves", all_leaves, 0.02, "every leaf reads a random input"),
    Operator("subtree_insertion", subtree_insertion, 0.08, "a leaf becomes a random subtree"),
    Operator("subtree_deletion", subtree_deletion, 0.07, "a subtree becomes a leaf"),
    Operator("subtree_replacement", subtree_replacement, 0.08, "a subtree becomes a random one"),
    Operator("change_activation", change_activation, 0.06, "a hidden node gets another activation"),
    Operator("insert_edge", insert_edge, 0.02, "a node reads one more input, drawn at random"),
    Operator("grow_edge", grow_edge, 0.05, "a node reads one more input, where the loss falls steeply", guided=True),
    Operator("remove_weakest_edge", remove_weakest_edge, 0.07, "the least important edge and its subtree are removed"),
    Operator("hoist", hoist, 0.05, "a node is replaced by one of its descendants"),
    Operator("perturb_weights", perturb_weights, 0.03, "every weight and bias gets random noise"),
    Operator("swap_input", swap_input, 0.0, "all leaves on one input read another one", of_signals=0.08),
    Operator("merge_inputs", merge_inputs, 0.0, "all leaves on one input read another of the tree's", of_signals=0.08),
)
PARENTS = {row.name: row.parents for row in OPERATORS}
GUIDED = frozenset(row.name for row in OPERATORS if row.guided)


def make_toolbox(space: Space, probabilities: dict[str, float]) -> base.Toolbox:
    """Every operator under its name with ``space`` bound, and ``draw(rng)``, which draws the name of one to apply.

    ``probabilities`` are relative, by operator; operators left out are not drawn. If it is empty the defaults apply.
    """
    chances = probabilities or {row.name: row.default_probability for row in OPERATORS}
    unknown = sorted(set(chances) - set(PARENTS))
    if unknown:
        raise InputError(f"unknown operator {unknown[0]!r}; allowed: {', '.join(PARENTS)}")
    # In the table's order, so that the order of ``probabilities`` changes no run.
    shares = np.array([chances.get(row.name, 0.0) for row in OPERATORS])
    cumulative = shares.cumsum()
    if not (np.isfinite(shares).all() and shares.min() >= 0 and cumulative[-1] > 0):
        raise InputError(f"operators need finite probabilities of 0 or more, not all 0; got {chances}")
    toolbox = base.Toolbox()
    for row in OPERATORS:
        toolbox.register(row.name, row.function, space=space)
    toolbox.register("absent_edges", absent_edges, space=space)
    toolbox.register("draw", _draw, names=tuple(PARENTS), cumulative=(cumulative / cumulative[-1]).tolist())
    return toolbox


def _draw(rng: np.random.Generator, names: tuple[str, ...], cumulative: list[float]) -> str:
    return names[bisect(cumulative, rng.random())]


def make_child(rng: np.random.Generator, first: Nodes, second: Nodes, toolbox: base.Toolbox) -> tuple[Nodes, str]:
    """One child and the name of the operator that made it. It grows from the root of ``first``.

    If an operator can change nothing another is drawn, at most ``REDRAWS`` times; then the child is ``first``. The
    child is also ``first`` if the operator is guided: it is applied later, when the slopes of all such parents are
    known.
    """
    for _ in range(1 + REDRAWS):
        name = toolbox.draw(rng)
        if name in GUIDED:
            if toolbox.absent_edges(first).any():
                return first, name
            continue
        operate = getattr(toolbox, name)
        child = operate(rng, first) if PARENTS[name] == 1 else operate(rng, first, second)
        if child is not first:
            return child, name
    return first, UNCHANGED
