"""What a population costs on a device: counts times coefficients.

A linear model of the counts. Where its coefficients were calibrated (the entries marked M) it came within 10 %
of emulation for every random test tree; its seconds assume no wait states and are right within about 25 % of
silicon. Not counted: scaling the inputs, which float code folds into the weights and int8 code does not, and
turning outputs into a class or probabilities (argmax, softmax).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES
from neuraltree.hardware.counts import Counts, count
from neuraltree.hardware.profiles import Bound, Device, Entry, Terms
from neuraltree.tree import IntArray, Nodes

COSTS = ("latency_s", "flash_bytes", "ram_bytes", "energy_j")
WHOLE = ("flash_bytes", "ram_bytes")
FloatArray = NDArray[np.float64]


def costs(
    nodes: Nodes, starts: IntArray, device: Device, precision: str, style: str, *, bound: Bound = "mid"
) -> dict[str, FloatArray]:
    """Each of ``COSTS`` of trees laid end to end, shape (trees,); bytes are whole numbers.

    ``bound`` chooses the lower or upper end of the figures' stated ranges instead of their middle.
    ``ValueError`` if the device has no figures for ``precision`` and ``style``.
    """
    return costs_of_counts(count(nodes, starts), device, precision, style, bound=bound)


def costs_of_counts(
    counts: Counts, device: Device, precision: str, style: str, *, bound: Bound = "mid"
) -> dict[str, FloatArray]:
    """``costs`` of trees that have been counted."""
    coefficients = _coefficients(device, device.entry(precision, style), bound)
    # A sum over the last axis rather than BLAS, so that a tree alone gets the same bits as in a population.
    table = (_terms(counts)[:, None, :] * coefficients).sum(axis=-1)
    result = dict(zip(COSTS, table.T, strict=True))
    return result | {name: np.rint(result[name]) for name in WHOLE}


def _terms(counts: Counts) -> FloatArray:
    """What the coefficients multiply, (trees, terms): 1, nodes, edges, nodes per kind, kinds in use, live values."""
    plain = (np.ones_like(counts.nodes), counts.function_nodes, counts.leaf_edges, counts.node_edges)
    return np.column_stack([*plain, counts.kinds, counts.kinds > 0, counts.peak_live]).astype(np.float64)


def _coefficients(device: Device, entry: Entry, bound: Bound) -> FloatArray:
    """The coefficients of each cost, (costs, terms)."""
    none = [0.0] * len(NAMES)
    cycles = np.array([*_plain(entry.cycles, bound), *_kinds(entry.cycles, bound), *none, 0.0])
    flash = [*_plain(entry.flash, bound), *none, *_kinds(entry.flash, bound), 0.0]
    ram = [entry.ram.const.at(bound), 0.0, 0.0, 0.0, *none, *none, entry.ram.live_value.at(bound)]
    latency = cycles / (device.clock.value * 1e6)
    energy = cycles * (device.energy.value.at(bound) * 1e-12)
    return np.array([latency, flash, ram, energy])


def _plain(terms: Terms, bound: Bound) -> list[float]:
    return [figure.at(bound) for figure in (terms.const, terms.node, terms.leaf_edge, terms.node_edge)]


def _kinds(terms: Terms, bound: Bound) -> list[float]:
    return [terms.kinds[name].at(bound) for name in NAMES]
