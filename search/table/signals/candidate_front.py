"""The front end of all candidate features, and which of them are left to the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuraltree.signals.features.sample_levels import LAG
from neuraltree.signals.front_end.axis_groups import axis_groups
from neuraltree.signals.front_end.feature_candidates import candidates
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.recordings.recording import Recordings
from neuraltree.signals.recordings.sample_counts import counts_per_unit
from neuraltree.tree.nodes import IntArray
from search.config.settings import SignalConfig
from search.errors import InputError
from search.strict import shown
from search.table.signals.decision_rows import Decisions
from search.table.signals.feature_choice import chosen_features
from search.table.signals.series_rows import lag_names


def training_part(recordings: Recordings, made: Decisions, train: IntArray) -> Recordings:
    """Those of training rows, which give the scales; of a time series only what windows of training rows reach to."""
    seen = np.zeros(len(recordings.recordings), dtype=np.int64)
    np.maximum.at(seen, made.recording[train], made.end[train])
    kept = [
        (one, None if recordings.classes else end)
        for one, end in zip(recordings.recordings, seen.tolist(), strict=True)
        if end
    ]
    return replace(recordings, recordings=tuple(replace(one, samples=one.samples[:end]) for one, end in kept))


def kept_columns(X: IntArray, made: Decisions, train: IntArray, front: FrontEnd, most: int, classes: int) -> IntArray:
    """The columns that are left to the search: all lags, and the best others. ``InputError`` if none ever changes."""
    if not np.ptp(X[train], axis=0).any():
        raise InputError(
            "no feature of the training windows changes: all samples are alike; see neuraltree inspect, or choose "
            "other signal.channels"
        )
    asked = np.array([one.feature.name == LAG.name for one in front.wanted])
    others = np.flatnonzero(~asked)
    room = max(most - int(asked.sum()), 0)
    nothing: IntArray = np.zeros(0, dtype=np.int64)
    there = len(others) and room > 0
    best = chosen_features(X[train][:, others], made.label[train], classes, room) if there else nothing
    return np.sort(np.concatenate([np.flatnonzero(asked), others[best]]).astype(np.int64))


def candidate_front(
    recordings: Recordings, signal: SignalConfig, hop: int, lengths: Sequence[int], training: Recordings
) -> FrontEnd:
    """The front end of all candidates, whose scales come from the recordings ``training``."""
    channels, groups = recordings.channels, axis_groups(recordings.channels)
    if wrong := [name for name in signal.counts_per_unit if name not in channels]:
        raise InputError(
            f"signal.counts_per_unit names {shown(wrong[0])}, which is no channel; there are: {', '.join(channels)}"
        )
    usual = counts_per_unit(training)
    counts = tuple(signal.counts_per_unit.get(name, own) for name, own in zip(channels, usual, strict=True))
    names = (*candidates(channels, groups, recordings.rate_hz, lengths), *lag_names(channels, signal, hop))
    return FrontEnd(channels, recordings.rate_hz, hop, names, groups, counts)
