"""The front end of a model in NumPy: int16 samples in, int16 features of every window out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.feature_names import Stream, Wanted, parsed
from neuraltree.signals.parts.part import Window
from neuraltree.signals.parts.part_table import PARTS
from neuraltree.signals.sample_integers import clipped
from neuraltree.tree.nodes import IntArray


@dataclass(frozen=True)
class FrontEnd:
    """``channels``: of a sample, in their order. ``groups``: the channels of each group of axes, by its name.
    ``hop``: samples from one decision to the next; a window ends at each multiple of it. ``features``: by name, see
    ``feature_names``; their windows are multiples of the hop. ``counts_per_unit``: what one unit of each channel is in
    the integers that go in."""

    channels: tuple[str, ...]
    rate_hz: float
    hop: int
    features: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts_per_unit: tuple[float, ...] = ()

    @cached_property
    def wanted(self) -> tuple[Wanted, ...]:
        """The features, their names read."""
        return tuple(parsed(name) for name in self.features)

    @property
    def longest(self) -> int:
        """Samples of the longest window."""
        return max(one.window for one in self.wanted)

    def ends(self, samples: int) -> IntArray:
        """(decisions,) how many samples are there at each decision: all windows are full."""
        first = -(-self.longest // self.hop) * self.hop
        return np.arange(first, samples + 1, self.hop)

    def values(self, samples: IntArray, ends: IntArray | None = None) -> IntArray:
        """(decisions, features) int16 of a recording: ``samples`` (samples, channels) int16. ``ends``: of the windows,
        by default those of ``ends``."""
        ends = self.ends(len(samples)) if ends is None else ends
        found = np.zeros((len(ends), len(self.wanted)), dtype=np.int16)
        places: dict[tuple[Stream, int], list[int]] = {}
        for i, one in enumerate(self.wanted):
            places.setdefault((one.stream, one.window), []).append(i)
        streams: dict[Stream, IntArray] = {}
        for (stream, window), own in places.items():
            x = streams.setdefault(stream, self.filtered(samples, stream))
            values = window_values(x, ends, window, [self.wanted[i] for i in own])
            found[:, own] = values
        return found

    def filtered(self, samples: IntArray, stream: Stream) -> IntArray:
        """(samples,) int64: a stream of a recording, from its first sample on."""
        names = self.groups.get(stream.source, (stream.source,))
        axes: IntArray = samples[:, [self.channels.index(name) for name in names]].astype(np.int64)
        x = axes if stream.filters and FILTERS[stream.filters[0].name].axes else axes[:, 0]
        for step in stream.filters:
            one = FILTERS[step.name]
            x = clipped(one.integer(x, one.design(step.parameter, self.rate_hz)))
        return x


def window_values(x: IntArray, ends: IntArray, window: int, wanted: Sequence[Wanted]) -> IntArray:
    """(windows, features) of the windows of a stream that end before each of ``ends``."""
    windows = np.lib.stride_tricks.sliding_window_view(x, window)[ends - window]
    before = x[np.maximum(ends - window - 1, 0)]
    parts: dict[str, IntArray] = {}
    for one in wanted:
        for name in FEATURES[one.feature.name].reads:
            _add_part(parts, name, windows, before)
    columns = [FEATURES[one.feature.name].integer(parts, window, one.feature.parameter) for one in wanted]
    return clipped(np.column_stack(columns))


def _add_part(parts: dict[str, IntArray], name: str, x: IntArray, before: IntArray) -> None:
    if name in parts:
        return
    for other in PARTS[name].needs:
        _add_part(parts, other, x, before)
    parts[name] = PARTS[name].integer(Window(x, before, parts))
