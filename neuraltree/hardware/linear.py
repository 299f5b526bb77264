"""The linear cost model: a tree's counts times the coefficients of a device, a compiler, a precision and a style.

Where the coefficients were calibrated (the entries marked M) they were measured on an emulated core without wait
states; seconds are right within about 25 % of silicon.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES
from neuraltree.hardware.counts import Counts
from neuraltree.hardware.devices import CycleDevice
from neuraltree.hardware.schema import Bound, Entry, Ram, Terms

PLAIN = ("const", "node", "leaf_edge", "node_edge", "output", "feature")
TERMS = (*PLAIN, "live_value", *NAMES)
FloatArray = NDArray[np.float64]


def parts(
    counts: Counts, device: CycleDevice, precision: str, style: str, compiler: str, bound: Bound
) -> tuple[tuple[str, ...], FloatArray]:
    """The terms, and what each adds to latency, flash, RAM and energy: (trees, costs, terms)."""
    table = _coefficients(device, device.entry(precision, style, compiler), bound)
    once, used = _counted(counts, counts.kinds), _counted(counts, counts.kinds > 0)
    return TERMS, np.stack([once, used, once, once], axis=1) * table


def _counted(counts: Counts, kinds: NDArray) -> FloatArray:
    """What the coefficients multiply, (trees, terms)."""
    one = np.ones_like(counts.nodes)
    edges = (counts.leaf_edges, counts.node_edges)
    plain = (one, counts.function_nodes, *edges, counts.outputs, counts.features_used, counts.peak_live)
    return np.column_stack([*plain, kinds]).astype(np.float64)


def _coefficients(device: CycleDevice, entry: Entry, bound: Bound) -> FloatArray:
    """(costs, terms)."""
    cycles = np.array(_row(entry.cycles, bound))
    latency = cycles / (device.clock.value * 1e6)
    energy = cycles * (device.energy.value.at(bound) * 1e-12)
    return np.array([latency, _row(entry.flash, bound), _ram(entry.ram, bound), energy])


def _row(terms: Terms, bound: Bound) -> list[float]:
    plain = [getattr(terms, name).at(bound) for name in PLAIN]
    return [*plain, 0.0, *(terms.kinds[name].at(bound) for name in NAMES)]


def _ram(ram: Ram, bound: Bound) -> list[float]:
    given = {"const": ram.const, "live_value": ram.live_value, "feature": ram.feature, "output": ram.output}
    return [given[name].at(bound) if name in given else 0.0 for name in TERMS]
