"""results/savings.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.rendering.searches import ResultRows, names, seeds_of, spread
from experiments.rendering.text import NONE, page, right
from experiments.studies.savings.found_rows import (
    BASE,
    JOBS,
    KINDS,
    SAVED,
    Found,
    Setting,
    Values,
    apart,
    best,
    found_in,
    gains,
    jobs_in,
    mean_of,
    percent,
    settings_in,
    share_of,
    values_of,
)
from experiments.studies.savings.methods import METHODS, PIXEL_METHODS
from experiments.studies.savings.run import EPOCHS, MNIST, PIXEL_EPOCHS, PIXEL_ROWS, WATCHED, WEIGHTS
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

SHOWN = "0.5"
# VGG-16 on CIFAR-10 in SCoTTi's table: accuracy and the share of back-propagation saved, both in %. The table's ticks
# are garbled; the order of its rows is inferred.
SOURCES = {
    "baseline": ("88.54", NONE),
    "neq": ("89.86", "37.41"),
    "learned rate": ("92.76", "0"),
    "neq, learned rate": ("92.70", "30.98"),
    "scotti, by rate": ("92.58", "43.66"),
    "scotti, by mean": ("92.58", "43.66"),
}
CONTROLS = ("neq", "neq, learned rate", "scotti, by rate", "random", "static", "gradient", "shorter")
CHANCE, RANKED = "random", ("neq", "neq, subtrees", "static", "gradient")
COLOURS = (style.BLUE, style.PURPLE, style.ORANGE, style.GREY, style.GREEN, style.YELLOW, style.BLACK)
LOOKS = dict(zip(CONTROLS, COLOURS, strict=True))
TITLE, COMMAND = "Operations saved by neurons at equilibrium", "`python -m experiments.run studies/savings`"
TEXT = """Made by {command}; {seeds} per table. NEq freezes neurons whose outputs change no more, SCoTTi adds a learned
learning rate and threshold. Random trees and dense networks with two hidden levels, of about {weights} weights each,
are trained for {epochs} epochs by gradient descent with momentum, all methods from the same weights and on the same
batches. The rate is the baseline's best on validation rows, and falls along half a cosine unless it is learned.
Outputs are compared on {watched} validation rows after each epoch, by centred cosines, the first time as if they had
been equal before, as in the authors' program. The threshold is a quantile: a share of the hidden neurons is frozen for
the next epoch, none in the first. The output nodes are never frozen. Test rows are scored once; {diverged} of
{trainings} trainings diverged and have the score 0, so p says more than a mean does."""
COUNTS = """**Three counts.** *Nominal*, as the papers count: the share of back-propagation in the frozen neurons alone.
*Saved*: of all multiply-accumulates of the training, forward and backward. A frozen neuron still passes deltas to
neurons below it that are updated, and is still computed; comparing outputs and learning the rate cost operations too.
*With kept values*: a subtree in which every neuron is frozen is not computed either, because its value for each row is
kept from the epoch before, 4 bytes for each row and neuron. The optimiser's own step is not counted: it is done once
for each batch."""
AS_SOURCES = """## The rows of SCoTTi's table

Medians over the hold-outs of the mean scores over the tables, with quartiles; methods with a share at half of the
hidden neurons. The last columns are the sources' for VGG-16 on CIFAR-10, in the order inferred; what they save is
nominal. SCoTTi's program is not public and its threshold is described in words alone, so two rules of ours stand for
it: eps = eps_0 a_0 / a, and eps that follows the mean of |v|; eps_0 is the quantile of the first velocities."""
ALL = """## Every method and share: {job}

Mean differences of test scores from the baseline; p: Wilcoxon's signed-rank test over all tables and hold-outs, Holm's
correction. *Woken*: of the frozen neurons, the share that was updated again in the next epoch."""
RANDOM = """## Against random neurons

Mean differences of test scores from those with as many random neurons frozen; p as above."""
CHOSEN = """## Chosen by validation rows

For each table and hold-out, the setting of a method that saves most operations (with kept values) among those whose
validation score is at most .01 below the baseline's; the baseline if there is none."""
PIXELS = """## MNIST

Trees and dense networks of 10,000 weights, {rows} images, {epochs} epochs, {seeds}; test errors in %, medians
with quartiles, and what is saved: nominal / saved / with kept values, in %."""
ENGINE = """## In the engine

The engine has no such option, because it would not save time. Its kernel passes forward and back through a node of a
tree in one go; a mask on the updates alone would save none of that. The most that is to be had without another kernel
is to make frozen subtrees leaves that read kept values: `python -m benchmarks.run frozen_training`
([frozen_training.md](frozen_training.md)) measures that. If the same nodes stay frozen, much of the operations' saving
becomes a saving of time. If they are chosen anew after each epoch, packing the trees and computing the values that are
kept take longer than the training that they save."""
PICTURE = "![score against the share of operations saved](savings.png)"
HEADLINE = ("baseline", "neq", "neq, learned rate", "scotti, by rate", "random", "shorter")


def render(rows: ResultRows, results: Path) -> None:
    small = [row for row in rows if row["table"] != MNIST]
    found = found_in(small)
    counts = {"diverged": sum(row["val_loss"] == "inf" for row in small), "trainings": f"{len(small):,}"}
    about = {"seeds": seeds_of(small), "weights": WEIGHTS, "epochs": EPOCHS, "watched": WATCHED}
    text = TEXT.format(command=COMMAND, **about, **counts)
    parts = [text, COUNTS, PICTURE, AS_SOURCES, *(_as_sources(found, job) for job in jobs_in(found))]
    for job in jobs_in(found):
        parts += [ALL.format(job=JOBS[job]), _differences(found, job)]
    parts += [
        RANDOM,
        _beside_chance(found),
        CHOSEN,
        _chosen(found),
        *_pixels([row for row in rows if row["table"] == MNIST]),
        ENGINE,
    ]
    write_text(results / "savings.md", page(TITLE, *parts))
    save(picture(found), results / "savings.png")


def _shown(found: Found, method: str) -> Setting:
    """The method at the share of the summary, or without one."""
    settings = settings_in(found, (method,))
    return next((each for each in settings if each.share == SHOWN), Setting(method, "0.0"))


def _summary(found: Found, job: str, method: str) -> list[str]:
    """Cells of the scores and of what is saved."""
    setting = _shown(found, method)
    scores = [_spread(values_of(found, job, setting, kind, "test_score")) for kind in KINDS]
    return [*scores, *(percent(mean_of(found, job, setting, column)) for column in SAVED)]


def _as_sources(found: Found, job: str) -> str:
    lines = [[name, *_summary(found, job, name), *source] for name, source in SOURCES.items()]
    return right([JOBS[job], *KINDS, *SAVED.values(), "source: accuracy, %", "source: saved, %"], lines)


def _spread(values: Values) -> str:
    """Over the hold-outs, of the mean over the tables."""
    tables = {table for table, _ in values}
    seeds = dict.fromkeys(seed for _, seed in values)
    whole = [seed for seed in seeds if all((table, seed) in values for table in tables)]
    means = [float(np.mean([values[table, seed] for table in tables])) for seed in whole]
    return spread(means, 3) if means else NONE


def _differences(found: Found, job: str) -> str:
    settings = [each for each in settings_in(found, METHODS) if each != BASE]
    columns = [gains([apart(found, job, each, BASE, kind) for each in settings]) for kind in KINDS]
    lines = []
    for place, setting in enumerate(settings):
        shown = [percent(mean_of(found, job, setting, column)) for column in SAVED]
        woken = percent(mean_of(found, job, setting, "woken")) if METHODS[setting.method].score else ""
        lines.append([setting.method, share_of(setting), *(column[place] for column in columns), *shown, woken])
    return right([JOBS[job], "share", *KINDS, *SAVED.values(), "woken, %"], lines)


def _beside_chance(found: Found) -> str:
    lines = []
    for job in jobs_in(found):
        settings = settings_in(found, RANKED)
        pairs = [(each, Setting(CHANCE, each.share)) for each in settings]
        columns = [gains([apart(found, job, *pair, kind) for pair in pairs]) for kind in KINDS]
        for setting, *cells in zip(settings, *columns, strict=True):
            lines.append([f"{JOBS[job]}: {setting.method}", share_of(setting), *cells])
    return right(["", "share", *KINDS], lines)


def _chosen(found: Found) -> str:
    lines = []
    for job in jobs_in(found):
        chosen = [[best(found, job, name, kind) for name in CONTROLS] for kind in KINDS]
        columns = [gains([each.apart for each in of_kind]) for of_kind in chosen]
        for name, *cells, each in zip(CONTROLS, *columns, zip(*chosen, strict=True), strict=True):
            saved = np.concatenate([part.saved for part in each]).mean(axis=0)
            lines.append([f"{JOBS[job]}: {name}", *cells, *map(percent, saved.tolist())])
    return right(["", *KINDS, *SAVED.values()], lines)


def _pixels(rows: ResultRows) -> list[str]:
    """The section about MNIST; nothing if there are no rows."""
    if not rows:
        return []
    found, lines = found_in(rows), []
    for setting in settings_in(found, PIXEL_METHODS):
        cells = []
        for job in jobs_in(found):
            own = found[job, setting]
            saved = [percent(float(np.mean([float(row[column]) for row in own]))) for column in SAVED]
            cells += [spread([100 * (1 - float(row["test_score"])) for row in own], 2), " / ".join(saved)]
        lines.append([setting.method, share_of(setting), *cells])
    header = ["", "share", *(text for job in jobs_in(found) for text in (f"{JOBS[job]}: error", "saved"))]
    return [PIXELS.format(rows=f"{PIXEL_ROWS:,}", epochs=PIXEL_EPOCHS, seeds=seeds_of(rows)), right(header, lines)]


def headline(rows: ResultRows) -> str:
    small = [row for row in rows if row["table"] != MNIST]
    found = found_in(small)
    lines = [[f"{JOBS[job]}: {name}", *_summary(found, job, name)] for job in jobs_in(found) for name in HEADLINE]
    shown = right(["half frozen, or half of the epochs", *KINDS, *SAVED.values()], lines)
    text = f"{COMMAND}, {seeds_of(small)} on {len(names(small, 'table'))} tables; [savings.md](savings.md)."
    return f"## {TITLE}\n\n{text}\n\n{shown}\n\n{PICTURE}"


def picture(found: Found) -> Figure:
    """A line for each method over its shares; dashed, the nominal saving of NEq."""
    jobs = jobs_in(found)
    made = Figure(figsize=(9, 7), layout="constrained")
    panels = made.subplots(2, len(jobs), squeeze=False, sharey="row")
    for line, kind in zip(panels, KINDS, strict=True):
        for ax, job in zip(line, jobs, strict=True):
            for name in CONTROLS:
                ax.plot(*_course(found, job, kind, name, "saved_kept"), "o-", color=LOOKS[name], label=name, ms=3)
            nominal = _course(found, job, kind, "neq", "nominal_saved")
            ax.plot(*nominal, "o--", color=LOOKS["neq"], label="neq, nominal", ms=3, lw=1)
            ax.set(title=JOBS[job], xlabel="operations saved, values kept, %", ylabel=kind)
            ax.grid(alpha=0.25)
    panels[0][0].legend(frameon=False, fontsize=8, loc="lower left")
    return made


def _course(found: Found, job: str, kind: str, method: str, column: str) -> tuple[list[float], list[float]]:
    """From the baseline over the shares: operations saved in %, and mean scores."""
    settings = [BASE, *settings_in(found, (method,))]
    parts = [[values_of(found, job, each, kind, name) for name in (column, "test_score")] for each in settings]
    saved, scores = ([float(np.mean(list(each[place].values()))) for each in parts] for place in (0, 1))
    return [100 * each for each in saved], scores
