"""Clusters of curves, and which label of a training they follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, ward
from sklearn.metrics import adjusted_mutual_info_score

from experiments.rendering.searches import ResultRows
from experiments.studies.convergence.run import TREES
from neuraltree.arrays import FloatArray

CLUSTERS = 6
LEAST = 1e-12  # of a loss, so that it has a logarithm
FLAT = 1e-6  # the deviation of the logarithm of a loss that does not change
THIRDS = ("small", "middle", "large")


class Clustered(NamedTuple):
    """``kept`` (curves,) which rows have a curve of finite losses, and the cluster of each of these, from 0, the
    largest first."""

    kept: NDArray[np.int64]
    cluster: NDArray[np.int64]


def losses_of(row: Mapping[str, str]) -> FloatArray:
    return np.array([float(text) for text in row["losses"].split()])


def normalised(losses: FloatArray) -> FloatArray:
    """(curves, points) the logarithms with mean 0 and deviation 1 over the points: the shape of a curve alone; 0 for a
    loss that does not change."""
    logs = np.log(np.maximum(losses, LEAST))
    centred = logs - logs.mean(axis=1, keepdims=True)
    deviation = logs.std(axis=1, keepdims=True)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > FLAT)


def clustered(rows: ResultRows, clusters: int = CLUSTERS) -> Clustered:
    """Ward's hierarchical clusters of the shapes of losses."""
    losses = np.stack([losses_of(row) for row in rows])
    kept = np.flatnonzero(np.isfinite(losses).all(axis=1))
    found = fcluster(ward(normalised(losses[kept])), clusters, criterion="maxclust")
    _, place, counts = np.unique(found, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return Clustered(kept, rank[place])


def labels(rows: ResultRows) -> dict[str, list[str]]:
    """By name of a label, its value for each row."""
    jobs = [row["job"].partition("_") for row in rows]
    return {
        "optimiser": [optimiser for _, _, optimiser in jobs],
        "activation": [row["activation"] for row in rows],
        "rate": [row["rate"] for row in rows],
        "model": [model for model, _, _ in jobs],
        "table": [row["table"] for row in rows],
    }


def sizes(rows: ResultRows) -> list[str]:
    """Thirds of the trees of a table by their weights."""
    found = []
    for row in rows:
        own = sorted({int(each["weights"]) for each in rows if each["table"] == row["table"]})
        found.append(THIRDS[own.index(int(row["weights"])) * len(THIRDS) // len(own)])
    return found


def agreement(rows: ResultRows) -> dict[str, float]:
    """The adjusted mutual information (Vinh et al. 2010, https://jmlr.org/papers/v11/vinh10a.html) of the clusters with
    each label: 1 if they are the same, 0 as by chance. Sizes are those of trees, among the clusters of trees alone."""
    found = {name: _shared(clustered(rows), values) for name, values in labels(rows).items()}
    trees = [row for row in rows if row["job"].startswith(TREES)]
    return found | {"size of a tree": _shared(clustered(trees), sizes(trees))}


def _shared(found: Clustered, values: Sequence[str]) -> float:
    return float(adjusted_mutual_info_score([values[i] for i in found.kept], found.cluster))
