"""``bneuralt.md``, ``bneuralt.png`` and the headline of the 14 tables."""

from __future__ import annotations

from pathlib import Path

from experiments.common.paper_tables import CLASSIFICATION, REGRESSION
from experiments.common.statistics import summary
from experiments.rendering import run_cost
from experiments.rendering.published_figures import PUBLISHED, Published
from experiments.rendering.scores import (
    OURS,
    Entry,
    Scores,
    mean_weights,
    means_by_seed,
    means_by_table,
    scores_of,
    shared,
)
from experiments.rendering.searches import ResultRows
from experiments.rendering.text import NONE, figure, page, right, whole
from experiments.studies.tables import equal_weights, lessons_section, linear_section, protocols, significance
from experiments.studies.tables.accuracy_weights import draw
from search.folder.records import write_text

COMMAND = "`python -m experiments.run tables/bneuralt`"
ABOUT = (
    f"Written by `python -m experiments.render` from [bneuralt.csv](bneuralt.csv), made by {COMMAND}. Every model is "
    "trained and tested on the same seeded hold-outs of 80 % and 20 % of the rows. Hold-outs that lack any model are "
    "left out; only trees without teachers and two controls (the teachers themselves, and pruned MLPs that learn from "
    "them) have fewer. Evolved trees learn from the targets and from teachers: ordinary models fitted to the same "
    "training rows (an RBF SVM, extremely randomised trees, a linear model and two MLPs). Trees *without teachers* "
    "learn from the targets alone. *Weights* are the scalars fitted to the data that a prediction needs: weights and "
    "biases of networks and neural trees; thresholds and leaf values of decision trees; entries of support vectors or "
    "training rows, coefficients and kernel parameters of kernel methods. The choice of the input that a node reads, "
    "and settings chosen by cross-validation, do not count."
)
PICTURE = "![Test score against weights, all models](bneuralt.png)"


def render(rows: ResultRows, results: Path) -> None:
    everything, rows = rows, shared(rows)
    honest = scores_of(rows, "honest")
    parts = [
        protocols.section(rows, "honest"),
        significance.section(honest),
        equal_weights.section(honest),
        linear_section.section(honest),
        lessons_section.section(honest),
        protocols.section(rows, "reference"),
        run_cost.section(everything),
    ]
    write_text(results / "bneuralt.md", page("The 14 tables", ABOUT, PICTURE, *parts))
    draw(honest, results / "bneuralt.png")


def headline(rows: ResultRows) -> str:
    """Our models, the strongest baselines and the published scores; honest scores come first."""
    rows = shared(rows)
    honest, peeking = scores_of(rows, "honest"), scores_of(rows, "reference")
    lines = [_line(entry.label, honest, entry) for entry in honest if entry.model in OURS]
    lines += [_line(f"strongest baseline: {entry.label}", honest, entry) for entry in strongest(honest)]
    lines += [_published(row, "published") for row in PUBLISHED if row.protocol == "honest"]
    lines += [_line(f"{entry.label}, *best on the test rows*", peeking, entry) for entry in peeking]
    lines += [_published(row, "published, *best on the test rows*") for row in PUBLISHED if row.protocol == "reference"]
    counts = [len(of_table) for entry, of in honest.items() if entry.model in OURS for of_table in of.values()]
    seeds = str(counts[0]) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    parts = [
        "## The 14 tables",
        f"Test scores, mean over the tables ± its sd over seeds ({seeds} a model); {COMMAND}; every "
        "table, test and size is in [bneuralt.md](bneuralt.md).",
        right(("model", "accuracy, 9 tables", "weights", "R², 5 tables", "weights"), lines),
        PICTURE,
    ]
    return "\n\n".join(parts)


def strongest(scores: Scores) -> list[Entry]:
    """The best baseline by mean score over the classification tables, and the one over the others if it differs."""
    found = []
    for tables in (CLASSIFICATION, REGRESSION):
        means = {entry: means_by_table(scores[entry]) for entry in significance.baselines(scores)}
        sums = {
            entry: sum(mean[table] for table in tables)
            for entry, mean in means.items()
            if all(table in mean for table in tables)
        }
        if sums:
            found.append(max(sums, key=sums.__getitem__))
    return list(dict.fromkeys(found))


def _line(label: str, scores: Scores, entry: Entry) -> list[str]:
    cells = []
    for tables in (CLASSIFICATION, REGRESSION):
        over = list(means_by_seed(scores[entry], tables).values())
        cells += [protocols.spread(summary(over)) if over else NONE, whole(mean_weights(scores[entry], tables))]
    return [label, *cells]


def _published(row: Published, kind: str) -> list[str]:
    weights = row.weights or (None, None)
    return [
        f"{kind}: {row.label}",
        figure(row.classification),
        whole(weights[0]),
        figure(row.regression),
        whole(weights[1]),
    ]
