"""The rows of clients: at random, with labels in unequal shares, in shards of few labels, or by subject."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import images, paper_tables
from experiments.common.activities import CLASSES, HAPT, activities
from experiments.common.holdout import holdout
from neuraltree.arrays import FloatArray
from neuraltree.federated.pooling import pooled_scaler
from neuraltree.tasks.task import Task, make_task
from search.table.data import Table

MNIST = "mnist"
ALPHA = 0.3  # of the Dirichlet distribution of a label's rows over the clients
SHARDS = 2  # of sorted labels that a client has
BINS = 5  # quantiles of numbers, which stand for labels
LEAST_ROWS = 8  # of a client
TEST_SUBJECTS = 6
Rows = NDArray[np.int64]


class Shared(NamedTuple):
    """Scaled inputs and targets: of all clients' rows, the positions of each client's, and the rows of the test."""

    task: Task
    X: FloatArray
    y: NDArray
    clients: list[Rows]
    test_X: FloatArray
    test_y: NDArray


def at_random(rng: np.random.Generator, labels: NDArray, clients: int) -> list[Rows]:
    return [np.sort(part) for part in np.array_split(rng.permutation(len(labels)), clients)]


def by_label(rng: np.random.Generator, labels: NDArray, clients: int) -> list[Rows]:
    """The rows of each label in shares of a Dirichlet distribution over the clients (as in Yurochkin et al. 2019,
    *Bayesian Nonparametric Federated Learning of Neural Networks*), until each client has ``LEAST_ROWS``."""
    while True:
        owner = np.empty(len(labels), np.int64)
        for label in np.unique(labels):
            own = np.flatnonzero(labels == label)
            owner[own] = rng.choice(clients, len(own), p=rng.dirichlet(np.full(clients, ALPHA)))
        if np.bincount(owner, minlength=clients).min() >= min(LEAST_ROWS, len(labels) // (2 * clients)):
            return [np.flatnonzero(owner == client) for client in range(clients)]


def by_shards(rng: np.random.Generator, labels: NDArray, clients: int) -> list[Rows]:
    """Rows sorted by label and cut into shards, ``SHARDS`` for each client (McMahan et al. 2017, section 3)."""
    order = np.argsort(labels, kind="stable")
    shards = np.array_split(order, SHARDS * clients)
    drawn = rng.permutation(len(shards)).reshape(clients, SHARDS)
    return [np.sort(np.concatenate([shards[i] for i in own])) for own in drawn.tolist()]


SPLITS: dict[str, Callable[[np.random.Generator, NDArray, int], list[Rows]]] = {
    "at random": at_random,
    "by label": by_label,
    "shards": by_shards,
}
SUBJECTS = "by subject"


def shared(table: str, split: str, seed: int, clients: int, images_used: int) -> Shared:
    """The rows of a table, of ``images_used`` pictures of MNIST, or of the recordings, split among clients."""
    rng = np.random.default_rng([seed, 5])
    if table == HAPT:
        return _subjects(rng)
    if table == MNIST:
        found = images.images(MNIST)
        rows = rng.permutation(len(found.y))[:images_used]
        y = found.y[rows]
        X, test_X = (part / np.float64(255) for part in (found.X[rows], found.test_X))
        return Shared(make_task("multiclass", 10), X, y, SPLITS[split](rng, y, clients), test_X, found.test_y)
    whole = paper_tables.table(table)
    train, test = holdout(whole, seed)
    y = whole.y[train]
    owned = SPLITS[split](rng, labels_of(whole, train), clients)
    task = make_task(whole.kind, len(whole.classes or ()))
    return _scaled(task, whole.X[train], y, owned, whole.X[test], whole.y[test])


def labels_of(table: Table, rows: Rows) -> NDArray:
    """(rows,) classes, or the bins of numbers."""
    y = table.y[rows]
    return y if table.classes else np.digitize(y, np.quantile(y, np.linspace(0, 1, BINS + 1)[1:-1]))


def _subjects(rng: np.random.Generator) -> Shared:
    """Each subject is a client, but for those whose windows are the test."""
    found = activities()
    names = rng.permutation(np.unique(found.subject))
    test = np.isin(found.subject, names[:TEST_SUBJECTS])
    subject = found.subject[~test]
    owned = [np.flatnonzero(subject == name) for name in names[TEST_SUBJECTS:]]
    task = make_task("multiclass", len(CLASSES))
    return _scaled(task, found.X[~test], found.y[~test], owned, found.X[test], found.y[test])


def _scaled(task: Task, X: NDArray, y: NDArray, owned: list[Rows], test_X: NDArray, test_y: NDArray) -> Shared:
    """By sums alone that the clients send."""
    scaler = pooled_scaler([X[rows] for rows in owned])
    if task.kind == "regression":
        of_target = pooled_scaler([y[rows, None] for rows in owned])
        y, test_y = (of_target.transform(part[:, None])[:, 0] for part in (y, test_y))
    return Shared(task, scaler.transform(X), y, owned, scaler.transform(test_X), test_y)
