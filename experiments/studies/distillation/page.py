"""results/distillation.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments.common.statistics import signed_rank_p, summary
from experiments.rendering.searches import ResultRows, by_seed, of
from experiments.rendering.text import figure, page, right, whole
from experiments.studies.distillation.run import ALONE, CHOOSING, CHOSEN, NETWORKS, STUDENT, TAUGHT, WAYS, Way
from experiments.studies.mnist.run import JOBS, VALIDATION
from search.folder.records import write_text

TABLE = "mnist"
TITLE, COMMAND = "A large tree teaches a small one", "`python -m experiments.run distillation`"
TEXT = """Written by `python -m experiments.render` from [distillation.csv](distillation.csv), made by {command}.

The neural tree of {weights} weights of [mnist.md](mnist.md) learns the digits alone, and from a teacher that has the
same training rows: {chosen}. The teacher looks at the images as they are shifted. Its probabilities q and those of the
tree are made softer by the temperature T (powers of 1 / T); the loss of a row is (1 - a) times the cross-entropy of its
own class plus a T² times that of the softer probabilities, with the share a (Hinton, Vinyals and Dean 2015). Everything
else is as there. The {test:,} test images are scored once, after the last epoch."""
CHOICE = """## The choice

Errors on the {validation:,} validation rows, in %, of {seeds}: a teacher, its share and the temperature were
chosen by these alone, and no test row was read. "Not shifted": the teacher says of a shifted image what it says of the
image as it is."""
NAMES = {"tree": "the tree of 200,000 weights", "mlps": f"the mean of {NETWORKS} MLPs of 200,000 weights"}
HEADER = ("", "test error, %", "validation error, %", "seeds")


def render(rows: ResultRows, results: Path) -> None:
    text = TEXT.format(command=COMMAND, weights=whole(JOBS[STUDENT].weights), chosen=_named(CHOSEN), test=10_000)
    write_text(results / "distillation.md", page(TITLE, text, _compared(rows), _choice(rows)))


def headline(rows: ResultRows) -> str:
    return f"## {TITLE}\n\n{COMMAND}, [distillation.md](distillation.md).\n\n{_compared(rows)}"


def _named(way: Way) -> str:
    moved = "" if way.moved else ", not shifted"
    return f"{NAMES[way.teacher]}, a = {way.share:g}, T = {way.temperature:g}{moved}"


def _compared(rows: ResultRows) -> str:
    """The errors of both trees and of the teacher, and how sure the difference is."""
    ways = {"alone": (ALONE, ""), "taught": (TAUGHT, ""), "the teacher": (TAUGHT, "teacher_")}
    lines = []
    for label, (job, first) in ways.items():
        errors = [
            summary(list(by_seed(rows, TABLE, job, f"{first}{of}").values())) for of in ("test_error", "val_error")
        ]
        shown = (f"{figure(100 * found.mean, 2)} ± {figure(100 * found.sd, 2)}" for found in errors)
        lines.append([label, *shown, str(len(of(rows, TABLE, job)))])
    alone, taught = (by_seed(rows, TABLE, job, "test_error") for job in (ALONE, TAUGHT))
    both = sorted(set(alone) & set(taught))
    change = 100 * np.array([taught[seed] - alone[seed] for seed in both])
    p = signed_rank_p(change, np.zeros_like(change))
    said = f"Taught minus alone, over {len(both)} seeds: {change.mean():+.2f} points of test error, p = {p:.2g}."
    return f"{right(HEADER, lines)}\n\n{said} p: Wilcoxon's signed-rank test."


def _choice(rows: ResultRows) -> str | None:
    seeds = len(of(rows, TABLE, CHOOSING))
    if not seeds:
        return None
    names = {"alone": "alone"} | {way.name: _named(way) for way in WAYS}
    lines = [
        [label, figure(100 * float(np.mean(list(by_seed(rows, TABLE, CHOOSING, name).values()))), 2)]
        for name, label in names.items()
    ]
    text = CHOICE.format(validation=VALIDATION, seeds=f"{seeds} seed{'s' * (seeds > 1)}")
    return f"{text}\n\n{right(('', 'validation error, %'), lines)}"
