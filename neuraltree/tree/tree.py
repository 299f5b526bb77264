"""A finished tree: its nodes with the names and scalers of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations import NAMES
from neuraltree.arrays import FloatArray
from neuraltree.inputs.encoders import Column, Number
from neuraltree.inputs.encoding import doubts, encode
from neuraltree.inputs.frames import is_frame, is_rows
from neuraltree.tasks.links import LINKS, class_codes, largest, logit_threshold, probabilities
from neuraltree.tree import prediction, soundness
from neuraltree.tree.folding import centres, far, fold_inputs, fold_target
from neuraltree.tree.labels import Label, label_array
from neuraltree.tree.nodes import Nodes, count_weights, subtree_end
from neuraltree.tree.scaler import Scaler

if TYPE_CHECKING:
    from neuraltree.estimators.classifier import NeuralTreeClassifier
    from neuraltree.estimators.regressor import NeuralTreeRegressor

Inputs = ArrayLike | Mapping[str, Any] | Sequence[Mapping[str, Any]]  # or a frame of pandas or polars


@dataclass(frozen=True, eq=False, repr=False)
class Tree:
    """A tree with its names and scalers: all that is needed to predict from raw inputs.

    ``nodes`` is a node record with one fold. ``kind`` is "regression" (one output per target), "binary" (one logit) or
    "multiclass" (one output per class: logits, or sigmoids as in the reference). ``scaler`` has one column per input,
    ``target_scaler`` one per target; without one, inputs or predictions are in scaled units.
    8-bit code represents scaled inputs in ``input_middle`` ± ``input_range``, both (features,); without them, 0 ± 4.
    ``int8_loss`` is the share of its score on training rows that the tree loses in 8-bit code, or None if unknown.
    A binary tree predicts its second class if the probability of that class is above ``threshold``. Probabilities do
    not depend on it, and it stays as it is when the tree is exported, compressed or trained further.
    ``band`` gives ``predict_interval`` and ``predict_set`` their 90 %: for a target the half-width of the interval, in
    the target's units; for classes the least probability of a class in the set. A search finds it by rows that the
    model was not fitted to. None: unknown, as for several targets, and after further training.
    ``columns`` are the columns of a table that the features come from, each with its encoder; then the tree predicts
    from frames, mappings and lists of rows too, by the names of the columns. None: the features are the columns.
    Raises ``TreeError`` if these do not fit together. Trees are equal if they are equal bit for bit.
    """

    nodes: Nodes
    kind: str
    features: tuple[str, ...]
    classes: tuple[Label, ...] | None = None
    scaler: Scaler | None = None
    target_scaler: Scaler | None = None
    input_range: FloatArray | None = None
    input_middle: FloatArray | None = None
    int8_loss: float | None = None
    threshold: float = soundness.DEFAULT_THRESHOLD
    columns: tuple[Column, ...] | None = None
    band: float | None = None

    def __post_init__(self) -> None:
        settle = object.__setattr__  # the dataclass is frozen after this
        settle(self, "features", tuple(self.features))
        settle(self, "classes", None if self.classes is None else tuple(map(soundness.plain, self.classes)))
        settle(self, "nodes", self.nodes.copy())
        width = len(self.features)
        soundness.check_names(self)
        soundness.check_nodes(self.nodes, self.kind, width, len(self.classes or ()))
        self.nodes["bias"][self.nodes["op"] >= 0] = 0.0  # training leaves zeros of either sign there
        self.nodes.setflags(write=False)
        settle(self, "scaler", soundness.columns(self.scaler, width, "scaler"))
        settle(self, "target_scaler", soundness.columns(self.target_scaler, self.num_outputs, "target_scaler"))
        settle(self, "input_range", soundness.positive(self.input_range, width))
        settle(self, "input_middle", soundness.finite(self.input_middle, width))
        soundness.check_share(self.int8_loss)
        soundness.check_threshold(self.threshold, self.kind)
        settle(self, "threshold", float(self.threshold))
        settle(self, "columns", None if self.columns is None else tuple(self.columns))
        soundness.check_inputs(self)
        soundness.check_band(self.band, self.kind, self.num_outputs)
        settle(self, "band", None if self.band is None else float(self.band))

    def _bits(self) -> tuple:
        pairs = [
            None if s is None else (s.mean.tobytes(), s.scale.tobytes()) for s in (self.scaler, self.target_scaler)
        ]
        ranges = [None if part is None else part.tobytes() for part in (self.input_range, self.input_middle)]
        names = self.kind, self.features, repr(self.classes), repr(self.columns)
        return self.nodes.tobytes(), *names, *pairs, *ranges, self.int8_loss, self.threshold, self.band

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self._bits() == other._bits()

    def __repr__(self) -> str:
        outputs = f", {self.num_outputs} outputs" * (self.num_outputs > 1)
        size = f"{self.num_weights} weights, {self.num_nodes} nodes, depth {self.depth}"
        return f"Tree({self.kind}: {len(self.features)} inputs{outputs}, {size})"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        # By its name when it is called: a tree imports no module that depends on it.
        shown: str = import_module("neuraltree.plot.tree_html").tree_html(self)
        return shown

    def __hash__(self) -> int:
        return hash(self._bits())

    def __reduce__(self) -> tuple:
        """Pickle and copy the fields only: the copy is made and checked anew, without cached values."""
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    @property
    def num_nodes(self) -> int:
        return len(self.nodes)

    @property
    def num_weights(self) -> int:
        return count_weights(self.nodes)

    @property
    def num_outputs(self) -> int:
        return int(np.count_nonzero(self.nodes["depth"] == 0))

    @property
    def depth(self) -> int:
        """The number of edges on the longest path from an output to a leaf."""
        return int(self.nodes["depth"].max())

    @property
    def output_activation(self) -> str:
        return NAMES[~int(self.nodes["op"][0])]

    @cached_property
    def logit_threshold(self) -> float:
        """The logit above which a binary tree predicts its second class; all exports compare with this single float."""
        return logit_threshold(self.threshold)

    @cached_property
    def _program(self) -> prediction.Program:
        return prediction.compile_nodes(self.nodes, self.scaler, self.target_scaler)

    @cached_property
    def _labels(self) -> NDArray:
        return label_array(self.classes or ())

    def outputs(self, X: Inputs) -> FloatArray:
        """(rows, outputs) for raw inputs: target values in their own units, logits or sigmoids.

        An array of numbers (rows, features) holds the features. A frame, a mapping of columns and a list of mappings
        have the columns of the table by name, or without ``columns`` the features.
        """
        return prediction.in_chunks(partial(prediction.outputs, self._program), self.feature_rows(X))

    def predict(self, X: Inputs) -> NDArray:
        """Class labels (rows,) or target values, (rows,) or (rows, targets), for raw inputs as in ``outputs``.

        If outputs are equal, the first class wins, and so it does at a probability of exactly ``threshold``.
        """
        if self.classes is not None:
            return prediction.in_chunks(self._labels_of, self.feature_rows(X))
        values = self.outputs(X)
        return values if values.shape[1] > 1 else values[:, 0]

    def predict_proba(self, X: Inputs) -> FloatArray:
        """(rows, classes) probabilities in the order of ``classes``, for raw inputs as in ``outputs``."""
        self._check_classes()
        return prediction.in_chunks(self._probabilities_of, self.feature_rows(X))

    def predict_interval(self, X: Inputs) -> FloatArray:
        """(rows, 2) the ends of intervals around ``predict(X)`` that hold the target of about 90 % of new rows.

        Raises ``ValueError`` for a tree that has classes, or no ``band``.
        """
        if self.classes is not None:
            raise ValueError(f"a {self.kind} tree has classes and no intervals; use predict_set")
        band = self._known_band()
        return self.outputs(X) + np.array([-band, band])

    def predict_set(self, X: Inputs) -> NDArray[np.bool_]:
        """(rows, classes) the classes in sets that hold the true class of about 90 % of new rows.

        A set has the classes whose probability is ``band`` or more, and in any case the most probable one.
        Raises ``ValueError`` for a regression tree, and for a tree that has no ``band``.
        """
        if self.classes is None:
            raise ValueError("a regression tree has no sets of classes; use predict_interval")
        band, shares = self._known_band(), self.predict_proba(X)
        return (shares >= band) | (np.arange(shares.shape[1]) == shares.argmax(axis=1)[:, None])

    def _known_band(self) -> float:
        if self.band is None:
            raise ValueError(
                "the tree has no band, so its 90 % intervals or sets are unknown; a search finds the band for one "
                "target or for classes, and further training loses it"
            )
        return self.band

    def predict_one(self, x: Sequence[float]) -> Label | tuple[float, ...]:
        """``predict`` for one row of plain numbers (features,), within microseconds. Only its length is checked.

        Returns a class label, the value of the target, or a tuple of values if there are several targets.
        """
        values = self._outputs_of_one(x, self.logit_threshold)
        if self.classes is not None:
            return self.classes[largest(values)]
        return values[0] if len(values) == 1 else tuple(values)

    def predict_proba_one(self, x: Sequence[float]) -> tuple[float, ...]:
        """``predict_proba`` for one row of plain numbers (features,), as fast as ``predict_one``."""
        self._check_classes()
        return LINKS[self.output_activation].row(self._outputs_of_one(x))

    def _check_classes(self) -> None:
        if self.classes is None:
            raise ValueError("a regression tree has no class probabilities; use predict")

    def feature_rows(self, X: Inputs) -> NDArray:
        """(rows, features) the raw features of ``X`` as in ``outputs``; a column that no node reads may have zeros."""
        if is_frame(X) or is_rows(X):
            return encode(self._columns, X, [column.name for column in self.columns_read])
        X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != len(self.features):
            raise ValueError(f"X has shape {X.shape}; the tree needs (rows, {len(self.features)})")
        X = X if X.dtype.kind in "fiub" else X.astype(np.float64)
        if self.columns and len(self.columns) == X.shape[1] and all(isinstance(c, Number) for c in self.columns):
            return encode(self.columns, X)  # the features are the columns, whose missing cells have a stand-in
        return X

    @property
    def _columns(self) -> tuple[Column, ...]:
        return self.columns or tuple(Number(name) for name in self.features)

    @cached_property
    def columns_read(self) -> tuple[Column, ...]:
        """The columns of which the tree reads a feature; without ``columns``, the features that it reads as numbers."""
        read = {self.features[feature] for feature in np.unique(self.nodes["op"][self.nodes["op"] >= 0])}
        return tuple(each for each in self._columns if not read.isdisjoint(f.name for f in each.features))

    def doubts(self, X: Inputs) -> list[str]:
        """(rows,) what a row has that no row to learn from had, in a column that the tree reads; "" if nothing.

        Such as a number outside the range of those seen, an unknown level, or a missing cell that nothing stands in
        for; ``X`` is a frame, a mapping or a list of mappings, as in ``outputs``. Without ``columns``, ranges are not
        known, and only what is no number is told.
        """
        return doubts(self.columns_read, X)

    def _labels_of(self, X: NDArray) -> NDArray:
        return self._labels[class_codes(prediction.outputs(self._program, X), self.logit_threshold)]

    def _probabilities_of(self, X: NDArray) -> FloatArray:
        return probabilities(self.output_activation, prediction.outputs(self._program, X))

    def _outputs_of_one(self, x: Sequence[float], first: float = 0.0) -> list[float]:
        """One output per target or class; a single logit z becomes the pair (``first``, z)."""
        if len(x) != len(self.features):
            raise ValueError(f"x has {len(x)} values; the tree needs {len(self.features)}")
        values = prediction.run_row(self._program, x, prediction.PLAIN)
        return [first, *values] if self.kind == "binary" else values

    def target(self, i: int) -> Tree:
        """The tree of target ``i`` alone, with the same predictions; ``ValueError`` if there is no such target."""
        if self.classes is not None:
            raise ValueError(
                f"a {self.kind} tree has classes and no targets; only a regression tree can be split by target"
            )
        if i not in range(self.num_outputs):
            raise ValueError(f"there is no target {i!r}; the tree's targets are 0 to {self.num_outputs - 1}")
        first = int(np.flatnonzero(self.nodes["depth"] == 0)[i])
        nodes, scaler = self.nodes[first : subtree_end(self.nodes["depth"], first)], self.target_scaler
        own = None if scaler is None else Scaler(scaler.mean[i : i + 1], scaler.scale[i : i + 1])
        return replace(self, nodes=nodes, target_scaler=own)

    def folded(self) -> Nodes:
        """Nodes of the same function with the scalers folded in: from raw inputs to targets in their own units."""
        nodes = self.nodes.copy() if self.scaler is None else fold_inputs(self.nodes, self.scaler)
        return nodes if self.target_scaler is None else fold_target(nodes, self.target_scaler)

    @property
    def far(self) -> NDArray[np.bool_]:
        """(features,) whether single-float code subtracts the mean of an input first; see ``folding.far``."""
        return far(self.scaler) if self.scaler else np.zeros(len(self.features), dtype=bool)

    def centred(self) -> tuple[Tree, FloatArray]:
        """The tree that single-float code computes, and the centres (features,) to subtract from its raw inputs.

        See ``folding.centres``.
        """
        if self.scaler is None:
            return self, np.zeros(len(self.features))
        taken = centres(self.scaler)
        with np.errstate(invalid="ignore"):
            return replace(self, scaler=Scaler(self.scaler.mean - taken, self.scaler.scale)), taken

    def estimator(self) -> NeuralTreeRegressor | NeuralTreeClassifier:
        """This tree as a fitted scikit-learn estimator."""
        import neuraltree  # from the top of the package: a tree imports no module that depends on it

        made = neuraltree.NeuralTreeRegressor if self.classes is None else neuraltree.NeuralTreeClassifier
        return made.from_tree(self)
