"""What weights of fewer than 8 bits change in the costs of int8 code with as many edges.

Their code is int8 code with other weights. Straight code saves products by 1, -1 and powers of two; tables may hold the
edges from inputs in a stream of bits, which takes fewer bytes and more time.
"""

from __future__ import annotations

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.profile.devices import CycleDevice
from neuraltree.hardware.profile.profile_schema import Bound, Entry

SAVED = (
    "unit_weights",
    "power_weights",
)  # in straight code; the figures of ``profile_schema.Narrow`` have the same names
UNPACKED = ("packed_edges", "wide_edges", "mixed_edges", "packed_bytes")  # in tables


def narrow_design(counts: Counts, names: tuple[str, ...]) -> FloatArray:
    """(trees, names) the numbers that figures of ``Narrow`` multiply; those of ``SAVED`` are negative."""
    signs = [-1.0 if name in SAVED else 1.0 for name in names]
    return np.column_stack([getattr(counts.narrow, name) for name in names]) * signs


def known_cycles(counts: Counts, entry: Entry, bound: Bound) -> FloatArray:
    """(trees,) cycles of the edges that fill gaps: those of any other."""
    assert counts.narrow is not None
    more = np.where(counts.narrow.packed > 0, counts.narrow.packed_edges - counts.leaf_edges, 0)
    return more * entry.cycles.leaf_edge.at(bound)


def known_flash(counts: Counts, entry: Entry, bound: Bound) -> FloatArray:
    """(trees,) bytes of packed edges, less those of as many edges from inputs that are not."""
    assert counts.narrow is not None
    spilled = np.where(counts.inner_nodes > 0, entry.flash.spilled_edge.at(bound), 0.0)
    plain = counts.leaf_edges * (entry.flash.leaf_edge.at(bound) + spilled)
    return np.where(counts.narrow.packed > 0, counts.narrow.data_bytes - plain, 0.0)


def names_of(style: str) -> tuple[str, ...]:
    """The figures of cycles that code of a style has."""
    return SAVED if style == "straight" else UNPACKED


def flash_names_of(style: str) -> tuple[str, ...]:
    return SAVED if style == "straight" else ("packed",)


def part(counts: Counts, device: CycleDevice, code: tuple[str, str, str], bound: Bound) -> FloatArray:
    """(trees, 4) latency in s, flash and RAM in bytes, energy in J: what is added to int8 code, mostly below 0."""
    entry, style = device.entry(*code), code[1]
    assert entry.narrow is not None
    assert counts.narrow is not None
    tables = ((entry.narrow.cycles, names_of(style)), (entry.narrow.flash, flash_names_of(style)))
    parts: list[FloatArray] = [
        narrow_design(counts, names) @ np.array([getattr(figures, name).at(bound) for name in names])
        for figures, names in tables
    ]
    ram: FloatArray = np.zeros(len(counts.nodes))
    if style == "table":
        parts = [parts[0] + known_cycles(counts, entry, bound), parts[1] + known_flash(counts, entry, bound)]
        ram = ram + counts.narrow.packed * entry.narrow.ram.packed.at(bound)
    cycles, flash = parts
    latency = cycles * device.seconds(1, bound)
    energy = cycles * (device.board_cycles(bound) * device.energy.value.at(bound) * 1e-12)
    return np.column_stack([latency, flash, ram, energy])
