"""A static scheme of what to train, found offline: what each node gains alone, and a search for the best sum of gains.

After Lin et al. 2022, *On-Device Training Under 256KB Memory* (https://arxiv.org/abs/2206.15472, section 3.2), which
measures the gain in accuracy from training each layer alone, takes the gain of several for the sum of theirs, and finds
the best sum under a limit of memory by an evolutionary search.
"""

from __future__ import annotations

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.lesson import Lesson
from neuraltree.tree.nodes import Nodes
from neuraltree.updating.single_rows import Parameters, losses, row_by_row
from neuraltree.updating.training_state import Live, TrainingState

EPOCHS, RATE, HELD_BACK = 3, 0.01, 4  # every fourth row says what training on the others gained
POPULATION, GENERATIONS, PARENTS = 32, 40, 8


def contributions(nodes: Nodes, lesson: Lesson, rng: np.random.Generator) -> FloatArray:
    """(nodes,) by how much the loss on held-back rows falls if a node alone is trained; 0 for leaves."""
    if len(lesson.inputs) < HELD_BACK:
        raise ValueError(f"the selector 'evolved' needs {HELD_BACK} rows or more; got {len(lesson.inputs)}")
    held = np.arange(len(lesson.inputs)) % HELD_BACK == HELD_BACK - 1
    fitted, judged = _part(lesson, ~held), _part(lesson, held)
    inner = np.flatnonzero(nodes["op"] < 0)
    alone = np.arange(len(nodes)) == inner[:, None]
    *_, last = row_by_row(nodes, fitted, alone, np.full(len(inner), RATE), EPOCHS, rng)
    before = losses(nodes, Parameters(nodes["weight"][:, :1], nodes["bias"][:, :1]), judged)
    found = np.zeros(len(nodes))
    found[inner] = before - losses(nodes, last, judged)
    return np.nan_to_num(found, neginf=0.0)


def _part(lesson: Lesson, rows: Live) -> Lesson:
    return Lesson(lesson.inputs[rows], lesson.targets[rows], lesson.weight[rows], lesson.loss)


def evolved(state: TrainingState, gains: FloatArray, budget_bytes: int, rng: np.random.Generator) -> Live:
    """The nodes with the largest sum of gains that an evolutionary search finds under the budget.

    Children come from two parents node by node and change one node on average; what is too much leaves at random.
    """
    inner = np.flatnonzero(state.function)
    population: list[Live] = [
        _fitting(state, rng.random(len(gains)) < 0.5, budget_bytes, rng) for _ in range(POPULATION)
    ]
    for _ in range(GENERATIONS):
        population.sort(key=lambda live: -float(gains[live].sum()))
        best = population[:PARENTS]
        for place in range(PARENTS, POPULATION):
            first, second = rng.integers(PARENTS, size=2)
            child = np.where(rng.random(len(gains)) < 0.5, best[first], best[second])
            child[inner] ^= rng.random(len(inner)) < 1 / len(inner)
            population[place] = _fitting(state, child, budget_bytes, rng)
    found: Live = max(population, key=lambda live: float(gains[live].sum()))
    return found if found.any() else _one(state, gains, budget_bytes)


def _one(state: TrainingState, gains: FloatArray, budget_bytes: int) -> Live:
    """Where each node does harm: the one that does least, if one fits."""
    alone = np.eye(len(gains), dtype=bool)
    fitting = [i for i in np.flatnonzero(state.function).tolist() if state.bytes(alone[i]) <= budget_bytes]
    return alone[max(fitting, key=lambda i: gains[i])] if fitting else np.zeros(len(gains), dtype=bool)


def _fitting(state: TrainingState, live: Live, budget_bytes: int, rng: np.random.Generator) -> Live:
    live = live & state.function
    while state.bytes(live) > budget_bytes:
        live[rng.choice(np.flatnonzero(live))] = False
    return live
