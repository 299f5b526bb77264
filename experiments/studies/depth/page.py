"""results/depth.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.common.paper_tables import CLASSIFICATION, REGRESSION
from experiments.common.statistics import signed_rank_p
from experiments.rendering.searches import ResultRows, names, of, seeds_of
from experiments.rendering.text import figure, page, right, signed, whole
from experiments.studies.depth.run import DEPTHS, LINES, PIXELS
from neuraltree.compress.pruning.path import EPOCHS
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

KINDS = {"accuracy": CLASSIFICATION, "R²": REGRESSION}
WAYS = {
    ("lines", "0"): "lines",
    ("lines", str(EPOCHS)): "lines, trained",
    ("ablation", str(EPOCHS)): "ablation, trained",
}
COLOURS = dict(zip(WAYS, (style.GREY, style.BLUE, style.VERMILION), strict=True))
DEEPEST = 5
TITLE, COMMAND = "Accuracy against depth", "`python -m experiments.run depth`"
TEXT = """Made by {command}; {seeds} per table, mean test scores. Random trees of 250 weights are trained on the
training rows. Then every hidden node below a depth is replaced by the straight line of least squared error over the
rows, so that its children move up; inputs that a node then reads twice are merged. *Trained*: for {epochs} epochs
afterwards. *Ablation*: the whole tree cut to as many nodes instead, trained for as long. p: Wilcoxon's signed-rank test
of lines against ablation over all tables and hold-outs."""
LARGE = """## MNIST

Trees of 10,000 weights whose hidden nodes, all of which may read pixels, stand in 1 to 4 levels ({seeds})."""
PICTURE = "![score against depth](depth.png)"


def render(rows: ResultRows, results: Path) -> None:
    own = [row for row in rows if row["job"] == LINES]
    parts = [TEXT.format(command=COMMAND, seeds=seeds_of(own), epochs=EPOCHS)]
    parts += [_table(own, kind) for kind in KINDS]
    if large := of(rows, "mnist", PIXELS):
        parts += [LARGE.format(seeds=seeds_of(large)), _pixels(large)]
    write_text(results / "depth.md", page(TITLE, *parts, PICTURE))
    save(picture(own), results / "depth.png")


def at(rows: ResultRows, kind: str, way: tuple[str, str], depth: int) -> ResultRows:
    """The rows of a way at a depth; the whole trees at the depth of the deepest."""
    wanted = (*way, str(depth))
    rows = [row for row in rows if row["table"] in KINDS[kind]]
    if depth == DEEPEST:
        return [row for row in rows if row["way"] == "whole"]
    return [row for row in rows if (row["way"], row["epochs"], row["depth"]) == wanted]


def mean(rows: ResultRows, column: str) -> float:
    return float(np.mean([float(row[column]) for row in rows])) if rows else float("nan")


def _table(rows: ResultRows, kind: str) -> str:
    lines = []
    for depth in (DEEPEST, *DEPTHS):
        found = {way: at(rows, kind, way, depth) for way in WAYS}
        scores = [figure(mean(each, "test_score")) for each in found.values()]
        flat, cut = (list(found.values())[place] for place in (1, 2))
        difference = "" if depth == DEEPEST else _difference(flat, cut)
        lines.append([str(depth), *(whole(mean(each, "weights")) for each in (flat, cut)), *scores, difference])
    return right([f"{kind}, depth", "weights, lines", "weights, ablation", *WAYS.values(), "difference"], lines)


def _difference(rows: ResultRows, base: ResultRows) -> str:
    """Of trained trees."""
    before = {(row["table"], row["seed"]): float(row["test_score"]) for row in base}
    apart = np.array([float(row["test_score"]) - before[row["table"], row["seed"]] for row in rows])
    p = signed_rank_p(apart, np.zeros_like(apart)) if apart.any() else 1.0
    return f"{signed(float(apart.mean()))} (p = {p:.2g})" if len(apart) else figure(None)


def _pixels(rows: ResultRows) -> str:
    lines = []
    for depth in sorted(names(rows, "depth")):
        found = [row for row in rows if row["depth"] == depth]
        errors = [100 * (1 - float(row["test_score"])) for row in found]
        spread = f" ± {figure(float(np.std(errors, ddof=1)), 2)}" if len(errors) > 1 else ""
        hidden = whole(mean(found, "hidden"))
        lines.append([depth, hidden, whole(mean(found, "weights")), f"{figure(float(np.mean(errors)), 2)}{spread}"])
    return right(["depth", "hidden nodes", "weights", "test error, %"], lines)


def headline(rows: ResultRows) -> str:
    own = [row for row in rows if row["job"] == LINES]
    lines = []
    for kind in KINDS:
        cells = [
            figure(mean(at(own, kind, ("lines", str(EPOCHS)), depth), "test_score")) for depth in (DEEPEST, *DEPTHS)
        ]
        lines.append([kind, *cells])
    shown = right(["hidden nodes below become lines, trained", *(f"depth {d}" for d in (DEEPEST, *DEPTHS))], lines)
    text = f"{COMMAND}, {seeds_of(own)} on {len(names(own, 'table'))} tables; [depth.md](depth.md)."
    return f"## {TITLE}\n\n{text}\n\n{shown}"


def picture(rows: ResultRows) -> Figure:
    made = Figure(figsize=(9, 3.6), layout="constrained")
    for ax, kind in zip(made.subplots(1, 2), KINDS, strict=True):
        depths = (DEEPEST, *DEPTHS)
        for way, label in WAYS.items():
            scores = [mean(at(rows, kind, way, depth), "test_score") for depth in depths]
            ax.plot(depths, scores, color=COLOURS[way], label=label, marker="o", ms=3)
        ax.set(xlabel="depth", ylabel=kind, xticks=depths)
        ax.grid(alpha=0.25)
    ax.legend(frameon=False, fontsize=8)
    return made
