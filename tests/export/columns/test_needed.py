"""A tree without the columns that it does not read predicts the same."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.export.needed import needed, reads
from tests.helpers.random_models import random_model
from tests.helpers.table_models import frame, plain_features, plain_numbers, table_models

MODELS = table_models(4)


def test_a_tree_without_columns_is_returned_as_it_is() -> None:
    tree = random_model(1)
    assert needed(tree) is tree


@pytest.mark.parametrize("i", range(len(MODELS)))
def test_predictions_are_the_same_bits(i: int) -> None:
    tree, table = MODELS[i], frame(200, i)
    small = needed(tree)
    assert small.columns is not None
    used = {tree.features[op] for op in tree.nodes["op"].tolist() if op >= 0}
    assert all(any(feature.name in used for feature in column.features) for column in small.columns)
    assert used <= set(small.features)
    own = {column.name: table[column.name] for column in small.columns}
    np.testing.assert_array_equal(small.outputs(own), tree.outputs(table), strict=True)
    np.testing.assert_array_equal(small.predict(own), tree.predict(table), strict=True)
    assert needed(small) == small


@pytest.mark.parametrize("i", range(len(MODELS)))
def test_the_features_alone_give_the_same_bits(i: int) -> None:
    tree, table = MODELS[i], frame(200, i)
    alone, read = reads(tree)
    assert alone.columns is None
    assert alone.features == tuple(each.feature.name for each in read)
    assert set(alone.nodes["op"][alone.nodes["op"] >= 0].tolist()) == set(range(len(read)))
    X = plain_features(tree, plain_numbers(tree, table))
    own = X[:, [tree.features.index(name) for name in alone.features]]
    np.testing.assert_allclose(alone.outputs(own), tree.outputs(table), rtol=1e-9, atol=1e-9)
