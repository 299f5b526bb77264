"""The frame of the experiments: data that is checked, units that survive kills, workers that die alone."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import experiments.catalogue
import experiments.frame.working
from experiments import catalogue, run
from experiments.common import images, paper_tables
from experiments.common.holdout import holdout
from experiments.frame import data_places, provenance
from experiments.frame.experiment import Unit
from experiments.frame.planning import Clock, chosen_units
from experiments.frame.row_store import Store, keys, read_rows
from experiments.frame.workers import Outcome, outcomes
from search.config.config import config_of
from search.engine.problem import set_up
from search.errors import InputError, LockedError
from tests.helpers import experiment_work
from tests.helpers.experiment_work import TOY

HAS_TABLES = all(
    any((folder / f"{name}.csv").is_file() for folder in data_places.table_folders()) for name in paper_tables.TABLES
)
needs_tables = pytest.mark.skipif(not HAS_TABLES, reason="the papers' tables are not there; set NEURALTREE_DATA")
ORIGIN = {"seconds": 1.5, "cpu_s": 1.0, "config": "a", "commit": "c", "versions": "v"}


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for tables, empty, and no other."""
    folder = tmp_path / "tables"
    folder.mkdir()
    monkeypatch.setenv("NEURALTREE_DATA", str(folder))
    monkeypatch.setattr(data_places, "BESIDE", tmp_path / "beside")
    paper_tables.table.cache_clear()
    return folder


def rows_of(unit: Unit, count: int = 1, **cells: Any) -> list[dict[str, Any]]:
    head = {"table": unit.table, "job": unit.job}
    return [{**head, "seed": unit.seed, "value": i / 3, **ORIGIN, **cells} for i in range(count)]


# --- data


@needs_tables
@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("wine", (178, 13), 3), ("glass", (214, 9), 6), ("pima", (768, 8), 2), ("friedman", (1200, 5), 0)],
)
def test_the_tables_are_read(name: str, shape: tuple[int, int], classes: int) -> None:
    """wine has four empty columns behind its target."""
    table = paper_tables.table(name)
    assert table.X.shape == shape
    assert len(table.classes or ()) == classes
    assert (table.kind == "regression") == (name in paper_tables.REGRESSION)


@needs_tables
def test_every_model_is_tested_on_the_rows_of_a_search() -> None:
    table = paper_tables.table("iris")
    train, test = holdout(table, 3)
    setup = set_up(config_of({"data": {"source": "iris"}, "run": {"seed": 3}}, "iris"), table, workers=1)
    assert_array_equal(train, setup.train_rows)
    assert_array_equal(test, setup.test_rows)
    assert len(test) == 30
    assert not set(train) & set(test)


@pytest.mark.parametrize("names", [("dee",), ("iris", "dee", "heart", "mnist")])
def test_all_tables_that_are_absent_are_named_at_once(nowhere: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        paper_tables.check_found(names)
    text = str(caught.value)
    lost = [name for name in names if name in ("dee", "heart")]
    assert text.startswith(f"no {', '.join(f'{name}.csv' for name in lost)} in $NEURALTREE_DATA, ")
    assert "set NEURALTREE_DATA" in text
    assert "\n" not in text


def test_a_run_without_data_ends_in_one_line(nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["tables/bneuralt", "--only", "*/linear"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("error: no australian.csv, heart.csv,")
    assert err.count("\n") == 1


def test_a_run_without_pictures_ends_in_one_line(nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["mnist", "--only", "mnist/grow_20k"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("error: no train-images-idx3-ubyte.gz in the folder mnist beside")
    assert err.count("\n") == 1


def test_another_file_under_the_name_of_a_table_is_refused(nowhere: Path) -> None:
    (nowhere / "dee.csv").write_text("a,b\n" + "1,2\n" * 20)
    with pytest.raises(InputError, match=r"dee\.csv is not the file that the results are about.*67aefcb33e39"):
        paper_tables.table("dee")


@pytest.mark.parametrize("change", [0.0, 0.1])
def test_a_table_from_openml_has_the_known_values_in_their_order(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, change: float
) -> None:
    """wine is the table that scikit-learn has too."""
    from sklearn import datasets

    known = datasets.load_wine()
    X = known.data.copy()
    X[7, 3] += change
    names = [f"V{i}" for i in range(13)]
    bunch = SimpleNamespace(
        data=X, target=(known.target + 1).astype(str), feature_names=names, categories={}, target_names=["class"]
    )
    monkeypatch.setattr(datasets, "fetch_openml", lambda data_id, **_: bunch if data_id == 187 else None)
    if change:
        with pytest.raises(InputError, match="openml:187 has other values"):
            paper_tables.table("wine")
    else:
        assert_array_equal(paper_tables.table("wine").X, known.data)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def test_pictures_are_read(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / "some.gz"
    path.write_bytes(gzip.compress(idx(array)))
    digest = hashlib.sha256(idx(array)).hexdigest()
    assert_array_equal(images.read_idx(path, digest, (2, 3, 4)), array)
    with pytest.raises(InputError, match="not an IDX file of bytes of the shape"):
        images.read_idx(path, digest, (2, 4, 3))
    with pytest.raises(InputError, match="is not the file"):
        images.read_idx(path, "0" * 64, (2, 3, 4))
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match="not a gzip file"):
        images.read_idx(path, digest, (2, 3, 4))


def test_pictures_that_are_absent_are_said_to_be(nowhere: Path) -> None:
    with pytest.raises(InputError, match=r"no train-images-idx3-ubyte\.gz in the folder mnist beside"):
        images.images("mnist")
    with pytest.raises(InputError, match="did you mean mnist"):
        images.images("mnits")


# --- provenance


def test_a_config_hash_depends_on_values_alone() -> None:
    first = provenance.config_hash({"a": 1, "b": [1.5, "x"]})
    assert first == provenance.config_hash({"b": (1.5, "x"), "a": 1})
    assert first != provenance.config_hash({"a": 1, "b": [1.5, "y"]})
    assert len(first) == 12


@pytest.mark.parametrize("name", catalogue.MODULES)
def test_every_unit_has_a_config_hash(name: str) -> None:
    experiment = catalogue.load(name)
    for quick in (False, True):
        assert all(provenance.config_hash(experiment.settings(unit, quick)) for unit in experiment.units(1, quick))


def test_constants_are_plain() -> None:
    """Of rows of tables what is no function, of tables their keys."""
    found = provenance.constants("search.variation.operators", "experiments.peers.matrices")
    assert found["search.variation.operators.OPERATORS"][0] == ["crossover", 0.4, 2, False]
    assert found["experiments.peers.matrices.FUNCTIONS"] == ["+", "-", "*", "aq", "sin", "tanh"]
    assert found["experiments.peers.matrices.POPULATION"] == 100


def test_a_commit_says_whether_files_besides_results_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "CHECKOUT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit() == "unknown"

    def git(*words: str) -> None:
        subprocess.run(("git", "-C", str(tmp_path), *words), check=True, capture_output=True)

    git("init")
    (tmp_path / "code.py").write_text("1")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "one")
    clean = provenance.commit()
    assert len(clean) == 12
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "new.csv").write_text("1")
    assert provenance.commit() == clean
    (tmp_path / "code.py").write_text("2")
    assert provenance.commit() == clean + "+"


# --- store


def test_a_file_cut_anywhere_gives_whole_units_and_is_gone_on_with(tmp_path: Path) -> None:
    first, second, third = Unit("t", "one", 0), Unit("t", "many", 0), Unit("t", "pair", 3, count=2)
    path, configs = tmp_path / "toy.csv", dict.fromkeys((first, second, third), "a")
    written = {first: rows_of(first), second: rows_of(second, 3)}
    written[third] = [*rows_of(third, 2), *rows_of(Unit("t", "pair", 4), 1)]
    ends = []
    with Store(path, ("value",)) as store:
        assert store.begin(configs, configs, fresh=False) == list(configs)
        for rows in written.values():
            store.append(rows)
            ends.append(path.stat().st_size)
    content = path.read_bytes()
    for cut in range(ends[0], len(content) + 1):
        path.write_bytes(content[:cut])
        with Store(path, ("value",)) as store:
            missing = store.begin(configs, configs, fresh=False)
            assert missing == [unit for unit, end in zip(configs, ends, strict=True) if end > cut]
            for unit in missing:
                store.append(written[unit])
        assert path.read_bytes() == content


def test_values_read_back_exactly(tmp_path: Path) -> None:
    unit = Unit("t", "j", 0)
    with Store(tmp_path / "toy.csv", ("value",)) as store:
        store.begin([unit], {unit: "a"}, fresh=False)
        store.append(rows_of(unit, value=np.float64(0.1) + 0.2))
    (row,) = read_rows(tmp_path / "toy.csv")
    assert float(row["value"]) == 0.1 + 0.2
    assert row["rows"] == "1"


def test_rows_of_other_settings_are_refused_or_dropped_alone(tmp_path: Path) -> None:
    old, same, other = Unit("t", "old", 0), Unit("t", "same", 0), Unit("u", "other", 0)
    path = tmp_path / "toy.csv"
    with Store(path, ("value",)) as store:
        store.begin([], {}, fresh=False)
        for unit, config in ((old, "x"), (same, "a"), (other, "x")):
            store.append(rows_of(unit, config=config))
    before = path.read_bytes()
    chosen = {old: "a", same: "a"}
    with Store(path, ("value",)) as store, pytest.raises(InputError) as caught:
        store.begin(chosen, chosen, fresh=False)
    assert "1 rows, the first of t/old seed 0, were made with the settings x, which are a now; --fresh" in str(
        caught.value
    )
    assert path.read_bytes() == before
    with Store(path, ("value",)) as store:
        assert store.begin(chosen, chosen, fresh=True) == [old]
        assert {row["job"] for row in store.rows} == {"same", "other"}


def test_a_column_can_be_added_and_none_is_lost(tmp_path: Path) -> None:
    unit, path = Unit("t", "j", 0), tmp_path / "toy.csv"
    with Store(path, ("value",)) as store:
        store.begin([], {}, fresh=False)
        store.append(rows_of(unit))
    with Store(path, ("value", "more")) as store:
        assert store.begin([unit], {unit: "a"}, fresh=False) == []
    assert read_rows(path)[0]["more"] == ""
    with Store(path, ("more",)) as store, pytest.raises(InputError, match="columns no longer given: value"):
        store.begin([unit], {unit: "a"}, fresh=False)


def test_one_process_holds_a_file(tmp_path: Path) -> None:
    with Store(tmp_path / "toy.csv", ()), pytest.raises(LockedError, match="in use by another process"):
        Store(tmp_path / "toy.csv", ()).__enter__()
    with Store(tmp_path / "toy.csv", ()):
        pass


# --- workers


def test_a_unit_that_fails_or_kills_its_process_costs_itself_alone() -> None:
    jobs = ("good", "raise", "exit", "killed", "good", "pid", "pid", "threads")
    units = [Unit("toy", job, seed) for seed, job in enumerate(jobs)]
    found = dict(outcomes(experiment_work.make_work, units, 2))
    assert set(found) == set(units)
    errors = {unit.job: outcome.error for unit, outcome in found.items() if outcome.error}
    assert errors["raise"].startswith("RuntimeError: seed 1 is bad (experiment_work.py:")
    assert errors["exit"] == "its process ended with exit code 7"
    assert errors["killed"] == "its process was killed by SIGKILL"
    assert len(errors) == 3
    assert found[units[4]].rows == [{"value": 4 / 3}, {"value": None}]
    assert found[units[7]].rows == [{"value": "1"}]
    assert os.getpid() not in {found[unit].rows[0]["value"] for unit in units[5:7]}


def test_processes_end_with_the_iterator() -> None:
    units = [Unit("toy", "pid", 0), Unit("toy", "sleep", 1)]
    iterator = outcomes(experiment_work.make_work, units, 2)
    unit, outcome = next(iterator)
    assert unit.job == "pid"
    iterator.close()  # waits for the process that sleeps, which must have been killed
    with pytest.raises(ProcessLookupError):
        os.kill(outcome.rows[0]["value"], 0)


# --- planning and the command


def test_units_are_chosen_by_patterns() -> None:
    assert [unit.job for unit in chosen_units(TOY, 1, False, ["toy/good", "*/p*"])] == ["good", "pid"]
    with pytest.raises(InputError, match=r"--only wine matches no unit of toy.*tables: toy; jobs: good, raise, pid"):
        chosen_units(TOY, 1, False, ["toy/good", "wine"])


def test_the_rest_is_foretold_by_the_means_of_jobs() -> None:
    done = [Unit("t", "fast", 0)]
    missing = [Unit("t", "fast", 1), Unit("t", "slow", 0), Unit("t", "slow", 1)]
    rows = [{"table": "t", "job": "fast", "seed": "0", "seconds": "10.0"}] * 2  # two rows of one unit
    clock = Clock(len(done) + len(missing), missing, 2, rows)
    line = clock.line(missing[1], Outcome([], 100.0, 100.0))
    assert line == "[2/4] t/slow seed 0: 100.0 s; 55 s left"  # (10 + 100) / 2 processes
    assert clock.line(missing[0], Outcome([], 20.0, 1.0, "why")) == "[3/4] t/fast seed 1: failed: why; 50 s left"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """The command for the toy experiment, on one process."""
    monkeypatch.setattr(experiments.catalogue, "load", lambda name: TOY)
    monkeypatch.setattr(experiments.catalogue, "RESULTS", tmp_path)
    monkeypatch.setattr(experiments.frame.working, "worker", experiment_work.worker)
    return lambda *words: run.main(["toy", "--jobs", "1", *words])


def test_a_run_keeps_what_succeeds_and_goes_on(
    toy: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert toy("--seeds", "1") == run.FAILED
    out, err = capsys.readouterr()
    assert "[3/3] toy/pid seed 0:" in out
    assert "toy/raise seed 0: failed: RuntimeError: seed 0 is bad" in out
    assert err == "error: 1 units failed; the same command tries them again\n"
    rows = read_rows(tmp_path / "toy.csv")
    assert [row["job"] for row in rows] == ["good", "good", "pid"]
    assert rows[0]["config"] == provenance.config_hash({"job": "good", "quick": False})
    assert toy("--seeds", "1", "--only", "toy/good", "--only", "*/pid") == 0
    assert read_rows(tmp_path / "toy.csv") == rows  # nothing was run again
    assert toy("--seeds", "1", "--list") == 0
    assert "toy/good: 1 of 1\ntoy/raise: 0 of 1\n" in capsys.readouterr().out
    assert toy("--quick", "--only", "toy/good") == 0
    assert (tmp_path / "quick" / "toy.csv").is_file()


def test_ctrl_c_keeps_finished_units(
    toy: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def press(clock: Clock, unit: Unit, outcome: Outcome) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Clock, "line", press)
        assert toy("--seeds", "2", "--only", "*/good") == 130
    assert "finished units are kept" in capsys.readouterr().err
    assert {row["seed"] for row in read_rows(tmp_path / "toy.csv")} == {"0"}
    assert toy("--seeds", "2", "--only", "*/good") == 0
    assert {row["seed"] for row in read_rows(tmp_path / "toy.csv")} == {"0", "1"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"value": 1, "more": 2}], "columns more"),
        ([{}], "columns value"),
        ([{"value": 1, "seed": 5}], "there must be rows of"),
        ([], "there must be rows of"),
    ],
)
def test_rows_are_held_to_what_is_promised(rows: list[dict[str, Any]], message: str) -> None:
    from dataclasses import replace

    with pytest.raises(ValueError, match=message):
        experiments.frame.working.checked_rows(replace(TOY, run=lambda unit, quick: rows), False, Unit("t", "j", 0))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tables"], "there is no experiment 'tables'; allowed: tables/bneuralt"),
        ([], "name an experiment"),
        (["mnist", "--seeds", "0"], "'0' is not a whole number of 1 or more"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = run.main(words)
    except SystemExit as left:
        code = int(str(left.code))
    err = capsys.readouterr().err
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_the_keys_of_a_unit_of_several_seeds() -> None:
    assert keys(Unit("t", "j", 3, count=2)) == {("t", "j", "3"), ("t", "j", "4")}
