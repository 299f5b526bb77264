"""Fitting of what formats of fewer than 8 bits change in the costs of int8 code, while all other figures stay."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import NARROW
from neuraltree.hardware.calibrate.fit import Residual, residual, residual_of_bound
from neuraltree.hardware.measured_models import ModelMeasurement, measure_model
from neuraltree.hardware.model.cost import counted, laid_out
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.model.linear_model import coefficients, design, ram_of_entry
from neuraltree.hardware.model.narrow_cost import (
    flash_names_of,
    known_cycles,
    known_flash,
    names_of,
    narrow_design,
)
from neuraltree.hardware.profile.devices import Code
from neuraltree.hardware.profile.places import Raw
from neuraltree.hardware.profile.profile_schema import Bound, Entry
from neuraltree.structs import to_struct
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.tree import Tree

ENDS: tuple[Bound, Bound] = ("lo", "hi")
RAM_MARGIN = 8  # bytes above the largest stack that was seen
WIDE_KINDS = ("tanh", "relu", "sigmoid")


class NarrowSample(NamedTuple):
    """The counts of a tree in its format, its kind of task, and its measurement."""

    counts: Counts
    kind: str
    measured: ModelMeasurement


def wide_trees(count: int, seed: int) -> list[Tree]:
    """Trees of many edges from inputs, which a table stores bit by bit: nodes of 8 to 60 inputs, of 15 to 200."""
    rng = np.random.default_rng((seed, 4))
    return [_wide(rng, 4 if i % 3 == 0 else 1) for i in range(count)]


def _wide(rng: np.random.Generator, outputs: int) -> Tree:
    features = int(np.exp(rng.uniform(np.log(15), np.log(200))))
    hidden, arity = int(rng.integers(3, 30)), int(rng.integers(8, min(features, 60) + 1))
    kinds = rng.permutation(WIDE_KINDS)[: int(rng.integers(1, len(WIDE_KINDS) + 1))]
    rows: list[tuple[int, int]] = []
    for _ in range(outputs):
        rows += [(0, ~code_of("identity")), *((1, f) for f in rng.permutation(features)[: int(rng.integers(6))])]
        for _ in range(-(-hidden // outputs)):
            rows += [(1, ~code_of(str(rng.choice(kinds)))), *((2, f) for f in rng.permutation(features)[:arity])]
    nodes: Nodes = np.zeros(len(rows), dtype=node_dtype())
    nodes["depth"], nodes["op"] = np.array(rows).T
    nodes["weight"], nodes["bias"] = rng.normal(size=(len(rows), 1)), 0.1 * rng.normal(size=(len(rows), 1))
    kind = "regression" if outputs == 1 else "multiclass"
    names = tuple(f"x{i}" for i in range(features))
    return Tree(nodes, kind, names, None if outputs == 1 else tuple(range(outputs)))


def measure_narrow(trees: Sequence[Tree], core: str, code: Code, tick: Callable[[], None]) -> list[NarrowSample]:
    """One sample per tree, each in the next of the formats. ``code``: style and compiler. Trees that have no integer
    code or no edge from an input left are left out."""

    def one(i: int, tree: Tree) -> NarrowSample | None:
        name = tuple(NARROW)[i % len(NARROW)]
        nodes, starts, about = laid_out([tree])
        kind = about.pop("kind")
        counts = counted(nodes, starts, name, **about)
        how: dict[str, Any] = {"precision": name, "style": code.style}
        try:
            found = measure_model(tree, core, code.compiler, **how) if counts.leaf_edges[0] else None
        except ValueError:  # the sums of this tree do not fit the integers
            found = None
        tick()
        return None if found is None else NarrowSample(counts, kind, found)

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        return [sample for sample in threads.map(one, range(len(trees)), trees) if sample is not None]


def with_narrow(entry: Raw, samples: Sequence[NarrowSample], judged: Sequence[NarrowSample]) -> Raw:
    """The int8 entry with what formats below 8 bits change, by least squares on the relative error of ``samples``, and
    its residuals over ``judged``."""
    made, style = to_struct(entry, Entry), entry["style"]
    cycles: dict[str, dict[str, float]] = {name: {} for name in names_of(style)}
    for end in ENDS:
        base, target, rows = _cycles(made, samples, end)
        for name, value in zip(cycles, _least_squares(rows, target - base, target), strict=True):
            cycles[name][end] = value
    base, target, rows = _flash(made, samples)
    found = _least_squares(rows, target - base, target)
    flash = {name: {"lo": value} for name, value in zip(flash_names_of(style), found, strict=True)}
    block: Raw = {
        "units": "cycle, B",
        "certainty": "M",
        "source": f"non-negative least squares over {len(samples)} compiled and emulated trees in {', '.join(NARROW)}, "
        "all figures of int8 as they are",
        "cycles": cycles,
        "flash": flash,
    }
    if style == "table":
        block["ram"] = {"packed": {"lo": _packed_ram(made, samples)}}
    rest = {key: value for key, value in entry.items() if key not in ("narrow", "residuals")}
    old = {key: value for key, value in entry.get("residuals", {}).items() if not key.startswith("narrow")}
    new = rest | {"narrow": block}
    return new | {"residuals": old | {f"narrow_{name}": row for name, row in _judged(new, judged).items()}}


def narrow_residuals(entry: Raw, judged: Sequence[NarrowSample]) -> dict[str, Residual]:
    """The errors of the predictions for trees to which nothing was fitted."""
    made, style = to_struct(entry, Entry), entry["style"]
    assert made.narrow is not None
    ends = []
    for end in ENDS:
        base, _, rows = _cycles(made, judged, end)
        ends.append(base + rows @ np.array([getattr(made.narrow.cycles, name).at(end) for name in names_of(style)]))
    base, flash, rows = _flash(made, judged)
    predicted = base + rows @ np.array([getattr(made.narrow.flash, name).at("lo") for name in flash_names_of(style)])
    bound, ram = _ram(made, judged)
    packed = np.array([sample.counts.narrow.packed[0] for sample in judged if sample.counts.narrow is not None])
    cycles = np.array([sample.measured.cycles for sample in judged])
    return {
        "cycles": residual(np.mean(ends, axis=0), cycles),
        "flash": residual(predicted, flash),
        "ram": residual_of_bound(bound + packed * made.narrow.ram.packed.at("lo"), ram),
    }


def _judged(entry: Raw, judged: Sequence[NarrowSample]) -> dict[str, dict[str, float]]:
    from neuraltree.hardware.calibrate.profile_entries import rounded

    return {name: rounded(found) for name, found in narrow_residuals(entry, judged).items()}


def _least_squares(rows: FloatArray, wanted: FloatArray, target: FloatArray) -> list[float]:
    from scipy.optimize import nnls

    found, _ = nnls(rows / target[:, None], wanted / target)
    return [float(f"{value:.4g}") for value in found.tolist()]


def _stacked(samples: Sequence[NarrowSample], of: Callable[[NarrowSample], NDArray]) -> FloatArray:
    return np.concatenate([of(sample) for sample in samples])


def _cycles(entry: Entry, samples: Sequence[NarrowSample], end: Bound) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The cycles of int8 code, those measured, and what the figures multiply."""
    factors = coefficients(entry, end)["cycles"]
    is_table = entry.style == "table"

    def base(sample: NarrowSample) -> FloatArray:
        found = design(sample.counts, sample.kind, once=False, style=entry.style) @ factors
        return found + (known_cycles(sample.counts, entry, end) if is_table else 0.0)

    measured = np.array([getattr(sample.measured, f"cycles_{end}") for sample in samples])
    rows = _stacked(samples, lambda sample: narrow_design(sample.counts, names_of(entry.style)))
    return _stacked(samples, base), measured, rows


def _flash(entry: Entry, samples: Sequence[NarrowSample]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same of bytes of flash."""
    factors = coefficients(entry, "lo")["flash"]
    is_table = entry.style == "table"

    def base(sample: NarrowSample) -> FloatArray:
        found = design(sample.counts, sample.kind, once=True, style=entry.style) @ factors
        return found + (known_flash(sample.counts, entry, "lo") if is_table else 0.0)

    measured = np.array([float(sample.measured.flash_bytes) for sample in samples])
    rows = _stacked(samples, lambda sample: narrow_design(sample.counts, flash_names_of(entry.style)))
    return _stacked(samples, base), measured, rows


def _ram(entry: Entry, samples: Sequence[NarrowSample]) -> tuple[FloatArray, FloatArray]:
    """The bound of int8 code, and the bytes measured."""

    def bound(sample: NarrowSample) -> FloatArray:
        once = design(sample.counts, sample.kind, once=True, style=entry.style)
        return np.asarray(ram_of_entry(entry, once, "lo").sum(axis=1))

    return _stacked(samples, bound), np.array([float(sample.measured.ram_bytes) for sample in samples])


def _packed_ram(entry: Entry, samples: Sequence[NarrowSample]) -> float:
    bound, ram = _ram(entry, samples)
    packed = _stacked(samples, lambda sample: narrow_design(sample.counts, ("packed",))[:, 0]) > 0
    over = float(np.ceil((ram - bound)[packed].max(initial=0.0)))
    return over + RAM_MARGIN if over > 0 else 0.0
