"""Which nodes of a tree a device trains under a budget of bytes: a table of selectors, one row each.

A selector gives each function node a score, and a choice takes nodes while the state of their training
(``TrainingState.bytes``) fits into the budget. After *Velocity-Based Neuron Selection* of Quelennec et al. 2024
(*Towards on-device learning on the edge: ways to select neurons to update under a budget constraint*), which trains the
fastest neurons up to a number of parameters, and compares with random ones and with a static scheme found offline. Two
things differ from the program of its authors: it stops at the first neuron that does not fit, and this goes on with the
next; its random rows count the parameters of neurons in their first order but train shuffled ones, so that they do not
keep the budget, and here every row does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.node_values import forward
from neuraltree.compress.pruning.edge_slopes import passed
from neuraltree.compress.pruning.lesson import Lesson
from neuraltree.tree.nodes import Nodes
from neuraltree.updating.equilibrium import at_rest, moved, similarity
from neuraltree.updating.evolved_choice import contributions, evolved
from neuraltree.updating.single_rows import row_by_row
from neuraltree.updating.training_state import Live, TrainingState

WITHOUT_ROWS, WITH_ROWS = "output", "gradient"  # the selectors by default
EPOCHS, RATE = 3, 0.01  # of the training of all nodes whose velocity counts


class Situation(NamedTuple):
    """What a selector may look at. ``lesson``: labelled rows of the conditions that the device will meet, or None."""

    nodes: Nodes
    lesson: Lesson | None
    rng: np.random.Generator

    @property
    def rows(self) -> Lesson:
        assert self.lesson is not None  # ``select`` has seen to it
        return self.lesson


Choice = Callable[[TrainingState, FloatArray, int, np.random.Generator], Live]


def greedy(state: TrainingState, scores: FloatArray, budget_bytes: int, rng: np.random.Generator) -> Live:
    """The nodes of the highest scores; those that do not fit are skipped, and the next are tried.

    No node that was skipped would fit in the end: what is trained only grows, and with it the bytes.
    """
    del rng
    live = np.zeros(len(scores), dtype=bool)
    for node in np.argsort(-scores, kind="stable").tolist():
        live[node] = state.function[node]
        if state.bytes(live) > budget_bytes:
            live[node] = False
    return live


def everything(state: TrainingState, scores: FloatArray, budget_bytes: int, rng: np.random.Generator) -> Live:
    """All nodes; ``ValueError`` if they do not fit."""
    del scores, rng
    if state.most_bytes > budget_bytes:
        raise ValueError(f"training of all nodes takes {state.most_bytes} B, more than {budget_bytes} B")
    return state.function


def _velocity(seen: Situation) -> FloatArray:
    """|v| after a few epochs of training all nodes by single rows: the fastest neurons first."""
    motion, before = at_rest(len(seen.nodes)), forward(seen.nodes, seen.rows.inputs).values
    everywhere, rates = (seen.nodes["op"] < 0)[None], np.array([RATE])
    for found in row_by_row(seen.nodes, seen.rows, everywhere, rates, EPOCHS, seen.rng):
        now = forward(found.nodes(seen.nodes, 0), seen.rows.inputs).values
        motion, before = moved(motion, similarity(now, before)), now
    return np.abs(motion.velocity)


def _gradient(seen: Situation) -> FloatArray:
    """The norm of the mean gradient of a neuron's weights over all rows, over the root of their number."""
    found, state = passed(seen.nodes, seen.rows), TrainingState(seen.nodes)
    share = seen.rows.weight / seen.rows.weight.sum()
    squares = (found.deltas @ share) ** 2
    below = state.parent >= 0
    np.add.at(squares, state.parent[below], (found.by_edge @ share)[below] ** 2)
    return np.sqrt(squares / np.maximum(state.weights, 1))


class Selector(NamedTuple):
    """``scores`` (nodes,): the higher, the sooner a node is taken; those of leaves are ignored."""

    scores: Callable[[Situation], FloatArray]
    help: str
    needs_rows: bool = True
    choose: Choice = greedy


SELECTORS: dict[str, Selector] = {
    "output": Selector(lambda seen: -seen.nodes["depth"].astype(np.float64), "nearest to the output", needs_rows=False),
    "gradient": Selector(_gradient, "the largest gradient, over the root of the number of weights"),
    "velocity": Selector(_velocity, "the fastest (k-fastest): whose outputs change most from epoch to epoch"),
    "evolved": Selector(
        lambda seen: contributions(seen.nodes, seen.rows, seen.rng),
        "by an evolutionary search for the largest sum of what each gains alone",
        choose=evolved,
    ),
    "random": Selector(lambda seen: seen.rng.random(len(seen.nodes)), "at random, to compare with", needs_rows=False),
    "full": Selector(lambda seen: np.zeros(len(seen.nodes)), "all", needs_rows=False, choose=everything),
}


def select(nodes: Nodes, budget_bytes: int, name: str, lesson: Lesson | None = None, seed: int = 0) -> Live:
    """(nodes,) the nodes to train, by the selector of this name, with at most so many bytes of state.

    ``ValueError`` for another name, if the selector needs rows and there is no lesson, or if not one node fits.
    """
    if name not in SELECTORS:
        raise ValueError(f"there is no selector {name!r}; there are {', '.join(SELECTORS)}")
    row, rng, state = SELECTORS[name], np.random.default_rng(seed), TrainingState(nodes)
    if row.needs_rows and lesson is None:
        able = ", ".join(other for other, each in SELECTORS.items() if not each.needs_rows)
        raise ValueError(
            f"the selector {name!r} looks at labelled rows, and there are none: give a lesson (neuraltree export: a "
            f"run, or --rows TABLE), or take one that needs none: {able}"
        )
    live = row.choose(state, row.scores(Situation(nodes, lesson, rng)), budget_bytes, rng)
    if not live.any():
        alone = [state.bytes(np.arange(len(nodes)) == i) for i in np.flatnonzero(state.function)]
        raise ValueError(f"no node can be trained in {budget_bytes} B: the smallest takes {min(alone)} B")
    return live
