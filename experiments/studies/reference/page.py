"""``reference.md``: our runs of the reference model and its published scores, by table and in the mean."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.paper_tables import CLASSIFICATION, REGRESSION, TABLES
from experiments.common.statistics import Summary, summary
from experiments.rendering.published_figures import PUBLISHED
from experiments.rendering.searches import ResultRows
from experiments.rendering.text import NONE, figure, page, right, signed, whole
from search.folder.records import write_text

TITLE = "The reference model, by its own protocol"
COMMAND = "`python -m experiments.run tables/reference`"
PEEKING = "reference protocol: weights chosen by the test rows"
BY_TRAINING = "weights chosen by the training rows"
AT_END = "the last weights, without a choice"
ABOUT = f"""Written by `python -m experiments.render` from [reference.csv](reference.csv), made by {COMMAND}. Our engine
trains random trees from the reference's generator (BNeuralT): one sigmoid output per class, half the squared error,
RMSprop at 0.1, one row per update, 500 epochs. *{PEEKING}*: the score is the best on the test rows over all updates, as
in the published scores. It is not an estimate for new data, as the training score of the same weights shows. As in
the reference, inputs and the number to predict are scaled over all rows, test rows included. Our hold-outs are seeded
and keep the proportions of the classes; the published hold-outs do neither. SE: standard error of the difference of the
means, from the deviations over runs. *Agrees*: the two means differ by at most two SE."""
NO_DEVIATION = """No deviations were published for leaf probability .5; our deviations stand in for them. The results
published "without early stopping" do not say which weights they score. The reference's program keeps the weights with
the lowest error on the rows that it is told to use for the choice, which can be the training rows. We therefore compare
with both that choice and the last weights. *Weights* are trainable scalars. The published number, and ours
*as published*, also count one edge above every output, which nothing reads."""

# Deviations of the published runs of "p4", in the order of the tables.
PUBLISHED_SD = (.034, .035, .034, .026, .011, .014, .029, .049, .068, .132, .046, .110, .149, .038)  # fmt: skip
PUBLISHED_RUNS = 30


class Setting(NamedTuple):
    """A line of means: its job and score, and the label and protocol of the published row it is compared with."""

    job: str
    score: str
    label: str
    published: str
    protocol: str


PUBLISHED_LABEL = "random tree, RMSprop, leaf probability "
SETTINGS = (
    Setting("p4", "peeking", f"leaf probability .4, {PEEKING}", PUBLISHED_LABEL + ".4", "reference"),
    Setting("p5", "peeking", f"leaf probability .5, {PEEKING}", PUBLISHED_LABEL + ".5", "reference"),
    Setting("p5_train", "best_on_train", f"leaf probability .5, {BY_TRAINING}", PUBLISHED_LABEL + ".5", "honest"),
    Setting("p5", "at_end", f"leaf probability .5, {AT_END}", PUBLISHED_LABEL + ".5", "honest"),
)
KINDS = (("accuracy, 9 tables", CLASSIFICATION), ("R², 5 tables", REGRESSION))


def render(rows: ResultRows, results: Path) -> None:
    parts = [ABOUT, NO_DEVIATION, "## Means over the tables", means(rows), f"## Leaf probability .4: {PEEKING}"]
    write_text(results / "reference.md", page(TITLE, *parts, by_table(rows)))


def headline(rows: ResultRows) -> str:
    about = f"{COMMAND}, [reference.md](reference.md). A comparison of our engine and protocol with the published ones."
    return "\n\n".join([f"## {TITLE}", about, means(rows)])


def means(rows: ResultRows) -> str:
    """Our means and the published ones; a kind of table is shown only if all its tables have rows."""
    lines = [
        _mean_line(rows, setting, kind)
        for setting in SETTINGS
        for kind, (_, tables) in enumerate(KINDS)
        if all(of(rows, table, setting.job) for table in tables)
    ]
    return right(
        (
            "setting",
            "score",
            "ours",
            "published",
            "difference",
            "2 SE",
            "agrees",
            "weights",
            "as published",
            "published",
        ),
        lines,
        left=2,
    )


def _mean_line(rows: ResultRows, setting: Setting, kind: int) -> list[str]:
    title, tables = KINDS[kind]
    (row,) = (row for row in PUBLISHED if (row.label, row.protocol) == (setting.published, setting.protocol))
    found = [summary(column(rows, table, setting.job, setting.score)) for table in tables]
    deviations = [_published_sd(table) if setting.job == "p4" else s.sd for table, s in zip(tables, found, strict=True)]
    error = sqrt(sum(standard_error(s, sd) ** 2 for s, sd in zip(found, deviations, strict=True))) / len(tables)
    ours, published = float(np.mean([s.mean for s in found])), (row.classification, row.regression)[kind]
    weights = [_mean_over(rows, tables, setting.job, name) for name in ("weights", "published_weights")]
    beside = row.weights[kind] if row.weights else None
    compared = _compared(ours, published, error, 4)
    return [setting.label, title, figure(ours, 4), *compared, *map(whole, weights), whole(beside)]


def by_table(rows: ResultRows) -> str:
    header = ("table", "runs", "ours", "published", "difference", "2 SE", "agrees", "train", "last weights", "weights")
    return right(header, [_table_line(rows, table) for table in TABLES if of(rows, table, "p4")])


def _table_line(rows: ResultRows, table: str) -> list[str]:
    found, published = summary(column(rows, table, "p4", "peeking")), PUBLISHED[0].scores[table]
    sd = _published_sd(table)
    others = [float(np.mean(column(rows, table, "p4", name))) for name in ("train_score", "at_end", "weights")]
    beside, *compared = _compared(found.mean, published, standard_error(found, sd))
    return [
        table,
        str(found.values),
        f"{figure(found.mean)} ± {figure(found.sd)}",
        f"{beside} ± {figure(sd)}",
        *compared,
        *map(figure, others[:2]),
        whole(others[2]),
    ]


def standard_error(ours: Summary, published_sd: float) -> float:
    """The standard error of the difference between our mean and that of the published runs."""
    return sqrt(ours.sd**2 / ours.values + published_sd**2 / PUBLISHED_RUNS)


def _compared(ours: float, published: float, error: float, digits: int = 3) -> list[str]:
    """Published score, difference, two standard errors, and whether the difference is within them."""
    difference = ours - published
    agrees = "yes" if abs(difference) <= 2 * error else "no"
    return [figure(published, digits), signed(difference), figure(2 * error), NONE if np.isnan(error) else agrees]


def _published_sd(table: str) -> float:
    return PUBLISHED_SD[TABLES.index(table)]


def of(rows: ResultRows, table: str, job: str) -> ResultRows:
    return [row for row in rows if (row["table"], row["job"]) == (table, job)]


def column(rows: ResultRows, table: str, job: str, name: str) -> list[float]:
    return [float(row[name]) for row in of(rows, table, job)]


def _mean_over(rows: ResultRows, tables: Sequence[str], job: str, name: str) -> float:
    return float(np.mean([np.mean(column(rows, table, job, name)) for table in tables]))
