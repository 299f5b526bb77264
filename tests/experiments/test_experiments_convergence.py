"""The panels of convergence: curves of trees and networks, their clusters, and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common.scoring import score
from experiments.frame.experiment import Unit
from experiments.frame.working import checked_rows
from experiments.studies.convergence import page, run
from experiments.studies.convergence.curve_clusters import agreement, clustered, normalised, sizes
from experiments.studies.convergence.network_curves import HIDDEN, How, network_curves, start, sums
from experiments.studies.convergence.run import ACTIVATIONS, EPOCHS, EXPERIMENT, OPTIMISERS, RATES, row_of
from experiments.studies.convergence.training_curves import POINTS, points, score_of
from experiments.studies.convergence.tree_curves import tree_curve, with_activation
from experiments.studies.reference.peeking import Run, train_peeking
from experiments.studies.reference.run import SETTINGS, run_of
from neuraltree.activations import code_of
from search.table.data import Table
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.study_pages import rendered


@pytest.fixture(scope="module")
def data() -> Table:
    found: Table = made_up()
    return found


@pytest.fixture(scope="module")
def runs(data: Table) -> list[Run]:
    return [run_of(data, "iris", 0.4, seed) for seed in range(2)]


def test_points_are_epochs_that_spread() -> None:
    assert points(3) == [1, 2, 3]
    found = points(EPOCHS)
    assert found[0] == 1
    assert found[-1] == EPOCHS
    assert 15 <= len(found) <= POINTS


def test_scores_are_accuracy_and_r2() -> None:
    rng = np.random.default_rng(0)
    found, targets = rng.standard_normal((2, 3, 20)), np.eye(3)[rng.integers(0, 3, 20)].T
    accuracies = [score("multiclass", targets.argmax(axis=0), each.argmax(axis=0)) for each in found]
    assert score_of(found, np.broadcast_to(targets, found.shape), True).tolist() == accuracies
    truth = rng.standard_normal((1, 20))
    r2 = [score("regression", truth[0], each[0]) for each in found]
    np.testing.assert_allclose(score_of(found[:, :1], np.broadcast_to(truth, (2, 1, 20)), False), r2)
    assert score_of(np.full((1, 20), np.nan), truth, False) == -np.inf
    assert score_of(np.full((3, 20), np.nan), targets, True) == 0


def test_a_tree_ends_as_in_the_reference_protocol(runs: list[Run]) -> None:
    for each, known in zip(runs, train_peeking(runs, SETTINGS, epochs=4), strict=True):
        found = tree_curve(each, "sigmoid", SETTINGS.optimizer, SETTINGS.learning_rate, 4)
        assert found.score[-1] == known.last_test_score
        assert found.score.max() <= known.best_test_score
        assert (np.diff(found.loss) < 0).any()


def test_all_nodes_of_a_tree_have_the_activation(runs: list[Run]) -> None:
    nodes = with_activation(runs[0].nodes, "relu")
    assert set(nodes["op"][nodes["op"] < 0].tolist()) == {~code_of("relu")}
    np.testing.assert_array_equal(nodes["op"] >= 0, runs[0].nodes["op"] >= 0)


VALUES = {"sigmoid": lambda s: 1 / (1 + np.exp(-s)), "relu": lambda s: np.maximum(s, 0)}
SLOPES = {"sigmoid": lambda s, h: h * (1 - h), "relu": lambda s, h: (s > 0) * 1.0}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_follows_gradient_descent_written_out(activation: str, runs: list[Run]) -> None:
    rate, epochs, each = 0.05, 2, runs[1]
    found = network_curves(runs, activation, "sgd", (rate, 0.01), epochs)[0][1]
    first, last = (part.astype(np.float64) for part in start(np.random.default_rng([each.seed, 1]), 4, 3))
    rng, inputs = np.random.default_rng(each.seed), np.pad(each.inputs, ((0, 0), (0, 1)), constant_values=1.0)
    losses = []
    for _ in range(epochs):
        for row in rng.permutation(len(inputs)):
            total = first @ inputs[row]
            hidden = VALUES[activation](total)
            logits = last @ np.append(hidden, 1)
            delta = np.exp(logits) / np.exp(logits).sum() - each.targets[row]
            below = (last[:, :-1].T @ delta) * SLOPES[activation](total, hidden)
            last -= rate * np.outer(delta, np.append(hidden, 1))
            first -= rate * np.outer(below, inputs[row])
        logits = last @ np.pad(VALUES[activation](first @ inputs.T), ((0, 1), (0, 0)), constant_values=1.0)
        share = np.exp(logits) / np.exp(logits).sum(axis=0)
        losses.append(-np.log(share.T[each.targets == 1]).mean())
    np.testing.assert_allclose(found.loss, losses, rtol=2e-3)
    assert found.weights == HIDDEN * 5 + 3 * (HIDDEN + 1)


def test_a_number_is_the_sigmoid_of_the_output() -> None:
    layers = start(np.random.default_rng(0), 2, 1)
    found = np.asarray(sums(How("relu", "sgd", "squared"), layers, np.ones((3, 2), np.float32)))
    hidden = np.maximum(layers.first @ np.ones(3), 0)
    np.testing.assert_allclose(found, np.full((1, 3), 1 / (1 + np.exp(-layers.last @ np.append(hidden, 1)))), rtol=1e-5)


@pytest.mark.parametrize("model", [run.TREES, run.NETWORKS])
def test_a_unit_has_a_row_for_each_panel_line_and_seed(
    model: str, data: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "table", lambda name: data)
    rows = checked_rows(EXPERIMENT, True, Unit("iris", f"{model}_adam", 0, 2))
    assert len(rows) == len(ACTIVATIONS) * len(RATES) * 2
    assert len({(row["activation"], row["rate"], row["seed"]) for row in rows}) == len(rows)
    assert all(len(row["losses"].split()) == len(row["scores"].split()) == 3 for row in rows)
    assert all(row["best_test"] >= row["last_test"] for row in rows)


def test_units_and_settings() -> None:
    units = EXPERIMENT.units(10, False)
    assert len(set(units)) == len(units) == 48
    assert len({str(EXPERIMENT.settings(unit, False)) for unit in units}) == 48


# --- clusters and the page


def made_up_rows(tables: tuple[str, ...] = ("iris", "mpg6")) -> list[dict[str, str]]:
    """The shape of a curve is that of its activation; ReLUs of gradient descent at .1 diverge on mpg6."""
    rng, rows, epochs = np.random.default_rng(0), [], np.array(points(EPOCHS))
    for table in tables:
        for model in (run.TREES, run.NETWORKS):
            for optimiser in OPTIMISERS:
                for activation in ACTIVATIONS:
                    for rate in RATES:
                        for seed in range(2):
                            falling = epochs**-0.5 if activation == "relu" else np.exp(-epochs / 100)
                            losses = falling * np.exp(0.01 * rng.standard_normal(len(epochs)))
                            if (table, optimiser, activation, rate) == ("mpg6", "gd", "relu", "0.1"):
                                losses[-1] = np.inf
                            rows.append(
                                {
                                    "table": table,
                                    "job": f"{model}_{optimiser}",
                                    "seed": str(seed),
                                    "activation": activation,
                                    "rate": rate,
                                    "weights": str(100 + 30 * seed),
                                    "best_test": "0.9",
                                    "last_test": "-3" if np.isinf(losses[-1]) else "0.8",
                                    "losses": " ".join(f"{value:.4g}" for value in losses),
                                    "scores": " ".join("0.8" for _ in epochs),
                                }
                            )
    return rows


def test_clusters_follow_what_shapes_the_curves() -> None:
    rows = made_up_rows()
    found = clustered(rows, 2)
    assert len(found.kept) == len(rows) - 4
    activation = np.array([rows[i]["activation"] for i in found.kept])
    for cluster in range(2):
        assert len(set(activation[found.cluster == cluster].tolist())) == 1
    shared = agreement(rows)
    assert max(shared, key=lambda name: shared[name]) == "activation"
    assert abs(shared["table"]) < 0.2
    assert sizes([row for row in rows if row["table"] == "iris"][:2]) == ["small", "middle"]


def test_only_the_shape_of_a_curve_counts() -> None:
    losses = np.array([[4.0, 2.0, 1.0], [400.0, 100.0, 25.0], [1.0, 1.0, 1.0]])
    found = normalised(losses)
    np.testing.assert_allclose(found[0], found[1])
    np.testing.assert_array_equal(found[2], 0)


def test_a_row_keeps_the_points(runs: list[Run]) -> None:
    found = row_of(tree_curve(runs[0], "relu", "sgd", 0.01, 3))
    assert len(str(found["losses"]).split()) == 3


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    text = rendered(page, made_up_rows(), tmp_path, "convergence")
    assert "| tree | rmsprop | sigmoid, 0.1 | .900, .992, −.092 | .900, .867, +.033 |" in text
    assert "| tree | gd | relu, 0.1 | .900 (.800) | .900 (below −1) | 7 | 50 |" in text
    assert "| MLP | adam | sigmoid, default | .900 (.800) | .900 (.800) | 14 | 0 |" in text
    assert (tmp_path / "convergence_scores.png").stat().st_size > 5000
