"""The state of a model that is fed samples: its fields, in C and in bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from neuraltree.export.names import comment
from neuraltree.export.signals.signal_layout import TYPE_BYTES, Layout
from neuraltree.signals.event_rule import SMOOTHING_UNIT, EventRule
from neuraltree.signals.filters.filter import Filter

LARGEST_COUNT = 65_535  # of samples of a hop, and of hops, in 16 bits


class Field(NamedTuple):
    """``entries``: of an array, 0 for a single number. ``size`` and ``align``: of one entry, in bytes on cores of
    32 bits."""

    c_type: str
    name: str
    entries: int
    meaning: str
    size: int
    align: int

    @property
    def text(self) -> str:
        width = f"[{self.entries}]" if self.entries else ""
        return f"    {self.c_type} {self.name}{width}; /* {comment(self.meaning)} */"

    @property
    def total_bytes(self) -> int:
        return self.size * max(self.entries, 1)


def field(c_type: str, name: str, meaning: str, entries: int = 0) -> Field:
    """A field of a type of C."""
    return Field(c_type, name, entries, meaning, TYPE_BYTES[c_type], TYPE_BYTES[c_type])


def state_fields(layout: Layout, events: EventRule, classes: int) -> tuple[Field, ...]:
    """All fields, the widest first, so that there are no gaps but at the end; ``classes``: 0 for a regression."""
    found = [
        Field(
            f"nt_{step.filter.name}_state", f"f{i}", 0, f"the filter of {step.prefix.name}", *filter_bytes(step.filter)
        )
        for i, step in enumerate(layout.filters)
        if step.filter.state
    ]
    for i, one in enumerate(layout.streams):
        name = one.stream.name
        for k, each in enumerate(one.blocks):
            what = f"{each.part.meaning.translate(ASCII)} of {name}, each hop"
            found.append(field(each.part.c_type, f"b{i}_{k}", what, each.blocks))
        found += [field("int16_t", f"before{i}", f"the last sample of {name}")] * one.keeps_before
        found += [field("int16_t", f"x{i}", f"the samples of {name}", one.buffer)] * (one.buffer > 0)
    found.append(field("int16_t", "features", "of the last decision", layout.num_features))
    found += _decision_fields(events, classes)
    found += [
        field("uint16_t", "filled", "samples in this hop"),
        field("uint16_t", "hops", "hops so far, until the windows are full"),
    ]
    return tuple(sorted(found, key=lambda one: -one.align))


ASCII = str.maketrans({"Σ": "sum ", "²": "^2", "³": "^3", "⁴": "^4", "Δ": "d", "−": "-", "·": "*", "×": "*"})


def _decision_fields(events: EventRule, classes: int) -> list[Field]:
    if not classes:
        return [field("float", "value", "the target at the last decision")]
    found = [field("int16_t", "scores", "of the classes at the last decision", classes)]
    found += [field("int16_t", "means", "of the scores", classes)] * (events.smoothing < SMOOTHING_UNIT)
    found += [
        field("int16_t", "best", "the class of the last decision"),
        field("int16_t", "current", "what was reported last"),
    ]
    return found + [field("uint16_t", "quiet", "decisions without events to come")] * (events.refractory > 0)


def filter_bytes(one: Filter) -> tuple[int, int]:
    """The size and the alignment of a filter's state."""
    parts = [_declared(text) for text in one.state]
    return struct_bytes(parts), max(align for _, align in parts)


def _declared(text: str) -> tuple[int, int]:
    """Bytes and alignment of a declaration such as ``int32_t x, y[2];``."""
    found = re.fullmatch(r"\s*(\w+) ((?:\w+(?:\[\d+\])*(?:, )?)+);\s*", text)
    if found is None or found[1] not in TYPE_BYTES:
        raise ValueError(f"the state {text!r} of a filter is no declaration such as int32_t x, y[2];")
    counts = [prod(map(int, re.findall(r"\[(\d+)\]", name))) for name in found[2].split(", ")]
    return sum(counts) * TYPE_BYTES[found[1]], TYPE_BYTES[found[1]]


def struct_bytes(parts: Sequence[tuple[int, int]]) -> int:
    """The size of a struct on cores of 32 bits of fields of these sizes and alignments, in their order."""
    end = 0
    for size, align in parts:
        end = -(-end // align) * align + size
    most = max((align for _, align in parts), default=1)
    return -(-end // most) * most


def state_bytes(fields: Sequence[Field]) -> int:
    """The RAM of a state on cores of 32 bits."""
    return struct_bytes([(one.total_bytes, one.align) for one in fields])
