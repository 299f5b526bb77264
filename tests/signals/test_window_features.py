"""Every row of the tables of features and filters against floating point, within the rounding of its scale."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.front_end.window_parts import cut, part_of
from neuraltree.tree.nodes import IntArray
from tests.helpers import plain_features

LENGTHS = (16, 100, 128, 1000)
# Beyond a rounding to the next integer: what a feature may be off by, of its value; and in its integers.
TOLERANCES = {
    "skewness": (0.001, 4),
    "kurtosis": (0.001, 3),
    "mobility": (0.0001, 0),
    "complexity": (0.0001, 0),
    "band": (0.001, 4),
    "centroid": (0.0003, 4),
    "tone": (0.001, 30),  # angles are rounded
}


def signals(n: int) -> dict[str, tuple[IntArray, IntArray]]:
    """Of n + 50 samples, and another stream that goes with each."""
    rng, i = np.random.default_rng(n), np.arange(n + 50)
    noise, other = rng.normal(0, 3000, (2, len(i)))
    made = {
        "noise on a level": (9000 + noise, other + 0.5 * noise),
        "two tones": (8000 * np.sin(0.41 * i) + 2000 * np.cos(1.7 * i), noise - 5000 * np.sin(0.41 * i)),
        "a walk": (np.cumsum(noise / 5), np.cumsum(other / 5)),
        "shocks": (rng.standard_t(2, len(i)) * 800, other),
        "a ramp": (20 * i - 9000 + noise / 50, noise + 40 * i),
        "skew": (rng.exponential(2000, len(i)), np.abs(noise)),
        "small": (rng.integers(-40, 41, len(i)), other / 100),
    }
    return {
        name: (np.clip(x, -32767, 32767).astype(int), np.clip(y, -32767, 32767).astype(int))
        for name, (x, y) in made.items()
    }


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_is_what_its_definition_says(name: str) -> None:
    one = FEATURES[name]
    relative, absolute = TOLERANCES.get(name, (0, 0))
    for n in LENGTHS:
        ends = np.array([n, n + 1, n + 50])
        for label, (x, y) in signals(n).items():
            windows = cut((x, y) if one.pair else (x,), ends, n)
            for p in sorted({*one.parameters(n, 50.0), *one.allowed(n)}):
                found = np.clip(one.integer({key: part_of(windows, key) for key in one.reads}, n, p), -32767, 32767)
                plain = np.array([oracle(name, x, y, n, end, p) for end in ends])
                expected = np.clip(plain * one.scale, -32767, 32767)
                wrong = np.abs(found - expected) > relative * np.abs(expected) + absolute + 1 + 1e-6
                assert not wrong.any(), (label, n, p, found, expected)


def oracle(name: str, x: IntArray, y: IntArray, n: int, end: int, p: int) -> float:
    start = end - n
    return plain_features.FEATURES[name](
        x[start:end].astype(float), x[max(start - 1, 0) : end].astype(float), y[start:end].astype(float), p
    )


@pytest.mark.parametrize(
    "name", ["min", "max", "range", "zero_crossings", "mean_crossings", "percentile", "mad", "peak"]
)
def test_what_is_no_ratio_is_exact(name: str) -> None:
    one, n = FEATURES[name], 100
    for label, (x, y) in signals(n).items():
        windows = cut((x,), np.array([n + 7]), n)
        for p in one.parameters(n, 50.0):
            found = one.integer({key: part_of(windows, key) for key in one.reads}, n, p)
            expected = oracle(name, x, y, n, n + 7, p) * one.scale
            if name != "peak" or label == "two tones":
                assert found.tolist() == [expected], (label, p)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_what_its_definition_says(name: str) -> None:
    one = FILTERS[name]
    for rate_hz in (50.0, 16000.0):
        lowest = one.allowed(rate_hz)[0]
        for p in {*one.parameters(rate_hz), *one.allowed(rate_hz)}:
            for label, (x, y) in signals(3000).items():
                samples = np.column_stack([x, y]) if one.axes else x
                found = one.integer(samples, one.design(p, rate_hz))
                expected = plain_features.FILTERS[name](samples.astype(float), p, rate_hz)
                assert np.abs(found - expected).max() <= 1 + 3e-3 * np.abs(x).max() * (p == lowest > 0), label


@pytest.mark.parametrize("level", [-32767, -3, 0, 1, 12345])
def test_a_constant_passes_the_low_pass_and_not_the_high_pass_from_the_first_sample_on(level: int) -> None:
    x = np.full(500, level)
    for rate_hz in (0.5, 50.0, 48000.0):
        for name, wanted in (("low", level), ("high", 0)):
            one = FILTERS[name]
            for p in (*one.parameters(rate_hz), *one.allowed(rate_hz)):
                assert set(one.integer(x, one.design(p, rate_hz)).tolist()) == {wanted}


def test_features_of_filtered_streams_and_pairs_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(0)
    samples = rng.integers(-3000, 3000, (400, 3)).astype(np.int16)
    names = (
        "az.low:2000.mean@64",
        "a.norm.delta.mean_abs@32",
        "ax~ay.correlation@64",
        "ax~az.high:9000.correlation@96",
    )
    front = FrontEnd(("ax", "ay", "az"), 50.0, 16, names, {"a": ("ax", "ay", "az")})
    found = front.values(samples)
    ends = front.ends(len(samples))
    assert ends.tolist() == list(range(96, 401, 16))
    low = plain_features.FILTERS["low"](samples[:, 2].astype(float), 2000, 50.0)
    steps = np.abs(np.diff(np.linalg.norm(samples.astype(float), axis=1)))
    high = [plain_features.FILTERS["high"](samples[:, i].astype(float), 9000, 50.0) for i in (0, 2)]
    expected = [
        [
            low[end - 64 : end].mean(),
            steps[end - 33 : end - 1].mean(),
            np.corrcoef(samples[end - 64 : end, 0], samples[end - 64 : end, 1])[0, 1] * 8192,
            np.corrcoef(high[0][end - 96 : end], high[1][end - 96 : end])[0, 1] * 8192,
        ]
        for end in ends
    ]
    assert np.abs(found - np.array(expected)).max(axis=0).tolist() <= [5, 2, 4, 20]


def test_values_do_not_depend_on_what_else_is_asked_nor_on_the_number_of_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = np.random.default_rng(1).integers(-3000, 3000, (900, 2)).astype(np.int16)
    names = ("a.sd@32", "b.percentile:90@64", "a~b.correlation@32", "b.high:5000.rms@64", "a.band:2@64")
    together = FrontEnd(("a", "b"), 50.0, 32, names)
    alone = [FrontEnd(("a", "b"), 50.0, 32, (name,)).values(samples, together.ends(900))[:, 0] for name in names]
    np.testing.assert_array_equal(together.values(samples), np.column_stack(alone))
    monkeypatch.setattr("neuraltree.signals.front_end.front_end.CHUNK", 200)
    np.testing.assert_array_equal(together.values(samples), np.column_stack(alone))
