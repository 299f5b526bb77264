"""The limits of a size: whether it is stable, how much of it can be cut, and how few bits its edges need.

The sources name these limits and do not define them; the definitions are ours. All are decided by validation rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.rendering.searches import ResultRows, of
from experiments.rendering.text import NONE
from experiments.studies.invariance.run import COURSE, FORMATS, SHARES, SIZES, TRAINED_SHARES, job
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS

SPREAD, WITHIN, LOSES = 0.005, 0.02, 0.01  # shares of the rows: half a point, two points, one point
ROUNDING = 1e-9  # errors are counts of rows, so that a loss may be just the limit
CUTS: dict[str, Sequence[float]] = {"cut": SHARES, "trained": TRAINED_SHARES[1:]}  # by part


class Limits(NamedTuple):
    """Of one size: means over seeds. Shares and bits are the most that is safe, and ``None`` if nothing is; each comes
    with what it costs on test rows, in shares of the rows."""

    weights: float
    seeds: int
    val_error: float
    val_sd: float
    test_error: float
    stable: bool | None  # of one seed nothing is known
    regime: str
    safe: dict[str, tuple[float, float] | None]  # by part of ``CUTS``
    gap: float
    bits: tuple[int, float] | None


Run = tuple[str, int]  # table and seed


def values(rows: ResultRows, part: str, level: str, column: str) -> dict[Run, float]:
    """By run. ``rows`` are those of one job."""
    mine = [row for row in rows if (row["part"], row["level"]) == (part, level)]
    return {(row["table"], int(row["seed"])): float(row[column]) for row in mine}


def whole(rows: ResultRows, column: str, epoch: int | None = None) -> dict[Run, float]:
    """By run, of the model before any cut, after its last epoch by default."""
    last = max(int(row["level"]) for row in rows if row["part"] == "epoch")
    return values(rows, "epoch", str(epoch or last), column)


def lost(rows: ResultRows, part: str, level: str, column: str) -> float:
    """What the mean error rises by from the whole model to this cut or format."""
    found, before = values(rows, part, level, column), whole(rows, column)
    return float(np.mean([found[run] - before[run] for run in found]))


def farthest(rows: ResultRows, part: str, levels: Sequence[str]) -> str | None:
    """The last of the levels up to which the validation error rises by no more than ``LOSES``."""
    safe = None
    for level in levels:
        if lost(rows, part, level, "val_error") > LOSES + ROUNDING:
            break
        safe = level
    return safe


def regime(rows: ResultRows, steady: bool | None) -> str:
    """``unstable``, or else ``overfitting`` if validation loss rises in the last third of the epochs while training
    loss falls, or else ``learning``; "–" if it is not known whether it is steady."""
    if steady is None:
        return NONE
    if not steady:
        return "unstable"
    last = max(int(row["level"]) for row in rows if row["part"] == "epoch")
    before = max(1, last - last // 3)
    rise, fall = (
        np.mean([*whole(rows, column).values()]) - np.mean([*whole(rows, column, before).values()])
        for column in ("val_loss", "train_loss")
    )
    return "overfitting" if rise > 0 > fall else "learning"


def limits(rows: ResultRows, table: str, kind: str) -> dict[int, Limits]:
    """By nominal size, of those that have rows."""
    of_size = {size: found for size in SIZES if (found := of(rows, table, job(kind, size)))}
    best = min(float(np.mean([*whole(each, "val_error").values()])) for each in of_size.values())
    return {size: _limits(found, best) for size, found in of_size.items()}


def _limits(rows: ResultRows, best: float) -> Limits:
    errors = np.array([*whole(rows, "val_error").values()])
    sd = float(errors.std(ddof=1)) if len(errors) > 1 else float("nan")
    steady = bool(sd < SPREAD) if len(errors) > 1 else None
    return Limits(
        float(np.mean([*whole(rows, "weights").values()])),
        len(errors),
        float(errors.mean()),
        sd,
        float(np.mean([*whole(rows, "test_error").values()])),
        steady and bool(errors.mean() <= best + WITHIN),
        regime(rows, steady),
        *compressible(rows),
    )


class Compressible(NamedTuple):
    """The last fields of ``Limits``."""

    safe: dict[str, tuple[float, float] | None]
    gap: float
    bits: tuple[int, float] | None


def compressible(rows: ResultRows) -> Compressible:
    """How much of a job's models can be cut, and how few bits they need, by means over all tables and seeds."""
    safe: dict[str, tuple[float, float] | None] = {}
    for part, shares in CUTS.items():
        level = farthest(rows, part, [str(share) for share in shares])
        safe[part] = None if level is None else (float(level), lost(rows, part, level, "test_error"))
    name = farthest(rows, "format", FORMATS)
    bits = None if name is None else (WEIGHT_FORMATS[name].bits, lost(rows, "format", name, "test_error"))
    return Compressible(safe, lost(rows, "format", "int8", "test_error"), bits)


def minimum_for_stability(found: dict[int, Limits]) -> int | None:
    """The smallest size that is stable, as all larger ones of several seeds are; None if the largest is not."""
    least = None
    for size in sorted((size for size, each in found.items() if each.stable is not None), reverse=True):
        if not found[size].stable:
            break
        least = size
    return least


Points = list[tuple[float, list[float]]]  # x, and the test errors of all seeds


def by_size(rows: ResultRows, table: str, kind: str) -> Points:
    """(weights, test errors) of the sizes that have rows."""
    found = [of(rows, table, job(kind, size)) for size in SIZES]
    return [
        (float(np.mean([*whole(each, "weights").values()])), [*whole(each, "test_error").values()])
        for each in found
        if each
    ]


def frontier(rows: ResultRows, table: str, kind: str) -> Points:
    """(weight·samples, test errors) of the sizes and epochs that no other beats in both cost and mean validation
    error."""
    points = []
    for size in SIZES:
        mine = [row for row in of(rows, table, job(kind, size)) if row["part"] == "epoch"]
        for epoch in range(1, COURSE.epochs + 1):
            here = [row for row in mine if row["level"] == str(epoch)]
            if here:
                cost, val_error = (float(np.mean([float(row[c]) for row in here])) for c in ("cost", "val_error"))
                points.append((cost, val_error, [float(row["test_error"]) for row in here]))
    best, found = np.inf, []
    for cost, val_error, errors in sorted(points):
        if val_error < best:
            best = val_error
            found.append((cost, errors))
    return found
