"""The table of a config with windows: recordings read, decisions labelled, features computed and chosen."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.recordings.recording import Recordings
from neuraltree.signals.recordings.sample_counts import to_counts
from neuraltree.signals.sample_integers import LEAST_SAMPLES, MOST_SAMPLES
from neuraltree.signals.windows import window_labels
from neuraltree.tree.nodes import IntArray
from search.config.settings import Config, SignalConfig
from search.errors import InputError
from search.strict import shown
from search.table.data import Table
from search.table.signals.candidate_front import candidate_front, kept_columns, training_part
from search.table.signals.chosen_recordings import chosen
from search.table.signals.decision_rows import Decisions
from search.table.signals.series_rows import forecasts_of, lag_window, times
from search.table.split_columns import TEST, TRAIN, Rules
from search.table.splits import split

AUTO_S = (0.64, 1.28, 2.56)  # the windows that "auto" aims at, as in studies of activities and gestures
TESTING = "testing"  # the part of recordings that are for the test


def signal_table(config: Config) -> Table:
    """The table, whose ``front`` makes its features. ``InputError`` for recordings or keys that cannot be used."""
    recordings, truths = chosen(config)
    signal = with_windows(config.signal, recordings)
    hop = hop_of(signal)
    made = decisions(recordings, truths, signal, hop)
    if not truths:
        _check_classes(recordings, made)
    classes = recordings.classes or None
    rules = _rules(recordings, made, signal)
    kind = "regression" if classes is None else "binary" if len(classes) == 2 else "multiclass"
    table = Table(
        np.empty((len(made.end), 0)), made.label, (), signal.target or "label", classes, kind, "", rules=rules
    )
    train, test = split(table, config.data.test_fraction, config.run.seed)
    if not len(train):
        raise InputError(
            f"no target of {len(made.end)} decisions is known before the first of {len(test)} test rows; choose a "
            "smaller signal.horizon or data.test_fraction"
        )
    front = candidate_front(recordings, signal, hop, _lengths(signal), training_part(recordings, made, train))
    X = features_of(recordings, front, made)
    kept = kept_columns(X, made, train, front, signal.most_features, len(recordings.classes))
    told = f"{len(kept)} of {len(front.features)} candidate features are left to the search"
    front = replace(front, features=tuple(front.features[i] for i in kept.tolist()))
    left = X[:, kept].astype(np.float64)
    digest = _digest(left, made, front, recordings.classes)
    moments = np.column_stack([made.recording, made.end]).astype(np.int64)
    hops = tuple(hop * multiple for multiple in signal.hops)
    made_of = replace(table, front=front, moments=moments, label_window=min(_lengths(signal), default=0), hops=hops)
    return replace(made_of, X=left, features=front.features, digest=digest, notes=(*recordings.notes, told))


def with_windows(signal: SignalConfig, recordings: Recordings) -> SignalConfig:
    """The section with the lengths of its windows, of which "auto" names those that fit the recordings.

    The median recording has room for two of the longest.
    """
    if signal.windows != "auto":
        return signal
    room = np.median([len(one.samples) for one in recordings.recordings]) / 2
    lengths = {2 ** round(np.log2(seconds * recordings.rate_hz)) for seconds in AUTO_S}
    held = {int(min(max(length, LEAST_SAMPLES), MOST_SAMPLES)) for length in lengths}
    fitting = sorted(length for length in held if length <= room) or [LEAST_SAMPLES]
    return msgspec.structs.replace(signal, windows=tuple(fitting))


def hop_of(signal: SignalConfig) -> int:
    """The samples from one decision to the next; ``InputError`` if a window is no multiple of them."""
    lengths = _lengths(signal)
    hop = signal.hop or (1 if signal.target else min(lengths) // 2)
    every = math.lcm(*(hop * multiple for multiple in signal.hops))
    if wrong := [window for window in lengths if window % every]:
        raise InputError(
            f"signal.windows: {wrong[0]} is no multiple of every hop, {every} samples; choose windows such as {every} "
            f"or {2 * every}, another signal.hop or other signal.hops"
        )
    return hop


def _lengths(signal: SignalConfig) -> tuple[int, ...]:
    """The lengths of the windows, once they are settled."""
    assert signal.windows != "auto"
    return tuple(sorted(set(signal.windows)))


def decisions(recordings: Recordings, truths: Sequence[FloatArray], signal: SignalConfig, hop: int) -> Decisions:
    """The decisions that have a label, recording after recording. All windows are full at each. ``truths``: as in
    ``Chosen``."""
    longest = max((*_lengths(signal), lag_window(signal, hop)))
    if truths:
        return forecasts_of(truths, longest, hop, signal.horizon)
    found, shortest = [], min(_lengths(signal))
    for i, one in enumerate(recordings.recordings):
        ends = np.arange(-(-longest // hop) * hop, len(one.samples) + 1, hop)
        labels = window_labels(one.labels, ends, shortest, signal.label, signal.share)
        kept = labels >= 0
        found.append((np.full(np.count_nonzero(kept), i), ends[kept], labels[kept]))
    parts = [np.concatenate(part).astype(np.int64) for part in zip(*found, strict=True)] if found else []
    if not parts or not len(parts[0]):
        raise InputError(
            f"no window of {longest} samples has a label: the longest of {len(found)} recordings has "
            f"{max((len(one.samples) for one in recordings.recordings), default=0)} samples; choose shorter "
            "signal.windows, or a smaller signal.share"
        )
    return Decisions(*parts)


def features_of(recordings: Recordings, front: FrontEnd, made: Decisions) -> IntArray:
    """(rows, features) int16: the features of ``front`` at each decision."""
    found = np.zeros((len(made.end), len(front.features)), dtype=np.int16)
    for i, one in enumerate(recordings.recordings):
        rows = np.flatnonzero(made.recording == i)
        if len(rows):
            found[rows] = front.values(to_counts(one.samples, front.counts_per_unit), made.end[rows])
    return found


def _check_classes(recordings: Recordings, made: Decisions) -> None:
    counts = np.bincount(made.label, minlength=len(recordings.classes))
    if len(counts) < 2 or not counts.all():
        raise InputError(
            f"every class needs windows, and there must be two or more; there are "
            f"{', '.join(f'{count} of {name}' for name, count in zip(recordings.classes, counts, strict=True))}; "
            "name others as signal.classes, or choose shorter signal.windows"
        )


@dataclass(frozen=True, eq=False)
class NormalWindows:
    """Windows of one class: ``X`` (windows, candidates) int of the features of ``front``; ``groups`` (windows,): their
    subjects or recordings; ``normal``: the class."""

    front: FrontEnd
    X: IntArray
    groups: IntArray
    normal: str
    label_window: int


def normal_windows(config: Config, recordings: Recordings) -> NormalWindows:
    """All windows of recordings that are not for testing; ``InputError`` if they have several classes."""
    if len(recordings.classes) != 1:
        raise InputError(
            f"signal.one_class learns from normal windows alone, and there are {len(recordings.classes)} classes "
            f"({', '.join(recordings.classes)}); name the normal one, as in signal.classes = [{shown('normal')}]"
        )
    tests = _tests(recordings, config.signal)
    left = tuple(one for one, is_test in zip(recordings.recordings, tests.tolist(), strict=True) if not is_test)
    if not left:
        raise InputError("all recordings are for the test; name fewer of them as signal.test_subjects")
    recordings = replace(recordings, recordings=left)
    signal = with_windows(config.signal, recordings)
    hop = hop_of(signal)
    made = decisions(recordings, (), signal, hop)
    front = candidate_front(
        recordings, signal, hop, _lengths(signal), training_part(recordings, made, np.arange(len(made.end)))
    )
    X = features_of(recordings, front, made).astype(np.int64)
    return NormalWindows(front, X, _groups(recordings, made)[1], recordings.classes[0], min(_lengths(signal)))


def _rules(recordings: Recordings, made: Decisions, signal: SignalConfig) -> Rules:
    """No subject, or recording where subjects are not known, lies in two parts; one time series is cut in time."""
    names, codes = _groups(recordings, made)
    tests = _tests(recordings, signal)
    if signal.target and len(names) == 1:
        now, known = times(recordings, made, signal.horizon)
        return Rules(time=now.astype(np.int64), known=known.astype(np.int64))
    if not tests.any():
        if len(groups := np.unique(codes)) < 2:
            raise InputError(
                f"all windows with a label are of one subject or recording, {names[groups[0]]}, so that none are left "
                "to test; add recordings of others, or choose shorter signal.windows if theirs are too short"
            )
        return Rules(group=codes)
    if tests[made.recording].all():
        raise InputError(
            "all windows with a label are for the test; name fewer signal.test_subjects, or add recordings"
        )
    return Rules(group=codes, part=np.where(tests[made.recording], TEST, TRAIN))


def _groups(recordings: Recordings, made: Decisions) -> tuple[list[str], NDArray[np.int64]]:
    """The subjects or recordings, and (rows,) the place of each row's."""
    names = sorted({one.group for one in recordings.recordings})
    codes = np.array([names.index(one.group) for one in recordings.recordings], dtype=np.int64)
    return names, codes[made.recording]


def _tests(recordings: Recordings, signal: SignalConfig) -> NDArray[np.bool_]:
    """(recordings,) which are for the test: those of the named subjects, else those of the part for testing."""
    groups = [one.group for one in recordings.recordings]
    if unknown := [name for name in signal.test_subjects if name not in groups]:
        names = sorted(set(groups))[:40]
        raise InputError(
            f"signal.test_subjects names {shown(unknown[0])}; the subjects or recordings are: {', '.join(names)}"
        )
    named = signal.test_subjects
    return np.array([one.group in named if named else one.part == TESTING for one in recordings.recordings])


def _digest(X: NDArray, made: Decisions, front: FrontEnd, classes: tuple[str, ...]) -> str:
    """The SHA-256 of the features of all decisions, their labels and what they are made by."""
    facts = [front.channels, front.rate_hz, front.hop, front.features, front.counts_per_unit, classes]
    found = hashlib.sha256(json.dumps(facts).encode())
    for part in (X, made.recording, made.end, made.label):
        found.update(np.ascontiguousarray(part, dtype="<f8").data)
    return found.hexdigest()
