"""results/mixtures.md and .png."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.common.statistics import holm, paired, signed_rank_p
from experiments.rendering.searches import ResultRows, difference, present, seeds_of
from experiments.rendering.text import NONE, figure, page, right, whole
from experiments.studies.mixtures.experts import DEVICE, ENSEMBLE, FLASH, FLASH_ENSEMBLE, MACS, THREE, TRAINED, TREE
from experiments.studies.mixtures.limits import CRITERION, FORMATS, MARKS
from experiments.studies.mixtures.run import EXPERTS, TABLES, TASKS
from experiments.studies.mixtures.shared_tasks import DOUBLE, HALVES, SHARED, TRUNK
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

TITLE, COMMAND = "Mixtures of experts, and trees of several tasks", "`python -m experiments.run studies/mixtures`"
WAYS = {EXPERTS: (TREE, TRAINED, ENSEMBLE, FLASH_ENSEMBLE, MACS, FLASH, THREE), TASKS: (SHARED, HALVES, DOUBLE)}
BASES = {EXPERTS: TREE, TASKS: HALVES}
COUNTS = ("weights", "mean_macs", "worst_macs", "mean_latency_us", "worst_latency_us", "flash_bytes", "least_share")
TEXT = """Made by {command}; {seeds} per table. A quarter of the training rows is held out: it finds how much can be
pruned and what few bits lose, nothing else. Test rows score each model once. Scores are accuracy or R². Differences
are means over hold-outs with the 95 % interval of the bootstrap, p is Wilcoxon's with Holm's correction within a table.

The decks show multitask learning and mixtures of experts as pictures, with curves of convergence, pruning and
quantisation beside those of a dense network, without architectures or figures; so no figures of theirs stand here."""
MIXED = """## Mixtures of experts

A linear gate (one output for two experts, else one for each) sends each row to one expert, which alone is computed:
the mean over test rows of gate and expert, and the worst expert, on {device} in float32. Gate and experts learn by
expectation and maximisation, from copies of one tree of a search's front. **A mixture is an ensemble over existing
trees, not a second kind of tree in the search**: a node cannot choose between subtrees, and the engine's loss is of all
outputs with one weight a row, so a search evolves the tree and the mixture multiplies it. *{macs}*: of the front's
members the one of the lowest honest error that, with the gate, has no more MACs than the best tree; *{flash}*: no more
flash with all experts. On a hold-out without such a member the row lacks it. *{trained}*: the best tree, trained for as
many epochs as an expert. The Pareto ensemble computes all its members. Flash of several trees is an upper bound: what
they share counts in each."""
SHARING = """## Trees of several tasks

Each table has a task of numbers and one of classes: vehicle's class and its first column; for friedman and energy the
second task is made, the third of the training rows in which the number lies (the file of energy has one load of two).
A trunk of {trunk} small random trees gives the heads of both tasks their inputs and is trained through both, by exact
gradients; or each task has a trunk of its own, of half the size or of the same. The trunk counts once."""
LIMITED = """### Convergence, pruning, quantisation

Medians. *Loss*: of the training after the first round or epoch, a quarter, a half, and at the end (mixtures: of all
experts by their responsibilities). *Prunable*: the largest share of the nodes of every tree that can be cut by
`{criterion}` without training at a loss of one point of the validation score or less. The last columns: validation
score lost with weights of few bits; edges into outputs keep 8 bits."""
PICTURE = "![Test score over the mean multiply-accumulates](mixtures.png)"


def render(rows: ResultRows, results: Path) -> None:
    mixed, shared = ([row for row in rows if row["job"] == job] for job in (EXPERTS, TASKS))
    limited = LIMITED.format(criterion=CRITERION)
    parts = []
    if mixed:
        text = MIXED.format(device=DEVICE, macs=MACS, flash=FLASH, trained=TRAINED)
        parts += [text, _table(mixed, EXPERTS), PICTURE, limited, _limits(mixed, EXPERTS)]
    if shared:
        parts += [SHARING.format(trunk=TRUNK), _table(shared, TASKS), _each_task(shared), _limits(shared, TASKS)]
    write_text(results / "mixtures.md", page(TITLE, TEXT.format(command=COMMAND, seeds=seeds_of(rows)), *parts))
    if mixed:
        save(picture(mixed), results / "mixtures.png")


def headline(rows: ResultRows) -> str:
    text = f"{COMMAND}; [mixtures.md](mixtures.md)."
    shown = [_table([row for row in rows if row["job"] == job], job) for job in WAYS]
    return "\n\n".join(part for part in (f"## {TITLE}", text, *shown) if part)


def values(rows: ResultRows, table: str, method: str, column: str) -> dict[int, float]:
    """By seed; cells without a number are left out."""
    own = [row for row in rows if (row["table"], row["method"]) == (table, method) and row[column]]
    return {int(row["seed"]): float(row[column]) for row in own}


def _median(rows: ResultRows, table: str, method: str, column: str) -> float:
    found = list(values(rows, table, method, column).values())
    return float(np.median(found)) if found else float("nan")


def _table(rows: ResultRows, job: str) -> str:
    if not rows:
        return ""
    columns = COUNTS if job == EXPERTS else COUNTS[:2]
    lines = []
    for table in present(TABLES[job], rows, "table"):
        apart = _apart(rows, table, WAYS[job], BASES[job])
        for method in present(WAYS[job], [row for row in rows if row["table"] == table], "method"):
            counts = [_count(_median(rows, table, method, column), column) for column in columns]
            score = figure(_median(rows, table, method, "test_score"))
            lines.append([f"{table}, {method}", score, *apart.get(method, ("", "")), *counts])
    labels = [column.replace("_", " ") for column in columns]
    return right(["", "test score, median", f"− {BASES[job]}", "p", *labels], lines)


def _count(value: float, column: str) -> str:
    if np.isnan(value):
        return NONE
    return figure(value, 2) if column == "least_share" or column.endswith("_us") else whole(value)


def _apart(rows: ResultRows, table: str, methods: Sequence[str], base: str) -> dict[str, tuple[str, str]]:
    """The differences of test scores from the base, and p."""
    wanted = values(rows, table, base, "test_score")
    pairs = {name: paired(values(rows, table, name, "test_score"), wanted) for name in methods if name != base}
    pairs = {name: pair for name, pair in pairs.items() if len(pair[0])}
    if not pairs:
        return {}
    p = holm([signed_rank_p(*pair) for pair in pairs.values()])
    found = zip(pairs.items(), p, strict=True)
    return {name: (difference(*pair, float(each)).text(3), f"{each:.2g}") for (name, pair), each in found}


def _each_task(rows: ResultRows) -> str:
    lines = [
        [f"{table}, {method}", *(figure(_median(rows, table, method, c)) for c in ("number_score", "class_score"))]
        for table in present(TABLES[TASKS], rows, "table")
        for method in WAYS[TASKS]
    ]
    return right(["", "R² of the number", "accuracy of the class"], lines)


def _limits(rows: ResultRows, job: str) -> str:
    columns = (*MARKS, "prunable", *(f"lost_{name}" for name in FORMATS))
    lines = [
        [f"{table}, {method}", *(figure(_median(rows, table, method, column)) for column in columns)]
        for table in present(TABLES[job], rows, "table")
        for method in WAYS[job]
        if values(rows, table, method, "prunable")
    ]
    labels = [column.replace("_", " ").replace("lost ", "") for column in columns]
    return right(["", *labels], lines)


def picture(rows: ResultRows) -> Figure:
    """A panel for each table: medians."""
    tables = present(TABLES[EXPERTS], rows, "table")
    made = Figure(figsize=(1.5 + 2.4 * len(tables), 3.2), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False)[0]
    colours = (style.BLACK, style.GREY, style.GREEN, style.YELLOW, style.BLUE, style.PURPLE, style.ORANGE)
    for ax, table in zip(panels, tables, strict=True):
        for method, colour in zip(WAYS[EXPERTS], colours, strict=True):
            x, y = (_median(rows, table, method, column) for column in ("mean_macs", "test_score"))
            ax.plot(x, y, "o", color=colour, label=method)
        ax.set(title=table, xlabel="mean MACs")
        ax.grid(alpha=0.25)
    panels[0].set_ylabel("test score, median")
    panels[-1].legend(frameon=False, fontsize=6)
    return made
