"""DEAP's plain genetic programming, as in its example of symbolic regression: one objective, no fitted constants."""

from __future__ import annotations

import operator
import random
from functools import partial
from typing import Any

import numpy as np
from deap import base, gp, tools
from deap.algorithms import varAnd

from experiments.peers.arena import Arena, Clock, Found
from experiments.peers.formulas import MOST_NODES, Formula, best_by_size, judged
from neuraltree.arrays import FloatArray

POPULATION, TOURNAMENT, CROSSOVER, MUTATION = 300, 3, 0.5, 0.1
MOST_HEIGHT = 17


class Error(base.Fitness):
    weights = (-1.0,)


class Individual(gp.PrimitiveTree):
    def __init__(self, content: Any) -> None:
        super().__init__(content)
        self.fitness = Error()


def deap_gp(arena: Arena) -> Found:
    """Run plain GP; keep the best individual of every size over all generations."""
    random.seed(arena.seed)  # DEAP draws from the module's own generator
    rows, _ = arena.folds[0]
    space = primitives(arena.X.shape[1])
    toolbox = make_toolbox(space)
    clock, known = Clock(arena.budget_s), dict[int, Formula]()
    people = [toolbox.individual() for _ in range(POPULATION)]
    count = 0
    while True:
        count += score(people, space, arena.X[rows], arena.y[rows])
        best_by_size(known, (formula(each, space) for each in people))
        if not clock.running:
            break
        people = varAnd(tools.selTournament(people, POPULATION, TOURNAMENT), toolbox, CROSSOVER, MUTATION)
    search_s = clock.spent
    return Found(judged(arena, list(known.values())), count, search_s)


def primitives(features: int) -> Any:
    space = gp.PrimitiveSet("formula", features)
    table = ((operator.add, 2), (operator.sub, 2), (operator.mul, 2), (quotient, 2), (np.sin, 1), (np.tanh, 1))
    for function, arity in table:
        space.addPrimitive(function, arity, name=function.__name__)
    space.addEphemeralConstant("number", partial(random.uniform, -1, 1))
    return space


def quotient(a: Any, b: Any) -> Any:
    return a / np.sqrt(1.0 + b * b)


def make_toolbox(space: Any) -> Any:
    toolbox = base.Toolbox()
    grow = partial(gp.genFull, pset=space, min_=0, max_=2)
    toolbox.register("individual", lambda: Individual(gp.genHalfAndHalf(space, 1, 3)))
    toolbox.register("mate", gp.cxOnePoint)
    toolbox.register("mutate", gp.mutUniform, expr=lambda pset, type_: grow(type_=type_), pset=space)
    for name in ("mate", "mutate"):
        toolbox.decorate(name, gp.staticLimit(len, MOST_NODES))
        toolbox.decorate(name, gp.staticLimit(operator.attrgetter("height"), MOST_HEIGHT))
    return toolbox


def score(people: list[Any], space: Any, X: FloatArray, y: FloatArray) -> int:
    """Set the mean squared error of individuals without one; return their number."""
    new = [each for each in people if not each.fitness.valid]
    columns = list(X.T)
    with np.errstate(all="ignore"):
        for each in new:
            error = float(np.mean((gp.compile(each, space)(*columns) - y) ** 2))
            each.fitness.values = (error if np.isfinite(error) else 1e9,)
    return len(new)


def formula(tree: Any, space: Any) -> Formula:
    terminals = [node for node in tree if node.arity == 0]
    scalars = sum(not isinstance(node.value, str) for node in terminals)

    def values(X: FloatArray) -> FloatArray:
        found: FloatArray = gp.compile(tree, space)(*X.T)
        return found

    return Formula(len(terminals), scalars, len(tree), values, tree.fitness.values[0], tree)
