"""results/convergence.md, .png and _scores.png."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from experiments.common.paper_tables import CLASSIFICATION
from experiments.rendering.searches import ResultRows, present
from experiments.rendering.text import NONE, figure, page, right, signed
from experiments.studies.convergence.convergence_panels import picture
from experiments.studies.convergence.curve_clusters import CLUSTERS, agreement, clustered, labels, losses_of, normalised
from experiments.studies.convergence.run import (
    ACTIVATIONS,
    EPOCHS,
    NETWORKS,
    OPTIMISERS,
    RATES,
    TABLES,
    TENTH,
    TREES,
    USUAL,
)
from search.folder.records import write_text
from search.pictures.run_pictures import save

TITLE, COMMAND = "Panels of convergence", "`python -m experiments.run studies/convergence`"
# BNeuralT's raw result files: best on test, means of 30 runs of 500 epochs, scored after each update. By optimiser, in
# the order of ``TABLES``; the trees are sigmoids at the rate .1.
PUBLISHED = {
    (TREES, "sigmoid", TENTH, "gd"): (0.848, 0.947, 0.580, 0.803),
    (TREES, "sigmoid", TENTH, "momentum"): (0.879, 0.988, 0.687, 0.849),
    (TREES, "sigmoid", TENTH, "nesterov"): (0.878, 0.987, 0.688, 0.851),
    (TREES, "sigmoid", TENTH, "adagrad"): (0.852, 0.966, 0.638, 0.851),
    (TREES, "sigmoid", TENTH, "rmsprop"): (0.897, 0.992, 0.732, 0.867),
    (TREES, "sigmoid", TENTH, "adam"): (0.866, 0.978, 0.657, 0.825),
    (NETWORKS, "sigmoid", USUAL, "adam"): (0.833, 0.972, 0.635, 0.874),
    (NETWORKS, "sigmoid", USUAL, "momentum"): (0.831, 0.977, 0.629, 0.852),
    (NETWORKS, "sigmoid", TENTH, "nesterov"): (0.841, 0.981, 0.619, 0.870),
}
# The same for ReLU trees of leaf probability .5 at .1: means over 9 tables of classes and 5 of numbers.
RELU = {"rmsprop": (0.8170, 0.4574), "gd": (0.8017, 0.4700), "adagrad": (0.7953, 0.5441), "adam": (0.7072, 0.3580)}
NAMES = {TREES: "tree", NETWORKS: "MLP"}
TEXT = """Made by {command}, {seeds} seeds. The deck *Resource Efficient AI* (*Neural Tree vs Neural Networks*) shows
twelve panels, (a) to (l), of trees and MLPs with sigmoids and ReLUs, at the rate .1 and at default rates, by six
optimisers. Their order is not known to us: here a panel is an optimiser, (a) to (f) of trees and (g) to (l) of MLPs.

**Reference protocol**: the test rows choose. Inputs are scaled over all rows, and the best score is that of the best
of all epochs on the test rows; no score here is an estimate for new data. Trees are the reference's, of leaf
probability .4, with one activation in every function node and half the squared error; an MLP has 100 hidden units and
cross-entropy, or half the squared error of a sigmoid for numbers. All are trained row by row for {epochs} epochs, the
published ones for 500, and those were scored after each update, ours after each epoch. Trees use the reference's
AdaGrad, RMSprop and Adam, MLPs the usual ones. Default rates are Keras's: .01 for the first three, .001 for the
others."""
LOSSES = "![training loss over the epochs](convergence.png)"
SCORES = "![test score over the epochs](convergence_scores.png)"
BESIDE = """## Beside the published figures

Means of the best test scores, accuracy or R² (mpg6): ours, published, and the difference."""
ALL = """## All settings

Best test score (score after the last epoch), means over seeds: accuracy over the tables of classes, R² for mpg6. *At
the end*: the last training loss in % of that after the first epoch, the median over tables and seeds; *diverged*: the
share of trainings with a loss that is not finite, in %."""
PUBLISHED_RELU = """Published for ReLU trees of leaf probability .5 at .1, best on test, means over 9 and 5
tables: {figures}."""
CLUSTER = """## Clusters of convergence

Ward's hierarchical clusters of the logarithms of all curves of training loss, each with mean 0 and deviation 1, so
that only the shape of a curve counts; {clusters} clusters, a number we chose. Adjusted mutual information with each
label of a training: 0 as by chance, 1 the same."""


def render(rows: ResultRows, results: Path) -> None:
    text = TEXT.format(command=COMMAND, seeds=len({row["seed"] for row in rows}), epochs=EPOCHS)
    parts = [text, LOSSES, SCORES, BESIDE, beside(rows), ALL, settings_table(rows), _relu()]
    parts += [CLUSTER.format(clusters=CLUSTERS), _agreement(rows), _clusters(rows)]
    write_text(results / "convergence.md", page(TITLE, *parts))
    save(picture(rows, "losses"), results / "convergence.png")
    save(picture(rows, "scores"), results / "convergence_scores.png")


def headline(rows: ResultRows) -> str:
    found = agreement(rows)
    first = max(found, key=lambda name: found[name])
    shown = ", ".join(f"{name} {figure(value, 2)}" for name, value in found.items())
    text = f"{COMMAND}, [convergence.md](convergence.md). Reference protocol: the test rows choose the epoch."
    clusters = f"Clusters of the curves follow the {first} most; adjusted mutual information: {shown}."
    return "\n\n".join((f"## {TITLE}", text, clusters, LOSSES))


def of(rows: ResultRows, model: str, optimiser: str, activation: str, rate: str) -> ResultRows:
    job = f"{model}_{optimiser}"
    return [row for row in rows if (row["job"], row["activation"], row["rate"]) == (job, activation, rate)]


def _mean(rows: ResultRows, column: str) -> float:
    return float(np.mean([float(row[column]) for row in rows])) if rows else float("nan")


def beside(rows: ResultRows) -> str:
    tables, lines = present(TABLES, rows, "table"), []
    for (model, activation, rate, optimiser), figures in PUBLISHED.items():
        mine, cells = of(rows, model, optimiser, activation, rate), []
        for table in tables:
            ours = _mean([row for row in mine if row["table"] == table], "best_test")
            known = figures[TABLES.index(table)]
            cells.append(f"{figure(ours)}, {figure(known)}, {signed(ours - known)}" if np.isfinite(ours) else NONE)
        lines.append([NAMES[model], optimiser, f"{activation}, {rate}", *cells])
    return right(["model", "optimiser", "activation, rate", *tables], lines, left=3)


def settings_table(rows: ResultRows) -> str:
    lines = []
    for model in NAMES:
        for optimiser in OPTIMISERS:
            for activation in ACTIVATIONS:
                for rate in RATES:
                    if mine := of(rows, model, optimiser, activation, rate):
                        lines.append([NAMES[model], optimiser, f"{activation}, {rate}", *_setting(mine)])
    header = ("model", "optimiser", "activation, rate", "accuracy", "R²", "at the end, %", "diverged, %")
    return right(header, lines, left=3)


def _setting(mine: ResultRows) -> list[str]:
    kinds = [[row for row in mine if (row["table"] in CLASSIFICATION) == classes] for classes in (True, False)]
    scores = [f"{figure(_mean(each, 'best_test'))} ({_last(each)})" if each else NONE for each in kinds]
    losses = [losses_of(row) for row in mine]
    whole = [each for each in losses if np.isfinite(each).all()]
    left = figure(100 * float(np.median([each[-1] / each[0] for each in whole])), 0) if whole else NONE
    return [*scores, left, figure(100 * (1 - len(whole) / len(losses)), 0)]


def _last(mine: ResultRows) -> str:
    """The mean of the last scores; an R² may be hugely negative, or not exist."""
    found = _mean(mine, "last_test")
    return figure(found) if found > -1 else "below −1"


def _relu() -> str:
    figures = (f"{name} {figure(a, 4)} and {figure(b, 4)}" for name, (a, b) in RELU.items())
    return PUBLISHED_RELU.format(figures="; ".join(figures))


def _agreement(rows: ResultRows) -> str:
    found = agreement(rows)
    return right(["", *found], [["adjusted mutual information", *(figure(value, 2) for value in found.values())]])


def _clusters(rows: ResultRows) -> str:
    """The commonest value of each label in a cluster, and the mean shape at a few of its points."""
    found = clustered(rows)
    curves = normalised(np.stack([losses_of(rows[i]) for i in found.kept]))
    shown, lines = labels(rows), []
    for cluster in range(found.cluster.max() + 1):
        mine = found.cluster == cluster
        cells = [_commonest([values[i] for i in found.kept[mine]]) for values in shown.values()]
        places = np.linspace(0, curves.shape[1] - 1, 5).astype(int)
        shape = " ".join(signed(float(value), 1) for value in curves[mine].mean(axis=0)[places])
        lines.append([str(cluster + 1), str(int(mine.sum())), *cells, shape])
    return right(["cluster", "curves", *shown, "shape, from the first epoch to the last"], lines)


def _commonest(values: list[str]) -> str:
    name, count = Counter(values).most_common(1)[0]
    return f"{name} {100 * count / len(values):.0f} %"
