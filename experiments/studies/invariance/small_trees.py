"""Random trees of tens to hundreds of weights on the papers' tables: cut and rounded as the trees from pixels are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.holdout import TEST_FRACTION, holdout
from experiments.common.scoring import score
from experiments.frame.experiment import Row, Unit
from experiments.studies.learned_rate.populations import FOLDS
from experiments.studies.pruning.run import FIRST_EPOCHS, FIRST_RATE, grown
from neuraltree.compress import with_weight_format
from neuraltree.compress.pruning.criteria import CRITERIA
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.compress.pruning.path import EPOCHS, cut_once
from neuraltree.compress.pruning.retraining import retrained
from neuraltree.tree.tree import Tree
from search.table.splits import make_folds

SMALL = "small"
SIZES = (50, 150, 500)  # weights, about


def small_settings(unit: Unit, shares: Any, formats: Any) -> dict[str, Any]:
    return {
        "data": paper_tables.DIGESTS[unit.table],
        "fraction": [TEST_FRACTION, FOLDS],
        "weights": int(unit.job.partition("_")[2]),
        "first": [FIRST_EPOCHS, FIRST_RATE],
        "after": EPOCHS,
        "shares": shares,
        "formats": formats,
    }


def small_rows(
    unit: Unit, shares: tuple[float, ...], trained_shares: tuple[float, ...], formats: tuple[str, ...]
) -> Iterator[Row]:
    """The whole tree, its cuts, its cuts after further training, and the tree in each format. Errors are 1 - accuracy,
    or 1 - R²; a share is that of the nodes, all cut at once by the Taylor criterion."""
    table, rng = paper_tables.table(unit.table), np.random.default_rng([unit.seed, 3])
    train, test = holdout(table, unit.seed)
    fit, held = make_folds(table, train, FOLDS, unit.seed)[0]
    tree = grown(table, fit, unit.seed, int(unit.job.partition("_")[2]))
    lesson = lesson_of(tree, table.X[fit], table.labels[fit])

    def row(part: str, level: str | float, model: Tree) -> Row:
        def error(rows: NDArray[np.int64]) -> float:
            return 1 - score(model.kind, table.labels[rows], model.predict(table.X[rows]))

        sizes = {"cost": None, "weights": model.num_weights, "edges": int(np.count_nonzero(model.nodes["depth"]))}
        losses = {"train_loss": None, "val_loss": None}
        return {"part": part, "level": level} | sizes | losses | {"val_error": error(held), "test_error": error(test)}

    def cut(share: float) -> Tree:
        size = round((1 - share) * tree.num_nodes)
        return replace(tree, nodes=cut_once(tree.nodes, [lesson.sample()], CRITERIA["taylor"], size))

    yield row("epoch", FIRST_EPOCHS, tree)
    for share in shares:
        yield row("cut", share, cut(share))
    for share in trained_shares:
        model = cut(share)
        yield row("trained", share, replace(model, nodes=retrained(model.nodes, lesson, EPOCHS, rng)))
    for name in formats:
        yield row("format", name, with_weight_format(tree, name))
