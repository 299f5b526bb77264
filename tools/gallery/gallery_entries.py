"""What the gallery shows: a row for every picture, with the lines of Python that draw it."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """``search``: whose run it shows by default. ``reading``: how to read it. ``code`` leaves axes named ``ax``."""

    name: str
    search: str
    title: str
    alt: str
    reading: str
    code: str


# Run once for every run folder; all other code goes on from it.
OPENING = """
from neuraltree.plot import plot_tree, plot_weights
from search import load_front, load_history, pictures
from search.baselines import load_baselines

front, history = load_front(run), load_history(run)
"""

ENTRIES = (
    Entry(
        "front",
        "breast_cancer",
        "The front",
        "Log loss against the number of weights: the front as a staircase, its knee, test errors and baselines.",
        "Down and left is better: the staircase joins the models that no other beats in both respects, the ring marks "
        "the knee in all objectives of the search, and a cross right above or below a model is its error on test rows.",
        "ax = pictures.plot_front(front, baselines=load_baselines(run))",
    ),
    Entry(
        "constraints",
        "breast_cancer",
        "Any two columns, and the constraints",
        "Log loss against latency: the front, what was measured, and in grey the trees that break the constraint.",
        "Grey crosses are trees that the search made and that break a constraint, here 3 µs; a bar leads "
        "from each predicted cost to the one that was measured.",
        'ax = pictures.plot_front(front, "latency_s", history=history)',
    ),
    Entry(
        "front_3d",
        "breast_cancer",
        "Three objectives",
        "Points in three dimensions: latency, flash and log loss, with stems to the floor.",
        "The lower and the nearer to the left corner of the floor the better; the colour repeats the height, and the "
        "foot of a stem shows where a model stands in the other two objectives.",
        'ax = pictures.plot_front_3d(front, "latency_s", "flash_bytes", "val_error")',
    ),
    Entry(
        "parallel",
        "breast_cancer",
        "All objectives",
        "Parallel coordinates of the front: one line for each model, the knee dashed.",
        "Every line is a model and lower is better on every axis; where lines cross between two axes, one objective is "
        "paid for with the other.",
        "ax = pictures.plot_parallel(front)",
    ),
    Entry(
        "generations",
        "breast_cancer",
        "The front over generations",
        "Eight staircases from the first generation to the last, each lower than the one before.",
        "The later the darker; where staircases lie on each other the search has stopped making progress.",
        "ax = pictures.plot_generations(history)",
    ),
    Entry(
        "hypervolume",
        "breast_cancer",
        "Hypervolume",
        "The hypervolume of the population's front by generation, rising and levelling off.",
        "The volume that the front dominates up to the reference point; the search can end where the curve is flat.",
        "ax = pictures.plot_hypervolume(history)",
    ),
    Entry(
        "activations",
        "breast_cancer",
        "Activations in use",
        "The shares of the activations among the hidden nodes of the population, stacked, by generation.",
        "The height of a band is the share that an activation has of the population's hidden nodes.",
        "ax = pictures.plot_activations(history)",
    ),
    Entry(
        "genealogy",
        "wine",
        "Genealogy",
        "The ancestors of the most accurate model from the first, random generation on, marked by operator.",
        "Every mark is a tree, its shape says which operator made it, and lines lead left to its parents.",
        "ax = pictures.plot_genealogy(history, int(front[0].id))",
    ),
    Entry(
        "tree",
        "wine",
        "A tree",
        "A neural tree of three classes: inputs at the bottom, activations between, classes on top.",
        "An edge is as wide as its weight is large, and dashed where it is negative; the shape of a node is its "
        "activation, and the class whose output is largest is predicted.",
        "ax = plot_tree(front[0].tree())",
    ),
    Entry(
        "weights",
        "wine",
        "Learned weights",
        "Two histograms: weights of edges and biases of all models of the front.",
        "How the weights and biases of all models of the front are distributed; what is far from the rest costs "
        "precision in a model of 8-bit integers.",
        "ax = plot_weights([member.tree() for member in front])",
    ),
    Entry(
        "learnability",
        "digits",
        "Which classes are learnt",
        "True against false positives of ten digits on test rows, for all models of the front; larger: more weights.",
        "A class is learnt where its marks are in the upper left corner, and guessed on the dotted line; its largest "
        "mark is the model with the most weights.",
        """
from pathlib import Path

import numpy as np
from search.config import load_config
from search.table import load_table, split

config = load_config(Path(run) / "config.toml")
table = load_table(config.data, config.task)
_, test = split(table, config.data.test_fraction, config.run.seed)
labels = table.y if table.classes is None else np.array(table.classes)[table.y]
ax = pictures.plot_learnability(front, table.X[test], labels[test])
""",
    ),
)
