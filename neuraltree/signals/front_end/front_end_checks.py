"""Whether a front end can be computed, before anything computes it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.feature_names import Stream, Wanted
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.sample_integers import LEAST_SAMPLES, MOST_SAMPLES


def check_front_end(front_end: FrontEnd) -> None:
    """``ValueError`` for a front end that cannot be computed; the message says what is wrong and what is allowed."""
    if not front_end.features:
        raise ValueError("a front end needs at least one feature")
    if not (np.isfinite(front_end.rate_hz) and front_end.rate_hz > 0):
        raise ValueError(f"the rate is {front_end.rate_hz} Hz; it must be above 0")
    if not 1 <= front_end.hop <= MOST_SAMPLES:
        raise ValueError(f"the hop is {front_end.hop} samples; allowed: 1 to {MOST_SAMPLES}")
    if len(front_end.counts_per_unit) not in (0, len(front_end.channels)):
        raise ValueError("counts_per_unit needs one number for each channel, or none at all")
    for group, names in front_end.groups.items():
        if unknown := [name for name in names if name not in front_end.channels]:
            raise ValueError(f"group {group}: no channel {unknown[0]!r}; there are {', '.join(front_end.channels)}")
    for one in front_end.wanted:
        if problem := next(_problems(front_end, one), None):
            raise ValueError(f"{one.name}: {problem}")


def _problems(front_end: FrontEnd, one: Wanted) -> Iterator[str]:
    """What is wrong with a feature, the first first."""
    if one.feature.name not in FEATURES:
        yield f"no feature {one.feature.name!r}; allowed: {', '.join(FEATURES)}"
    feature = FEATURES[one.feature.name]
    yield from _window_problems(front_end, one, feature)
    sides = one.stream.sides
    if feature.pair != (len(sides) > 1) or len(sides) > 2:
        yield f"{one.feature.name} is of {'a pair of channels, as x~y' if feature.pair else 'one channel'}"
    for side in sides:
        yield from _stream_problems(front_end, side)


def _window_problems(front_end: FrontEnd, one: Wanted, feature: Feature) -> Iterator[str]:
    hop, window = front_end.hop, one.window
    if not LEAST_SAMPLES <= window <= MOST_SAMPLES or window % hop:
        yield (
            f"a window of {window} samples; with a hop of {hop} it must be a multiple of {hop} from {LEAST_SAMPLES} "
            f"to {MOST_SAMPLES}"
        )
    least, most = feature.allowed(window)
    if not least <= one.feature.parameter <= most:
        yield f"{one.feature.name} has the parameter {one.feature.parameter}; allowed here: {least} to {most}"


def _stream_problems(front_end: FrontEnd, stream: Stream) -> Iterator[str]:
    if unknown := [step.name for step in stream.filters if step.name not in FILTERS]:
        yield f"no filter {unknown[0]!r}; allowed: {', '.join(FILTERS)}"
    for step in stream.filters:
        least, most = FILTERS[step.name].allowed(front_end.rate_hz)
        if not least <= step.parameter <= most:
            yield f"the filter {step.name} has the parameter {step.parameter}; allowed here: {least} to {most}"
    takes_axes = [FILTERS[step.name].axes for step in stream.filters]
    if any(takes_axes[1:]):
        yield "a filter of all axes must be the first"
    allowed = front_end.groups if takes_axes[:1] == [True] else front_end.channels
    if stream.source not in allowed:
        kind = "group of axes" if allowed is front_end.groups else "channel"
        yield f"no {kind} {stream.source!r}; there are {', '.join(allowed) or 'none'}"
