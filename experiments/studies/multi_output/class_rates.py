"""A page section: the classes that trees learn with one objective per class, or one for all classes."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from experiments.common.statistics import paired, signed_rank_p
from experiments.rendering.searches import ResultRows, difference, names, of, present, seeds_of, spread
from experiments.rendering.text import figure, right
from experiments.studies.multi_output.class_objectives import MEMBERS, OBJECTIVES, TABLE
from neuraltree.plot import style
from search.pictures.learnability import COLOURS, MARKERS

TEXT = """## An objective for every class

On {table}, two sets of objectives are compared: the error of each class and the weights, or one error of all rows and
the weights. The table is about the member with the lowest validation error of each front, on {seeds}: the share of each
class's test rows that it recognises (the recall), the lowest of these shares, and the accuracy. Below: mean
differences with their 95 % interval over hold-outs, and p of Wilcoxon's signed-rank test, uncorrected. The picture
shows up to {members} members of every front; trees have learnt a class if its dots lie in the upper left."""
PICTURE = "![Rates of true and false positives by class](multi_output.png)"


def section(rows: ResultRows) -> list[str]:
    mine = _mine(rows)
    if not mine:
        return []
    labels = names(mine, "class")
    found = {job: _columns(mine, job, labels) for job in present(OBJECTIVES, mine, "job")}
    body = [[job.replace("_", " "), *(spread(c.values(), 3) for c in columns)] for job, columns in found.items()]
    if len(found) == 2:
        first, second = found.values()
        pairs = [paired(*both) for both in zip(first, second, strict=True)]
        apart = [difference(*pair, signed_rank_p(*pair)) for pair in pairs]
        body.append(["difference", *(each.text(3) for each in apart)])
        body.append(["p", *(figure(each.p) for each in apart)])
    text = TEXT.format(table=TABLE, seeds=seeds_of(mine), members=MEMBERS)
    return [text, PICTURE, right(["objectives", *labels, "lowest share", "accuracy"], body)]


def _columns(rows: ResultRows, job: str, labels: list[str]) -> list[dict[int, float]]:
    """By seed, for the best members: the recall of every class, the lowest recall, and the accuracy."""
    best = [row for row in of(rows, TABLE, job) if row["member"] == "0"]
    rates = [_by_seed([row for row in best if row["class"] == label], "true_positives") for label in labels]
    lowest = {seed: min(rate[seed] for rate in rates) for seed in rates[0]}
    return [*rates, lowest, _by_seed(best, "test_score")]


def _mine(rows: ResultRows) -> ResultRows:
    return [row for row in rows if row["job"] in OBJECTIVES]


def _by_seed(rows: ResultRows, column: str) -> dict[int, float]:
    return {int(row["seed"]): float(row[column]) for row in rows}


def picture(rows: ResultRows) -> Figure:
    """Learnability: a panel for each kind of objectives, a dot for each class of each member on the test rows."""
    made = Figure(figsize=(10.4, 4.2), layout="constrained")
    panels = made.subplots(1, len(OBJECTIVES), sharex=True, sharey=True)
    for ax, job in zip(panels, OBJECTIVES, strict=True):
        ax.plot([0, 1], [0, 1], color=style.GREY, lw=1, ls=":")
        for i, label in enumerate(names(_mine(rows), "class")):
            mine = [row for row in of(rows, TABLE, job) if row["class"] == label]
            points = np.array([(float(row["false_positives"]), float(row["true_positives"])) for row in mine])
            look = {"color": COLOURS[i], "marker": MARKERS[i], "label": label, "alpha": 0.5, "lw": 0}
            style.dots(ax, points.reshape(-1, 2), s=14, **look)
        ax.set(title=f"{TABLE}: {job.replace('_', ' ')}", xlabel="false positives, of the rows of other classes")
        ax.grid(alpha=0.25)
    panels[0].set_ylabel("true positives, of the rows of the class")
    style.legend_beside(panels[-1])
    return made
