"""A finished tree: nodes, what goes in and what comes out, and its forward pass in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations import ACTIVATIONS, NAMES
from neuraltree.folding import fold_inputs, fold_target
from neuraltree.scaler import Scaler
from neuraltree.tree import Nodes, Space, TreeError, check, count_weights, node_dtype

if TYPE_CHECKING:
    from neuraltree.estimators import NeuralTreeClassifier, NeuralTreeRegressor

Array = NDArray[np.float64]
Label = str | int | float

MAX_DEPTH = int(np.iinfo(np.int16).max) - 1  # folding a target scaler may need one level more


def evaluate(nodes: Nodes, X: ArrayLike, fold: int = 0) -> Array:
    """The values of the output nodes, (rows, outputs), for inputs ``X`` (rows, features), in double precision.

    In reverse prefix order a node comes after all its children, and no other node of its children's depth
    comes between: one running sum per depth is all the memory the pass needs.
    """
    columns = np.ascontiguousarray(np.asarray(X, dtype=np.float64).T)
    nothing = np.zeros(columns.shape[1])
    weight, bias = nodes["weight"][:, fold], nodes["bias"][:, fold]
    sums: dict[int, Array] = {}
    outputs = []
    for i in range(len(nodes) - 1, -1, -1):
        depth, op = int(nodes["depth"][i]), int(nodes["op"][i])
        value = columns[op] if op >= 0 else ACTIVATIONS[~op].value(sums.pop(depth + 1, nothing) + bias[i])
        if depth == 0:
            outputs.append(value)
        else:
            sums[depth] = sums.get(depth, nothing) + weight[i] * value
    return np.stack(outputs[::-1], axis=1)


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _normalise(shares: Array) -> Array:
    total = shares.sum(axis=1, keepdims=True)
    even = np.full_like(shares, 1 / shares.shape[1])
    return np.divide(shares, total, out=even, where=total > 0)


# From the outputs of a classifier, one column per class, to probabilities: by output activation.
LINKS: dict[str, Callable[[Array], Array]] = {"identity": _softmax, "sigmoid": _normalise}

# The output activations that each kind of tree may have.
KINDS: dict[str, tuple[str, ...]] = {"regression": NAMES, "binary": ("identity",), "multiclass": tuple(LINKS)}


@dataclass(frozen=True, eq=False)
class Tree:
    """A tree with its names and scalers: all that is needed to predict from raw inputs.

    ``nodes`` is a record of one fold. ``kind`` is "regression" (one output), "binary" (one logit) or
    "multiclass" (one output per class: logits, or sigmoids as in the reference). ``scaler`` belongs to the
    inputs, ``target_scaler`` to a regression target; without one, inputs or predictions are in scaled units.
    ``input_range`` (features,) is the largest |scaled input| that 8-bit code represents; without one it is 4.
    Raises ``TreeError`` where these do not fit together. Equal means equal bit for bit.
    """

    nodes: Nodes
    kind: str
    features: tuple[str, ...]
    classes: tuple[Label, ...] | None = None
    scaler: Scaler | None = None
    target_scaler: Scaler | None = None
    input_range: Array | None = None

    def __post_init__(self) -> None:
        settle = object.__setattr__  # the class is frozen for everybody else
        settle(self, "features", tuple(self.features))
        settle(self, "classes", None if self.classes is None else tuple(map(_plain, self.classes)))
        settle(self, "scaler", _columns(self.scaler, len(self.features), "scaler"))
        settle(self, "target_scaler", _columns(self.target_scaler, 1, "target_scaler"))
        settle(self, "input_range", _positive(self.input_range, len(self.features)))
        settle(self, "nodes", self.nodes.copy())
        self.nodes.setflags(write=False)
        _check_names(self)
        _check_nodes(self)

    def _bits(self) -> tuple:
        pairs = [
            None if s is None else (s.mean.tobytes(), s.scale.tobytes()) for s in (self.scaler, self.target_scaler)
        ]
        reach = None if self.input_range is None else self.input_range.tobytes()
        return self.nodes.tobytes(), self.kind, self.features, repr(self.classes), *pairs, reach

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self._bits() == other._bits()

    def __hash__(self) -> int:
        return hash(self._bits())

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
        """Edges on the longest path from an output down."""
        return int(self.nodes["depth"].max())

    @property
    def output_activation(self) -> str:
        return NAMES[~int(self.nodes["op"][0])]

    def outputs(self, X: ArrayLike) -> Array:
        """(rows, outputs) for raw inputs (rows, features): the target in its own units, or logits or sigmoids."""
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.features):
            raise ValueError(f"X has shape {X.shape}; the tree needs (rows, {len(self.features)})")
        values = evaluate(self.nodes, X if self.scaler is None else self.scaler.transform(X))
        return values if self.target_scaler is None else self.target_scaler.inverse(values)

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) target values or class labels; the first of equal outputs wins."""
        if self.classes is None:
            return self.outputs(X)[:, 0]
        return np.array(self.classes)[self._class_outputs(X).argmax(axis=1)]

    def predict_proba(self, X: ArrayLike) -> Array:
        """(rows, classes) probabilities in the order of ``classes``."""
        if self.classes is None:
            raise ValueError("a regression tree has no class probabilities; use predict")
        return LINKS[self.output_activation](self._class_outputs(X))

    def _class_outputs(self, X: ArrayLike) -> Array:
        """One column per class: a single logit z is the pair (0, z)."""
        values = self.outputs(X)
        return values if self.num_outputs > 1 else np.hstack([np.zeros_like(values), values])

    def folded(self) -> Nodes:
        """The same function as nodes that take raw inputs and give the target in its own units."""
        nodes = self.nodes.copy() if self.scaler is None else fold_inputs(self.nodes, self.scaler)
        return nodes if self.target_scaler is None else fold_target(nodes, self.target_scaler)

    def estimator(self) -> NeuralTreeRegressor | NeuralTreeClassifier:
        """This tree as a fitted scikit-learn estimator."""
        from neuraltree import estimators  # sklearn is slow to import and a tree does not need it

        made = estimators.NeuralTreeRegressor if self.classes is None else estimators.NeuralTreeClassifier
        return made.from_tree(self)


def _plain(label: Label | np.generic) -> Label:
    return label.item() if isinstance(label, np.generic) else label


def _columns(scaler: Scaler | None, width: int, name: str) -> Scaler | None:
    """The scaler with one finite mean and one positive scale for each of ``width`` columns, or ``TreeError``."""
    if scaler is None:
        return None
    mean, scale = (np.atleast_1d(np.array(part, dtype=np.float64)) for part in (scaler.mean, scaler.scale))
    if mean.shape != (width,) or scale.shape != (width,):
        raise TreeError(f"{name} has mean {mean.shape} and scale {scale.shape}; both must be ({width},)")
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise TreeError(f"{name} needs finite means and finite scales above 0")
    return Scaler(mean, scale)


def _positive(values: ArrayLike | None, width: int) -> Array | None:
    if values is None:
        return None
    array = np.array(values, dtype=np.float64)
    if array.shape != (width,) or not (np.isfinite(array).all() and (array > 0).all()):
        raise TreeError(f"input_range must be {width} finite numbers above 0, one per feature")
    array.setflags(write=False)
    return array


def _check_names(tree: Tree) -> None:
    labels = tree.classes or ()
    types = {type(label) for label in labels}
    rules = (
        (tree.kind not in KINDS, f"unknown kind {tree.kind!r}; allowed: {', '.join(KINDS)}"),
        (not all(isinstance(name, str) for name in tree.features), "feature names must be strings"),
        (len(set(tree.features)) < len(tree.features), "feature names must differ"),
        ((tree.kind == "regression") != (tree.classes is None), "a classifier needs classes, a regression has none"),
        (tree.kind == "binary" and len(labels) != 2, f"a binary tree has 2 classes, not {len(labels)}"),
        (
            tree.kind == "multiclass" and len(labels) < 2,
            f"a multiclass tree needs 2 classes or more, not {len(labels)}",
        ),
        (len(types) > 1 or not types <= {str, int, float, bool}, "class labels must be all text or all numbers alike"),
        (any(isinstance(c, float) and not isfinite(c) for c in labels), "class labels must be finite"),
        (len(set(map(repr, labels))) < len(labels), "class labels must differ"),
        (tree.kind != "regression" and tree.target_scaler is not None, "only a regression has a target_scaler"),
    )
    for broken, message in rules:
        if broken:
            raise TreeError(message)


def _check_nodes(tree: Tree) -> None:
    if tree.nodes.dtype != node_dtype(1):
        raise TreeError(f"a tree needs the node record of one fold, got {tree.nodes.dtype}")
    n_outputs = len(tree.classes or ()) if tree.kind == "multiclass" else 1
    first = ~int(tree.nodes["op"][0]) if len(tree.nodes) else 0
    output = NAMES[first] if 0 <= first < len(NAMES) else NAMES[0]
    limits = {"max_nodes": len(tree.nodes), "max_depth": MAX_DEPTH, "max_arity": len(tree.nodes)}
    check(tree.nodes, Space(len(tree.features), n_outputs, NAMES, output, **limits))
    if output not in KINDS[tree.kind]:
        raise TreeError(f"a {tree.kind} tree has {' or '.join(KINDS[tree.kind])} outputs, not {output}")
