"""Timelines of played recordings: few points that keep every spike, and stretches of labels and decisions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from neuraltree.signals.event_rule import Course
from neuraltree.signals.event_scores import event_scores
from neuraltree.signals.windows import samples_since
from search.playback.timeline import envelope, stretches


@pytest.mark.parametrize("count", [0, 1, 7, 40, 41, 999, 20_000])
def test_few_points_keep_every_spike_near_its_place(count: int) -> None:
    rng = np.random.default_rng(count)
    samples = rng.normal(size=(count, 3))
    if count:
        samples[rng.integers(count), 1] = 99.0
        samples[rng.integers(count), 2] = -99.0
    places, found = envelope(samples, 40)
    assert len(places) == len(found) <= max(40, 1)
    assert (np.diff(places) > 0).all()
    for channel in range(3):
        own, points = samples[:, channel], found[:, channel]
        assert set(points.tolist()) <= set(own.tolist())
        if count:
            assert points.max() == own.max()
            assert points.min() == own.min()
            assert abs(places[points.argmax()] - own.argmax()) <= count / 20 + 1


def test_samples_that_fit_are_drawn_as_they_are() -> None:
    samples = np.arange(12.0).reshape(6, 2)
    places, found = envelope(samples, 6)
    assert places.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.tolist() == samples.tolist()


def test_stretches_hold_until_the_next_decision_and_none_is_left_out() -> None:
    codes, ends = np.array([1, 1, -2, -1, 1]), np.array([8, 12, 16, 20, 24])
    assert stretches(codes, ends, 4, 100) == [(8, 16, 1), (16, 20, -2), (24, 28, 1)]
    assert stretches(codes[:0], ends[:0], 4, 100) == []


def test_restless_decisions_are_thinned() -> None:
    codes = np.arange(10_000) % 3
    found = stretches(codes, np.arange(10_000), 1, 100)
    assert 0 < len(found) <= 100
    assert found[0][0] == 0
    assert found[-1][1] == 10_000
    assert all(first[1] == second[0] for first, second in pairwise(found))


def test_a_delay_begins_with_the_first_sample_of_a_label() -> None:
    labels = np.repeat([0, 1, -1, 1], [40, 50, 6, 24])  # samples, 10 a second
    ends = np.arange(20, 121, 10)
    decided = np.array([0, 0, 0, 1, 1, 1, 1, -1, 1, 1, 1])

    def slow(end: int, label: int) -> int:
        """Back to the last sample of the label, and on to the first of its stretch."""
        if label < 0:
            return 0
        at = end - 1
        while labels[at] != label:
            at -= 1
        while at and labels[at - 1] == label:
            at -= 1
        return end - at

    since = samples_since(labels, ends, decided)
    assert since.tolist() == [slow(end, label) for end, label in zip(ends.tolist(), decided.tolist(), strict=True)]
    reported = np.array([-1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1])
    course = Course(np.full(11, -1), reported)
    found = event_scores(course, decided, background=-1, hop_s=1.0, tolerance=2, since_s=since / 10)
    # Class 0 begins at 0.0 s and is reported at 3.0 s; 1 at 4.0 s and 6.0 s, and again at 9.6 s and 10.0 s.
    assert found.delays_s.tolist() == pytest.approx([3.0, 2.0, 0.4])
