"""The rows of a unit: those that are fitted, those that choose, and those that are scored once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import images, paper_tables
from experiments.common.holdout import holdout
from neuraltree.tasks.task import Task, make_task
from neuraltree.tree.scaler import Scaler


class Parts(NamedTuple):
    """The task, and scaled inputs (rows, features) and targets (rows,) for fitting, validation and test."""

    task: Task
    fit: tuple[NDArray, NDArray]
    validation: tuple[NDArray, NDArray]
    test: tuple[NDArray, NDArray]

    @property
    def features(self) -> int:
        return self.fit[0].shape[1]


def table_parts(name: str, seed: int, validation: float) -> Parts:
    """``validation``: the share of the training rows that are held out; inputs and target values are standardised."""
    table = paper_tables.table(name)
    train, test = holdout(table, seed)
    order = np.random.default_rng([seed, 2]).permutation(train)
    held = round(validation * len(order))
    fit, chosen = order[held:], order[:held]
    scaler, y = Scaler.fit(table.X[fit]), table.y
    if table.classes is None:
        y = Scaler.fit(y[fit, None]).transform(y[:, None])[:, 0]
    task = make_task(table.kind, len(table.classes or ()))
    parts = [(scaler.transform(table.X[rows]), y[rows]) for rows in (fit, chosen, test)]
    return Parts(task, *parts)


def pixel_parts(name: str, seed: int, rows: int, validation: int) -> Parts:
    """``rows`` random images, of which ``validation`` are held out, and all test images. All pixels have one scale:
    those at the edge hardly ever change."""
    found = images.images(name)
    order = np.random.default_rng([seed, 2]).permutation(len(found.X))[:rows]
    fit, chosen = order[validation:], order[:validation]
    middle, spread = found.X[fit].mean(axis=0), found.X[fit].std()
    parts = (found.X[fit], found.y[fit]), (found.X[chosen], found.y[chosen]), (found.test_X, found.test_y)
    scaled = [((X - middle) / spread, y) for X, y in parts]
    return Parts(make_task("multiclass", images.CLASSES), *scaled)
