"""Trees of one structure that were trained in different ways, each for the same number of further epochs.

After the sources: a tree that learns changed rows by soft labels of a guide that learned clean rows (DYNAT), by their
hard labels, and one that learns clean rows alone; and trees whose weights are rounded while they learn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from experiments.studies.robustness.conditions import Rows
from neuraltree.compress.int8.finetune import finetune
from neuraltree.compress.node_values import forward, scaled_rows
from neuraltree.compress.pruning.lesson import Lesson, lesson_of
from neuraltree.compress.pruning.path import prune
from neuraltree.compress.pruning.retraining import retrained
from neuraltree.robustness import pgd
from neuraltree.tasks.losses import LOSSES
from neuraltree.tree.tree import Tree

ROUNDS, EPOCHS, QUICK_EPOCHS = 5, 6, 1  # of attacks, each followed by so many epochs
RADIUS, STEPS, RATE = 0.2, 5, 0.01
CUT = 0.5  # of the nodes
PLAIN, LONGER = "plain", "longer"
HARD, SOFT, ROUNDED = "attacked, hard labels", "attacked, soft labels", ("rounded to int8", "rounded to int4")
PRUNED = "half pruned"

Variant = Callable[[Tree, Rows, int, int], Tree]  # of a trained tree, its training rows, epochs of a round, and a seed


def longer(tree: Tree, rows: Rows, epochs: int, seed: int) -> Tree:
    """Trained further on clean rows."""
    lesson, rng = lesson_of(tree, rows.X, rows.y), np.random.default_rng([seed, 4])
    return replace(tree, nodes=retrained(tree.nodes, lesson, ROUNDS * epochs, rng, rate=RATE))


def attacked(soft: bool) -> Variant:
    """Trained further on rows and on what ``pgd`` makes of them anew in each round.

    ``soft``: the labels of all are what the tree before expects on the clean rows, else those of the rows.
    """

    def train(tree: Tree, rows: Rows, epochs: int, seed: int) -> Tree:
        clean, rng, now = lesson_of(tree, rows.X, rows.y), np.random.default_rng([seed, 5]), tree
        targets = _expected(tree, clean) if soft else clean.targets
        for _ in range(ROUNDS):
            moved = scaled_rows(now, pgd(now, rows.X, rows.y, RADIUS, steps=STEPS, rng=rng))
            both = Lesson(
                np.concatenate([clean.inputs, moved]),
                np.concatenate([targets, targets]),
                np.ones(2 * len(moved)),
                clean.loss,
            )
            # Half of the epochs: each has twice the rows.
            now = replace(now, nodes=retrained(now.nodes, both, max(1, epochs // 2), rng, rate=RATE))
        return now

    return train


def rounded(weights: str) -> Variant:
    """Trained further as the integers of a format, whose rounding is noise to the weights; returned in floats."""

    def train(tree: Tree, rows: Rows, epochs: int, seed: int) -> Tree:
        targets = lesson_of(tree, rows.X, rows.y).targets
        found = finetune(
            [tree], rows.X, epochs=ROUNDS * epochs, learning_rate=RATE, seed=seed, targets=targets, weights=weights
        )
        return found[0]

    return train


def pruned(tree: Tree, rows: Rows, epochs: int, seed: int) -> Tree:
    """Half of the nodes cut by ``taylor``, then trained further."""
    return prune(tree, rows.X, rows.y, CUT, criterion="taylor", epochs=ROUNDS * epochs, learning_rate=RATE, seed=seed)


VARIANTS: dict[str, Variant] = {
    PLAIN: lambda tree, rows, epochs, seed: tree,
    LONGER: longer,
    HARD: attacked(soft=False),
    SOFT: attacked(soft=True),
    **{name: rounded(name.split()[-1]) for name in ROUNDED},
    PRUNED: pruned,
}


def _expected(tree: Tree, lesson: Lesson) -> np.ndarray:
    """(rows, outputs) the probabilities or values that a tree expects."""
    outputs = forward(tree.nodes, lesson.inputs).values[tree.nodes["depth"] == 0]
    return LOSSES[lesson.loss].expected(outputs).T
