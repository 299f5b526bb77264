"""One tree in integers: the reference for exported int8 code, which gives the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations import ACTIVATIONS, code_of
from neuraltree.arrays import FloatArray
from neuraltree.compress.byte_inputs import LEAST, ByteStage, as_bytes, takes_bytes
from neuraltree.compress.formats import RAW, InputSpec
from neuraltree.compress.input_types import Source, in_units, integer_inputs
from neuraltree.compress.input_types import sources as sources_of
from neuraltree.compress.int8.integer_results import Confidence, FixedStage, Link
from neuraltree.compress.int8.integers import DEFAULT_RANGE, Integers, quantize, scaled
from neuraltree.compress.int8.lookup_tables import FINE, UNIT, fine_values, values
from neuraltree.compress.int8.stages import (
    LARGEST_REACH,
    SMALLEST_REACH,
    InputStage,
    IntegerStage,
    MixedStage,
    OutputStage,
)
from neuraltree.compress.weights.snapping import NO_SNAPS
from neuraltree.compress.weights.weight_formats import code_snaps
from neuraltree.inputs.frames import is_frame, is_rows
from neuraltree.tasks.links import class_codes, logit_threshold, probabilities
from neuraltree.tree.folding import fold_inputs, fold_target
from neuraltree.tree.labels import label_array
from neuraltree.tree.nodes import IntArray, Nodes, parents
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.simplify import simplify
from neuraltree.tree.soundness import DEFAULT_THRESHOLD, refuse_several_targets
from neuraltree.tree.tree import Inputs, Tree

LARGEST_THRESHOLD = 2**30  # beyond every score of a class


@dataclass(frozen=True, eq=False)
class IntegerTree:
    """A tree without its dead edges, in integers. ``nodes`` (kept,) has depth and op, ``numbers`` all other fields.

    ``fine``: children of the output have 16-bit values. ``source`` is the float tree from which it was made.
    ``weights``: the format of weights, see ``quantize_tree``.
    """

    source: Tree
    nodes: Nodes
    numbers: Integers
    fine: bool
    weights: str
    inputs: InputStage | MixedStage | ByteStage
    outputs: OutputStage
    units: FloatArray | None = None  # (features,) a raw input is so many times the feature of ``source``; None: 1

    def quantize(self, X: ArrayLike) -> NDArray[np.int8]:
        """Quantised inputs (rows, used inputs) from raw inputs (rows, features), which are integers where the tree
        was made for integers; ``ValueError`` for numbers that these cannot be."""
        X = self.raw_rows(X)
        if X.ndim != 2 or X.shape[1] != len(self.source.features):
            raise ValueError(f"X has shape {X.shape}; the tree needs (rows, {len(self.source.features)})")
        if isinstance(self.inputs, MixedStage):
            self._check_integers(X, self.inputs.integers)
        if isinstance(self.inputs, ByteStage):
            self._check_integers(X, self.inputs)
        return self.inputs(X)

    def raw_rows(self, X: Inputs) -> NDArray:
        """(rows, features) the raw inputs of columns by name, as ``Tree.outputs`` takes them; or an array as it is."""
        if is_frame(X) or is_rows(X):
            return self.source.feature_rows(X) * (1.0 if self.units is None else self.units)
        return np.asarray(X)

    def _check_integers(self, X: NDArray, stage: IntegerStage | ByteStage) -> None:
        found = X[:, stage.features]
        fits = (found >= stage.low) & (found <= stage.high) & (found % 1 == 0)
        if not fits.all():
            row, place = np.argwhere(~fits)[0].tolist()
            name = self.source.features[stage.features[place]]
            allowed = f"whole numbers from {stage.low[place]} to {stage.high[place]}"
            raise ValueError(f"X has {found[row, place]} for the input {name!r}, which takes {allowed}")

    @property
    def score_threshold(self) -> int:
        """The integer score above which a binary model predicts its second class; 0 for a threshold of 0.5.

        Scores are integers, so rounding the tree's threshold down to one changes no decision.
        """
        return integer_threshold(self.source.threshold, self.outputs)

    def scores(self, q: NDArray[np.int8]) -> NDArray[np.int32]:
        """Integer scores (rows, outputs) from quantised inputs (rows, used inputs)."""
        return self.outputs.scores(self._sums(q))

    def predict_q(self, q: NDArray[np.int8]) -> NDArray[np.int32]:
        """(rows,) the result of the C function: the score of a regression, or the position of the class."""
        scores = self.scores(q)
        if self.source.classes is None:
            return scores[:, 0]
        return class_codes(scores, self.score_threshold).astype(np.int32)

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) single floats in natural units, or class labels, for raw inputs (rows, features)."""
        found = self.predict_q(self.quantize(X))
        if self.source.classes is None:
            return self.outputs.values(found)
        return label_array(self.source.classes)[found]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """(rows, classes) probabilities from the integer scores."""
        if self.source.classes is None:
            raise ValueError("a regression tree has no class probabilities; use predict")
        sums = self.outputs.values(self.scores(self.quantize(X))).astype(np.float64)
        output = ACTIVATIONS[code_of(self.source.output_activation)].value(sums).astype(np.float64)
        return probabilities(self.source.output_activation, output)

    @property
    def fixed_stage(self) -> FixedStage:
        """From the scores of a regression to its targets in fixed point."""
        return FixedStage.make(self.outputs, _largest_sum(self.nodes, self.numbers))

    @property
    def confidence_stage(self) -> Confidence | None:
        """From the scores of classes to the probability of the predicted one, None for a regression."""
        if self.source.classes is None:
            return None
        several: Link = "softmax" if self.source.output_activation == "identity" else "sigmoids"
        return Confidence.make("logistic" if self.source.kind == "binary" else several, self.outputs)

    def predict_fixed(self, X: ArrayLike) -> NDArray[np.int32]:
        """(rows,) the target of a regression times ``2 ** fixed_stage.power``, for raw inputs (rows, features)."""
        if self.source.classes is not None:
            raise ValueError("a classifier has no target in fixed point; use predict or confidence")
        return self.fixed_stage(self.predict_q(self.quantize(X)))

    def confidence(self, X: ArrayLike) -> NDArray[np.uint8]:
        """(rows,) the probability of the predicted class times 255, within 1, for raw inputs (rows, features)."""
        stage = self.confidence_stage
        if stage is None:
            raise ValueError("a regression tree has no class probabilities; use predict_fixed")
        scores = self.scores(self.quantize(X))
        return stage(scores, class_codes(scores, self.score_threshold))

    def terms(self, q: NDArray[np.int8]) -> dict[int, NDArray[np.integer]]:
        """What each child of an output adds to its sum, (rows,) by the child's position in ``nodes``.

        The pass is the same as in ``prediction.evaluate``.
        """
        columns = q.T.astype(np.int64)
        place = {feature: i for i, feature in enumerate(self.inputs.features.tolist())}
        nothing = np.zeros(columns.shape[1], dtype=np.int64)
        sums: dict[int, NDArray[np.integer]] = {}
        found = {}
        depth, op = self.nodes["depth"].tolist(), self.nodes["op"].tolist()
        for i in range(len(depth) - 1, -1, -1):
            if depth[i] == 0:
                continue
            fine = self.fine and depth[i] == 1
            if op[i] >= 0:
                value = columns[place[op[i]]] * (FINE if fine else 1)
            else:
                total = sums.pop(depth[i] + 1, nothing) + self.numbers.bias[i]
                index = scaled(total, self.numbers.multiplier[i], self.numbers.shift[i])
                value = (fine_values if fine else values)(~op[i], index)
            term = self.numbers.weight[i] * value
            if depth[i] == 1:
                found[i] = term
            else:
                sums[depth[i]] = sums.get(depth[i], nothing) + term
        return found

    def _sums(self, q: NDArray[np.int8]) -> NDArray[np.integer]:
        """(rows, outputs) sums of the output nodes."""
        top = np.flatnonzero(self.nodes["depth"] == 0)
        sums = np.repeat(self.numbers.bias[top][None], len(q), axis=0)
        for node, term in self.terms(q).items():
            sums[:, np.searchsorted(top, node) - 1] += term
        return sums


def integer_threshold(threshold: float, outputs: OutputStage) -> int:
    """The integer score for a ``threshold`` of the second class, a probability."""
    if threshold == DEFAULT_THRESHOLD:
        return 0
    # Both numbers are single floats: in doubles their quotient is too exact to cross an integer below 2^20.
    whole = floor(logit_threshold(threshold) / float(outputs.gain))
    return min(max(whole, -LARGEST_THRESHOLD), LARGEST_THRESHOLD)


def quantize_tree(
    tree: Tree, *, fine: bool = False, sources: Sequence[Source] = (), weights: str = "int8"
) -> IntegerTree:
    """The tree in integers. ``fine``: 16-bit values for the children of a regression's output. ``sources``: what the
    raw inputs are, see ``input_types.sources``; by default all are floats. ``weights``: the format of the weights, see
    ``weight_formats.code_snaps``; a narrower one than int8 has its integers in the same arithmetic.

    ``ValueError`` if ``fine`` is asked for a classifier, if there are several targets, if a node has too many children
    or too large a sum, or if the numbers of an input are too large or too small.
    """
    snaps = code_snaps(weights)
    # Two halves of a weight would be rounded apart; 8 bits are fine enough for them.
    merged = tree if snaps == NO_SNAPS else replace(tree, nodes=simplify(tree.nodes))
    source, (tree, anchor) = tree, _about_zero(in_units(merged, sources), sources)
    refuse_several_targets(tree.kind, tree.num_outputs, "int8 code")
    if fine and tree.kind != "regression":
        raise ValueError(f"16-bit values are for regression outputs; this is a {tree.kind} tree, use 8 bits")
    nodes = linear_topped(tree)
    reach = input_range(tree)
    with np.errstate(all="ignore"):
        numbers = quantize(
            nodes, reach, fine=fine, snaps=snaps, least_input=-UNIT if anchor is None else LEAST, anchor=anchor
        )
    if not (numbers.reach <= np.finfo(np.float32).max).all():
        raise ValueError("a node's sum can go beyond single floats (3.4e38); train the model with smaller weights")
    keep = numbers.keep
    nodes, kept = nodes[keep], Integers._make(array[keep] for array in numbers)
    used = np.unique(nodes["op"][nodes["op"] >= 0]).astype(np.int64)
    scaler = scaler_of(tree)
    target = tree.target_scaler or Scaler(np.zeros(1), np.ones(1))
    top = nodes["depth"] == 0
    largest = _largest_sum(nodes, kept)
    return IntegerTree(
        source=source,
        nodes=nodes,
        numbers=kept,
        fine=fine,
        weights=weights,
        inputs=_input_stage(tree, used, scaler, reach, sources) if anchor is None else ByteStage(used),
        outputs=OutputStage.make(
            kept.unit[top], kept.reach[top], largest, float(target.mean[0]), float(target.scale[0])
        ),
        units=np.array([each.scale for each in sources]) if sources else None,
    )


def _about_zero(tree: Tree, sources: Sequence[Source]) -> tuple[Tree, FloatArray | None]:
    """The same function of inputs whose zero is that of their integers; and if these are bytes as they are, the
    standardised inputs in the middle of the tree's own ranges: usual ones, at which rounding of weights shall be
    harmless, while a byte of 128 may never occur."""
    if not takes_bytes(sources, scaler_of(tree).scale * input_range(tree)):
        return about_middle(tree), None
    moved = as_bytes(tree)
    return about_middle(moved), middle_of(tree) - middle_of(moved)


def input_kinds(tree: Tree, spec: InputSpec) -> IntArray:
    """(features,) as ``input_types.integer_inputs``, or ``RAW`` for all if integer code reads their bytes as they
    are."""
    found = sources_of(tree, spec)
    moved = in_units(tree, found)
    if takes_bytes(found, scaler_of(moved).scale * input_range(moved)):
        return np.full(len(tree.features), RAW)
    return integer_inputs(tree, spec)


def linear_topped(tree: Tree) -> Nodes:
    """The nodes as integer code has them: with a linear output on top of a regression's output that is not linear."""
    if tree.kind == "regression" and tree.output_activation != "identity":
        return fold_target(tree.nodes, Scaler(np.zeros(1), np.ones(1)))
    return tree.nodes


def _input_stage(
    tree: Tree, used: IntArray, scaler: Scaler, reach: FloatArray, sources: Sequence[Source]
) -> InputStage | MixedStage:
    """The stage of the inputs ``used``, by what their sources are."""
    all_integers = np.array([source.is_integer for source in sources] or [False] * len(reach))
    is_integer = all_integers[used]
    of = used[~is_integer], used[is_integer]
    check_units(tree, of[0], scaler.scale * reach)
    floats = InputStage.make(of[0], scaler.mean[of[0]], scaler.scale[of[0]], reach[of[0]])
    if not all_integers.any():
        return floats
    low, high = (
        np.array([getattr(sources[i], end) for i in of[1].tolist()], dtype=np.int64) for end in ("low", "high")
    )
    integers = IntegerStage.make(of[1], (low, high), scaler.mean[of[1]], (scaler.scale * reach)[of[1]])
    return MixedStage(used, floats, integers)


def about_middle(tree: Tree) -> Tree:
    """The same function of inputs that are centred on the middle of their 8-bit range, which then is 0."""
    if tree.input_middle is None:
        return tree
    middle, scaler = middle_of(tree), scaler_of(tree)
    nodes = fold_inputs(tree.nodes, Scaler(-middle, np.ones(len(middle))))
    moved = Scaler(scaler.mean + middle * scaler.scale, scaler.scale)
    return replace(tree, nodes=nodes, scaler=moved, input_middle=None)


def middle_of(tree: Tree) -> FloatArray:
    """(features,) the standardised inputs in the middle of their 8-bit ranges."""
    return np.zeros(len(tree.features)) if tree.input_middle is None else tree.input_middle


def scaler_of(tree: Tree) -> Scaler:
    return tree.scaler or Scaler(np.zeros(len(tree.features)), np.ones(len(tree.features)))


def check_units(tree: Tree, used: IntArray, reach: NDArray[np.float64]) -> None:
    """``ValueError`` if the input stage cannot convert the range of a used input; ``reach`` is in its own unit."""
    for feature in used.tolist():
        if not SMALLEST_REACH <= reach[feature] <= LARGEST_REACH:
            raise ValueError(
                f"the input {tree.features[feature]!r} ranges over {reach[feature]:.1g}; 8-bit code takes ranges from "
                f"{SMALLEST_REACH:.1g} to {LARGEST_REACH:.1g}: give it another unit, or use float32"
            )


def input_range(tree: Tree) -> NDArray[np.float64]:
    """(features,) the largest distance from the middle at which integers represent a standardised input."""
    return np.full(len(tree.features), DEFAULT_RANGE) if tree.input_range is None else tree.input_range


def _largest_sum(nodes: Nodes, numbers: Integers) -> int:
    """The largest |sum| that any output node can have."""
    ends = np.maximum(np.abs(numbers.low), np.abs(numbers.high)) * np.abs(numbers.weight)
    parent = parents(nodes["depth"])
    below = np.flatnonzero(parent >= 0)
    sums = np.abs(numbers.bias) + np.bincount(parent[below], ends[below], len(nodes)).astype(np.int64)
    return int(sums[nodes["depth"] == 0].max())
