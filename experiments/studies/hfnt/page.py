"""results/hfnt.md."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from experiments.rendering.searches import ResultRows, present
from experiments.rendering.text import NONE, figure, page, right
from experiments.studies.hfnt.published_trees import CLASSIFIED, REGRESSED, SERIES
from experiments.studies.hfnt.run import SEARCH
from search.folder.records import write_text

TITLE, COMMAND = "HFNT's tables by its own protocols", "`python -m experiments.run studies/hfnt`"
TEXT = """Written by `python -m experiments.render` from [hfnt.csv](hfnt.csv), made by {command}; {repeats} per table,
each
with folds drawn anew.

In each fold a search of {population} trees and {generations} generations sees the other folds alone; its recommended
tree, and an ensemble of at most five members of its front, are scored once on the fold that was held out. Ours: the
mean over the repetitions, and in brackets the best repetition; a repetition is the mean over its folds. *Published*:
Ojha, Abraham and Snášel 2017, which names the best of its runs first and their mean in brackets; their best is a choice
by test rows, so its mean is the figure to compare. Sizes are nodes."""
CLASSES = """## Classification: 10-fold cross-validation (tables 3 and 7)

Test accuracy. HDT and FNT are the other trees of the published table."""
NUMBERS = """## Regression: 5-fold cross-validation (tables 8 and 9)

Half the mean squared error on the test rows. Our elevators are the table of the UCI repository with a scaled and
centred target, so its errors are in another unit than the published ones, of which the mean is below the best; R² needs
no unit. Abalone, the fifth published table, is not among our data."""
SERIES_TEXT = """## Mackey-Glass (table 13)

Root mean squared error, with the rows of [fuzzy.md](fuzzy.md): the first 500 of 1,000 are learned. The published rows,
split and scale are not given. The other published series, waste water, is not among our data."""


def render(rows: ResultRows, results: Path) -> None:
    repeats = " to ".join(map(str, sorted({len(_own(rows, table)) for table in {row["table"] for row in rows}})))
    text = TEXT.format(
        command=COMMAND,
        repeats=f"{repeats} repetitions",
        population=SEARCH["population"],
        generations=SEARCH["generations"],
    )
    write_text(results / "hfnt.md", page(TITLE, text, _classes(rows), _numbers(rows), _series(rows)))


def headline(rows: ResultRows) -> str:
    parts = (f"## {TITLE}", f"{COMMAND}; [hfnt.md](hfnt.md).", _classes(rows))
    return "\n\n".join(part.replace("## Class", "### Class") for part in parts if part)


def _own(rows: ResultRows, table: str) -> ResultRows:
    return [row for row in rows if row["table"] == table]


def _mean_and_best(rows: ResultRows, column: str, digits: int, *, lowest: bool = False) -> str:
    values = [float(row[column]) for row in rows]
    best = min(values) if lowest else max(values)
    return f"{_number(float(np.mean(values)), digits)} ({_number(best, digits)})"


def _number(value: float | None, digits: int) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2e}" if 0 < value < 1e-3 else figure(value, digits)


def _mean(rows: ResultRows, column: str) -> str:
    return figure(float(np.mean([float(row[column]) for row in rows])), 1)


def _classes(rows: ResultRows) -> str | None:
    lines = []
    for table in present(CLASSIFIED, rows, "table"):
        own, known = _own(rows, table), CLASSIFIED[table]
        lines.append(
            [
                table,
                _mean_and_best(own, "score", 3),
                _mean(own, "nodes"),
                _mean_and_best(own, "ensemble_score", 3),
                f"{figure(known.best)} ({figure(known.mean)})",
                str(known.nodes),
                *map(figure, (known.ensemble, known.hdt, known.fnt)),
            ]
        )
    header = (
        *("", "tree: mean (best)", "nodes", "ensemble: mean (best)", "*HFNT* best (mean)", "*nodes of the best*"),
        *("*best ensemble*", "*HDT*", "*FNT*"),
    )
    return _part(CLASSES, header, lines)


def _numbers(rows: ResultRows) -> str | None:
    lines = []
    for table in present(REGRESSED, rows, "table"):
        own, known = _own(rows, table), REGRESSED[table]
        lines.append(
            [
                table,
                _mean_and_best(own, "half_mse", 4, lowest=True),
                _mean_and_best(own, "score", 3),
                _mean(own, "nodes"),
                _mean_and_best(own, "ensemble_half_mse", 4, lowest=True),
                f"{_number(known.best, 3)} ({_number(known.mean, 3)})",
                *(_number(each, 3) for each in (known.metsk, known.mlp)),
            ]
        )
    header = (
        *("", "tree: mean (best)", "R²", "nodes", "ensemble: mean (best)", "*HFNT* best (mean)"),
        *("*METSK-HDe*", "*MLP*"),
    )
    return _part(NUMBERS, header, lines)


def _series(rows: ResultRows) -> str | None:
    lines = []
    for table in present(SERIES, rows, "table"):
        own, (best, mean, nodes) = _own(rows, table), SERIES[table]
        ours = [_mean_and_best(own, name, 5, lowest=True) for name in ("rmse", "ensemble_rmse")]
        lines.append(
            [table, ours[0], _mean(own, "nodes"), ours[1], f"{figure(best, 5)} ({figure(mean, 5)})", str(nodes)]
        )
    header = ("", "tree: mean (best)", "nodes", "ensemble: mean (best)", "*HFNT* best (mean)", "*nodes of the best*")
    return _part(SERIES_TEXT, header, lines)


def _part(text: str, header: Iterable[str], lines: list[list[str]]) -> str | None:
    return f"{text}\n\n{right([*header], lines)}" if lines else None
