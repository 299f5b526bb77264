"""Random models of signals over everything that the tables of filters and features have, and hard recordings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES, code_of
from neuraltree.signals.event_rule import EventRule
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.feature_names import PAIR
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.signal_model import SignalModel
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import record

RATE_HZ = 50.0
OUTPUTS = {"regression": 1, "binary": 1, "multiclass": 3}


def all_names(channels: tuple[str, ...], window: int, group: str = "") -> list[str]:
    """One feature of each kind for each channel, filter and pair there is, with its first and its last parameter."""
    found = []
    for name, feature in FEATURES.items():
        tried = feature.parameters(window, RATE_HZ) or feature.allowed(window)
        for parameter in sorted({tried[i] for i in (0, -1)}):
            step = f"{name}:{parameter}" if parameter else name
            for stream in (
                [f"{channels[0]}~{channels[-1]}"] if feature.pair else [*channels, *_filtered(channels, group)]
            ):
                if not feature.pair or len(channels) > 1:
                    found.append(f"{stream}.{step}@{window}")
    return found


def each_once(channels: tuple[str, ...], window: int, group: str) -> list[str]:
    """Each feature of the first channel or of a pair, and the mean of each filtered stream."""
    found = [name for name in all_names(channels[:1], window) if name.count(".") == 1]
    pairs = [name for name in all_names(channels, window, group) if PAIR in name]
    return found + pairs + [f"{stream}.mean@{window}" for stream in _filtered(channels, group)]


def _filtered(channels: tuple[str, ...], group: str) -> list[str]:
    found = []
    for name, one in FILTERS.items():
        steps = [f"{name}:{parameter}" if parameter else name for parameter in one.parameters(RATE_HZ)[:2]]
        if one.axes:
            found += [f"{group}.{step}" for step in steps] + [f"{group}.{steps[0]}.delta"] if group else []
        else:
            found += [f"{channels[0]}.{step}" for step in steps]
    return found


def random_names(
    rng: np.random.Generator, channels: tuple[str, ...], windows: tuple[int, ...], count: int
) -> list[str]:
    """Names of features, all different, of random windows."""
    group = "acc" if len(channels) > 1 else ""
    found = [name for window in windows for name in all_names(channels, window, group)]
    return rng.permutation(found)[:count].tolist()


def signal_model(
    seed: int,
    hop: int = 32,
    windows: tuple[int, ...] = (64,),
    width: int = 3,
    kind: str = "multiclass",
    names: list[str] | None = None,
    events: EventRule | None = None,
) -> SignalModel:
    """A model of random features, filters and tree, or of the features ``names`` and a tree that reads them all; its
    inputs are standardised for ``random_walk``."""
    rng = np.random.default_rng(seed)
    channels = tuple(f"c{i}" for i in range(width))
    groups = {"acc": (channels[-1], *channels[:-1])} if width > 1 else {}
    features = tuple(names or random_names(rng, channels, windows, 14))
    front_end = FrontEnd(channels, RATE_HZ, hop, features, groups, (100.0,) * width)
    values = front_end.values(random_walk(width, 20 * max(windows), seed)).astype(float)
    scaler = Scaler(values.mean(axis=0), values.std(axis=0) + 1.0)
    outputs = OUTPUTS[kind]
    space = Space(len(features), outputs, NAMES, "identity", max_nodes=120, max_depth=4, max_arity=6)
    nodes = random_tree(rng, space) if names is None else _reading_all(rng, len(names), outputs)
    classes = None if kind == "regression" else tuple("abc"[: max(outputs, 2)])
    tree = Tree(nodes, kind, front_end.features, classes, scaler, Scaler([5.0], [2.0]) if classes is None else None)
    default = EventRule() if classes is None else EventRule(100, 64, 2, 0)
    return SignalModel(front_end, tree, events or default)


def _reading_all(rng: np.random.Generator, features: int, outputs: int) -> Nodes:
    rows = []
    for k in range(outputs):
        rows += [(0, ~code_of("identity"), 0.0, 0.0)]
        for first in range(k, features, 5 * outputs):
            rows += [(1, ~code_of("tanh"), rng.normal(), 0.1)]
            rows += [
                (2, i, rng.choice([-1.0, 1.0]), 0.0) for i in range(first, min(first + 5 * outputs, features), outputs)
            ]
    return record(rows)


def random_walk(width: int, samples: int, seed: int = 0) -> NDArray[np.int16]:
    """(samples, channels) noise that wanders, at a scale of its own every 200 samples."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.uniform(0, 8, size=(samples // 200 + 1, width))).repeat(200, axis=0)[:samples]
    wandering = np.sin(np.cumsum(rng.normal(size=(samples, width)) * 0.3, axis=0)) + rng.normal(size=size.shape) * 0.3
    return np.clip(np.rint(size * wandering), -32768, 32767).astype(np.int16)


def extreme(width: int, samples: int) -> NDArray[np.int16]:
    """(samples, channels) the ends of 16 bits, constant, in turn and in steps; zeros; and single peaks."""
    rng = np.random.default_rng(1)
    kinds = [
        np.full(400, -32768),
        np.full(400, 32767),
        np.tile([-32768, 32767], 200),
        np.repeat(np.tile([-32767, 32767], 13), 16)[:400],
        np.zeros(400),
        np.where(np.arange(400) % 97 == 0, 32767, -1),
        np.linspace(-32768, 32767, 400),
        rng.choice([-32768, -1, 0, 1, 32767], size=400),
    ]
    count = -(-samples // 400)
    columns = [np.concatenate([kinds[k] for k in rng.integers(len(kinds), size=count)]) for _ in range(width)]
    return np.column_stack(columns)[:samples].astype(np.int16)
