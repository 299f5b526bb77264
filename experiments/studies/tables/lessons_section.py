"""The effect of the teachers: trees and pruned networks with and without them, at equal weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.statistics import interval, summary
from experiments.rendering.scores import KINDS, Entry, Scored, Scores
from experiments.rendering.text import NONE, right, signed, whole
from experiments.studies.tables.equal_weights import within
from experiments.studies.tables.lessons import COURSE
from experiments.studies.tables.protocols import spread
from experiments.studies.tables.rows import BUDGETS
from search.teachers.teaching import LAST_EPOCHS

FREE = ("evolved", "evolved_alone", "teachers")
SIZED = ("evolved", "pruned_taught", "pruned_mlp")
EPOCHS = sum(epochs for epochs, _ in COURSE)

Blocks = Sequence[Sequence[tuple[str, int]]]  # for each hold-out its tables, each with the seed


def section(scores: Scores) -> str | None:
    """None if no table has both the trees and their teachers."""
    parts = [part for title, tables in KINDS if (part := _kind(scores, title, tables))]
    if not parts:
        return None
    about = (
        "Means over the tables ± sd over the hold-outs that all models here have. The pruned MLPs with teachers learn "
        f"from the data of the trees' last refit, for {EPOCHS} epochs and as many again after each cut; a tree has "
        f"{LAST_EPOCHS}. The pruned MLPs without teachers are the baseline, whose penalty the folds choose. "
        "Difference: the evolved tree's score minus the model's, with the bootstrap's 95 % interval over the "
        "hold-outs, which share rows."
    )
    return "\n\n".join(["## The effect of the teachers", about, *parts])


def _kind(scores: Scores, title: str, tables: Sequence[str]) -> str | None:
    free = [model for model in FREE if all(table in scores.get(Entry(model), {}) for table in tables)]
    if not {"evolved", "teachers"} <= set(free):
        return None
    sets = [set(scores[Entry(model)][table]) for model in free for table in tables]
    blocks = [[(table, seed) for table in tables] for seed in sorted(set.intersection(*sets))]
    if not blocks:
        return None
    lines = [_line(scores, Entry(model), blocks) for model in free]
    lines += [_line(scores, Entry(model, budget), blocks) for budget in BUDGETS for model in SIZED]
    header = ("model", "score", "weights", "difference", "95 % interval")
    return f"### {title}, {len(blocks)} hold-outs\n\n{right(header, lines)}"


def _line(scores: Scores, entry: Entry, blocks: Blocks) -> list[str]:
    """Dashes if some table has no model that small."""
    found, mine = (_found(scores, one, blocks) for one in (entry, Entry("evolved", entry.budget)))
    if found is None:
        return [entry.label, *[NONE] * 4]
    compared = [NONE, NONE]
    if mine is not None and entry.model != "evolved":
        apart = mine.scores - found.scores
        low, high = interval(apart)
        compared = [signed(float(apart.mean())), f"{signed(low)} to {signed(high)}"]
    return [entry.label, spread(summary(found.scores)), whole(found.weights), *compared]


class Found(NamedTuple):
    """Scores by hold-out, each the mean over the tables, and the mean of the weights."""

    scores: NDArray[np.float64]
    weights: float


def _found(scores: Scores, entry: Entry, blocks: Blocks) -> Found | None:
    found = [[_one(scores, entry, *block) for block in line] for line in blocks]
    there = [[one for one in line if one is not None] for line in found]
    if any(len(line) < len(blocks[0]) for line in there):
        return None
    means = np.array([[np.mean(values) for values in zip(*line, strict=True)] for line in there])
    return Found(means[:, 0], float(means[:, 1].mean()))


def _one(scores: Scores, entry: Entry, table: str, seed: int) -> Scored | None:
    if entry.budget is None:
        return scores[entry][table][seed]
    return within(scores, entry.model, entry.budget, table, seed)
