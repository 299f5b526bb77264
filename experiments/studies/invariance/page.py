"""results/invariance.md and .png."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.common.paper_tables import CLASSIFICATION, REGRESSION
from experiments.rendering.searches import ResultRows, of, present
from experiments.rendering.text import NONE, figure, page, right, signed, whole
from experiments.studies.invariance.invariance_picture import picture
from experiments.studies.invariance.model_kinds import KINDS
from experiments.studies.invariance.power_law import Interval, bootstrapped, fitted
from experiments.studies.invariance.run import (
    AFTER,
    COURSE,
    FORMATS,
    ROWS,
    SHARES,
    SIZES,
    TABLES,
    TRAINED_SHARES,
    VALIDATION,
    job,
)
from experiments.studies.invariance.size_limits import (
    CUTS,
    LOSES,
    SPREAD,
    WITHIN,
    Compressible,
    Limits,
    Points,
    by_size,
    compressible,
    frontier,
    limits,
    lost,
    minimum_for_stability,
)
from experiments.studies.invariance.small_trees import SIZES as SMALL_SIZES
from experiments.studies.invariance.small_trees import SMALL
from experiments.studies.pruning.run import FIRST_EPOCHS
from neuraltree.compress.pruning.path import EPOCHS
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS
from search.folder.records import write_text
from search.pictures.run_pictures import save

TITLE, COMMAND = "Invariance: convergence, pruning and bits by size", "`python -m experiments.run studies/invariance`"
NAMES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
KIND_NAMES = {"tree": "tree", "network": "MLP"}
# Deck *Resource Efficient AI*, *Summary*: parameters for stable learning, safe pruning in %, gap of 8 bits in points.
DECK = (
    ("MNIST", "DNN", 20_000, 60, 0.15),
    ("MNIST", "CNN", 30_000, 20, 0.74),
    ("MNIST", "ViT", 5_000, 20, 10.66),
    ("Fashion-MNIST", "DNN", 20_000, 40, 1.42),
    ("Fashion-MNIST", "CNN", 30_000, 20, 1.10),
    ("Fashion-MNIST", "ViT", 5_000, 20, 3.22),
    ("CIFAR-10", "DNN", 2_000_000, 40, 7.50),
    ("CIFAR-10", "CNN", 3_000_000, 5, 14.80),
    ("CIFAR-10", "ViT", 6_000, 10, 4.17),
)
TEXT = """Made by {command}. The sources (deck *Resource Efficient AI*, *Architectural Invariance*; arXiv 2601.17987)
name the fewest parameters for stable learning, safe pruning and the gap
of 8 bits, and define none of them. Here:

- *stable*: the standard deviation over seeds of the validation error is below {spread} point, and its mean within
  {within} points of the best size; the *minimum for stability* is the smallest stable size above which all are stable;
- *safe pruning*: the largest share of the edges from pixels that can be cut at once, by the Taylor criterion over all
  edges, while the mean validation error rises by at most {loses} point; without training afterwards, and with
  {after} epochs at a rate of {rate};
- *8-bit gap*: what the test error rises by with 8-bit weights; *maximal quantisation*: the fewest bits of an edge with
  which the validation error rises by at most {loses} point, a scale for each node; edges into outputs stay exact, and
  nothing is trained afterwards;
- *regime*: *unstable* with a deviation of {spread} point or more, else *overfitting* if validation loss rises in the
  last third of the epochs while training loss falls, else *learning*.

Trees have a trunk of ReLU nodes for each class, and each node reads as many random pixels as the weights allow;
outputs of our trees share no nodes, so this is the multi-output tree too. The MLP has one hidden layer, as wide as the
weights allow; one hidden unit has about 700, so its smallest sizes differ. Pixels that never change are not read.
{rows:,} training rows without shifts, {validation:,} validation rows, {epochs} epochs of Adam with a cosine; rates were
chosen by validation rows of MNIST with another seed. So errors are larger than in [mnist.md](mnist.md), where trees
are pruned in training and see 55,000 shifted images. Shares and bits are chosen by validation rows; the 10,000 test
images score everything once and choose nothing. Costs on test rows are in points, in brackets."""
ANSWERS = {True: "yes", False: "no", None: NONE}
LIMITS = ("safe pruning, %", "with training, %", "8-bit gap", "fewest bits")
DECK_TEXT = """## The deck's table beside ours

The deck's ViT of 5,000 parameters cannot be all of it: with its width of 784 a single attention block has 4 · 784² =
2.46 million weights, and the output layer alone 7,850. CIFAR-10 is not among our data."""
SMALL_TEXT = """## Small trees

Random trees on the papers' 14 tables, trained for {epochs} epochs on three quarters of the training rows of a hold-out;
the last quarter are the validation rows. Shares are of the nodes, as far as every output keeps a child; training after
a cut has {after} epochs; a point is .01 of accuracy or R². *sd*: over seeds, the mean over tables. Means over tables
and {seeds} seeds:"""
LAW_TEXT = """## The power law of error and resources

error = c + a x^−α, least squared relative test error, with 95 % intervals of a bootstrap over seeds; *off*: the root
mean square of the relative residuals. By weights: all sizes after the last epoch. By cost: the sizes and epochs that
no other beats in both weight·samples and validation error. A floor c of zero means that the law alone describes our
range, not that more weights would end all errors."""
PICTURE = "![error, safe pruning and bits against weights](invariance.png)"


def render(rows: ResultRows, results: Path) -> None:
    tables = present(TABLES, rows, "table")
    found = {(table, kind): limits(rows, table, kind) for table in tables for kind in _kinds(rows, table)}
    about = {"spread": figure(100 * SPREAD, 1), "within": f"{100 * WITHIN:g}", "loses": f"{100 * LOSES:g}"}
    text = TEXT.format(
        command=COMMAND,
        **about,
        after=AFTER.epochs,
        rate=figure(AFTER.rate),
        rows=ROWS,
        validation=VALIDATION,
        epochs=COURSE.epochs,
    )
    parts = [text, PICTURE, DECK_TEXT, summary_table(found), *_small(rows)]
    for table in tables:
        parts += [f"## {NAMES[table]}", _sizes(found, table), _cuts(rows, table), _formats(rows, table)]
    write_text(results / "invariance.md", page(TITLE, *parts, LAW_TEXT, laws(rows)))
    save(picture(rows, found), results / "invariance.png")


def headline(rows: ResultRows) -> str:
    tables = present(TABLES, rows, "table")
    found = {(table, kind): limits(rows, table, kind) for table in tables for kind in _kinds(rows, table)}
    text = f"{COMMAND}; [invariance.md](invariance.md). Definitions of the limits are ours; the deck has none."
    return "\n\n".join((f"## {TITLE}", text, summary_table(found), PICTURE))


def _kinds(rows: ResultRows, table: str) -> list[str]:
    return [kind for kind in KINDS if any(of(rows, table, job(kind, size)) for size in SIZES)]


def summary_table(found: dict[tuple[str, str], dict[int, Limits]]) -> str:
    """The deck's figures, and ours at the minimum for stability."""
    header = (
        "data",
        "model",
        "minimum for stability",
        "safe pruning, %",
        "with training, %",
        "8-bit gap, points",
        "fewest bits",
    )
    lines = [
        [data, f"deck: {name}", whole(size), str(cut), NONE, figure(gap, 2), NONE]
        for data, name, size, cut, gap in DECK
    ]
    for (table, kind), sizes in found.items():
        least = minimum_for_stability(sizes)
        cells = [NONE] * 5 if least is None else [whole(sizes[least].weights), *_limit_cells(sizes[least])]
        lines.append([NAMES[table], f"ours: {KIND_NAMES[kind]}", *cells])
    return right(header, sorted(lines, key=lambda line: [*NAMES.values(), "CIFAR-10"].index(line[0])), left=2)


def _limit_cells(of_size: Limits | Compressible) -> list[str]:
    """Safe pruning without and with training, the gap and the fewest bits."""
    cuts = [
        NONE if each is None else f"{100 * each[0]:.0f} ({_points(each[1])})"
        for each in (of_size.safe[part] for part in CUTS)
    ]
    bits = NONE if of_size.bits is None else f"{of_size.bits[0]} ({_points(of_size.bits[1])})"
    return [*cuts, _points(of_size.gap), bits]


def _points(share: float) -> str:
    return signed(100 * share, 2)


def _sizes(found: dict[tuple[str, str], dict[int, Limits]], table: str) -> str:
    header = (
        "model",
        "weights",
        "seeds",
        "test error, %",
        "validation error, %",
        "regime",
        "stable",
        "safe pruning, %",
        "with training, %",
        "8-bit gap",
        "fewest bits",
    )
    lines = []
    for (name, kind), sizes in found.items():
        for each in sizes.values() if name == table else ():
            val = f"{figure(100 * each.val_error, 2)} ± {figure(100 * each.val_sd, 2)}"
            about = [
                str(each.seeds),
                figure(100 * each.test_error, 2),
                val,
                each.regime,
                ANSWERS[each.stable],
            ]
            lines.append([KIND_NAMES[kind], whole(each.weights), *about, *_limit_cells(each)])
    return right(header, lines)


def _levels(rows: ResultRows, table: str, head: list[str], cells: Callable[[ResultRows], list[str]]) -> str:
    """A line for each kind and size."""
    lines = []
    for kind in _kinds(rows, table):
        for size in SIZES:
            if mine := of(rows, table, job(kind, size)):
                lines.append([KIND_NAMES[kind], whole(_mean_weights(mine)), *cells(mine)])
    return right(["model", "weights", *head], lines)


def _cuts(rows: ResultRows, table: str) -> str:
    def cells(mine: ResultRows) -> list[str]:
        return [_points(lost(mine, part, str(share), "test_error")) for part, shares in _shares() for share in shares]

    head = [f"{100 * share:g} %{', trained' * (part == 'trained')}" for part, shares in _shares() for share in shares]
    about = (
        "Points that the mean test error rises by if a share of the edges is cut; 0 % is the control, trained as long:"
    )
    return f"{about}\n\n{_levels(rows, table, head, cells)}"


def _shares() -> list[tuple[str, tuple[float, ...]]]:
    return [("cut", SHARES[1::2]), ("trained", TRAINED_SHARES)]


def _formats(rows: ResultRows, table: str) -> str:
    def cells(mine: ResultRows) -> list[str]:
        return [_points(lost(mine, "format", name, "test_error")) for name in FORMATS]

    head = [f"{name} ({WEIGHT_FORMATS[name].bits} bit)" for name in FORMATS]
    return f"Points that the mean test error rises by in a format:\n\n{_levels(rows, table, head, cells)}"


def _small(rows: ResultRows) -> list[str]:
    seeds = len({row["seed"] for row in rows if row["job"].startswith(SMALL)})
    return [SMALL_TEXT.format(epochs=FIRST_EPOCHS, after=EPOCHS, seeds=seeds), small(rows)] if seeds else []


def small(rows: ResultRows) -> str:
    """A line for each size and kind of table."""
    lines = []
    for size in SMALL_SIZES:
        for name, tables in (("accuracy", CLASSIFICATION), ("R²", REGRESSION)):
            mine = [row for row in rows if row["job"] == job(SMALL, size) and row["table"] in tables]
            if mine:
                errors = [[*_errors_of(mine, table)] for table in present(tables, mine, "table")]
                about = [whole(_mean_weights(mine)), figure(1 - float(np.mean([np.mean(each) for each in errors])))]
                spread = float(np.mean([np.std(each, ddof=1) for each in errors])) if len(errors[0]) > 1 else None
                lines.append([name, *about, figure(spread), *_limit_cells(compressible(mine))])
    header = ("score", "weights", "of test rows", "sd", *LIMITS)
    return right(header, lines)


def _errors_of(mine: ResultRows, table: str) -> list[float]:
    return [float(row["test_error"]) for row in mine if row["table"] == table and row["part"] == "epoch"]


def _mean_weights(mine: ResultRows) -> float:
    return float(np.mean([float(row["weights"]) for row in mine if row["part"] == "epoch"]))


def laws(rows: ResultRows) -> str:
    lines = []
    for table in present(TABLES, rows, "table"):
        for kind in _kinds(rows, table):
            for name, points in (
                ("weights", by_size(rows, table, kind)),
                ("weight·samples", frontier(rows, table, kind)),
            ):
                if len(points) >= 3:
                    lines.append([NAMES[table], KIND_NAMES[kind], name, *_law_cells(points)])
    header = ("data", "model", "x", "points", "c, %", "α", "off, %")
    return right(header, lines, left=3) if lines else "Too few sizes for a law."


def _law_cells(points: Points) -> list[str]:
    x = np.repeat([each for each, _ in points], [len(errors) for _, errors in points])
    errors = np.concatenate([errors for _, errors in points])
    law, spans = fitted(x, errors), bootstrapped(x, errors)
    off = float(np.sqrt(np.mean(np.square(np.log(law(x) / errors)))))
    floor = _with_span(100 * law.floor, Interval(*(100 * end for end in spans["floor"])))
    return [str(len(points)), floor, _with_span(law.exponent, spans["exponent"]), figure(100 * off, 1)]


def _with_span(value: float, span: Interval) -> str:
    return f"{figure(value, 2)} [{figure(span.low, 2)}, {figure(span.high, 2)}]"
