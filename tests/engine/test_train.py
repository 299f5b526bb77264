"""What both lowerings mean by a training: epochs, limits, patience, divergence, weights of rows, and resuming."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.engine.forest import cut
from neuraltree.engine.training import Course, make_course
from neuraltree.tree.space import Space
from tests.helpers.forests import PLAIN, SPACE, Case, population, record
from tests.helpers.plain_tree import evaluate

FAST = PLAIN._replace(learning_rate=0.1)
SPLIT = {"fit_rows": range(30), "validation_rows": range(30, 60)}


def noise(trees=6, settings=FAST, seed=3, space=SPACE, weight=None) -> Case:
    """Targets of noise: in the end training can only hurt."""
    rng = np.random.default_rng(seed)
    return Case(population(trees, seed, space), rng.normal(size=(60, 4)), rng.normal(size=(60, 1)), settings, weight)


def losses_of(case: Case, params: np.ndarray, rows: slice) -> np.ndarray:
    """(trees,) mean losses by plain recursion; infinite if they are no number."""
    x, y, weight = (part[rows] for part in case.data[:3])
    with np.errstate(over="ignore", invalid="ignore"):
        each = [0.5 * ((evaluate(tree, x) - y.T) ** 2).sum(axis=0) for tree in case.trees(params)]
    found = np.array([(weight * loss).sum() / weight.sum() for loss in each])
    return np.where(np.isfinite(found), found, np.inf)


def by_epoch(engine, case: Case, epochs: int) -> np.ndarray:
    """(epochs + 1, trees) the validation losses of trees that trained exactly so long, without a look at them."""
    found = []
    for count in range(epochs + 1):
        last = case.fit(engine, epochs, fit_rows=range(30), limit=[count] * case.count).last
        found.append(losses_of(case, last, slice(30, 60)))
    return np.array(found)


def test_the_best_epoch_by_validation_is_kept(engine):
    case = noise(settings=FAST._replace(learning_rate=0.4), seed=5)
    fitted = case.fit(engine, 12, **SPLIT)
    losses = by_epoch(engine, case, 12)
    assert (fitted.best_epoch < 12).sum() > 1
    assert (fitted.best_epoch > 0).sum() > 1
    np.testing.assert_array_equal(fitted.best_epoch, losses.argmin(axis=0))
    np.testing.assert_allclose(fitted.loss, losses.min(axis=0), rtol=1e-9)
    np.testing.assert_allclose(losses_of(case, fitted.params, slice(30, 60)), fitted.loss, rtol=1e-9)
    np.testing.assert_allclose(losses_of(case, fitted.last, slice(30, 60)), losses[12], rtol=1e-9)


def test_untrained_trees_are_epoch_0(engine):
    case = noise(settings=FAST._replace(learning_rate=10.0))
    before = case.params.copy()
    fitted = case.fit(engine, 3, **SPLIT)
    never = fitted.best_epoch == 0
    assert never.any()
    np.testing.assert_allclose(fitted.loss[never], losses_of(case, before, slice(30, 60))[never], rtol=1e-9)
    untrained = case.fit(engine, 0, **SPLIT)
    np.testing.assert_array_equal(untrained.params, before)
    np.testing.assert_array_equal(untrained.last, before)
    np.testing.assert_array_equal(case.params, before)  # the argument is not written to
    assert untrained.losses.shape == (0, 6)


@pytest.mark.parametrize("patience", [1, 2])
def test_patience_stops_a_tree_once_its_best_is_that_many_epochs_old(engine, patience):
    case = noise(seed=4)
    losses = by_epoch(engine, case, 12)
    fitted = case.fit(engine, 12, patience=patience, **SPLIT)
    for tree in range(6):
        best = epoch = 0
        while epoch < 12 and epoch - best < patience:
            epoch += 1
            best = epoch if losses[epoch, tree] < losses[best, tree] else best
        assert fitted.best_epoch[tree] == best
        assert (fitted.losses[:epoch, tree] > 0).all()
        assert (fitted.losses[epoch:, tree] == 0).all()


def test_every_tree_has_its_own_limit_of_epochs(engine):
    case, limit = noise(), [0, 1, 2, 3, 4, 5]
    fitted = case.fit(engine, 5, fit_rows=range(30), limit=limit)
    assert fitted.best_epoch.tolist() == limit
    for tree, epochs in enumerate(limit):
        alone = case.fit(engine, epochs, fit_rows=range(30))
        np.testing.assert_allclose(case.trees(fitted.last)[tree]["weight"], case.trees(alone.last)[tree]["weight"])


def test_without_validation_rows_the_last_weights_are_kept(engine):
    fitted = noise().fit(engine, 4)
    np.testing.assert_array_equal(fitted.params, fitted.last)
    assert fitted.best_epoch.tolist() == [4] * 6
    assert fitted.loss.tolist() == [0.0] * 6


def test_a_tree_that_diverges_keeps_its_best(engine):
    linear = Space(4, 1, ("relu", "identity"), max_nodes=24)
    case = noise(settings=FAST._replace(learning_rate=1e60), space=linear)
    for rows in (SPLIT, {"fit_rows": range(30)}):
        fitted = case.fit(engine, 12, **rows)
        assert not np.isfinite(fitted.last).all()
        assert np.isfinite(fitted.params).all()
        assert np.isfinite(fitted.loss).all()
        assert (fitted.best_epoch < 12).any()
        for tree, epoch in enumerate(fitted.best_epoch):  # without validation rows, the latest that is finite
            again = case.fit(engine, 12, fit_rows=range(30), limit=[epoch] * 6)
            kept, last = (case.trees(params)[tree] for params in (fitted.params, again.last))
            np.testing.assert_allclose(kept["weight"], last["weight"], rtol=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_a_hopeless_tree_has_an_infinite_loss_and_harms_no_other(engine, value):
    linear = Space(4, 1, ("relu", "identity"), max_nodes=24)
    case, others = noise(space=linear), [0, 1, 3, 4, 5]
    expected = case.fit(engine, 3, **SPLIT)
    tree = slice(*case.forest.first_tree_param[2:4])
    case.params[tree.start] = value
    fitted = case.fit(engine, 3, **SPLIT)
    assert np.isinf(fitted.loss[2])
    np.testing.assert_array_equal(fitted.params[tree], case.params[tree])
    np.testing.assert_allclose(fitted.loss[others], expected.loss[others], rtol=1e-12)
    np.testing.assert_array_equal(fitted.best_epoch[others], expected.best_epoch[others])


def test_a_row_of_weight_two_counts_as_two_rows(engine):
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(12, 4)), rng.normal(size=(12, 1))
    heavy = Case(population(6), x, y, FAST, np.array([2.0] * 4 + [1.0] * 8))
    double = Case(population(6), np.vstack([x, x[:4]]), np.vstack([y, y[:4]]), FAST)
    found, expected = heavy.fit(engine, 3), double.fit(engine, 3)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-9)
    # In validation too: the rows of weight 2, alone, against the same rows twice and others once.
    found = heavy.fit(engine, 3, validation_rows=range(12)).loss
    np.testing.assert_allclose(found, double.fit(engine, 3, validation_rows=range(16)).loss, rtol=1e-9)


def part_of(course: Course, first: int, last: int) -> Course:
    steps = len(course.rates) // course.epochs
    rates = course.rates[first * steps : last * steps]
    return course._replace(order=course.order[first:last], rates=rates, epochs=last - first)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_resumed_moments_give_one_long_training(engine, optimizer):
    case = noise(settings=FAST._replace(optimizer=optimizer, learning_rate=0.01, batch_size=4, schedule="cosine"))
    course, limit = case.course(5, fit_rows=range(30)), np.full(6, 5)
    whole = engine.train(case.forest, case.settings, case.data, course, case.params, limit, losses=True)
    half = engine.train(case.forest, case.settings, case.data, part_of(course, 0, 2), case.params, limit, losses=True)
    given, rest = half.last, part_of(course, 2, 5)
    moments = [part.copy() for part in half.moments]
    again = engine.train(case.forest, case.settings, case.data, rest, given, limit, moments=moments, losses=True)
    np.testing.assert_array_equal(again.last, whole.last)
    np.testing.assert_array_equal(np.vstack([half.losses, again.losses]), whole.losses)
    for mine, kept, other in zip(again.moments, moments, half.moments, strict=True):
        np.testing.assert_array_equal(kept, other)  # the argument is not written to
        assert isinstance(mine, np.ndarray)
    forgetful = engine.train(case.forest, case.settings, case.data, rest, given, limit)
    unfit = engine.train(
        case.forest,
        case.settings,
        case.data,
        rest,
        given,
        limit,
        moments=[m[..., :-1] if m.ndim else m for m in moments],
    )
    np.testing.assert_array_equal(forgetful.last, unfit.last)
    assert np.abs(forgetful.last - whole.last).max() > 1e-5


def test_later_epochs_use_the_shuffles_again(engine):
    case = noise(settings=FAST._replace(batch_size=4))
    course = case.course(4, fit_rows=range(30))
    few, all_four = course._replace(order=course.order[:2]), course._replace(order=course.order[[0, 1, 0, 1]])
    given = case.forest, case.settings, case.data
    found, expected = (engine.train(*given, each, case.params, np.full(6, 4)) for each in (few, all_four))
    np.testing.assert_array_equal(found.last, expected.last)


def test_the_shuffles_are_permutations_that_the_seed_decides():
    rows, none = np.arange(5, 25), np.zeros(0, int)
    given = {"epochs": 3, "patience": 0}
    few = PLAIN._replace(batch_size=8)
    first, again, other = (make_course(few, rows, none, seed=seed, **given) for seed in ([1, 2], [1, 2], [1, 3]))
    np.testing.assert_array_equal(first.order, again.order)
    assert not np.array_equal(first.order, other.order)
    assert not np.array_equal(first.order[0], first.order[1])
    for order in first.order:
        np.testing.assert_array_equal(np.sort(order), rows)


def trained_in_parts(engine, case: Case, runs: list[tuple[int, int]], **course) -> list:
    planned, results = case.course(3, **course), []
    for first, last in runs:
        params = case.params[slice(*case.forest.first_tree_param[[first, last]])]
        limit = np.full(last - first, 3)
        part = case.forest.part(first, last)
        results.append(engine.train(part, case.settings, case.data, planned, params, limit, losses=True))
    return results


def check_parts(engine, case: Case, runs: list[tuple[int, int]], tolerance: float) -> None:
    whole, parts = case.fit(engine, 3, **SPLIT), trained_in_parts(engine, case, runs, **SPLIT)
    for name in ("params", "loss", "best_epoch", "last"):
        found = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_allclose(found, getattr(whole, name), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(np.hstack([part.losses for part in parts]), whole.losses, rtol=tolerance)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("parts", [2, 3, 40])
def test_the_kernel_gives_a_tree_the_same_bits_in_every_part_of_a_forest(kernel, parts, precision):
    space = Space(4, 1, NAMES, max_nodes=60)
    case = noise(40, FAST._replace(optimizer="adam", batch_size=7, precision=precision), space=space)
    check_parts(kernel, case, cut(case.forest, parts), 0.0)


def test_xla_gives_a_tree_the_same_in_every_part_of_a_forest(xla):
    check_parts(xla, noise(), [(0, 1), (1, 4), (4, 6)], 1e-9)


def test_a_call_that_is_stopped_returns_early(engine):
    case = noise()
    given = case.forest, case.settings, case.data, case.course(3), case.params, np.full(6, 3)
    fitted = engine.train(*given, stop=np.ones(1, np.int32))
    assert fitted.best_epoch.max() < 3


def test_single_floats_stay_single_floats(engine):
    case = noise(settings=FAST._replace(precision="float32"))
    fitted = case.fit(engine, 1, **SPLIT)
    assert fitted.params.dtype == fitted.last.dtype == np.float32
    assert fitted.loss.dtype == fitted.losses.dtype == np.float64
    np.testing.assert_allclose(losses_of(case, fitted.params, slice(30, 60)), fitted.loss, rtol=1e-5)


def test_padding_never_decides_what_becomes_of_a_tree(engine):
    """A tree whose sums overflow for inputs of zero, which no row has."""
    tree = record([(0, ~5, 0.0, 0.1), (1, ~3, 2.0, 1.5e308), (2, 0, -1e308, 0.0), (1, 1, 0.5, 0.0)])
    rng = np.random.default_rng(0)
    x, y = rng.uniform(1.55, 1.75, size=(19, 4)), rng.normal(size=(19, 1))
    case = Case([tree], x, y, FAST)
    for rows in ({"fit_rows": range(10), "validation_rows": range(10, 19)}, {"fit_rows": range(16)}):
        fitted = case.fit(engine, 2, **rows)
        assert np.isfinite(fitted.losses).all()
        assert np.isfinite(fitted.last).all()
        assert np.isfinite(fitted.loss).all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_validation_by_wrong_classes(engine, outputs):
    """Rows have weights, an output that is not finite is wrong, and of equal outputs the first is chosen."""
    space, rng = Space(4, outputs, ("tanh", "relu"), max_nodes=24), np.random.default_rng(0)
    x, truth, weight = rng.normal(size=(300, 4)), rng.integers(max(outputs, 2), size=300), rng.uniform(0.5, 2, size=300)
    y = truth[:, None] if outputs == 1 else np.eye(outputs)[truth]
    x[5] = 1e200
    bare = record([(0, ~NAMES.index("identity"), 0.0, 0.0)] * outputs)
    huge = record([(0, ~NAMES.index("identity"), 0.0, 0.1), (1, 0, 1e200, 0.0)] * outputs)
    case = Case([*population(4, 2, space), bare, huge], x, y.astype(float), FAST, weight)
    found = case.outputs(engine)
    chosen = found[:, 0] > 0 if outputs == 1 else found.argmax(axis=1)
    wrong = (chosen != truth) | ~np.isfinite(found).all(axis=1)
    assert wrong[5, 5]
    assert 0.1 < wrong.mean() < 0.9
    course = case.course(0, validation_rows=range(300))._replace(judge="error_rate")
    fitted = engine.train(case.forest, case.settings, case.data, course, case.params, np.zeros(6))
    np.testing.assert_allclose(fitted.loss, wrong @ weight / weight.sum(), rtol=1e-12)
    np.testing.assert_allclose(fitted.loss[4], weight[truth != 0].sum() / weight.sum(), rtol=1e-12)


def test_a_training_without_rows_changes_nothing(engine):
    case = noise()
    fitted = case.fit(engine, 2, fit_rows=range(0), validation_rows=range(20))
    np.testing.assert_array_equal(fitted.last, case.params)
    np.testing.assert_array_equal(fitted.losses, np.zeros((2, 6)))
    np.testing.assert_allclose(fitted.loss, losses_of(case, case.params, slice(0, 20)), rtol=1e-9)
