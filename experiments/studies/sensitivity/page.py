"""results/sensitivity.md and .png."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from experiments.rendering.searches import ResultRows, present, seeds_of
from experiments.rendering.text import figure, page, right
from experiments.studies.sensitivity.inputs import CHANCE, INPUTS, LEVELS, Input, problem
from experiments.studies.sensitivity.run import MOST_WEIGHTS, OUTPUTS, TABLES
from neuraltree.arrays import FloatArray
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

TITLE, COMMAND = "Which settings matter", "`python -m experiments.run studies/sensitivity`"
LABELS = {
    "hypervolume": "validation volume, %",
    "test_volume": "test volume, %",
    "test_score": "test score",
    "spent": "log10 of weight·samples",
}
TEXT = """Made by {command}; {seeds} per table, each one trajectory of {searches} searches. Morris's method of
elementary effects, by SALib: from one search to the next a single input moves by two of {levels} levels, that is by
2/3 of its range, and the change of the result, divided by 2/3, is an effect. μ* is the mean of their absolute values,
σ their standard deviation: effects that depend on the other inputs, or noise. ±: SALib's 95 % intervals by resampling
of trajectories. The source (Taylor et al. 2021) is named in the deck without figures.

**The seed of the search is an input as well**, "{chance}": its μ* is what a rerun changes, and inputs below it have no
effect that these searches can show. **The budget is not equal**: epochs, trees and folds cost what they cost, as the
last column says; with equal training an input that costs nothing ranks higher. Whole numbers are rounded from their
levels, which differ after rounding but are not quite evenly spaced, so their effects are per level and not per unit.
The random trees of this project have no probability of a leaf; the largest number of nodes takes its place. Volumes are
those of a box up to {most:.0f} weights; the number of folds changes the validation rows themselves, so read the test
volume for it. One hold-out for each trajectory: data and settings vary together between
trajectories, not within one."""
RANKED = """## Ranking

Mean over the tables of μ* divided by the largest of the table, in %; "above chance": on how many of the tables the
lower end of the interval of the validation volume lies above the μ* of "{chance}"."""


class Effects(NamedTuple):
    """By input, in the order of ``INPUTS``."""

    mean: FloatArray  # μ*
    half: FloatArray  # of its interval
    sd: FloatArray


def render(rows: ResultRows, results: Path) -> None:
    text = TEXT.format(
        command=COMMAND, seeds=seeds_of(rows), searches=len(INPUTS) + 1, levels=LEVELS, chance=CHANCE, most=MOST_WEIGHTS
    )
    tables = present(TABLES, rows, "table")
    parts = [_ranking(rows, tables), "![Mean absolute effects on the validation volume](sensitivity.png)", _ranges()]
    parts += [_table(rows, table) for table in tables]
    write_text(results / "sensitivity.md", page(TITLE, text, *parts))
    save(picture(rows), results / "sensitivity.png")


def headline(rows: ResultRows) -> str:
    text = f"{COMMAND}; [sensitivity.md](sensitivity.md)."
    return f"## {TITLE}\n\n{text}\n\n{_ranking(rows, present(TABLES, rows, 'table'))}"


def effects(rows: ResultRows, table: str, output: str) -> Effects:
    """Of all whole trajectories of a table, in their order."""
    from SALib.analyze import morris  # of the extra [studies]

    own = sorted((int(row["seed"]), int(row["step"]), row) for row in rows if row["table"] == table)
    X = np.array([[float(row[name]) for name in INPUTS] for *_, row in own])
    Y = np.array([float(row[output]) for *_, row in own])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # one trajectory has no deviation
        found = morris.analyze(problem(), X, Y, num_levels=LEVELS, seed=0)
    return Effects(*(np.asarray(found[name], dtype=np.float64) for name in ("mu_star", "mu_star_conf", "sigma")))


def _ranking(rows: ResultRows, tables: list[str]) -> str:
    shares = {}
    for output in OUTPUTS:
        each = [effects(rows, table, output).mean for table in tables]
        shares[output] = np.mean([mean / max(mean.max(), 1e-300) for mean in each], axis=0)
    above = np.zeros(len(INPUTS), int)
    for table in tables:
        found = effects(rows, table, OUTPUTS[0])
        above += found.mean - found.half > found.mean[list(INPUTS).index(CHANCE)]
    names, order = list(INPUTS), np.argsort(-shares[OUTPUTS[0]])
    lines = [
        [names[i], *(figure(100 * shares[output][i], 0) for output in OUTPUTS), f"{above[i]} of {len(tables)}"]
        for i in order.tolist()
    ]
    text = RANKED.format(chance=CHANCE)
    return f"{text}\n\n{right(['input', *LABELS.values(), 'above chance'], lines)}"


def _ranges() -> str:
    lines = [
        [name, *(f"{row.value(i / (LEVELS - 1)):.3g}" for i in range(LEVELS)), _scale(row)]
        for name, row in INPUTS.items()
    ]
    return right(["input", *(f"level {i + 1}" for i in range(LEVELS)), "scale"], lines)


def _scale(row: Input) -> str:
    return "logarithmic" if row.log else "straight"


def _table(rows: ResultRows, table: str) -> str:
    found = [effects(rows, table, output) for output in OUTPUTS]
    lines = [
        [name, *(f"{figure(e.mean[i])} ± {figure(e.half[i])}, σ {figure(e.sd[i])}" for e in found)]
        for i, name in enumerate(INPUTS)
    ]
    return f"## {table}\n\nμ* ± interval, σ\n\n{right(['input', *LABELS.values()], lines)}"


def picture(rows: ResultRows) -> Figure:
    """A panel for each table: bars of μ* with intervals, the largest on top."""
    tables = present(TABLES, rows, "table")
    made = Figure(figsize=(2 + 3 * len(tables), 3), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False)[0]
    names = np.array(list(INPUTS))
    for ax, table in zip(panels, tables, strict=True):
        found = effects(rows, table, OUTPUTS[0])
        order = np.argsort(found.mean)
        colours = [style.GREY if name == CHANCE else style.BLUE for name in names[order]]
        ax.barh(names[order], found.mean[order], xerr=found.half[order], color=colours, height=0.6)
        ax.set(title=table, xlabel="μ*, validation volume, %")
        ax.grid(alpha=0.25, axis="x")
    return made
