"""Numbers predicted from recordings: which value belongs to which window, what is learned when, and firmware."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from neuraltree.hardware.compilers import host_compiler
from neuraltree.signals.signal_model import load
from search.cli.neuraltree_command import main
from search.config.config import config_of
from search.engine.problem import set_up
from search.errors import InputError
from search.table.data import Table
from search.table.loading import load_table
from search.table.splits import make_folds, split

SAMPLES = 120


def write(path: Path, values: np.ndarray, recordings: int = 1) -> Path:
    """A CSV file of channels u and y; several recordings are of the same samples."""
    rows = [f"{one},{u!r},{y!r}" for one in range(recordings) for u, y in values.tolist()]
    path.write_text("\n".join(["recording,u,y", *rows]) + "\n")
    return path


def whole_numbers(samples: int = SAMPLES) -> np.ndarray:
    """Samples that are integers of 16 bits, so that the scale is 1 and features are the samples."""
    t = np.arange(samples)
    return np.column_stack([1000 + 7 * t, 5000 - (37 * t) % 101]).astype(float)


def config_at(path: Path, **signal: object):
    raw = {"data": {"source": str(path), "test_fraction": 0.25}}
    return config_of(raw | {"signal": {"target": "y", "rate_hz": 1.0} | signal}, "test")


def table_at(path: Path, **signal: object) -> Table:
    return load_table(config_at(path, **signal))


def test_rows_hold_the_lags_and_the_value_ahead(tmp_path: Path) -> None:
    values = whole_numbers()
    table = table_at(write(tmp_path / "s.csv", values), horizon=3, lags={"u": [4, 0], "y": [11]})
    t = np.arange(11, SAMPLES - 3)  # the newest samples: the first that has 11 before it, the last that has 3 after it
    assert table.kind == "regression"
    assert table.features == ("u.lag@12", "u.lag:4@12", "y.lag:11@12")
    np.testing.assert_array_equal(table.X, np.column_stack([values[t, 0], values[t - 4, 0], values[t - 11, 1]]))
    np.testing.assert_array_equal(table.y, values[t + 3, 1])


def test_the_target_in_its_unit_and_inputs_in_counts(tmp_path: Path) -> None:
    values = whole_numbers() / 1000 + 0.0005
    table = table_at(write(tmp_path / "s.csv", values), horizon=1, lags=[0])
    counts = np.array(table.front.counts_per_unit)
    np.testing.assert_array_equal(table.y, values[8:, 1])
    np.testing.assert_array_equal(table.X, np.rint(values[7:-1].astype("f4") * counts.astype("f4")))


def test_windows_are_as_far_apart_as_the_hop(tmp_path: Path) -> None:
    values = whole_numbers()
    table = table_at(write(tmp_path / "s.csv", values), horizon=2, windows=[16], hop=8, channels=["u"], most_features=9)
    assert table.moments[:, 1].tolist() == list(range(16, SAMPLES - 1, 8))
    np.testing.assert_array_equal(table.y, values[np.arange(16, SAMPLES - 1, 8) + 1, 1])
    assert all(name.startswith("u.") for name in table.features)


def test_the_value_at_the_same_time_is_not_predicted_from_itself(tmp_path: Path) -> None:
    values = whole_numbers()
    table = table_at(write(tmp_path / "s.csv", values), horizon=0, lags=[0, 1])
    assert table.features == ("u.lag@8", "u.lag:1@8")
    assert table.front.channels == ("u",)  # the firmware is not fed the target
    np.testing.assert_array_equal(table.y, values[7:, 1])


@pytest.mark.parametrize("horizon", [1, 6])
def test_nothing_is_fitted_whose_target_is_not_known_yet(tmp_path: Path, horizon: int) -> None:
    """By hand: decision ``end`` has samples 0 .. end - 1, and its target is sample end - 1 + horizon."""
    table = table_at(write(tmp_path / "s.csv", whole_numbers()), horizon=horizon, lags=[0])
    train, test = split(table, 0.25, 0)
    ends = table.moments[:, 1]
    rows = SAMPLES - 7 - horizon
    assert test.tolist() == list(range(rows - -(-rows // 4), rows))
    assert ends[train].tolist() == [end for end in ends.tolist() if end + horizon <= ends[test[0]]]
    for fit, held in make_folds(table, train, 3, 0):
        assert ends[fit].max() + horizon == ends[held].min()


def test_the_future_changes_nothing_that_is_learned_from(tmp_path: Path) -> None:
    signal = {"horizon": 4, "windows": [16], "lags": [0, 3], "most_features": 12}
    values = whole_numbers(300) / 7
    table = table_at(write(tmp_path / "a.csv", values), **signal)
    first = int(table.moments[split(table, 0.25, 0)[1][0], 1])
    later = values.copy()
    later[first:] = 50 * later[first:] + 9e4  # what is there after the first test decision
    other = table_at(write(tmp_path / "b.csv", later), **signal)
    before, after = (
        set_up(config_at(tmp_path / name, **signal), one) for name, one in (("a.csv", table), ("b.csv", other))
    )
    assert table.front == other.front  # the scales, and which features were chosen
    np.testing.assert_array_equal(before.train_rows, after.train_rows)
    np.testing.assert_array_equal(table.X[before.train_rows], other.X[after.train_rows])
    np.testing.assert_array_equal(table.y[before.train_rows], other.y[after.train_rows])
    for name in ("scaler", "target_scaler"):
        np.testing.assert_array_equal(getattr(before, name).mean, getattr(after, name).mean)
        np.testing.assert_array_equal(getattr(before, name).scale, getattr(after, name).scale)
    assert not np.array_equal(table.y[before.test_rows], other.y[after.test_rows])


def test_several_recordings_are_not_cut(tmp_path: Path) -> None:
    table = table_at(write(tmp_path / "s.csv", whole_numbers(), recordings=8), horizon=1, lags=[0])
    assert table.rules.time is None
    train, test = split(table, 0.25, 0)
    assert len(train) + len(test) == len(table.y) == 8 * (SAMPLES - 8)
    assert not set(table.moments[train, 0].tolist()) & set(table.moments[test, 0].tolist())


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ({"target": "z", "lags": [0], "horizon": 1}, "signal.target names 'z'"),
        ({"lags": [0], "horizon": 500}, "has 120 samples, and a window of 8 with a horizon of 500 needs 508"),
        ({"lags": [0], "horizon": 100}, "no target of 13 decisions is known"),
        ({"lags": [0], "horizon": 1, "classes": ["a"]}, "signal.classes are about labels"),
        ({"lags": [0], "horizon": 1, "hops": [1, 2]}, "signal.hops"),
        ({"lags": [0], "channels": ["y"]}, "predicted from itself"),
        ({"lags": {"y": [1]}}, "predicted from itself"),
        ({"horizon": 1}, "set signal.windows or signal.lags"),
        ({"lags": {"z": [1]}, "horizon": 1}, "signal.lags names 'z'"),
        ({"lags": [1000], "hop": 100, "horizon": 1}, "the most is 1024"),
        ({"target": "", "windows": [16], "horizon": 1}, "name it as signal.target"),
        ({"target": "", "lags": [0]}, "a class is the label of a window"),
    ],
)
def test_what_cannot_be_predicted_is_refused(tmp_path: Path, signal: dict[str, object], said: str) -> None:
    path = write(tmp_path / "s.csv", whole_numbers())
    with pytest.raises(InputError, match=said):
        table_at(path, **signal)


def mackey_glass(samples: int) -> np.ndarray:
    """By Euler's rule in tenths, each tenth of a sample; not the values of the literature."""
    x = [1.2] * 171
    for _ in range(10 * (samples + 100)):
        x.append(x[-1] + 0.1 * (0.2 * x[-171] / (1 + x[-171] ** 10) - 0.1 * x[-1]))
    return np.array(x[-10 * samples :: 10])


@pytest.fixture(scope="module", params=["float32", "int8"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mackey")
    np.savetxt(folder / "x.csv", mackey_glass(400), "%.17g", header="x", comments="")
    fit = ["fit", str(folder / "x.csv"), "--signal", "--target", "x", "--horizon", "6", "--lags", "0", "6", "12", "18"]
    about = ["--rate-hz", "1", "--device", "cortex-m4f", "--precision", request.param, "--metric", "rmse"]
    short = ["--generations", "1", "--quiet", "--set", "search.population=8", "--set", "train.epochs=30"]
    short += ["--set", "search.folds=2", "--set", "train.batch_size=16"]
    assert main([*fit, *about, *short, "--out", str(folder / "run")]) == 0
    return folder


@pytest.mark.skipif(host_compiler() is None, reason="no C compiler")
def test_a_forecast_in_c_is_that_of_python(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", str(run / "run"), str(run / "x.csv"), "--c", "--out", str(run / "values.csv")]) == 0
    told = capsys.readouterr().out
    assert "the exported C gives the same 382 values" in told
    x, rows = mackey_glass(400), list(csv.DictReader((run / "values.csv").read_text().splitlines()))
    truth = np.array([float(row["truth"]) for row in rows if row["truth"]])
    value = np.array([float(row["value"]) for row in rows[: len(truth)]])
    np.testing.assert_allclose(truth, x[24:], rtol=1e-8)
    rmse, last = (np.sqrt(np.mean((one - truth) ** 2)) for one in (value, x[18:-6]))
    assert f"RMSE {rmse:.4g}" in told
    assert f"the last value instead: RMSE {last:.4g}; the model is better" in told
    assert rmse < last / 2


def test_test_errors_are_those_of_the_firmware(run: Path) -> None:
    """Of float code: sample by sample, without the search."""
    [row, *_] = csv.DictReader((run / "run" / "front.csv").read_text().splitlines())
    model = load(run / "run" / "signals" / Path(row["model"]).name)
    x = mackey_glass(400)
    counts = np.rint(x.astype("f4") * np.float32(model.front_end.counts_per_unit[0])).astype(np.int64)
    t = np.arange(18, 400 - 6)
    t = t[len(t) - -(-len(t) // 5) :]  # the test rows: a fifth by default
    features = np.column_stack([counts[t - one.feature.parameter] for one in model.front_end.wanted])
    rmse = np.sqrt(np.mean((model.tree.predict(features.astype(float)) - x[t + 6]) ** 2))
    assert rmse == pytest.approx(float(row["test_error"]), rel=1e-3)
