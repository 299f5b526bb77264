"""The headline model of the 14 tables against each baseline: signed-rank tests with Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.common.paper_tables import TABLES
from experiments.common.statistics import holm, paired, signed_rank_p
from experiments.rendering.scores import CONTROLS, HEADLINE, KINDS, OURS, Entry, Scores, means_by_seed, values
from experiments.rendering.text import right, signed

LEVEL = 0.05


class Difference(NamedTuple):
    """``mean``: the headline model's score minus the baseline's; ``p`` after Holm's correction."""

    mean: float
    p: float

    @property
    def sign(self) -> int:
        """1 if the headline model is significantly better, -1 if worse, 0 if neither."""
        return int(np.sign(self.mean)) if self.p < LEVEL else 0


def baselines(scores: Scores) -> list[Entry]:
    return [entry for entry in scores if entry.model not in (*OURS, *CONTROLS)]


def of_table(scores: Scores, table: str) -> dict[Entry, Difference]:
    """Differences over the seeds of one table; Holm's correction is over its baselines."""
    mine = values(scores[HEADLINE].get(table, {}))
    pairs = {entry: paired(mine, values(scores[entry].get(table, {}))) for entry in baselines(scores)}
    return _tests({entry: pair for entry, pair in pairs.items() if len(pair[0])})


def over_tables(scores: Scores, tables: Sequence[str]) -> dict[Entry, Difference]:
    """Differences of the mean scores over some tables, paired by seed."""
    mine = means_by_seed(scores[HEADLINE], tables)
    pairs = {entry: paired(mine, means_by_seed(scores[entry], tables)) for entry in baselines(scores)}
    return _tests({entry: pair for entry, pair in pairs.items() if len(pair[0])})


def _tests(pairs: dict[Entry, tuple[np.ndarray, np.ndarray]]) -> dict[Entry, Difference]:
    adjusted = holm([signed_rank_p(*pair) for pair in pairs.values()])
    return {
        entry: Difference(float(np.mean(first - second)), float(p))
        for (entry, (first, second)), p in zip(pairs.items(), adjusted, strict=True)
    }


def section(scores: Scores) -> str | None:
    """None if the headline model has no rows yet."""
    if HEADLINE not in scores or not baselines(scores):
        return None
    tables = [table for table in TABLES if table in scores[HEADLINE]]
    tests = [of_table(scores, table) for table in tables]
    tests += [over_tables(scores, some) for _, some in KINDS]
    lines = [_line(entry, [test.get(entry) for test in tests], len(tables)) for entry in baselines(scores)]
    header = ("baseline", *tables, "accuracy, mean", "R², mean", "better", "worse")
    return "\n\n".join(
        [
            f"## {HEADLINE.label[0].upper()}{HEADLINE.label[1:]} against each baseline",
            "Mean difference of the test scores on the same hold-outs. Bold: p < .05 in Wilcoxon's signed-rank test "
            "over the seeds, two-sided and exact, with Holm's correction over all baselines. Better, worse: the number "
            "of tables on which the tree is significantly so. Hold-outs of one table share rows, so p over seeds "
            f"applies to these data, not to new data of the same kind.{_too_few(scores)}",
            right(header, lines),
        ]
    )


def _too_few(scores: Scores) -> str:
    """A warning if there are too few hold-outs for any significant p."""
    pairs, least = hold_outs(scores), least_pairs(scores)
    return "" if pairs >= least else f" With {pairs} hold-outs no p can be so small: that takes {least}."


def hold_outs(scores: Scores) -> int:
    """The smallest number of hold-outs that a table has for the headline model."""
    return min(len(of_seed) for of_seed in scores[HEADLINE].values())


def least_pairs(scores: Scores) -> int:
    """The number of pairs with which the smallest p of the exact test, 2 / 2^pairs, passes Holm's first bound."""
    return math.floor(math.log2(2 * max(1, len(baselines(scores))) / LEVEL)) + 1


def _line(entry: Entry, tests: Sequence[Difference | None], tables: int) -> list[str]:
    cells = ["–" if test is None else _bold(signed(test.mean), test.sign != 0) for test in tests]
    signs = [test.sign for test in tests[:tables] if test is not None]
    return [entry.label, *cells, str(signs.count(1)), str(signs.count(-1))]


def _bold(text: str, strong: bool) -> str:
    return f"**{text}**" if strong else text
