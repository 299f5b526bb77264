"""A page section: the CPU time that the rows of an experiment took, and the commits that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.rendering.text import figure, right


def section(rows: Sequence[Mapping[str, str]]) -> str:
    """CPU seconds per unit; a unit makes all rows of its job for one hold-out of a table."""
    jobs = list(dict.fromkeys(row["job"] for row in rows))
    lines = [_line(job, [row for row in rows if row["job"] == job]) for job in jobs]
    return "\n\n".join(
        [
            "## What it took",
            "CPU seconds per unit on one thread. A unit makes all models of a job for one hold-out of a table: it "
            "chooses settings, trains and tests. If several commits made a job, its settings are the same.",
            right(("job", "units", "median", "maximum", "total hours", "commits"), lines),
        ]
    )


def _line(job: str, rows: Sequence[Mapping[str, str]]) -> list[str]:
    units = {(row["table"], row["seed"]): float(row["cpu_s"]) for row in rows}
    seconds = np.array(list(units.values()))
    commits = dict.fromkeys(row["commit"] for row in rows)
    numbers = [figure(value, 1) for value in (np.median(seconds), seconds.max())]
    return [job, str(len(units)), *numbers, figure(float(seconds.sum()) / 3600, 2), " ".join(commits)]
