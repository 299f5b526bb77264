"""What the probabilities of classes cost in addition to the class."""

from __future__ import annotations

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.model.linear_model import TERMS, design
from neuraltree.hardware.profile.devices import CycleDevice, Device
from neuraltree.hardware.profile.profile_schema import SHARED, Added, Bound

LATENCY, FLASH = "probabilities_latency_s", "probabilities_flash_bytes"
ADDED = ("binary", "multiclass", "output", *SHARED)


def added_design(once: FloatArray) -> FloatArray:
    """The numbers that the figures of ``Added`` multiply, (trees, ADDED), from the design per tree."""
    column = {name: once[:, TERMS.index(name)] for name in ADDED}
    column["output"] = column["output"] * column["multiclass"]
    return np.column_stack([column[name] if name not in SHARED else 1.0 - column[name] for name in ADDED])


def probability_costs(
    counts: Counts,
    device: Device,
    precision: str,
    style: str,
    compiler: str = "clang",
    *,
    kind: str,
    bound: Bound = "mid",
) -> dict[str, FloatArray]:
    """``LATENCY``: how many seconds longer ``NAME_probabilities`` takes than ``NAME_predict``; ``FLASH``: the bytes by
    which a program grows that calls it too; (trees,) each. {} for a regression, which has no probabilities, and if the
    device has no figures for it."""
    if kind == "regression" or not isinstance(device, CycleDevice):
        return {}
    found = device.entry(precision, style, compiler).probabilities
    if found is None:
        return {}
    rows = added_design(design(counts, kind, once=True, style=style))
    cycles, flash = (rows @ _figures(part, bound) for part in (found.cycles, found.flash))
    return {LATENCY: cycles * device.seconds(1, bound), FLASH: np.rint(flash)}


def _figures(part: Added, bound: Bound) -> FloatArray:
    figures = {name: getattr(part, name) for name in ("binary", "multiclass", "output")} | part.shared
    return np.array([figures[name].at(bound) if name in figures else 0.0 for name in ADDED])
