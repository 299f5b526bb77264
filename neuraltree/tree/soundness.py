"""The checks of a ``Tree``: its names, classes, scalers and nodes must fit together."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations import NAMES
from neuraltree.inputs.encoding import feature_names
from neuraltree.tasks.links import LINKS
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space, TreeError, check

if TYPE_CHECKING:
    from neuraltree.tree.labels import Label
    from neuraltree.tree.tree import Tree

MAX_DEPTH = int(np.iinfo(np.int16).max) - 1  # folding a target scaler may need one level more

DEFAULT_THRESHOLD = 0.5  # the more probable class is predicted
COVERAGE = 0.9  # the share of new rows whose target lies in the interval or label set that ``Tree.band`` gives

# The output activations that each kind of tree may have.
KINDS: dict[str, tuple[str, ...]] = {"regression": NAMES, "binary": ("identity",), "multiclass": tuple(LINKS)}


def plain(label: Label | np.generic) -> Label:
    return label.item() if isinstance(label, np.generic) else label


def columns(scaler: Scaler | None, width: int, name: str) -> Scaler | None:
    """The scaler as arrays of ``width`` finite means and positive scales; else ``TreeError``."""
    if scaler is None:
        return None
    mean, scale = (np.atleast_1d(np.array(part, dtype=np.float64)) for part in (scaler.mean, scaler.scale))
    if mean.shape != (width,) or scale.shape != (width,):
        raise TreeError(f"{name} has mean {mean.shape} and scale {scale.shape}; both must be ({width},)")
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise TreeError(f"{name} needs finite means and finite scales above 0")
    mean.setflags(write=False)
    scale.setflags(write=False)
    return Scaler(mean, scale)


def positive(values: ArrayLike | None, width: int) -> NDArray[np.float64] | None:
    if values is None:
        return None
    array = np.array(values, dtype=np.float64)
    if array.shape != (width,) or not (np.isfinite(array).all() and (array > 0).all()):
        raise TreeError(f"input_range must be {width} finite numbers above 0, one per feature")
    array.setflags(write=False)
    return array


def finite(values: ArrayLike | None, width: int) -> NDArray[np.float64] | None:
    if values is None:
        return None
    array = np.array(values, dtype=np.float64)
    if array.shape != (width,) or not np.isfinite(array).all():
        raise TreeError(f"input_middle must be {width} finite numbers, one per feature")
    array.setflags(write=False)
    return array


def check_share(int8_loss: float | None) -> None:
    if int8_loss is not None and not 0 <= int8_loss <= 1:
        raise TreeError(f"int8_loss is {int8_loss!r}; it must be a share from 0 to 1, or None")


def check_threshold(threshold: float, kind: str) -> None:
    if not 0 < threshold < 1:
        raise TreeError(f"threshold is {threshold!r}; it must be a probability above 0 and below 1")
    if kind != "binary" and threshold != DEFAULT_THRESHOLD:
        raise TreeError(
            f"a {kind} tree has no threshold, and this one has {threshold!r}; only a binary tree compares the "
            f"probability of its second class with one, so leave it at {DEFAULT_THRESHOLD}"
        )


def check_band(band: float | None, kind: str, outputs: int) -> None:
    if band is None:
        return
    if kind == "regression" and outputs > 1:
        raise TreeError(f"a tree of {outputs} targets has no band, and this one has {band!r}; leave it at None")
    if kind == "regression" and not 0 <= band < inf:
        raise TreeError(f"band is {band!r}; for a target it must be a finite half-width, 0 or more, or None")
    if kind != "regression" and not 0 <= band <= 1:
        raise TreeError(f"band is {band!r}; for classes it must be a probability from 0 to 1, or None")


def check_names(tree: Tree) -> None:
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


def check_inputs(tree: Tree) -> None:
    """``TreeError`` unless the features are those of the columns, if there are any."""
    if tree.columns is None:
        return
    names = [column.name for column in tree.columns]
    if len(set(names)) < len(names):
        raise TreeError("column names must differ")
    try:
        for column in tree.columns:
            column.check()
    except ValueError as error:
        raise TreeError(str(error)) from None
    if (made := feature_names(tree.columns)) != tree.features:
        raise TreeError(f"the columns make the features {', '.join(made)}; the tree has {', '.join(tree.features)}")


def check_nodes(nodes: Nodes, kind: str, n_features: int, n_classes: int) -> None:
    if nodes.dtype != node_dtype(1):
        raise TreeError(f"a tree needs the node record of one fold, got {nodes.dtype}")
    targets = max(1, int(np.count_nonzero(nodes["depth"] == 0)))
    n_outputs = {"regression": targets, "multiclass": n_classes}.get(kind, 1)
    first = ~int(nodes["op"][0]) if len(nodes) else 0
    output = NAMES[first] if 0 <= first < len(NAMES) else NAMES[0]
    limits = {"max_nodes": len(nodes), "max_depth": MAX_DEPTH, "max_arity": len(nodes)}
    check(nodes, Space(n_features, n_outputs, NAMES, output, **limits))
    if output not in KINDS[kind]:
        raise TreeError(f"a {kind} tree has {' or '.join(KINDS[kind])} outputs, not {output}")


def refuse_several_targets(kind: str, outputs: int, what: str) -> None:
    """``ValueError`` if a regression tree has several targets and ``what`` takes only one."""
    if kind == "regression" and outputs > 1:
        raise ValueError(f"{what} takes one target; this tree has {outputs}, so use tree.target(i), one at a time")
