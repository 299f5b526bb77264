"""Parts, features and filters are the same integers in NumPy and in C, whatever the samples are."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.window_parts import Sides, part_of
from neuraltree.tree.nodes import IntArray
from tests.helpers import signal_program

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
LENGTHS = ((8, 8), (8, 1), (13, 13), (64, 16), (100, 25), (128, 64), (300, 100), (1024, 256), (1024, 1024))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signal_program.compiled(tmp_path_factory.mktemp("signals"))


def windows(n: int, rng: np.random.Generator) -> IntArray:
    """(windows, n + 1): extreme ones and random ones of several sizes, the sample before each first."""
    i = np.arange(n + 1)
    top = 32767
    made = [
        *(np.full(n + 1, v) for v in (0, 1, -1, top, -top)),
        *(np.where(i % 2, -v, v) for v in (1, top)),
        np.where(i % 4 < 2, -top, top),
        np.where(i < n // 2, -top, top),
        np.where(i < n - 1, -top, top),
        np.where(i == n // 3, top, 0),
        np.where(i == n // 3, 1, 0),
        np.linspace(-top, top, n + 1).astype(int),
        np.linspace(top, 0, n + 1).astype(int),
        np.round(top * np.sin(2 * np.pi * 3 * i / n)).astype(int),
        *(np.where(rng.random(n + 1) < 0.5, -top, top) for _ in range(3)),
        *(rng.integers(-size, size + 1, n + 1) for size in (1, 3, 50, 1000, 20000, top)),
        *(np.clip(np.cumsum(rng.normal(0, size, n + 1)), -top, top).astype(int) for size in (0.3, 20, 3000)),
    ]
    return np.array(made, dtype=np.int64)


@pytest.mark.parametrize(("n", "hop"), LENGTHS)
def test_parts_and_features_are_the_same_in_c(program: Path, n: int, hop: int) -> None:
    x = windows(n, np.random.default_rng(n))
    y = np.roll(x, 5, axis=0)
    sides = Sides.of((x[:, 1:], y[:, 1:]), (x[:, 0], y[:, 0]))
    counted = signal_program.counted_parts()
    asked = [(i, p) for i, one in enumerate(FEATURES.values()) for p in parameters(one.name, n)]
    requests = [
        [
            *(signal_program.WINDOW, n, hop, x[w, 0], y[w, 0], *(part.values(n) for part in counted)),
            *(*x[w, 1:], *y[w, 1:], len(asked), *np.ravel(asked)),
        ]
        for w in range(len(x))
    ]
    found = signal_program.answers(program, requests).reshape(len(x), -1)
    rows = list(FEATURES.values())
    columns = [(part.name, part_of(sides, part.name).reshape(len(x), -1)) for part in counted]
    for i, p in asked:
        parts = {name: part_of(sides, name) for name in rows[i].reads}
        columns.append((f"{rows[i].name}:{p}", rows[i].integer(parts, n, p)[:, None]))
    names = [name for name, values in columns for _ in range(values.shape[1])]
    expected = np.concatenate([values for _, values in columns], axis=1)
    wrong = np.argwhere(found != expected)
    assert [(names[j], int(w), int(found[w, j]), int(expected[w, j])) for w, j in wrong[:5]] == []


def parameters(name: str, n: int) -> list[int]:
    """Those with which a feature is tried, and the bounds."""
    row = FEATURES[name]
    return sorted({*row.parameters(n, 50.0), *row.allowed(n)})


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_the_same_in_c(program: Path, name: str) -> None:
    one, rng = FILTERS[name], np.random.default_rng(0)
    signals = [*windows(300, rng), worst_input(name), (np.arange(9000) % 3 == 0).astype(int)]
    requests, expected = [], []
    for x in signals:
        for constants in designs(name):
            if one.axes:
                axes = np.column_stack([x, np.roll(x, 3), -x])
                requests.append([signal_program.AXES, order(name), len(x), 3, *axes.ravel()])
                expected.append(one.integer(axes, constants))
            else:
                requests.append([signal_program.FILTER, order(name), len(x), len(constants), *constants, *x])
                expected.append(one.integer(x, constants))
    np.testing.assert_array_equal(signal_program.answers(program, requests), np.concatenate(expected))


def order(name: str) -> int:
    return list(FILTERS).index(name)


def designs(name: str) -> list[tuple[int, ...]]:
    """The constants of several cut-offs, bounds among them; and some that round ties most often, and sum them up."""
    one = FILTERS[name]
    found = {one.design(p, rate) for rate in (0.5, 50.0, 16000.0) for p in (*one.parameters(rate), *one.allowed(rate))}
    return sorted({*found, (1 << 9, -(1 << 22), 0)} if any(found) else found)


def worst_input(name: str) -> IntArray:
    """Samples of full size whose signs make the last output of a filter with the lowest cut-off as large as can be."""
    one = FILTERS[name]
    if one.axes:
        return np.full(2000, 32767)
    impulse = np.zeros(2001, dtype=np.int64)
    impulse[1] = 32767
    response = one.integer(impulse, one.design(one.allowed(50.0)[0], 50.0))
    return np.where(response[::-1] < 0, -32767, 32767)
