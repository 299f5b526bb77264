"""Recordings: what sensors gave, sample after sample, and what was going on then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import IntArray

UNLABELLED = -1


@dataclass(frozen=True, eq=False)
class Recording:
    """One stretch of samples without gaps.

    ``samples`` (samples, channels): in the units of the channels. ``labels`` (samples,): the place of each sample's
    class among those of ``Recordings``, ``UNLABELLED`` if it has none. ``subject``: who or what was recorded, "" if
    unknown. ``part``: "training" or "testing" if the files say so, else "". ``source``: the recording that this stretch
    was cut from where samples are missing; stretches of one source are never split between training and testing.
    """

    name: str
    samples: FloatArray
    labels: IntArray
    subject: str = ""
    part: str = ""
    source: str = ""

    @property
    def group(self) -> str:
        """What may not stand on both sides of a split: the subject, or else the recording."""
        return self.subject or self.source or self.name


@dataclass(frozen=True, eq=False)
class Recordings:
    """Recordings of the same channels at one rate. ``units``: of the channels, "" if unknown. ``classes``: the labels.
    ``notes``: what was mended and what is doubtful, a line each."""

    recordings: tuple[Recording, ...]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """The length of all recordings together, in s."""
        return float(np.sum([len(one.samples) for one in self.recordings]) / self.rate_hz)
