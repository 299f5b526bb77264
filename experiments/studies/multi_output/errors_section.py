"""A page section: test errors of the fronts' best members beside the published table of MONT."""

from __future__ import annotations

import numpy as np

from experiments.common.paper_tables import CLASSIFICATION
from experiments.rendering.searches import ALL, ResultRows, by_seed, names, present
from experiments.rendering.text import figure, right
from experiments.studies.multi_output.published_sources import TEST_ERRORS

TEXT = """## Test errors of the same searches

Shares of wrong classes on the test rows: ours are means over the hold-outs of the member with the lowest validation
error. *Published*: table III of MONT, means of 30 hold-outs of 20 %, the share of ours; MONT3 is its NSGA-III. MONT
trains no weights. Its decision trees and support vector machines look untuned, or as if inputs had not been scaled."""


def section(rows: ResultRows) -> list[str]:
    """``rows``: those of the fronts, whose jobs are the methods of selection."""
    if not rows:
        return []
    tables, jobs = present(CLASSIFICATION, rows, "table"), names(rows, "job")
    models = list(TEST_ERRORS[tables[0]])
    body = [[table, *(_error(rows, table, job) for job in jobs), *_published([table], models)] for table in tables]
    body.append([ALL, *(_error(rows, ALL, job) for job in jobs), *_published(tables, models)])
    return [TEXT, right(["", *jobs, *(f"*{model}*" for model in models)], body)]


def _error(rows: ResultRows, table: str, job: str) -> str:
    scores = list(by_seed(rows, table, job, "test_score").values())
    return figure(1 - float(np.mean(scores))) if scores else ""


def _published(tables: list[str], models: list[str]) -> list[str]:
    return [figure(float(np.mean([TEST_ERRORS[table][model] for table in tables]))) for model in models]
