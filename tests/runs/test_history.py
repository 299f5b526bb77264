"""The history of a run: descent, fronts and activations by generation, while it runs and when it is done."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from neuraltree.activations import NAMES
from search import run
from search.engine.evolution_step import begin, step
from search.engine.problem import set_up
from search.errors import InputError
from search.folder.history import history_of, joined, load_history, of_generation
from search.variation.operators import PARENTS
from tests.search.test_engine import config, quiet, regression_table

GENERATIONS, POPULATION = 5, 12


@pytest.fixture(scope="module", params=[False, True], ids=["inherited", "retrained"])
def made(request):
    search = {"population": POPULATION, "folds": 2, "retrain_survivors": request.param}
    setup = set_up(config(search=search, constraints={"weights": 9.0}), regression_table())
    steps = [begin(setup.problem, setup.strategy, quiet)]
    for _ in range(GENERATIONS):
        steps.append(step(setup.problem, setup.strategy, steps[-1][0], quiet))
    return steps, history_of(joined([of_generation(*each) for each in steps]), ("error", "weights"), [])


def test_a_row_is_the_tree_of_that_id(made):
    steps, history = made
    assert np.concatenate([info.evaluated.ids for _, info in steps]).tolist() == list(range(len(history.parents)))
    for state, info in steps:
        new = info.evaluated.ids
        assert set(history.generation[new]) == {state.generation}
        for name, values in info.evaluated.columns.items():
            np.testing.assert_array_equal(history.columns[name][new], values)
        over = info.evaluated.columns["weights"] > 9
        np.testing.assert_array_equal(history.feasible[new], ~over & info.evaluated.ok)
        np.testing.assert_array_equal(history.ok[new], info.evaluated.ok)


def test_parents_were_in_the_population_and_are_as_many_as_the_operator_takes(made):
    steps, history = made
    assert (history.parents[:POPULATION] == -1).all()
    assert set(history.operator[:POPULATION]) == {"random"}
    for (before, _), (_, info) in pairwise(steps):
        for i in info.evaluated.ids:
            known = history.parents[i][history.parents[i] >= 0]
            assert len(known) == PARENTS.get(str(history.operator[i]), 1)
            assert set(known) <= set(before.members.ids)


def test_an_unchanged_child_has_the_structure_of_its_parent(made):
    """So the first parent is the one whose root a child has."""
    steps, history = made
    trees = {
        int(i): tree for _, info in steps for i, tree in zip(info.evaluated.ids, info.evaluated.trees, strict=True)
    }
    same = np.flatnonzero(np.isin(history.operator, ["perturb_weights", "copy", "retrained"]))
    assert len(same) > 0
    for i in same.tolist():
        assert trees[i]["op"].tolist() == trees[int(history.parents[i, 0])]["op"].tolist()


def test_fronts_and_activations_are_those_of_each_generation(made):
    steps, history = made
    for g, (state, info) in enumerate(steps):
        assert history.fronts[g].tolist() == state.members.ids[info.front].tolist()
        hidden = [~op for tree in state.members.trees for op in tree["op"][tree["depth"] > 0].tolist() if op < 0]
        assert history.activation_nodes[g].tolist() == [hidden.count(code) for code in range(len(NAMES))]


def test_a_run_has_the_same_history_under_way_and_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr("search.runs.loop._complete", lambda *_: 0)
    small = ["search.population=8", "search.generations=2", "search.folds=2", "train.epochs=2", "hardware.device="]
    changes = [f"--set={text}" for text in [*small, 'search.objectives=["error","weights"]']]
    arguments = ["experiments/configs/quickstart.toml", "--out", str(out), "--quiet"]
    with pytest.raises(InputError, match=r"holds no evolution\.npz"):
        load_history(out)
    assert run.main([*arguments, *changes]) == 0
    going = load_history(out)
    monkeypatch.undo()
    assert run.main([str(out), "--resume", "--quiet"]) == 0
    done = load_history(out)
    assert not list((out / "checkpoint").glob("history-*"))
    for name in ("parents", "operator", "generation", "feasible", "activation_nodes"):
        np.testing.assert_array_equal(getattr(going, name), getattr(done, name))
    assert going.objectives == done.objectives == ("error", "weights")
    assert [row["generation"] for row in done.rows] == [0, 1, 2]
    assert [front.tolist() for front in going.fronts] == [front.tolist() for front in done.fronts]


def test_generations_older_than_an_activation_have_none_of_it() -> None:
    """A run that was begun before the table grew goes on after it."""
    older, newer = np.array([[3, 1]]), np.arange(len(NAMES))[None]
    parts = [{"front": np.array([0]), "activation_nodes": counted} for counted in (older, newer)]
    found = joined(parts)
    assert found["activation_nodes"].tolist() == [[3, 1, *[0] * (len(NAMES) - 2)], list(range(len(NAMES)))]
    assert tuple(found["activations"].tolist()) == NAMES
