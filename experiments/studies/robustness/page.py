"""results/robustness.md and .png."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.common.statistics import holm, paired, signed_rank_p
from experiments.rendering.searches import ResultRows, difference, names, present, seeds_of
from experiments.rendering.text import NONE, figure, page, right, signed
from experiments.studies.robustness import parameters, variants
from experiments.studies.robustness.conditions import (
    BEYOND,
    LOOSE,
    MISSING,
    MORE_STEPS,
    NOISE,
    RADII,
    STARTS,
    STEPS,
    TOLERANCE,
)
from experiments.studies.robustness.robust_searches import CHOSEN, RADIUS, WAYS
from experiments.studies.robustness.run import INT8, PARAMETERS, TABLES, TREES
from experiments.studies.robustness.variants import HARD, LONGER, PLAIN, PRUNED, ROUNDED, SOFT
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

TITLE, COMMAND = "Robustness of trees", "`python -m experiments.run studies/robustness`"
NUMBERS = "friedman"  # the one table of numbers: its R² is apart from the accuracies
TEXT = """Written by `python -m experiments.render` from [robustness.csv](robustness.csv), made by {command}.

Random trees of about {sizes} weights, trained on the training rows of {seeds}; their test rows are changed and choose
nothing. All changes are in standard deviations of an input, and every input changes at once. Scores are accuracies,
means over {tables}; those of {numbers} are R². **Proved**: the share of the rows that are right and whose class no
change within the radius changes, by intervals; of {numbers} the lower bound of R². PGD takes {steps} steps. Attacks on
8-bit code follow the derivatives of the float tree, and are therefore weaker: only what is proved compares the two."""
CHANGED = "## Noise, missing inputs and attacks"
RADIUS_TEXT = """## Certified radii, and how loose they are

The largest radius within which the prediction is proved to stay the same; of {numbers}, to move by no more than
{tolerance} standard deviations of the target. "PGD at": the share of the rows whose prediction PGD changes at a
multiple of the radius, from the row or from one of {starts} random starts, in {steps} steps each. The aim is 90 % at
twice the radius; where PGD finds fewer, the bound is loose, or PGD is weak: a saturated tree has no derivative.
"Inside": the same within the radius, which must be none."""
TAUGHT = """## Training

The largest trees, trained further in each way, by as many rows: on clean rows ("{longer}"); on the rows and on what PGD
at {radius} makes of them, with their labels ("{hard}") or with the probabilities that the tree
expected on the clean rows ("{soft}", after DYNAT, ICONIP 2024, whose deck has no formula); as the
integers of a format, whose rounding is noise in training; and with half of the nodes cut. Mean differences over
all hold-outs of the tables of classes, with the 95 % interval of the bootstrap, and p of Wilcoxon's signed-rank test
with Holm's correction for each row."""
ROUNDING = """Rounding as a regulariser (source 002: the noise of quantisation makes models generalise): accuracy on
training and test rows, means over the tables of classes, of the weights that training leaves as floats, and of 8-bit
code."""
LOST = """## Parameters that a tree can lose

Trees of about {size} weights, after Pravin et al. (2024). An edge is fragile if the score falls without it, robust if
it stays, antifragile if it rises: shares in %, means, on clean rows and under FGSM at {radius}."""
FILTERED = """Accuracy after a filter of the sizes of weights took a share of the edges, clean / under the attack on the
whole tree; means over the tables of classes:"""
FLIPPED = "Random flips of bits of the 8-bit weights, means of {draws} draws, clean / under the same attack:"
SEARCHES = """## Searches with `robust_error`

Searches at equal training, {seeds} per table; the member of the front that validation rows choose, by each of two
errors. The radius of `robust_error` is {radius}. Means over {tables}; p: signed ranks of pairs of hold-outs, against
the same choice in the search without."""
SCORES = ("clean", *(f"noise_{sd}" for sd in NOISE), *(f"missing_{share}" for share in MISSING))
ATTACKS = tuple(f"{kind}_{radius}" for radius in RADII for kind in ("fgsm", "pgd", "proved"))


def render(rows: ResultRows, results: Path) -> None:
    trees, lost = ([row for row in rows if row["job"] == job] for job in (TREES, PARAMETERS))
    searched = [row for row in rows if row["job"] in WAYS]
    parts: list[str] = []
    if trees:
        parts += [CHANGED, "![scores by noise and by attack](robustness.png)", *_changed(trees), *_radii(trees)]
        parts += _training(trees)
    parts += _lost(lost) if lost else []
    parts += _searches(searched) if searched else []
    write_text(results / "robustness.md", page(TITLE, _text(trees or rows), *parts))
    if trees:
        save(picture(trees), results / "robustness.png")


def headline(rows: ResultRows) -> str:
    trees = [row for row in rows if row["job"] == TREES]
    shown = _compared(trees) if trees else ""
    return "\n\n".join(part for part in (f"## {TITLE}", f"{COMMAND}; [robustness.md](robustness.md).", shown) if part)


def _text(rows: ResultRows) -> str:
    sizes = " and ".join(_sizes(rows))
    return TEXT.format(
        command=COMMAND, sizes=sizes, seeds=seeds_of(rows), tables=_listed(rows), numbers=NUMBERS, steps=STEPS
    )


def _sizes(rows: ResultRows) -> list[str]:
    return sorted({row["size"] for row in rows if row["size"]}, key=int)


def _classes(rows: ResultRows) -> ResultRows:
    return [row for row in rows if row["table"] != NUMBERS]


def _listed(rows: ResultRows) -> str:
    return ", ".join(present(TABLES, _classes(rows), "table"))


def _of(rows: ResultRows, **wanted: str) -> ResultRows:
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def _mean(rows: ResultRows, column: str) -> float | None:
    """The mean over the tables of their means over the hold-outs; None if a table has no value."""
    means = []
    for table in names(rows, "table"):
        found = [float(row[column]) for row in _of(rows, table=table) if row[column]]
        if found:
            means.append(float(np.mean(found)))
    return float(np.mean(means)) if means else None


def _cells(rows: ResultRows, columns: Iterable[str]) -> list[str]:
    return [figure(_mean(rows, column)) for column in columns]


def _parts(rows: ResultRows) -> list[tuple[str, ResultRows]]:
    """The rows of the tables of classes, and of each table of numbers."""
    numbers = _of(rows, table=NUMBERS)
    return [("accuracy", _classes(rows)), *[(f"R² of {NUMBERS}", numbers)] * bool(numbers)]


def _plain(rows: ResultRows) -> list[tuple[str, ResultRows]]:
    """The trees as they were first trained, of each size, as floats and as 8-bit code."""
    labels = [(name, size) for size in _sizes(rows) for name in (PLAIN, PLAIN + INT8)]
    return [(f"{size} weights{name[len(PLAIN) :]}", _of(rows, model=name, size=size)) for name, size in labels]


def _changed(rows: ResultRows) -> list[str]:
    found = []
    for what, part in _parts(rows):
        noise = ["", *(name.replace("_", " ") for name in SCORES)]
        found.append(right([what, *noise[1:]], [[name, *_cells(each, SCORES)] for name, each in _plain(part)]))
        lines = [[name, *_cells(each, ATTACKS)] for name, each in _plain(part)]
        found.append(right([what, *(name.replace("_", " ") for name in ATTACKS)], lines))
    return found


def _radii(rows: ResultRows) -> list[str]:
    header = ["", "mean radius", "median", *(f"PGD at {by:g}" for by in BEYOND), "inside"]
    columns = ("radius", "median_radius", *LOOSE)
    lines = []
    for table in present(TABLES, rows, "table"):
        lines += [[f"{table}, {name}", *_cells(each, columns)] for name, each in _plain(_of(rows, table=table))]
    return [
        RADIUS_TEXT.format(numbers=NUMBERS, tolerance=TOLERANCE, starts=STARTS, steps=MORE_STEPS),
        right(header, lines),
    ]


def _largest(rows: ResultRows) -> ResultRows:
    return _of(rows, size=_sizes(rows)[-1])


def _training(rows: ResultRows) -> list[str]:
    text = TAUGHT.format(radius=variants.RADIUS, longer=LONGER, hard=HARD, soft=SOFT)
    largest = _classes(_largest(rows))
    lines = []
    for name in (PLAIN, LONGER, *ROUNDED):
        for label in (name, name + INT8):
            each = _of(largest, model=label)
            if each:
                lines.append([label, *_cells(each, ("train_score", "clean"))])
    rounding = right(["", "training rows", "test rows"], lines)
    return [text, _compared(rows), _means(rows), ROUNDING, rounding]


COMPARED = ("clean", "noise_0.5", "pgd_0.1", "pgd_0.2", "proved_0.1", "proved_0.2")


def _compared(rows: ResultRows) -> str:
    """The differences of the variants from the tree that was trained longer, and of soft from hard labels."""
    largest = _classes(_largest(rows))
    lines = []
    for name, base in (*((name, LONGER) for name in (HARD, SOFT, *ROUNDED, PRUNED)), (SOFT, HARD)):
        pairs = [_pairs(largest, name, base, column) for column in COMPARED]
        adjusted = holm([signed_rank_p(*pair) for pair in pairs])
        found = [difference(*pair, float(p)) for pair, p in zip(pairs, adjusted, strict=True)]
        lines.append([f"{name} − {base}", *(f"{each.text(3)}, p {figure(each.p)}" for each in found)])
    return right(["difference", *(column.replace("_", " ") for column in COMPARED)], lines)


def _pairs(rows: ResultRows, name: str, base: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """The values of two models on the same tables and hold-outs."""
    found = []
    for table in names(rows, "table"):
        first, second = (
            {int(row["seed"]): float(row[column]) for row in _of(rows, table=table, model=model)}
            for model in (name, base)
        )
        found.append(paired(first, second))
    return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])


def _means(rows: ResultRows) -> str:
    """The scores of all variants."""
    lines = [
        [f"{what}, {name}", *_cells(_of(_largest(part), model=name), (*COMPARED, "radius"))]
        for what, part in _parts(rows)
        for name in variants.VARIANTS
    ]
    return right(["", *(column.replace("_", " ") for column in COMPARED), "mean radius"], lines)


def _lost(rows: ResultRows) -> list[str]:
    text = LOST.format(size=_sizes(rows)[0], radius=parameters.RADIUS)
    kinds = [f"{kind}_{at}" for at in ("clean", "attacked") for kind in ("fragile", "robust", "antifragile")]
    lines = []
    for table in present(TABLES, rows, "table"):
        each = _of(rows, table=table, model=parameters.EDGES)
        lines.append([table, *(figure(100 * (_mean(each, kind) or 0.0), 0) for kind in kinds)])
    edges = right(["edges, %", *(kind.replace("_", ", ") for kind in kinds)], lines)
    found = _classes(rows)
    filters = right(
        ["filter", *(f"{100 * share:g} % taken" for share in parameters.SHARES)],
        [[name, *_both(_of(found, model=name), parameters.SHARES)] for name in parameters.FILTERS],
    )
    flips = right(
        ["bits flipped", *map(str, parameters.FLIPS)],
        [["accuracy", *_both(_of(found, model=parameters.BITS), parameters.FLIPS)]],
    )
    return [text, edges, FILTERED, filters, FLIPPED.format(draws=parameters.DRAWS), flips]


def _shown(rows: ResultRows) -> str:
    return " / ".join(_cells(rows, ("clean", "attacked")))


def _both(rows: ResultRows, levels: Sequence[float]) -> list[str]:
    return [_shown([row for row in rows if float(row["removed"]) == level]) for level in levels]


FOUND = ("clean", "pgd_0.1", "proved_0.1", "pgd_0.2", "proved_0.2", "radius")


def _searches(rows: ResultRows) -> list[str]:
    text = SEARCHES.format(seeds=seeds_of(rows), radius=RADIUS, tables=", ".join(present(TABLES, rows, "table")))
    usual, own = WAYS
    lines = []
    for by in CHOSEN:
        for way in (usual, own):
            each = _of(rows, job=way, chosen_by=by)
            weights = figure(_mean(each, "weights"), 0)
            lines.append([f"{way}, least {by}", weights, *_cells(each, FOUND)])
        chosen = _of(rows, chosen_by=by)
        pairs = [_pairs(chosen, own, usual, column) for column in FOUND]
        lines.append(["difference, p", NONE, *(_difference(*pair) for pair in pairs)])
    return [text, right(["chosen member", "weights", *(name.replace("_", " ") for name in FOUND)], lines)]


def _difference(first: np.ndarray, second: np.ndarray) -> str:
    return f"{signed(float(np.mean(first - second)))}, p {figure(signed_rank_p(first, second))}"


def picture(rows: ResultRows) -> Figure:
    """The accuracy by noise and by attack, and what is proved, of the largest trees."""
    made = Figure(figsize=(9, 3.4), layout="constrained")
    panels = made.subplots(1, 3, sharey=True)
    largest = _classes(_largest(rows))
    shown = dict(zip((LONGER, HARD, SOFT, PRUNED), (style.BLACK, style.VERMILION, style.SKY, style.GREEN), strict=True))
    for ax, kind, levels in zip(panels, ("noise", "pgd", "proved"), (NOISE, RADII, RADII), strict=True):
        for name, colour in shown.items():
            each = _of(largest, model=name)
            values = [_mean(each, column) for column in ("clean", *(f"{kind}_{level}" for level in levels))]
            ax.plot((0, *levels), values, marker="o", ms=3, color=colour, label=name)
        ax.set(title=kind, xlabel="standard deviations")
        ax.grid(alpha=0.25)
    panels[0].set_ylabel("accuracy")
    panels[0].legend(frameon=False, fontsize=7)
    return made
