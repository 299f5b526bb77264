"""Fuzzy nodes against golden values, plain enumeration, another library and differences."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.fuzzy.karnik_mendel import least_mean_corner
from neuraltree.fuzzy.memberships import MEMBERSHIPS
from neuraltree.fuzzy.rule_nodes import backward, forward
from neuraltree.fuzzy.rule_params import Block, drawn, limits, num_params, parts
from tests.helpers.plain_fuzzy import plain_ends, plain_node

CENTRE, WIDTH = ((0.2, 0.8), (0.3, 0.7)), ((0.5, 0.4), (0.5, 0.3))
COEFFICIENT = ((0.1, 0.2, 0.3), (0.4, -0.5, 0.6), (-0.7, 0.8, 0.9), (1, -1.1, 0.2))
BLUR, SPREAD = ((0.2, 0.1), (0.3, 0.2)), tuple((s, s, s) for s in (0.05, 0.1, 0.02, 0.08))
INPUT = (0.3, 0.6)


def block_of(fuzzy_type: int) -> Block:
    own = (CENTRE, WIDTH, BLUR, COEFFICIENT, SPREAD)
    found = [np.array([part], dtype=float) for part in own]
    return Block(*found) if fuzzy_type == 2 else Block(found[0], found[1], None, found[3], None)


def plain(block: Block) -> dict[str, list]:
    return {name: part[0].tolist() for name, part in block._asdict().items() if part is not None}


@pytest.mark.parametrize(
    ("membership", "fuzzy_type", "golden"),
    [("bell", 1, 0.4834464226), ("gaussian", 1, 0.4750067622), ("gaussian", 2, 0.4863801776)],
)
def test_golden_outputs(membership: str, fuzzy_type: int, golden: float) -> None:
    found, _ = forward(block_of(fuzzy_type), membership, np.array([INPUT])[..., None])
    assert found[0, 0] == pytest.approx(golden, abs=1e-9)
    assert plain_node(plain(block_of(fuzzy_type)), membership, INPUT) == pytest.approx(golden, abs=1e-9)


def test_golden_ends_of_type_2() -> None:
    _, passed = forward(block_of(2), "gaussian", np.array([INPUT])[..., None])
    ends = [float((corner.share * corner.value).sum()) for corner in passed.corners]
    assert ends == pytest.approx([0.3131040738, 0.6596562818], abs=1e-9)
    assert plain_ends(plain(block_of(2)), "gaussian", INPUT) == pytest.approx(ends, abs=1e-10)


@pytest.mark.parametrize(("inputs", "fuzzy_type", "count"), [(2, 1, 20), (3, 1, 44), (4, 1, 96), (2, 2, 36)])
def test_numbers_of_parameters(inputs: int, fuzzy_type: int, count: int) -> None:
    assert num_params(inputs, fuzzy_type) == count == len(limits(inputs, fuzzy_type)[0])


def random_block(rng: np.random.Generator, nodes: int, inputs: int, fuzzy_type: int) -> Block:
    low, high = limits(inputs, fuzzy_type)
    return parts(rng.uniform(low, high, (nodes, len(low))), inputs, fuzzy_type)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    inputs=st.integers(1, 3),
    fuzzy_type=st.sampled_from([1, 2]),
    membership=st.sampled_from(["bell", "gaussian"]),
)
def test_nodes_equal_plain_enumeration(seed: int, inputs: int, fuzzy_type: int, membership: str) -> None:
    rng = np.random.default_rng(seed)
    block, x = random_block(rng, 1, inputs, fuzzy_type), rng.uniform(-1, 2, (1, inputs, 1))
    found, _ = forward(block, membership, x)
    assert found[0, 0] == pytest.approx(plain_node(plain(block), membership, x[0, :, 0].tolist()), abs=1e-10)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rules=st.integers(1, 9), ties=st.booleans())
def test_karnik_mendel_finds_the_least_of_all_corners(seed: int, rules: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(1e-6, 1, (1, rules, 1))
    high = low + rng.uniform(0, 1, low.shape)
    value = rng.integers(-2, 3, low.shape).astype(float) if ties else rng.normal(size=low.shape)
    taken = least_mean_corner(low, high, value)
    weight = np.where(taken, high, low)
    least = min(
        np.average(value[0, :, 0], weights=corner) for corner in product(*zip(low[0, :, 0], high[0, :, 0], strict=True))
    )
    assert (weight * value).sum() / weight.sum() == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize("membership", MEMBERSHIPS)
def test_type_2_without_intervals_is_type_1(membership: str) -> None:
    rng = np.random.default_rng(0)
    one = random_block(rng, 5, 3, 1)
    two = Block(one.centre, one.width, np.zeros_like(one.centre), one.coefficient, np.zeros_like(one.coefficient))
    x = rng.normal(size=(5, 3, 20))
    np.testing.assert_allclose(forward(two, membership, x)[0], forward(one, membership, x)[0], atol=1e-12)


def test_memberships_are_those_of_scikit_fuzzy() -> None:
    skfuzzy = pytest.importorskip("skfuzzy")
    x = np.linspace(-2, 3, 101)
    gaussian = np.exp(MEMBERSHIPS["gaussian"].log_value((x - 0.3) / 0.4))
    np.testing.assert_allclose(gaussian, skfuzzy.gaussmf(x, 0.3, 0.4), rtol=1e-12)
    bell = np.exp(MEMBERSHIPS["bell"].log_value((x - 0.3) / 0.4))
    np.testing.assert_allclose(bell, skfuzzy.gbellmf(x, 0.4, 1, 0.3), rtol=1e-12)


@pytest.mark.parametrize("fuzzy_type", [1, 2])
@pytest.mark.parametrize("membership", MEMBERSHIPS)
def test_inputs_far_from_every_set_have_finite_outputs_and_gradients(membership: str, fuzzy_type: int) -> None:
    block = random_block(np.random.default_rng(0), 2, 2, fuzzy_type)
    gradient = parts(np.empty((2, num_params(2, fuzzy_type))), 2, fuzzy_type)
    found, passed = forward(block, membership, np.full((2, 2, 3), 1e6))
    by_input = backward(passed, np.ones((2, 3)), gradient)
    assert np.isfinite(found).all()
    assert np.isfinite(by_input).all()
    assert all(np.isfinite(part).all() for part in gradient if part is not None)


@pytest.mark.parametrize("fuzzy_type", [1, 2])
@pytest.mark.parametrize("membership", MEMBERSHIPS)
@pytest.mark.parametrize("inputs", [1, 3])
def test_gradients_equal_differences(inputs: int, membership: str, fuzzy_type: int) -> None:
    rng, size = np.random.default_rng(inputs), num_params(inputs, fuzzy_type)
    rows = np.array([drawn(rng, inputs, fuzzy_type) for _ in range(2)])
    x, slope = rng.uniform(-0.5, 1.5, (2, inputs, 7)), rng.normal(size=(2, 7))
    gradient = np.empty((2, size))

    def loss(rows: np.ndarray, x: np.ndarray) -> np.ndarray:
        found, _ = forward(parts(rows, inputs, fuzzy_type), membership, x)
        return (slope * found).sum(axis=1)

    _, passed = forward(parts(rows, inputs, fuzzy_type), membership, x)
    by_input = backward(passed, slope, parts(gradient, inputs, fuzzy_type))
    step = 1e-6
    for i in range(size):
        ahead, behind = rows.copy(), rows.copy()
        ahead[:, i] += step
        behind[:, i] -= step
        np.testing.assert_allclose(gradient[:, i], (loss(ahead, x) - loss(behind, x)) / (2 * step), atol=1e-7)
    for i, row in product(range(inputs), range(7)):
        ahead, behind = x.copy(), x.copy()
        ahead[:, i, row] += step
        behind[:, i, row] -= step
        np.testing.assert_allclose(
            by_input[:, i, row], (loss(rows, ahead) - loss(rows, behind)) / (2 * step), atol=1e-7
        )
