"""Capacities: planned once from the first population, grown by doubling, never for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.engine.packing import fit_shape, layout, pack, plan, planned_bins, split
from neuraltree.tree.generate import random_tree, varied_tree
from neuraltree.tree.nodes import join, node_dtype
from neuraltree.tree.space import Space

SPACE = Space(5, 1, max_nodes=40)
SEARCHED = Space(13, 3, max_nodes=105, max_arity=64)


def trees_of(count, seed, generate=random_tree, **limits):
    rng = np.random.default_rng(seed)
    return [generate(rng, Space(5, 1, **({"max_nodes": 40} | limits))) for _ in range(count)]


def fan(hidden):
    """A tree whose output has so many hidden nodes that read one input each."""
    tree = np.zeros(1 + 2 * hidden, node_dtype())
    tree["depth"][1:], tree["op"][0] = [1, 2] * hidden, ~SPACE.output_code
    tree["op"][1:] = [~SPACE.codes[0], 0] * hidden
    return tree


@pytest.mark.parametrize("generate", [random_tree, varied_tree])
@pytest.mark.parametrize("space", [SPACE, SEARCHED], ids=["narrow", "searched"])
def test_a_like_population_fits_without_growing(generate, space):
    def drawn(seed):
        rng = np.random.default_rng(seed)
        return layout(*join([generate(rng, space) for _ in range(200)]))

    shape = plan(drawn(0), space)
    for seed in range(1, 6):
        found = drawn(seed)
        assert fit_shape(shape, found, space) is shape
        assert len(split(shape, found)) <= planned_bins(200) + 1


def test_ranks_that_no_first_tree_has_are_there_where_arity_allows_them():
    found = layout(*join(trees_of(200, 0, max_arity=3)))
    assert found.needs.shape[2] == 1 + 3
    for arity, ranks in ((3, 3), (5, 5), (7, 7), (64, 7)):
        shape = plan(found, Space(5, max_nodes=40, max_arity=arity))
        assert {len(level) for level in shape.ranks[:-1]} == {ranks}
    later = layout(*join([fan(7), *trees_of(200, 1, max_arity=3)]))
    assert fit_shape(shape, later, SPACE) is shape
    assert len(fit_shape(shape, layout(*join([fan(9)])), SPACE).ranks[0]) >= 9


def test_more_ranks_than_the_least_are_planned_where_the_first_trees_have_them():
    found = layout(*join([fan(11), *trees_of(20, 0)]))
    assert len(plan(found, Space(5, max_nodes=40, max_arity=64)).ranks[0]) == 12


def test_a_deeper_wider_tree_makes_it_grow_until_it_fits():
    shape = plan(layout(*join(trees_of(50, 0, max_nodes=8, max_depth=2))), SPACE)
    found = layout(*join([*trees_of(49, 1, max_nodes=120, max_depth=8), fan(9)]))
    with pytest.raises(ValueError, match="fit_shape"):
        split(shape, found)
    grown = fit_shape(shape, found, SPACE)
    assert len(grown.levels) > len(shape.levels)
    assert len(grown.ranks[0]) >= 9 > len(shape.ranks[0])
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
