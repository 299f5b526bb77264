"""Runs and estimators whose rows may not be split at random: groups, times and given parts, from end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import search.runs.evolving
from neuraltree import (
    NeuralTreeClassifier,
    NeuralTreeRegressor,
    ParetoEnsembleClassifier,
    ParetoEnsembleRegressor,
)
from search import Evolution
from search.config.config import config_hash, load_config
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.folder.baselines_csv import load_baselines
from search.front import load_front
from search.judge.honest import REPEATS, judging_folds, standard_error
from search.report.facts.read import read_run
from search.report.facts.run_facts import run_page
from search.run import main
from search.table.loading import load_table

SUBJECTS, EACH = 24, 8
QUICK = Evolution(population=8, generations=1, folds=3)


def subjects() -> tuple[NDArray, NDArray, NDArray]:
    """Rows whose inputs tell the subject, and whose target is a number of the subject that nothing else foretells."""
    rng = np.random.default_rng(0)
    group = rng.permutation(np.repeat(np.arange(SUBJECTS), EACH))
    marks, number = rng.normal(size=(SUBJECTS, 2)), rng.normal(size=SUBJECTS)
    return marks[group] + 0.01 * rng.normal(size=(len(group), 2)), number[group], group


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of subjects, with its config."""
    made = tmp_path_factory.mktemp("subjects")
    X, y, group = subjects()
    day = np.random.default_rng(1).permutation(len(y)) % 100
    part = np.array([["test", "train", "a", "b", "c", "d"][subject % 6] for subject in group])
    lines = [
        f"{a},{b},s{who},{np.datetime64('2024-01-01') + int(when)},{where},{value}"
        for (a, b), who, when, where, value in zip(X, group, day, part, y, strict=True)
    ]
    (made / "t.csv").write_text("\n".join(["a,b,who,day,part,y", *lines]))
    (made / "my.toml").write_text(
        '[data]\nsource = "t.csv"\ndrop = ["who", "day", "part"]\n[search]\npopulation = 8\ngenerations = 1\n'
        '[train]\nepochs = 2\n[baselines]\nmodels = ["cart"]\n'
    )
    return made


def settings(**columns: str) -> list[str]:
    """A number of folds that a column of parts replaces, and the columns with their roles."""
    left = [name for name in ("who", "day", "part") if name not in columns.values()]
    return ["search.folds=3", f"data.drop={left}", *(f"data.{role}={column}" for role, column in columns.items())]


def run(folder: Path, **columns: str) -> tuple[float, Path]:
    """The honest error of CART in a finished run, and its folder."""
    out = folder / "-".join(["run", *columns])
    overrides = [text for value in settings(**columns) for text in ("--set", value)]
    assert main([str(folder / "my.toml"), *overrides, "--out", str(out), "--quiet"]) == 0
    assert np.isfinite([member.values["honest_error_se"] for member in load_front(out)]).all()
    (cart,) = load_baselines(out)
    assert np.isfinite([cart.values[name] for name in ("val_error", "honest_error_se", "test_error")]).all()
    return cart.values["honest_error"], out


def prepared(folder: Path, **columns: str) -> tuple[Setup, Any]:
    config = load_config(folder / "my.toml", settings(**columns))
    table = load_table(config)
    return set_up(config, table), table


def test_a_group_in_two_folds_would_be_learned_by_heart(folder: Path) -> None:
    leaking, _ = run(folder)
    assert leaking < 0.1
    told, out = run(folder, group="who")
    assert told > 0.8
    summary = run_page(read_run(out))["test"]["summary"]
    assert summary["split"] == "no group of 'who' lies in two parts: 19 to train, 5 to test"


def test_a_run_in_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(folder, time="day")
    setup, table = prepared(folder, time="day")
    time = table.rules.time
    assert time[setup.train_rows].max() < time[setup.test_rows].min()
    for made in (setup.problem.folds, *(judging_folds(setup, table, repeat) for repeat in range(REPEATS))):
        for fit, held in made:
            assert time[setup.train_rows[fit]].max() < time[setup.train_rows[held]].min()
    summary = run_page(read_run(out))["test"]["summary"]
    assert summary["split"].startswith("in the order of 'day': test rows are the last")
    capsys.readouterr()
    more = [text for value in settings(time="day") for text in ("--set", value)]
    assert main([str(folder / "my.toml"), "--dry-run", *more]) == 0
    assert f"# split: {summary['split']}" in capsys.readouterr().out.splitlines()


def test_a_run_with_given_parts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaking, out = run(folder, split="part")
    assert leaking < 0.1  # without groups the judgement draws its folds from all rows
    told, _ = run(folder, split="part", group="who")
    assert told > 0.8
    assert run_page(read_run(out))["test"]["summary"]["split"] == "'part' gives 4 folds"
    setup, table = prepared(folder, split="part")
    assert len(setup.problem.folds) == 4
    assert len(setup.strategy.new_tree(np.random.default_rng(0))["weight"][0]) == 4
    part = table.rules.part[setup.train_rows]
    for number, (fit, held) in enumerate(setup.problem.folds):
        assert set(part[held]) == {number}
        assert -1 in set(part[fit])
    capsys.readouterr()
    more = [text for value in settings(split="part") for text in ("--set", value)]
    assert main([str(folder / "my.toml"), "--dry-run", *more]) == 0
    assert "# evaluations: 16 trees x 4 folds" in capsys.readouterr().out


def test_time_excludes_other_rules(folder: Path) -> None:
    for other in ("group", "split"):
        with pytest.raises(InputError, match=r"data\.time cannot be combined with data\.group or data\.split"):
            load_config(folder / "my.toml", ["data.time=day", f"data.{other}=who"])


def test_the_new_keys_leave_the_hashes_of_older_runs_alone(folder: Path) -> None:
    plain = config_hash(load_config(folder / "my.toml"))
    keys = ("group", "time", "split")
    assert plain == config_hash(load_config(folder / "my.toml", [f'data.{key}=""' for key in keys]))
    assert len({plain, *(config_hash(load_config(folder / "my.toml", [f"data.{key}=who"])) for key in keys)}) == 4


def test_the_standard_error_counts_the_rows_of_folds_that_grow() -> None:
    rows = np.arange(60)
    folds = [(rows[: 10 * k], rows[10 * k : 10 * (k + 1)]) for k in range(1, 6)]
    parts = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    assert_allclose(standard_error(parts, folds), np.sqrt(2.5 * (1 / 5 + 50 / 150)))


# Estimators.


@pytest.fixture
def routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def setups(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Setup, Any]]:
    """The setups of the searches of a test, with their tables."""
    made: list[tuple[Setup, Any]] = []

    def recording(config: Any, table: Any, **options: Any) -> Setup:
        made.append((set_up(config, table, **options), table))
        return made[-1][0]

    monkeypatch.setattr(search.runs.evolving, "set_up", recording)
    return made


def check_whole(setup: Setup, table: Any) -> None:
    """No group lies in two folds, neither of the search nor of the judgement."""
    group = table.rules.group
    for made in (setup.problem.folds, *(judging_folds(setup, table, repeat) for repeat in range(REPEATS))):
        for fit, held in made:
            assert not np.intersect1d(group[fit], group[held]).size
            assert len(fit) + len(held) == len(group)


@pytest.mark.usefixtures("routing")
def test_groups_reach_a_search_through_cross_validation(setups: list[tuple[Setup, Any]]) -> None:
    X, y, group = subjects()
    labels = np.array([f"subject {number}" for number in group])
    model = NeuralTreeRegressor(search=QUICK, epochs=2, random_state=0).set_fit_request(groups=True)
    predicted = cross_val_predict(model, X, y, cv=GroupKFold(3), params={"groups": labels})
    assert predicted.shape == y.shape
    assert len(setups) == 3
    for setup, table in setups:
        assert len(np.unique(table.rules.group)) == 16  # of 24, a third is left out
        check_whole(setup, table)


@pytest.mark.usefixtures("routing")
def test_groups_reach_a_search_through_a_pipeline(setups: list[tuple[Setup, Any]]) -> None:
    X, y, group = subjects()
    model = NeuralTreeClassifier(search=QUICK, epochs=2, random_state=0).set_fit_request(groups=True)
    make_pipeline(StandardScaler(), model).fit(X, y > 0, groups=group)
    ((setup, table),) = setups
    assert_array_equal(np.unique(table.rules.group), np.arange(SUBJECTS))
    check_whole(setup, table)


def test_teachers_are_fitted_to_whole_groups(setups: list[tuple[Setup, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    learned = search.teachers.teaching.learn
    folds: list[Any] = []

    def recording(setup: Setup, *rest: Any) -> Any:
        folds.append(setup.problem.folds)
        return learned(setup, *rest)

    monkeypatch.setattr(search.teachers.teaching, "learn", recording)
    X, y, group = subjects()
    teacher = ExtraTreesRegressor(n_estimators=5)
    search_taught = Evolution(population=8, generations=0, folds=3, teachers=[teacher])
    model = NeuralTreeRegressor(search=search_taught, epochs=1, random_state=0).fit(X, y, groups=group)
    assert np.isfinite(model.front_[0].values["honest_error_se"])
    assert [len(made) for made in folds] == [3, 5]  # for the search, and for the judgement
    for fit, held in (pair for made in folds for pair in made):
        assert not np.intersect1d(group[fit], group[held]).size
    check_whole(*setups[0])


@pytest.mark.parametrize("ensemble", [ParetoEnsembleRegressor, ParetoEnsembleClassifier])
def test_ensembles_pass_groups_on(ensemble: Callable[..., Any], setups: list[tuple[Setup, Any]]) -> None:
    X, y, group = subjects()
    target = y if ensemble is ParetoEnsembleRegressor else y > 0
    ensemble(search=QUICK, random_state=0).fit(X, target, groups=group)
    check_whole(*setups[0])


def test_without_a_search_groups_change_nothing() -> None:
    X, y, group = subjects()
    one, other = (NeuralTreeRegressor(epochs=3, random_state=0).fit(X, y, groups=g) for g in (None, group))
    assert_array_equal(one.tree_.nodes, other.tree_.nodes)


@pytest.mark.parametrize("search", [QUICK, None])
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([1, 2], r"groups has shape \(2,\); X has 192 rows"),
        ([1.0, np.nan] * 96, "groups contains NaN"),
        (["a", None] * 96, "groups has no label in row 1"),
    ],
)
def test_bad_groups_are_refused(search: Evolution | None, groups: list[Any], message: str) -> None:
    X, y, _ = subjects()
    with pytest.raises(ValueError, match=message):
        NeuralTreeRegressor(search=search).fit(X, y, groups=groups)


def test_too_few_groups_are_refused_in_the_terms_of_the_parameters() -> None:
    X, y, group = subjects()
    with pytest.raises(ValueError, match=r"^groups: 2 groups are there .* with folds = 3; at least 3") as caught:
        NeuralTreeRegressor(search=QUICK).fit(X, y, groups=group % 2)
    assert "data." not in str(caught.value)
    assert "search." not in str(caught.value)
