"""Large trees from pixels: what an absent leaf promises, exact budgets, the same outputs as a tree as in the engine."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.common.images import CLASSES, SIDE, Images
from experiments.growth import dense, tree_training
from experiments.growth.course import Course
from experiments.growth.dense import dense_error, train_dense, width_of
from experiments.growth.edges import drop, insert, random_mask
from experiments.growth.pixels import make_pixels, scaled, shifted
from experiments.growth.rewiring import SETTINGS, State, Task, absent_slopes, rewire
from experiments.growth.skeleton import forest_of, make_skeleton, places, spread_out, to_nodes
from experiments.growth.tree_training import start_params, train
from experiments.studies.mnist import page as rendering
from experiments.studies.mnist import run as mnist
from neuraltree.engine.lowering import lowering
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.engine.training import make_data
from neuraltree.tree.nodes import count_weights
from neuraltree.tree.space import Space, check
from neuraltree.tree.tree import Tree
from tests.helpers.oracle import evaluate_recursive
from tests.helpers.plain_snaps import PLAIN_SNAPS

SMALL, OUTPUTS = 4, 3  # side of an image; classes
ACTIVATIONS = ("relu", "tanh", "gaussian")
BUDGET = 120  # weights
COURSES = {
    "sparse, gradient": Course(epochs=2, dense=False, batch=16, rounds=4),
    "sparse, random": Course(epochs=2, dense=False, insertion="random", batch=16, rounds=4),
    "sparse, fixed": Course(epochs=2, dense=False, exchange=0.0, batch=16, rounds=4),
    "dense, gradient": Course(epochs=2, batch=16, rounds=4),
    "dense, fixed": Course(epochs=2, exchange=0.0, batch=16, rounds=4),
}


@pytest.fixture(scope="module")
def skeleton():
    return make_skeleton(SMALL * SMALL, OUTPUTS, (3, 2), ACTIVATIONS)


@pytest.fixture(scope="module")
def pixels():
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (200, SMALL, SMALL)).astype(np.uint8)
    images[:, 0, 0] = 7  # never changes
    return make_pixels(images, rng.integers(0, OUTPUTS, 200), OUTPUTS)


@pytest.fixture(scope="module")
def task(skeleton, pixels):
    usable = skeleton.possible & (pixels.spread > 0)
    return Task(skeleton, pixels, usable, Course(epochs=1, shift=0))


def sparse_state(task, seed=2):
    """Biases and all, with half of the leaves."""
    rng = np.random.default_rng(seed)
    mask = random_mask(task.usable, int(task.usable.sum()) // 2, rng)
    params = start_params(task.skeleton, mask, rng)
    biases = forest_of(task.skeleton, mask).first_param[:-1]
    params[biases] = 0.1 * rng.normal(size=len(biases))
    return State(mask, params, [np.array(1), np.ones_like(params), np.ones_like(params)])


def mean_loss(nodes, inputs, targets):
    """Cross-entropy of softmax outputs, by the recursive evaluation of a tree."""
    found = np.array([evaluate_recursive(nodes, row) for row in inputs])
    return float(np.mean(np.log(np.exp(found).sum(axis=1)) - (found * targets).sum(axis=1)))


def test_slopes_of_absent_leaves_are_finite_differences(task):
    state = sparse_state(task)
    slopes = absent_slopes(task, state, np.random.default_rng(0))
    skeleton, pixels = task.skeleton, task.pixels
    inputs = ((pixels.images.reshape(200, -1) - pixels.scaler.mean) / pixels.scaler.scale).tolist()
    everywhere = spread_out(state.mask, state.params)[places(skeleton.possible)]
    full = to_nodes(skeleton, skeleton.possible, everywhere)  # absent ones weigh nothing
    owner = np.cumsum(full["op"] < 0) - 1
    absent = np.flatnonzero((full["op"] > 0) & ~state.mask[owner, full["op"]])
    for i in np.random.default_rng(3).choice(absent, 4, replace=False):
        losses = []
        for step in (1e-4, -1e-4):
            moved = full.copy()
            moved["weight"][i] = step
            losses.append(mean_loss(moved, inputs, pixels.targets))
        assert slopes[owner[i], full["op"][i]] == pytest.approx((losses[0] - losses[1]) / 2e-4, rel=1e-3, abs=1e-6)


def test_the_tree_computes_what_the_engine_computes(task):
    state = sparse_state(task)
    skeleton, pixels = task.skeleton, task.pixels
    nodes = to_nodes(skeleton, state.mask, state.params)
    check(nodes, Space(SMALL * SMALL, OUTPUTS, ACTIVATIONS, max_nodes=len(nodes), max_depth=3, max_arity=SMALL**2 + 3))
    data = make_data(scaled(pixels.images, pixels.scaler), pixels.targets, None, SETTINGS.precision)
    rows, forest = np.arange(200, dtype=np.int32), forest_of(skeleton, state.mask)
    engine = lowering().predict(forest, SETTINGS, data, rows, state.params)[0].T
    raw = pixels.images.reshape(200, -1)
    tree = Tree(nodes, "multiclass", tuple(f"x{i}" for i in range(SMALL**2)), (0, 1, 2), pixels.scaler)
    np.testing.assert_allclose(tree.outputs(raw), engine, rtol=1e-4, atol=1e-5)
    inputs = ((raw - pixels.scaler.mean) / pixels.scaler.scale).tolist()
    expected = [evaluate_recursive(nodes, row) for row in inputs]
    np.testing.assert_allclose(engine, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
def test_the_budget_is_met_exactly(skeleton, pixels, course, monkeypatch):
    leaves, counts = skeleton.leaves(BUDGET), []

    def rewired(*arguments):
        state = rewire(*arguments)
        counts.append(int(state.mask.sum()))
        return state

    monkeypatch.setattr(tree_training, "rewire", rewired)
    state = train(skeleton, pixels, leaves, course, np.random.default_rng(0))
    nodes = to_nodes(skeleton, state.mask, state.params)
    assert count_weights(nodes) == BUDGET
    assert counts[-1] == leaves
    assert len(counts) == 6  # .75 of eight rounds
    assert course.dense == (counts[0] > leaves)
    assert 0 not in nodes["op"]  # the pixel that never changes


def test_a_rewiring_drops_the_weakest_and_inserts_at_zero(task):
    state = sparse_state(task)
    budget = int(state.mask.sum())
    course = Course(epochs=1, dense=False, exchange=0.2, shift=0)
    after = rewire(task._replace(course=course), state, budget, 0.0, np.random.default_rng(0))
    gone, new = state.mask & ~after.mask, after.mask & ~state.mask
    assert after.mask.sum() == budget
    assert 0 < new.sum() <= int(0.2 * budget)
    before = spread_out(state.mask, state.params)
    found = [spread_out(after.mask, part) for part in (after.params, *after.moments[1:])]
    strength = np.abs(before[:, 2:]) * task.pixels.spread
    first = (state.mask & (strength == strength.max(axis=1, keepdims=True))).nonzero()
    assert after.mask[first].all()
    stayed = state.mask & after.mask & (found[0][:, 2:] != 0)
    np.testing.assert_array_equal(found[0][:, 2:][stayed], before[:, 2:][stayed])
    np.testing.assert_array_equal(found[0][:, :2], before[:, :2])
    assert after.moments[0] == 1
    for part in found:
        assert not part[:, 2:][gone | new].any()
        assert part[:, 2:][stayed].all()
    stayed[first] = False
    assert strength[gone].max() <= strength[stayed].min()


def test_edges_are_the_weakest_and_the_most_promising():
    mask = np.array([[True, True, True], [True, False, False]])
    strength = np.array([[3.0, 1.0, 2.0], [0.1, 9.0, 9.0]])
    assert drop(mask, strength, 1).tolist() == [[True, False, True], [True, False, False]]
    assert drop(mask, strength, 2).tolist() == [[True, False, False], [True, False, False]]  # the last of a row stays
    possible = np.array([[True, True, True], [True, True, False]])
    grown = insert(mask, possible, strength, 1)
    assert grown.tolist() == [[True, True, True], [True, True, False]]
    drawn = random_mask(possible, 3, np.random.default_rng(0))
    assert drawn.sum(axis=1).tolist() == [2, 1]
    assert not (drawn & ~possible).any()


def test_shifted_images_are_the_image_moved():
    image = np.arange(1, 10, dtype=np.uint8).reshape(1, 3, 3)
    framed = np.zeros((5, 5), np.uint8)
    framed[1:-1, 1:-1] = image
    allowed = {framed[i : i + 3, j : j + 3].tobytes() for i in range(3) for j in range(3)}
    found = {moved.tobytes() for moved in shifted(np.repeat(image, 300, axis=0), 1, np.random.default_rng(0))}
    assert found == allowed
    assert shifted(image, 0, np.random.default_rng(0)).tolist() == image.tolist()


def test_training_learns():
    """Which half of the image is bright: anything that trains finds it."""
    rng = np.random.default_rng(4)
    images = rng.integers(0, 60, (600, SMALL, SMALL)).astype(np.uint8)
    classes = rng.integers(0, 2, 600)
    images[classes == 1, :, 2:] += 60
    images[classes == 0, :, :2] += 60
    pixels = make_pixels(images[:400], classes[:400], 2)
    course = Course(epochs=20, batch=16, rate=0.02, shift=0)
    skeleton = make_skeleton(SMALL * SMALL, 2, (2,), ("relu",))
    state = train(skeleton, pixels, skeleton.leaves(30), course, np.random.default_rng(0))
    nodes = to_nodes(skeleton, state.mask, state.params)
    tree = Tree(nodes, "multiclass", tuple(f"x{i}" for i in range(SMALL**2)), (0, 1), pixels.scaler)
    assert np.mean(tree.predict(images[400:].reshape(200, -1)) != classes[400:]) < 0.02
    whole = train_dense(pixels, width_of(60, SMALL * SMALL, 2), course, np.random.default_rng(0))
    assert whole.weights == 59  # 3 x 17 + 2 x 4
    assert dense_error(whole, pixels, images[400:], classes[400:]) < 0.02
    sparse = train_dense(pixels, 4, course, np.random.default_rng(0), 30)
    assert sparse.weights == 30
    assert np.count_nonzero(sparse.kept) == 30 - 2 * 5
    assert sparse.kept[:, -1].all()
    assert not sparse.layers.first[~sparse.kept].any()
    assert dense_error(sparse, pixels, images[400:], classes[400:]) < 0.02
    for other in (course._replace(dense=False), course._replace(insertion="random")):
        with pytest.raises(ValueError, match="starts with all edges"):
            train_dense(pixels, 4, other, np.random.default_rng(0), 30)


def test_a_sparse_network_inserts_where_the_gradient_is_steepest():
    """Only the last pixel tells the classes apart, and no unit reads it."""
    rng = np.random.default_rng(4)
    images = rng.integers(0, 60, (400, SMALL, SMALL)).astype(np.uint8)
    classes = rng.integers(0, 2, 400)
    images[:, -1, -1] += (60 * classes).astype(np.uint8)
    pixels = make_pixels(images, classes, 2)
    course = Course(epochs=1, dense=False, exchange=0.5, shift=0)
    first, last = rng.normal(size=(2, SMALL**2 + 1)).astype(np.float32), np.ones((2, 3), np.float32)
    last[0] = -1
    kept = np.zeros(first.shape, bool)
    kept[:, :4] = kept[:, -1] = True
    usable = np.ones((2, SMALL**2), bool)
    layers = dense.Layers(first * kept, last)
    moments = OPTIMIZERS["adam"](0.0).init(layers)
    moved = dense._rewired(pixels, course, (kept, layers, moments), usable, 8, 0.0, np.random.default_rng(0))
    assert np.count_nonzero(moved[0]) == 10
    assert moved[0][:, [SMALL**2 - 1, -1]].all()
    assert not np.asarray(moved[1].first)[moved[0] & ~kept].any()


@pytest.fixture
def few_images(monkeypatch):
    """Noise in place of the files."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (900, SIDE * SIDE)).astype(np.uint8), rng.integers(0, CLASSES, 900)
    monkeypatch.setattr(mnist, "VALIDATION", 100)
    monkeypatch.setattr(mnist, "images", lambda name: Images(X[:800], y[:800], X[800:], y[800:]))


def test_units_give_rows(few_images):
    by_job = {unit.job: unit for unit in mnist.units(1, True)}
    assert set(by_job) == set(mnist.JOBS)
    for job in ("grow_20k", "mlp_20k", "sparse_mlp_20k"):
        (row,) = mnist.run(by_job[job], True)
        assert set(row) == set(mnist.COLUMNS)
        assert row["weights"] <= 2_000 if job == "mlp_20k" else row["weights"] == 2_000
        assert 0 <= row["test_error"] <= 1
        assert mnist.run(by_job[job], True) == [row]


def test_jobs_are_what_their_names_say():
    for job, model in mnist.JOBS.items():
        assert f"{model.weights // 1000}k" == job.rpartition("_")[2]
        assert model.mlp == ("mlp" in job)
    hashes = [str(mnist.settings(unit, False)) for unit in mnist.units(1, False)]
    assert len(set(hashes)) == len(hashes)


def test_results_are_rendered(tmp_path):
    row = {"weights": "20000", "val_error": "0.02", "test_error": "0.0175", "cpu_s": "60.5", "epochs": "60"}
    jobs = [(job, seed) for job in mnist.JOBS for seed in range(3)]
    rows = [row | {"table": "mnist", "job": job, "seed": str(seed)} for job, seed in jobs]
    rendering.render(rows, tmp_path)
    text = (tmp_path / "mnist.md").read_text()
    assert "1.75" in text
    assert "6.58" in text
    assert (tmp_path / "mnist.png").stat().st_size > 10_000
    assert "1.75" in rendering.headline(rows)


@pytest.mark.parametrize("name", ["int4", "int3", "ternary"])
def test_leaves_are_rounded_for_each_node_alone(task, name):
    state = sparse_state(task)
    forest = forest_of(task.skeleton, state.mask)
    found = tree_training.rounded(forest, state.params, name)
    for node in range(forest.nodes):
        own = slice(forest.first_param[node], forest.first_param[node + 1])
        assert np.array_equal(found[own][:2], state.params[own][:2]), "biases and edges of nodes"
        leaves = state.params[own][2:].astype(float).tolist()
        if leaves:
            integers, scale = PLAIN_SNAPS[name](leaves)
            assert found[own][2:] == pytest.approx([number * scale for number in integers], rel=1e-6)


def test_steps_in_a_format_are_those_at_the_rounded_weights(task):
    """Gradient descent by hand: rounded before each step, and what a step changes is added before rounding."""
    state = sparse_state(task)
    forest = forest_of(task.skeleton, state.mask)
    settings = SETTINGS._replace(optimizer="sgd", batch_size=10)
    inputs = scaled(task.pixels.images, task.pixels.scaler)
    data = make_data(inputs[:20], task.pixels.targets[:20], None, "float32")
    rates = np.array([0.1, 0.05])
    found = tree_training._train_rounded(forest, state, settings, data, rates, "ternary").params
    wanted = state.params.astype(float)
    for step, rate in enumerate(rates):
        at = tree_training.rounded(forest, wanted.astype(np.float32), "ternary")
        rows = slice(10 * step, 10 * step + 10)
        by_hand = numerical_slopes(task, state.mask, at.astype(float), data.inputs[rows], data.targets[rows])
        wanted -= rate * by_hand
    assert found == pytest.approx(wanted, abs=2e-4)
    assert not np.array_equal(found, state.params)


def numerical_slopes(task, mask, params, inputs, targets):
    """Derivatives of the mean loss by central differences, 0 for the edge of an output, which does not exist."""
    found = np.zeros_like(params)
    for i in range(len(params)):
        ends = []
        for move in (1e-5, -1e-5):
            moved = params.copy()
            moved[i] += move
            ends.append(mean_loss(to_nodes(task.skeleton, mask, moved), inputs, targets))
        found[i] = (ends[0] - ends[1]) / 2e-5
    return found


def test_the_last_quarter_is_trained_in_the_format(skeleton, pixels, monkeypatch):
    seen = []
    original = tree_training._train_rounded

    def spy(*given):
        seen.append(given[-1])
        return original(*given)

    monkeypatch.setattr(tree_training, "_train_rounded", spy)
    course = COURSES["dense, gradient"]
    train(skeleton, pixels, skeleton.leaves(BUDGET), course, np.random.default_rng(0), "int3")
    assert seen == ["int3"] * (course.epochs * course.rounds // 4)
    train(skeleton, pixels, skeleton.leaves(BUDGET), course, np.random.default_rng(0))
    assert len(seen) == course.epochs * course.rounds // 4
