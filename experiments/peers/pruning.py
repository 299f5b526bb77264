"""Magnitude pruning of an MLP to a path of sizes, again and again with other penalties and seeds."""

from __future__ import annotations

import itertools
import warnings
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from experiments.peers.arena import Arena, Clock, Found, Member, front
from neuraltree.arrays import FloatArray
from search.baselines.baseline_models import Sample
from search.baselines.baseline_table import MLP_PENALTIES
from search.baselines.make import Made
from search.baselines.prune import pruned_mlp

SIZES = (250, 180, 120, 90, 60, 45, 30, 20, 12, 8, 5)


class Path(NamedTuple):
    """One pruning path: by size, the error over the folds."""

    penalty: float
    seed: int
    errors: dict[int, float]


def pruned(arena: Arena) -> Found:
    """Each size is taken from the path where its error over the folds is lowest."""
    clock = Clock(arena.budget_s)
    sample = Sample(arena.X, arena.y, np.ones(len(arena.y)), arena.kind)
    paths: list[Path] = []
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # of networks that have not converged before they are cut
        for seed, penalty in (
            (seed, penalty) for seed in itertools.count(1000 * arena.seed) for penalty in MLP_PENALTIES
        ):
            if paths and not clock.running:
                break
            paths.append(Path(penalty, seed, fold_errors(arena, sample, penalty, seed)))
        search_s = clock.spent
        members = refitted(arena, sample, paths)
    return Found(members, sum(len(path.errors) for path in paths), search_s)


def fold_errors(arena: Arena, sample: Sample, penalty: float, seed: int) -> dict[int, float]:
    parts: dict[int, list[FloatArray]] = {}
    for rows, held in arena.folds:
        for size, model in pruned_mlp(sample.take(rows), penalty, seed, sizes=SIZES).items():
            parts.setdefault(size, []).append(model.outputs(arena.X[held]))
    target = arena.y[np.concatenate([held for _, held in arena.folds])]
    return {size: float(arena.errors(np.concatenate(part).T[None], target)[0]) for size, part in parts.items()}


def refitted(arena: Arena, sample: Sample, paths: list[Path]) -> list[Member]:
    """The front of sizes, each cut again from a network of all training rows."""
    sizes = list(paths[0].errors)
    best = {size: min(paths, key=lambda path, size=size: path.errors[size]) for size in sizes}  # type: ignore[misc]
    errors = np.array([best[size].errors[size] for size in sizes])
    chosen = [sizes[i] for i in front(errors, np.array(sizes))]
    whole: dict[tuple[float, int], Made] = {}
    members = []
    for size in chosen:
        key = best[size].penalty, best[size].seed
        if key not in whole:
            whole[key] = pruned_mlp(sample, *key, sizes=SIZES)
        model = whole[key][size]
        error = arena.errors(model.outputs(arena.X_test).T[None], arena.y_test)[0]
        members.append(Member(best[size].errors[size], float(error), model.weights, model.weights))
    return members
