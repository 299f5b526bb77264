"""Random models that are fed samples, and samples for them, to calibrate and to judge what such code costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.front_end.feature_candidates import candidates
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.signal_model import SignalModel
from neuraltree.tree.generate import random_tree
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree

CHANNELS = ("accx", "accy", "accz", "gyrox", "gyroy", "gyroz")
GROUPS = {"acc": CHANNELS[:3], "gyro": CHANNELS[3:]}
RATE_HZ = 50.0
HOPS = (16, 32, 64)
WINDOWS = (32, 64, 96, 128, 192, 256)
ACTIVATIONS = ("tanh", "sigmoid", "relu", "identity")
EVERY = 7  # on average so many of the names of one feature are drawn once


def random_signal_model(seed: int) -> SignalModel:
    """A classifier of 2 to 14 features of 6 channels, windows of 32 to 256 samples."""
    rng = np.random.default_rng((seed, 1))
    hop = int(rng.choice(HOPS))
    windows = sorted({int(n) for n in rng.choice([n for n in WINDOWS if n % hop == 0], size=2)})
    every = candidates(CHANNELS, GROUPS, RATE_HZ, windows)
    by_kind: dict[str, list[str]] = {name: [] for name in FEATURES}
    for name in every:  # kinds of features are drawn alike, however many parameters and streams they have
        by_kind[name.rpartition("@")[0].rpartition(".")[2].partition(":")[0]].append(name)
    there = [kind for kind, own in by_kind.items() if own]  # lags are never tried unless they are asked for
    kinds = rng.choice(there, size=int(rng.integers(2, 15)))
    names = list(dict.fromkeys(str(rng.choice(by_kind[kind])) for kind in kinds))
    return model_of(tuple(names), hop, rng, int(rng.integers(2, 7)))


def model_of(names: tuple[str, ...], hop: int, rng: np.random.Generator, classes: int = 3) -> SignalModel:
    """A classifier with a random tree of these features, each read at least once."""
    front = FrontEnd(CHANNELS, RATE_HZ, hop, names, GROUPS)
    outputs = 1 if classes == 2 else classes
    space = Space(len(names), outputs, ACTIVATIONS, "identity", max_nodes=400, max_depth=4, max_arity=6)
    size = int(rng.integers(2 * outputs + len(names), 120))
    nodes = random_tree(rng, space, max_nodes=size)
    leaves = np.flatnonzero(nodes["op"] >= 0)
    while len(leaves) < len(names):
        nodes = random_tree(rng, space, max_nodes=(size := 2 * size))
        leaves = np.flatnonzero(nodes["op"] >= 0)
    nodes["op"][rng.permutation(leaves)[: len(names)]] = np.arange(len(names))
    heavy = np.abs(nodes["weight"])  # so that rounding takes no edge away
    nodes["weight"] = np.where(nodes["weight"] < 0, -1, 1) * np.maximum(heavy, heavy.max() / 20)
    kind = "binary" if classes == 2 else "multiclass"
    scaler = Scaler(rng.normal(0, 500, len(names)), np.exp(rng.uniform(3, 8, len(names))))
    labels = tuple("abcdef"[:classes])
    return SignalModel(front, Tree(nodes, kind, names, labels, scaler, None))


def usual_samples(samples: int, seed: int, width: int = len(CHANNELS)) -> NDArray[np.int16]:
    """(samples, channels) of a sensor that rests and shakes: a level, a swing and noise, new every 64 samples."""
    rng = np.random.default_rng((seed, 2))
    spans = samples // 64 + 1
    level, swing, noise = (
        np.repeat(part, 64, axis=0)[:samples]
        for part in (
            rng.normal(0, 3000, (spans, width)),
            np.exp(rng.uniform(3, 8, (spans, width))),
            np.exp(rng.uniform(1, 6, (spans, width))),
        )
    )
    turns = np.cumsum(np.repeat(rng.uniform(0.05, 1.5, (spans, width)), 64, axis=0)[:samples], axis=0)
    found = level + swing * np.sin(turns) + noise * rng.normal(size=(samples, width))
    return np.clip(np.rint(found), -32768, 32767).astype(np.int16)


def hard_samples(samples: int, seed: int, width: int = len(CHANNELS)) -> NDArray[np.int16]:
    """(samples, channels) the ends of 16 bits in stretches, steps and peaks, noise of every size, and silence."""
    rng = np.random.default_rng((seed, 3))
    return np.column_stack([_hard(rng, samples) for _ in range(width)]).astype(np.int16)


def _hard(rng: np.random.Generator, samples: int) -> NDArray[np.float64]:
    found: list[NDArray[np.float64]] = []
    while sum(map(len, found)) < samples:
        n = int(rng.integers(8, 300))
        i = np.arange(n)
        kinds: Sequence[NDArray[np.float64]] = (
            np.full(n, rng.choice([-32768.0, 32767, 0, 1, -1])),
            np.where(i % 2, 32767.0, -32768.0),
            np.where(i // int(rng.integers(2, 20)) % 2, 32767.0, -32768.0),
            np.where(i % int(rng.integers(5, 60)) == 0, 32767.0, -1.0),
            np.linspace(-32768, 32767, n) * rng.choice([-1.0, 0.99]),
            rng.integers(-32768, 32768, n).astype(np.float64),
            np.rint(rng.normal(0, np.exp(rng.uniform(-1, 9)), n)),
            np.rint(32000 * np.sin(i * rng.uniform(0.01, 3))),
        )
        found.append(np.clip(kinds[int(rng.integers(len(kinds)))], -32768, 32767))
    return np.concatenate(found)[:samples]
