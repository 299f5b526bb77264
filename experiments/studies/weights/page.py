"""results/weights.md and .png."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.common.statistics import signed_rank_p
from experiments.rendering.searches import ResultRows, present
from experiments.rendering.text import NONE, figure, page, right, signed, whole
from experiments.studies.weights.run import COURSE, DRAWS, GROUPS, PIXEL_ROWS, PIXEL_TREES, SHARES, TABLES, TREES
from neuraltree.arrays import FloatArray
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

TITLE, COMMAND = "Statistics of weights", "`python -m experiments.run studies/weights`"
TEXT = """Made by {command}; means over seeds, of which there are {seeds}. The sources disagree: the deck *Resource
Efficient AI* (*Learnable Parameters*) says that the weights of failed, suboptimal and successful models are clearly
similar, whatever the size, the paper behind it (arXiv 2408.11720) that those of poor models vary. Here {trees} random
trees of a size ({pixel_trees} on MNIST, of {pixel_rows:,} images), which nothing has pruned, are trained on
standardised inputs by Adam at a constant rate, on the tables for {epochs} epochs. Repeated leaves are merged first.
Thirds by validation loss are the *successful*, *suboptimal* and *failed* trees; test rows are not read. Weights are
those of all edges, without biases. KS: Kolmogorov and Smirnov's distance, the largest gap of two cumulative
distributions, from 0 to 1. p: Wilcoxon's signed-rank test over tables, sizes and seeds; these share rows, so p is too
small."""
NORMAL = """## Are they Gaussian?

Means over the trees. Excess kurtosis is 0 for a normal distribution. KS to the normal of a tree's own moments;
*chance*: what as many normal numbers have."""
ALIKE = """## Are failed and successful trees alike?

KS of the pooled weights from those of the successful trees; *chance*: of random thirds of the trees from each other.
*Apart*: the mean KS of pairs of trees within a group, beside that of trees whose weights are dealt out at random."""
ACROSS = """## Across sizes

Successful trees of a size beside those of the next: KS, Wasserstein's distance in deviations of the latter, and KS
once both have mean 0 and deviation 1; *chance*: if the weights of both are dealt out at random."""
FIXED = """## Fixed points

The distance of a tree's weights and biases from the last ones, in % of that at birth; medians over trees, means over
tables and sizes. The rate is constant: a falling one would end at a fixed point by itself."""
WIDE = """## 10,000 neurons at birth

The output of a tree whose weights are drawn anew {draws} times, on one row: an output with so many hidden ReLU nodes
of four inputs each. p: Kolmogorov and Smirnov's test for a normal of fitted moments. A wide output is normal in the
limit (Neal 1996; Lee et al. 2018): a check of the generator, and no effect of training."""
PICTURE = "![distances of groups, fixed points, and wide outputs](weights.png)"
COLOURS = dict(zip(GROUPS, (style.GREEN, style.ORANGE, style.VERMILION), strict=True))


def render(rows: ResultRows, results: Path) -> None:
    about = {"trees": TREES, "pixel_trees": PIXEL_TREES, "pixel_rows": PIXEL_ROWS[0]}
    seeds = len({row["seed"] for row in _of(rows, "group")})
    text = TEXT.format(command=COMMAND, seeds=seeds, epochs=COURSE.stretches * COURSE.epochs, **about)
    parts = [text, verdict(rows), PICTURE, NORMAL, _normal(rows), ALIKE, _alike(rows), ACROSS, _across(rows), FIXED]
    parts += [_fixed(rows), WIDE.format(draws=DRAWS), _wide(rows)]
    write_text(results / "weights.md", page(TITLE, *parts))
    save(picture(rows), results / "weights.png")


def headline(rows: ResultRows) -> str:
    return "\n\n".join((f"## {TITLE}", f"{COMMAND}; [weights.md](weights.md).", verdict(rows), PICTURE))


def _of(rows: ResultRows, part: str, **wanted: str) -> ResultRows:
    return [row for row in rows if row["part"] == part and all(row[key] == value for key, value in wanted.items())]


def _mean(rows: ResultRows, column: str) -> float:
    return float(np.mean([float(row[column]) for row in rows])) if rows else float("nan")


def _cells(rows: ResultRows, columns: Iterable[str], digits: int = 3) -> list[str]:
    return [figure(_mean(rows, column), digits) for column in columns]


def by_case(rows: ResultRows, group: str, column: str) -> FloatArray:
    """(cases,) the values of a group for each table, size and seed, in one order."""
    found = {(row["table"], row["size"], row["seed"]): float(row[column]) for row in _of(rows, "group", group=group)}
    return np.array([found[case] for case in sorted(found)])


def verdict(rows: ResultRows) -> str:
    """The claims beside the figures, as a list."""
    good, bad = GROUPS[0], GROUPS[-1]
    far, chance = by_case(rows, bad, "ks_best"), by_case(rows, bad, "ks_best_chance")
    within = {group: by_case(rows, group, "apart") for group in GROUPS}
    born, trained = _mean(_of(rows, "birth"), "kurtosis"), _mean(_of(rows, "group"), "kurtosis")
    across, shape = (_mean(_of(rows, "sizes"), column) for column in ("ks_best", "ks_shape"))
    lines = [
        f"Failed from successful trees: KS {figure(far.mean())}, random thirds {figure(chance.mean())} "
        f"(p = {signed_rank_p(far, chance):.2g} over {len(far)} cases).",
        f"Failed trees are {figure(within[bad].mean())} apart from each other, successful ones "
        f"{figure(within[good].mean())} (p = {signed_rank_p(within[bad], within[good]):.2g}).",
        f"Successful trees of two sizes: KS {figure(across)}; once both have equal moments {figure(shape)}.",
        f"Excess kurtosis {signed(born, 2)} at birth and {signed(trained, 2)} after training.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _cases(rows: ResultRows) -> list[tuple[str, str]]:
    found = {(row["table"], row["size"]) for row in _of(rows, "group")}
    return [
        (table, size) for table in present(TABLES, rows, "table") for size in _sorted(s for t, s in found if t == table)
    ]


def _sorted(sizes: Iterable[str]) -> list[str]:
    return sorted(set(sizes), key=float)


def _groups(rows: ResultRows, table: str, size: str) -> list[ResultRows]:
    return [_of(rows, "group", table=table, size=size, group=group) for group in GROUPS]


def _normal(rows: ResultRows) -> str:
    lines = []
    for table, size in _cases(rows):
        born, groups = _of(rows, "birth", table=table, size=size), _groups(rows, table, size)
        every = [born, *groups]
        lines.append(
            [table, whole(_mean(born, "weights")), *(figure(_mean(each, "sd"), 2) for each in every)]
            + [signed(_mean(each, "skewness"), 2) for each in (groups[0], groups[-1])]
            + [signed(_mean(each, "kurtosis"), 2) for each in every]
            + [figure(_mean(each, "ks_normal")) for each in every]
            + [figure(_mean(born, "ks_chance"))]
        )
    names = ("at birth", *GROUPS)
    header = [
        "table",
        "edges",
        *(f"sd {name}" for name in names),
        *(f"skewness {name}" for name in (GROUPS[0], GROUPS[-1])),
    ]
    return right([*header, *(f"kurtosis {name}" for name in names), *(f"KS {name}" for name in names), "chance"], lines)


def _alike(rows: ResultRows) -> str:
    lines = []
    for table, size in _cases(rows):
        good, middle, bad = _groups(rows, table, size)
        loss = [figure(_mean(each, "val_loss")) for each in (good, bad)]
        cells = [*loss, *(figure(_mean(each, "ks_best")) for each in (middle, bad)), *_cells(bad, ["ks_best_chance"])]
        cells += [
            f"{figure(_mean(each, 'apart'))} / {figure(_mean(each, 'apart_chance'))}" for each in (good, middle, bad)
        ]
        lines.append([table, whole(_mean(good, "weights")), *cells])
    header = [
        "table",
        "edges",
        f"loss {GROUPS[0]}",
        f"loss {GROUPS[-1]}",
        *(f"KS {name}" for name in GROUPS[1:]),
        "chance",
    ]
    return right([*header, *(f"apart / dealt out, {name}" for name in GROUPS)], lines)


def _across(rows: ResultRows) -> str:
    lines = []
    columns = ("ks_best", "transport_best", "ks_shape", "ks_best_chance")
    for table in present(TABLES, rows, "table"):
        for size in _sorted(row["size"] for row in _of(rows, "sizes", table=table)):
            here = _of(rows, "sizes", table=table, size=size)
            lines.append([table, f"{whole(float(size))} and {whole(float(here[0]['level']))}", *_cells(here, columns)])
    return right(["table", "weights", "KS", "Wasserstein", "KS of equal moments", "chance"], lines, left=2)


def _left(rows: ResultRows, group: str, share: float) -> float:
    return 100 * _mean(_of(rows, "path", group=group, level=str(share)), "left")


def _fixed(rows: ResultRows) -> str:
    lines = [[group, *(figure(_left(rows, group, share), 0) for share in SHARES)] for group in GROUPS]
    return right(["after", *(f"{100 * share:g} % of the epochs" for share in SHARES)], lines)


def _wide(rows: ResultRows) -> str:
    lines = [
        [whole(float(row["size"])), *(figure(float(row[c]), 3) for c in ("kurtosis", "ks_normal", "ks_chance", "p"))]
        for row in _of(rows, "wide")
    ]
    return right(["hidden nodes", "excess kurtosis", "KS", "chance", "p"], lines, left=0) if lines else NONE


def picture(rows: ResultRows) -> Figure:
    made = Figure(figsize=(10, 3.2), layout="constrained")
    _distances(made.add_subplot(131), rows)
    ax = made.add_subplot(132)
    for group in GROUPS:
        ax.plot([100 * s for s in SHARES], [_left(rows, group, s) for s in SHARES], "o-", ms=3, color=COLOURS[group])
    ax.set(title="to the last weights", xlabel="epochs, %", ylabel="distance left, %")
    wide = _of(rows, "wide")
    ax = made.add_subplot(133)
    for column, look, label in (("ks_normal", "ko-", "output"), ("ks_chance", "k:", "normal numbers")):
        ax.plot([float(row["size"]) for row in wide], [float(row[column]) for row in wide], look, ms=3, label=label)
    ax.set(title="outputs at birth", xscale="log", xlabel="hidden nodes", ylabel="KS to a normal")
    ax.legend(frameon=False, fontsize=7)
    for ax in made.axes:
        ax.grid(alpha=0.25)
    return made


def _distances(ax: Axes, rows: ResultRows) -> None:
    """The distance from the successful trees over the number of edges, a line for each table."""
    for table in present(TABLES, rows, "table"):
        sizes = [size for name, size in _cases(rows) if name == table]
        for group in GROUPS[1:]:
            mine = [_of(rows, "group", table=table, size=size, group=group) for size in sizes]
            edges = [_mean(each, "weights") for each in mine]
            ax.plot(edges, [_mean(each, "ks_best") for each in mine], "o-", ms=3, lw=0.8, color=COLOURS[group])
            if group == GROUPS[-1]:
                ax.plot(edges, [_mean(each, "ks_best_chance") for each in mine], ":", lw=0.8, color=style.GREY)
    for group in GROUPS[1:]:
        ax.plot([], [], "o-", ms=3, color=COLOURS[group], label=group)
    ax.plot([], [], ":", color=style.GREY, label="random thirds")
    ax.set(title="from successful trees", xscale="log", xlabel="edges", ylabel="KS", ylim=(0, None))
    ax.legend(frameon=False, fontsize=7)
