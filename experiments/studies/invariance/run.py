"""Convergence, maximal pruning and maximal quantisation against the number of weights.

After *Architectural Invariance* (deck *Resource Efficient AI*; arXiv 2601.17987): trees and networks of six sizes from
the pixels of MNIST and Fashion-MNIST, untouched by any pruning in training. A model is trained, and scored after each
epoch; then a share of its edges from pixels is cut at once, without and with training after it; and its edges get
fewer bits. Random trees of the papers' tables go the same way. Shares and formats are chosen by validation rows, on the
page; test rows choose nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.images import CLASSES, DIGESTS, SIDE, images
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.growth.course import Course
from experiments.growth.pixels import Floats, Pixels, make_pixels, scaled
from experiments.studies.invariance.model_kinds import KINDS, Kind
from experiments.studies.invariance.small_trees import SIZES as SMALL_SIZES
from experiments.studies.invariance.small_trees import SMALL, small_rows, small_settings
from experiments.studies.invariance.two_layers import TwoLayers, in_format, judged, strongest, taylor


class Size(NamedTuple):
    """``hidden`` nodes of each class in a tree. The ``rates`` of trees and networks had the lowest loss on the
    validation rows of MNIST with seed 1000, of .002, .006 and .02."""

    weights: int
    hidden: int
    rates: tuple[float, float]

    def rate(self, kind: str) -> float:
        return self.rates[[*KINDS].index(kind)]


SIZES = {
    size.weights: size
    for size in (
        Size(500, 4, (0.02, 0.02)),
        Size(2_000, 8, (0.02, 0.02)),
        Size(5_000, 16, (0.006, 0.02)),
        Size(20_000, 40, (0.006, 0.002)),
        Size(60_000, 60, (0.002, 0.002)),
        Size(200_000, 80, (0.002, 0.002)),
    )
}
TABLES = tuple(DIGESTS)
LARGE, LARGE_SEEDS = 60_000, 3  # models from this size on have no more seeds, as they take most of the time
ROWS, VALIDATION, LEARNED_ROWS = 20_000, 5_000, 5_000  # training rows, validation rows, training rows that are scored
SCORED_ROWS = 2_048  # training rows by which edges are ranked
COURSE = Course(epochs=12, dense=False, exchange=0.0, until=0.0, rounds=1, shift=0)
AFTER = COURSE._replace(epochs=3, rate=0.002)  # the training after a cut
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TRAINED_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95)
FORMATS = ("int8", "int6", "int4", "int3", "ternary", "binary")
COLUMNS = ("part", "level", "cost", "weights", "edges", "train_loss", "val_loss", "val_error", "test_error")


def job(kind: str, weights: int) -> str:
    return f"{kind}_{weights}"


def units(seeds: int, quick: bool) -> list[Unit]:
    tables, sizes = (TABLES[:1], [*SIZES][:1]) if quick else (TABLES, [*SIZES])
    named = paper_tables.TABLES[:1] if quick else paper_tables.TABLES
    pixels = [
        Unit(table, job(kind, weights), seed)
        for seed in range(seeds)
        for weights in sizes
        if seed < LARGE_SEEDS or weights < LARGE
        for kind in KINDS
        for table in tables
    ]
    return pixels + [
        Unit(table, job(SMALL, size), seed) for seed in range(seeds) for size in SMALL_SIZES for table in named
    ]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    if unit.table not in DIGESTS:
        return small_settings(unit, [SHARES, TRAINED_SHARES], FORMATS)
    kind, size = model_of(unit)
    return {
        "data": DIGESTS[unit.table],
        "rows": _rows(quick),
        "scored": SCORED_ROWS,
        "weights": [size.weights, size.hidden],
        "course": course_of(kind, size, quick)._asdict(),
        "after": AFTER._asdict(),
        "shares": [SHARES, TRAINED_SHARES],
        "formats": FORMATS,
    }


def model_of(unit: Unit) -> tuple[str, Size]:
    """The kind and the size of a unit's model."""
    kind, _, weights = unit.job.partition("_")
    return kind, SIZES[int(weights)]


def course_of(kind: str, size: Size, quick: bool) -> Course:
    return COURSE._replace(epochs=2 if quick else COURSE.epochs, rate=size.rate(kind))


def _rows(quick: bool) -> tuple[int, int, int]:
    """Training, validation and scored training rows."""
    return (1_000, 500, 500) if quick else (ROWS, VALIDATION, LEARNED_ROWS)


class Scored(NamedTuple):
    """Scaled inputs (rows, features) and one-hot targets (rows, classes) that score a model."""

    train: tuple[Floats, Floats]
    validation: tuple[Floats, Floats]
    test: tuple[Floats, Floats]

    def row(self, part: str, level: str | float, model: TwoLayers, cost: int = 0) -> Row:
        found = [judged(model.layers, *rows) for rows in self]
        train, validation, test = found
        return {
            "part": part,
            "level": level,
            "cost": cost,
            "weights": model.weights,
            "edges": model.edges,
            "train_loss": train.loss,
            "val_loss": validation.loss,
            "val_error": validation.error,
            "test_error": test.error,
        }


def run(unit: Unit, quick: bool) -> list[Row]:
    if unit.table not in DIGESTS:
        return [*small_rows(unit, SHARES, TRAINED_SHARES, FORMATS)]
    split, fit = (np.random.default_rng([unit.seed, part]) for part in range(2))
    pixels, scored = prepared(unit.table, split, quick)
    kind, size = model_of(unit)
    return [*rows_of(KINDS[kind], size, course_of(kind, size, quick), pixels, scored, fit)]


def prepared(table: str, rng: np.random.Generator, quick: bool) -> tuple[Pixels, Scored]:
    """The training rows as pixels, and all rows that score; the scaler knows the training rows alone."""
    found, (most, validation, learned) = images(table), _rows(quick)
    order = rng.permutation(len(found.X))
    held, chosen = order[:validation], order[validation : validation + most]
    pixels = make_pixels(found.X[chosen].reshape(-1, SIDE, SIDE), found.y[chosen], CLASSES)

    def rows(X: NDArray, y: NDArray) -> tuple[Floats, Floats]:
        return scaled(X, pixels.scaler), np.eye(CLASSES, dtype=np.float32)[y]

    tested = rows(found.test_X, found.test_y)
    return pixels, Scored(
        rows(found.X[chosen[:learned]], found.y[chosen[:learned]]), rows(found.X[held], found.y[held]), tested
    )


def rows_of(
    kind: Kind, size: Size, course: Course, pixels: Pixels, scored: Scored, rng: np.random.Generator
) -> Iterator[Row]:
    """The model after each epoch, its cuts, its cuts after further training, and the model in each format."""
    model = kind.start(pixels, course, size.weights, size.hidden, rng)
    for done, trained in enumerate(kind.epochs(model, course, rng), start=1):
        model, seen = trained, kind.seen(trained)
        yield scored.row("epoch", done, seen, done * seen.weights * len(pixels.images))
    sample = scaled(pixels.images[:SCORED_ROWS], pixels.scaler), pixels.targets[:SCORED_ROWS]
    scores = taylor(seen.layers, *sample)
    for share in SHARES:
        yield scored.row("cut", share, kind.seen(kind.cut(model, strongest(seen.kept, scores, share))))
    for share in TRAINED_SHARES:
        cut = kind.cut(model, strongest(seen.kept, scores, share))
        *_, cut = kind.epochs(cut, AFTER, deepcopy(rng))
        yield scored.row("trained", share, kind.seen(cut))
    for name in FORMATS:
        yield scored.row("format", name, seen._replace(layers=in_format(seen.layers, seen.kept, name)))


EXPERIMENT = Experiment(
    "studies/invariance",
    "convergence, safe pruning and number formats against the number of weights",
    5,
    COLUMNS,
    units,
    run,
    settings,
)
