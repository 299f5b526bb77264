"""Capacities: planned once from the first population, grown by doubling, never for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.generate import random_tree
from neuraltree.packing import fit_shape, layout, pack, plan, planned_bins, split
from neuraltree.tree import Space, join

SPACE = Space(5, 1, max_nodes=40)


def trees_of(count, seed, **limits):
    rng = np.random.default_rng(seed)
    return [random_tree(rng, Space(5, 1, **({"max_nodes": 40} | limits))) for _ in range(count)]


def test_a_like_population_fits_without_growing():
    shape = plan(layout(*join(trees_of(200, 0))), SPACE)
    for seed in range(1, 6):
        found = layout(*join(trees_of(200, seed)))
        assert fit_shape(shape, found, SPACE) is shape
        assert len(split(shape, found)) <= planned_bins(200) + 1


def test_a_deeper_wider_tree_makes_it_grow_until_it_fits():
    shape = plan(layout(*join(trees_of(50, 0, max_nodes=8, max_depth=2))), SPACE)
    found = layout(*join(trees_of(50, 1, max_nodes=120, max_depth=8, max_arity=9)))
    with pytest.raises(ValueError, match="fit_shape"):
        split(shape, found)
    grown = fit_shape(shape, found, SPACE)
    assert len(grown.levels) > len(shape.levels)
    assert all(new >= old for new, old in zip(grown.levels, shape.levels, strict=False))
    assert split(grown, found)[-1][1] == 50
    assert fit_shape(grown, found, SPACE) is grown


def test_a_narrower_but_larger_population_fits_too():
    shape = plan(layout(*join(trees_of(20, 0))), SPACE)
    thin = layout(*join(trees_of(20, 1, max_nodes=120, max_arity=2)))
    assert split(fit_shape(shape, thin, SPACE), thin)[-1][1] == 20


def test_bins_are_as_many_as_the_population_asks_for():
    many = layout(*join(trees_of(3000, 1)))
    shape = fit_shape(plan(layout(*join(trees_of(300, 0))), SPACE), many, SPACE)
    assert 0 <= len(split(shape, many)) - 3000 / shape.trees <= 3
    assert [planned_bins(n) for n in (1, 63, 64, 128, 129, 10_000)] == [1, 1, 2, 2, 3, 157]


def test_repeated_inputs_need_room_of_their_own():
    nodes, starts = join(trees_of(3, 0))
    nodes = np.concatenate([nodes[:1], nodes[1:2], nodes[1:2]])
    nodes["depth"], nodes["op"] = [0, 1, 1], [~5, 2, 2]
    starts = np.array([0, 3])
    found = layout(nodes, starts)
    with pytest.raises(ValueError, match="same input"):
        pack(nodes, starts, plan(found, SPACE), found)
    (packed,) = pack(nodes, starts, plan(found, SPACE, copies=2), found)
    assert packed.column[1] != packed.column[2]
