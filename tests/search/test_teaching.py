"""Trees that learn from teachers: what these are shown, what they teach, and what it is good for."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.estimators.samples import regression_sample
from neuraltree.tree.nodes import Nodes, node_dtype
from search import Evolution
from search.config.config import config_of
from search.engine.evaluate import evaluate, refit
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.judge.honest import FASTER, LONGER
from search.table.data import Table
from search.teachers.teaching import LAST_EPOCHS, LAST_ROWS, OWN, ROWS, SPREAD, learn, taught

KINDS = ("regression", "several", "binary", "multiclass")
COUNT = 60
# The same everywhere, so that few programs are compiled.
EPOCHS = 8
SMALL, BRIEF = Evolution(16, 3, folds=2), Evolution(16, 0, folds=2)
FITTED: list[NDArray] = []  # the rows of every fit of a ``Recording``, by what their first column holds


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    FITTED.clear()
    yield
    FITTED.clear()


def lines(X: NDArray) -> NDArray:
    """(rows, 3) what the tables are made of; the first column of ``X`` numbers the rows."""
    return np.column_stack([2 * X[:, 1] - X[:, 2], X[:, 1] ** 2, X[:, 2] - 1]) + X[:, [0]] / 100


def shares(values: NDArray) -> NDArray:
    """Rows of probabilities."""
    grown = np.exp(values - values.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


class Recording(BaseEstimator):
    """A teacher that writes down its rows and predicts by formula: ``lines``, moved by the mean of its rows' numbers,
    so that no two folds teach the same; ``wrong`` is what else it is wrong by."""

    def __init__(self, outputs: int = 1, wrong: float = 0.0, moved: bool = True) -> None:
        self.outputs = outputs
        self.wrong = wrong
        self.moved = moved

    def fit(self, X: NDArray, y: NDArray) -> Recording:
        FITTED.append(X[:, 0].copy())
        self.shift_ = self.moved * X[:, 0].mean() / 10 + self.wrong
        return self

    def predict(self, X: NDArray) -> NDArray:
        found = formula(X, self.outputs, self.shift_)
        return found[:, 0] if self.outputs == 1 else found

    def predict_proba(self, X: NDArray) -> NDArray:
        return shares(formula(X, self.outputs, self.shift_))


def formula(X: NDArray, outputs: int, shift: float) -> NDArray:
    return lines(X)[:, :outputs] * (1 + shift) + shift


def made(kind: str, noise: float = 0.0) -> tuple[Table, int]:
    """A table whose first column numbers its rows, and how many columns a teacher predicts."""
    rng = np.random.default_rng(3)
    X = np.column_stack([np.arange(COUNT), rng.normal(size=(COUNT, 2)) * [3.0, 0.5] + [10.0, -2.0]])
    outputs = {"regression": 1, "several": 2, "binary": 2, "multiclass": 3}[kind]
    y = lines(X)[:, :outputs] + noise * rng.normal(size=(COUNT, outputs))
    classes = None
    if kind in ("binary", "multiclass"):
        y, classes = np.arange(COUNT) % outputs, tuple("pqr"[:outputs])
    table_kind = "regression" if kind == "several" else kind
    y = y[:, 0] if kind == "regression" else y
    return Table(X, y, ("number", "a", "b"), "y", classes, table_kind, ""), outputs


def run_of(table: Table, folds: int = 3) -> Setup:
    """Before teaching. In double precision, so that lessons can be compared to the last digits."""
    sections = {
        "data": {"source": "made"},
        "run": {"seed": 5},
        "search": {"population": 8, "folds": folds},
        "train": {"precision": "float64", "epochs": 0},
    }
    return set_up(config_of(sections, "the test"), table, all_rows=True, workers=1)


def teach(table: Table, teachers: Sequence[Any], folds: int = 3) -> tuple[Setup, Setup]:
    before = run_of(table, folds)
    return before, taught(learn(before, table, teachers, lambda text: None))


def parts_of(before: Setup) -> list[NDArray]:
    """The training rows of every fit of a teacher, in their order."""
    return [*(fit for fit, _ in before.problem.folds), np.arange(COUNT)]


def lessons_of(after: Setup) -> list[NDArray]:
    return [*(fit for fit, _ in after.problem.folds), after.problem.whole]


def natural(before: Setup, after: Setup, rows: NDArray) -> NDArray:
    """(rows, features) what is read in these rows of the data, in natural units."""
    X = before.scaler
    return after.problem.data.inputs[rows] * X.scale + X.mean


# --- what teachers are shown


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_teachers_see_the_rows_that_a_fold_fits_and_no_others(kind: str, folds: int) -> None:
    table, outputs = made(kind)
    before, _ = teach(table, [Recording(outputs), Recording(outputs, 1.0)], folds)
    seen = FITTED[::2]  # of the first of two
    assert len(FITTED) == 2 * (folds + 1)
    for (fit, held), rows in zip(before.problem.folds, seen, strict=False):
        assert_array_equal(rows, table.X[fit, 0])
        assert not np.isin(table.X[held, 0], rows).any()
    assert_array_equal(seen[-1], table.X[:, 0])


def test_from_end_to_end_too() -> None:
    X, y = noisy(0)
    model = NeuralTreeRegressor(epochs=EPOCHS, random_state=0)
    sample = regression_sample(model, X, y, None, new=True)
    search = clone(BRIEF).set_params(teachers=[Recording()])
    found = search.evolve(sample, model._options(), seed=0, n_jobs=1, verbose=0)
    assert sorted(found.rows.tolist()) == list(range(80))
    for seen, held in zip(FITTED[3:], np.split(found.rows, 5), strict=False):
        assert_array_equal(np.sort([*seen, *X[held, 0]]), np.sort(X[:, 0]))
    assert_array_equal(FITTED[2], X[:, 0])
    # The judgement has five folds of its own, and teachers of their own, who have not seen its validation rows.
    assert len(FITTED) == 3 + 6


# --- what they teach


@pytest.mark.parametrize("kind", KINDS)
def test_lessons_are_those_of_a_plain_recomputation(kind: str) -> None:
    table, outputs = made(kind, noise=0.3)
    before, after = teach(table, [Recording(outputs)])
    for rows, part, size in zip(lessons_of(after), parts_of(before), [ROWS] * 3 + [LAST_ROWS], strict=True):
        assert len(rows) == size
        X = natural(before, after, rows)
        assert_allclose(X[: len(part)], table.X[part], rtol=1e-12)
        predicted = formula(X, outputs, table.X[part, 0].mean() / 10)
        if table.classes is None:
            columns = table.y.reshape(COUNT, -1)
            predicted = (predicted - columns.mean(axis=0)) / columns.std(axis=0)
            real = ((columns - columns.mean(axis=0)) / columns.std(axis=0))[part]
        else:
            predicted, real = shares(predicted), (table.y[part, None] == np.arange(outputs)).astype(float)
        if kind == "binary":
            predicted, real = predicted[:, 1:], real[:, 1:]
        expected = np.concatenate([OWN * real + (1 - OWN) * predicted[: len(part)], predicted[len(part) :]])
        assert_allclose(after.problem.data.targets[rows], expected, rtol=1e-9, atol=1e-9)
        assert (after.problem.data.weight[rows] == 1).all()


def test_made_rows_are_near_rows_of_their_own_fold() -> None:
    table, _ = made("regression")
    before = run_of(table)
    _, held = before.problem.folds[0]
    table.X[held[0], 1:] = [400.0, 70.0]  # far away from all others
    before, after = teach(table, [Recording()])
    scaled = before.scaler.transform(table.X)
    for rows, part in zip(lessons_of(after), parts_of(before), strict=True):
        made_rows = after.problem.data.inputs[rows[len(part) :]]
        away = np.abs(made_rows[:, None] - scaled[part]).max(axis=2)
        assert away.min(axis=1).max() < 5 * SPREAD
        near = away.argmin(axis=1)
        assert len(np.unique(near)) > 0.8 * len(part)  # of all rows, not of a few
    left_out = after.problem.data.inputs[after.problem.folds[0][0]]
    assert np.abs(left_out - scaled[held[0]]).max(axis=1).min() > 2
    # Where the far row is the origin nothing else is near: what was added is the spread itself.
    whole = after.problem.data.inputs[after.problem.whole[COUNT:]] - scaled[held[0]]
    added = whole[np.abs(whole).max(axis=1) < 2]
    assert len(added) > 20
    assert_allclose(added.std(), SPREAD, rtol=0.2)


def test_more_rows_than_a_lesson_needs_are_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.teachers.teaching.ROWS", 10)
    monkeypatch.setattr("search.teachers.teaching.LAST_ROWS", 50)
    before, after = teach(made("regression")[0], [Recording()])
    for rows, part in zip(lessons_of(after), parts_of(before), strict=True):
        assert_allclose(natural(before, after, rows), made("regression")[0].X[part], rtol=1e-12)


def constant(value: float) -> Nodes:
    """A tree of one input of weight 0, so that it says ``value``, in three folds."""
    tree = np.zeros(2, dtype=node_dtype(3))
    tree["depth"], tree["op"] = [0, 1], [~run_of(made("regression")[0]).problem.space.output_code, 1]
    tree["bias"][0] = value
    return tree


def test_trees_are_validated_on_the_real_rows() -> None:
    table, _ = made("regression", noise=0.5)
    before, after = teach(table, [Recording(wrong=7.0)])
    problem = after.problem
    assert_array_equal([held for _, held in problem.folds], [held for _, held in before.problem.folds])
    for part in ("inputs", "targets", "weight"):
        assert_array_equal(getattr(problem.data, part)[:COUNT], getattr(before.problem.data, part)[:COUNT])
    tree = constant(0.25)
    # The mean of the scaled targets is 0 and their variance 1, so 1 - R² is 1 + 0.25².
    assert evaluate(problem, [tree], 0).columns["val_error"] == pytest.approx(1 + 0.25**2)


def test_a_teacher_that_knows_is_all_that_counts() -> None:
    table, _ = made("regression")
    useless = Recording(wrong=50.0)
    for teachers in ([Recording(moved=False), useless], [useless, Recording(moved=False)]):
        before, after = teach(table, teachers)
        for rows in lessons_of(after):
            wanted = formula(natural(before, after, rows), 1, 0.0)
            assert_allclose(after.problem.data.targets[rows], (wanted - table.y.mean()) / table.y.std(), atol=1e-9)


def test_teachers_that_err_to_both_sides_count_by_how_far() -> None:
    """One is wrong by 1, the other by -3: three quarters of the first are right."""
    table, _ = made("regression")
    before, after = teach(table, [Recording(wrong=1.0, moved=False), Recording(wrong=-3.0, moved=False)])
    for rows in lessons_of(after):
        wanted = formula(natural(before, after, rows), 1, 0.0)
        assert_allclose(after.problem.data.targets[rows], (wanted - table.y.mean()) / table.y.std(), atol=1e-3)


# --- what trees learn


def truth(X: NDArray) -> NDArray:
    return np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2]


class Knowing(BaseEstimator):
    """A teacher that needs no rows."""

    def fit(self, X: NDArray, y: NDArray) -> Knowing:
        return self

    def predict(self, X: NDArray) -> NDArray:
        return truth(X)


def noisy(seed: int) -> tuple[NDArray, NDArray]:
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, size=(80, 3))
    return X, truth(X) + rng.normal(size=80)


def test_who_learns_of_the_truth_comes_nearer_to_it() -> None:
    X_test = np.random.default_rng(9).uniform(-1, 1, size=(500, 3))
    errors = []
    for seed in (0, 1):
        X, y = noisy(seed)
        for teachers in (None, [Knowing()]):
            search = clone(SMALL).set_params(teachers=teachers)
            model = NeuralTreeRegressor(search, epochs=EPOCHS, random_state=seed).fit(X, y)
            errors.append(np.mean((model.predict(X_test) - truth(X_test)) ** 2))
    alone, with_teacher = np.reshape(errors, (2, 2)).T
    assert (with_teacher < 0.3 * alone).all()


def test_the_seed_decides_whatever_the_threads_and_what_teachers_leave_open() -> None:
    X, y = noisy(0)
    search = clone(BRIEF).set_params(generations=1, teachers=[ExtraTreesRegressor(5), LinearRegression()])
    model = NeuralTreeRegressor(search, epochs=EPOCHS, random_state=0, n_jobs=1)
    fronts = [
        [member.tree() for member in clone(model).set_params(**changes).fit(X, y).front_]
        for changes in ({}, {"n_jobs": -1}, {"random_state": 1}, {"search__teachers": [LinearRegression()]})
    ]
    assert fronts[0] == fronts[1]
    assert all(front != fronts[0] for front in fronts[2:])


def test_a_random_state_that_is_set_is_kept() -> None:
    states = []

    class Watched(ExtraTreesRegressor):
        def fit(self, X: NDArray, y: NDArray) -> Watched:
            states.append(self.random_state)
            return super().fit(X, y)

    teachers = [Watched(3), make_pipeline(StandardScaler(), Watched(3)), Watched(3, random_state=4)]
    teach(made("regression")[0], teachers)
    assert states == [5, 5, 4] * 4  # that of the run where there is none
    assert [each.random_state for each in (teachers[0], teachers[1][1])] == [None, None]
    assert not hasattr(teachers[0], "estimators_")  # nor is it fitted: copies are


def test_the_front_is_refitted_as_long_as_a_last_lesson_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def spy(problem: Any, trees: Any, **how: float) -> Any:
        asked.append((problem.epochs, len(problem.whole), problem.settings.weight_decay, how["faster"]))
        return refit(problem, trees, **how)

    monkeypatch.setattr("search.judge.finish.refit", spy)
    X, y = noisy(0)
    for teachers in ([LinearRegression()], None):
        NeuralTreeRegressor(clone(BRIEF).set_params(teachers=teachers), epochs=EPOCHS, random_state=0).fit(X, y)
    # Without teachers a search as brief as this is refitted as it is judged.
    assert asked == [(LAST_EPOCHS, LAST_ROWS, 0.0, 1.0), (LONGER * EPOCHS, 80, 0.3, FASTER)]


# --- what cannot teach


class Odd(BaseEstimator):
    """A teacher that predicts whatever it is told to."""

    def __init__(self, found: Any = None) -> None:
        self.found = found

    def fit(self, X: NDArray, y: NDArray) -> Odd:
        return self

    def predict(self, X: NDArray) -> Any:
        return self.found(X)

    predict_proba = predict


def not_numbers(X: NDArray) -> NDArray:
    return np.full(len(X), np.nan)


def infinite(X: NDArray) -> NDArray:
    return np.where(np.arange(len(X)) == 0, np.inf, 0.0)


def huge(X: NDArray) -> NDArray:
    return np.full(len(X), 1e200)


def two_columns(X: NDArray) -> NDArray:
    return np.zeros((len(X), 2))


def texts(X: NDArray) -> list[str]:
    return ["a"] * len(X)


def refusing(X: NDArray) -> NDArray:
    raise ValueError("no rows\nlike these")


class Unwilling(Odd):
    def fit(self, X: NDArray, y: NDArray) -> Odd:
        raise ValueError("first line\nsecond line")


@pytest.mark.parametrize(
    ("kind", "teachers", "message"),
    [
        ("regression", [1], r"teachers\[0\] is a int; it must be a scikit-learn estimator that predicts"),
        ("regression", [SVR(), StandardScaler()], r"teachers\[1\] is a StandardScaler; it must be a scikit-learn"),
        ("regression", [SVR], r"teachers\[0\] is the class SVR; give an object of it: SVR\(\)"),
        ("regression", SVR(), "teachers is a SVR; give a list of scikit-learn estimators, or None"),
        ("regression", ExtraTreesRegressor(), "teachers is a ExtraTreesRegressor; give a list"),
        ("regression", make_pipeline(StandardScaler(), SVR()), "teachers is a Pipeline; give a list"),
        ("regression", "svm", "teachers is a str; give a list"),
        (
            "regression",
            [LogisticRegression()],
            "the teacher LogisticRegression cannot be fitted to these rows: Unknown",
        ),
        ("regression", [Unwilling()], "the teacher Unwilling cannot be fitted to these rows: first line second line$"),
        ("regression", [Odd(not_numbers)], "the teacher Odd predicts numbers that are not finite or far too large"),
        ("regression", [LinearRegression(), Odd(infinite)], "the teacher Odd predicts numbers that are not finite"),
        ("regression", [Odd(huge)], "the teacher Odd predicts numbers that are not finite or far too large"),
        (
            "regression",
            [Odd(two_columns)],
            r"the teacher Odd predicts an array of shape \(\d+, 2\); it must be \(.*, 1",
        ),
        ("regression", [Odd(texts)], "the teacher Odd cannot predict rows like these: could not convert"),
        ("regression", [Odd(refusing)], "the teacher Odd cannot predict rows like these: no rows like these$"),
        ("several", [SVR()], "the teacher SVR cannot be fitted to these rows: "),
        ("several", [Odd(not_numbers)], r"the teacher Odd predicts an array of shape \(\d+,\); it must be \(\d+, 2\)"),
        ("binary", [Recording(2), SVC()], "the teacher SVC has no predict_proba, which classes need; .*Calibrated"),
        ("binary", [LinearRegression()], "the teacher LinearRegression has no predict_proba"),
        ("multiclass", [LinearSVC()], "the teacher LinearSVC has no predict_proba"),
        (
            "multiclass",
            [Odd(two_columns)],
            r"the teacher Odd predicts an array of shape \(\d+, 2\); it must be \(.*, 3",
        ),
        ("multiclass", [Odd(not_numbers)], r"the teacher Odd predicts an array of shape \(\d+,\); it must be \(.*, 3"),
    ],
)
def test_what_cannot_teach_is_refused_in_one_line(kind: str, teachers: Any, message: str) -> None:
    table, _ = made(kind)
    estimator = NeuralTreeRegressor if table.classes is None else NeuralTreeClassifier
    search = Evolution(4, 0, folds=2)
    search.teachers = teachers
    with pytest.raises(ValueError, match=message) as caught:
        estimator(search, epochs=0, random_state=0).fit(table.X, table.y)
    assert "\n" not in str(caught.value)


def test_teachers_do_not_go_with_weights_of_rows() -> None:
    table, _ = made("binary")
    search = Evolution(4, 0, folds=2, teachers=[Recording(2)])
    message = "leave out teachers, or sample_weight and class_weight$"
    with pytest.raises(InputError, match=message):
        NeuralTreeClassifier(search).fit(table.X, table.y, sample_weight=np.ones(COUNT))
    with pytest.raises(InputError, match=message):
        NeuralTreeClassifier(search, class_weight="balanced").fit(table.X, table.y)


# --- as a parameter


def test_copies_and_pickles_of_a_search_keep_its_teachers() -> None:
    search = clone(BRIEF).set_params(teachers=[SVR(C=3), make_pipeline(StandardScaler(), SVR())])
    model = clone(NeuralTreeRegressor(search, epochs=EPOCHS, random_state=0))
    assert model.search.teachers[0] is not search.teachers[0]
    assert model.search.teachers[0].C == 3
    model.set_params(search__teachers=[SVR(C=5)], search__selection="nsga2")
    assert (model.search.teachers[0].C, model.search.selection) == (5, "nsga2")
    assert (search.teachers[0].C, search.selection) == (3, "hypervolume")
    X, y = noisy(0)
    fits = [each.fit(X, y) for each in (pickle.loads(pickle.dumps(model)), model)]
    fitted = pickle.loads(pickle.dumps(fits[0]))
    assert_array_equal(fitted.predict(X), fits[1].predict(X))
    assert fitted.search.teachers[0].C == 5


def test_no_teachers_are_an_empty_list_too() -> None:
    X, y = noisy(0)
    fronts = []
    for teachers in (None, [], ()):
        search = clone(BRIEF).set_params(teachers=teachers)
        model = NeuralTreeRegressor(search, epochs=EPOCHS, random_state=0).fit(X, y)
        fronts.append([member.tree() for member in model.front_])
    assert fronts[0] == fronts[1] == fronts[2]


def test_a_refit_trains_on_its_rows_and_no_others() -> None:
    """Without teachers those are all training rows."""
    problem = run_of(made("regression")[0]).problem
    assert_array_equal(problem.whole, np.arange(COUNT))
    rng = np.random.default_rng(0)
    trees = [run_of(made("regression")[0]).strategy.new_tree(rng) for _ in range(4)]

    def refitted(**changes: Any) -> list[NDArray]:
        return [tree["weight"] for tree in refit(replace(problem, epochs=30, **changes), trees)]

    some = np.arange(0, COUNT, 2)
    targets = problem.data.targets.copy()
    targets[1:COUNT:2] = 1e3
    spoiled = problem.data._replace(targets=targets)
    alone, beside = refitted(whole=some), refitted(whole=some, data=spoiled)
    assert all(map(np.array_equal, alone, beside))
    assert not all(map(np.array_equal, alone, refitted()))
