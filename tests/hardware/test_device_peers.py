"""The comparison on devices: what peers compute on a core, the choice within a budget, and a quick run."""

from __future__ import annotations

import csv
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from benchmarks.devices.device_peers import COLUMNS, main
from benchmarks.devices.device_tasks import Task, promised, score, task_of
from benchmarks.devices.front_budgets import ahead, kept_scores, middle_choice, within
from benchmarks.devices.meter import ROWS, agreeing, measured
from benchmarks.devices.models import cmsis_code, decision_trees, emlearn_code, linear_code, our_trees, scaled_models
from benchmarks.devices.models.candidates import Candidate
from benchmarks.devices.models.cmsis_numbers import IntegerLayer, Quantity
from neuraltree.hardware.measure.toolchains import available_compilers

NEEDED = ("unicorn", "capstone", "elftools", "emlearn", "m2cgen", "bakenn")
MISSING = [name for name in NEEDED if find_spec(name) is None]
needs_peers = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
needs_gcc = pytest.mark.skipif("gcc" not in available_compilers(), reason="no arm-none-eabi-gcc with newlib")
SMALL = {
    (linear_code, "PENALTIES"): (0.01,),
    (decision_trees, "DEPTHS"): (3,),
    (emlearn_code, "TREES"): (3,),
    (emlearn_code, "DEPTHS"): (4,),
    (scaled_models, "HIDDEN"): (4,),
    (scaled_models, "PENALTIES"): (0.1,),
    (scaled_models, "EPOCHS"): 80,
    (our_trees, "POPULATION"): 8,
}


AT_THRESHOLDS = {"trees": 1, "forests": 1}  # rows that may lie there: emlearn's thresholds have six decimals


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for (module, name), value in SMALL.items():
        monkeypatch.setattr(module, name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


FAMILIES: dict[str, Callable[[Task], list[Candidate]]] = {
    "linear": lambda task: list(linear_code.linear_models(task)),
    "trees": lambda task: list(decision_trees.decision_trees(task)),
    "forests": lambda task: list(emlearn_code.forests(task)),
    "floats": lambda task: [emlearn_code.network(task, *found) for found in scaled_models.perceptrons(task)],
    "integers": lambda task: [
        model for found in scaled_models.perceptrons(task) for model in cmsis_code.network(task, *found)
    ],
}


@needs_peers
@needs_gcc
@pytest.mark.parametrize("table", ["iris", "wdbc", "diabetes"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_core_computes_what_python_does(family: str, table: str) -> None:
    task = task_of(table, 0)
    core = "cortex-m0plus" if table == "wdbc" else "cortex-m4f"
    for model in FAMILIES[family](task):
        found = measured(model, task, core, "gcc")
        assert found["rows"] == ROWS
        rounded = AT_THRESHOLDS.get(family, 0) if model.inputs == "float32" else 0
        assert found["same"] >= ROWS - rounded, model.name
        assert 12 < found["cycles"] < 200_000
        assert 60 < found["flash_bytes"] < 12_000
        least = 0.0 if table == "diabetes" else 0.8
        assert score(model.answers, task.test_y, task.classes) > least, model.name


def test_an_integer_layer_by_hand() -> None:
    """Two weights: 2 (10 - 4) + 3 (-5 - 4) + 7 = -8, times 0.75 is -6, plus 1; and cut off from below."""
    layer = IntegerLayer(
        np.array([[2, 3]], np.int8), np.array([7], np.int32), 3 << 29, 0, Quantity(1.0, 4), Quantity(1.0, 1), -128
    )
    np.testing.assert_array_equal(layer.apply(np.array([[10, -5]])), [[-5]])
    relu = IntegerLayer(layer.weights, layer.bias, 3 << 29, -1, layer.before, layer.after, least=1)
    # 2 * 6 + 3 * 4 + 7 = 31, times 0.375 is 11.6, plus 1.
    np.testing.assert_array_equal(relu.apply(np.array([[10, -5], [10, 8]])), [[1], [13]])


def test_a_quantity_holds_zero_exactly() -> None:
    assert Quantity.over(np.array([0.0, 2.55])) == Quantity(pytest.approx(0.01), -128)
    assert Quantity.over(np.array([2.55, 1.0])).zero == -128
    assert Quantity.over(np.array([-2.0, -1.0])).zero == 127


def row(seed: int, promised: float, score: float, cycles: float) -> dict[str, float]:
    return {"seed": seed, "promised": promised, "score": score, "cycles": cycles, "flash_bytes": 1, "ram_bytes": 2}


ROWS_BY_HAND = [row(0, 0.8, 0.7, 10), row(0, 0.9, 0.6, 20), row(0, 0.9, 0.1, 30), row(1, 0.5, 0.9, 15)]


def test_promised_scores_choose_within_a_budget() -> None:
    assert within(ROWS_BY_HAND, "cycles", 9) is None
    assert within(ROWS_BY_HAND, "cycles", 25) == ROWS_BY_HAND[1]
    assert within(ROWS_BY_HAND[:3], "cycles", 99) == ROWS_BY_HAND[1]  # the cheaper of equals
    np.testing.assert_allclose(kept_scores(ROWS_BY_HAND, "cycles", (10, 15, 40)), [np.nan, 0.8, 0.75])
    expected = {"score": 0.75, "cycles": 17.5, "flash_bytes": 1, "ram_bytes": 2}
    assert middle_choice(ROWS_BY_HAND, "cycles") == pytest.approx(expected)
    assert ahead({"a": 0.9, "b": 0.895, "c": 0.5, "d": np.nan}, 0.01) == ["a", "b"]


def test_scores_and_promises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert score(np.array([0, 1, 1]), np.array([0, 1, 0]), 2) == pytest.approx(2 / 3)
    assert score(np.array([1.0, 2.0]), np.array([1.0, 3.0]), 0) == pytest.approx(0.5)
    task = task_of("iris", 0)
    assert len(task.test_y) == 30
    assert set(task.scale) == {2048.0, 4096.0}  # at most 7.9 and 4.4, 2.5
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert promised(task, lambda X, y: lambda rows: np.full(len(rows), len(y)), "rows") == 0
    for _ in range(2):  # the second time it is read
        assert promised(task, lambda X, y: lambda rows: np.zeros(len(rows), int), "zero") == pytest.approx(1 / 3)


def test_other_answers_are_counted() -> None:
    task = task_of("diabetes", 0)
    wanted = task.test_y[:3].astype(float)
    np.testing.assert_array_equal(agreeing(wanted + np.array([0, 0.01, 1.0]), wanted, task), [True, True, False])


def test_members_that_others_are_as_good_as_are_left_out() -> None:
    class Named:
        def __init__(self, error: float, latency: float, flash: float) -> None:
            self.values = {"honest_error": error, "latency_s": latency, "flash_bytes": flash}

    members = [Named(0.1, 5, 5), Named(0.2, 6, 4), Named(0.2, 7, 6), Named(0.3, 1, 9)]
    assert our_trees.worthy(members) == [members[0], members[1], members[3]]


@needs_peers
@needs_gcc
def test_a_quick_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "device_peers.csv"
    given = {"tables": "iris", "hold-outs": 1, "generations": 1, "compiler": "gcc", "workers": 1, "out": out}
    assert main([text for name, value in given.items() for text in (f"--{name}", str(value))]) == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert {row["core"] for row in rows} == {"cortex-m0plus", "cortex-m4f"}
    assert all(int(row["same"]) >= int(row["rows"]) - 1 for row in rows)
    assert any(row["family"] == our_trees.FAMILY for row in rows)
    page = out.with_suffix(".md").read_text()
    for line in page.splitlines():  # every row of a table is as wide as its head
        if line.startswith("|"):
            assert line.count("|") in (3, 8, 10)
    assert "| linear (plain C) |" in page
    assert page in capsys.readouterr().out
    for core in our_trees.FORMATS:
        assert (tmp_path / f"device_peers_{core}.png").read_bytes().startswith(b"\x89PNG")


def test_emlearn_leaves_the_errors_of_numpy_as_they_are() -> None:
    """In a process of its own, as only the first import changes them."""
    pytest.importorskip("emlearn")
    program = "import numpy as np\nfrom benchmarks.devices.models.emlearn_code import headers\n"
    program += "before = np.geterr()\nheaders()\nassert np.geterr() == before"
    subprocess.run([sys.executable, "-c", program], check=True)
