"""No member of a finished front is dominated by another, by the values that the front shows."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss

import neuraltree
import search.judge.finish
from neuraltree import NeuralTreeClassifier, hardware
from neuraltree.estimators.samples import class_sample
from search import Evolution, load_front
from search.run import main
from search.selection.dominance import undominated

Row = dict[str, float]


def beats(a: Row, b: Row, names: list[str]) -> bool:
    return all(a[name] <= b[name] for name in names) and any(a[name] < b[name] for name in names)


def final(row: Row, name: str) -> float:
    """As measured if it was measured, else as predicted, else unknown, which is the worst."""
    return row.get(f"measured_{name}", row.get(name, float("inf")))


def faults(rows: list[Row], names: list[str]) -> list[tuple[int, int, str]]:
    """Pairs of rows of which the first dominates the second, or equals it, by either kind of value, one by one."""
    views = {
        "final": [{name: final(row, name) for name in names} for row in rows],
        "predicted": [{name: row.get(name, float("inf")) for name in names} for row in rows],
    }
    return [
        (i, j, view)
        for view, shown in views.items()
        for i, a in enumerate(shown)
        for j, b in enumerate(shown)
        if beats(a, b, names) or (i < j and a == b)
    ]


# The rule.

NUMBERS = st.integers(0, 3).map(float)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"val_error": NUMBERS, "weights": NUMBERS},
        optional={"flash_bytes": NUMBERS, "measured_flash_bytes": NUMBERS},
    ),
    max_size=12,
)


@given(ROWS, st.sampled_from([["val_error", "flash_bytes"], ["val_error", "weights", "flash_bytes"], ["weights"]]))
def test_what_stays_dominates_all_that_goes_and_nothing_that_stays(rows: list[Row], names: list[str]) -> None:
    kept = undominated(rows, names).tolist()
    assert kept == sorted(set(kept))
    assert not faults([rows[i] for i in kept], names)
    ends = [{name: final(row, name) for name in names} for row in rows]
    best = [i for i, row in enumerate(ends) if not any(beats(other, row, names) for other in ends)]
    best = [i for i in best if ends[i] not in ends[:i]]
    assert set(kept) <= set(best)
    for i in set(best) - set(kept):  # only the predicted values can have removed it
        shown = [{name: rows[j].get(name, float("inf")) for name in names} for j in (i, *kept)]
        assert any(beats(other, shown[0], names) or other == shown[0] for other in shown[1:])


def test_of_equal_members_the_first_stays() -> None:
    rows = [{"val_error": 0.1, "weights": 9.0}, {"val_error": 0.2, "weights": 5.0}]
    assert undominated([rows[0], rows[1], rows[1], rows[0]], ["val_error", "weights"]).tolist() == [0, 1]
    assert undominated([], ["weights"]).tolist() == []


def test_measured_costs_decide_before_predicted_ones() -> None:
    rows = [
        {"val_error": 0.1, "flash_bytes": 900.0, "measured_flash_bytes": 800.0},
        {"val_error": 0.2, "flash_bytes": 700.0, "measured_flash_bytes": 850.0},
    ]
    assert undominated(rows, ["val_error", "flash_bytes"]).tolist() == [0]
    # Each would remove the other, the first by measured and the second by predicted costs.
    rows[1] |= {"val_error": 0.1}
    assert undominated(rows, ["val_error", "flash_bytes"]).tolist() == [0]


# Runs.

SMALL = """
[data]
source = "wine"
[run]
seed = 1
[search]
population = 32
generations = 4
folds = 2
[train]
epochs = 4
"""
INT8 = ["hardware.precision=int8", "hardware.finetune_epochs=5", "hardware.device=cortex-m0plus"]
COSTS = 'search.objectives=["log_loss", "latency_s", "flash_bytes"]'
RUNS: dict[str, tuple[bool, list[str]]] = {  # whether costs are measured, and the rest of the config
    "float": (False, ['search.objectives=["error", "weights", "macs"]']),
    "class_errors": (False, ['search.objectives=["class_errors", "nodes"]']),
    "int8": (False, [COSTS, *INT8]),
    "measured_float": (True, [COSTS, "hardware.device=cortex-m4f"]),
    "measured_int8": (True, [COSTS, *INT8]),
}


def wanted(folder: Path) -> list[str]:
    """The columns of front.csv that the run minimised."""
    objectives = json.loads((folder / "manifest.json").read_text())["objectives"]
    return ["val_error" if name in ("error", "log_loss") else name for name in objectives]


def read(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    texts = ("status", "model")
    return [{k: v if k in texts else float(v) for k, v in row.items() if v} for row in rows]


@pytest.fixture(scope="module", params=RUNS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    measuring, options = RUNS[request.param]
    if measuring:
        for name in ("ziglang", "unicorn", "capstone", "elftools"):
            pytest.importorskip(name, reason="measuring needs: pip install 'neuraltree[measure]'")
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "c.toml").write_text(SMALL)
    sets = [f"--set={option}" for option in options]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", "")
        if not measuring:
            patch.setattr(search.judge.finish, "measure_front", lambda *_: {})
        assert main([str(folder / "c.toml"), "--out", str(folder / "out"), "--quiet", *sets]) == 0
    rows = read(folder / "out" / "front.csv")
    assert any("measured_flash_bytes" in row for row in rows) == measuring
    return folder / "out"


def test_no_member_of_a_finished_front_is_dominated(run: Path) -> None:
    rows, names = read(run / "front.csv"), wanted(run)
    assert len(rows) >= 2
    assert all(name in row for name in names for row in rows)
    assert faults(rows, names) == []
    front = load_front(run)
    assert faults([member.values for member in front], list(front.objective_columns())) == []


def test_the_numbers_of_a_row_are_those_of_its_model(run: Path) -> None:
    rows = read(run / "front.csv")
    assert [row["model"] for row in rows] == [f"models/{i:03d}.json" for i in range(len(rows))]
    assert sorted(path.name for path in (run / "models").iterdir()) == [Path(row["model"]).name for row in rows]
    config = (run / "config.toml").read_text()
    precision = "int8" if 'precision = "int8"' in config else "float32"
    for row in rows:
        tree = neuraltree.load(run / row["model"])
        assert (tree.num_weights, tree.num_nodes) == (row["weights"], row["nodes"])
        if "flash_bytes" in row:
            device = hardware.load_device("cortex-m0plus" if precision == "int8" else "cortex-m4f")
            starts = np.array([0, len(tree.nodes)])
            how = {"kind": tree.kind, "input_range": tree.input_range}
            found = hardware.costs(tree.nodes, starts, device, precision, "straight", **how)
            assert {name: row[name] for name in found} == {name: values[0] for name, values in found.items()}


# Order of the steps, by measurements that are made up.


def measurements(**by_member: Any) -> Any:
    """In the place of ``measure_front``: each cost from a member's position in the population's front."""

    def measured(problem: object, trees: list, say: object, stopping: object) -> dict[str, np.ndarray]:
        costs = {"latency_s": lambda i: 1.0, "flash_bytes": lambda i: 1.0, "ram_bytes": lambda i: 1.0} | by_member
        return {name: np.array([float(cost(i)) for i in range(len(trees))]) for name, cost in costs.items()}

    return measured


DEVICE = ['search.objectives=["log_loss", "flash_bytes"]', "hardware.device=cortex-m4f"]


def test_what_breaks_a_constraint_takes_nobody_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first member dominates all others as measured, but does not fit; of the others the second dominates all."""
    (tmp_path / "c.toml").write_text(SMALL)
    sets = [f"--set={option}" for option in (*DEVICE, "constraints.ram_bytes=100000")]
    over = measurements(ram_bytes=lambda i: 1e6 if i == 0 else 1.0)
    for name, measured in (("unmeasured", lambda *_: {}), ("out", over)):
        monkeypatch.setattr(search.judge.finish, "measure_front", measured)
        assert main([str(tmp_path / "c.toml"), "--out", str(tmp_path / name), *sets]) == 0
    before, after = read(tmp_path / "unmeasured" / "front.csv"), read(tmp_path / "out" / "front.csv")
    assert len(before) >= 3
    assert [row["id"] for row in after] == [before[1]["id"]]
    said = capsys.readouterr().err
    assert f"1 of {len(before)} models left out: trained on all rows they break a constraint" in said
    assert f"{len(before) - 2} of {len(before) - 1} models left out: by the final costs" in said


def test_the_front_of_an_estimator_and_what_its_members_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second member is measured to cost more than one of lower error; the rest, and their predictions, stay."""
    monkeypatch.setattr(search.judge.honest, "REPEATS", 1)
    X, y = load_wine(return_X_y=True)
    model = NeuralTreeClassifier(epochs=4, random_state=1)
    sample, _ = class_sample(model, X, y, None, new=True, classes=None, class_weight=None)
    search_for = Evolution(24, 3, folds=2, objectives=("log_loss", "flash_bytes"), device="cortex-m4f")
    monkeypatch.setattr(search.judge.finish, "measure_front", lambda *_: {})
    everyone = search_for.evolve(sample, model._options(), seed=2, n_jobs=1, verbose=0)
    assert len(everyone.front) >= 4
    every_second = measurements(flash_bytes=lambda i: 5000 if i % 2 else 4000 - i)
    monkeypatch.setattr(search.judge.finish, "measure_front", every_second)
    found = search_for.evolve(sample, model._options(), seed=2, n_jobs=1, verbose=0)
    assert [member.id for member in found.front] == [member.id for member in everyone.front][::2]
    assert [member.tree() for member in found.front] == [member.tree() for member in everyone.front][::2]
    assert faults([member.values for member in found.front], ["honest_error", "flash_bytes"]) == []
    for member, probability in zip(found.front, found.validation, strict=True):
        assert member.honest_error == pytest.approx(log_loss(sample.y[found.rows], probability.T), rel=1e-4)


def test_the_fitted_tree_is_a_member_of_the_front(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search.judge.finish, "measure_front", measurements())
    search_for = Evolution(16, 2, folds=2, objectives=("error", "flash_bytes"), device="cortex-m4f")
    model = NeuralTreeClassifier(search_for, epochs=4, random_state=1).fit(*load_wine(return_X_y=True))
    assert len(model.front_) == 1  # all were measured to be as large, so the one of lowest error dominates
    assert model.tree_ == model.front_[0].tree() == model.front_.knee().tree()
