"""The rows of a time series: which values are predicted, from which samples on, and what may be learned when."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.front_end.feature_names import Step, Stream, Wanted
from neuraltree.signals.recordings.recording import Recordings
from neuraltree.signals.sample_integers import LEAST_SAMPLES, MOST_SAMPLES
from neuraltree.tree.nodes import IntArray
from search.config.settings import SignalConfig
from search.errors import InputError
from search.strict import check_known
from search.table.signals.decision_rows import Decisions


def truths_of(found: Recordings, target: str) -> tuple[FloatArray, ...]:
    """For each recording (samples,) of the channel that is predicted; ``InputError`` if there is none."""
    check_known(target, found.channels, f"signal.target names {target!r}, which the recordings do not have")
    place = found.channels.index(target)
    return tuple(one.samples[:, place] for one in found.recordings)


def input_channels(channels: Sequence[str], signal: SignalConfig) -> tuple[str, ...]:
    """The channels that features are made of: a target at the same time is none of them."""
    if signal.channels:
        return signal.channels
    kept = tuple(name for name in channels if signal.horizon or name != signal.target)
    if not kept:
        raise InputError(
            f"signal.target = {signal.target!r} is the only channel, and signal.horizon = 0 would predict it from "
            "itself; set a signal.horizon of 1 or more"
        )
    return kept


def forecasts_of(truth: Sequence[FloatArray], longest: int, hop: int, horizon: int) -> Decisions:
    """The decisions, recording after recording, each with the value ``horizon`` samples after its newest sample."""
    first = -(-longest // hop) * hop
    ends = [np.arange(first, len(values) - horizon + 1, hop) for values in truth]
    if not any(map(len, ends)):
        raise InputError(
            f"the longest of {len(truth)} recordings has {max(map(len, truth))} samples, and a window of {longest} "
            f"with a horizon of {horizon} needs {first + horizon}; choose shorter signal.windows or signal.lags, or a "
            "smaller signal.horizon"
        )
    recording = np.repeat(np.arange(len(truth)), [len(one) for one in ends])
    y = np.concatenate([values[own - 1 + horizon] for values, own in zip(truth, ends, strict=True)])
    return Decisions(recording, np.concatenate(ends), y.astype(np.float64))


def times(recordings: Recordings, made: Decisions, horizon: int) -> tuple[IntArray, IntArray]:
    """(rows,) the samples that are there at each decision, those of earlier recordings counted; and at the moment from
    which its target is known."""
    lengths = [len(one.samples) for one in recordings.recordings]
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    now = begins[made.recording] + made.end
    return now, now + horizon


def lag_names(channels: Sequence[str], signal: SignalConfig, hop: int) -> tuple[str, ...]:
    """The features that ``signal.lags`` names, in windows that hold them all."""
    asked = signal.lags if isinstance(signal.lags, dict) else dict.fromkeys(channels, signal.lags)
    for name in asked:
        check_known(name, channels, f"signal.lags names {name!r}, of which no features are made")
    window = lag_window(signal, hop)
    return tuple(
        Wanted(Stream(name), Step("lag", lag), window).name
        for name in channels
        for lag in sorted({*asked.get(name, ())})
    )


def lag_window(signal: SignalConfig, hop: int) -> int:
    """The fewest samples that hold all lags, a multiple of every hop; 0 without lags."""
    lists = signal.lags.values() if isinstance(signal.lags, dict) else (signal.lags,)
    lags = [lag for own in lists for lag in own]
    if not lags:
        return 0
    every = math.lcm(*(hop * multiple for multiple in signal.hops))
    window = (max(*lags, LEAST_SAMPLES - 1) // every + 1) * every
    if window > MOST_SAMPLES:
        raise InputError(
            f"signal.lags: a lag of {max(lags)} samples needs a window of {window}; the most is {MOST_SAMPLES}: choose "
            "smaller lags or another signal.hop"
        )
    return window
