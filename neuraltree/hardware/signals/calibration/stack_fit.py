"""The fit of the stack of streaming code to records of emulated pushes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from neuraltree.export.signals.table_functions import scratch_bytes
from neuraltree.hardware.measure.cores import Core
from neuraltree.hardware.profile.devices import Code
from neuraltree.hardware.profile.load import load_device
from neuraltree.hardware.signals.calibration.signal_records import Record
from neuraltree.hardware.signals.whole_cost import tree_costs

SITES = ("channel", "axis", "stream", "filter_low", "filter_high", "filter_norm", "filter_delta")
FRAMES = range(-64, 129, 4)  # bytes, of which one is chosen


def stacks(records: Iterable[Record]) -> dict[str, float]:
    """The stack of a push that computes one feature, by its name, without arrays, from models of one feature."""
    return {
        one.model.front_end.wanted[0].feature.name: float(
            one.pushes.stack_bytes.max() - scratch_bytes(one.layout.windows)
        )
        for one in records
        if len(one.model.front_end.wanted) == 1
    }


def stack_fit(
    records: Sequence[Record], alone: Mapping[str, float], core: Core, compiler: str
) -> tuple[float, dict[str, float]]:
    """The stack of a push below the tree's, and what sites add to all pushes: those with the least relative errors of
    RAM, state included."""
    from scipy.optimize import nnls

    device = load_device(core.name)
    trees = np.array(
        [tree_costs(one.model.tree, device, Code(one.precision, "straight", compiler))["ram_bytes"] for one in records]
    )
    windows = np.array([_deepest(one, alone) for one in records])
    measured = np.array([float(one.pushes.stack_bytes.max()) for one in records])
    sites = np.array([[one.sites.get(name, 0.0) for name in SITES] for one in records])
    size = measured + [one.state_bytes for one in records]
    found = []
    for frame in FRAMES:
        left = measured - np.maximum(windows, trees + frame)
        factors, error = nnls(sites / size[:, None], left / size)
        found.append((error, float(frame), dict(zip(SITES, np.round(factors, 1).tolist(), strict=True))))
    best = min(found, key=lambda each: each[0])
    return best[1:]


def _deepest(one: Record, alone: Mapping[str, float]) -> float:
    """Of all windows: the arrays of its parts and the deepest of its features."""
    return max(
        scratch_bytes([window]) + max(alone[call.feature.name] for call in window.features)
        for window in one.layout.windows
    )
