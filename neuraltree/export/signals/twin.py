"""The stream of a model in NumPy: the same integers as exported C, for whole recordings at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.compress.formats import c_format
from neuraltree.compress.input_types import sources
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.compress.int8.integers import scaled
from neuraltree.compress.narrow.with_format import with_weight_format
from neuraltree.export.c.decisions import score_threshold
from neuraltree.signals.event_rule import SCORE_UNIT, UNKNOWN, events
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.one_class import OneClassModel
from neuraltree.signals.sample_integers import LARGEST
from neuraltree.signals.signal_model import SignalModel, reduced
from neuraltree.tasks.links import class_codes
from neuraltree.tree.nodes import IntArray
from neuraltree.tree.tree import Tree


class Decisions(NamedTuple):
    """What a model made of a recording, one row for each decision. ``ends`` (decisions,): the samples seen by then.
    ``features`` (decisions, features) int16 of the model with only the features that its tree reads; one that rounding
    took from the code is 0. Of classes: ``scores`` (decisions, classes) int16; ``classes`` (decisions,): of each window
    alone; ``events`` (decisions,): a class, ``event_rule.UNKNOWN`` or ``NONE``; ``reported`` (decisions,): what holds
    since the last event, the background included. Of a regression: ``values`` (decisions,) float32. What there is not
    is empty."""

    ends: IntArray
    features: IntArray
    scores: NDArray[np.int16]
    classes: IntArray
    events: IntArray
    reported: IntArray
    values: NDArray[np.float32]


def stream(model: SignalModel | OneClassModel, samples: NDArray[np.int16], precision: str = "float32") -> Decisions:
    """What the code of ``export_signal`` makes of a recording (samples, channels), from a reset on: the same bits for
    integers; for floats the same features, and scores that rounding may change by 1."""
    samples = checked_samples(model, samples)
    if isinstance(model, OneClassModel):
        return _one_class_stream(model, samples)
    model = reduced(model)
    scorer = Scorer.make(model, precision)
    ends = model.front_end.ends(len(samples))
    features = _features(model.front_end, samples, ends)
    if model.rejection is None:
        unread = np.setdiff1d(np.arange(features.shape[1]), scorer.reads)
        features[:, unread] = 0
    if model.tree.classes is None:
        none = np.zeros((len(ends), 0), dtype=np.int16)
        empty = np.zeros(0, dtype=np.int64)
        return Decisions(ends, features, none, empty, empty, empty, scorer.values(features))
    scores, classes = scorer(features)
    rejected = None if model.rejection is None else model.rejection.rejected(features)
    course = events(model.events, scores, classes, rejected)
    return Decisions(ends, features, scores, classes, *course, np.zeros(0, dtype=np.float32))


def _one_class_stream(model: OneClassModel, samples: NDArray[np.int16]) -> Decisions:
    ends = model.front_end.ends(len(samples))
    features = _features(model.front_end, samples, ends)
    scores = model.scores(features)[:, None]
    unknown, normal = scores[:, 0] < 0, np.zeros(len(ends), dtype=np.int64)
    course = events(model.events, scores, normal, unknown)
    classes = np.where(unknown, UNKNOWN, normal)
    return Decisions(ends, features, scores.astype(np.int16), classes, *course, np.zeros(0, dtype=np.float32))


def _features(front_end: FrontEnd, samples: NDArray[np.int16], ends: IntArray) -> IntArray:
    """(decisions, features); none of a recording that is shorter than a window."""
    if not len(ends):
        return np.zeros((0, len(front_end.features)), dtype=np.int16)
    return front_end.values(np.maximum(samples, -LARGEST), ends)


def checked_samples(model: SignalModel | OneClassModel, samples: NDArray[np.integer]) -> NDArray[np.int16]:
    """(samples, channels) int16; ``ValueError`` for another shape or for numbers that are no integers of 16 bits."""
    found, width = np.asarray(samples), len(model.front_end.channels)
    if found.ndim != 2 or found.shape[1] != width:
        raise ValueError(f"samples have shape {found.shape}; the model takes (samples, {width})")
    if found.dtype != np.int16:
        raise ValueError(f"samples are of type {found.dtype}; the model takes int16, as its header says of units")
    return found


@dataclass(frozen=True)
class Scorer:
    """The tree of a model in one precision. ``tree`` has linear outputs for classes; ``integers``: for integer code.
    ``reads``: the positions of the features that are read."""

    tree: Tree
    integers: IntegerTree | None
    reads: tuple[int, ...]

    @classmethod
    def make(cls, model: SignalModel, precision: str) -> Scorer:
        row = c_format(precision)
        tree = linear_topped_classes(model.tree)
        if not row.is_integer:
            halved = tree if row.weights == "float32" else with_weight_format(tree, precision)
            return cls(halved, None, model.features_read)
        integers = quantize_tree(tree, sources=sources(tree, "int16"), weights=row.weights)
        return cls(tree, integers, tuple(integers.inputs.features.tolist()))

    def __call__(self, features: IntArray) -> tuple[NDArray[np.int16], IntArray]:
        """Scores (windows, classes) and classes (windows,) for features (windows, features)."""
        if self.integers is None:
            outputs = self.tree.outputs(features.astype(np.float64))
            classes = class_codes(outputs, self.tree.logit_threshold)
            wide = outputs.astype(np.float32) * np.float32(SCORE_UNIT) - np.float32(score_threshold(self.tree))
            held = np.clip(np.where(np.isnan(wide), LARGEST, wide), -LARGEST, LARGEST)
            whole = np.trunc(held + np.copysign(np.float32(0.5), held)).astype(np.int64)
        else:
            scores = self.integers.scores(self.integers.quantize(features))
            classes = class_codes(scores, self.integers.score_threshold)
            multiplier, shift = self.integers.outputs.rescaled(SCORE_UNIT)
            whole = scaled(scores.astype(np.int64), multiplier, shift) - score_threshold(self.tree)
        found = np.clip(whole, -LARGEST, LARGEST).astype(np.int16)
        if self.tree.kind == "binary":
            found = np.hstack([np.zeros_like(found), found])
        return found, classes.astype(np.int64)

    def values(self, features: IntArray) -> NDArray[np.float32]:
        """(windows,) the target of a regression."""
        if self.integers is None:
            return self.tree.outputs(features.astype(np.float64))[:, 0].astype(np.float32)
        found = self.integers.predict_q(self.integers.quantize(features))
        return self.integers.outputs.values(found).astype(np.float32)


def linear_topped_classes(tree: Tree) -> Tree:
    """A classifier whose outputs are logits where they were sigmoids of them; any other tree as it is. The most
    probable class is the same, and scores in integers are of logits in any case."""
    if tree.kind != "multiclass" or tree.output_activation == "identity":
        return tree
    nodes = tree.nodes.copy()
    nodes["op"][nodes["depth"] == 0] = ~code_of("identity")
    return replace(tree, nodes=nodes)
