"""What streaming code consists of: from this plan both the C and its costs are made.

The rule of what is kept: a part that can stream is added up in blocks of a hop, one for each hop of the longest window
that reads it; a stream has a buffer of samples only if a part needs whole windows, as long as the longest of these.
Blocks take fewer cycles in every case, and less RAM than samples do unless a hop is a few samples short.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter import Filter
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.feature_names import Stream
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.parts.part import Part
from neuraltree.signals.parts.part_table import PARTS

TYPE_BYTES = {f"{sign}int{bits}_t": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)} | {"float": 4}


@dataclass(frozen=True)
class FilterStep:
    """One filter that runs at every sample. ``prefix``: the stream that comes out. ``channels``: those it reads if it
    is the first of its stream; else it reads the stream ``before``. ``constants``: of its design."""

    prefix: Stream
    filter: Filter
    channels: tuple[int, ...]
    before: Stream
    constants: tuple[int, ...]


@dataclass(frozen=True)
class BlockPart:
    """A part that streams: ``blocks`` values, of which the newest is being added to."""

    part: Part
    blocks: int


@dataclass(frozen=True)
class StreamPlan:
    """A stream of which something is kept. ``sides``: it, or the two of a pair, each with the channel that it is if it
    has no filters, else -1. ``buffer``: samples kept, 0 for none. ``keeps_before``: whether a part reads the sample
    before."""

    stream: Stream
    sides: tuple[tuple[Stream, int], ...]
    blocks: tuple[BlockPart, ...]
    buffer: int
    keeps_before: bool

    @property
    def is_kept(self) -> bool:
        """Whether anything of it is kept; nothing is of one side of a pair whose parts are all of the pair."""
        return bool(self.blocks or self.buffer)


class PartCall(NamedTuple):
    """A part of the stream at ``stream``, under the ``name`` that C gives it, from the parts ``needs`` by theirs."""

    name: str
    part: Part
    stream: int
    needs: tuple[str, ...]


class FeatureCall(NamedTuple):
    """A feature at its ``place`` among the model's, from the parts ``reads`` by their names in C."""

    place: int
    feature: Feature
    parameter: int
    reads: tuple[str, ...]


@dataclass(frozen=True)
class WindowPlan:
    """What is computed for one window of a stream when it ends: ``parts`` in order, then features."""

    stream: Stream
    window: int
    parts: tuple[PartCall, ...]
    features: tuple[FeatureCall, ...]


@dataclass(frozen=True)
class Layout:
    """``width``: channels of a sample. ``ready``: hops until all windows are full. ``num_features``: of the model, of
    which ``windows`` compute those that the tree reads."""

    width: int
    hop: int
    ready: int
    num_features: int
    filters: tuple[FilterStep, ...]
    streams: tuple[StreamPlan, ...]
    windows: tuple[WindowPlan, ...]

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels that are read, in order."""
        of_filters = {channel for step in self.filters for channel in step.channels}
        of_streams = {channel for one in self.streams if one.is_kept for _, channel in one.sides if channel >= 0}
        return tuple(sorted(of_filters | of_streams))


def layout_of(front_end: FrontEnd, reads: Iterable[int]) -> Layout:
    """The plan of a front end of whose features only those at ``reads`` are computed."""
    by_window: dict[tuple[Stream, int], list[int]] = {}
    for place in sorted(set(reads)):
        one = front_end.wanted[place]
        by_window.setdefault((one.stream, one.window), []).append(place)
    pairs = [stream for stream, _ in by_window]
    streams = list(dict.fromkeys(each for stream in pairs for each in (*stream.sides, stream)))
    windows = tuple(_window(front_end, streams, *key, places) for key, places in by_window.items())
    plans = {stream: _plan(front_end, i, stream, windows) for i, stream in enumerate(streams)}
    filters = {
        step.prefix: step for stream in pairs for each in stream.sides for step in _filter_steps(front_end, each)
    }
    return Layout(
        len(front_end.channels),
        front_end.hop,
        -(-front_end.longest // front_end.hop),
        len(front_end.features),
        tuple(filters.values()),
        tuple(plans.values()),
        windows,
    )


def _window(
    front_end: FrontEnd, streams: Sequence[Stream], stream: Stream, window: int, places: Iterable[int]
) -> WindowPlan:
    of = {"": streams.index(stream)} | {
        f"{side}_": streams.index(each) for side, each in zip("xy", stream.sides, strict=False)
    }
    parts: dict[str, PartCall] = {}

    def add(side: str, name: str) -> str:
        part = PARTS[name]
        needs = tuple(add(side, other) for other in part.needs)
        parts.setdefault(side + name, PartCall(side + name, part, of[side], needs))
        return side + name

    features = []
    for place in places:
        step = front_end.wanted[place].feature
        feature = FEATURES[step.name]
        names = [(f"{side}_" if dot else "", name) for side, dot, name in map(_sided, feature.reads)]
        features.append(FeatureCall(place, feature, step.parameter, tuple(add(*name) for name in names)))
    return WindowPlan(stream, window, tuple(parts.values()), tuple(features))


def _sided(name: str) -> tuple[str, str, str]:
    """The side of a part of a pair, as in ``x.sum``."""
    side, dot, part = name.rpartition(".")
    return side, dot, part


def _filter_steps(front_end: FrontEnd, stream: Stream) -> Iterable[FilterStep]:
    channels = _places(front_end, stream.source)
    for i, step in enumerate(stream.filters):
        one = FILTERS[step.name]
        yield FilterStep(
            Stream(stream.source, stream.filters[: i + 1]),
            one,
            channels if i == 0 else (),
            Stream(stream.source, stream.filters[:i]),
            one.design(step.parameter, front_end.rate_hz),
        )


def _places(front_end: FrontEnd, source: str) -> tuple[int, ...]:
    """The positions of the channels of a source that is no pair: one, or those of a group."""
    return tuple(front_end.channels.index(name) for name in front_end.groups.get(source, (source,)))


def _plan(front_end: FrontEnd, place: int, stream: Stream, windows: Sequence[WindowPlan]) -> StreamPlan:
    longest: dict[str, int] = {}
    for one in windows:
        for call in one.parts:
            if call.stream == place:
                longest[call.part.name] = max(longest.get(call.part.name, 0), one.window)
    blocks = tuple(
        BlockPart(PARTS[name], window // front_end.hop) for name, window in longest.items() if PARTS[name].block
    )
    buffer = max((window for name, window in longest.items() if not PARTS[name].block), default=0)
    reads_before = any(re.search(r"\bbefore\b", one.part.block.update) for one in blocks if one.part.block)
    sides = tuple((each, -1 if each.filters else _places(front_end, each.source)[0]) for each in stream.sides)
    return StreamPlan(stream, sides, blocks, buffer, reads_before)
