"""Statistics of the weights of trees, by size and success.

After *Learnable Parameters* (deck *Resource Efficient AI*; arXiv 2408.11720): the deck says that the weights of failed,
suboptimal and successful models are alike, the paper that those of failed ones vary. Random trees that nothing has
pruned are trained on standardised inputs; thirds by validation loss are the three groups. Also: how far weights are
from where they end, and whether an output with many hidden nodes is normal at birth. Test rows are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from experiments.common import paper_tables
from experiments.common.images import DIGESTS
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.learned_rate.populations import Population
from experiments.studies.weights.trained_trees import Course, Trained, of_images, of_table, trained
from experiments.studies.weights.weight_statistics import (
    apart,
    by_chance,
    chance_normal,
    distance,
    mean_shape,
    normal_p,
    shape,
    shuffled,
    standardised,
    transport,
)
from experiments.studies.weights.wide_sums import sums

TABLES = ("australian", "vehicle", "glass", "friedman", "mpg6", "mnist")
POPULATION, BIRTH = "population", "birth"
GROUPS = ("successful", "suboptimal", "failed")
SIZES = (50, 150, 500)  # weights, about
PIXEL_SIZES = {500: 4, 2_000: 8, 8_000: 20}  # hidden nodes of each class
PIXEL_ROWS = (5_000, 2_000)  # to fit, and for validation
TREES, PIXEL_TREES = 90, 30
COURSE, PIXEL_COURSE = Course(20, 10, 0.01, 64), Course(10, 2, 0.006, 64)
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)  # of the training, at which weights are compared with the last
WIDTHS, DRAWS = (1, 10, 100, 1_000, 10_000), 500
COLUMNS = (
    *("part", "size", "group", "level", "trees", "weights", "val_loss", "mean", "sd", "skewness", "kurtosis"),
    *(
        "ks_normal",
        "ks_chance",
        "apart",
        "apart_chance",
        "ks_best",
        "ks_best_chance",
        "transport_best",
        "ks_shape",
        "left",
        "p",
    ),
)
EMPTY: Row = dict.fromkeys(COLUMNS)


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = ("glass", "mnist") if quick else TABLES
    found = [Unit(table, POPULATION, seed) for seed in range(seeds) for table in tables]
    return [*found, Unit("none", BIRTH, 0)]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    if unit.job == BIRTH:
        return {"widths": _widths(quick), "draws": DRAWS}
    pixels = unit.table in DIGESTS
    return {
        "data": (DIGESTS if pixels else paper_tables.DIGESTS)[unit.table],
        "sizes": [*_sizes(unit.table, quick)],
        "hidden": [*PIXEL_SIZES.values()] if pixels else None,
        "rows": PIXEL_ROWS if pixels else None,
        "trees": _trees(unit.table, quick),
        "course": _course(unit.table, quick)._asdict(),
        "shares": SHARES,
    }


def _sizes(table: str, quick: bool) -> tuple[int, ...]:
    sizes = (*PIXEL_SIZES,) if table in DIGESTS else SIZES
    return sizes[:2] if quick else sizes


def _trees(table: str, quick: bool) -> int:
    return 6 if quick else PIXEL_TREES if table in DIGESTS else TREES


def _course(table: str, quick: bool) -> Course:
    course = PIXEL_COURSE if table in DIGESTS else COURSE
    return course._replace(epochs=1, stretches=5) if quick else course


def _widths(quick: bool) -> tuple[int, ...]:
    return WIDTHS[:3] if quick else WIDTHS


def run(unit: Unit, quick: bool) -> list[Row]:
    if unit.job == BIRTH:
        return [EMPTY | row for row in birth_rows(_widths(quick))]
    course, trees = _course(unit.table, quick), _trees(unit.table, quick)
    rng, rows, best = np.random.default_rng([unit.seed, 1]), [], {}
    for size in _sizes(unit.table, quick):
        found = trained(_population(unit, trees, size), course)
        groups = grouped(found)
        weights = found.weights()
        best[size] = np.concatenate([weights[tree] for tree in groups[GROUPS[0]]])
        rows += [row | {"size": size} for row in (*group_rows(found, groups, rng), *path_rows(found, groups))]
    return [EMPTY | row for row in (*rows, *size_rows(best, rng))]


def _population(unit: Unit, trees: int, size: int) -> Population:
    if unit.table in DIGESTS:
        return of_images(unit.table, unit.seed, trees, size, PIXEL_SIZES[size], PIXEL_ROWS)
    return of_table(unit.table, unit.seed, trees, size)


def grouped(found: Trained) -> dict[str, list[int]]:
    """Thirds of the trees by validation loss, the lowest first; trees that diverged have no weights to look at."""
    order = np.argsort(found.loss, kind="stable")
    thirds = np.array_split(order[np.isfinite(found.loss[order])], len(GROUPS))
    return {name: third.tolist() for name, third in zip(GROUPS, thirds, strict=True)}


def group_rows(found: Trained, groups: Mapping[str, list[int]], rng: np.random.Generator) -> Iterator[Row]:
    """Of each group at the end, and of all trees at birth."""
    weights, born = found.weights(), found.weights(0)
    best = np.concatenate([weights[tree] for tree in groups[GROUPS[0]]])
    alive = [weights[tree] for third in groups.values() for tree in third]
    chance = by_chance(alive, len(groups), rng)
    yield {"part": "birth", "trees": len(born), "weights": _count(born)} | mean_shape(born)._asdict() | _chance(born)
    for name, trees in groups.items():
        mine = [weights[tree] for tree in trees]
        pooled = np.concatenate(mine)
        yield {
            "part": "group",
            "group": name,
            "trees": len(mine),
            "weights": _count(mine),
            "val_loss": float(found.loss[trees].mean()),
            **mean_shape(mine)._asdict(),
            **_chance(mine),
            "apart": apart(mine, rng),
            "apart_chance": apart(shuffled(mine, rng), rng),
            "ks_best": distance(pooled, best),
            "ks_best_chance": chance,
            "transport_best": transport(pooled, best),
            "ks_shape": distance(standardised(pooled), standardised(best)),
        }


def _count(models: list[Any]) -> float:
    return float(np.mean([len(each) for each in models]))


def _chance(models: list[Any]) -> Row:
    return {"ks_chance": chance_normal(round(_count(models)))}


def path_rows(found: Trained, groups: Mapping[str, list[int]]) -> Iterator[Row]:
    """The distance of a tree's parameters from the last ones, beside that at birth: medians of each group."""
    first = found.forest.first_tree_param[:-1]
    last = found.path[-1].astype(np.float64)
    moved = [np.add.reduceat(np.square(each - last), first) for each in found.path]
    stretches = len(found.path) - 1
    for name, trees in groups.items():
        for share in SHARES:
            left = np.sqrt(moved[round(share * stretches)][trees] / moved[0][trees])
            yield {"part": "path", "group": name, "level": share, "trees": len(trees), "left": float(np.median(left))}


def size_rows(best: Mapping[int, Any], rng: np.random.Generator) -> Iterator[Row]:
    """The successful trees of each size beside those of the next, as they are and with equal moments."""
    for first, second in pairwise(best):
        a, b = best[first], best[second]
        yield {
            "part": "sizes",
            "size": first,
            "level": second,
            "ks_best": distance(a, b),
            "transport_best": transport(a, b),
            "ks_shape": distance(standardised(a), standardised(b)),
            "ks_best_chance": distance(*shuffled([a, b], rng)),
        }


def birth_rows(widths: tuple[int, ...]) -> Iterator[Row]:
    """The sum of an output over random weights."""
    for width in widths:
        found = sums(width, DRAWS, 0)
        row = {"part": "wide", "size": width, "trees": DRAWS, "p": normal_p(found)}
        yield row | shape(found)._asdict() | _chance([found])


EXPERIMENT = Experiment(
    "studies/weights",
    "statistics of the weights of failed, suboptimal and successful trees, by size",
    5,
    COLUMNS,
    units,
    run,
    settings,
)
