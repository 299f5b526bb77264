"""Huffman codes: read back, near the entropy, and no longer than the best prefix code."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.compress import quantize_tree
from neuraltree.compress.narrow.coded_edges import coded_edges
from neuraltree.compress.weights.huffman import code_lengths, decoded, encoded
from tests.helpers.random_models import random_model
from tests.helpers.strategies import steady

symbols = st.lists(st.integers(-9, 9), min_size=1, max_size=60)


@steady
@given(symbols)
def test_what_is_coded_is_read_back(values: list[int]) -> None:
    coded = encoded(values)
    assert decoded(coded) == values
    bits = sum(coded.lengths[value] for value in values)
    assert len(coded.data) == -(-bits // 8)
    assert coded.size == len(coded.data) + 2 * len(set(values))


@steady
@given(symbols)
def test_a_symbol_takes_less_than_a_bit_more_than_its_entropy(values: list[int]) -> None:
    counts, total = Counter(values), len(values)
    entropy = -sum(n / total * math.log2(n / total) for n in counts.values())
    mean = sum(code_lengths(values)[value] for value in values) / total
    assert entropy - 1e-9 <= mean < entropy + 1 + 1e-9


@steady
@given(st.lists(st.integers(0, 4), min_size=2, max_size=30).filter(lambda v: len(set(v)) > 1))
def test_no_prefix_code_is_shorter(values: list[int]) -> None:
    """Over all lengths that Kraft's inequality allows."""
    counts = list(Counter(values).values())
    best = min(
        sum(n * length for n, length in zip(counts, lengths, strict=True))
        for lengths in product(range(1, 5), repeat=len(counts))
        if sum(2.0**-length for length in lengths) <= 1
    )
    assert sum(code_lengths(values)[value] for value in values) == best


def test_bits_that_end_too_soon_are_refused() -> None:
    coded = encoded([1, 2, 3, 3, 3, 1, 2, 2, 1])
    with pytest.raises(ValueError, match="the bits end after 0 of 9 symbols"):
        decoded(coded._replace(data=b""))


def test_edges_are_read_back() -> None:
    tree = quantize_tree(random_model(104, "multiclass", "identity", 3), weights="int4")
    weights, gaps = map(decoded, coded_edges(tree))
    leaves = np.flatnonzero(tree.nodes["op"] >= 0)
    assert sorted(weights) == sorted(tree.numbers.weight[leaves].tolist())
    assert all(gap >= 0 for gap in gaps)
    assert len(gaps) == len(leaves)
