"""Training: every row of the tables by its answer, masks, weights, divergence, compilations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, log_softmax

from neuraltree.engine import compiled as programs
from neuraltree.engine.chunks import predict
from neuraltree.engine.forest import load_params, store_params
from neuraltree.engine.optimizers import OPTIMIZERS, SCHEDULES
from neuraltree.engine.packing import layout, pack, plan
from neuraltree.engine.train import fit, make_schedule
from neuraltree.engine.training_step import Settings, make_data
from neuraltree.tasks.losses import LOSSES
from neuraltree.tasks.task import encode, make_task
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.simplify import simplify
from neuraltree.tree.space import Space
from tests.helpers.oracle import evaluate_recursive

SPACE = Space(3, 1, max_nodes=20)
ROWS = 150


def population(count=6, seed=0, space=SPACE):
    rng = np.random.default_rng(seed)
    return [simplify(random_tree(rng, space)) for _ in range(count)]


class Case:
    """A population in one bin, data, and the rows to fit and validate on."""

    def __init__(self, trees, x, y, settings, weight=None, space=SPACE):
        self.nodes, self.starts = join(trees)
        self.shape = plan(layout(self.nodes, self.starts), space)
        (self.packed,) = pack(self.nodes, self.starts, self.shape)
        self.settings, self.count = settings, len(trees)
        self.data = make_data(x, y, weight, self.shape, settings.precision)

    def fit(self, epochs=5, fit_rows=None, validation_rows=(), patience=0, limit=None, seed=0):
        rows = len(self.data.weight) - 1
        schedule = make_schedule(
            self.shape,
            self.settings,
            rows,
            fit_rows=np.arange(rows) if fit_rows is None else fit_rows,
            validation_rows=np.array(validation_rows, dtype=np.int64),
            epochs=epochs,
            limit=np.full(self.count, epochs) if limit is None else np.array(limit),
            patience=patience,
            rng=np.random.default_rng(seed),
        )
        start = load_params(self.packed, self.nodes, 0, self.settings.precision)
        return fit(self.shape, self.settings, self.packed.forest, start, self.data, schedule)

    def trees(self, fitted):
        nodes = self.nodes.copy()
        store_params(self.packed, nodes, 0, fitted.params)
        return np.split(nodes, self.starts[1:-1])

    def outputs(self, fitted):
        return predict(self.shape, self.settings, self.packed.forest, fitted.params, self.data.inputs[:-1])[
            : self.count
        ]


def taught(settings, epochs_rows=ROWS, weight=None):
    """Trees that must learn back the outputs they had before their weights were disturbed."""
    trees = population()
    rng = np.random.default_rng(5)
    x = rng.normal(size=(epochs_rows, 3))
    y = np.array([evaluate_recursive(trees[0], row) for row in x])
    for tree in trees:
        tree["weight"] += 0.1 * rng.normal(size=tree["weight"].shape) * (tree["depth"] > 0)[:, None]
    return Case([trees[0]] * 3, x, y, settings, weight)


RATES = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "adagrad": 0.1, "rmsprop": 0.003, "adam": 0.01, "adamw": 0.01}


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if not name.startswith("reference")])
def test_every_optimiser_learns_a_known_tree_back_and_compiles_once(name):
    case = taught(Settings("squared", name, RATES[name]))
    before = float(np.mean((case.outputs(case.fit(epochs=0))[:, 0] - case.data.targets[:-1, 0]) ** 2))
    fitted = case.fit(epochs=150)
    after = float(np.mean((case.outputs(fitted)[:, 0] - case.data.targets[:-1, 0]) ** 2))
    assert after < 0.02 * before
    compiled = programs.compilations()
    case.fit(epochs=150, fit_rows=np.arange(40), validation_rows=np.arange(40, 150), patience=3, seed=1)
    assert programs.compilations() == compiled


@pytest.mark.parametrize(
    ("name", "expected"), [("constant", [1, 1, 1]), ("cosine", [1, 0.5, 0]), ("linear", [1, 0.5, 0])]
)
def test_schedules_at_start_middle_and_end(name, expected):
    np.testing.assert_allclose([SCHEDULES[name](jnp.float32(f)) for f in (0, 0.5, 1)], expected, atol=1e-6)


def test_losses_against_plain_formulas_and_automatic_differentiation():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(4, 3, 5)).astype(np.float32)
    one_hot = np.eye(3)[rng.integers(3, size=5)].T.astype(np.float32)
    yes = rng.integers(2, size=(1, 5)).astype(np.float32)
    cases = {
        "squared": (z, one_hot, 0.5 * ((z - one_hot) ** 2).sum(axis=1)),
        "softmax": (z, one_hot, -(one_hot * log_softmax(z, axis=1)).sum(axis=1)),
        "logistic": (z[:, :1], yes, -np.log(np.where(yes > 0, expit(z[:, 0]), 1 - expit(z[:, 0])))),
    }
    assert set(cases) == set(LOSSES)
    for name, (outputs, target, expected) in cases.items():
        np.testing.assert_allclose(LOSSES[name].value(outputs, target), expected, rtol=1e-5)
        slope = jax.grad(lambda o: jnp.sum(LOSSES[name].value(o, target)))(jnp.asarray(outputs))  # noqa: B023
        np.testing.assert_allclose(LOSSES[name].gradient(outputs, target), slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "classes", "loss", "outputs", "activation", "trained_on"),
    [
        ("regression", 0, "auto", 1, "identity", "squared"),
        ("binary", 2, "auto", 1, "identity", "logistic"),
        ("multiclass", 4, "auto", 4, "identity", "softmax"),
        ("binary", 2, "squared", 2, "sigmoid", "squared"),  # the sources' form
    ],
)
def test_tasks(kind, classes, loss, outputs, activation, trained_on):
    task = make_task(kind, classes, loss)
    assert (task.n_outputs, task.output_activation, task.loss) == (outputs, activation, trained_on)
    codes = np.array([0, 1, 1])
    encoded = encode(task, codes)
    assert encoded.shape == (3, outputs)
    assert (encoded.argmax(axis=1) == codes).all() if outputs > 1 else (encoded[:, 0] == codes).all()


def test_cross_entropy_needs_classes():
    with pytest.raises(ValueError, match="squared"):
        make_task("regression", 0, "cross_entropy")


def test_one_epoch_of_mini_batches_is_plain_gradient_descent():
    """Against a loop in NumPy with gradients by finite differences; the last batch is smaller."""
    trees = population(3)
    x = np.random.default_rng(1).normal(size=(11, 3))
    y = x[:, :1] * x[:, 1:2]
    settings = Settings("squared", "sgd", 0.1, "constant", 4, "float64")
    case = Case(trees, x, y, settings)
    fitted = case.fit(epochs=1, seed=3)
    order = np.random.default_rng(3).permutation(11)
    for tree, mine in zip(trees, case.trees(fitted), strict=True):
        expected = tree.copy()
        for batch in (order[:4], order[4:8], order[8:]):
            expected = descend(expected, x[batch], y[batch, 0], 0.1)
        np.testing.assert_allclose(mine["weight"], expected["weight"], atol=1e-6)
        np.testing.assert_allclose(mine["bias"], expected["bias"], atol=1e-6)


def descend(tree, x, y, rate):
    def loss(nodes):
        return 0.5 * np.mean([(evaluate_recursive(nodes, row)[0] - t) ** 2 for row, t in zip(x, y, strict=True)])

    moved = tree.copy()
    for name, used in (("weight", tree["depth"] > 0), ("bias", tree["op"] < 0)):
        for i in np.flatnonzero(used):
            up, down = tree.copy(), tree.copy()
            up[name][i] += 1e-6
            down[name][i] -= 1e-6
            moved[name][i] -= rate * (loss(up) - loss(down)) / 2e-6
    return moved


def test_a_tree_trains_alike_alone_and_among_others():
    trees = population(8)
    x = np.random.default_rng(2).normal(size=(ROWS, 3))
    y = np.sin(x[:, :1])
    settings = Settings("squared", precision="float64")
    together = Case(trees, x, y, settings)
    trained = together.trees(together.fit(epochs=4, validation_rows=np.arange(100, 150), fit_rows=np.arange(100)))
    for i in (0, 3, 7):
        alone = Case([trees[i]], x, y, settings)
        (mine,) = alone.trees(alone.fit(epochs=4, validation_rows=np.arange(100, 150), fit_rows=np.arange(100)))
        np.testing.assert_allclose(mine["weight"], trained[i]["weight"], rtol=1e-9, atol=1e-12)


def test_the_best_epoch_by_validation_is_kept():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 3))
    y = rng.normal(size=(60, 1))  # noise: training can only hurt in the end
    case = Case(population(6), x, y, Settings("squared", learning_rate=0.1, schedule="constant", precision="float64"))
    fitted = case.fit(epochs=40, fit_rows=np.arange(30), validation_rows=np.arange(30, 60))
    assert (np.asarray(fitted.best_epoch)[:6] < 40).any()
    validation = 0.5 * np.mean((case.outputs(fitted)[:, 0, 30:] - y[30:, 0]) ** 2, axis=1)
    np.testing.assert_allclose(np.asarray(fitted.loss)[:6], validation, rtol=1e-9)
    # Stopping at each tree's best epoch, without looking at validation rows, gives the same weights.
    again = case.fit(epochs=40, fit_rows=np.arange(30), limit=np.asarray(fitted.best_epoch)[:6])
    for a, b in zip(case.trees(fitted), case.trees(again), strict=True):
        np.testing.assert_allclose(a["weight"], b["weight"], rtol=1e-9, atol=1e-12)


def test_patience_stops_a_tree_where_its_best_is_that_many_epochs_old():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(60, 3)), rng.normal(size=(60, 1))
    case = Case(population(6), x, y, Settings("squared", learning_rate=0.05, schedule="constant", precision="float64"))
    rows = {"fit_rows": np.arange(30), "validation_rows": np.arange(30, 60)}
    losses = []  # by epoch, the loss of each tree if it trained exactly that long
    for epochs in range(31):
        last = case.fit(epochs=30, fit_rows=np.arange(30), limit=[epochs] * 6)
        losses.append(0.5 * np.mean((case.outputs(last)[:, 0, 30:] - y[30:, 0]) ** 2, axis=1))
    fitted = case.fit(epochs=30, patience=2, **rows)
    for tree in range(6):
        best = 0
        for epoch in range(1, 31):
            if losses[epoch][tree] < losses[best][tree]:
                best = epoch
            elif epoch - best >= 2:
                break
        assert int(fitted.best_epoch[tree]) == best


def test_a_row_of_weight_two_counts_as_two_rows():
    trees, rng = population(4), np.random.default_rng(6)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=(12, 1))
    settings = Settings("squared", "sgd", 0.1, "constant", 64, "float64")
    weight = np.array([2.0] * 4 + [1.0] * 8)
    heavy = Case(trees, x, y, settings, weight)
    double = Case(trees, np.vstack([x, x[:4]]), np.vstack([y, y[:4]]), settings)
    for a, b in zip(heavy.trees(heavy.fit(epochs=3)), double.trees(double.fit(epochs=3)), strict=True):
        np.testing.assert_allclose(a["weight"], b["weight"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rate", [1e3, 1e30])
def test_divergence_is_a_value_and_harms_no_neighbour(rate):
    space = Space(3, 1, ("relu", "identity"), max_nodes=20)
    trees = population(5, space=space)
    x = np.random.default_rng(7).normal(size=(40, 3))
    case = Case(trees, x, 1e3 * x[:, :1], Settings("squared", "sgd", rate, "constant"), space=space)
    fitted = case.fit(epochs=20, fit_rows=np.arange(20), validation_rows=np.arange(20, 40))
    assert np.isfinite(np.asarray(fitted.params.leaf)).all()
    assert (np.asarray(fitted.loss)[:5] > 0).all()
    assert not np.isnan(np.asarray(fitted.loss)).any()
    hopeless = [tree.copy() for tree in trees]
    hopeless[2]["weight"] *= 1e38
    mixed = Case(hopeless, x, x[:, :1], Settings("squared"), space=space)
    calm = Case(trees, x, x[:, :1], Settings("squared"), space=space)
    rows = {"fit_rows": np.arange(20), "validation_rows": np.arange(20, 40)}
    lost, kept = mixed.fit(**rows), calm.fit(**rows)
    assert np.isinf(lost.loss[2])
    others = [0, 1, 3, 4]
    np.testing.assert_allclose(np.asarray(lost.loss)[others], np.asarray(kept.loss)[others], rtol=1e-4)


def test_float64_is_float64():
    case = taught(Settings("squared", precision="float64"))
    assert np.asarray(case.fit(epochs=1).params.leaf).dtype == np.float64
