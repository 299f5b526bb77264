"""The front end of a model in NumPy: int16 samples in, int16 features of every window out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.feature_names import Stream, Wanted, parsed
from neuraltree.signals.front_end.front_end_checks import check_channels, check_wanted
from neuraltree.signals.front_end.window_parts import cut, part_of
from neuraltree.signals.sample_integers import clipped
from neuraltree.tree.nodes import IntArray

CHUNK = 1 << 18  # samples of windows at once: they stay in the cache of the processor, and memory stays small


@dataclass(frozen=True)
class FrontEnd:
    """``channels``: of a sample, in their order. ``groups``: the channels of each group of axes, by its name.
    ``hop``: samples from one decision to the next; a window ends at each multiple of it. ``features``: by name, see
    ``feature_names``; their windows are multiples of the hop. ``counts_per_unit``: what one unit of each channel is in
    the integers that go in. ``ValueError`` if a name is unknown or a number is beyond its limits."""

    channels: tuple[str, ...]
    rate_hz: float
    hop: int
    features: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts_per_unit: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_channels(self.channels, self.groups, self.rate_hz, self.hop)
        for one in self.wanted:
            check_wanted(one, self.channels, self.groups, self.rate_hz, self.hop)

    @cached_property
    def wanted(self) -> tuple[Wanted, ...]:
        """The features, their names read."""
        return tuple(parsed(name) for name in self.features)

    @cached_property
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
        places: dict[Stream, dict[int, list[int]]] = {}
        for i, one in enumerate(self.wanted):
            places.setdefault(one.stream, {}).setdefault(one.window, []).append(i)
        for stream, windows in places.items():
            sides = tuple(self.filtered(samples, side) for side in stream.sides)
            for window, own in windows.items():
                found[:, own] = window_values(sides, ends, window, [self.wanted[i] for i in own])
        return found

    def filtered(self, samples: IntArray, stream: Stream) -> IntArray:
        """(samples,) int64: a stream of a recording, from its first sample on."""
        names = self.groups.get(stream.source, (stream.source,))
        axes: IntArray = samples[:, [self.channels.index(name) for name in names]].astype(np.int64)
        x = axes if stream.source in self.groups else axes[:, 0]
        for step in stream.filters:
            one = FILTERS[step.name]
            x = clipped(one.integer(x, one.design(step.parameter, self.rate_hz)))
        return x


def window_values(x: tuple[IntArray, ...], ends: IntArray, window: int, wanted: Sequence[Wanted]) -> IntArray:
    """(windows, features) of the windows of a stream, or of a pair, that end before each of ``ends``."""
    size = max(CHUNK // window, 1)
    found = np.empty((len(ends), len(wanted)), dtype=np.int16)
    for start in range(0, len(ends), size):
        windows = cut(x, ends[start : start + size], window)
        for i, one in enumerate(wanted):
            feature = FEATURES[one.feature.name]
            parts = {name: part_of(windows, name) for name in feature.reads}
            found[start : start + size, i] = clipped(feature.integer(parts, window, one.feature.parameter))
    return found
