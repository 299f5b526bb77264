"""The study of mixtures and of several tasks: limits, rows and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.frame.experiment import Unit
from experiments.studies.mixtures import page, shared_tasks
from experiments.studies.mixtures.limits import Part, curve, limits
from experiments.studies.mixtures.row_parts import parts_of, tasks_of
from experiments.studies.mixtures.run import COLUMNS, EXPERIMENT, EXPERTS, TASKS
from experiments.studies.mixtures.shared_tasks import NUMBER, _rebuilt, new_model, parts_of_model
from neuraltree.mixtures.joint_training import Learned
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.tree import Tree
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.study_pages import rendered


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch):
    found = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: found)
    return found


def test_what_does_nothing_can_be_pruned_and_more_cannot() -> None:
    """Of ten leaves four carry the output, which is the sum of them: pruning may take up to half of the nodes."""
    nodes = np.zeros(11, node_dtype())
    nodes["depth"], nodes["op"] = [0, *[1] * 10], [~5, *range(10)]
    nodes["weight"][1:5], nodes["weight"][5:] = 1, 1e-4
    X = np.random.default_rng(0).standard_normal((200, 10))
    tree = Tree(nodes, "regression", tuple(f"x{i}" for i in range(10)))
    y = X[:, :4].sum(axis=1)

    def score(trees: list[Tree]) -> float:
        return float(1 - np.mean((trees[0].predict(X) - y) ** 2) / y.var())

    found = limits([Part(tree, X, y)], score)
    assert found["prunable"] == 0.5
    assert found["lost_int8"] < 0.001
    assert found["lost_ternary"] >= found["lost_int8"]


def test_a_curve_has_its_ends() -> None:
    assert curve([4.0, 3.0, 2.0, 1.0, 0.0]) == {"loss_first": 4, "loss_quarter": 3, "loss_half": 2, "loss_last": 0}


def test_no_row_is_in_two_parts(table) -> None:
    tasks = tasks_of("vehicle", 0)
    rows = np.concatenate([tasks.fit, tasks.validation, tasks.test])
    assert sorted(rows) == list(range(len(table.X)))
    assert tasks.X.shape[1] == table.X.shape[1] - 1
    parts = parts_of("vehicle", 0)
    assert sum(len(y) for _, y in (parts.fit, parts.validation, parts.test)) == len(table.X)
    assert (parts.codes(parts.labels(parts.fit[1])) == parts.fit[1]).all()


def test_parts_of_a_multitask_model_make_it_again() -> None:
    tasks = tasks_of("vehicle", 0)
    model = new_model(np.random.default_rng(0), tasks, [NUMBER, "class"], 2)
    (again,) = _rebuilt([model], [part.tree for part in parts_of_model(model, tasks)])
    for name, values in model.predict(tasks.X).items():
        np.testing.assert_array_equal(again.predict(tasks.X)[name], values)


@pytest.mark.parametrize("job", [EXPERTS, TASKS])
def test_a_unit_has_a_row_for_each_model(monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    # The training has tests of its own, and compiles a program for each model.
    monkeypatch.setattr(shared_tasks, "fit_together", lambda model, *given: Learned(model, np.ones(3)))
    rows = EXPERIMENT.run(Unit("vehicle", job, 0), True)
    assert all(tuple(row) == COLUMNS for row in rows)
    assert {row["method"] for row in rows} <= set(page.WAYS[job])
    assert all(row["mean_macs"] <= row["worst_macs"] and row["test_score"] <= 1 for row in rows)


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rows = []
    for unit in EXPERIMENT.units(3, False):
        for i, method in enumerate(page.WAYS[unit.job]):
            about = {"table": unit.table, "job": unit.job, "seed": str(unit.seed), "method": method}
            rows.append(dict.fromkeys(COLUMNS, repr(0.5 + i / 100)) | about)
    text = rendered(page, rows, tmp_path, "mixtures")
    assert "| vehicle, one tree, trained on | .510 | +.010 [+.010, +.010] |" in text
    assert "| energy, shared trunk | .500 | −.010 [−.010, −.010] |" in text
