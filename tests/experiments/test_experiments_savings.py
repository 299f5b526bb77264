"""The experiment on neurons at equilibrium: networks in levels, what is frozen, the training, the tally, the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.frame.experiment import Unit
from experiments.frame.working import checked_rows
from experiments.studies.savings import masked_training, page, run
from experiments.studies.savings.found_rows import SAVED, best, found_in
from experiments.studies.savings.freezing import Choice, Watched, choose, highest_below
from experiments.studies.savings.held_parts import Parts
from experiments.studies.savings.hyper_gradient import RULES
from experiments.studies.savings.levelled import dense, forward, from_nodes, slopes, with_ones
from experiments.studies.savings.masked_training import Data, train
from experiments.studies.savings.methods import METHODS, SHARES, Lane, Method, lanes_of
from experiments.studies.savings.run import EXPERIMENT, MNIST, NETWORK, TREE
from experiments.studies.savings.starting_nets import pixel_nodes
from experiments.studies.savings.tally import COMPARED, Tally
from neuraltree.tasks.task import make_task
from neuraltree.tree.generate import random_tree
from neuraltree.tree.space import Space
from neuraltree.updating.equilibrium import Motion
from neuraltree.updating.operations import Wiring
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.oracle import evaluate_recursive
from tests.helpers.study_pages import rendered

FEATURES, OUTPUTS = 4, 2
CHAIN = Wiring(np.array([2, 3, 2, 4]), np.array([0, 1, 0]), np.array([1, 2, 3]))  # output 0 reads 1 and 3, 1 reads 2


def a_tree(seed: int = 0):
    space = Space(FEATURES, OUTPUTS, ("tanh", "gaussian", "sine", "sigmoid"), "identity", 60, 5, 4)
    return random_tree(np.random.default_rng(seed), space, max_nodes=50)


def networks():
    yield from_nodes(a_tree(), FEATURES)
    yield dense(np.random.default_rng(1), (FEATURES, 5, 3, OUTPUTS), 1, 5)


def some_data(seed: int = 0, rows: int = 40) -> Data:
    rng = np.random.default_rng(seed)
    X, watch = rng.standard_normal((rows, FEATURES)), rng.standard_normal((9, FEATURES))
    targets = [np.stack([part[:, 0] - part[:, 1], np.sin(part[:, 2])]).astype(np.float32) for part in (X, watch)]
    return Data(with_ones(X), targets[0], with_ones(watch), targets[1], "squared")


# --- networks


@pytest.mark.parametrize("seed", range(3))
def test_a_tree_in_levels_has_the_values_of_the_tree(seed: int) -> None:
    nodes, X = a_tree(seed), np.random.default_rng(seed).standard_normal((6, FEATURES))
    net, weights = from_nodes(nodes, FEATURES)
    lanes = np.stack([weights, np.zeros_like(weights)])
    found = forward(net, lanes, with_ones(X)).values[0, : net.outputs].T
    np.testing.assert_allclose(found, [evaluate_recursive(nodes, row) for row in X], rtol=1e-4, atol=1e-5)
    assert net.wiring.fan_in.sum() == len(weights) - net.neurons


def test_a_dense_network_is_that_of_matrix_products() -> None:
    net, weights = dense(np.random.default_rng(1), (FEATURES, 5, 3, OUTPUTS), 1, 5)
    weights = weights + np.linspace(0, 1, len(weights), dtype=np.float32)
    leaves = np.zeros((net.neurons, FEATURES + 1))
    leaves.ravel()[net.leaf_place] = weights[: len(net.leaf_place)]
    edges = np.zeros((net.neurons, net.neurons))
    edges.ravel()[net.edge_place] = weights[len(net.leaf_place) :]
    X = np.random.default_rng(2).standard_normal((6, FEATURES))
    low = np.tanh(leaves[5:] @ with_ones(X))
    high = np.tanh(edges[2:5, 5:] @ low + leaves[2:5, -1:])
    found = forward(net, weights[None], with_ones(X)).values[0]
    np.testing.assert_allclose(found, [*(edges[:2, 2:5] @ high + leaves[:2, -1:]), *high, *low], rtol=1e-4, atol=1e-5)
    assert len(weights) == (FEATURES + 1) * 5 + 6 * 3 + 4 * OUTPUTS
    assert net.wiring.fan_in.tolist() == [3] * 2 + [5] * 3 + [FEATURES] * 5


@pytest.mark.parametrize("which", [0, 1])
def test_slopes_are_finite_differences(which: int) -> None:
    net, weights = list(networks())[which]
    inputs, targets = some_data().inputs[:, :7], some_data().targets[:, :7]
    deltas = forward(net, weights[None], inputs).values[:, : net.outputs] - targets
    found = slopes(net, forward(net, weights[None], inputs), inputs, deltas)[0]

    def losses(lanes):
        apart = forward(net, lanes, inputs).values[:, : net.outputs] - targets
        return 0.5 * np.square(apart.astype(np.float64)).sum(axis=(1, 2))

    step = 3e-3 * np.eye(len(weights), dtype=np.float32)
    differences = (losses(weights + step) - losses(weights - step)) / 6e-3
    np.testing.assert_allclose(found, differences, rtol=0.02, atol=0.02)


# --- what is frozen


def watched(velocity: list[float], rate: float = 1.0) -> Watched:
    zero = np.zeros(4)
    return Watched(Motion(zero, zero, np.array(velocity)), np.array([0, 3.0, 1, 2]), np.array([0, 1, 2, 1]), rate)


def frozen_by(method: Method, seen: Watched, share: float = 1 / 3, before: Choice | None = None) -> Choice:
    return choose(Lane("", method, share), seen, before, CHAIN, 1, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("neq", [3]), ("neq, subtrees", [3]), ("static", [2]), ("gradient", [2]), ("neq, eps .001", [])],
)
def test_a_third_of_the_hidden_neurons_is_frozen(name: str, expected: list[int]) -> None:
    """The velocities of the three hidden neurons are .2, -.3 and .1; neuron 0 is the output."""
    frozen = frozen_by(METHODS[name], watched([0.0, 0.2, -0.3, 0.1])).frozen
    assert np.flatnonzero(frozen).tolist() == expected


def test_only_whole_subtrees_are_frozen() -> None:
    seen = watched([0.0, 0.1, -0.3, 0.2])  # neuron 1 is the slowest, but 2 below it is not
    assert np.flatnonzero(frozen_by(METHODS["neq"], seen).frozen).tolist() == [1]
    assert np.flatnonzero(frozen_by(METHODS["neq, subtrees"], seen).frozen).tolist() == [3]
    assert highest_below(CHAIN, np.array([1.0, 2, 3, 0])).tolist() == [3, 3, 3, 0]


def test_random_neurons_differ_from_epoch_to_epoch() -> None:
    chance, lane = np.random.default_rng(0), Lane("", METHODS["random"], 1 / 3)
    found = [choose(lane, watched([0.0] * 4), None, CHAIN, 1, chance).frozen for _ in range(30)]
    assert {each.sum() for each in found} == {1}
    assert {int(np.flatnonzero(each)[0]) for each in found} == {1, 2, 3}


def test_a_threshold_rises_as_the_rate_falls() -> None:
    method = METHODS["scotti, by rate"]
    first = frozen_by(method, watched([0.0, 0.2, -0.3, 0.1]), share=0.5)
    assert first.eps == first.first == pytest.approx(0.2)
    assert np.flatnonzero(first.frozen).tolist() == [3]
    later = frozen_by(method, watched([0.0, 0.5, -0.3, 0.6], rate=0.5), before=first)
    assert later.eps == pytest.approx(0.4)
    assert np.flatnonzero(later.frozen).tolist() == [2]


def test_a_threshold_follows_the_mean_of_the_velocities() -> None:
    method = METHODS["scotti, by mean"]
    before = Choice(np.zeros(4, bool), 0.2, 0.9)
    found = frozen_by(method, watched([9.0, 0.3, -0.3, 0.6]), before=before)
    assert found.eps == pytest.approx(0.2 + 0.1 * (0.4 - 0.2))
    assert not found.frozen.any()


def test_the_paper_s_threshold_is_a_thousandth() -> None:
    found = frozen_by(METHODS["neq, eps .001"], watched([0.0, 0.0009, -0.0009, 0.0011]))
    assert np.flatnonzero(found.frozen).tolist() == [1, 2]


# --- the learned rate


def test_the_rate_follows_the_hyper_gradient() -> None:
    """The paper's example, f = w^2 / 2 from w = 1 at the rate .1, with kappa .1: rates .19 and .25561."""
    w, rate, gradient, found = 1.0, np.array([0.1]), np.array([[1.0]]), []
    for _ in range(2):
        w -= rate[0] * gradient[0, 0]
        now = np.array([[w]])
        rate = rate + 100 * (RULES["added"](rate, now, gradient) - rate)  # our kappa is .001
        gradient = now
        found.append(rate[0])
    assert found == pytest.approx([0.19, 0.25561])


def test_the_scaled_rule_has_no_units() -> None:
    rate, a, b = np.array([0.1, 0.2]), np.array([[1.0, 0], [1, 1]]), np.array([[2.0, 0], [-3, -3]])
    assert RULES["scaled"](rate, a, b) == pytest.approx([0.1 * 1.02, 0.2 * 0.98])
    assert RULES["scaled"](rate, 7 * a, b) == pytest.approx([0.1 * 1.02, 0.2 * 0.98])
    assert RULES["scaled"](rate, 0 * a, b) == pytest.approx(rate)
    assert RULES["added"](rate, 1e9 * a, -b) == pytest.approx([0.0, 0.2 + 6e6])


# --- the training


@pytest.mark.parametrize("which", [0, 1])
def test_the_baseline_is_gradient_descent_with_momentum(which: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masked_training, "DECAY", 0.3)  # as much as shows
    net, start = list(networks())[which]
    data, rate, epochs = some_data(), 0.02, 3
    done = train(net, start, lanes_of(["baseline"]), data, epochs=epochs, rate=rate, seed=5)
    weights, direction = start.astype(np.float64), np.zeros(len(start))
    order = np.random.default_rng([5, 0])
    for epoch in range(epochs):
        rows = order.permutation(40)
        for batch in (rows[:32], rows[32:]):
            inputs, targets = data.inputs[:, batch], data.targets[:, batch]
            passed = forward(net, weights[None].astype(np.float32), inputs)
            deltas = (passed.values[:, :OUTPUTS] - targets) / len(batch)
            direction = 0.9 * direction + slopes(net, passed, inputs, deltas)[0] + 0.3 * weights
            weights = weights - rate * (1 + np.cos(np.pi * epoch / epochs)) / 2 * direction
    np.testing.assert_allclose(done.weights[0], weights, rtol=1e-3, atol=1e-5)


def test_frozen_neurons_keep_their_weights_and_others_do_not() -> None:
    net, start = from_nodes(a_tree(), FEATURES)
    done = train(net, start, lanes_of(["baseline", "static"]), some_data(), epochs=3, rate=0.02, seed=0)
    assert (done.weights[0] != start).all()
    hidden = np.arange(net.outputs, net.neurons)
    for share, weights in zip(SHARES, done.weights[1:], strict=True):
        kept = weights == start
        for neuron in range(net.neurons):
            assert len(set(kept[net.owner == neuron])) == 1
        frozen = np.unique(net.owner[kept])
        assert len(frozen) == round(share * len(hidden))
        assert net.depth[frozen].min() >= net.depth[np.setdiff1d(hidden, frozen)].max(initial=0)


def test_a_neuron_that_is_frozen_later_loses_its_momentum() -> None:
    """The second epoch changes only the weights of the tenth of the hidden neurons that it updates, and the outputs."""
    net, start = from_nodes(a_tree(), FEATURES)
    one, two = (
        train(net, start, lanes_of(["neq, learned rate"], [0.9]), some_data(), epochs=epochs, rate=0.02, seed=0)
        for epochs in (1, 2)
    )
    changed = np.unique(net.owner[one.weights[0] != two.weights[0]])
    hidden = net.neurons - net.outputs
    assert len(changed) == net.outputs + hidden - round(0.9 * hidden)
    assert set(range(net.outputs)) <= set(changed.tolist())


def test_a_neuron_is_warmed_up_and_all_lanes_see_the_same_batches() -> None:
    net, start = from_nodes(a_tree(), FEATURES)
    lanes = [lane for lane in lanes_of(METHODS) if lane.method.score != "depth" and not lane.method.shorter]
    lanes = [lane for lane in lanes if lane.method.start == 1 and not lane.method.learned]
    done = train(net, start, lanes, some_data(), epochs=1, rate=0.02, seed=0)
    assert len(lanes) > 10
    assert (done.weights == done.weights[0]).all()


def test_a_shorter_training_is_that_of_fewer_epochs() -> None:
    net, start = from_nodes(a_tree(), FEATURES)
    whole = train(net, start, lanes_of(["shorter"], [0.5]), some_data(), epochs=4, rate=0.02, seed=0)
    half = train(net, start, lanes_of(["baseline"]), some_data(), epochs=2, rate=0.02, seed=0)
    assert (whole.weights == half.weights).all()
    assert whole.tally.saved().honest[0] == whole.tally.saved().nominal[0] == 0.5


def test_neurons_that_hardly_move_are_all_frozen_after_the_first_epoch() -> None:
    net, start = from_nodes(a_tree(), FEATURES)
    done = train(net, start, lanes_of(["neq, eps .001"]), some_data(), epochs=4, rate=1e-6, seed=0)
    edges = net.wiring.fan_in
    assert done.tally.saved().nominal == pytest.approx([0.75 * (1 - edges[: net.outputs].sum() / edges.sum())])


def test_a_motion_begins_at_a_similarity_of_one() -> None:
    net, start = from_nodes(a_tree(), FEATURES)
    lanes, data = lanes_of(["neq"], [0.5]), some_data()
    watcher = masked_training.Watcher(net, lanes, data, start[None])
    state = masked_training.State(2 * start[None], 0 * start[None], np.ones(1))
    watcher.after(state, np.ones(1), [None], np.random.default_rng(0))
    before, now = (forward(net, each[None], data.watch).values[0] for each in (start, 2 * start))
    cosines = [np.corrcoef(*pair)[0, 1] for pair in zip(before, now, strict=True)]
    np.testing.assert_allclose(watcher.motions[0].velocity, np.array(cosines) - 1, atol=1e-6)


# --- the tally


def test_operations_are_added_up_by_hand() -> None:
    """Three epochs of 10 rows in 2 steps: of the chain's hidden neurons 2 and 3 are frozen, then 1 and 2, then all."""
    lanes = [Lane("", METHODS["neq"], 0.5), Lane("", METHODS["learned rate"])]
    tally = Tally(CHAIN, lanes, watched=3)
    for frozen in ([2, 3], [1, 2], [1, 2, 3]):
        mask = np.zeros((2, 4), bool)
        mask[0, frozen] = True
        tally.add(mask, 10, 2, np.array([True, True]))
    saved = tally.saved()
    full = 11 + 11 + 3  # forward, slopes, deltas
    watching = 3 * (11 + COMPARED * 4)
    spent = 10 * (11 + 5 + 1) + 10 * (11 + 6 + 1) + 10 * (11 + 2 + 0) + 3 * watching
    assert saved.honest == pytest.approx([1 - spent / (30 * full), -3 * 2 * 3 * (11 + 4) / (30 * full)])
    # Neuron 2, of two edges, rests in the first two epochs; neurons 1 and 2, of five edges, rest in the last two.
    assert saved.kept[0] == pytest.approx(1 - (spent - 10 * 2 - 10 * 5) / (30 * full))
    assert saved.nominal == pytest.approx([(6 + 5 + 9) / 33, 0])
    assert saved.values.tolist() == [3, 0]
    assert saved.woken.tolist() == [1 / 4, 0]  # neuron 3


# --- rows and page


def test_units_are_the_tables_and_fewer_of_mnist() -> None:
    units = list(EXPERIMENT.units(10, False))
    assert len(set(units)) == len(units) == 2 * (14 * 10 + 3)
    assert sum(unit.table == MNIST for unit in units) == 6
    assert list(EXPERIMENT.units(10, True)) == [Unit("iris", TREE, 0), Unit("iris", NETWORK, 0)]
    assert EXPERIMENT.settings(units[0], False) != EXPERIMENT.settings(Unit(MNIST, TREE, 0), False)


@pytest.mark.parametrize("job", [TREE, NETWORK])
def test_a_unit_has_a_row_for_each_lane(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: table)
    rows = checked_rows(EXPERIMENT, True, Unit("iris", job, 0))
    assert [(row["method"], row["share"]) for row in rows] == [(lane.name, lane.share) for lane in lanes_of(METHODS)]
    assert {name for name, _ in ((row["method"], 0) for row in rows)} == set(METHODS)
    assert all(0 <= row["test_score"] <= 1 and row["saved_kept"] >= row["saved"] for row in rows)
    assert all(abs(row["weights"] - 60) <= 16 for row in rows)
    assert rows == checked_rows(EXPERIMENT, True, Unit("iris", job, 0))


def test_the_tree_of_pixels_has_its_weights() -> None:
    nodes = pixel_nodes(np.random.default_rng(0), 784, 10, 10_000, 20)
    net, weights = from_nodes(nodes, 784)
    assert net.neurons == 210
    assert 9_700 < len(weights) <= 10_000
    assert len(np.unique(nodes["op"][2:49])) == 47


def test_weights_that_diverged_have_the_lowest_score() -> None:
    parts = Parts(make_task("regression"), *[(np.ones((5, FEATURES)), np.arange(5.0))] * 3)
    net, weights = dense(np.random.default_rng(1), (FEATURES, 3, 2, 1), 1, 5)
    found = run.judged(net, np.stack([weights, weights * np.nan]), parts, parts.test)
    assert np.isfinite(found[0].loss)
    assert found[1] == (float("inf"), 0.0)


def made_up_rows(pixels: bool = True) -> list[dict[str, str]]:
    rng, rows = np.random.default_rng(0), []
    for table in ("iris", "friedman", *((MNIST,) if pixels else ())):
        for seed, job in np.ndindex(3, 2):
            for lane in run.lanes_for(table):
                about = {"table": table, "job": (TREE, NETWORK)[job], "seed": str(seed), "method": lane.name}
                numbers = dict.fromkeys(run.COLUMNS[2:], "") | {
                    name: repr(float(rng.random())) for name in ("val_score", "test_score", *SAVED, "woken")
                }
                rows.append(about | numbers | {"share": repr(lane.share)})
    return rows


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rows = made_up_rows()
    text = rendered(page, rows, tmp_path, "savings")
    assert "nan" not in text
    for name in METHODS:
        assert f"| {name} |" in text
    assert "## MNIST" in text
    page.render(made_up_rows(pixels=False), tmp_path)
    assert "## MNIST" not in (tmp_path / "savings.md").read_text()


def test_validation_rows_choose_the_setting_that_saves_most() -> None:
    """Of two shares of neq, one saves more but has a validation score that is too low, on one of two hold-outs."""
    rows = []
    for seed, val in (("0", 0.80), ("1", 0.80)):
        for name, share, kept, val_score, test in (
            ("baseline", "0.0", 0.0, val, 0.7),
            ("neq", "0.25", 0.2, val - 0.005, 0.71),
            ("neq", "0.9", 0.6, val - (0.02 if seed == "0" else 0.01 - 1e-9), 0.6),
        ):
            about = {"table": "iris", "job": TREE, "seed": seed, "method": name, "share": share}
            numbers = {"val_score": val_score, "test_score": test, "nominal_saved": kept, "saved": kept}
            rows.append(about | {key: str(value) for key, value in (numbers | {"saved_kept": kept}).items()})
    found = best(found_in(rows), TREE, "neq", "accuracy")
    assert found.apart == pytest.approx([0.01, -0.1])
    assert found.saved[:, 2] == pytest.approx([0.2, 0.6])
