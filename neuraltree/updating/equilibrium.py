"""Neurons at equilibrium: how fast the outputs of each node still change from one epoch to the next.

Bragagnolo, Tartaglione and Grangetto, *To update or not to update? Neurons at equilibrium in deep models*, NeurIPS
2022. After each epoch the outputs of a neuron for the same rows are compared with those of the epoch before, by their
cosine. The change of this similarity, with the velocity before taken off, is the velocity of the neuron; a neuron
with a velocity below a threshold is at equilibrium and need not be updated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray

MOMENTUM, THRESHOLD = 0.5, 1e-3  # mu and epsilon of the paper

# The velocity from the change of the similarity, the change before it, the velocity before it, and the momentum. The
# paper and the program of its authors differ in their signs.
Form = Callable[[FloatArray, FloatArray, FloatArray, float], FloatArray]
FORMS: dict[str, Form] = {
    "paper": lambda change, before, velocity, momentum: change - momentum * velocity,
    "program": lambda change, before, velocity, momentum: change - before + momentum * velocity,
}


class Motion(NamedTuple):
    """(nodes,) each, after an epoch."""

    similarity: FloatArray
    change: FloatArray
    velocity: FloatArray


def at_rest(nodes: int) -> Motion:
    """The motion before the first comparison: all zero, so that the first velocity of a node is its similarity."""
    return Motion(*np.zeros((3, nodes)))


def moved(motion: Motion, similarity: FloatArray, *, form: str = "paper", momentum: float = MOMENTUM) -> Motion:
    """The motion after an epoch with this ``similarity`` (nodes,). ``form``: a key of ``FORMS``."""
    change = similarity - motion.similarity
    return Motion(similarity, change, FORMS[form](change, motion.change, motion.velocity, momentum))


def similarity(now: FloatArray, before: FloatArray, *, centred: bool = True) -> FloatArray:
    """(nodes,) the cosine between the outputs ``now`` and ``before``, (nodes, rows) each, of two epochs.

    ``centred`` takes the mean off each node's outputs first. The sources do not, but the outputs of a sigmoid between
    .50 and .52 then have a cosine near 1 whatever they do. Outputs that are all 0 have the similarity 1 to outputs that
    are all 0, and 0 to any others.
    """
    if centred:
        now, before = (part - part.mean(axis=1, keepdims=True) for part in (now, before))
    norms = np.linalg.norm(now, axis=1), np.linalg.norm(before, axis=1)
    product = norms[0] * norms[1]
    still = (norms[0] == 0) & (norms[1] == 0)
    return np.where(still, 1.0, np.sum(now * before, axis=1) / np.where(product == 0, 1.0, product))
