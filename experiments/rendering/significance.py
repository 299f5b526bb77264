"""The headline model of the 14 tables against each baseline: signed-rank tests with Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.data import TABLES
from experiments.rendering.scores import HEADLINE, OURS, Entry, Scores, means_by_table, values
from experiments.rendering.text import figure, right, signed
from experiments.statistics import holm, paired, signed_rank_p

LEVEL = 0.05


class Difference(NamedTuple):
    """``mean``: score of the headline model less the baseline's; ``p`` after Holm's correction."""

    mean: float
    p: float

    @property
    def sign(self) -> int:
        """1 where the headline model is significantly better, -1 worse, 0 neither."""
        return int(np.sign(self.mean)) if self.p < LEVEL else 0


def baselines(scores: Scores) -> list[Entry]:
    return [entry for entry in scores if entry.model not in OURS]


def of_table(scores: Scores, table: str) -> dict[Entry, Difference]:
    """On the seeds of one table; the family that is corrected are its baselines."""
    mine = values(scores[HEADLINE].get(table, {}))
    pairs = {entry: paired(mine, values(scores[entry].get(table, {}))) for entry in baselines(scores)}
    return _tests({entry: pair for entry, pair in pairs.items() if len(pair[0])})


def over_tables(scores: Scores) -> dict[Entry, Difference]:
    """On the mean scores of the tables that both models have."""
    mine = dict(enumerate(_by_table(scores, HEADLINE)))
    pairs = {}
    for entry in baselines(scores):
        theirs = dict(enumerate(_by_table(scores, entry)))
        both = [i for i in mine if not np.isnan(mine[i] + theirs[i])]
        if both:
            pairs[entry] = np.array([mine[i] for i in both]), np.array([theirs[i] for i in both])
    return _tests(pairs)


def _by_table(scores: Scores, entry: Entry) -> list[float]:
    means = means_by_table(scores[entry])
    return [means.get(table, float("nan")) for table in TABLES]


def _tests(pairs: dict[Entry, tuple[np.ndarray, np.ndarray]]) -> dict[Entry, Difference]:
    adjusted = holm([signed_rank_p(*pair) for pair in pairs.values()])
    return {
        entry: Difference(float(np.mean(first - second)), float(p))
        for (entry, (first, second)), p in zip(pairs.items(), adjusted, strict=True)
    }


def section(scores: Scores) -> str | None:
    """None where the headline model has no rows yet."""
    if HEADLINE not in scores or not baselines(scores):
        return None
    tables = [table for table in TABLES if table in scores[HEADLINE]]
    by_table = {table: of_table(scores, table) for table in tables}
    over = over_tables(scores)
    lines = [_line(entry, [by_table[table].get(entry) for table in tables], over[entry]) for entry in over]
    return "\n\n".join(
        [
            f"## {HEADLINE.label[0].upper()}{HEADLINE.label[1:]} against each baseline",
            "Mean difference of the test scores on the same hold-outs. Bold: p < .05 in Wilcoxon's signed-rank test "
            "over the seeds, two-sided and exact, corrected after Holm for all baselines of the table. Better, worse: "
            "on how many tables significantly so. Last: the same test over the tables' mean scores. Hold-outs of one "
            "table share rows, so p over seeds is about these data, not about others like them.",
            right(("baseline", *tables, "better", "worse", "over tables", "p"), lines),
        ]
    )


def _line(entry: Entry, tests: Sequence[Difference | None], over: Difference) -> list[str]:
    cells = ["–" if test is None else _bold(signed(test.mean), test.sign != 0) for test in tests]
    signs = [test.sign for test in tests if test is not None]
    counts = [str(signs.count(1)), str(signs.count(-1))]
    return [entry.label, *cells, *counts, _bold(signed(over.mean), over.sign != 0), figure(over.p)]


def _bold(text: str, strong: bool) -> str:
    return f"**{text}**" if strong else text
