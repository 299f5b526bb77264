"""The structures of fuzzy trees evolve by the operators and the selection of any search here.

A node's parameters stand in its record, so crossover moves a subtree with them, and children are trained from there.
Only operators that leave a node the number of its inputs are drawn: a node's rules are those of all its inputs, so a
node that gains or loses an input has none of its parameters left. That leaves out ``insert_edge``, ``grow_edge`` and
``remove_weakest_edge``; ``change_activation`` and ``perturb_weights`` have nothing to change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.fuzzy.fuzzy_forest import forest_of, loaded, record_width, stored
from neuraltree.fuzzy.fuzzy_training import FuzzyProblem, losses, trained
from neuraltree.fuzzy.fuzzy_tree import count_params
from neuraltree.fuzzy.rule_params import num_params
from neuraltree.option_values import is_finite, is_whole
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes
from search.errors import InputError
from search.selection.survivors import ranks, survivors
from search.variation.operators import make_child, make_toolbox

# HFNT crosses with a probability of .7 and mutates with .3 (Ojha, Abraham and Snášel 2017, table 2).
OPERATORS = {
    "crossover": 0.70,
    "one_leaf": 0.07,
    "all_leaves": 0.02,
    "subtree_insertion": 0.06,
    "subtree_deletion": 0.05,
    "subtree_replacement": 0.06,
    "hoist": 0.04,
}


class FuzzyMember(NamedTuple):
    """A trained tree, its mean squared error on the validation rows (targets in [0, 1]) and its parameters."""

    nodes: Nodes
    val_error: float
    params: int


@dataclass(frozen=True)
class FuzzyEvolution:
    """The settings of a search: ``FuzzyTreeRegressor(search=FuzzyEvolution(generations=20))``.

    ``validation``: the share of the rows that is kept from training; these rows choose the survivors. ``steps``: the
    training steps of each child.
    """

    population: int = 24
    generations: int = 10
    steps: int = 120
    validation: float = 0.25
    selection: str = "hypervolume"

    def evolve_fuzzy(self, problem: FuzzyProblem, *, seed: int) -> Nodes:
        """The tree with the lowest validation error."""
        return self.front(problem, seed=seed)[0].nodes

    def front(self, problem: FuzzyProblem, *, seed: int) -> list[FuzzyMember]:
        """The trees that no other dominates in validation error and parameters, lowest error first."""
        for name, least in (("population", 2), ("generations", 0), ("steps", 1)):
            if not is_whole(getattr(self, name), least):
                raise InputError(f"{name} = {getattr(self, name)!r} must be a whole number of {least} or more")
        if not is_finite(self.validation) or not 0 < self.validation < 1:
            raise InputError(f"validation = {self.validation!r} must be between 0 and 1")
        rng = np.random.default_rng(seed)
        order = rng.permutation(problem.X.shape[1])
        held = max(1, round(self.validation * len(order)))
        fit, rest = order[held:], order[:held]
        if not len(fit):
            raise InputError(f"{len(order)} rows leave none to train on; give more rows or a smaller validation share")
        toolbox = make_toolbox(problem.space, OPERATORS)
        width = record_width(problem.space.max_arity, problem.model.fuzzy_type)
        drawn = [
            random_tree(rng, problem.space, folds=width, max_nodes=problem.space.max_nodes)
            for _ in range(self.population)
        ]
        members = self._select(problem, self._trained(problem, drawn, fit, rest, rng), rng)
        for _ in range(self.generations):
            rank = ranks(_points(members), np.zeros(len(members)))
            pairs = rng.integers(len(members), size=(self.population, 2, 2))
            winners = np.where(rank[pairs[..., 0]] <= rank[pairs[..., 1]], pairs[..., 0], pairs[..., 1])
            children = [make_child(rng, members[i].nodes, members[j].nodes, toolbox)[0] for i, j in winners.tolist()]
            members = self._select(problem, members + self._trained(problem, children, fit, rest, rng), rng)
        rank = ranks(_points(members), np.zeros(len(members)))
        return sorted((members[i] for i in np.flatnonzero(rank == 0)), key=lambda member: member.val_error)

    def _trained(
        self,
        problem: FuzzyProblem,
        trees: list[Nodes],
        fit: NDArray[np.int64],
        rest: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> list[FuzzyMember]:
        forest = forest_of(trees, len(problem.X), problem.model)
        training = problem.training._replace(steps=self.steps)
        params = loaded(forest, trees, rng)
        params = trained(forest, params, problem.X[:, fit], problem.target[:, fit], training, rng)
        errors = losses(forest, params, problem.X[:, rest], problem.target[:, rest])
        kept = stored(forest, trees, params)
        sizes = [count_params(nodes, problem.model.fuzzy_type) for nodes in kept]
        return [FuzzyMember(*each) for each in zip(kept, errors.tolist(), sizes, strict=True)]

    def _select(self, problem: FuzzyProblem, members: list[FuzzyMember], rng: np.random.Generator) -> list[FuzzyMember]:
        """The survivors, from the best tree of each structure."""
        best: dict[bytes, FuzzyMember] = {}
        for member in sorted(members, key=lambda member: member.val_error):
            best.setdefault(member.nodes["depth"].tobytes() + member.nodes["op"].tobytes(), member)
        unique = list(best.values())
        chosen = survivors(
            _points(unique),
            np.zeros(len(unique)),
            self.population,
            method=self.selection,
            reference=_reference(problem),
            rng=rng,
        )
        return [unique[i] for i in chosen.tolist()]


def _points(members: list[FuzzyMember]) -> NDArray[np.float64]:
    return np.array([[member.val_error, member.params] for member in members])


def _reference(problem: FuzzyProblem) -> NDArray[np.float64]:
    """The error of the best constant on all rows, and the parameters of the largest tree."""
    space, fuzzy_type = problem.space, problem.model.fuzzy_type
    # A tree of N nodes, of which all function nodes have n inputs, has (N - outputs) / n of them.
    most = max(
        (space.max_nodes - space.n_outputs) // n * num_params(n, fuzzy_type)
        for n in range(space.min_arity, space.max_arity + 1)
    )
    return np.array([float(problem.target.var(axis=1).mean()), most + 1.0])
