"""The last step of a search: finalists that are cut, and what nothing dominates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_friedman1

from neuraltree.compress.pruning.lesson import Lesson
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.space import check
from search.config.config import config_of
from search.engine.cut_finalists import with_cuts
from search.engine.evaluate import costs
from search.engine.evolution_step import State, generations
from search.engine.population import Members
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.judge.finish import finalists, live_front
from search.runs.progress import Phases
from search.table.data import Table


def prepared(**compress: str) -> tuple[Setup, Table]:
    X, y = make_friedman1(n_samples=150, random_state=0)
    table = Table(X, y, tuple(f"x{i}" for i in range(10)), "y", None, "regression", digest="")
    raw = {
        "data": {"source": "friedman"},
        "search": {"population": 20, "folds": 2},
        "train": {"epochs": 3},
        "compress": compress,
    }
    return set_up(config_of(raw, "the test"), table, workers=1), table


def after(setup: Setup, last: int) -> State:
    for state, _ in generations(setup.problem, setup.strategy, Phases()):
        if state.generation == last:
            return state
    raise AssertionError


def cut(setup: Setup, state: State, criterion: str) -> Members:
    front = live_front(setup, state)
    return with_cuts(setup.problem, setup.strategy, front, state.members, criterion, state.evaluations)


@pytest.mark.parametrize("criterion", ["ablation", "taylor", "line"])
def test_the_front_gets_members_that_nothing_dominates(criterion: str) -> None:
    setup, _ = prepared()
    state = after(setup, 3)
    front, found = live_front(setup, state), cut(setup, state, criterion)
    points = np.column_stack([found.columns[name] for name in setup.strategy.objectives])
    for i, point in enumerate(points):
        others = np.delete(points, i, axis=0)
        assert not ((others <= point).all(axis=1)).any()
    for point in np.column_stack([front.columns[name] for name in setup.strategy.objectives]):
        assert (points <= point).all(axis=1).any()  # an old member, or one that is at least as good
    assert len(set(found.ids.tolist())) == len(found.ids)
    assert (found.ids >= state.evaluations).any()
    for tree in found.trees:
        check(tree, setup.problem.space)
    wanted = costs(setup.problem, found.trees)
    assert np.array_equal(found.columns["weights"], wanted["weights"])


def test_only_the_rows_of_a_fold_rank_its_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation rows choose among finished trees, as in a generation, and never what is cut."""
    import search.engine.cut_finalists as module

    setup, _ = prepared()
    state, seen = after(setup, 0), []
    one_cut = module.cut_once

    def watched(tree: Nodes, lessons: list[Lesson], criterion: object, size: int) -> Nodes:
        seen.extend(lessons)
        return one_cut(tree, lessons, criterion, size)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "cut_once", watched)
    cut(setup, state, "taylor")
    folds = len(setup.problem.folds)
    inputs = setup.problem.data.inputs.astype(np.float64)
    for k, (_, held) in enumerate(setup.problem.folds):
        rows = seen[k].inputs
        assert not (rows[:, None] == inputs[held][None]).all(axis=2).any()
    assert len(seen) % folds == 0


def test_it_is_switched_on_by_the_config() -> None:
    for name in ("none", "taylor"):
        setup, _ = prepared(prune=name)
        state = after(setup, 2)
        assert (finalists(setup, state).ids >= state.evaluations).any() == (name == "taylor")


def test_a_model_that_breaks_a_constraint_is_cut_until_it_keeps_it() -> None:
    setup, _ = prepared()
    state = after(setup, 4)
    smallest = float(state.members.columns["weights"].min())
    bound = {"weights": max(smallest - 1, 2.0)}
    held = replace(setup, strategy=replace(setup.strategy, bounds=bound))
    assert not live_front(held, state).trees
    found = cut(held, state, "ablation")
    assert len(found.trees)
    assert (found.columns["weights"] <= bound["weights"]).all()


def test_an_unknown_criterion_is_refused() -> None:
    with pytest.raises(InputError, match=r"compress\.prune"):
        prepared(prune="best")
