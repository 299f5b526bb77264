"""Fitting of what probabilities add to cycles and flash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.hardware.calibrate.measured_samples import Sample
from neuraltree.hardware.model.probability_cost import ADDED, added_design
from neuraltree.hardware.profile.profile_schema import SHARED

LEAST = 6  # samples: with fewer there is no block


def probabilities(samples: Sequence[Sample], *, is_integer: bool) -> dict[str, Any] | None:
    """The table ``probabilities`` of an entry, by non-negative least squares on the relative error; None if too few of
    the samples have them.

    Integer code has none of the functions of floats, so there all of them belong to the task.
    """
    rows = [sample for sample in samples if sample.probabilities is not None]
    if len(rows) < LEAST:
        return None
    design = added_design(np.stack([sample.once for sample in rows]))
    more = [(sample.probabilities, sample.measured) for sample in rows if sample.probabilities]
    cycles = np.array([both.cycles - alone.cycles for both, alone in more])
    flash = np.array([float(both.flash_bytes - alone.flash_bytes) for both, alone in more])
    found = {
        "cycles": _fitted(design, cycles, ("binary", "multiclass", "output")),
        "flash": _fitted(design, flash, ("binary", "multiclass") if is_integer else ("binary", "multiclass", *SHARED)),
    }
    worst = {name: _worst(design, value, found[name]) for name, value in (("cycles", cycles), ("flash", flash))}
    source = (
        f"non-negative least squares over {len(rows)} compiled and emulated classifiers; largest errors "
        f"{worst['cycles']:.0f} % of the added cycles, {worst['flash']:.0f} % of the added flash"
    )
    blocks = {name: _block(figures) for name, figures in found.items()}
    return {"units": "cycle, B", "certainty": "M", "source": source, **blocks}


def _fitted(design: FloatArray, measured: FloatArray, names: tuple[str, ...]) -> dict[str, float]:
    from scipy.optimize import nnls

    columns = design[:, [ADDED.index(name) for name in names]]
    found, _ = nnls(columns / measured[:, None], np.ones(len(measured)))
    return {name: float(f"{value:.4g}") for name, value in zip(names, found.tolist(), strict=True)}


def _worst(design: FloatArray, measured: FloatArray, figures: dict[str, float]) -> float:
    """The largest error in percent."""
    predicted = design[:, [ADDED.index(name) for name in figures]] @ np.array(list(figures.values()))
    return float(100 * np.abs(predicted / measured - 1).max())


def _block(figures: dict[str, float]) -> dict[str, Any]:
    plain = {name: {"lo": value} for name, value in figures.items() if name not in SHARED}
    shared = {name: {"lo": value} for name, value in figures.items() if name in SHARED and value}
    return plain | ({"shared": shared} if shared else {})
