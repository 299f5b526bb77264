"""A cascade is its small tree where that is sure and its large one elsewhere; its limit is the smallest allowed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.compress import IntegerTree, quantize_tree
from neuraltree.compress.exits.cascade import (
    Cascade,
    Held,
    answers,
    cascade_out_of_fold,
    fit_cascade,
    logit_of_score,
    macs,
)
from neuraltree.tree.tree import Tree
from tests.helpers.integer_oracle import IntegerOracle
from tests.helpers.random_models import IDENTITY, TANH, random_model, raw_inputs, record
from tests.helpers.strategies import steady

KINDS = {"binary": 1, "multiclass": 3}


def pair(kind: str, seed: int, threshold: float = 0.5) -> tuple[Tree, Tree]:
    """A small tree and a larger one of four inputs."""
    rng = np.random.default_rng(seed)
    outputs = KINDS[kind]
    made = []
    for hidden in (0, 3):
        rows: list[tuple[int, int, float, float]] = []
        for _ in range(outputs):
            rows += [(0, IDENTITY, 0.0, rng.normal()), *((1, i, rng.normal(), 0.0) for i in range(2))]
            for _ in range(hidden):
                rows += [(1, TANH, rng.normal(), 0.1), *((2, i, rng.normal(), 0.0) for i in range(4))]
        names = tuple(f"class {i}" for i in range(max(outputs, 2)))
        of = threshold if kind == "binary" else 0.5
        made.append(Tree(record(rows), kind, ("x0", "x1", "x2", "x3"), names, threshold=of))
    return made[0], made[1]


def plain_answer(oracle: IntegerOracle, q: list[int], threshold: int) -> tuple[int, int]:
    """The class and its margin, from the plain recursion."""
    scores = [int(score) for score in oracle.scores(q)]
    if len(scores) == 1:
        over = scores[0] > threshold
        return int(over), scores[0] - threshold if over else threshold + 1 - scores[0]
    best = max(range(len(scores)), key=lambda k: (scores[k], -k))
    return best, scores[best] - max(score for k, score in enumerate(scores) if k != best)


@settings(steady, max_examples=30)
@given(st.sampled_from(list(KINDS)), st.integers(0, 10_000), st.sampled_from([0.5, 0.2]), st.integers(0, 30_000))
def test_each_row_has_the_answer_of_the_tree_that_is_asked(kind: str, seed: int, threshold: float, least: int) -> None:
    trees = pair(kind, seed, threshold)
    small, large = map(quantize_tree, trees)
    of_small, of_large = map(IntegerOracle, trees)
    cascade = Cascade(small, large, least)
    X = raw_inputs(trees[0], 20, seed)
    asked, found = cascade.passed(X), cascade.predict_q(cascade.quantize(X))
    labels = cascade.predict(X)
    for i, row in enumerate(X.astype(float).tolist()):
        code, margin = plain_answer(of_small, of_small.quantize(row), small.score_threshold)
        assert asked[i] == (margin < least)
        assert found[i] == (of_large.predict_q(of_large.quantize(row)) if margin < least else code)
        assert labels[i] == f"class {found[i]}"
    edges = [sum(node.depth > 0 and node.keep for node in oracle.nodes) for oracle in (of_small, of_large)]
    assert cascade.mean_macs(X) == pytest.approx(edges[0] + asked.mean() * edges[1])


@settings(steady, max_examples=40)
@given(st.sampled_from(list(KINDS)), st.integers(0, 10_000), st.sampled_from([0.0, 0.05, 0.3]))
def test_the_limit_is_the_smallest_that_is_accurate_enough(kind: str, seed: int, max_loss: float) -> None:
    """Against every limit that could matter."""
    small, large = map(quantize_tree, pair(kind, seed))
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 4))
    y = np.where(rng.random(40) < 0.8, large.predict_q(large.quantize(X)), 0)

    alone = (large.predict_q(large.quantize(X)) == y).tolist()

    def lowest(least: int) -> float:
        """How much more rows than the large tree gets the cascade right, less one standard error."""
        cascade = Cascade(small, large, least)
        found = (cascade.predict_q(cascade.quantize(X)) == y).tolist()
        steps = [a - b for a, b in zip(found, alone, strict=True)]
        return sum(steps) - sum(step**2 for step in steps) ** 0.5

    margins = answers(small, small.quantize(X))[1].tolist()
    limits = sorted({0, *(m + 1 for m in margins)})
    wanted = next(limit for limit in limits if lowest(limit) >= -40 * max_loss - 1e-9)
    assert fit_cascade(small, large, X, y, max_loss=max_loss).least == wanted
    held = Held(*answers(small, small.quantize(X)), large.predict_q(large.quantize(X)))
    logits = held._replace(margins=held.margins * logit_of_score(small) * (1 + 1e-9))
    assert cascade_out_of_fold(small, large, logits, y, max_loss=max_loss).least == wanted


def test_what_is_no_cascade() -> None:
    trees: list[IntegerTree] = [quantize_tree(tree) for tree in (*pair("binary", 0), pair("multiclass", 0)[0])]
    for other in (trees[2], quantize_tree(random_model(0))):
        with pytest.raises(ValueError, match="same classes"):
            Cascade(trees[0], other, 1)
    X = np.zeros((0, 4))
    with pytest.raises(ValueError, match="there are none"):
        fit_cascade(trees[0], trees[1], X, [])
    with pytest.raises(ValueError, match="share of the rows"):
        fit_cascade(trees[0], trees[1], np.zeros((1, 4)), [0], max_loss=2)
    assert macs(trees[0]) == 2
