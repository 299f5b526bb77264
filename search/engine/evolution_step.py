"""The evolution as pure steps: a state and a problem go in, the next state and a report of the step come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.generate import redraw_weights
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.simplify import simplify_all
from search.engine.evaluate import Problem, edge_slopes, evaluate, with_costs
from search.engine.population import Members, best_of_each_structure, merge, objectives, violation
from search.engine.pruned_trees import pruned_trees
from search.engine.row_samples import sampled
from search.selection.hypervolume import hypervolume
from search.selection.survivors import ranks, survivors
from search.variation.genes import Gene, Genes, child_genes, first_genes, joined
from search.variation.operators import GUIDED, PARENTS, make_child

Phase = Callable[[str], AbstractContextManager[None]]
# Streams of random numbers in a generation; the shuffles of fold k use (seed, generation, k).
VARY, SELECT = 2**31, 2**31 + 1
RANDOM, PRUNED = "random", "pruned"  # the origins of trees of the first population
RETRAINED = "retrained"  # the origin of a survivor that was trained further


@dataclass(frozen=True)
class Strategy:
    """The settings of the loop. All objectives are minimised; ``reference`` has one value for each."""

    population: int
    method: str
    inherit: bool
    retrain_survivors: bool
    toolbox: Any
    objectives: tuple[str, ...]
    reference: NDArray[np.float64]
    bounds: dict[str, float]
    new_tree: Callable[[np.random.Generator], Nodes]
    pruned: int = 0  # the most trees of the first population that are made by pruning
    genes: tuple[Gene, ...] = ()


@dataclass(frozen=True)
class State:
    """Everything the next generation depends on."""

    generation: int
    evaluations: int
    members: Members
    rank: NDArray[np.int64]


class Origin(NamedTuple):
    """The origin of evaluated trees: the operator that made each, and (trees, 2) ids of its parents, -1 for none."""

    operators: tuple[str, ...]
    parents: NDArray[np.int64]


class Reached(NamedTuple):
    """The progress of a search: the first fields of its next ``State``."""

    generation: int
    evaluations: int


class Info(NamedTuple):
    """A report of a step: the trees it evaluated, their origin, and the indicators of the new population."""

    evaluated: Members
    origin: Origin
    feasible: NDArray[np.bool_]  # (trees,) whether each tree of ``evaluated`` keeps all bounds
    hypervolume: float
    front: NDArray[np.int64]  # feasible members that no other member dominates
    best_error: float


def generations(
    problem: Problem, strategy: Strategy, phase: Phase, state: State | None = None
) -> Iterator[tuple[State, Info]]:
    """The search, one generation after another without end: the first population, or the one after ``state``, first."""
    while True:
        state, info = begin(problem, strategy, phase) if state is None else step(problem, strategy, state, phase)
        yield state, info


def begin(problem: Problem, strategy: Strategy, phase: Phase) -> tuple[State, Info]:
    """The first population, trained and scored."""
    problem = sampled(problem, 0)
    with phase("vary"):
        rng = np.random.default_rng((problem.seed, 0, VARY))
        drawn = [strategy.new_tree(rng) for _ in range(strategy.population)]
    with phase("train"):
        made = pruned_trees(problem, strategy.pruned) if strategy.pruned else []
    trees = simplify_all([*made, *drawn[len(made) :]])
    genes = first_genes(strategy.genes, problem.seed, len(trees))
    evaluated = _evaluate(problem, trees, genes, 0, np.arange(len(trees)), phase)
    operators = (PRUNED,) * len(made) + (RANDOM,) * (len(trees) - len(made))
    origin = Origin(operators, np.full((len(trees), 2), -1))
    return _select(problem, strategy, evaluated, evaluated, origin, Reached(0, len(trees)), phase)


def step(problem: Problem, strategy: Strategy, state: State, phase: Phase) -> tuple[State, Info]:
    """One generation: as many children as the population has trees, then the best of both survive."""
    generation = state.generation + 1
    problem = sampled(problem, generation)
    with phase("vary"):
        trees, origin, genes = _children(problem, strategy, state, generation)
    old = state.members
    if strategy.retrain_survivors:
        trees = trees + old.trees
        themselves = np.column_stack([old.ids, np.full_like(old.ids, -1)])
        origin = Origin(origin.operators + (RETRAINED,) * len(old.trees), np.vstack([origin.parents, themselves]))
        genes = joined(genes, old.columns)
    ids = state.evaluations + np.arange(len(trees))
    evaluated = _evaluate(problem, trees, genes, generation, ids, phase)
    everyone = evaluated if strategy.retrain_survivors else merge([evaluated, old])
    reached = Reached(generation, state.evaluations + len(trees))
    return _select(problem, strategy, everyone, evaluated, origin, reached, phase)


def _children(problem: Problem, strategy: Strategy, state: State, generation: int) -> tuple[list[Nodes], Origin, Genes]:
    """The children, where they come from, and their genes."""
    rng = np.random.default_rng((problem.seed, generation, VARY))
    # Binary tournaments by rank: two pairs of candidates for each child's two parents.
    drawn = rng.integers(len(state.rank), size=(strategy.population, 2, 2))
    winner = np.where(state.rank[drawn[..., 0]] <= state.rank[drawn[..., 1]], drawn[..., 0], drawn[..., 1])
    trees, operators = [], []
    for first, second in winner.tolist():
        child, operator = make_child(rng, state.members.trees[first], state.members.trees[second], strategy.toolbox)
        trees.append(child)
        operators.append(operator)
    trees = simplify_all(_guided(rng, problem, strategy, generation, trees, operators))
    if not strategy.inherit:
        trees = [redraw_weights(rng, tree) for tree in trees]
    alone = [PARENTS.get(name, 1) == 1 for name in operators]
    parents = state.members.ids[winner]
    parents[alone, 1] = -1
    winner[alone, 1] = winner[alone, 0]
    genes = child_genes(strategy.genes, problem.seed, generation, state.members.columns, winner)
    return trees, Origin(tuple(operators), parents), genes


def _guided(
    rng: np.random.Generator,
    problem: Problem,
    strategy: Strategy,
    generation: int,
    trees: list[Nodes],
    operators: list[str],
) -> list[Nodes]:
    """The children, with the work of guided operators done; the slopes of all their parents are computed at once."""
    waiting = [i for i, name in enumerate(operators) if name in GUIDED]
    if not waiting:
        return trees
    some = [trees[i] for i in waiting]
    slopes = problem.work.slopes(generation, some) if problem.work else edge_slopes(problem, some)
    grown = {
        i: getattr(strategy.toolbox, operators[i])(rng, trees[i], slopes=found)
        for i, found in zip(waiting, slopes, strict=True)
    }
    return [grown.get(i, tree) for i, tree in enumerate(trees)]


def _evaluate(
    problem: Problem,
    trees: list[Nodes],
    genes: Genes,
    generation: int,
    ids: NDArray[np.int64],
    phase: Phase,
) -> Members:
    if problem.work:
        with phase("train"):
            result = problem.work.evaluate(generation, trees, genes)
    else:
        with phase("train"):
            result = evaluate(problem, trees, generation, genes)
        with phase("cost"):
            result = with_costs(problem, result, genes)
    return Members(result.trees, ids, result.columns | dict(genes), result.ok)


def _select(
    problem: Problem,
    strategy: Strategy,
    everyone: Members,
    evaluated: Members,
    origin: Origin,
    reached: Reached,
    phase: Phase,
) -> tuple[State, Info]:
    with phase("select"):
        kept = everyone.take(_survivors(problem, strategy, everyone, reached.generation))
        points = objectives(kept, strategy.objectives, strategy.reference)
        excess = violation(kept, strategy.bounds)
        rank = ranks(points, excess)
        front = front_of(kept, points, rank, excess)
        volume = hypervolume(points[front], strategy.reference) if len(front) else 0.0
        feasible = kept.columns["val_error"][excess == 0]
        best = float(feasible.min()) if len(feasible) else float("nan")
        allowed = violation(evaluated, strategy.bounds) == 0
    return State(*reached, kept, rank), Info(evaluated, origin, allowed, volume, front, best)


def _survivors(problem: Problem, strategy: Strategy, everyone: Members, generation: int) -> NDArray[np.int64]:
    """Survivors, selected from the best tree of each structure, so that copies cannot fill the population.

    If there are fewer structures than places, the best copies fill the places left.
    """
    points = objectives(everyone, strategy.objectives, strategy.reference)
    excess = violation(everyone, strategy.bounds)
    order = np.lexsort((everyone.ids, everyone.columns["val_error"], excess))
    unique = best_of_each_structure(everyone, order)
    if len(unique) < strategy.population:
        copies = order[~np.isin(order, unique)]
        unique = np.sort(np.concatenate([unique, copies[: strategy.population - len(unique)]]))
    rng = np.random.default_rng((problem.seed, generation, SELECT))
    chosen = survivors(
        points[unique],
        excess[unique],
        strategy.population,
        method=strategy.method,
        reference=strategy.reference,
        rng=rng,
    )
    return unique[chosen]


def front_of(
    members: Members, points: NDArray[np.float64], rank: NDArray[np.int64], excess: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Feasible members of rank 0, ordered by validation error and then id; of equal points the earliest member."""
    candidates = np.flatnonzero((rank == 0) & (excess == 0))
    candidates = candidates[np.argsort(members.ids[candidates], kind="stable")]
    _, first = np.unique(points[candidates], axis=0, return_index=True)
    chosen = candidates[np.sort(first)]
    return chosen[np.lexsort((members.ids[chosen], members.columns["val_error"][chosen]))]
