"""The number formats of weights, against brute force, the standard library, ml_dtypes and dynamic programming."""

from __future__ import annotations

import math
import struct
from itertools import product

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.compress.weights.clusters import clusters
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS, quantized_weights, weight_format
from tests.helpers.plain_snaps import PLAIN_SNAPS
from tests.helpers.strategies import steady

numbers = st.floats(-100, 100).filter(lambda v: v == 0 or abs(v) > 1e-6)
few = st.lists(numbers, min_size=1, max_size=8)


def error(weights: list[float], found: list[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(weights, found, strict=True))


@pytest.mark.parametrize("name", PLAIN_SNAPS)
@steady
@given(weights=few)
def test_integers_times_a_scale_are_those_of_brute_force(name: str, weights: list[float]) -> None:
    integers, scale = PLAIN_SNAPS[name](weights)
    found = quantized_weights(weights, name)
    assert found == pytest.approx([scale * number for number in integers], abs=1e-12) or error(
        weights, found.tolist()
    ) == pytest.approx(error(weights, [scale * number for number in integers]))


@steady
@given(weights=st.lists(numbers, min_size=1, max_size=6))
def test_ternary_has_the_least_squared_error_of_all_patterns(weights: list[float]) -> None:
    """Over all 3^n patterns, each with its least-squares scale."""
    least = sum(v * v for v in weights)
    for pattern in product((-1, 0, 1), repeat=len(weights)):
        kept = sum(map(abs, pattern))
        inner = sum(v * sign for v, sign in zip(weights, pattern, strict=True))
        if kept and inner > 0:
            least = min(least, sum(v * v for v in weights) - inner * inner / kept)
    assert error(weights, quantized_weights(weights, "ternary").tolist()) == pytest.approx(least, abs=1e-9)


@steady
@given(weights=few, scale=st.floats(0, 200))
def test_no_scale_of_signs_is_better_than_that_of_binary(weights: list[float], scale: float) -> None:
    found = quantized_weights(weights, "binary").tolist()
    assert all(a > 0 for a, v in zip(found, weights, strict=True) if v == 0 and any(weights))
    other = [math.copysign(scale, v) if v else scale for v in weights]
    assert error(weights, found) <= error(weights, other) + 1e-9


@steady
@given(signs=st.lists(st.sampled_from((-1, 1)), min_size=1, max_size=8), size=st.floats(1e-3, 1e3))
def test_ternary_with_all_weights_kept_and_equal_is_binary(signs: list[int], size: float) -> None:
    weights = [sign * size for sign in signs]
    assert quantized_weights(weights, "ternary") == pytest.approx(quantized_weights(weights, "binary"), rel=1e-12)


@pytest.mark.parametrize("name", [name for name, row in WEIGHT_FORMATS.items() if not row.shared and name != "fp16"])
@steady
@given(weights=st.lists(numbers, min_size=1, max_size=30))
def test_a_format_keeps_the_weights_that_it_has_made(name: str, weights: list[float]) -> None:
    found = quantized_weights(weights, name)
    assert quantized_weights(found, name) == pytest.approx(found, rel=1e-9)


@steady
@given(weights=st.lists(numbers, min_size=1, max_size=300))
def test_a_format_has_no_more_values_than_its_bits_allow(weights: list[float]) -> None:
    for name, row in WEIGHT_FORMATS.items():
        assert len(set(quantized_weights(weights, name).tolist())) <= 2**row.bits


def test_fp16_is_the_nearest_half_float() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=3000) * 10.0 ** rng.uniform(-9, 4, size=3000)
    weights = np.concatenate([weights, [65504, -65504, 65519.99, 2**-14, 2**-24, 2**-25, 3 * 2**-25, 1 + 2**-11, 0]])
    expected = [struct.unpack("<e", struct.pack("<e", value))[0] for value in weights.tolist()]
    assert quantized_weights(weights, "fp16").tolist() == expected


def test_bf16_is_that_of_ml_dtypes_bit_for_bit() -> None:
    """For every upper half of a finite single float, and lower halves about the tie."""
    high = np.arange(1 << 16, dtype=np.uint32) << 16
    bits = np.concatenate([high + low for low in (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF)]).astype(np.uint32)
    singles = bits.view(np.float32)
    singles = singles[np.isfinite(singles) & (np.abs(singles) < 3.38e38)]
    expected = singles.astype(ml_dtypes.bfloat16).astype(np.float32)
    assert quantized_weights(singles, "bf16").astype(np.float32).tobytes() == expected.tobytes()


def test_floats_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"beyond fp16 \(65,504\); take bf16"):
        quantized_weights([1.0, 70_000], "fp16")
    with pytest.raises(ValueError, match="beyond bf16"):
        quantized_weights([3.4e38], "bf16")
    with pytest.raises(ValueError, match="finite"):
        quantized_weights([np.nan], "int4")
    with pytest.raises(ValueError, match="unknown format of weights 'int5'; allowed: fp16, "):
        weight_format("int5")


def least_cost(values: list[float], count: int) -> float:
    """The least squared error of ``count`` shared values, by dynamic programming over the sorted weights."""
    order = sorted(values)

    def cost(i: int, j: int) -> float:
        part = order[i:j]
        mean = sum(part) / len(part)
        return sum((v - mean) ** 2 for v in part)

    best = [0.0] + [math.inf] * len(order)
    for _ in range(count):
        best = [0.0] + [min(best[i] + cost(i, j) for i in range(j)) for j in range(1, len(order) + 1)]
    return best[-1]


@steady
@given(weights=st.lists(numbers, min_size=1, max_size=12))
def test_shared_weights_are_no_better_than_the_optimum_and_stay_where_they_are(weights: list[float]) -> None:
    values, places = clusters(np.array(weights), 4)
    found = values[places]
    assert error(weights, found.tolist()) >= least_cost(weights, 4) - 1e-6
    for value in values.tolist():  # each is the mean of the weights that are nearest to it
        mine = [v for v in weights if min(values.tolist(), key=lambda other: abs(other - v)) == value]
        assert value == pytest.approx(sum(mine) / len(mine), abs=1e-9)


def test_shared_weights_reach_the_optimum_where_weights_lie_apart() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        centres = np.array([-3.0, -1, 1, 3]) + rng.uniform(-0.2, 0.2, 4)
        weights = np.concatenate([c + rng.uniform(-0.1, 0.1, 3) for c in centres])
        found = quantized_weights(weights, "shared2")
        assert error(weights.tolist(), found.tolist()) == pytest.approx(least_cost(weights.tolist(), 4))
