"""The benchmarks of what fronts promise, on fronts made by hand and on a front of the driver."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss

from benchmarks.promise import beside_old, coverage, decay, driver
from benchmarks.promise.problems import DEVELOPMENT, Sample, sample
from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from search.errors import InputError


def front(*members: tuple[float, float, float, float], chosen: int = 0) -> dict[str, Any]:
    """Of (honest error, standard error, weights, test error)."""
    names = ("honest_error", "honest_error_se", "weights", "test")
    made = [{"val_error": 0.0, **dict(zip(names, member, strict=True))} for member in members]
    return {"members": made, "chosen": chosen, "cpu_s": 1.0}


OLD = {"members": [{"val_error": 0.1, "weights": 50, "test": 0.4}, {"val_error": 0.3, "weights": 8, "test": 0.3}]}
OLD |= {"chosen": 0, "cpu_s": 4.0}
NEW = front((0.2, 0.02, 40, 0.22), (0.21, 0.02, 10, 0.2), chosen=1)


def test_a_problem_is_summed_up_by_the_members_that_predict() -> None:
    (row,) = beside_old.by_problem({("a", 0): OLD}, {("a", 0): NEW})
    assert (row["old_test"], row["new_test"], row["old_weights"], row["new_weights"]) == (0.4, 0.2, 50, 10)
    assert row["change"] == pytest.approx(100 * np.log(0.5))
    assert row["old_gap"] == pytest.approx(0.3)
    assert row["gap"] == pytest.approx(-0.01)
    assert row["lowest_gap"] == pytest.approx(0.02)
    # Within 5 weights there is none, so the smallest counts; within 70 and 100 the large one.
    assert row["old_fair"] == pytest.approx((4 * 0.3 + 2 * 0.4) / 6)
    found = beside_old.summary({("a", 0): OLD}, {("a", 0): NEW}, [row])
    assert (found["better"], found["honest_within_half_se"], found["problems"]) == (1.0, 1.0, 1.0)
    assert found["weights_ratio"] == pytest.approx(0.2)
    text = beside_old.page({"command": "here", "rows": [row], "summary": found})
    assert "| a | 0.4 | 0.2 |" in text


def test_rules_and_decays_are_compared_on_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decay, "worst", lambda name: 0.5)
    assert [decay.decay_of(rows) for rows in (150, 400, 1200)] == [0.3, 0.3, 0.1]
    near = front((0.2, 0.1, 40, 0.3), (0.21, 0.1, 10, 0.36), (0.25, 0.1, 5, 9.0))
    assert [decay.tested(near, within, 0.5) for within in (0.0, 0.15, 0.6)] == [(0.3, 40), (0.36, 10), (0.5, 5)]
    by_rule = {row["setting"]: row for row in decay.rules({("a", 0): near})}
    assert by_rule[0.0]["change_percent"] == 0
    assert by_rule[0.15]["change_percent"] == pytest.approx(100 * np.log(1.2))
    assert by_rule[0.15]["weights_ratio"] == pytest.approx(0.25)
    found = {1.0: {("a", 0): near}, 0.0: {("a", 0): front((0.3, 0.1, 10, 0.72))}}
    rows = {row["setting"]: row for row in decay.compared(found)}
    assert rows[0.0]["change_percent"] == pytest.approx(100 * np.log(0.5 / 0.36))
    parts = [{"rows": 400, "pairs": 1, "decay": list(rows.values()), "within": list(by_rule.values())}]
    assert "400 training rows, 1 pairs: multiples" in decay.page({"command": "here", "sizes": parts})


def test_the_driver_scores_members_on_test_rows(tmp_path: Any) -> None:
    X, y = load_iris(return_X_y=True)
    rows = np.random.default_rng(0).permutation(150)
    path = tmp_path / "iris-003.npz"
    np.savez(path, **Sample(X[rows[:100]], y[rows[:100]], X[rows[100:]], y[rows[100:]], 3)._asdict())
    found = driver.fronts(path, 0, "log_loss", {"epochs": 1, "weight_decay": 0.1})
    assert found["sample"] == "iris-003"
    errors = [member["honest_error"] for member in found["members"]]
    assert errors == sorted(errors)
    assert 0 <= found["chosen"] < len(errors)

    class Tree:
        classes = (0, 1, 2)

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return np.tile([0.2, 0.3, 0.5], (len(X), 1))

    assert driver.error(Tree(), X, y, "log_loss") == pytest.approx(log_loss(y, Tree().predict_proba(X)))
    assert driver.error(Tree(), X, y, "error") == pytest.approx(2 / 3)


def test_the_coverage_of_intervals_and_sets_is_counted_on_test_rows() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    y = X[:, 0] + rng.normal(size=40)
    number = NeuralTreeRegressor(random_state=0, epochs=2).fit(X, y)
    number.tree_ = replace(number.tree_, band=0.8)
    found = coverage.covered(number, Sample(X, y, X[:30], y[:30], 0))
    assert found["coverage"] == pytest.approx(np.mean(np.abs(number.predict(X[:30]) - y[:30]) <= 0.8))
    assert found["width"] == pytest.approx(1.6 / np.std(y))
    codes = (y > 0).astype(np.int64)
    label = NeuralTreeClassifier(random_state=0, epochs=2).fit(X, codes)
    label.tree_ = replace(label.tree_, band=0.45)
    sets = coverage.covered(label, Sample(X, codes, X[:30], codes[:30], 2))
    p = label.predict_proba(X[:30])
    assert sets["coverage"] == pytest.approx(np.mean(p[range(30), codes[:30]] >= 0.45))
    assert sets["classes"] == pytest.approx((p >= 0.45).sum() / 30)
    about = {"seed": 0, "rows": 40, "test_rows": 30, "seconds": 1.0}
    rows = [
        {"table": "a", "of": 0, "score": 0.95, "coverage": 0.88, "width": 2.0, **about},
        {"table": "a", "of": 0, "score": 0.85, "coverage": 0.9, "width": 1.0, **about},
        {"table": "b", "of": 3, "score": 0.97, "coverage": 0.97, "classes": 1.0, **about},
    ]
    text = coverage.page({"command": "here", "hold_outs": 2, "rows": rows})
    assert "| a | 40 | 30 | 0.890 | 0.880 | 0.900 | 1.50 |  | 0.900 |" in text
    assert "| b | 40 | 30 | 0.970 | 0.970 | 0.970 |  | 1.00 of 3 | 0.970 |" in text
    assert "over the tables is\n0.930 (0.890 to 0.970)" in text
    assert "above 0.9 the mean is 0.890 (0.890 to 0.890)" in text


@pytest.mark.parametrize("name", DEVELOPMENT)
def test_the_rows_of_a_problem_are_apart_and_the_same_again(name: str) -> None:
    try:
        found, again = sample(name, 150, 1), sample(name, 150, 1)
    except InputError as error:
        pytest.skip(str(error))
    assert len(found.X) == len(found.y) == 150
    assert np.array_equal(found.X, again.X)
    seen = {row.tobytes() for row in found.X}
    assert np.mean([row.tobytes() in seen for row in found.test_X]) < 0.02  # tables hold a few rows twice
    assert found.classes == (0 if found.y.dtype == float else len(np.unique(found.test_y)))
