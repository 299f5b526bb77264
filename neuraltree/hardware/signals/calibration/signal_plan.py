"""The models whose pushes are measured for a calibration, and their samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.signals.calibration.signal_samples import (
    CHANNELS,
    RATE_HZ,
    hard_samples,
    model_of,
    random_signal_model,
    usual_samples,
)
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.signal_model import SignalModel

# Windows, hops and the number of decisions of models with every feature: many for short windows, since roots and
# divisions depend on the samples and not on the window, and few for long ones, which take long to emulate.
USUAL = ((16, 16, 12), (32, 8, 8), (96, 32, 4), (256, 64, 3))
HARD = ((16, 16, 90), (48, 16, 20), (192, 64, 5))
FILTERED = ("accx.low:2500", "accx.high:500", "accx.delta", "acc.norm")
FIRST_SEED = 1000  # of random models; those that judge have others


class Planned(NamedTuple):
    """``hard``: whether the samples are to take long. ``precision``: of the tree."""

    model: SignalModel
    samples: NDArray[np.int16]
    hard: bool
    precision: str = "int8"


def planned(count: int) -> Iterator[Planned]:
    """All models, of which ``count`` are random, and a quarter as many with trees of floats."""
    for hard, rows in ((False, USUAL), (True, HARD)):
        for n, hop, decisions in rows:
            model = model_of(every_name(n), hop, np.random.default_rng(n))
            made = (hard_samples if hard else usual_samples)(n + hop * (decisions - 1), n)
            yield Planned(model, made, hard)
    for name in FEATURES:
        yield _alone(name)
    yield from (_random(seed, "int8") for seed in range(FIRST_SEED, FIRST_SEED + count))
    yield from (_random(seed, "float32") for seed in range(FIRST_SEED + count, FIRST_SEED + count + -(-count // 4)))


def _random(seed: int, precision: str) -> Planned:
    """A random model until its second decision."""
    model = random_signal_model(seed)
    hop, longest = model.front_end.hop, model.front_end.longest
    return Planned(model, usual_samples(-(-longest // hop) * hop + hop, seed), False, precision)


def every_name(window: int) -> tuple[str, ...]:
    """Every feature once, and the mean after each filter."""
    own = [f"{stream_of(name)}.{step_of(name, window)}@{window}" for name in FEATURES]
    return (*own, *(f"{stream}.mean@{window}" for stream in FILTERED))


def stream_of(feature: str) -> str:
    """A stream that a feature can be of."""
    return f"{CHANNELS[0]}~{CHANNELS[1]}" if FEATURES[feature].pair else CHANNELS[0]


def step_of(feature: str, window: int) -> str:
    """A feature with a parameter of the middle."""
    row = FEATURES[feature]
    parameters = row.parameters(window, RATE_HZ) or row.allowed(window)
    middle = parameters[len(parameters) // 2]
    return f"{feature}:{middle}" if middle else feature


def _alone(feature: str, window: int = 32) -> Planned:
    names = (f"{stream_of(feature)}.{step_of(feature, window)}@{window}",)
    return Planned(model_of(names, window, np.random.default_rng(0)), usual_samples(2 * window, 0), False)
