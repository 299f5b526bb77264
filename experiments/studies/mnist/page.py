"""results/mnist.md and .png."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.common.images import DIGESTS
from experiments.common.statistics import summary
from experiments.rendering.searches import Measure, ResultRows, differences, names, of, present
from experiments.rendering.text import NONE, figure, page, right, whole
from experiments.studies.mnist.pixels_picture import (
    BNEURALT,
    CLASSIFIERS,
    LABELS,
    OF_DIGITS,
    mean_weights,
    named,
    picture,
    values_of,
)
from experiments.studies.mnist.run import JOBS, VALIDATION
from search.folder.records import write_text
from search.pictures.run_pictures import save

# By job: leaf edges at the start, and how edges are inserted while the weakest are dropped.
INSERTIONS = {
    "sparse_fixed_20k": ("20,000 weights at random", "none, and none are dropped"),
    "sparse_random_20k": ("20,000 weights at random", "at random"),
    "sparse_gradient_20k": ("20,000 weights at random", "by gradient"),
    "pruned_20k": ("all", "none"),
    "pruned_random_20k": ("all", "at random"),
    "grow_20k": ("all", "by gradient"),
}
BASE = "grow_20k"
TITLE, COMMAND = "Digits and clothes", "`python -m experiments.run mnist`"
TEXT = """Written by `python -m experiments.render` from [mnist.csv](mnist.csv), made by {command}.

The models read the pixels of MNIST and Fashion-MNIST. Of the 60,000 training images, {validation:,} are validation
rows. Settings were chosen by the error on held-out training images of MNIST. The 10,000 test images are scored once,
after the last epoch. Numbers are means ± sd over {seeds}; a seed determines the validation rows and all randomness in
training. All models are trained in the same way: mini-batches of {batch} images, shifted by up to {shift} pixel in each
direction, Adam, and a learning rate with cosine decay. The published neural trees were chosen by their error on the
test images.

A neural tree has an output for each class, and each output has {children} ReLU nodes ({few} in the tree of 10,000
weights, {many} in the tree of 200,000), whose leaves read pixels. It is an ordinary `neuraltree.Tree`, and its
`predict` gives the errors below. Training starts with all leaves. It drops the weakest leaves and inserts absent ones
with the largest gradient until the tree meets its budget of weights. The first layer of the sparse MLP is pruned in the
same way; unlike the hidden nodes of a tree, its hidden units serve all classes. CPU seconds are for a whole run on one
thread: compiling, training and testing."""
GAIN = """## Ways to insert leaf edges

Neural trees of 20,000 weights on MNIST, trained for the same number of epochs. The difference is in test error, in
percentage points, from the last row. p: Wilcoxon's signed-rank test over the seeds, Holm's correction."""
PICTURE = "![Test error against weights](mnist.png)"


def render(rows: ResultRows, results: Path) -> None:
    model = JOBS[BASE]
    few, many = (JOBS[job].children[0] for job in ("grow_10k", "grow_200k"))
    about = {
        "children": model.children[0],
        "few": few,
        "many": many,
        "batch": model.course.batch,
        "shift": model.course.shift,
    }
    text = TEXT.format(command=COMMAND, validation=VALIDATION, seeds=_seeds(rows), **about)
    parts = [f"## {named(table)}\n\n{_errors(rows, table)}" for table in present(DIGESTS, rows, "table")]
    write_text(results / "mnist.md", page(TITLE, text, PICTURE, *parts, _insertions(rows)))
    save(picture(rows), results / "mnist.png")


def headline(rows: ResultRows) -> str:
    tables = present(DIGESTS, rows, "table")
    lines = [_brief(rows, tables, job) for job in present(LABELS, rows, "job")]
    for row in BNEURALT:
        errors = (figure(row.error, 2) if table == OF_DIGITS else NONE for table in tables)
        lines.append([f"published: {row.label}", whole(row.weights), *errors])
    header = ("test error, %", "weights", *map(named, tables))
    text = (
        f"Mean ± sd over {_seeds(rows)}, trained on shifted images; the published trees were chosen by their error on "
        f"the test images. {COMMAND}, [mnist.md](mnist.md)."
    )
    return f"## {TITLE}\n\n{text}\n\n{right(header, lines)}\n\n{PICTURE}"


def _brief(rows: ResultRows, tables: Sequence[str], job: str) -> list[str]:
    there = [table for table in tables if of(rows, table, job)]
    errors = (_spread(rows, table, job, "test_error") if table in there else NONE for table in tables)
    return [LABELS[job], whole(mean_weights(rows, there[0], job)), *errors]


def _seeds(rows: ResultRows) -> str:
    """The number of seeds per model, as a phrase."""
    counts = [len(of(rows, table, job)) for table in names(rows, "table") for job in names(rows, "job")]
    some = sorted({min(filter(None, counts)), max(counts)})
    return " to ".join(map(str, some)) + " seeds"


def _spread(rows: ResultRows, table: str, job: str, column: str) -> str:
    found = summary(values_of(rows, table, job, column))
    return f"{figure(100 * found.mean, 2)} ± {figure(100 * found.sd, 2)}"


def _errors(rows: ResultRows, table: str) -> str:
    """Our models, and on MNIST the published ones."""
    header = ("model", "weights", "test error, %", "validation error, %", "CPU s", "epochs", "seeds")
    lines = [_line(rows, table, job) for job in LABELS if of(rows, table, job)]
    if table == OF_DIGITS:
        lines += [
            [f"published: {row.label}", whole(row.weights) + f" ({row.note})" * bool(row.note), figure(row.error, 2)]
            + [NONE] * 4
            for row in (*BNEURALT, *CLASSIFIERS)
        ]
    return right(header, lines)


def _line(rows: ResultRows, table: str, job: str) -> list[str]:
    errors = [_spread(rows, table, job, column) for column in ("test_error", "val_error")]
    mine = of(rows, table, job)
    cpu_s = float(np.mean(values_of(rows, table, job, "cpu_s")))
    return [
        LABELS[job],
        whole(mean_weights(rows, table, job)),
        *errors,
        whole(cpu_s),
        mine[0]["epochs"],
        str(len(mine)),
    ]


def _insertions(rows: ResultRows) -> str | None:
    jobs = [job for job in INSERTIONS if of(rows, OF_DIGITS, job)]
    if not jobs:
        return None
    apart = differences(rows, OF_DIGITS, jobs, BASE, Measure("test_error", "test error", 2))
    lines = []
    for job in jobs:
        found = apart.get(job)
        compared = (NONE, NONE) if found is None else (f"{100 * found.mean:+.2f}", figure(found.p))
        errors = [_spread(rows, OF_DIGITS, job, column) for column in ("test_error", "val_error")]
        lines.append([*INSERTIONS[job], *errors, *compared])
    header = ("leaf edges at the start", "edges inserted", "test error, %", "validation error, %", "difference", "p")
    return f"{GAIN}\n\n{right(header, lines, left=2)}"
