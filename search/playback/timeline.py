"""A played recording as few numbers: the signal that a screen can show, and stretches of labels and decisions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.event_rule import NONE
from neuraltree.tree.nodes import IntArray
from search.playback.played import Played

MOST_POINTS = 2000  # of a channel, and stretches of a band
Stretch = tuple[float, float, int]  # first and last second, and the class or ``UNKNOWN``


class Timeline(NamedTuple):
    """``times_s`` (points,) and ``signal`` (points, channels): see ``envelope``. ``label``: stretches of the samples'
    labels. ``window``, ``reported``: what is decided, from the moment of a decision until the next; ``wrong``: where
    the class of the window is not its label, code 0. ``events``: the second and the class of each; ``left_out``: events
    after the last of these."""

    times_s: FloatArray
    signal: FloatArray
    label: list[Stretch]
    window: list[Stretch]
    reported: list[Stretch]
    wrong: list[Stretch]
    events: list[tuple[float, int]]
    left_out: int


def wrong_windows(one: Played) -> int:
    """The windows with a label whose class is another."""
    return int(((one.labels >= 0) & (one.decisions.classes != one.labels)).sum())


def timeline(one: Played, rate_hz: float, hop: int, most: int = MOST_POINTS) -> Timeline:
    """``hop``: samples between decisions; ``most``: points of a channel, stretches of a band, and events."""
    times, signal = envelope(one.recording.samples, most)
    ends = one.decisions.ends
    wrong = np.where((one.labels >= 0) & (one.decisions.classes != one.labels), 0, NONE)
    at = np.flatnonzero(one.course.events != NONE)
    bands = [one.decisions.classes, one.course.reported, wrong]
    found, reported, errors = (_seconds(stretches(codes, ends, hop, most), rate_hz) for codes in bands)
    samples = np.arange(len(one.recording.labels))
    return Timeline(
        times / rate_hz,
        signal,
        _seconds(stretches(one.recording.labels, samples, 1, most), rate_hz),
        found,
        reported,
        errors,
        [(float(ends[i] / rate_hz), int(one.course.events[i])) for i in at[:most].tolist()],
        max(len(at) - most, 0),
    )


def envelope(samples: FloatArray, most: int) -> tuple[FloatArray, FloatArray]:
    """At most ``most`` points of samples (samples, channels): places in samples (points,), and (points, channels).

    Of more samples, the least and the largest of each of ``most`` / 2 equal stretches, in the order in which they come:
    no spike is lost. Both are placed at a quarter and three quarters of their stretch.
    """
    count, width = samples.shape
    if count <= most:
        return np.arange(count, dtype=np.float64), samples
    size = -(-2 * count // most)
    bins = -(-count // size)
    padded = np.concatenate([samples, np.repeat(samples[-1:], bins * size - count, axis=0)]).reshape(bins, size, width)
    places = np.sort(np.stack([padded.argmin(axis=1), padded.argmax(axis=1)], axis=1), axis=1)
    found = np.take_along_axis(padded, places, axis=1).reshape(2 * bins, width)
    return (np.arange(2 * bins) + 0.5) * size / 2, found


def stretches(codes: IntArray, starts: IntArray, step: int, most: int) -> list[tuple[int, int, int]]:
    """First and last (exclusive) sample and code of each stretch of one code, without those of ``NONE``.

    Each code holds for ``step`` samples from its start on. If there are more than ``most`` changes, every k-th code
    stands for k of them.
    """
    if not len(codes):
        return []
    if np.count_nonzero(np.diff(codes)) >= most:
        every = -(-len(codes) // most)
        codes, starts, step = codes[::every], starts[::every], step * every
    edges = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1, [len(codes)]])
    first, last = starts[edges[:-1]], starts[edges[1:] - 1] + step
    found = zip(first.tolist(), last.tolist(), codes[edges[:-1]].tolist(), strict=True)
    return [row for row in found if row[2] != NONE]


def _seconds(found: list[tuple[int, int, int]], rate_hz: float) -> list[Stretch]:
    return [(first / rate_hz, last / rate_hz, code) for first, last, code in found]
