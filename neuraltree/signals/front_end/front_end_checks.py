"""Checks of a front end: each message says what is wrong, what is known, and what to do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.feature_names import PAIR, Step, Stream, Wanted
from neuraltree.signals.sample_integers import LEAST_SAMPLES, MOST_SAMPLES

Groups = Mapping[str, tuple[str, ...]]
RESERVED = ".:@" + PAIR  # characters of the names of features


def check_channels(channels: Sequence[str], groups: Groups, rate_hz: float, hop: int) -> None:
    """``ValueError`` if names are not fit for features, or the rate or the hop is no positive number."""
    names = [*channels, *groups]
    for name in names:
        if not name or any(mark in name for mark in RESERVED) or names.count(name) > 1:
            raise ValueError(
                f"{name!r} cannot be a channel or a group of axes: give each a name of its own, without any of "
                f"{' '.join(RESERVED)}"
            )
    for name, axes in groups.items():
        unknown = sorted(set(axes) - set(channels))
        if unknown or not axes:
            raise ValueError(f"group {name!r} has {unknown or 'no channels'}; the channels are {_listed(channels)}")
    if not (math.isfinite(rate_hz) and rate_hz > 0):
        raise ValueError(f"the sampling rate is {rate_hz} Hz; give one above 0")
    if not 1 <= hop <= MOST_SAMPLES:
        raise ValueError(f"the hop is {hop} samples; give 1 to {MOST_SAMPLES}")


def check_wanted(wanted: Wanted, channels: Sequence[str], groups: Groups, rate_hz: float, hop: int) -> None:
    """``ValueError`` if a feature's stream, filters, parameters or window are not there."""
    name, window, pair = wanted.name, wanted.window, PAIR in wanted.stream.source
    if not LEAST_SAMPLES <= window <= MOST_SAMPLES or window % hop:
        raise ValueError(
            f"the window of {name} has {window} samples; give a multiple of the hop ({hop}) from {LEAST_SAMPLES} to "
            f"{MOST_SAMPLES}"
        )
    _check_known(wanted.feature.name, FEATURES, "feature", name)
    feature = FEATURES[wanted.feature.name]
    if feature.pair != pair:
        raise ValueError(
            f"{feature.name} in {name} is of {'two streams' if feature.pair else 'one stream'}; write "
            f"{'X~Y' if feature.pair else 'X'}.{feature.name}@{window}"
        )
    _check_parameter(wanted.feature, feature.allowed(window), f"in a window of {window}", name)
    if pair and len(wanted.stream.sides) != 2:
        raise ValueError(f"{name} is of {len(wanted.stream.sides)} streams; write two, as X{PAIR}Y")
    for side in wanted.stream.sides:
        _check_stream(side, channels, groups, rate_hz, name)


def _check_stream(stream: Stream, channels: Sequence[str], groups: Groups, rate_hz: float, name: str) -> None:
    _check_known(stream.source, [*channels, *groups], "channel or group of axes", name)
    merged = stream.source in channels
    for i, step in enumerate(stream.filters):
        _check_known(step.name, FILTERS, "filter", name)
        one = FILTERS[step.name]
        _check_parameter(step, one.allowed(rate_hz), f"at {rate_hz:g} Hz", name)
        if one.axes and (i or merged):
            raise ValueError(f"{step.name} in {name} takes all axes of a group, {_listed(groups)}, and comes first")
        merged |= one.axes
    if not merged:
        axes = [one.name for one in FILTERS.values() if one.axes]
        raise ValueError(f"{stream.source} in {name} is a group of axes; make one stream of it with {_listed(axes)}")


def _check_known(word: str, names: Iterable[str], kind: str, name: str) -> None:
    if word not in names:
        raise ValueError(f"{name} names no {kind}: {word!r} is none of {_listed(names)}")


def _check_parameter(step: Step, bounds: tuple[int, int], where: str, name: str) -> None:
    least, most = bounds
    if not least <= step.parameter <= most:
        allowed = f"takes {least} to {most} {where}" if most else "takes no parameter"
        raise ValueError(f"{step.text} in {name}: {step.name} {allowed}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
