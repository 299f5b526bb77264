"""The nodes of a tree over raw inputs with few digits, for people to read."""

from __future__ import annotations

from math import floor, log10

import numpy as np

from neuraltree.tree.folding import fold_target
from neuraltree.tree.nodes import Nodes, parents
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.simplify import simplify
from neuraltree.tree.tree import Tree

MOST_DIGITS = 17  # a double has no more


def rounded(tree: Tree, digits: int) -> Nodes:
    """The nodes of ``tree.folded()``, simplified, each weight rounded to ``digits`` significant digits.

    A constant is computed anew from the rounded weights, so that a rounded weight times a mean far from 0 does not
    shift a sum. It is rounded to the place of the last digit of the largest weight of its sum, in standardised units.
    """
    nodes = simplify(tree.nodes if tree.target_scaler is None else fold_target(tree.nodes, tree.target_scaler))
    scaler = tree.scaler or Scaler(np.zeros(len(tree.features)), np.ones(len(tree.features)))
    op, parent = nodes["op"], parents(nodes["depth"])
    weight, bias = nodes["weight"][:, 0], nodes["bias"][:, 0]  # views
    largest = np.zeros(len(nodes))
    below = np.flatnonzero(parent >= 0)
    np.maximum.at(largest, parent[below], np.abs(weight[below]))
    leaf = np.flatnonzero(op >= 0)
    weight[leaf] /= scaler.scale[op[leaf]]
    weight[:] = [significant(value, digits) for value in weight.tolist()]
    np.subtract.at(bias, parent[leaf], weight[leaf] * scaler.mean[op[leaf]])
    units = np.where(largest > 0, largest, np.abs(bias))
    bias[:] = [beside(value, unit, digits) for value, unit in zip(bias.tolist(), units.tolist(), strict=True)]
    return nodes


def significant(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def beside(value: float, unit: float, digits: int) -> float:
    """The value rounded to the place of the last of ``digits`` significant digits of ``unit``."""
    if unit == 0 or not np.isfinite([value, unit]).all():
        return value
    return round(value, digits - 1 - floor(log10(unit)))
