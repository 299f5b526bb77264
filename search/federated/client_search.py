"""A search whose trees are trained by clients: the coordinator varies and selects structures by the clients' errors.

A client is a fold of the search, with rows to fit and rows to validate on that nobody else sees. Only weights travel
to and fro, and errors to the coordinator; with ``grow_edge`` among the operators gradients travel too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.federated.averaging import Plan, averaged, check_plan, rate_shares
from neuraltree.tree.generate import varied_tree
from neuraltree.tree.nodes import Nodes
from search.engine.evaluate import Evaluated, Fold, Problem, edge_slopes, evaluate, trained, with_costs
from search.engine.evolution_step import Strategy
from search.engine.problem import Setup
from search.errors import InputError
from search.variation.genes import Genes

LEAST = 2  # rows of a client: one to fit and one to validate on


@dataclass(frozen=True)
class ClientWork:
    """The work of a search as clients do it. ``problem``: its folds are the clients, and nobody else works on it."""

    problem: Problem
    plan: Plan

    def evaluate(self, generation: int, trees: list[Nodes], genes: Genes) -> Evaluated:
        """As ``search.engine.evaluate.evaluate`` with the averaged weights, the same in all folds: the clients' errors
        count by their validation rows."""
        averages = self.rounds(trees, generation, self.plan.epochs)
        found = evaluate(replace(self.problem, epochs=0), averages, generation, genes)
        return with_costs(self.problem, found, genes)

    def slopes(self, generation: int, trees: list[Nodes]) -> list[FloatArray]:
        """The clients' slopes, averaged by their rows."""
        found = [np.moveaxis(each, 2, 0) for each in edge_slopes(self.problem, trees)]
        return [np.moveaxis(self._everywhere(each), 0, 2) for each in found]

    def judge(self, repeat: int, trees: list[Nodes], genes: Genes, epochs: int, faster: float) -> list[Nodes]:
        raise InputError("clients judge no finalists again; use the front of the last generation")

    def rounds(self, trees: list[Nodes], stream: int, epochs: int) -> list[Nodes]:
        """Trees trained by all clients in all rounds, with the averaged weights in all folds."""
        shares = rate_shares(self.problem.settings.schedule, self.plan.rounds)
        fixed = replace(self.problem, settings=self.problem.settings._replace(schedule="constant"))
        for number, share in enumerate(shares):
            own = trained(fixed, trees, stream * self.plan.rounds + number, epochs=epochs, faster=share)
            trees = [self._averaged(tree) for tree in own]
        return trees

    def _averaged(self, tree: Nodes) -> Nodes:
        same = tree.copy()
        for name in ("weight", "bias"):
            same[name] = self._everywhere(tree[name].T).T
        return same

    def _everywhere(self, values: FloatArray) -> FloatArray:
        """The average of values (clients, ...) for each of the clients."""
        return np.broadcast_to(averaged(values, [len(fit) for fit, _ in self.problem.folds]), values.shape)


def client_search(setup: Setup, clients: Sequence[NDArray], plan: Plan, seed: int) -> tuple[Problem, Strategy]:
    """The problem and the strategy for ``evolution_step.generations``, of a run that is set up on all clients' rows.

    ``clients``: the positions of each client's rows among the training rows; a quarter of them, at random, validate.
    A step trains in ``plan.rounds`` rounds of ``plan.epochs`` epochs of each client. The scaling of the run is that of
    ``neuraltree.federated.pooled_scaler``, for which only sums travel. ``InputError`` for a client with too few rows,
    without clients, or for rows that are none or belong to a client already; ``ValueError`` as ``check_plan``.
    """
    check_plan(plan)
    _check_rows(clients, len(setup.train_rows))
    folds = tuple(_parts(rows, k, np.random.default_rng((seed, k))) for k, rows in enumerate(clients))
    alone = replace(setup.problem, folds=folds, patience=0, first_rows=0, epochs=plan.epochs)
    strategy = replace(
        setup.strategy, pruned=0, new_tree=partial(varied_tree, space=alone.space, folds=len(folds)), genes=()
    )
    return replace(alone, work=ClientWork(alone, plan)), strategy


def _check_rows(clients: Sequence[NDArray], count: int) -> None:
    rows = np.concatenate([np.asarray(each) for each in clients]) if len(clients) else np.zeros(0)
    if not len(rows) or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= count:
        raise InputError(f"the clients need rows, each a whole number from 0 to {count - 1}, its place in training")
    if len(np.unique(rows)) < len(rows):
        raise InputError("a row belongs to two clients, or to one twice: it would be trained and validated on at once")


def _parts(rows: NDArray, client: int, rng: np.random.Generator) -> Fold:
    if len(rows) < LEAST:
        raise InputError(f"client {client} has {len(rows)} rows; it needs at least {LEAST}: leave it out, or join two")
    mixed = rng.permutation(rows)
    held = max(1, len(mixed) // 4)
    return np.sort(mixed[held:]), np.sort(mixed[:held])
