"""Teachers that a config or the command line names: what they are, what they may see, and runs that have them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from neuraltree.cli.command import DONE
from search.baselines.teacher_table import NAMES
from search.cli.neuraltree_command import main as neuraltree
from search.config.config import config_hash, load_config
from search.config.settings import TrainConfig
from search.engine.problem import set_up
from search.run import main
from search.runs.ending import Ending
from search.table.loading import load_table
from search.teachers.named_teachers import lesson_rows, named_lessons
from search.teachers.teaching import LAST_EPOCHS, LAST_ROWS, ROWS, lessons
from tests.search.test_teaching import FITTED, Recording, made, run_of

CONFIG = """
[data]
source = "iris"
[space]
max_nodes = 15
[search]
population = 8
folds = 2
generations = 3
[train]
epochs = 2
teachers = ["linear", "svm"]
[baselines]
models = []
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    FITTED.clear()
    yield
    FITTED.clear()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "iris.toml"
    path.write_text(CONFIG)
    return path


def silent(text: str) -> None:
    pass


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("name", NAMES)
def test_every_teacher_teaches_every_kind_of_table_and_the_seed_decides(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.baselines.teacher_table.TREES", 5)
    table, outputs = made(kind)
    plain = run_of(table, folds=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (first, judging), (again, _) = (
            named_lessons(plain, table, TrainConfig(teachers=(name,)), silent) for _ in range(2)
        )
    assert judging is not None
    targets = first.problem.data.targets
    assert_array_equal(targets, again.problem.data.targets)
    assert targets.shape == (len(table.X) + 2 * ROWS + LAST_ROWS, 1 if kind == "binary" else outputs)
    taught = targets[len(table.X) :]
    assert np.std(taught, axis=0).min() > 0
    if kind == "multiclass":
        np.testing.assert_allclose(taught.sum(axis=1), 1, atol=1e-6)
    if kind == "regression":  # a table of straight lines, standardised
        assert np.corrcoef(targets[: len(table.X), 0], table.y)[0, 1] > 0.999
    assert first.last_epochs == LAST_EPOCHS


def test_no_teacher_sees_the_rows_that_judge_its_pupils() -> None:
    """Neither in the folds of the search nor in those of the judgement; a row is known by its first input."""
    table, _ = made("regression")
    plain = run_of(table)
    setup, judging = lessons(plain, table, [Recording()], silent)
    assert judging is not None
    assert len(judging.problem.folds) == 5
    number = table.X[plain.train_rows, 0]
    parts = [*setup.problem.folds, None, *judging.problem.folds, None]  # None: fitted on all rows, for the refit
    assert len(FITTED) == len(parts)
    for seen, fold in zip(FITTED, parts, strict=True):
        held = number[:0] if fold is None else number[fold[1]]
        assert_array_equal(np.sort(np.concatenate([seen, held])), np.sort(number))
    assert lessons(plain, table, [], silent) == (plain, None)
    assert lesson_rows(plain) == 3 * ROWS


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_the_share_of_the_teachers_is_that_of_the_config(share: float) -> None:
    """A line teaches a table of noise: what a training row teaches lies between both."""
    table, _ = made("regression", noise=3.0)
    plain = run_of(table)
    setup, _ = named_lessons(plain, table, TrainConfig(teachers=("linear",), teacher_share=share), silent)
    real, taught = plain.problem.data.targets, setup.problem.data.targets[setup.problem.whole]
    whole, _ = named_lessons(plain, table, TrainConfig(teachers=("linear",), teacher_share=1.0), silent)
    line = whole.problem.data.targets[whole.problem.whole]
    rows = len(real)
    np.testing.assert_allclose(taught[:rows], (1 - share) * real + share * line[:rows], atol=1e-12)
    assert_array_equal(taught[rows:], line[rows:])


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_softer_probabilities_are_taught_at_a_temperature(kind: str) -> None:
    """The targets of the formula, from the teachers' probabilities and the real targets; validation rows are real."""
    table, _ = made(kind)
    plain = run_of(table)
    how = TrainConfig(teachers=("linear",), teacher_share=1.0)
    at_one, _ = named_lessons(plain, table, how, silent)
    assert at_one.problem.data.soft is None
    how = TrainConfig(teachers=("linear",), teacher_share=0.4, teacher_temperature=3.0)
    setup, judging = named_lessons(plain, table, how, silent)
    assert judging is not None
    assert setup.problem.settings.temperature == judging.problem.settings.temperature == 3
    rows, data = len(table.X), setup.problem.data
    assert_array_equal(data.targets[:rows], plain.problem.data.targets)
    assert data.soft is not None
    assert (data.soft[:rows] == 0).all()
    said = at_one.problem.data.targets[setup.problem.whole]
    q = np.column_stack([1 - said, said]) if kind == "binary" else said
    soft = np.cbrt(q) / np.cbrt(q).sum(axis=1, keepdims=True)
    soft = soft[:, 1:] if kind == "binary" else soft
    taught, shares = data.targets[setup.problem.whole], data.soft[setup.problem.whole]
    np.testing.assert_allclose(taught[rows:], 3 * soft[rows:], atol=1e-9)
    real = plain.problem.data.targets
    np.testing.assert_allclose(taught[:rows], 0.6 * real + 0.4 * 3 * soft[:rows], atol=1e-9)
    np.testing.assert_allclose(shares, np.repeat([0.4, 1.0], [rows, len(shares) - rows]))


def test_a_run_at_a_temperature_ends_with_another_front(config: Path, tmp_path: Path) -> None:
    fronts = []
    for temperature in ("1.0", "4.0"):
        out = tmp_path / temperature
        override = ["--set", f"train.teacher_temperature={temperature}"]
        assert main([str(config), *override, "--out", str(out), "--quiet"]) == DONE
        fronts.append((out / "front.csv").read_bytes())
    assert fronts[0] != fronts[1]


def test_a_temperature_is_refused_for_values(tmp_path: Path, capsys: Any) -> None:
    table = tmp_path / "line.csv"
    table.write_text("a,y\n" + "\n".join(f"{a:.3f},{3 * a:.3f}" for a in np.random.default_rng(0).normal(size=60)))
    given = ["fit", str(table), "--teachers", "linear", "--set", "train.teacher_temperature=2", "--quiet"]
    for more in (["--out", str(tmp_path / "out")], ["--dry-run"]):
        assert neuraltree([*given, *more]) == 2
        assert "train.teacher_temperature = 2 makes probabilities of classes softer" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_with_teachers_that_goes_on_has_the_same_front_to_the_bit(config: Path, tmp_path: Path) -> None:
    whole, parts, alone = (tmp_path / name for name in ("whole", "parts", "alone"))
    assert main([str(config), "--out", str(whole), "--quiet"]) == DONE
    assert main([str(config), "--generations", "1", "--out", str(parts), "--quiet"]) == DONE
    assert main([str(parts), "--resume", "--generations", "3", "--quiet"]) == DONE
    for name in ("front.csv", "models/000.json"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()
    assert main([str(config), "--set", "train.teachers=[]", "--out", str(alone), "--quiet"]) == DONE
    assert (whole / "front.csv").read_bytes() != (alone / "front.csv").read_bytes()


def test_a_dry_run_says_which_teachers_there_are_and_what_they_cost(config: Path, capsys: Any) -> None:
    assert main([str(config), "--dry-run"]) == DONE
    said = capsys.readouterr().out
    assert "# teachers: linear, svm; each is fitted 9 times: in 2 folds of the search, in 5 of" in said
    assert "trees learn 1,000 rows or more of a fold, 3,000 or more at the end" in said
    assert main([str(config), "--set", "train.teachers=[]", "--dry-run"]) == DONE
    assert "# teachers: none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ('train.teachers=["mlp", "forest"]', "train.teachers has the unknown name 'forest'; allowed: linear, mlp,"),
        ('train.teachers=["mlp", "mlp"]', "train.teachers names one twice: mlp, mlp"),
        ("train.teachers=mlp", "train.teachers = 'mlp' is not allowed; allowed: a list"),
        ("task.class_weight=balanced", "leave out train.teachers, or data.weight and task.class_weight"),
        ("data.weight=w", "leave out train.teachers, or data.weight and task.class_weight"),
        ("train.teacher_temperature=0", "train.teacher_temperature = 0"),
        (
            ["train.teachers=[]", "train.teacher_temperature=2"],
            "= 2.0 is for trees that learn from teachers",
        ),
        (["task.loss=squared", "train.teacher_temperature=2"], "made softer for the loss cross_entropy"),
        (["compress.prune=taylor", "train.teacher_temperature=2"], "pruned models are trained at 1"),
        ("task.loss=huber", "teachers predict means, and task.loss = 'huber' is for other values"),
    ],
)
def test_what_teachers_cannot_do_is_refused(
    config: Path, tmp_path: Path, capsys: Any, override: str | list[str], message: str
) -> None:
    given = [override] if isinstance(override, str) else override
    overrides = [word for each in given for word in ("--set", each)]
    assert main([str(config), *overrides, "--out", str(tmp_path / "out"), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_teacher_that_cannot_be_fitted_leaves_no_folder(tmp_path: Path, capsys: Any) -> None:
    rng = np.random.default_rng(0)
    kinds = ["rare", *["common"] * 9] * 5
    rows = [f"{a:.3f},{b:.3f},{kind}" for (a, b), kind in zip(rng.normal(size=(50, 2)), kinds, strict=True)]
    table = tmp_path / "rare.csv"
    table.write_text("a,b,kind\n" + "\n".join(rows) + "\n")
    given = [str(table), "--teachers", "svm", "--generations", "0", "--out", str(tmp_path / "out"), "--quiet"]
    assert neuraltree(["fit", *given]) == 2
    assert "cannot be fitted to these rows" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_line_names_teachers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = tmp_path / "line.csv"
    table.write_text("a,y\n" + "\n".join(f"{a:.3f},{3 * a:.3f}" for a in rng.normal(size=60)) + "\n")
    given = ["--generations", "0", "--set", "train.epochs=1", "--set", "search.population=4", "--quiet"]
    given += ["--set", "baselines.models=[]", "--out", str(tmp_path / "out")]
    assert neuraltree(["fit", str(table), "--teachers", "linear", "extra_trees", *given]) == DONE
    assert load_config(tmp_path / "out" / "config.toml").train.teachers == ("linear", "extra_trees")


def test_teachers_end_the_weight_decay_and_no_older_hash_moves(config: Path) -> None:
    decays = []
    for override in ([], ["train.teachers=[]"], ["train.weight_decay=0.1"]):
        loaded = load_config(config, override)
        decays.append(set_up(loaded, load_table(loaded)).problem.settings.weight_decay)
    assert decays == [0.0, 0.3, 0.1]
    without = load_config(config, ["train.teachers=[]"])
    config.write_text(CONFIG.replace('teachers = ["linear", "svm"]', ""))
    assert config_hash(load_config(config)) == config_hash(without)


def test_the_time_of_a_taught_end_is_that_of_its_lessons(config: Path) -> None:
    loaded = load_config(config, ['search.time="60s"'])
    table = load_table(loaded)
    plain = set_up(loaded, table)
    setup, _ = lessons(plain, table, [Recording(3)], silent)
    ending = Ending(loaded.search, begun=0.0)
    ending._speeds = [1e6]
    columns = {"weights": np.array([10.0, 20.0])}
    state: Any = type("State", (), {"members": type("M", (), {"columns": columns}), "evaluations": 8})
    info: Any = type("Info", (), {"front": np.arange(2)})
    assert ending._finish_s(setup, state, info) == pytest.approx(30 * LAST_EPOCHS * (5 * ROWS + LAST_ROWS) / 1e6)
