"""results/pruning.md and .png."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.common.paper_tables import CLASSIFICATION, REGRESSION
from experiments.common.statistics import holm, signed_rank_p
from experiments.rendering.searches import ResultRows, names, seeds_of
from experiments.rendering.text import figure as number
from experiments.rendering.text import page, right, signed, whole
from experiments.studies.pruning.run import JOB, LARGE, LARGE_CRITERIA, LARGE_EPOCHS, SHARES, STUDIED, WEIGHTS
from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.criteria import CRITERIA
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

KINDS = {"accuracy": CLASSIFICATION, "R²": REGRESSION}
WAYS = {"0": "not trained after the cuts", "1": "trained after the cuts"}
BASE, TESTED = "magnitude", "0.5"
COLOURS = (
    *(style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.GREY),
    *(style.SKY, style.YELLOW, style.BLACK, style.PURPLE, style.GREEN, style.VERMILION),
)
LOWEST = {"accuracy": 0.4, "R²": 0.0}
DASHES = {"edge": "-", "subtree": "--", "input": ":", "node": "-."}
TITLE, COMMAND = "Accuracy against sparsity", "`python -m experiments.run pruning`"
TEXT = """Made by {command}; {seeds} per table, mean test scores over the tables. Random trees of {weights}
weights are trained on the training rows and cut along a path of sizes; all sizes of a table begin from the same tree.
The criteria rank edges, whole hidden subtrees ({subtrees}), an input everywhere, or hidden nodes that become straight
lines of their sums (line), so that their children move up. Without training the cuts alone count, with the mean of
what an edge carried in its parent's bias; with it, three cuts lead to each size, and training for 25 epochs in all
follows them."""
DIFFERENCE = """## At half of the nodes

Mean differences from {base} over tables and hold-outs; p: Wilcoxon's signed-rank test over all pairs, Holm's
correction."""
STRAIGHT = """## Lines instead of cuts

Mean differences of trained trees whose hidden nodes became lines from those cut by ablation to as many nodes; p:
Wilcoxon's signed-rank test over all pairs, Holm's correction. Mean weights of both."""
LARGE_TEXT = """## MNIST

The same of trees of 10,000 weights from the pixels ({seeds}): error in % of the test rows. Training is for {epochs}
epochs after each size, on pictures that are shifted anew at random, as those of the whole tree's training were."""
LEVELS = """## Sparsity by level

One threshold for the whole tree cuts each level by a share of its own. With half of the nodes cut and no training: the
share of the nodes of each depth that is cut, means over tables and hold-outs; outputs have depth 0."""
DEEPEST = 5
PICTURE = "![score against the share of nodes that are cut](pruning.png)"
Scores = dict[tuple[str, str, str], dict[tuple[str, str], float]]  # by criterion, share, retrained; table and seed


def scores_of(rows: ResultRows, job: str = JOB) -> Scores:
    found: Scores = {}
    for row in rows:
        if row["job"] != job:
            continue
        key = row["criterion"], row["share"], row["retrained"]
        found.setdefault(key, {})[row["table"], row["seed"]] = float(row["test_score"])
    return found


def mean(scores: Scores, key: tuple[str, str, str], tables: tuple[str, ...]) -> float:
    values = [value for (table, _), value in scores.get(key, {}).items() if table in tables]
    return float(np.mean(values)) if values else float("nan")


def render(rows: ResultRows, results: Path) -> None:
    subtrees = ", ".join(name for name in STUDIED if CRITERIA[name].unit == "subtree")
    text = TEXT.format(
        command=COMMAND, seeds=seeds_of([row for row in rows if row["job"] == JOB]), weights=WEIGHTS, subtrees=subtrees
    )
    scores = scores_of(rows)
    parts = [table(scores, kind, way) for kind in KINDS for way in WAYS]
    compared = right(["", *WAYS.values()], differences(scores))
    parts = [*parts, DIFFERENCE.format(base=BASE), compared, STRAIGHT, _lines(rows)]
    parts += [LEVELS, _by_level(rows), *_large(rows), PICTURE]
    write_text(results / "pruning.md", page(TITLE, text, *parts))
    save(picture(scores), results / "pruning.png")


def _by_level(rows: ResultRows) -> str:
    """By criterion: the mean share of the nodes of each depth that is cut."""
    own = [row for row in rows if row["job"] == JOB]
    whole = {(row["table"], row["seed"]): _levels(row) for row in own if row["criterion"] == "none"}
    lines = []
    for name in STUDIED:
        found = [row for row in own if (row["criterion"], row["share"], row["retrained"]) == (name, TESTED, "0")]
        before = np.array([whole[row["table"], row["seed"]] for row in found])
        left = np.array([_levels(row) for row in found])
        there = before > 0  # not all trees are as deep
        cut = np.where(there, 1 - left / np.maximum(before, 1), 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        lines.append([name, *(number(share, 2) for share in cut[1:].tolist())])
    return right(["", *(f"depth {depth}" for depth in range(1, DEEPEST + 1))], lines)


def _levels(row: Mapping[str, str]) -> FloatArray:
    """(depths,) the number of nodes of each depth."""
    counts = np.array(row["levels"].split(), dtype=np.float64)
    return np.pad(counts, (0, DEEPEST + 1 - len(counts)))


def _lines(rows: ResultRows) -> str:
    lines = []
    for kind, tables in KINDS.items():
        own = [row for row in rows if row["job"] == JOB and row["retrained"] == "1" and row["table"] in tables]
        apart, weights = [], []
        for share in map(str, SHARES):
            found = {name: scores_of(own).get((name, share, "1"), {}) for name in ("line", "ablation")}
            apart.append(_apart(found["line"], found["ablation"]))
            sizes = {name: [row for row in own if (row["criterion"], row["share"]) == (name, share)] for name in found}
            weights.append("/".join(whole(_mean_weights(each)) for each in sizes.values()))
        p = holm([signed_rank_p(each, np.zeros_like(each)) if each.any() else 1.0 for each in apart])
        gains = [f"{signed(float(each.mean()))} (p = {value:.2g})" for each, value in zip(apart, p, strict=True)]
        lines += [[kind, *gains], [f"{kind}: weights", *weights]]
    return right(["", *(f"{100 * share:g} % cut" for share in SHARES)], lines)


def _mean_weights(rows: ResultRows) -> float | None:
    return float(np.mean([int(row["weights"]) for row in rows])) if rows else None


def _large(rows: ResultRows) -> list[str]:
    """The section about MNIST; nothing if there are no rows."""
    scores = scores_of(rows, LARGE)
    if not scores:
        return []

    def error(key: tuple[str, str, str]) -> str:
        return number(100 * (1 - mean(scores, key, ("mnist",))), 2)

    whole = error(("none", "0.0", "0"))
    parts = [LARGE_TEXT.format(seeds=seeds_of([row for row in rows if row["job"] == LARGE]), epochs=LARGE_EPOCHS)]
    for way, said in WAYS.items():
        lines = [[name, whole, *(error((name, str(share), way)) for share in SHARES)] for name in LARGE_CRITERIA]
        parts.append(right([said, "whole", *(f"{100 * share:g} % cut" for share in SHARES)], lines))
    return parts


def table(scores: Scores, kind: str, way: str) -> str:
    header = [f"{kind}, {WAYS[way]}", "whole", *(f"{100 * share:g} % cut" for share in SHARES)]
    whole = mean(scores, ("none", "0.0", "0"), KINDS[kind])
    lines = [
        [name, number(whole), *(number(mean(scores, (name, str(share), way), KINDS[kind])) for share in SHARES)]
        for name in STUDIED
    ]
    return right(header, lines)


def differences(scores: Scores) -> list[list[str]]:
    others = [name for name in STUDIED if name != BASE]
    columns = []
    for way in WAYS:
        base = scores.get((BASE, TESTED, way), {})
        apart = {name: _apart(scores.get((name, TESTED, way), {}), base) for name in others}
        p = holm([signed_rank_p(each, np.zeros_like(each)) if each.any() else 1.0 for each in apart.values()])
        columns.append(
            [f"{signed(float(each.mean()))} (p = {value:.2g})" for each, value in zip(apart.values(), p, strict=True)]
        )
    return [[name, *cells] for name, *cells in zip(others, *columns, strict=True)]


def _apart(found: dict[tuple[str, str], float], base: dict[tuple[str, str], float]) -> np.ndarray:
    return np.array([found[key] - base[key] for key in base if key in found])


def headline(rows: ResultRows) -> str:
    scores = scores_of(rows)
    found = {
        (name, way): "/".join(number(mean(scores, (name, TESTED, way), tables)) for tables in KINDS.values())
        for name in ("ablation", "taylor", "magnitude", "random")
        for way in WAYS
    }
    lines = [[name, *(found[name, way] for way in WAYS)] for name, _ in list(found)[::2]]
    shown = right(["half of the nodes cut: accuracy/R²", *WAYS.values()], lines)
    rows = [row for row in rows if row["job"] == JOB]
    text = f"{COMMAND}, {seeds_of(rows)} on {len(names(rows, 'table'))} tables; [pruning.md](pruning.md)."
    return f"## {TITLE}\n\n{text}\n\n{shown}\n\n{PICTURE}"


def picture(scores: Scores) -> Figure:
    made = Figure(figsize=(9, 7), layout="constrained")
    panels = made.subplots(2, 2)
    colours = dict(zip(STUDIED, COLOURS, strict=True))
    for line, kind in zip(panels, KINDS, strict=True):
        for ax, way in zip(line, WAYS, strict=True):
            whole = mean(scores, ("none", "0.0", "0"), KINDS[kind])
            for name in STUDIED:
                values = [whole, *(mean(scores, (name, str(share), way), KINDS[kind]) for share in SHARES)]
                ax.plot(
                    (0, *SHARES), values, DASHES[CRITERIA[name].unit], color=colours[name], label=name, marker="o", ms=3
                )
            ax.set(title=WAYS[way], xlabel="share of the nodes cut", ylabel=kind, ylim=(LOWEST[kind], 1))
            ax.grid(alpha=0.25)
    panels[0][1].legend(frameon=False, ncols=2, fontsize=8, loc="lower left")
    return made
