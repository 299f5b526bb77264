"""The cost of making features from the columns of a table, see ``inputs.features.RULES``.

It is estimated from figures that a profile has for float code: a copy costs the same few cycles everywhere; a
comparison costs in addition a share of a subtraction, which is a call where there is no floating point; a cycle costs a
sine and two divisions. The shares were taken from trees of one rule each, measured on the emulated Cortex-M0+,
Cortex-M4F and RV32IMC with clang. Integer code makes its features in floats too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.activations import NAMES
from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import c_format
from neuraltree.hardware.model.counts import Counts
from neuraltree.hardware.profile.devices import CycleDevice
from neuraltree.hardware.profile.profile_schema import SHARED, Bound, Entry, Figure
from neuraltree.inputs.features import RULES

FLOAT_BYTES = 4


class Work(NamedTuple):
    """The cost of one feature. ``cycles`` and ``flash_bytes`` are the same on all cores; ``subtractions`` and ``sines``
    are multiples of the cycles of these. ``library``: the share of a library of floats that the rule needs once, where
    there is no floating point. ``operations``: as in ``Counts.flops``."""

    cycles: float
    subtractions: float
    sines: float
    flash_bytes: float
    library: float
    operations: float


WORK: dict[str, Work] = {
    "value": Work(4, 0, 0, 4, 0, 0),
    "filled": Work(7.5, 0.16, 0, 24, 0.05, 1),
    "level": Work(8, 0.28, 0, 26, 0.115, 1),
    "hole": Work(7.5, 0.16, 0, 24, 0.05, 1),
    "cycle": Work(15, 0, 1.3, 22, 0, 20),
}
EACH = np.array([WORK[rule] for rule in RULES])  # (rules, figures of Work)
CYCLE = tuple(RULES).index("cycle")
CALL_CYCLES, CALL_FLASH = 10, 12  # of the function that makes the features
CYCLE_FLASH = 110  # of the function of a cycle, without the sine
# By task: the share of a library of floats that a cycle needs and integer code has not; that of a regression has a
# product and a conversion already.
SUMS: dict[str, float] = {"regression": 0.33, "binary": 0.95, "multiclass": 0.95}
INTEGER_RAM, INTEGER_FEATURE_RAM = 12, 2  # stack of integer code, which drops the features after converting them
FRAMES, STACK = 0.6, 0.02  # shares of the stack of float code and of a library of floats, as stack of a cycle


def operations(counts: Counts) -> FloatArray:
    """(trees,) operations on floats."""
    return _rules(counts) @ EACH[:, Work._fields.index("operations")]


def encoded(counts: Counts) -> FloatArray:
    """(trees,) features made from columns."""
    return _rules(counts).sum(axis=1)


def part(counts: Counts, kind: str, device: CycleDevice, code: tuple[str, str, str], bound: Bound) -> FloatArray:
    """(trees, 4) latency in s, flash and RAM in bytes, energy in J. ``kind``: the task, as in ``Tree.kind``.

    ``ValueError`` if the device has no figures for float code of this style and compiler.
    """
    precision, style, compiler = code
    floats, is_integer = device.entry("float32", style, compiler), c_format(precision).is_integer
    cycles = _cycles(counts, floats, bound)
    library = SUMS[kind] if is_integer else 0.0
    ram = _integer_ram(counts, floats, bound) if is_integer else FLOAT_BYTES * encoded(counts)
    latency = cycles * device.seconds(1, bound)
    energy = cycles * (device.board_cycles(bound) * device.energy.value.at(bound) * 1e-12)
    return np.column_stack([latency, _flash(counts, floats, bound, library), ram, energy])


def _rules(counts: Counts) -> FloatArray:
    return counts.rules.astype(np.float64)


def _cycles(counts: Counts, floats: Entry, bound: Bound) -> FloatArray:
    own, subtractions, sines = EACH[:, :3].T
    figures = floats.cycles.far_input.at(bound), floats.cycles.kinds["sine"].at(bound)
    return _rules(counts) @ (own + subtractions * figures[0] + sines * figures[1]) + CALL_CYCLES * (encoded(counts) > 0)


def _integer_ram(counts: Counts, floats: Entry, bound: Bound) -> FloatArray:
    features = encoded(counts)
    stack = FRAMES * floats.ram.const.at(bound) + STACK * floats.flash.const.at(bound)
    return INTEGER_RAM * (features > 0) + INTEGER_FEATURE_RAM * features + stack * (_rules(counts)[:, CYCLE] > 0)


def _flash(counts: Counts, floats: Entry, bound: Bound, library: float) -> FloatArray:
    """``library``: the share of a library of floats that a cycle adds; 0 for float code, which has it."""
    rules, (own, comparison) = _rules(counts), EACH[:, 3:5].T
    whole = floats.flash.const.at(bound)  # small where there is floating point
    compared = np.where(rules > 0, comparison, 0.0).max(axis=1) * whole
    return rules @ own + CALL_FLASH * (rules.sum(axis=1) > 0) + compared + _cycle_flash(counts, floats, bound, library)


def _cycle_flash(counts: Counts, floats: Entry, bound: Bound, library: float) -> FloatArray:
    """The function of a cycle, and what it calls and the tree has not got yet."""
    used = (counts.kinds > 0) & (library == 0.0)

    def lacks(kinds: tuple[str, ...], figure: Figure | None) -> FloatArray:
        there = used[:, [NAMES.index(kind) for kind in kinds]].any(axis=1)
        return np.where(there, 0.0, 0.0 if figure is None else figure.at(bound))

    shared = floats.flash.shared
    total = CYCLE_FLASH + lacks(("sine",), floats.flash.kinds["sine"])
    total = total + sum(lacks(SHARED[name], shared.get(name)) for name in ("rounding", "division"))
    total = total + library * floats.flash.const.at(bound)
    return np.where(_rules(counts)[:, CYCLE] > 0, total, 0.0)
