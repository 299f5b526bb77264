"""Learned learning rates: the sources' example, a plain recursion, bounds, and what a tree's rate may depend on."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.engine.forest import cut
from neuraltree.engine.optimizers import OPTIMIZERS
from tests.engine.test_train import FAST, noise, part_of
from tests.helpers.forests import MANY, PLAIN, Case, population, record
from tests.helpers.learned_rate_oracle import RULES, train

pytestmark = pytest.mark.usefixtures("quick_compiler")
IDENTITY = ~NAMES.index("identity")
HALVES = {"fit_rows": range(30), "validation_rows": range(30, 60)}


def test_there_is_an_oracle_for_every_learned_rate():
    assert RULES.keys() == {name for name, row in OPTIMIZERS.items() if row.learned}


def test_the_example_of_the_sources(engine):
    """f = w^2 / 2 from w = 1: a node without inputs whose bias is w, and a target of 0."""
    settings = PLAIN._replace(optimizer="learned_sgd", learning_rate=0.1)
    case = Case([record([(0, IDENTITY, 0.0, 1.0)])], np.zeros((1, 1)), np.zeros((1, 1)), settings)
    wanted = ((0.9, 0.1), (0.729, 0.19), (0.54266, 0.25561))
    for epochs, (weight, rate) in enumerate(wanted, start=1):
        found = case.fit(engine, epochs)
        (tree,) = case.trees(found.last)
        assert tree["bias"][0, 0] == pytest.approx(weight, abs=5e-6)
        assert found.moments[-1][0, 0] == pytest.approx(rate, abs=5e-6)


@pytest.mark.parametrize(("schedule", "l1"), [("constant", 0.0), ("cosine", 0.4)])
@pytest.mark.parametrize("name", RULES)
def test_every_tree_follows_the_plain_recursion(engine, name, schedule, l1):
    """Trees of three outputs, over batches of which the last is smaller; one tree ends after an epoch."""
    rng = np.random.default_rng(4)
    settings = PLAIN._replace(optimizer=name, learning_rate=0.02, schedule=schedule, batch_size=5)
    trees, limit = population(3, seed=7, space=MANY), [2, 1, 2]
    case = Case(trees, rng.normal(size=(14, 4)), rng.normal(size=(14, 3)), settings, rng.uniform(0.5, 2, size=14))
    found = case.fit(engine, 2, limit=limit, l1=[l1] * 3)
    learned = found.moments[-1]
    assert learned.shape == (3, 3)
    for tree, mine, state, epochs in zip(trees, case.trees(found.last), learned, limit, strict=True):
        wanted = train(name, tree, case, case.course(2), epochs, l1)
        np.testing.assert_allclose(mine["weight"][:, 0], wanted.weight, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(mine["bias"][:, 0], wanted.bias, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(state, wanted.state, rtol=1e-8, atol=1e-12)
        assert len(set(wanted.rates)) > 1
    assert len(set(learned[:, 0])) == 3


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_the_kernel_gives_a_tree_the_same_bits_in_every_part_of_a_forest(kernel, name, precision):
    """So results depend neither on threads nor on the other trees."""
    case = noise(20, FAST._replace(optimizer=name, batch_size=7, precision=precision))
    whole, course = case.fit(kernel, 3, **HALVES), case.course(3, **HALVES)
    ends, parts = case.forest.first_tree_param, []
    for first, last in cut(case.forest, 7):
        start = np.ascontiguousarray(case.params[ends[first] : ends[last]])
        given = case.forest.part(first, last), case.settings, case.data, course, start, np.full(last - first, 3)
        parts.append(kernel.train(*given))
    assert len(parts) > 3
    np.testing.assert_array_equal(np.concatenate([part.last for part in parts]), whole.last)
    np.testing.assert_array_equal(np.concatenate([part.moments[-1] for part in parts]), whole.moments[-1])


@pytest.mark.parametrize("name", RULES)
def test_both_lowerings_agree(kernel, xla, name):
    case = noise(settings=FAST._replace(optimizer=name, batch_size=7, schedule="cosine"))
    found, other = (case.fit(engine, 3, patience=1, **HALVES) for engine in (kernel, xla))
    np.testing.assert_allclose(found.last, other.last, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(found.moments[-1], other.moments[-1], rtol=1e-7, atol=1e-10)
    np.testing.assert_array_equal(found.best_epoch, other.best_epoch)


@pytest.mark.parametrize("name", RULES)
def test_resumed_moments_give_one_long_training(engine, name):
    case = noise(settings=FAST._replace(optimizer=name, learning_rate=0.01, batch_size=4, schedule="cosine"))
    course, limit = case.course(4, fit_rows=range(30)), np.full(6, 4)
    given = case.forest, case.settings, case.data
    whole = engine.train(*given, course, case.params, limit)
    half = engine.train(*given, part_of(course, 0, 2), case.params, limit)
    again = engine.train(*given, part_of(course, 2, 4), half.last, limit, moments=half.moments)
    np.testing.assert_array_equal(again.last, whole.last)
    np.testing.assert_array_equal(again.moments[-1], whole.moments[-1])
    others = [part[:-1] if part.ndim == 2 else part for part in half.moments]  # of a tree less
    forgetful = engine.train(*given, part_of(course, 2, 4), half.last, limit, moments=others)
    afresh = engine.train(*given, part_of(course, 2, 4), half.last, limit)
    np.testing.assert_array_equal(forgetful.last, afresh.last)
    assert np.abs(afresh.last - whole.last).max() > 1e-5


@pytest.mark.parametrize("start", [1e-12, 1e6])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_rates_stay_positive_and_finite(engine, name, precision, start):
    """Even those of trees that diverge: two trees have weights that are no numbers, or too large."""
    case = noise(settings=FAST._replace(optimizer=name, learning_rate=start, batch_size=4, precision=precision))
    first = case.forest.first_tree_param
    case.params[first[1]], case.params[first[3]] = np.nan, 1e30
    found = case.fit(engine, 6, **HALVES).moments[-1]
    assert np.isfinite(found[:, :2]).all()
    assert (found[:, :2] >= 1e-9 * (1 - 1e-6)).all()
    assert (found[:, :2] <= 1e3).all()


def test_a_rate_that_is_far_too_small_is_mended(engine):
    """A step can double a rate, so ten steps make it a thousand times as large."""
    slow, learned = (
        noise(settings=FAST._replace(optimizer=name, learning_rate=1e-6)).fit(engine, 40).losses
        for name in ("sgd", "learned_sgd")
    )
    assert (slow[-1] > 0.999 * slow[0]).all()
    assert (learned[-1] < 0.99 * learned[0]).all()
