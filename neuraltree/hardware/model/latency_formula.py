"""Latency of larger devices by the formula of the sources: time for computation, and time for data movement.

T_computation = operations / peak; T_data = (weights + activations in bytes) / bandwidth; every function node reads its
children and writes its value. The sources do not say how the two times combine. Here the upper bound is their sum
(``serial``, one after the other), and the lower bound is their maximum (``overlap``, the roofline model). The
``overhead`` of a profile is added: at batch size 1 it is most of the time. Energy = operations and bytes times the
energy of each, plus power times latency.
"""

from __future__ import annotations

from typing import Literal, cast

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import Precision, number_format
from neuraltree.hardware.model import encoding_cost
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.profile.devices import FormulaDevice

TERMS = ("computation", "weights", "activations", "overhead")
Bounds = Literal["lo", "hi"]


def parts(counts: Counts, device: FormulaDevice, precision: str, bound: str) -> tuple[tuple[str, ...], FloatArray]:
    """The names of the terms, and the part of each in latency, flash, RAM and energy: (trees, costs, terms); "mid" is
    the mean of both bounds."""
    ends: tuple[Bounds, ...] = ("lo", "hi") if bound == "mid" else (cast(Bounds, bound),)
    found = np.stack([_costs(counts, device, cast(Precision, precision), end) for end in ends])
    return TERMS, found.mean(axis=0)


def serial(times: FloatArray) -> FloatArray:
    """The times of computation, weights, activations and overhead (trees, terms), all one after another."""
    return times


def overlap(times: FloatArray) -> FloatArray:
    """The times if the shorter of computation and data movement is hidden by the longer, and so adds nothing."""
    computes = times[:, :1] >= times[:, 1:3].sum(axis=1, keepdims=True)
    hidden = np.hstack([~computes, computes, computes, np.zeros_like(computes)])
    return np.where(hidden, 0.0, times)


def _costs(counts: Counts, device: FormulaDevice, precision: Precision, bound: Bounds) -> FloatArray:
    moved = _moved(counts, number_format(precision).weight_bytes)
    times = {"lo": overlap, "hi": serial}[bound](_times(device, precision, moved, bound))
    byte = device.byte_energy.value.at(bound)
    picojoule = np.array([device.arithmetic[precision].energy.value.at(bound), byte, byte, 0.0])
    watt = 0.0 if device.power is None else device.power.value.at(bound)
    none = np.zeros(len(counts.nodes))
    flash = np.column_stack([none, moved[:, 1], none, none])
    ram = np.column_stack(
        [none, none, (counts.features_used + counts.peak_live) * number_format(precision).weight_bytes, none]
    )
    return np.stack([times, flash, ram, moved * picojoule * 1e-12 + times * watt], axis=1)


def _moved(counts: Counts, width: int) -> FloatArray:
    """Operations, bytes of weights, bytes of activations read and written, and 1: (trees, terms)."""
    values = counts.edges + counts.function_nodes
    taken = counts.far_features  # each stores a mean and needs a subtraction
    made = 2 * encoding_cost.FLOAT_BYTES * encoding_cost.encoded(counts)  # a number is read, a feature is written
    work = counts.flops + taken + encoding_cost.operations(counts)
    columns = [work, (counts.weights + taken) * width, values * width + made, np.ones_like(values)]
    return np.column_stack(columns).astype(float)


def _times(device: FormulaDevice, precision: Precision, moved: FloatArray, bound: Bounds) -> FloatArray:
    # The slower end of a rate is the upper bound of a time.
    slow: Bounds = "lo" if bound == "hi" else "hi"
    bandwidth = device.bandwidth.value.at(slow)
    peak = device.arithmetic[precision].peak.value.at(slow)
    return moved * np.array([1 / peak, 1 / bandwidth, 1 / bandwidth, device.overhead.value.at(bound)])
