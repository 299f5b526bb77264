"""The rows and the models that ``benchmarks.speed_peers`` measures every program on, and its way to take times."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sized
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.peers.workload import MIXED, Workload
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space

MODELS, NODES, SLACK = 100, 50, 5  # trees of 45 to 55 nodes
STEPS = 20  # steps per call, so that the overhead of the call is negligible


class Case(NamedTuple):
    """Standardised rows, and trees to train on them."""

    name: str
    X: NDArray[np.float64]  # (rows, features)
    y: NDArray[np.float64]  # (rows,)
    space: Space
    trees: list[Nodes]

    def workload(self, batch: int, trees: list[Nodes]) -> Workload:
        """``STEPS`` passes over all rows in order."""
        order = np.tile(np.arange(len(self.y), dtype=np.int32), (STEPS, 1))
        X, y = self.X.astype(np.float32), self.y.astype(np.float32)
        return Workload(self.space, trees, X, y, order, batch)


class Job(NamedTuple):
    """``make()`` prepares and returns a function for repeated calls; each call does ``units`` steps or generations.

    ``share``: the share of the models that is measured and stands for all of them. ``nodes`` takes the result of a call
    and returns the number of nodes of each model at its end; ``phases``, the seconds of each phase of the call.
    """

    make: Callable[[], Callable[[], Any]]
    units: float = 1.0
    share: float = 1.0
    nodes: Callable[[Any], ArrayLike] | None = None
    phases: Callable[[Any], dict[str, float]] | None = None


class Seconds(NamedTuple):
    """Times of the first call, which includes preparation, and the least of the later ones per step or generation.

    ``nodes``: the mean number of nodes of a model after the last call. ``shares``: the share of each phase in the time
    of the later calls.
    """

    first_s: float
    first_cpu_s: float
    warm_s: float
    warm_cpu_s: float
    nodes: float | None = None
    shares: dict[str, float] | None = None


def make_case(name: str, models: int = MODELS) -> Case:
    from sklearn.datasets import load_diabetes, make_friedman1

    read = {
        "diabetes": lambda: load_diabetes(return_X_y=True),
        "friedman1": lambda: make_friedman1(1200, n_features=5, noise=1.0, random_state=0),
    }
    X, y = read[name]()
    columns = [Scaler.fit(part).transform(part) for part in (X, y[:, None])]
    space = Space(X.shape[1], activations=MIXED, max_nodes=NODES + SLACK)
    return Case(name, columns[0], columns[1][:, 0], space, trees_of(space, models))


def trees_of(space: Space, count: int) -> list[Nodes]:
    rng, found = np.random.default_rng(0), list[Nodes]()
    while len(found) < count:
        tree = random_tree(rng, space, max_nodes=space.max_nodes)
        if abs(len(tree) - NODES) <= SLACK:
            found.append(tree)
    return found


def measure(job: Job, repeats: int) -> Seconds:
    begun = _now()
    run = job.make()
    run()
    first = _now() - begun
    calls, spent = [], Counter[str]()
    for _ in range(repeats):
        begun = _now()
        given = run()
        calls.append(_now() - begun)
        spent.update(job.phases(given) if job.phases else {})
    warm = np.min(calls, axis=0) / job.units
    nodes = float(np.mean(job.nodes(given))) if job.nodes else None
    shares = {phase: seconds / spent.total() for phase, seconds in spent.items()} or None
    return Seconds(*(first / job.share).tolist(), *(warm / job.share).tolist(), nodes, shares)


def lengths(trees: Iterable[Sized]) -> list[int]:
    return [len(tree) for tree in trees]


def nodes_of_matrices(population: Any) -> ArrayLike:
    """The number of nodes of kozax's trees (..., rows, 4), whose empty rows have kind 0."""
    return np.count_nonzero(np.asarray(population)[..., 0], axis=-1)


def _now() -> NDArray[np.float64]:
    """Wall-clock seconds, and CPU seconds of all threads of the process."""
    return np.array([time.perf_counter(), time.process_time()])
