"""Models of the reference programs (BNeuralT and MONT, ``*_model.json``) as trees.

A node is ``{"name": "f:<children>; e:<edge>; b:<bias>; p:[<a>, <b>, <activation>]", "children": [...]}`` or
the leaf ``{"name": " i:<input>; e:<edge>"}``. The programs compute a sigmoid whatever the activation says, and
never use a and b; the tree read here does the same. A classifier's root computes nothing: its children, all function
nodes, are the outputs, and its edge and bias are the dummies -1.0 and 1.0. Any other root is a regression.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from neuraltree.activations import code_of
from neuraltree.tree.labels import Label
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import TreeError
from neuraltree.tree.tree import Tree

NUMBER = r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
FUNCTION = re.compile(rf"\s*f:([0-9]{{1,9}}); e:{NUMBER}; b:{NUMBER}; p:\[{NUMBER}, {NUMBER}, \w+\]\s*")
LEAF = re.compile(rf"\s*i:([0-9]{{1,9}}); e:{NUMBER}\s*")

MAX_FEATURES = 1_000_000  # a larger input index means a damaged file, and every input needs memory for a name
SIGMOID = ~code_of("sigmoid")
DUMMY = (-1.0, 1.0)  # edge and bias of a classifier's root


class _Node(NamedTuple):
    """One row of the later node record."""

    depth: int
    op: int
    weight: float
    bias: float


def read_tree(
    root: dict[str, Any],
    scaler: Scaler | None = None,
    target_scaler: Scaler | None = None,
    classes: Sequence[Label] | None = None,
) -> Tree:
    """The tree of a decoded model file; classes without names are 0, 1, ...; ``TreeError`` if it is not a tree."""
    rows = _prefix_order(root)
    leaves = [row.op for row in rows if row.op >= 0]
    width = max(leaves, default=0) + 1 if scaler is None else np.size(scaler.mean)
    features = tuple(f"x{i}" for i in range(width))
    second = [row for row in rows if row.depth == 1]
    if rows[0][2:] != DUMMY or any(row.op >= 0 for row in second):
        if classes is not None:
            raise TreeError("the tree is a regression: its root is a function node; it takes no classes")
        return Tree(_record(rows), "regression", features, None, scaler, target_scaler)
    outputs = _record([row._replace(depth=row.depth - 1) for row in rows[1:]])
    names = tuple(range(len(second))) if classes is None else tuple(classes)
    return Tree(outputs, "multiclass", features, names, scaler, target_scaler)


def _record(rows: list[_Node]) -> np.ndarray:
    """The node record. An output has no edge above it, so the unused edge weight in the file is dropped."""
    return np.array([row if row.depth else row._replace(weight=0.0) for row in rows], dtype=node_dtype())


def _prefix_order(root: dict[str, Any]) -> list[_Node]:
    rows: list[_Node] = []
    waiting: list[tuple[int, Any]] = [(0, root)]
    while waiting:
        depth, item = waiting.pop()
        node, children = _parse(depth, item)
        rows.append(node)
        waiting.extend((depth + 1, child) for child in reversed(children))
    return rows


def _parse(depth: int, item: Any) -> tuple[_Node, list[Any]]:
    """A node and its children, not yet parsed."""
    name, children = (item.get("name"), item.get("children", [])) if isinstance(item, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(children, list) or not item.keys() <= {"name", "children"}:
        raise TreeError(f"a node at depth {depth} is not an object with a name and a list of children")
    if found := FUNCTION.fullmatch(name):
        count, edge, bias = int(found[1]), float(found[2]), float(found[3])
        if count != len(children):
            raise TreeError(f"{name!r} at depth {depth} says {count} children and has {len(children)}")
        return _Node(depth, SIGMOID, edge, bias), children
    if found := LEAF.fullmatch(name):
        index = int(found[1])
        if index >= MAX_FEATURES:
            raise TreeError(f"{name!r} at depth {depth} reads an input beyond the {MAX_FEATURES} allowed")
        if children:
            raise TreeError(f"{name!r} at depth {depth} is a leaf with children")
        return _Node(depth, index, float(found[2]), 0.0), children
    raise TreeError(f"{name[:80]!r} at depth {depth} is neither 'f:n; e:w; b:w; p:[a, b, name]' nor 'i:n; e:w'")
