"""The experiment on sizes: its models in two layers, cuts, formats, the power law, the limits, and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.common.images import CLASSES, SIDE, Images
from experiments.frame.experiment import Unit
from experiments.frame.working import checked_rows
from experiments.growth.dense import Layers
from experiments.growth.pixels import make_pixels, scaled
from experiments.growth.skeleton import to_nodes
from experiments.studies.invariance import page, run
from experiments.studies.invariance.model_kinds import KINDS
from experiments.studies.invariance.power_law import Law, bootstrapped, fitted
from experiments.studies.invariance.run import COURSE, EXPERIMENT, FORMATS, SHARES, SIZES, TRAINED_SHARES, job
from experiments.studies.invariance.size_limits import farthest, frontier, limits, minimum_for_stability, regime
from experiments.studies.invariance.small_trees import SMALL
from experiments.studies.invariance.two_layers import in_format, judged, outputs, strongest, taylor
from neuraltree.compress.pruning.criteria import CRITERIA
from neuraltree.compress.pruning.edge_slopes import passed
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.compress.weights.weight_formats import quantized_weights
from neuraltree.tree.tree import Tree
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.study_pages import rendered

ROWS = 120
FEW = COURSE._replace(epochs=2, batch=32, rate=0.01)


@pytest.fixture(scope="module")
def pixels():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (ROWS, SIDE, SIDE)).astype(np.uint8)
    images[:, 10:] = 0  # never change
    return make_pixels(images, rng.integers(0, CLASSES, ROWS), CLASSES)


def a_model(kind: str, pixels, weights: int = 800):
    return KINDS[kind].start(pixels, FEW, weights, 2, np.random.default_rng(1))


def a_tree(pixels):
    model = a_model("tree", pixels)
    nodes = to_nodes(model.task.skeleton, model.state.mask, model.state.params)
    names = tuple(f"p{i}" for i in range(SIDE * SIDE))
    return model, Tree(nodes, "multiclass", names, tuple(range(CLASSES)), pixels.scaler)


def rows_to_score(pixels):
    return scaled(pixels.images, pixels.scaler), pixels.targets


def test_a_tree_in_two_layers_is_the_tree(pixels) -> None:
    model, tree = a_tree(pixels)
    seen, X = KINDS["tree"].seen(model), pixels.images.reshape(ROWS, -1)
    assert seen.weights == tree.num_weights == 800
    inputs, targets = rows_to_score(pixels)
    assert outputs(seen.layers, inputs)[1].argmax(axis=0).tolist() == tree.predict(X).tolist()
    found = judged(seen.layers, inputs, targets)
    assert found.error == np.mean(tree.predict(X) != targets.argmax(axis=1))
    share = tree.predict_proba(X)[np.arange(ROWS), targets.argmax(axis=1)]
    assert found.loss == pytest.approx(-np.log(share).mean(), rel=1e-4)


def test_edges_are_ranked_as_by_the_criterion_of_trees(pixels) -> None:
    model, tree = a_tree(pixels)
    seen = KINDS["tree"].seen(model)
    scores = taylor(seen.layers, *rows_to_score(pixels))[seen.kept]
    known = CRITERIA["taylor"].scores(
        passed(tree.nodes, lesson_of(tree, pixels.images.reshape(ROWS, -1), pixels.targets.argmax(axis=1)))
    )
    np.testing.assert_allclose(scores, known[tree.nodes["op"] >= 0], rtol=2e-3, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_takes_the_weakest_edges_and_they_stay_away(kind: str, pixels) -> None:
    model = a_model(kind, pixels)
    seen, scores = (
        KINDS[kind].seen(model),
        np.random.default_rng(2).random((len(KINDS[kind].seen(model).kept), SIDE**2)),
    )
    kept = strongest(seen.kept, scores, 0.7)
    assert kept.sum() == seen.edges - round(0.7 * seen.edges)
    assert scores[kept].min() > scores[seen.kept & ~kept].max()
    cut = KINDS[kind].cut(model, kept)
    *_, after = KINDS[kind].epochs(cut, FEW, np.random.default_rng(3))
    for each in map(KINDS[kind].seen, (cut, after)):
        assert (each.kept == kept).all()
        assert not each.layers.first[:, :-1][~kept].any()
    np.testing.assert_array_equal(KINDS[kind].seen(cut).layers.first[:, :-1][kept], seen.layers.first[:, :-1][kept])
    assert (KINDS[kind].seen(after).layers.first[:, :-1][kept] != seen.layers.first[:, :-1][kept]).any()
    blocks = KINDS["tree"].seen(a_model("tree", pixels)).layers.last[:, :-1] != 0
    assert blocks.sum() == 2 * CLASSES
    assert (blocks.sum(axis=0) == 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_the_loss(kind: str, pixels) -> None:
    model = a_model(kind, pixels)
    losses = [judged(KINDS[kind].seen(model).layers, *rows_to_score(pixels)).loss]
    for each in KINDS[kind].epochs(model, FEW._replace(epochs=4), np.random.default_rng(3)):
        losses.append(judged(KINDS[kind].seen(each).layers, *rows_to_score(pixels)).loss)
    assert len(losses) == 5
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", FORMATS)
def test_each_node_has_its_own_scale(name: str) -> None:
    rng = np.random.default_rng(4)
    first, kept = rng.standard_normal((3, 9)), rng.random((3, 8)) < 0.6
    first[:, :-1] *= kept
    found = in_format(Layers(first, np.ones((2, 4))), kept, name)
    for row, mask, changed in zip(first, kept, found.first, strict=True):
        np.testing.assert_allclose(changed[:-1][mask], quantized_weights(row[:-1][mask], name))
        assert not changed[:-1][~mask].any()
        assert changed[-1] == row[-1]


# --- the law


@pytest.mark.parametrize("law", [Law(0.02, 3.0, 0.6), Law(0.0, 1.5, 0.3), Law(0.1, 40.0, 1.1)])
def test_a_law_is_found_again(law: Law) -> None:
    x = np.geomspace(500, 200_000, 7)
    found = fitted(x, law(x))
    assert found.exponent == pytest.approx(law.exponent, rel=1e-3)
    assert found.floor == pytest.approx(law.floor, abs=1e-4)
    np.testing.assert_allclose(found(x), law(x), rtol=1e-3)
    with pytest.raises(ValueError, match="three sizes"):
        fitted(x[:2], law(x[:2]))


def test_the_interval_holds_the_law_of_noisy_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.studies.invariance.power_law.RESAMPLES", 40)
    law, rng = Law(0.02, 3.0, 0.6), np.random.default_rng(5)
    x = np.repeat(np.geomspace(500, 200_000, 6), 5)
    spans = bootstrapped(x, law(x) * np.exp(0.03 * rng.standard_normal(len(x))))
    for name, value in law._asdict().items():
        assert spans[name].low <= value <= spans[name].high
    exact = bootstrapped(x, law(x))["exponent"]
    assert exact.high - exact.low < 1e-3


# --- limits


def scored_row(part: str, level: str | float, error: float, cost: float = 0, loss: float = 1.0) -> dict[str, str]:
    numbers = {"train_loss": 2 - loss, "val_loss": loss, "val_error": error, "test_error": error, "cost": cost}
    return {"part": part, "level": str(level)} | {name: repr(value) for name, value in numbers.items()}


def rows_of_model(size: int, error: float) -> list[dict[str, str]]:
    """Errors fall over the epochs; a cut of a share s costs .041 s², or .02 s² with training, a format
    .002 · 2^(4 - bits)."""
    rise, last = 1 if size > 100_000 else -1, COURSE.epochs
    rows = [
        scored_row("epoch", epoch, error + 0.1 / epoch - 0.1 / last, epoch * size, 1 + 0.01 * epoch * rise)
        for epoch in range(1, last + 1)
    ]
    rows += [scored_row("cut", share, error + 0.041 * share**2) for share in SHARES]
    rows += [scored_row("trained", share, error + 0.02 * share**2) for share in TRAINED_SHARES]
    costs = zip((8, 6, 4, 3, 2, 1), FORMATS, strict=True)
    return rows + [scored_row("format", name, error + 0.002 * 2.0 ** (4 - bits)) for bits, name in costs]


def made_up_rows(seeds: int = 3) -> list[dict[str, str]]:
    """Errors fall as N^-.5 to a floor of .02; the smallest models differ by seed."""
    return [
        {"table": table, "job": job(kind, size), "seed": str(seed), "weights": str(size), "edges": str(size)} | row
        for table in ("mnist", "fashion-mnist")
        for kind in KINDS
        for size in SIZES
        for seed in range(seeds)
        for row in rows_of_model(size, 0.02 + 2 * size**-0.5 + (0.01 if size < 1000 else 0.001) * (seed - 1))
    ]


def made_up_small(seeds: int = 3) -> list[dict[str, str]]:
    return [
        {"table": table, "job": job(SMALL, 50), "seed": str(seed), "weights": "48", "edges": "40"} | row
        for table in ("iris", "wine", "mpg6")
        for seed in range(seeds)
        for row in rows_of_model(50, 0.1 + 0.01 * seed)[COURSE.epochs - 1 :]
    ]


def test_limits_of_known_errors() -> None:
    found = limits(made_up_rows(), "mnist", "tree")
    assert [each.stable for each in found.values()] == [False, False, False, True, True, True]
    assert minimum_for_stability(found) == 20_000
    assert [each.regime for each in found.values()] == ["unstable", *["learning"] * 4, "overfitting"]
    for each in found.values():
        assert each.safe["cut"] == pytest.approx((0.4, 0.041 * 0.16))
        assert each.safe["trained"] == pytest.approx((0.6, 0.0072))
        assert each.gap == pytest.approx(0.002 / 16)
        assert each.bits == pytest.approx((2, 0.008))


def test_the_minimum_is_stable_with_all_above_it() -> None:
    found = limits(made_up_rows(), "mnist", "tree")
    found[60_000] = found[60_000]._replace(stable=False)
    assert minimum_for_stability(found) == 200_000
    found[200_000] = found[200_000]._replace(stable=False)
    assert minimum_for_stability(found) is None


def test_of_one_seed_nothing_is_known() -> None:
    rows = [row for row in made_up_rows() if row["job"] != "tree_20000" or row["seed"] == "0"]
    found = limits(rows, "mnist", "tree")
    assert (found[20_000].stable, found[20_000].regime) == (None, "–")
    assert minimum_for_stability(found) == 60_000


def test_test_rows_choose_nothing() -> None:
    rows = [row | {"test_error": "0.5"} for row in made_up_rows()]
    before, after = (limits(each, "mnist", "tree") for each in (made_up_rows(), rows))
    for size, each in before.items():
        assert (each.stable, each.regime) == (after[size].stable, after[size].regime)
        assert after[size].safe["cut"] == (each.safe["cut"][0], 0.0)
        assert after[size].bits == (each.bits[0], 0.0)


def test_a_share_beyond_one_that_is_not_safe_is_not_safe() -> None:
    rows = [row for row in made_up_rows() if (row["table"], row["job"]) == ("mnist", "tree_500")]
    assert farthest(rows, "cut", ["0.05", "0.9", "0.1"]) == "0.05"
    assert farthest(rows, "cut", ["0.9"]) is None
    assert regime(rows, False) == "unstable"


def test_the_frontier_holds_what_nothing_beats() -> None:
    points = frontier(made_up_rows(), "mnist", "tree")
    costs, errors = zip(*((cost, np.mean(found)) for cost, found in points), strict=True)
    assert list(costs) == sorted(costs)
    assert list(errors) == sorted(errors, reverse=True)
    assert costs[0] == 500
    assert costs[-1] == COURSE.epochs * 200_000


# --- the study


@pytest.fixture
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    X = rng.integers(0, 256, (700, SIDE * SIDE)).astype(np.uint8)
    y = rng.integers(0, CLASSES, 700)
    monkeypatch.setattr(run, "images", lambda name: Images(X[:600], y[:600], X[600:], y[600:]))
    monkeypatch.setattr(run, "_rows", lambda quick: (400, 100, 100))


@pytest.mark.parametrize("kind", KINDS)
def test_a_unit_has_a_row_for_each_epoch_cut_and_format(kind: str, few_images: None) -> None:
    rows = checked_rows(EXPERIMENT, True, Unit("mnist", job(kind, 2_000), 0))
    parts = [row["part"] for row in rows]
    assert [parts.count(part) for part in ("epoch", "cut", "trained", "format")] == [
        2,
        len(SHARES),
        len(TRAINED_SHARES),
        len(FORMATS),
    ]
    assert rows[1]["cost"] == 2 * rows[1]["weights"] * 400
    again = checked_rows(EXPERIMENT, True, Unit("mnist", job(kind, 2_000), 0))
    assert [row["val_loss"] for row in rows] == [row["val_loss"] for row in again]


def test_rows_to_train_validate_and_test_are_apart(few_images: None) -> None:
    pixels, scored = run.prepared("mnist", np.random.default_rng(0), True)
    assert len(pixels.images) == 400
    assert [len(part[0]) for part in scored] == [100, 100, 100]
    trained = {each.tobytes() for each in pixels.images.reshape(400, -1)}
    held = np.rint(scored.validation[0] * pixels.scaler.scale + pixels.scaler.mean)
    assert not trained & {each.astype(np.uint8).tobytes() for each in held}


def test_small_trees_go_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: table)
    rows = checked_rows(EXPERIMENT, True, Unit("iris", job(SMALL, 50), 0))
    assert len(rows) == 1 + len(SHARES) + len(TRAINED_SHARES) + len(FORMATS)
    sizes = [row["edges"] for row in rows if row["part"] == "cut"]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < rows[0]["edges"]
    assert rows[0]["val_error"] < 0.6  # of three classes


def test_units_and_settings() -> None:
    units = EXPERIMENT.units(5, False)
    assert len(set(units)) == len(units)
    hashes = {str(EXPERIMENT.settings(unit, False)) for unit in units if unit.table == "mnist" and unit.seed == 0}
    assert len(hashes) >= len(SIZES)


def test_the_page_is_made_of_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.studies.invariance.power_law.RESAMPLES", 5)
    text = rendered(page, made_up_rows() + made_up_small(), tmp_path, "invariance")
    assert "| accuracy | 48 | .890 | .010 | 40 (+.66) | 60 (+.72) | +.01 | 2 (+.80) |" in text
    assert "| R² | 48 | .890 |" in text
    assert "| MNIST | ours: tree | 20,000 | 40 (+.66) | 60 (+.72) | +.01 | 2 (+.80) |" in text
    assert "| MNIST | deck: ViT | 5,000 | 20 | – | 10.66 | – |" in text
    lines = [line for line in text.splitlines() if line.startswith("| MNIST | tree | weights | 6 |")]
    assert len(lines) == 1
    assert "| .50 [" in lines[0]
