"""What streaming code consists of: from this plan both the C and its costs are made.

The rule of what is kept: a part that can stream is added up in blocks of a hop, one for each hop of the longest window
that reads it; a stream has a buffer of samples only if a part needs whole windows, as long as the longest of these.
Blocks take fewer cycles in every case, and less RAM than samples do unless a hop is a few samples short.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter import Filter
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.feature_names import Step, Stream, Wanted
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.parts.part import Part
from neuraltree.signals.parts.part_table import PARTS


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
    """A stream that features are made of. ``channel``: the one it is, if it has no filters, else -1. ``buffer``:
    samples kept, 0 for none. ``keeps_before``: whether a part reads the sample before."""

    stream: Stream
    channel: int
    blocks: tuple[BlockPart, ...]
    buffer: int
    keeps_before: bool


@dataclass(frozen=True)
class WindowPlan:
    """What is computed for one window of a stream when it ends: ``parts`` in order, then features. ``features``: the
    place of each among the model's, and its parameter."""

    stream: int
    window: int
    parts: tuple[Part, ...]
    features: tuple[tuple[int, Feature, int], ...]


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

    def place(self, stream: Stream) -> int:
        """The position of a stream among ``streams``, which are in the order of first use."""
        return [one.stream for one in self.streams].index(stream)


def layout_of(front_end: FrontEnd, reads: Iterable[int]) -> Layout:
    """The plan of a front end of whose features only those at ``reads`` are computed."""
    wanted = {place: front_end.wanted[place] for place in sorted(set(reads))}
    by_window: dict[tuple[Stream, int], list[int]] = {}
    for place, one in wanted.items():
        by_window.setdefault((one.stream, one.window), []).append(place)
    streams = list(dict.fromkeys(stream for stream, _ in by_window))
    windows = tuple(
        WindowPlan(
            streams.index(stream),
            window,
            ordered_parts(FEATURES[wanted[i].feature.name] for i in places),
            tuple((i, FEATURES[wanted[i].feature.name], wanted[i].feature.parameter) for i in places),
        )
        for (stream, window), places in by_window.items()
    )
    filters = {step.prefix: step for stream in streams for step in _filter_steps(front_end, stream)}
    return Layout(
        len(front_end.channels),
        front_end.hop,
        -(-front_end.longest // front_end.hop),
        len(front_end.features),
        tuple(filters.values()),
        tuple(_plan(front_end, i, stream, windows) for i, stream in enumerate(streams)),
        windows,
    )


def ordered_parts(features: Iterable[Feature]) -> tuple[Part, ...]:
    """The parts that features read, each after those that it needs."""
    found: dict[str, Part] = {}

    def add(name: str) -> None:
        if name not in found:
            for other in PARTS[name].needs:
                add(other)
            found[name] = PARTS[name]

    for feature in features:
        for name in feature.reads:
            add(name)
    return tuple(found.values())


def _filter_steps(front_end: FrontEnd, stream: Stream) -> Iterable[FilterStep]:
    channels = _channels(front_end, stream.source)
    for i, step in enumerate(stream.filters):
        one = FILTERS[step.name]
        yield FilterStep(
            Stream(stream.source, stream.filters[: i + 1]),
            one,
            channels if i == 0 else (),
            Stream(stream.source, stream.filters[:i]),
            one.design(step.parameter, front_end.rate_hz),
        )


def _channels(front_end: FrontEnd, source: str) -> tuple[int, ...]:
    names = front_end.groups.get(source, (source,))
    return tuple(front_end.channels.index(name) for name in names)


def _plan(front_end: FrontEnd, place: int, stream: Stream, windows: Sequence[WindowPlan]) -> StreamPlan:
    own = [one for one in windows if one.stream == place]
    longest: dict[str, int] = {}
    for one in own:
        for part in one.parts:
            longest[part.name] = max(longest.get(part.name, 0), one.window)
    blocks = tuple(
        BlockPart(PARTS[name], window // front_end.hop) for name, window in longest.items() if PARTS[name].block
    )
    buffer = max((window for name, window in longest.items() if not PARTS[name].block), default=0)
    reads_before = any(re.search(r"\bbefore\b", one.part.block.update) for one in blocks if one.part.block)
    channel = -1 if stream.filters else _channels(front_end, stream.source)[0]
    return StreamPlan(stream, channel, blocks, buffer, reads_before)
