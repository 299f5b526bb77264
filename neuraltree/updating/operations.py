"""The operations of a training in which some neurons are frozen, counted in multiply-accumulates of one row.

Papers about frozen neurons count the back-propagation of these neurons alone as saved. But a frozen neuron still passes
deltas to neurons below it that are updated, and its value is still needed. So an edge costs up to three operations: one
forward, one for the derivative by its weight if its neuron is updated, and one for the delta that passes down through
it if the neuron below, or one further below, is updated. Only where a neuron and all below it are frozen does nothing
change: its value for each row could be kept from one epoch to the next.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import IntArray, Nodes, is_leaf, parents

Mask = NDArray[np.bool_]


class Wiring(NamedTuple):
    """The edges of a network, from its outputs down: a neuron comes after all neurons that read it.

    ``fan_in`` (neurons,): the edges into each neuron, without its bias. ``reader`` and ``source`` (edges,): the two
    neurons of each edge that joins neurons, in any order of the edges.
    """

    fan_in: IntArray
    reader: IntArray
    source: IntArray


class Operations(NamedTuple):
    """Multiply-accumulates of one row, each (...): ``slopes`` are the derivatives by weights."""

    forward: IntArray
    slopes: IntArray
    deltas: IntArray

    @property
    def total(self) -> IntArray:
        return self.forward + self.slopes + self.deltas


def wiring_of(nodes: Nodes) -> Wiring:
    """That of a tree or of trees laid end to end: the neurons are the function nodes, in their order."""
    parent, function = parents(nodes["depth"]), ~is_leaf(nodes)
    place = np.cumsum(function) - 1
    fan_in = np.bincount(place[parent[parent >= 0]], minlength=np.count_nonzero(function))
    inner = np.flatnonzero(function & (parent >= 0))
    return Wiring(fan_in, place[parent[inner]], place[inner])


def moving(wiring: Wiring, frozen: Mask) -> Mask:
    """(..., neurons) whether a neuron or one below it is updated, if those of ``frozen`` (..., neurons) are not.

    Such a neuron needs its delta, and its value changes; all others need no delta and keep their values.
    """
    found = ~frozen
    for edge in np.argsort(-wiring.source):  # from the bottom, so that all below a source is known
        found[..., wiring.reader[edge]] |= found[..., wiring.source[edge]]
    return found


def operations(wiring: Wiring, frozen: Mask, kept: Mask | None = None) -> Operations:
    """The least operations of a row in an epoch without those of ``frozen`` (..., neurons).

    ``kept`` (..., neurons): neurons whose values were kept from the epoch before, because nothing moved there; those
    among them that do not move now either need no forward pass. By default no values are kept.
    """
    moved = moving(wiring, frozen)
    passed = np.ones_like(moved) if kept is None else moved | ~kept
    return Operations(passed @ wiring.fan_in, ~frozen @ wiring.fan_in, moved[..., wiring.source].sum(axis=-1))


def nominal_share(wiring: Wiring, frozen: Mask) -> FloatArray:
    """(...) the share of back-propagation that the papers count as saved: that of the edges into frozen neurons.

    As in src/plots/resnet32.py of https://github.com/EIDOSLAB/NEq, which gives each layer twice the operations of its
    forward pass and each of its neurons an equal part of them.
    """
    return frozen @ wiring.fan_in / wiring.fan_in.sum()
