"""When a search ends: by its generations, by its time, on a plateau; and how a run goes on later."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from neuraltree import NeuralTreeClassifier
from search import Evolution
from search.config.config import config_of
from search.config.durations import seconds_of
from search.config.settings import SearchConfig
from search.engine.evolution_step import generations
from search.engine.problem import set_up
from search.judge.honest import judging_epochs, refit_course
from search.runs import ending as module
from search.runs.ending import GENERATIONS, RISE, Ending, finish_s, on_plateau, validated_rows
from search.runs.progress import Phases
from tests.helpers.small_tables import small_table
from tests.helpers.writes import at_writes
from tests.runs import test_resume
from tests.runs.test_resume import here

CONFIG = test_resume.CONFIG.replace("models = []", 'models = ["cart"]')


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(CONFIG)
    return path


def results(out: Path) -> dict[str, Any]:
    """All that must not depend on when a search ended and went on."""
    names = ("front.csv", "live.csv", "archive.npz", "evolution.npz")
    files = [*(out / name for name in names), *sorted((out / "models").iterdir())]
    found: dict[str, Any] = {str(path.relative_to(out)): path.read_bytes() for path in files}
    manifest = json.loads((out / "manifest.json").read_text())
    found["manifest"] = {key: manifest[key] for key in ("status", "evaluations", "generations", "config_hash")}
    for name, columns in (("history.csv", slice(5)), ("baselines.csv", slice(11))):
        if (out / name).exists():
            with (out / name).open(newline="") as file:
                found[name] = [row[columns] for row in csv.reader(file)]
    found["files"] = sorted(str(path.relative_to(out)) for path in out.rglob("*"))
    return found


def test_times_are_numbers_with_a_unit() -> None:
    assert [seconds_of(text) for text in ("90s", "5m", "1.5h", "1e3s")] == [90, 300, 5400, 1000]
    for text in ("", "s", "90", "5 minutes", "-3s", "0s", "nans", "infh", "1d"):
        with pytest.raises(ValueError, match="is not a time; write a number above 0 and s, m or h"):
            seconds_of(text)


def test_a_plateau_is_a_volume_that_hardly_rises() -> None:
    flat = [10.0] * (GENERATIONS + 1)
    assert on_plateau(flat)
    assert not on_plateau(flat[1:])  # too short to know
    assert not on_plateau([*flat[1:], 10 * (1 + 1.1 * RISE)])
    assert on_plateau([*flat[1:], 10 * (1 + 0.9 * RISE)])
    assert on_plateau([1.0, 5.0, *flat])
    assert not on_plateau([0.0] * 100)  # no tree meets the constraints yet


def ended(monkeypatch: pytest.MonkeyPatch, limit: str, each_s: float, judged_s: float, reserve_s: float) -> int:
    """The generation after which a search of generations of the same length ends, by a clock of our own."""
    now = [100.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(Ending, "_finish_s", lambda *_: judged_s)
    setup = set_up(
        config_of({"data": {"source": "x"}, "search": {"population": 4}}, "test"), small_table("binary", 60, 3)
    )
    ending = Ending(SearchConfig(time=limit), begun=now[0])
    ending._reserve_s = reserve_s
    for state, info in generations(setup.problem, setup.strategy, Phases()):
        now[0] += each_s
        ending.note(setup, state, info, {"train": each_s})
        if ending.why(state.generation):
            return state.generation
    raise AssertionError


def test_a_time_leaves_room_for_the_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    # Generations 0 to 7 take 8 s; another one, 1.5 times the judgement and the reserve would be 10.9 s.
    assert ended(monkeypatch, "10s", 1.0, 1.0, 0.4) == 7
    assert ended(monkeypatch, "10s", 1.0, 2.0, 0.4) == 5
    assert ended(monkeypatch, "10s", 1.0, 1.0, 3.0) == 4
    assert ended(monkeypatch, "2s", 5.0, 1.0, 0.0) == 0  # the first population is always trained


def test_a_run_that_goes_on_for_a_time_forgets_what_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "perf_counter", lambda: 0.0)
    history = [{"generation": g, "hypervolume": 1.0, "seconds_train": 1.0, "seconds_save": 0.5} for g in range(80)]
    for timed_from, limit, over in ((0, "110s", True), (0, "121s", True), (40, "59s", True), (60, "31s", False)):
        ending = Ending(SearchConfig(time=limit), begun=0.0)
        ending.go_on(history, timed_from)
        assert bool(ending.why(79)) is over, (timed_from, limit)
    ending = Ending(SearchConfig(time="121s"), begun=0.0)
    ending.go_on(history, 0)
    assert ending.why(79) == "the front no longer gets better"  # 120 s are over, and it did not rise


def test_the_end_of_a_table_in_blocks_reads_it_again_and_scores_all_its_test_rows() -> None:
    setup = set_up(
        config_of({"data": {"source": "x"}, "search": {"population": 4}}, "test"), small_table("binary", 60, 3)
    )
    weights, epochs = np.array([10.0, 20.0]), refit_course(setup, 0)[0]
    alone = finish_s(setup, None, weights, 0, 1e6)
    trained_rows = judging_epochs(setup, 2 * 3, 0) * 3 * 4 * len(setup.train_rows) + epochs * len(setup.train_rows)
    assert alone == pytest.approx(30 * trained_rows / 1e6)
    stream = SimpleNamespace(read_s=7.0, test_rows=int(5e6))
    assert finish_s(setup, stream, weights, 0, 1e6) == pytest.approx(alone + 7 * (epochs + 1) + 30 * 5e6 / 1.5e8)  # type: ignore[arg-type]


def test_validation_rows_count_as_a_share() -> None:
    setup = set_up(
        config_of({"data": {"source": "x"}, "search": {"folds": 3}, "train": {"epochs": 4}}, "test"),
        small_table("binary", 60, 3),
    )
    assert validated_rows(setup) == pytest.approx(0.4 * len(setup.train_rows) * 5)


def test_a_search_that_time_has_ended_does_not_go_on_when_it_is_resumed(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    class Killed(BaseException):
        """Ends a run where a kill would."""

    def kill(path: Path) -> None:
        if path.name == "end.log":
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Ending, "why", lambda self, generation: "time is over" if generation == 2 else "")
        at_writes(patch, kill)
        with pytest.raises(Killed):
            here(config, "--out", out, "--time", "1h")
    with monkeypatch.context() as patch:
        patch.setattr(Ending, "why", lambda self, generation: "")  # as if there were more time
        assert here(out, "--resume") == 0
    assert json.loads((out / "manifest.json").read_text())["generations"] == 2
    assert here(out, "--resume", "--generations", 3) == 0
    assert json.loads((out / "manifest.json").read_text())["generations"] == 3


def test_a_run_of_generations_does_not_look_at_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ending = Ending(SearchConfig(generations=3), begun=0.0)
    monkeypatch.setattr(module, "on_plateau", lambda volumes: True)
    assert [bool(ending.why(g)) for g in range(5)] == [False, False, False, True, True]


def test_a_run_that_goes_on_has_the_bits_of_one_that_was_never_stopped(config: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert here(config, "--out", whole) == 0
    assert here(config, "--out", out, "--generations", 2) == 0
    assert json.loads((out / "manifest.json").read_text())["generations"] == 2
    assert here(out, "--resume", "--generations", 4) == 0
    assert here(out, "--resume", "--generations", 6) == 0
    assert results(out) == results(whole)


def test_it_may_be_killed_while_it_goes_on(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tmp_path / "whole"
    assert here(config, "--out", whole) == 0

    class Killed(BaseException):
        """Ends a run where a kill would."""

    for number in (1, 3, 5, 8, 20, 40):  # while the logs are made again, in the search, in the judgement
        out, left = tmp_path / str(number), [0]
        assert here(config, "--out", out, "--generations", 3) == 0

        def kill(path: Path, left: list[int] = left, number: int = number) -> None:
            left[0] += 1
            if left[0] == number:
                raise Killed

        with monkeypatch.context() as patch:
            at_writes(patch, kill, "within")
            with pytest.raises(Killed):
                here(out, "--resume", "--generations", 6)
        assert here(out, "--resume", "--generations", 6) == 0
        assert results(out) == results(whole), number


def test_what_cannot_go_on_is_refused_before_anything_changes(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert here(config, "--out", out, "--generations", 2) == 0
    before = results(out)
    for words, said in (
        (("--generations", 2), "has done 2 generations; --generations 2 must be more"),
        (("--generations", -1), "search.generations"),
        (("--time", "soon"), "'soon' is not a time"),
    ):
        assert here(out, "--resume", *words) == 2
        assert said in capsys.readouterr().err
        assert results(out) == before
    with pytest.raises(SystemExit):
        here(out, "--resume", "--generations", 4, "--time", "3s")
    (out / "evolution.npz").rename(tmp_path / "kept.npz")
    assert here(out, "--resume", "--generations", 4) == 2
    assert "evolution.npz is missing, so the run cannot go on" in capsys.readouterr().err
    (tmp_path / "kept.npz").rename(out / "evolution.npz")
    assert results(out) == before


def test_a_run_with_a_time_can_be_had_again_by_its_generations(config: Path, tmp_path: Path) -> None:
    timed, counted = tmp_path / "timed", tmp_path / "counted"
    config.write_text(CONFIG.replace('["cart"]', "[]"))  # a slow machine leaves baselines out
    assert here(config, "--out", timed, "--time", "4s") == 0
    done = json.loads((timed / "manifest.json").read_text())["generations"]
    assert here(config, "--out", counted, "--generations", done) == 0
    found, expected = results(timed), results(counted)
    assert found.pop("manifest")["config_hash"] != expected.pop("manifest")["config_hash"]
    assert found == expected
    assert here(timed, "--resume", "--time", "3s") == 0
    assert json.loads((timed / "manifest.json").read_text())["generations"] >= done


def test_a_time_for_an_estimator() -> None:
    X, y = load_iris(return_X_y=True)
    for time in (2, "2s"):
        timed = NeuralTreeClassifier(Evolution(population=8, folds=2, time=time), epochs=2, random_state=0).fit(X, y)
        counted = NeuralTreeClassifier(
            Evolution(population=8, folds=2, generations=timed.n_iter_), epochs=2, random_state=0
        ).fit(X, y)
        np.testing.assert_array_equal(timed.predict_proba(X), counted.predict_proba(X))
    with pytest.raises(ValueError, match="time: '-1s' is not a time"):
        NeuralTreeClassifier(Evolution(time=-1)).fit(X, y)
