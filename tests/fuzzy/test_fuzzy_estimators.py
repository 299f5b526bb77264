"""Fuzzy trees as estimators, and the evolution of their structures."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from neuraltree.fuzzy import FuzzyModel, FuzzyTraining, FuzzyTreeClassifier, FuzzyTreeRegressor
from neuraltree.fuzzy.fuzzy_training import FuzzyProblem
from neuraltree.fuzzy.fuzzy_tree import count_params
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.space import Space, check
from search.errors import InputError
from search.fuzzy import FuzzyEvolution

SMALL = FuzzyEvolution(population=8, generations=3, steps=25)


@parametrize_with_checks(
    [FuzzyTreeRegressor(steps=60, learning_rate=0.1), FuzzyTreeClassifier(steps=60, learning_rate=0.1)]
)
def test_scikit_learns_checks(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


def made_up(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 4)) * [1, 10, 0.1, 5] + [0, 3, 0, -7]
    return X, 50 + 9 * np.sin(X[:, 0]) * (X[:, 1] > 3) + X[:, 3]


@pytest.mark.parametrize("fuzzy_type", [1, 2])
@pytest.mark.parametrize("search", [None, SMALL])
def test_a_regression_beats_a_line(fuzzy_type: int, search: FuzzyEvolution | None) -> None:
    X, y = made_up()
    model = FuzzyTreeRegressor(search, fuzzy_type=fuzzy_type, steps=200, random_state=0).fit(X[:200], y[:200])
    line = np.linalg.lstsq(np.c_[X[:200], np.ones(200)], y[:200], rcond=None)[0]
    error = np.mean((y[200:] - np.c_[X[200:], np.ones(100)] @ line) ** 2)
    assert np.mean((y[200:] - model.predict(X[200:])) ** 2) < error
    assert model.tree_.num_params == count_params(model.tree_.nodes, fuzzy_type)
    again = FuzzyTreeRegressor(search, fuzzy_type=fuzzy_type, steps=200, random_state=0).fit(X[:200], y[:200])
    assert np.array_equal(again.predict(X), model.predict(X))


def test_three_classes_have_an_output_each() -> None:
    X, y = made_up()
    labels = np.array(["low", "mid", "top"])[np.digitize(y, np.quantile(y, [0.3, 0.7]))]
    model = FuzzyTreeClassifier(steps=200, random_state=0).fit(X[:200], labels[:200])
    assert model.score(X[200:], labels[200:]) > 0.6
    assert model.decision_function(X).shape == (300, 3)
    assert np.count_nonzero(model.tree_.nodes["depth"] == 0) == 3


def test_a_given_structure_is_kept() -> None:
    X, y = made_up()
    nodes = np.zeros(5, node_dtype())
    nodes["depth"], nodes["op"] = [0, 1, 2, 2, 1], [-1, -1, 3, 0, 1]
    model = FuzzyTreeRegressor(structure=nodes, steps=5).fit(X, y)
    assert model.tree_.nodes["op"].tolist() == nodes["op"].tolist()
    assert model.tree_.num_params == 40


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"membership": "triangle"}, "membership='triangle'; it must be one of bell, gaussian"),
        ({"fuzzy_type": 3}, "fuzzy_type=3; it must be 1 or 2"),
        ({"max_arity": 7}, "max_arity=7; it must be a whole number from 2 to 6"),
        ({"max_nodes": np.nan}, "max_nodes=nan; it must be a whole number of 3 or more"),
        ({"batch_size": 1.5}, "batch_size=1.5; it must be a whole number of 1 or more"),
        ({"steps": 0}, "steps=0; it must be a whole number of 1 or more"),
        ({"learning_rate": 0}, "learning_rate=0; it must be a number above 0"),
        ({"learning_rate": np.inf}, "learning_rate=inf; it must be a number above 0"),
        ({"search": "nsga2"}, "must be a search.fuzzy.FuzzyEvolution"),
        ({"structure": "wide"}, "structure is a str; it must be the nodes of a tree"),
        ({"structure": np.zeros(1, node_dtype())}, "needs 1 function nodes at depth 0"),
    ],
)
def test_bad_options_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        FuzzyTreeRegressor(**options).fit(*made_up(20))


def problem(fuzzy_type: int = 1) -> FuzzyProblem:
    rng = np.random.default_rng(0)
    X = rng.random((3, 80))
    space = Space(3, 1, ("identity",), max_nodes=12, max_depth=3, max_arity=3, min_arity=2)
    return FuzzyProblem(X, X[:1] * X[1:2], FuzzyModel("gaussian", fuzzy_type), space, FuzzyTraining())


@pytest.mark.parametrize("fuzzy_type", [1, 2])
def test_a_front_holds_legal_trees_that_no_other_dominates(fuzzy_type: int) -> None:
    given = problem(fuzzy_type)
    front = SMALL.front(given, seed=1)
    errors, sizes = [member.val_error for member in front], [member.params for member in front]
    assert errors == sorted(errors)
    assert sizes == sorted(sizes, reverse=True)
    for member in front:
        check(member.nodes, given.space)
        assert member.params == count_params(member.nodes, fuzzy_type)
    again = SMALL.front(given, seed=1)
    assert [member.nodes.tobytes() for member in again] == [member.nodes.tobytes() for member in front]


def test_more_generations_are_no_worse() -> None:
    given = problem()
    few, more = (FuzzyEvolution(population=8, generations=n, steps=15).front(given, seed=2)[0] for n in (0, 4))
    assert more.val_error <= few.val_error


def test_bad_searches_are_refused() -> None:
    with pytest.raises(InputError, match="population = 1 must be a whole number of 2 or more"):
        FuzzyEvolution(population=1).front(problem(), seed=0)
    for name, least, value in (("generations", 0, -1), ("steps", 1, 0), ("population", 2, 2.5)):
        with pytest.raises(InputError, match=f"{name} = {value} must be a whole number of {least} or more"):
            FuzzyEvolution(**{name: value}).front(problem(), seed=0)  # type: ignore[arg-type]


def test_rows_that_do_not_fit_are_refused() -> None:
    X, y = made_up(20)
    tree = FuzzyTreeRegressor(steps=1).fit(X, y).tree_
    for rows in (X[0], X[:0], X[:, :2]):
        with pytest.raises(ValueError, match=r"the tree needs \(rows, 4\), a row or more"):
            tree.predict(rows)
    with pytest.raises(ValueError, match=r"more than 1\.8e308"), np.errstate(invalid="ignore"):
        FuzzyTreeRegressor(steps=1).fit(np.where(X > 0, 1.7e308, -1.7e308), y)
