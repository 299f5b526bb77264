"""Baselines of a run: each model against an oracle, the same rows and weights as the trees, and what a stop leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network import MLPClassifier, MLPRegressor

import search.baselines.baseline_models as baseline_models
import search.baselines.make
import search.baselines.prune
import search.judge.honest
from neuraltree import hardware
from neuraltree.activations import code_of
from neuraltree.tree.nodes import count_weights, node_dtype
from search.baselines import Baseline, load_baselines, make
from search.baselines.baseline_cost import counts
from search.baselines.baseline_models import Network, Sample, dense
from search.baselines.baseline_table import BASELINES, BY_NAME, LINEAR_PENALTIES, NAMES, PRUNED
from search.baselines.make import cart, fitted_mlp, linear, network_of
from search.baselines.masked import train
from search.baselines.prune import _steps, compact, prune, pruned_mlp
from search.config.config import Config, load_config
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.folder.baselines_csv import write_baselines
from search.folder.records import RunFolder
from search.front import Front, Member
from search.judge.baseline_training import train_baselines, train_row
from search.judge.honest import judging_folds
from search.run import main
from search.table.data import Table
from search.table.loading import load_table
from search.verdict import binding, compared
from tests.helpers.oracle import evaluate_recursive

KINDS = ("regression", "binary", "multiclass")


@pytest.fixture
def quick_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks learn in few epochs, and are judged in few folds: these small tables need no more."""
    monkeypatch.setattr(search.baselines.make, "MLP_EPOCHS", 100)
    monkeypatch.setattr(search.baselines.prune, "EPOCHS", 12)
    monkeypatch.setattr(search.judge.honest, "REPEATS", 1)


@pytest.fixture
def hasty_row(quick_row: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what is kept of networks and what they see, not of what they learn."""
    monkeypatch.setattr(search.baselines.make, "MLP_EPOCHS", 10)
    monkeypatch.setattr(search.baselines.prune, "EPOCHS", 3)


BESIDE = np.array([0.1, 0.3, 0.2, 0.4, 0.5])  # parts of the honest error of a member
CLASSES = {"binary": ["no", "yes"], "multiclass": ["a b", "c,d", "é"]}


def raw_table(kind: str, rows: int = 120, noise: float = 0.3) -> tuple[np.ndarray, list[Any]]:
    """Three features on different scales and a target that depends on them linearly."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(rows, 3)) * [1, 10, 0.1] + [0, 5, -3]
    slope = (X - X.mean(axis=0)) / X.std(axis=0) @ [1.0, -2.0, 0.5]
    value = slope + noise * rng.normal(size=rows)
    if kind == "regression":
        return X, (100 + 20 * value).tolist()
    cuts = np.quantile(value, [0.5] if kind == "binary" else [1 / 3, 2 / 3])
    return X, [CLASSES[kind][code] for code in np.searchsorted(cuts, value)]


def prepared(
    folder: Path, kind: str, *overrides: str, raw: tuple[np.ndarray, list[Any]] | None = None, weight: Any = None
) -> tuple[Config, Table, Setup]:
    X, y = raw or raw_table(kind)
    columns = {"X": X, "y": np.array(y)} | ({} if weight is None else {"w": weight})
    np.savez(folder / "table.npz", **columns)
    more = [] if weight is None else ["data.weight=w"]
    (folder / "my.toml").write_text('[data]\nsource = "table.npz"\n[search]\nfolds = 3\n')
    config = load_config(folder / "my.toml", [*overrides, *more])
    table = load_table(config)
    return config, table, set_up(config, table)


def sample_of(kind: str, rows: int = 90) -> Sample:
    X, y = raw_table(kind, rows)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    target = (np.array(y) - np.mean(y)) / np.std(y) if kind == "regression" else np.unique(y, return_inverse=True)[1]
    weight = np.random.default_rng(1).uniform(0.2, 2, rows)
    return Sample(scaled, target, weight / weight.mean(), kind)


# Linear models.


def ridge(X: np.ndarray, y: np.ndarray, weight: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """The closed form, with an intercept that is not penalised."""
    x0, y0 = np.average(X, axis=0, weights=weight), np.average(y, weights=weight)
    A = (X - x0).T @ (weight[:, None] * (X - x0)) + penalty * np.eye(X.shape[1])
    slope = np.linalg.solve(A, (X - x0).T @ (weight * (y - y0)))
    return slope, float(y0 - x0 @ slope)


@pytest.mark.parametrize("penalty", [0.01, 30.0])
def test_linear_regression_is_the_closed_form(penalty: float) -> None:
    sample = sample_of("regression")
    slope, intercept = ridge(sample.X, sample.y, sample.weight, penalty)
    made = linear(sample, penalty, 0)[0]
    assert_allclose(made.outputs(sample.X)[:, 0], sample.X @ slope + intercept, atol=1e-8)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_logistic_regression_is_where_the_gradient_vanishes(kind: str) -> None:
    sample = sample_of(kind)
    made: Any = linear(sample, 0.5, 0)[0]
    z = sample.X @ made.coefficients[0] + made.biases[0]
    if kind == "binary":
        wrong = 1 / (1 + np.exp(-z)) - sample.y[:, None]
    else:
        wrong = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) - np.eye(3)[sample.y]
    wrong = wrong * sample.weight[:, None]
    assert_allclose(sample.X.T @ wrong + 0.5 * made.coefficients[0], 0, atol=0.02)
    assert_allclose(wrong.sum(axis=0), 0, atol=0.02)


def test_the_linear_row_is_chosen_and_scored_as_by_hand(tmp_path: Path) -> None:
    """With weights of rows, and a penalty that matters: few rows, much noise."""
    raw = raw_table("regression", 40, noise=8.0)
    weight = np.random.default_rng(2).uniform(0, 3, 40)
    weight[::9] = 0
    _, table, setup = prepared(tmp_path, "regression", raw=raw, weight=weight)
    X, y, rows = raw[0], np.array(raw[1]), setup.train_rows
    X = (X - X[rows].mean(axis=0)) / X[rows].std(axis=0)
    y = (y - y[rows].mean()) / y[rows].std()

    def predicted(fit: np.ndarray, held: np.ndarray, penalty: float) -> np.ndarray:
        fit = fit[weight[fit] > 0]
        slope, intercept = ridge(X[fit], y[fit], weight[fit] / weight[fit].mean(), penalty)
        return X[held] @ slope + intercept

    def error(held: np.ndarray, values: np.ndarray) -> float:
        return float(np.sum((values - y[held]) ** 2) / np.sum((y[held] - y[held].mean()) ** 2))

    folds = [(rows[fit], rows[held]) for fit, held in setup.problem.folds]
    held = np.concatenate([part for _, part in folds])
    errors = {p: error(held, np.concatenate([predicted(*fold, p) for fold in folds])) for p in LINEAR_PENALTIES}
    best = min(errors, key=lambda p: errors[p])
    assert len(set(errors.values())) == len(errors)
    assert best not in (LINEAR_PENALTIES[0], LINEAR_PENALTIES[-1])
    tested = error(setup.test_rows, predicted(rows, setup.test_rows, best))
    (made,) = train_row(BY_NAME["linear"], setup, table).baselines
    # The weights of a run are float32.
    expected = {"val_error": errors[best], "test_error": tested, "test_score": 1 - tested, "weights": 4, "macs": 3}
    anew = [(rows[fit], rows[held]) for fit, held in judging_folds(setup, table, 0)]
    held = np.concatenate([part for _, part in anew])
    expected["honest_error"] = error(held, np.concatenate([predicted(*fold, best) for fold in anew]))
    expected["honest_error_se"] = made.values["honest_error_se"]
    assert 0 < expected["honest_error_se"] < expected["honest_error"]
    assert made.values == pytest.approx(expected, rel=1e-4)


# Networks.


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_computes_what_its_mlp_does(kind: str) -> None:
    sample = sample_of(kind)
    model = fitted_mlp(sample, 0.1, 3, 8)
    network, k = network_of(model), 3 if kind == "multiclass" else 1
    assert network.weights == sum(part.size for part in (*model.coefs_, *model.intercepts_)) == 3 * 8 + 8 + 8 * k + k
    assert network.macs == 3 * 8 + 8 * k
    z = network.outputs(sample.X)
    if kind == "regression":
        assert_allclose(z[:, 0], model.predict(sample.X))
    elif kind == "binary":
        assert_allclose(1 / (1 + np.exp(-z[:, 0])), model.predict_proba(sample.X)[:, 1])
    else:
        assert_allclose(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), model.predict_proba(sample.X))


def random_network(seed: int, sizes: list[int], share: float) -> Network:
    rng = np.random.default_rng(seed)
    shapes = list(pairwise(sizes))
    kept = tuple(rng.random(shape) < share for shape in shapes)
    coefficients = tuple(rng.normal(size=mask.shape) * mask for mask in kept)
    return Network(coefficients, tuple(rng.normal(size=n) for _, n in shapes), kept)


@given(st.integers(0, 10**6), st.lists(st.integers(1, 4), min_size=2, max_size=4), st.sampled_from([0.4, 0.7, 1.0]))
@settings(deadline=None, max_examples=200)
def test_a_network_is_a_tree_where_no_unit_is_shared(seed: int, sizes: list[int], share: float) -> None:
    network = random_network(seed, sizes, share)
    nodes = network.nodes()
    hidden_alone = all((mask.sum(axis=1) == 1).all() for mask in network.kept[1:])
    assert (nodes is not None) == (hidden_alone and all(mask.any(axis=0).all() for mask in network.kept))
    if nodes is None:
        return
    X = np.random.default_rng(seed).normal(size=(5, sizes[0]))
    assert_allclose([evaluate_recursive(nodes, x) for x in X], network.outputs(X), atol=1e-12)
    assert count_weights(nodes) == network.weights
    assert hardware.count(nodes, np.array([0, len(nodes)])).macs[0] == network.macs


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 5])
def test_a_step_of_masked_training_is_scikit_learns_where_nothing_is_masked(kind: str, steps: int) -> None:
    sample = sample_of(kind)
    batch = np.arange(50)
    model = (MLPRegressor if kind == "regression" else MLPClassifier)(
        hidden_layer_sizes=(4,), alpha=0.3, learning_rate_init=0.05, max_iter=1, batch_size=50, random_state=1
    )
    some, classes = sample.take(batch), {} if kind == "regression" else {"classes": np.unique(sample.y)}
    model.partial_fit(some.X, some.y, sample_weight=some.weight, **classes)
    layers = [w.copy() for w in model.coefs_], [b.copy() for b in model.intercepts_]
    del model._optimizer  # Adam begins anew, as masked training does
    for _ in range(steps):
        model.partial_fit(some.X, some.y, sample_weight=some.weight)
    kept = tuple(np.ones(w.shape, dtype=bool) for w in layers[0])
    train(layers, kept, some, [batch] * steps, penalty=0.3, rate=0.05)  # type: ignore[arg-type]
    for ours, theirs in zip([*layers[0], *layers[1]], [*model.coefs_, *model.intercepts_], strict=True):
        assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_masked_training_learns_encoded_targets_as_labels(kind: str) -> None:
    sample = sample_of(kind)
    outputs = len(np.unique(sample.y)) if kind == "multiclass" else 1
    encoded = np.eye(outputs)[sample.y] if kind == "multiclass" else sample.y[:, None].astype(float)
    trained = []
    for one in (sample, replace(sample, y=encoded)):
        rng = np.random.default_rng(2)
        layers = [rng.normal(size=(one.X.shape[1], 4)), rng.normal(size=(4, outputs))], [np.zeros(4), np.zeros(outputs)]
        kept = tuple(np.ones(w.shape, dtype=bool) for w in layers[0])
        train(layers, kept, one, [np.arange(30)] * 3, penalty=0.1, rate=0.05)  # type: ignore[arg-type]
        trained.append(layers)
    for labels, targets in zip(*([*weights, *biases] for weights, biases in trained), strict=True):
        assert_allclose(labels, targets)


def test_masked_training_keeps_what_is_cut_at_zero_and_lowers_the_loss() -> None:
    sample = sample_of("regression")
    network = random_network(3, [3, 6, 1], 0.6)
    layers = [w.copy() for w in network.coefficients], [b.copy() for b in network.biases]
    before = np.mean((network.outputs(sample.X)[:, 0] - sample.y) ** 2)
    rng = np.random.default_rng(0)
    batches = [rng.permutation(90)[:40] for _ in range(200)]
    train(layers, network.kept, sample, batches, penalty=0.0, rate=0.01)  # type: ignore[arg-type]
    for weights, mask in zip(layers[0], network.kept, strict=True):
        assert_array_equal(weights != 0, mask)
    after = np.mean((dense(*layers).outputs(sample.X)[:, 0] - sample.y) ** 2)
    assert after < 0.5 * before


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 8), st.integers(1, 3), st.floats(0.1, 0.95))
@settings(deadline=None, max_examples=200)
def test_pruning_keeps_the_largest_weights(seed: int, inputs: int, hidden: int, outputs: int, share: float) -> None:
    network = random_network(seed, [inputs, hidden, outputs], 1.0)
    size = max(2 * outputs + 1, int(network.weights * share))
    layers = [w.copy() for w in network.coefficients], [b.copy() for b in network.biases]
    masks = prune(*layers, size)
    for weights, mask in zip(layers[0], masks, strict=True):
        assert_array_equal(weights != 0, mask)
    assert_array_equal(masks[0].any(axis=0), masks[1].any(axis=1))  # a unit has edges on both sides, or none
    small = compact(*layers, masks)
    assert small.weights <= max(size, outputs)
    assert small.kept[0].any(axis=0).all()  # every hidden unit has an input
    assert small.kept[1].any(axis=1).all()  # and goes somewhere
    kept = np.concatenate([w[m] for w, m in zip(small.coefficients, small.kept, strict=True)])
    if len(kept) == 0:
        return
    # What is cut changes the outputs as zeros in its place do: every weight below some size, and no other.
    X = np.random.default_rng(seed).normal(size=(6, inputs))
    magnitudes = np.sort(np.abs(np.concatenate([w.ravel() for w in network.coefficients])))
    possible = magnitudes[magnitudes <= np.abs(kept).min()]
    masked = [dense([w * (np.abs(w) >= t) for w in network.coefficients], list(network.biases)) for t in possible]
    assert any(np.allclose(small.outputs(X), one.outputs(X)) for one in masked)


def test_pruning_goes_down_by_about_halves() -> None:
    assert _steps(1025, 250) == [506, 250]
    assert _steps(250, 120) == [120]
    assert _steps(130, 120) == [120]
    assert len(_steps(2410, 250)) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_pruned_networks_fill_their_sizes(kind: str) -> None:
    sample = sample_of(kind)
    made: Any = pruned_mlp(sample, 1e-4, 0, sizes=(10_000, 120, 60, 30, 2))
    assert tuple(made) == (10_000, 120, 60, 30)
    whole = made.pop(10_000)
    outputs = 3 if kind == "multiclass" else 1
    assert whole.weights == 32 * (3 + 1 + outputs) + outputs
    assert_allclose(whole.outputs(sample.X), network_of(fitted_mlp(sample, 1e-4, 0, 32)).outputs(sample.X))
    for size, model in made.items():
        assert 0.85 * size <= model.weights <= size
        assert model.weights == sum(np.count_nonzero(w) for w in model.coefficients) + sum(map(len, model.biases))


# Decision trees.


@pytest.mark.parametrize(("most", "least"), [(10_000, 1), (10, 9)])
def test_leaves_of_many_rows_are_not_single_rows(monkeypatch, most: int, least: int) -> None:
    """Pruning takes quadratic time in the leaves, so there are at most about ``most`` of them."""
    monkeypatch.setattr(baseline_models, "MOST_LEAVES", most)
    sample = sample_of("regression", rows=90)
    made: Any = cart(sample, 0.0, 0)[0]
    leaf = made.estimator.apply(sample.X)
    fewest = np.unique(leaf, return_counts=True)[1].min()
    assert fewest == 1 if least == 1 else fewest >= least


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_tree_and_its_count(kind: str) -> None:
    sample = sample_of(kind)
    made: Any = cart(sample, 0.01, 0)[0]
    tree = made.estimator.tree_
    splits = sum(feature >= 0 for feature in tree.feature)
    assert splits > 1
    assert (made.weights, made.macs) == (splits + (len(tree.feature) - splits) * (3 if kind == "multiclass" else 1), 0)
    z = made.outputs(sample.X)
    if kind == "regression":
        assert_allclose(z[:, 0], made.estimator.predict(sample.X))
        return
    assert_array_equal(z.argmax(axis=1) if kind == "multiclass" else z[:, 0] > 0, made.estimator.predict(sample.X))
    # Laplace: the weights of each class in the leaf, each with 1 added.
    leaf = made.estimator.apply(sample.X)
    k = 3 if kind == "multiclass" else 2
    for row in range(0, 90, 10):
        same = leaf == leaf[row]
        n = np.array([sample.weight[same & (sample.y == c)].sum() + 1 for c in range(k)])
        expected = np.log(n / n.sum()) if k == 3 else [np.log(n[1] / n[0])]
        assert_allclose(z[row], expected, atol=1e-9)


# Every row of the table.


# Networks take seconds a kind.
LEARNING = [
    pytest.param(
        row, kind, marks=[pytest.mark.rare] * ("mlp" in row.name and kind != "multiclass"), id=f"{row.name}-{kind}"
    )
    for row in BASELINES
    for kind in KINDS
]


# The code of mlp_100 is that of mlp_8.
ONE_OF_A_CODE = [pytest.param(row, marks=[pytest.mark.rare] * (row.name == "mlp_8"), id=row.name) for row in BASELINES]


@pytest.mark.usefixtures("quick_row")
@pytest.mark.parametrize(("row", "kind"), LEARNING)
def test_every_row_learns_every_kind(tmp_path: Path, row: Any, kind: str) -> None:
    _, table, setup = prepared(tmp_path, kind)
    found = train_row(row, setup, table).baselines
    k = 3 if kind == "multiclass" else 1
    known = {"linear": 3 * k + k, "mlp_8": 3 * 8 + 8 + 8 * k + k, "mlp_100": 3 * 100 + 100 + 100 * k + k}
    assert [made.name for made in found] == ([f"{row.name}_{s}" for s in PRUNED] if row.sizes else [row.name])
    for made in found:
        values = made.values
        assert values["test_score"] > {"regression": 0.5, "binary": 0.8, "multiclass": 0.55}[kind]
        assert values["val_error"] < {"regression": 0.45, "binary": 0.2, "multiclass": 0.4}[kind]
        assert values["test_error"] == pytest.approx(1 - values["test_score"])  # the metric is the default one
        assert values["weights"] == known.get(made.name, values["weights"]) > 3
        known_values = {"val_error", "test_error", "test_score", "weights", "macs", "honest_error", "honest_error_se"}
        assert set(values) == known_values  # no device, no costs
        assert abs(values["honest_error"] - values["val_error"]) < 4 * values["honest_error_se"]
    if kind == "multiclass":
        assert train_row(row, setup, table).baselines == found


def test_of_equal_errors_the_simplest_model_is_taken(tmp_path: Path) -> None:
    _, table, setup = prepared(tmp_path, "binary")
    fitted = []

    def make(sample: Sample, penalty: float, seed: int) -> Any:
        fitted.append(penalty)
        return linear(sample, 1.0, seed)

    train_row(BY_NAME["linear"]._replace(make=make, penalties=(10.0, 1.0, 0.1)), setup, table)
    assert fitted[-1] == 10.0


@pytest.mark.usefixtures("hasty_row")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("row", BASELINES, ids=lambda row: row.name)
def test_no_row_sees_test_rows(tmp_path: Path, row: Any) -> None:
    X, y = raw_table("binary")
    _, table, setup = prepared(tmp_path, "binary", raw=(X, y))
    changed = X.copy()
    changed[setup.test_rows] = changed[setup.test_rows][::-1] * [5, -1, 3]
    others = table.y.copy()
    others[setup.test_rows] = 1 - others[setup.test_rows]
    moved = Table(changed, others, *(getattr(table, n) for n in ("features", "target", "classes", "kind", "digest")))
    for before, after in zip(
        train_row(row, setup, table).baselines, train_row(row, setup, moved).baselines, strict=True
    ):
        differ = {name for name in before.values if before.values[name] != after.values[name]}
        assert differ == {"test_error", "test_score"}


@pytest.mark.usefixtures("quick_row")
@pytest.mark.parametrize("row", ONE_OF_A_CODE)
def test_what_cannot_be_learnt_is_not_learnt_from_validation_rows(tmp_path: Path, row: Any) -> None:
    X, y = raw_table("binary", 200)
    y = np.random.default_rng(3).permutation(y).tolist()
    _, table, setup = prepared(tmp_path, "binary", raw=(X, y))
    assert all(made.values["val_error"] > 0.35 for made in train_row(row, setup, table).baselines)


@pytest.mark.usefixtures("quick_row")
@pytest.mark.parametrize("row", ONE_OF_A_CODE)
def test_every_row_heeds_the_weights_of_classes(tmp_path: Path, row: Any) -> None:
    rng = np.random.default_rng(5)
    y = (rng.random(400) < 0.12).astype(int)
    X = rng.normal(size=(400, 3)) + 0.8 * y[:, None] * [1, 1, 0]
    raw = X, np.array(["common", "rare"])[y].tolist()
    objective = 'search.objectives=["balanced_error", "weights"]'
    _, table, plain = prepared(tmp_path, "binary", objective, raw=raw)
    _, _, balanced = prepared(tmp_path, "binary", objective, 'task.class_weight="balanced"', raw=raw)
    row = row._replace(penalties=row.penalties[1:2])  # a choice among several could make up for the weights
    for a, b in zip(train_row(row, plain, table).baselines, train_row(row, balanced, table).baselines, strict=True):
        assert b.values["val_error"] < a.values["val_error"] - 0.02


@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
@pytest.mark.parametrize("metric", ["log_loss", "balanced_error", "error_rate", "average_precision", "f1_macro"])
def test_the_metric_is_the_run_s_whatever_loss_trees_train_on(tmp_path: Path, loss: str, metric: str) -> None:
    overrides = (f'search.objectives=["{metric}", "weights"]', f'task.loss="{loss}"')
    X, y = raw_table("binary", 200)
    some = [i for i, label in enumerate(y) if label == "yes" or i % 3 == 0]
    _, table, setup = prepared(tmp_path, "binary", *overrides, raw=(X[some], [y[i] for i in some]))
    (made,) = train_row(BY_NAME["linear"], setup, table).baselines
    assert 0 < made.values["val_error"] < 0.3
    assert (made.values["test_error"] == pytest.approx(1 - made.values["test_score"])) == (metric == "error_rate")


def test_rows_of_weight_zero_are_left_out_and_weights_have_the_mean_one() -> None:
    sample = Sample(np.arange(8.0).reshape(4, 2), np.arange(4.0), np.array([1.0, 0.0, 2.0, 9.0]), "regression")
    taken = sample.take(np.array([0, 1, 2]))
    assert taken.y.tolist() == [0.0, 2.0]
    assert_allclose(taken.weight, [2 / 3, 4 / 3])


# Costs.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("device", "precision"), [("cortex-m4f", "float32"), ("cortex-m0plus", "int8"), ("rpi-4", "float32")]
)
def test_a_linear_model_costs_what_the_tree_without_hidden_nodes_does(
    tmp_path: Path, kind: str, device: str, precision: str
) -> None:
    _, table, setup = prepared(tmp_path, kind, f"hardware.device={device}", f"hardware.precision={precision}")
    model: Any = linear(sample_of(kind), 1.0, 0)[0]
    outputs = 3 if kind == "multiclass" else 1
    by_hand = np.zeros(4 * outputs, dtype=node_dtype(1))
    by_hand["depth"], by_hand["op"] = [0, 1, 1, 1] * outputs, [-6, 0, 1, 2] * outputs
    by_hand["op"][by_hand["depth"] == 0] = ~code_of("identity")
    by_hand["weight"][by_hand["depth"] == 1, 0] = model.coefficients[0].T.ravel()
    by_hand["bias"][by_hand["depth"] == 0, 0] = model.biases[0]
    # So small a first input leaves nothing of its edges in integers.
    problem = replace(setup.problem, inputs=setup.problem.inputs._replace(reach=np.array([1e-4, 4.0, 4.0])))
    expected = hardware.costs(
        by_hand,
        np.array([0, len(by_hand)]),
        problem.device,  # type: ignore[arg-type]
        *problem.code,
        kind=kind,
        input_range=problem.input_range,
    )
    assert BY_NAME["linear"].cost(problem, table.kind, model) == {name: v[0] for name, v in expected.items()}


@pytest.mark.usefixtures("quick_row")
@pytest.mark.usefixtures("hasty_row")
@pytest.mark.parametrize(
    ("kind", "device", "costed"),
    [("binary", "cortex-m4f", True), ("multiclass", "cortex-m4f", False), ("multiclass", "rpi-4", True)],
)
def test_an_mlp_has_a_cost_where_one_is_known(tmp_path: Path, kind: str, device: str, costed: bool) -> None:
    _, table, setup = prepared(tmp_path, kind, f"hardware.device={device}")
    for name, known in (("mlp_8", costed), ("cart", False)):
        (made,) = train_row(BY_NAME[name], setup, table).baselines
        assert ({"latency_s", "flash_bytes", "ram_bytes", "energy_j"} <= set(made.values)) == known
        if known and device == "rpi-4":
            assert made.values["flash_bytes"] == 4 * made.values["weights"]
            assert made.values["ram_bytes"] == 4 * (3 + 8)  # inputs and hidden values, or these and the outputs


def test_counts_of_layers_are_those_of_the_tree_they_are() -> None:
    for network in (random_network(1, [4, 5, 1], 1.0), random_network(8, [3, 2], 1.0)):
        nodes: Any = network.nodes()
        ours, tree = counts(network), hardware.count(nodes, np.array([0, len(nodes)]))
        for name in vars(tree):
            if name not in ("peak_live", "nodes"):
                assert_array_equal(getattr(ours, name), getattr(tree, name), err_msg=name)
        for name in ("weights", "macs", "flops"):
            assert getattr(ours, name) == getattr(tree, name), name
    shared = counts(random_network(1, [4, 8, 3], 1.0))
    assert (shared.weights[0], shared.macs[0], shared.flops[0]) == (67, 56, 2 * 56 + 11 + 8)
    assert shared.features_used[0] + shared.peak_live[0] == 12


# The run folder.


def files(folder: Path) -> RunFolder:
    made = RunFolder(folder / "run")
    made.path.mkdir(exist_ok=True)
    return made


def without_seconds(found: tuple[Baseline, ...]) -> list[tuple[str, str, dict[str, float]]]:
    return [(b.name, b.label, {k: v for k, v in b.values.items() if k != "seconds"}) for b in found]


@pytest.mark.usefixtures("hasty_row")
def test_a_stop_between_models_keeps_those_finished_and_the_rest_follows(tmp_path: Path) -> None:
    config, table, setup = prepared(tmp_path, "binary", 'baselines.models=["cart", "linear", "pruned_mlp"]')
    folder, whole, said = files(tmp_path), RunFolder(tmp_path / "whole"), []
    whole.path.mkdir()

    def stopping() -> bool:
        return (folder.path / "baselines.csv").exists()

    with pytest.raises(KeyboardInterrupt):
        train_baselines(config.baselines.models, setup, table, folder, BESIDE, said.append, stopping)
    assert [row.name for row in load_baselines(folder.path)] == ["cart"]
    train_baselines(config.baselines.models, setup, table, folder, BESIDE, said.append, lambda: False)
    train_baselines(config.baselines.models, setup, table, whole, BESIDE, said.append, lambda: False)
    found = load_baselines(folder.path)
    assert [row.name for row in found] == ["cart", "linear", *(f"pruned_mlp_{size}" for size in PRUNED)]
    assert without_seconds(found) == without_seconds(load_baselines(whole.path))
    assert said[2] == "training linear model, pruned MLP on the same rows, for comparison"
    count = len(said)
    train_baselines(
        config.baselines.models, setup, table, folder, BESIDE, said.append, lambda: False
    )  # nothing is left to do
    assert len(said) == count


def test_warnings_are_counted_and_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(make, "LINEAR_STEPS", 1)
    config, table, setup = prepared(tmp_path, "binary", 'baselines.models=["linear"]')
    said: list[str] = []
    train_baselines(config.baselines.models, setup, table, files(tmp_path), BESIDE, said.append, lambda: False)
    assert said[1].startswith("  linear model: 4 weights, validation error 0.")
    fits = len(LINEAR_PENALTIES) * 3 + 1 + 5
    assert "ConvergenceWarning in " in said[1]
    assert said[1].endswith(f" of {fits} fits)")
    assert not recwarn.list


def test_a_model_that_cannot_be_trained_is_said_and_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object) -> None:
        raise ValueError("Solver produced\nnon-finite weights")

    monkeypatch.setitem(BY_NAME, "linear", BY_NAME["linear"]._replace(make=diverge))
    config, table, setup = prepared(tmp_path, "binary", 'baselines.models=["linear", "cart"]')
    said: list[str] = []
    train_baselines(config.baselines.models, setup, table, files(tmp_path), BESIDE, said.append, lambda: False)
    assert "  linear model could not be trained: Solver produced non-finite weights" in said
    assert [row.name for row in load_baselines(tmp_path / "run")] == ["cart"]


def test_the_file_reads_back(tmp_path: Path) -> None:
    values = {"val_error": 0.1 + 0.2, "test_error": 1e-300, "test_score": -3.0, "weights": 4.0, "macs": 0.0}
    rows = (Baseline("a", "A, “b”", {**values, "seconds": 1.5}), Baseline("b", "B", {**values, "energy_j": 1e-9}))
    assert load_baselines(tmp_path) == ()
    write_baselines(tmp_path, rows)
    assert load_baselines(tmp_path) == rows
    header = (
        COLUMNS.strip().replace(",seconds", ",worst_latency_s,seconds")
        + ",honest_error,honest_error_se,honest_difference,honest_difference_se"
    )
    assert (tmp_path / "baselines.csv").read_text().splitlines()[0] == header


def test_the_file_of_an_older_version_reads_too(tmp_path: Path) -> None:
    (tmp_path / "baselines.csv").write_text(COLUMNS + "linear,linear model,0.2,0.1,0.9,3,2,,,,,1\n")
    (found,) = load_baselines(tmp_path)
    assert (found.values["val_error"], "honest_error" in found.values) == (0.2, False)


COLUMNS = "name,label,val_error,test_error,test_score,weights,macs,latency_s,flash_bytes,ram_bytes,energy_j,seconds\n"
LACKING = COLUMNS + "linear,linear model,,0.1,0.9,3,2,,,,,1\n"  # what every model has


@pytest.mark.parametrize("text", ["name,label\na,b\n", "\0", "name\n\xff\n", LACKING])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    write_baselines(tmp_path, [])
    (tmp_path / "baselines.csv").write_bytes(text.encode("latin-1"))
    if text == "\0":
        assert load_baselines(tmp_path) == ()
        return
    with pytest.raises(InputError, match=r"baselines\.csv is damaged"):
        load_baselines(tmp_path)


def judged(error: float, weights: float, **more: float) -> dict[str, float]:
    return {
        "val_error": 0.0,
        "honest_error": error,
        "honest_error_se": 0.02,
        "weights": weights,
        "nodes": weights,
    } | more


def test_the_verdict_says_which_baselines_are_as_good_in_the_same_folds() -> None:
    def row(name: str, more: float, error: float = 0.1) -> Baseline:
        paired = {"honest_difference": more, "honest_difference_se": 0.01}
        return Baseline(name, name.upper(), judged(error, 9, **paired))

    assert compared(()) == []
    words = {0.011: "worse than", 0.009: "about as good as", -0.009: "about as good as", -0.011: "better than"}
    for more, word in words.items():
        (line,) = compared([row("linear", more)])
        assert line == (
            f"LINEAR, 9 weights: honest error 0.1000 ± 0.0200, {word} the recommended model "
            f"(difference {more:+.4f} ± 0.0100)"
        )
    rows = [row("mlp_8", 0, 0.2), row("mlp_100", 0, 0.15), row("cart", 0, 0.3)]
    assert [line.split(",")[0] for line in compared(rows)] == ["CART", "MLP_100"]  # the strongest other
    assert compared([Baseline("linear", "linear", {"val_error": 0.2, "weights": 3.0})]) == []  # of an older run


def test_the_verdict_says_if_the_limit_of_nodes_binds() -> None:
    front = Front(tuple(Member("ok", judged(0.1, weights)) for weights in (60.0, 59.0, 30.0, 5.0)), ("error",))
    assert binding(front, 60) == ["1 of 4 models have the largest allowed number of nodes: raise max_nodes"]
    assert binding(front, 61) == binding(front, None) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_difference_is_paired_by_fold(tmp_path: Path, kind: str) -> None:
    _, table, setup = prepared(tmp_path, kind)
    (alone,) = train_row(BY_NAME["linear"], setup, table).baselines
    (beside,) = train_row(BY_NAME["linear"], setup, table, BESIDE).baselines
    assert "honest_difference" not in alone.values
    assert beside.values["honest_error"] == alone.values["honest_error"]
    assert beside.values["honest_difference"] == pytest.approx(alone.values["honest_error"] - BESIDE.mean())
    # If a model's parts are the same but for a shift, the difference is certain, however uncertain each of them is.
    parts = search.judge.honest.parts_of_error

    def shifted(*given: Any) -> np.ndarray:
        return BESIDE[None] + 0.25 + 0 * parts(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.judge.baseline_training.parts_of_error", shifted)
        (same,) = train_row(BY_NAME["linear"], setup, table, BESIDE).baselines
    assert same.values["honest_difference"] == pytest.approx(0.25)
    assert same.values["honest_difference_se"] == pytest.approx(0, abs=1e-12)
    assert same.values["honest_error_se"] > 0.1


# The config and the whole program.


def test_the_config_names_baselines_of_the_table(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text('[data]\nsource = "iris"\n')
    assert load_config(path).baselines.models == ("linear", "cart")
    assert load_config(path, [f"baselines.models={json.dumps(NAMES)}"]).baselines.models == NAMES


def test_a_run_trains_them_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "my.toml", tmp_path / "run"
    path.write_text(
        '[data]\nsource = "iris"\n[search]\npopulation = 6\ngenerations = 0\nfolds = 2\n[train]\nepochs = 1\n'
        '[baselines]\nmodels = ["linear", "cart"]\n'
    )
    assert main([str(path), "--out", str(out), "--dry-run"]) == 0
    assert "# baselines: linear, cart" in capsys.readouterr().out
    assert main([str(path), "--out", str(out), "--json"]) == 0
    events: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row.name for row in load_baselines(out)] == ["linear", "cart"]
    texts = [event["text"] for event in events if event["event"] == "message"]
    assert "training linear model, CART on the same rows, for comparison" in texts
    assert "baselines" in events[-1]["phases"]
    assert "linear model, 15 weights: honest error " in events[-1]["text"]


def test_a_stopped_run_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "my.toml", tmp_path / "run"
    path.write_text(
        '[data]\nsource = "iris"\n[search]\npopulation = 6\ngenerations = 0\nfolds = 2\n[train]\nepochs = 1\n'
        '[baselines]\nmodels = ["linear", "cart"]\n'
    )

    def interrupt(*_: Callable[..., object]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(BY_NAME, "cart", BY_NAME["cart"]._replace(make=interrupt))
        assert main([str(path), "--out", str(out), "--quiet"]) == 130
    assert "--resume" in capsys.readouterr().err
    assert [row.name for row in load_baselines(out)] == ["linear"]
    assert main([str(out), "--resume", "--quiet"]) == 0
    assert [row.name for row in load_baselines(out)] == ["linear", "cart"]
    assert json.loads((out / "manifest.json").read_text())["status"] == "complete"
