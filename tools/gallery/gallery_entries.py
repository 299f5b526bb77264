"""The pictures of the gallery: one row each, with the lines of Python that draw it."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """``search``: the run that it shows by default. ``reading``: how to read it. ``code`` makes axes named ``ax``."""

    name: str
    search: str
    title: str
    alt: str
    reading: str
    code: str


# Run once for every run folder; all other code uses its names.
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
        "Log loss against the number of weights: the front as a staircase, the recommended model, tests and baselines.",
        "Lower and further left is better: the staircase joins the models that no other model dominates in these two "
        "columns, the ring marks the recommended model, and the cross directly above or below a "
        "model shows its error on test rows.",
        "ax = pictures.plot_front(front, baselines=load_baselines(run))",
    ),
    Entry(
        "constraints",
        "breast_cancer",
        "Any two columns, and the constraints",
        "Log loss against latency: the front, measured costs, and in grey the trees that break the constraint.",
        "Grey crosses are trees of the search that break a constraint, here 3 µs; a bar leads from each predicted "
        "cost to the measured cost.",
        'ax = pictures.plot_front(front, "latency_s", history=history)',
    ),
    Entry(
        "front_3d",
        "breast_cancer",
        "Three objectives",
        "Points in three dimensions: latency, flash and log loss, with stems to the floor.",
        "Lower and nearer to the left corner of the floor is better; the colour repeats the height, and the foot of a "
        "stem shows the values of the other two objectives.",
        'ax = pictures.plot_front_3d(front, "latency_s", "flash_bytes", front.error)',
    ),
    Entry(
        "parallel",
        "breast_cancer",
        "All objectives",
        "Parallel coordinates of the front: one line for each model, the recommended one dashed.",
        "Every line is a model, and lower is better on every axis; if lines cross between two axes, these two "
        "objectives conflict.",
        "ax = pictures.plot_parallel(front)",
    ),
    Entry(
        "generations",
        "breast_cancer",
        "The front over generations",
        "Eight staircases from the first generation to the last, each lower than the one before.",
        "Later generations are darker; if staircases coincide, the search no longer makes progress.",
        "ax = pictures.plot_generations(history)",
    ),
    Entry(
        "hypervolume",
        "breast_cancer",
        "Hypervolume",
        "The hypervolume of the population's front by generation, rising and levelling off.",
        "The curve is the volume that the front dominates up to the reference point; the search can end when the "
        "curve is flat.",
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
        "Every mark is a tree, the shape of the mark shows the operator that made the tree, and lines lead left to "
        "its parents.",
        "ax = pictures.plot_genealogy(history, int(front[0].id))",
    ),
    Entry(
        "tree",
        "wine",
        "A tree",
        "A neural tree of three classes: inputs at the bottom, activations between, classes on top.",
        "The width of an edge shows the size of its weight, and negative edges are dashed; the shape of a node shows "
        "its activation, and the class with the largest output is predicted.",
        "ax = plot_tree(front[0].tree())",
    ),
    Entry(
        "weights",
        "wine",
        "Learned weights",
        "Two histograms: weights of edges and biases of all models of the front.",
        "The histograms show the weights and biases of all models of the front; values far from the rest cost "
        "precision in a model of 8-bit integers.",
        "ax = plot_weights([member.tree() for member in front])",
    ),
    Entry(
        "learnability",
        "digits",
        "Which classes are learnt",
        "True against false positives of ten digits on test rows, for all models of the front; larger marks: more "
        "weights.",
        "A class is learnt if its marks are in the upper left corner, and guessed if they are on the dotted line; its "
        "largest mark is the model with the most weights.",
        """
from pathlib import Path

import numpy as np
from search.config import load_config
from search.table import load_table, split

config = load_config(Path(run) / "config.toml")
table = load_table(config)
_, test = split(table, config.data.test_fraction, config.run.seed)
labels = table.y if table.classes is None else np.array(table.classes)[table.y]
ax = pictures.plot_learnability(front, table.X[test], labels[test])
""",
    ),
)
