"""Every tree predicted by the shipped profiles and measured, with two baselines."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.measured_models import ModelMeasurement, measure_model
from neuraltree.hardware.model.cost import WORST, costs_of_counts, counted
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.model.linear_model import PLAIN, TERMS, design
from neuraltree.hardware.profile.devices import CycleDevice
from neuraltree.hardware.profile.load import load_device
from neuraltree.tree.tree import Tree

COSTS = ("cycles", "worst_cycles", "instructions", "flash_bytes", "ram_bytes")
LATENCIES = {"cycles": "latency_s", "worst_cycles": WORST}  # NaN if the profile has no figures
Array = NDArray[np.float64]


class Case(NamedTuple):
    """The code that is built from a tree, and the core that it is for."""

    core: str
    compiler: str
    precision: str
    style: str

    @property
    def code(self) -> tuple[str, str, str]:
        return self.precision, self.style, self.compiler


@dataclass(frozen=True)
class Samples:
    """The trees of a set in a case, one entry per tree; ``sizes`` describe the tree as the search left it."""

    measured: dict[str, Array]
    predicted: dict[str, Array]
    sizes: dict[str, Array]
    agrees: NDArray[np.bool_]
    constant: int  # trees left out because their code would not read its inputs

    def __add__(self, other: Samples) -> Samples:
        both = [
            {name: np.concatenate([old, new[name]]) for name, old in mine.items()}
            for mine, new in (
                (self.measured, other.measured),
                (self.predicted, other.predicted),
                (self.sizes, other.sizes),
            )
        ]
        return Samples(*both, np.concatenate([self.agrees, other.agrees]), self.constant + other.constant)


@cache
def device_of(core: str) -> CycleDevice:
    device = load_device(core)
    assert isinstance(device, CycleDevice)
    return device


def calibrated(core: str, compiler: str) -> bool:
    """Whether the profile has entries of this compiler's own code, by ``calibrate``, with counted instructions."""
    return any(entry.compiler == compiler and entry.instructions for entry in device_of(core).entries)


def sample(trees: Sequence[Tree], case: Case, tick: Callable[[], None]) -> Samples:
    """Measure and predict; ``tick`` is called after each tree."""

    def one(tree: Tree) -> tuple[Tree, Counts, ModelMeasurement] | None:
        counts = counts_of(tree, case.precision)
        found = None
        if counts.leaf_edges[0]:
            measured = measure_model(tree, case.core, case.compiler, precision=case.precision, style=case.style)
            found = tree, counts, measured
        tick()
        return found

    # The compiler is a separate process, so threads keep all cores busy.
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        rows = [row for row in threads.map(one, trees) if row is not None]
    predicted = [predict(tree, counts, case) for tree, counts, _ in rows]
    plain = [counts_of(tree, "float32") for tree, _, _ in rows]
    return Samples(
        measured={name: np.array([getattr(row, name) for _, _, row in rows], dtype=float) for name in COSTS},
        predicted={name: np.array([row[name] for row in predicted]) for name in COSTS},
        sizes={name: np.array([getattr(c, name)[0] for c in plain], dtype=float) for name in ("weights", "macs")},
        agrees=np.array([row.agrees for _, _, row in rows], dtype=bool),
        constant=len(trees) - len(rows),
    )


def counts_of(tree: Tree, precision: str) -> Counts:
    return counted(tree.nodes, np.array([0, len(tree.nodes)]), precision, tree.input_range, tree.far)


def predict(tree: Tree, counts: Counts, case: Case) -> dict[str, float]:
    """Each of ``COSTS`` by the shipped profile, the middle of its bounds."""
    device = device_of(case.core)
    found = costs_of_counts(counts, device, *case.code, kind=tree.kind)
    figures = {name: float(values[0]) for name, values in found.items()}
    figures |= {name: figures.get(cost, np.nan) / device.seconds(1, "mid") for name, cost in LATENCIES.items()}
    return {"instructions": _instructions(tree, counts, device, case), **figures}


def _instructions(tree: Tree, counts: Counts, device: CycleDevice, case: Case) -> float:
    terms = device.entry(*case.code).instructions
    assert terms is not None, "calibrate writes them"
    figures = {**{name: getattr(terms, name) for name in PLAIN}, **terms.kinds}
    row = design(counts, tree.kind, once=False)[0]
    return sum(row[TERMS.index(name)] * figure.at("mid") for name, figure in figures.items())


def fit_baseline(size: Array, measured: Array) -> tuple[float, float]:
    """A constant and one coefficient, by the least squares on the relative error that the cost model has too."""
    from scipy.optimize import nnls

    found, _ = nnls(np.column_stack([np.ones_like(size), size]) / measured[:, None], np.ones(len(measured)))
    return float(found[0]), float(found[1])


def seconds_a_model(trees: Sequence[Tree], case: Case) -> float:
    """Median seconds to export, compile and emulate one, one at a time; fresh names avoid the cache."""
    taken = []
    for tree in trees:
        token = secrets.token_hex(4)
        fresh = replace(tree, features=tuple(f"{token}_{i}" for i in range(len(tree.features))))
        begun = time.perf_counter()
        measure_model(fresh, case.core, case.compiler, precision=case.precision, style=case.style)
        taken.append(time.perf_counter() - begun)
    return float(np.median(taken))
