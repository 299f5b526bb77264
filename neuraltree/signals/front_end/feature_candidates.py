"""The features that are worth a try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.axis_groups import axis_groups
from neuraltree.signals.front_end.feature_names import PAIR, Step, Stream, Wanted
from neuraltree.signals.parts.part_table import PARTS


def candidates(
    channels: Sequence[str],
    groups: Mapping[str, Sequence[str]] | None = None,
    rate_hz: float = 1.0,
    windows: Sequence[int] = (128,),
    *,
    pairs: Iterable[tuple[str, str]] | None = None,
) -> tuple[str, ...]:
    """The names of all features to try with windows of these lengths.

    Every feature of each channel and of the magnitude of each group; those that need no window in RAM also of each
    after each filter; and correlations of ``pairs``, by default of the axes of each group. ``groups``: by default
    ``axis_groups``.
    """
    groups = axis_groups(channels) if groups is None else groups
    if pairs is None:
        pairs = [pair for axes in groups.values() for pair in combinations(axes, 2)]
    single = [one for one in FEATURES.values() if not one.pair]
    double = [Stream(PAIR.join(pair)) for pair in pairs]
    filters = [Step(one.name, p) for one in FILTERS.values() if not one.axes for p in one.parameters(rate_hz)]
    plain = [Stream(name) for name in channels]
    plain += [Stream(name, (Step(one.name, 0),)) for name in groups for one in FILTERS.values() if one.axes]
    filtered = [Stream(one.source, (*one.filters, step)) for one in plain for step in filters]
    wanted = [
        *_all(plain, single, windows, rate_hz),
        *_all(filtered, [one for one in single if streams(one)], windows, rate_hz),
        *_all(double, [one for one in FEATURES.values() if one.pair], windows, rate_hz),
    ]
    return tuple(one.name for one in wanted)


def streams(feature: Feature) -> bool:
    """Whether it needs blocks only, and no window in RAM."""
    return all(PARTS[name.rpartition(".")[2]].block for name in feature.reads)


def _all(
    sources: Sequence[Stream], features: Sequence[Feature], windows: Sequence[int], rate_hz: float
) -> Iterator[Wanted]:
    for stream in sources:
        for n in windows:
            for one in features:
                for p in one.parameters(n, rate_hz):
                    yield Wanted(stream, Step(one.name, p), n)
