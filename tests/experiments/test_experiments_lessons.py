"""The teachers as a model and the pruned MLPs they teach: their scores, their sizes, and no look at a test row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score

from experiments.common.holdout import holdout
from experiments.common.teachers import HIDDEN, TREES, scalars_of, teachers
from experiments.frame.experiment import Unit
from experiments.studies.tables import evolved, lessons
from experiments.studies.tables.rows import BUDGETS, COLUMNS
from search.table.data import Table
from search.teachers import teaching
from search.teachers.teaching import taught
from tests.helpers.small_tables import KINDS, small_table

UNIT = Unit("wine", "lessons", 1)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> Any:
    """One linear teacher, and short courses; puts a table in the place of all others."""

    def one(kind: str, inputs: int, seed: int) -> list[Any]:
        return [Ridge() if kind == "regression" else LogisticRegression()]

    def put(table: Table) -> Table:
        monkeypatch.setattr(lessons, "table", lambda name: table)
        return table

    monkeypatch.setattr(lessons, "teachers", one)
    monkeypatch.setattr(lessons, "COURSE", ((20, 0.01), (5, 0.001)))
    return put


@pytest.mark.parametrize("kind", KINDS)
def test_one_teacher_scores_as_it_does_alone_and_its_pupils_nearly_so(cheap: Any, kind: str) -> None:
    table = cheap(small_table(kind, 80, 4))
    first, *pupils = lessons.run(UNIT, False)
    train, test = holdout(table, UNIT.seed)
    alone: Any = Ridge() if kind == "regression" else LogisticRegression()
    predicted = alone.fit(table.X[train], table.y[train]).predict(table.X[test])
    usual = r2_score if kind == "regression" else accuracy_score
    assert first["score"] == pytest.approx(usual(table.y[test], predicted))  # one teacher counts 1
    assert first["weights"] == alone.coef_.size + np.size(alone.intercept_)
    assert set(first) == set(COLUMNS)
    whole = 32 * (4 + 1 + (3 if kind == "multiclass" else 1)) + (3 if kind == "multiclass" else 1)
    assert [row["budget"] for row in pupils] == sorted(BUDGETS, reverse=True)
    assert [row["weights"] for row in pupils if row["budget"] > whole] == [whole] * (kind != "multiclass")
    assert all(row["weights"] <= row["budget"] and row["macs"] < row["weights"] for row in pupils)
    assert all(row["score"] > first["score"] - 0.15 for row in pupils)


def test_test_rows_change_nothing_but_the_scores(cheap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = cheap(small_table("multiclass", 80, 4))
    before = lessons.run(UNIT, True)
    train, test = holdout(table, UNIT.seed)
    for module in ("search.table.split_checks", "experiments.common.holdout"):  # it goes by the classes of all rows
        monkeypatch.setattr(f"{module}.split", lambda *given: (train, test))
    X, y = table.X.copy(), table.y.copy()
    X[test], y[test] = 1.5 * X[test], np.roll(y[test], 1)
    cheap(replace(table, X=X, y=y))
    after = lessons.run(UNIT, True)
    unseen = [name for name in COLUMNS if name != "score"]
    assert [[row[name] for name in unseen] for row in before] == [[row[name] for name in unseen] for row in after]
    assert [row["score"] for row in before] != [row["score"] for row in after]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_the_scalars_of_the_teachers(kind: str) -> None:
    table = small_table(kind, 80, 4)
    outputs = 3 if kind == "multiclass" else 1
    fitted = [teacher.fit(table.X, table.y) for teacher in teachers(kind, 4, 0)]
    machine, forest, linear, *networks = (scalars_of(kind, one) for one in fitted)
    assert linear == 5 * outputs
    assert networks == [HIDDEN * 5 + outputs * (HIDDEN + 1)] * 2
    pairs = 3 if kind == "multiclass" else 1  # of classes, each with a machine of its own
    vectors = (machine - pairs) / (4 + (2 if kind == "multiclass" else 1))  # entries and coefficients of one
    assert vectors == int(vectors)
    assert 3 <= vectors <= 80
    assert TREES * (1 + 2 * outputs) <= forest <= TREES * 40 * (1 + outputs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_lesson_is_that_of_the_trees(cheap: Any, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    cheap(small_table(kind, 80, 4))
    monkeypatch.setattr(evolved, "table", lessons.table)
    monkeypatch.setattr(evolved, "teachers", lessons.teachers)
    monkeypatch.setitem(evolved.QUICK, "folds", evolved.SEARCH["folds"])
    seen = []

    def keep(learned: Any, *rest: float) -> Any:
        setup = taught(learned, *rest)
        rows = setup.problem.whole
        seen.append((setup.problem.data.inputs[rows][:, :4], setup.problem.data.targets[rows]))
        return setup

    for module in (lessons, teaching):
        monkeypatch.setattr(module, "taught", keep)
    lessons.run(UNIT, True)
    evolved.run_alone(UNIT, True)  # which has no lesson
    assert len(seen) == 1
    evolved._searched(UNIT, True, teaching=True)
    assert len(seen) == 3  # that of the search, and that of the judgement, whose teachers saw other folds
    for mine, theirs in zip(*seen[:2], strict=True):
        np.testing.assert_array_equal(mine, theirs)
