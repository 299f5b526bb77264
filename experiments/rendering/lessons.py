"""What the teachers bring: trees and pruned networks with them and without, at equal weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.rendering.equal_weights import score_within
from experiments.rendering.protocols import spread
from experiments.rendering.scores import KINDS, LABELS, Entry, Scores, mean_weights
from experiments.rendering.text import NONE, right, signed, whole
from experiments.rows import BUDGETS
from experiments.statistics import interval, summary

FREE = ("evolved", "evolved_alone", "teachers")
SIZED = ("evolved", "pruned_taught", "pruned_mlp")


def section(scores: Scores) -> str | None:
    """None where no table has pupils besides the trees."""
    parts = [part for title, tables in KINDS if (part := _kind(scores, title, tables))]
    if not parts:
        return None
    about = (
        "Means over the tables ± sd over the hold-outs that all models here have. The pruned MLPs with teachers learn, "
        "for as many epochs, the lesson of the trees' last refit; those without are the baseline. Difference: of the "
        "evolved tree from the model, with the bootstrap's 95 % interval over the hold-outs."
    )
    return "\n\n".join(["## What the teachers bring", about, *parts])


def _kind(scores: Scores, title: str, tables: Sequence[str]) -> str | None:
    free = [model for model in FREE if all(table in scores.get(Entry(model), {}) for table in tables)]
    seeds = _common_seeds(scores, free, tables)
    if "teachers" not in free or not seeds:
        return None
    lines = [_line(LABELS[model], scores, model, None, tables, seeds) for model in free]
    lines += [
        _line(f"{LABELS[model]}, ≤ {budget} weights", scores, model, budget, tables, seeds)
        for budget in BUDGETS
        for model in SIZED
    ]
    header = ("model", "score", "weights", "difference", "95 % interval")
    return f"### {title}, {len(seeds)} hold-outs\n\n{right(header, lines)}"


def _common_seeds(scores: Scores, models: Sequence[str], tables: Sequence[str]) -> list[int]:
    sets = [set(scores[Entry(model)][table]) for model in models for table in tables]
    return sorted(set.intersection(*sets)) if sets else []


def _line(
    label: str, scores: Scores, model: str, budget: int | None, tables: Sequence[str], seeds: Sequence[int]
) -> list[str]:
    found = _means(scores, model, budget, tables, seeds)
    if np.isnan(found).any():
        return [label, *[NONE] * 4]
    weights = mean_weights(scores[Entry(model, budget)], tables) if Entry(model, budget) in scores else None
    apart = _means(scores, "evolved", budget, tables, seeds) - found
    compared = [NONE, NONE]
    if model != "evolved" and not np.isnan(apart).any():
        low, high = interval(apart)
        compared = [signed(float(apart.mean())), f"{signed(low)} to {signed(high)}"]
    return [label, spread(summary(found)), whole(weights), *compared]


def _means(scores: Scores, model: str, budget: int | None, tables: Sequence[str], seeds: Sequence[int]) -> np.ndarray:
    """By seed, over the tables; NaN where a table has no model so small."""

    def one(table: str, seed: int) -> float:
        if budget is None:
            return scores[Entry(model)][table][seed].score
        return score_within(scores, model, budget, table, seed)

    return np.array([np.mean([one(table, seed) for table in tables]) for seed in seeds])
