"""The evolved trees of the 14 tables: what rows a unit gives, and that their scores are those of the trees."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from threadpoolctl import threadpool_limits

from experiments.common.teachers import teachers as real_teachers
from experiments.frame.experiment import Row, Unit
from experiments.studies.tables import evolved
from experiments.studies.tables.rows import COLUMNS
from neuraltree.estimators.options import Options
from neuraltree.estimators.samples import Sample
from search.evolution import Evolution
from search.front import WITHIN
from search.runs.evolving import Found
from search.table.data import Table
from tests.helpers.small_tables import KINDS, small_table

UNIT = Unit("iris", "evolved", 1)
ROWS, TESTED = 60, 12


LABELS = {"regression": None, "binary": (3, 8), "multiclass": ("p", "q", "r")}


def labelled(kind: str) -> Table:
    """A table whose labels are texts, or numbers that are not their own codes."""
    return replace(small_table(kind, ROWS, 4), classes=LABELS[kind])


def cheap_teachers(kind: str, inputs: int, seed: int) -> list[Any]:
    if kind == "regression":
        return [Ridge(), ExtraTreesRegressor(5, random_state=seed)]
    return [LogisticRegression(), ExtraTreesClassifier(5, min_samples_leaf=3, random_state=seed)]


class Ran:
    """Units run on a table, and what their searches were given and found."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.samples: list[Sample] = []
        self.found: list[Found] = []
        self.options: list[Options] = []
        usual = Evolution.evolve

        def spy(search: Evolution, sample: Sample, options: Options, **how: Any) -> Found:
            self.samples.append(sample)
            self.options.append(options)
            self.found.append(usual(search, sample, options, **how))
            return self.found[-1]

        patch.setattr(Evolution, "evolve", spy)
        patch.setattr(evolved, "PEEKING", evolved.PEEKING | {"epochs": 3})
        patch.setattr(evolved, "teachers", cheap_teachers)

    def __call__(self, table: Table, run: Callable[[Unit, bool], list[Row]] = evolved.run) -> list[Row]:
        self.patch.setattr(evolved, "table", lambda name: table)
        return run(UNIT, True)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the processes of an experiment."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def ran() -> Iterator[Ran]:
    with pytest.MonkeyPatch.context() as patch:
        yield Ran(patch)


def parts(table: Table, sample: Sample) -> tuple[NDArray, NDArray]:
    """The rows of a table that a search was given, and the others: its test rows."""
    equal = (table.X[:, None] == sample.X).all(axis=2).any(axis=1)
    return np.flatnonzero(equal), np.flatnonzero(~equal)


def score_of(table: Table, rows: NDArray, predicted: NDArray) -> float:
    if table.classes is None:
        return r2_score(table.y[rows], predicted)
    return accuracy_score([table.classes[code] for code in table.y[rows]], predicted.tolist())


def chosen(found: Found, budget: float) -> Any:
    """The recommended member within a budget of weights."""
    fitting = [each for each in found.front if each.weights <= budget]
    lowest = min(fitting, key=lambda each: each.honest_error)
    near = [each for each in fitting if each.honest_error <= lowest.honest_error + WITHIN * lowest.honest_error_se]
    return min(near, key=lambda each: each.weights)


@pytest.mark.parametrize("kind", KINDS)
def test_a_unit_gives_the_rows_of_every_budget(ran: Ran, kind: str) -> None:
    table = labelled(kind)
    rows = ran(table)
    (found,) = ran.found
    _, test = parts(table, ran.samples[0])
    assert len(test) == TESTED
    assert all(set(row) == set(COLUMNS) for row in rows)
    json.dumps(rows, allow_nan=False)

    *honest, peeked = rows
    assert all(row["protocol"] == "honest" and not row["note"] for row in honest)
    fitting = [b for b in evolved.BUDGETS if any(each.weights <= b for each in found.front)]
    assert [(row["model"], row["budget"]) for row in honest] == [
        ("evolved", None),
        *(("evolved", budget) for budget in fitting),
        ("ensemble", None),
    ]
    for row in honest[:-1]:
        tree = chosen(found, row["budget"] or np.inf).tree()
        assert row["score"] == pytest.approx(score_of(table, test, tree.predict(table.X[test])))
        inner = tree.nodes[tree.nodes["depth"] > 0]
        biases = np.count_nonzero(tree.nodes["op"] < 0)
        assert row["weights"] == len(inner) + biases
        assert row["macs"] == len(inner)  # a product for every edge
        assert row["weights"] <= (row["budget"] or np.inf)

    best = chosen(found, np.inf).tree()
    assert (peeked["protocol"], peeked["model"], peeked["budget"]) == ("reference", "evolved", None)
    assert peeked["note"] == "test rows chose the weights of the last refit"
    assert peeked["weights"] == best.num_weights
    assert np.isfinite(peeked["score"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_ensemble_is_the_weighted_mean_of_its_trees(ran: Ran, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Its members and weights made known, the score follows from the trees alone."""
    monkeypatch.setattr(evolved, "members_of", lambda found, sample, most: ([0, len(found.front) - 1], [0.75, 0.25]))
    table = labelled(kind)
    row = next(row for row in ran(table) if row["model"] == "ensemble")
    _, test = parts(table, ran.samples[0])
    front = ran.found[0].front
    trees, X = [front[0].tree(), front[len(front) - 1].tree()], table.X[test]
    if table.classes is None:
        predicted = 0.75 * trees[0].predict(X) + 0.25 * trees[1].predict(X)
    else:
        mean = 0.75 * trees[0].predict_proba(X) + 0.25 * trees[1].predict_proba(X)
        predicted = np.array([table.classes[code] for code in mean.argmax(axis=1)])
    assert row["score"] == pytest.approx(score_of(table, test, predicted))
    assert row["weights"] == sum(tree.num_weights for tree in trees)


@pytest.mark.parametrize("kind", [pytest.param("regression", marks=pytest.mark.rare), "multiclass"])
def test_a_unit_repeats_and_test_rows_change_nothing_but_scores(ran: Ran, kind: str) -> None:
    table = labelled(kind)
    rows = ran(table)
    assert ran(table) == rows
    train, test = parts(table, ran.samples[0])
    y, X = table.y.copy(), table.X.copy()
    y[test], X[test] = np.roll(y[test], 1), X[test] * 1.5
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evolved, "holdout", lambda table, seed: (train, test))  # it goes by the classes of all rows
        others = ran(replace(table, X=X, y=y))
    for row, other in zip(rows, others, strict=True):
        assert {**row, "score": None} == {**other, "score": None}
    assert [row["score"] for row in rows] != [row["score"] for row in others]
    trees = [[member.tree() for member in found.front] for found in ran.found]
    assert trees[0] == trees[1] == trees[2]
    assert len({options.epochs for options in ran.options}) == 1


def test_without_teachers_there_are_two_rows(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evolved, "teachers", None)  # none is asked for
    table = labelled("regression")
    rows = ran(table, evolved.run_alone)
    assert [row["model"] for row in rows] == ["evolved_alone", "ensemble_alone"]
    assert all(set(row) == set(COLUMNS) and row["protocol"] == "honest" and row["budget"] is None for row in rows)
    assert ran.options[0].epochs == evolved.EPOCHS_ALONE
    _, test = parts(table, ran.samples[0])
    tree = chosen(ran.found[0], np.inf).tree()
    assert rows[0]["score"] == pytest.approx(score_of(table, test, tree.predict(table.X[test])))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_teachers_of_the_tables_learn(kind: str) -> None:
    """And say what a search asks them for."""
    table = labelled(kind)
    for teacher in real_teachers(kind, table.X.shape[1], seed=0):
        fitted = teacher.fit(table.X, table.y)
        if kind == "regression":
            assert r2_score(table.y, fitted.predict(table.X)) > 0.2
        else:
            assert accuracy_score(table.y, fitted.predict_proba(table.X).argmax(axis=1)) > 0.7


def test_settings_say_what_rows_depend_on() -> None:
    quick, full = (evolved.settings(UNIT, quick) for quick in (True, False))
    assert quick != full
    assert evolved.settings_alone(UNIT, False) != full
    for settings in (quick, full, evolved.settings_alone(UNIT, True)):
        json.dumps(settings, allow_nan=False)
