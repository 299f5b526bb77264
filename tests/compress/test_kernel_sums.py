"""The sums of a forest in integers: the kernel, the NumPy pass, and one integer tree at a time give the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuraltree.compress.kernel_sums
from neuraltree.activations import NAMES
from neuraltree.compress.int8.integers import quantize
from neuraltree.compress.kernel_sums import output_sums
from neuraltree.engine.kernel.binding import Kernel, Missing
from neuraltree.engine.lowering import kernel_in_use
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.space import Space
from tests.helpers.strategies import steady

FEATURES = 5


def forest(seed: int, outputs: int, count: int = 7) -> Nodes:
    rng = np.random.default_rng(seed)
    space = Space(FEATURES, outputs, NAMES, "identity", max_nodes=60, max_depth=5)
    nodes, _ = join([random_tree(rng, space) for _ in range(count)])
    nodes["weight"] *= rng.choice([0.01, 1, 30], size=(len(nodes), 1))
    return nodes


def summed_by_hand(nodes: Nodes, numbers: Any, codes: np.ndarray) -> np.ndarray:
    """(outputs, rows) by recursion over the definition in ``Integers``, with Python's own integers."""
    depth, op = nodes["depth"].tolist(), nodes["op"].tolist()

    def children(i: int) -> list[int]:
        found = []
        for j in range(i + 1, len(depth)):
            if depth[j] <= depth[i]:
                break
            found += [j] * (depth[j] == depth[i] + 1)
        return found

    def total(i: int, row: int) -> int:
        weight = numbers.weight * numbers.keep
        return int(numbers.bias[i]) + sum(int(weight[j]) * value(j, row) for j in children(i))

    def value(i: int, row: int) -> int:
        if op[i] >= 0:
            return int(codes[op[i], row])
        if NAMES[~op[i]] == "sign":
            return -127 if total(i, row) < 0 else 127
        multiplier, shift = int(numbers.multiplier[i]), int(numbers.shift[i])
        t = (total(i, row) * multiplier + 2 ** (shift - 1)) // 2**shift
        name = NAMES[~op[i]]
        if name in ("identity", "hard_tanh"):
            return max(-127, min(127, t))
        if name == "relu":
            return max(0, min(127, t))
        domain = {"sigmoid": 8.0, "tanh": 4.0, "gaussian": 3.0, "sine": np.pi}[name]
        t = (t + 128) % 256 - 128 if name == "sine" else max(-128, min(127, t))
        x = t * domain / 128
        exact = {
            "sigmoid": lambda: 1 / (1 + np.exp(-x)),
            "tanh": lambda: np.tanh(x),
            "gaussian": lambda: np.exp(-x * x),
            "sine": lambda: np.sin(x),
        }[name]()
        return round(127 * float(exact))

    tops = [i for i, level in enumerate(depth) if level == 0]
    return np.array([[total(i, row) for row in range(codes.shape[1])] for i in tops])


@steady
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from([1, 63, 64, 65, 130]))
def test_the_kernel_and_numpy_give_the_same_bits(seed: int, outputs: int, rows: int) -> None:
    nodes = forest(seed, outputs)
    codes = np.random.default_rng(seed).integers(-127, 128, (FEATURES, rows)).astype(np.int8)
    numbers = quantize(nodes, np.full(FEATURES, 3.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neuraltree.compress.kernel_sums, "kernel_in_use", lambda: Missing(""))
        by_numpy = output_sums(nodes, numbers, codes)
    np.testing.assert_array_equal(output_sums(nodes, numbers, codes), by_numpy)


@pytest.mark.parametrize("seed", range(4))
def test_they_are_the_sums_of_the_definition(seed: int) -> None:
    nodes = forest(seed, 2, count=3)
    codes = np.random.default_rng(seed).integers(-127, 128, (FEATURES, 9)).astype(np.int8)
    numbers = quantize(nodes, np.full(FEATURES, 3.0))
    unit = numbers.unit[nodes["depth"] == 0][:, None]
    np.testing.assert_array_equal(output_sums(nodes, numbers, codes), summed_by_hand(nodes, numbers, codes) * unit)


def test_a_malformed_forest_is_refused_before_it_is_read() -> None:
    if not isinstance(kernel_in_use(), Kernel):
        pytest.skip("there is no kernel")
    nodes, codes = forest(0, 1), np.zeros((FEATURES, 3), np.int8)
    numbers = quantize(nodes, np.full(FEATURES, 3.0))
    for name, place, value in (
        ("depth", 1, 3),
        ("depth", 0, -1),
        ("op", int(np.flatnonzero(nodes["op"] >= 0)[0]), FEATURES),
        ("op", 0, -99),
    ):
        bad = nodes.copy()
        bad[name][place] = value
        with pytest.raises(ValueError, match="malformed"):
            output_sums(bad, numbers, codes)
    with pytest.raises(ValueError, match="malformed"):
        output_sums(nodes, numbers._replace(shift=np.zeros_like(numbers.shift)), codes)
    leaf = np.flatnonzero(nodes["op"] >= 0)[0]
    below = nodes.copy()
    below["depth"][leaf + 1 :] = nodes["depth"][leaf] + 1  # a child of a leaf
    with pytest.raises(ValueError, match="malformed"):
        output_sums(below, numbers, codes)
