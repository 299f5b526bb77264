"""A generated set of recordings of bearings, sound ones and ones with a fault of the outer race of three severities.

The model: a shaft turns with an accelerometer of three axes on the bearing's housing, which measures

- the shaft: sines at 1, 2 and 3 times its rate, from imbalance and misalignment, that grow with the load;
- a resonance of the housing, a damped oscillator, struck by friction (white noise that grows with the load) and, if the
  bearing has a fault, by an impact each time a ball rolls over the pit in the outer race. The balls slip, so the
  distances of impacts vary by some percent and the errors add up. An impact is as strong as the pit is deep, times the
  load, times what the shaft's imbalance adds at this moment, times chance;
- white noise of the sensor.

Machines differ in rate, resonance, damping, roughness and where the sensor is. Their recordings differ in load, which
also moves within a recording and slows the shaft, and in the gain of each axis. So the RMS of a slight fault lies
within what sound machines differ by, and what is told of machines must be tested on others: a machine is a subject.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.recordings.recording import Recording, Recordings

RATE_HZ = 2000.0
CHANNELS = ("radial", "tangential", "axial")
RANGE_G, STEP_G = 16.0, 1 / 2048  # of the sensor: samples are int16 times the step
BALLS, BALL_TO_PITCH = 9, 0.2
OUTER_RACE_ORDER = BALLS / 2 * (1 - BALL_TO_PITCH)  # impacts a turn of the shaft
IMPACTS_G = {"normal": 0.0, "slight": 0.16, "moderate": 0.4, "severe": 1.0}  # first swing at full load, by class
FRICTION_G = 0.05  # a sample's mean impact on the resonance by friction
SLIP = 0.02  # of the distance of two impacts
SLOWED = 0.03  # share of the rate that full load takes


@dataclass(frozen=True)
class Machine:
    """What stays the same in all recordings of a machine. ``shaft_g`` (axes, 3) and ``shaft_phase`` (axes, 3): of its
    sines; ``directions`` (axes,): the share of the resonance that each axis measures."""

    shaft_hz: float
    resonance_hz: float
    damping: float
    roughness: float
    noise_g: float
    directions: FloatArray
    shaft_g: FloatArray
    shaft_phase: FloatArray

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Self:
        axes = len(CHANNELS)
        return cls(
            rng.uniform(23, 29),
            rng.uniform(550, 750),
            rng.uniform(0.03, 0.06),
            rng.lognormal(0, 0.3),
            rng.uniform(0.02, 0.04),
            np.array([1.0, 0.7, 0.3]) * rng.uniform(0.8, 1.2, axes),
            np.array([0.3, 0.1, 0.05]) * rng.lognormal(0, 0.3, (axes, 3)),
            rng.uniform(0, 2 * np.pi, (axes, 3)),
        )

    def samples(self, impact_g: float, seconds: float, rng: np.random.Generator) -> FloatArray:
        """(samples, axes) in g: a recording with impacts of ``impact_g`` at full load, 0 if the bearing is sound."""
        time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
        load = rng.uniform(0.5, 1) * (1 + 0.1 * np.sin(2 * np.pi * (time / rng.uniform(4, 12) + rng.uniform())))
        angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.cumsum(self.shaft_hz * (1 - SLOWED * load)) / RATE_HZ
        struck = FRICTION_G * self.roughness * load * rng.normal(size=len(time))
        if impact_g:
            struck += impact_g * _impacts(time, angle, load, rng)
        orders = np.arange(1, 4)
        turning = np.sin(orders[:, None, None] * angle[:, None] + self.shaft_phase.T[:, None]) * self.shaft_g.T[:, None]
        found = self._ringing(struck)[:, None] * self.directions + load[:, None] * turning.sum(axis=0)
        found += self.noise_g * rng.normal(size=found.shape)
        found *= rng.lognormal(0, 0.1, found.shape[1])  # the gain, which drifts from recording to recording
        return np.clip(np.round(found / STEP_G), -RANGE_G / STEP_G, RANGE_G / STEP_G - 1) * STEP_G

    def _ringing(self, struck: FloatArray) -> FloatArray:
        """The swings of the resonance after strikes (samples,): of 1 at 0, it first swings to about 1."""
        time = np.arange(len(struck)) / RATE_HZ
        turns = 2 * np.pi * self.resonance_hz * time
        swing = np.exp(-self.damping * turns) * np.sin(np.sqrt(1 - self.damping**2) * turns)
        size = 2 * len(struck)
        ringing: FloatArray = np.fft.irfft(np.fft.rfft(struck, size) * np.fft.rfft(swing, size), size)[: len(struck)]
        return ringing


def _impacts(time: FloatArray, angle: FloatArray, load: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(samples,) How strong the impacts at each sample are; one between two samples is shared by them."""
    apart = 2 * np.pi / OUTER_RACE_ORDER
    count = int((angle[-1] - angle[0]) / apart)
    at = angle[0] + apart * (rng.uniform() + np.cumsum(rng.normal(1, SLIP, count)))
    at = at[at < angle[-1]]
    place = np.interp(at, angle, time) * RATE_HZ
    strength = load[place.astype(int)] * (1 + 0.4 * np.cos(at)) * rng.lognormal(0, 0.2, len(at))
    first, share = place.astype(int), place % 1
    found = np.zeros(len(time))
    np.add.at(found, first, strength * (1 - share))
    np.add.at(found, np.minimum(first + 1, len(time) - 1), strength * share)
    return found


def bearing_recordings(
    seed: int = 0, *, sound: int = 6, tested: int = 6, each: int = 3, seconds: float = 8.0
) -> Recordings:
    """Recordings of ``sound`` machines, all normal and for training, and of ``tested`` others, for testing: normal and
    with a fault of each severity. ``each``: recordings of a machine and class, of so many ``seconds``.

    The same arguments give the same bytes, and further machines or recordings do not change the others.
    """
    if min(sound, tested, each) < 1 or not 1 <= seconds < np.inf:
        raise ValueError(
            f"sound={sound}, tested={tested}, each={each}, seconds={seconds}: "
            "give one or more machines and recordings, and 1 s or more"
        )
    classes = tuple(IMPACTS_G)
    found = []
    for group, count in (("sound", sound), ("tested", tested)):
        for number in range(count):
            place = [seed, group == "tested", number]
            machine = Machine.drawn(np.random.default_rng(place))
            for label in range(len(classes) if group == "tested" else 1):
                for take in range(each):
                    rng = np.random.default_rng([*place, label + 1, take])
                    samples = machine.samples(IMPACTS_G[classes[label]], seconds, rng)
                    name, labels = f"{group}{number}", np.full(len(samples), label)
                    part = "training" if group == "sound" else "testing"
                    found.append(Recording(f"{name}_{classes[label]}_{take}", samples, labels, name, part))
    return Recordings(tuple(found), CHANNELS, ("g",) * len(CHANNELS), RATE_HZ, classes)
