"""A model that is fed samples: a front end, a tree that reads its features, and a rule that makes events of scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neuraltree.signals.event_rule import EventRule
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.feature_names import Wanted
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.tree.nodes import IntArray
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

LARGEST_HOP = 65_535  # samples, and hops of the longest window: C counts them in 16 bits


class Rejection(Protocol):
    """What says that a window is like none that was learned from."""

    def rejected(self, features: IntArray) -> NDArray[np.bool_]:
        """(windows,) from the features (windows, features) of the model."""

    def c_text(self) -> str:
        """The same as ``static int nt_rejected(const int16_t *features)``, with what it calls."""


@dataclass(frozen=True)
class SignalModel:
    """``tree`` takes the features of ``front_end``, integers of 16 bits, in their order. ``rejection``: what makes a
    window unknown whatever its scores. ``ValueError`` if the parts do not fit together; the message says how."""

    front_end: FrontEnd
    tree: Tree
    events: EventRule = EventRule()
    rejection: Rejection | None = None

    def __post_init__(self) -> None:
        check_front_end(self.front_end)
        tree, names = self.tree, self.front_end.features
        if tree.columns is not None or tree.features != tuple(names):
            raise ValueError(
                f"the tree takes {_few(tree.features)}, the front end makes {_few(names)}; a model needs a tree of "
                "the front end's features, in their order and without columns"
            )
        if tree.classes is None and (self.events != EventRule() or self.rejection is not None):
            raise ValueError("a regression has no events and no rejection; leave both out")
        if self.events.background >= len(tree.classes or ()) > 0:
            raise ValueError(f"the background is class {self.events.background}; there are {len(tree.classes or ())}")

    @property
    def features_read(self) -> tuple[int, ...]:
        """The positions of the features that a leaf reads, in order."""
        op = self.tree.nodes["op"]
        return tuple(np.unique(op[op >= 0]).tolist())


def check_front_end(front_end: FrontEnd) -> None:
    """``ValueError`` for a front end that cannot be computed; the message names what is wrong and what is allowed."""
    if not front_end.features:
        raise ValueError("a front end needs at least one feature")
    if not 1 <= front_end.hop <= LARGEST_HOP:
        raise ValueError(f"the hop is {front_end.hop} samples; allowed: 1 to {LARGEST_HOP}")
    if not (np.isfinite(front_end.rate_hz) and front_end.rate_hz > 0):
        raise ValueError(f"the rate is {front_end.rate_hz} Hz; it must be above 0")
    if front_end.counts_per_unit and len(front_end.counts_per_unit) != len(front_end.channels):
        raise ValueError("counts_per_unit needs one number for each channel, or none at all")
    for one in front_end.wanted:
        _check_feature(front_end, one)


def _check_feature(front_end: FrontEnd, one: Wanted) -> None:
    window, hop, name = one.window, front_end.hop, one.name
    if one.feature.name not in FEATURES:
        raise ValueError(f"{name}: no feature {one.feature.name!r}; allowed: {', '.join(FEATURES)}")
    if unknown := [step.name for step in one.stream.filters if step.name not in FILTERS]:
        raise ValueError(f"{name}: no filter {unknown[0]!r}; allowed: {', '.join(FILTERS)}")
    if window < 1 or window % hop or window // hop > LARGEST_HOP:
        raise ValueError(f"{name}: a window of {window} samples; with hops of {hop} it must be a multiple of {hop}")
    known = (*front_end.channels, *front_end.groups)
    if missing := [part for part in sources_of_stream(front_end, one.stream.source) if part not in front_end.channels]:
        raise ValueError(f"{name}: no channel {missing[0]!r}; allowed: {', '.join(known)}")


def sources_of_stream(front_end: FrontEnd, source: str) -> tuple[str, ...]:
    """The channels that a stream's source reads."""
    return tuple(front_end.groups.get(source, (source,)))


def reduced(model: SignalModel) -> SignalModel:
    """The same model with only the features that its tree reads; one with a rejection, which reads all, as it is."""
    read = list(model.features_read)
    if model.rejection is not None or not read or len(read) == len(model.front_end.features):
        return model
    tree, nodes = model.tree, model.tree.nodes.copy()
    leaf = nodes["op"] >= 0
    nodes["op"][leaf] = np.searchsorted(read, nodes["op"][leaf])
    names = tuple(model.front_end.features[i] for i in read)
    narrowed = replace(
        tree,
        nodes=nodes,
        features=names,
        scaler=None if tree.scaler is None else Scaler(tree.scaler.mean[read], tree.scaler.scale[read]),
        input_range=None if tree.input_range is None else tree.input_range[read],
        input_middle=None if tree.input_middle is None else tree.input_middle[read],
    )
    return replace(model, front_end=replace(model.front_end, features=names), tree=narrowed)


def _few(names: tuple[str, ...]) -> str:
    return f"{len(names)} features ({', '.join(map(str, names[:3]))}{', ...' if len(names) > 3 else ''})"
