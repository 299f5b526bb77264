"""The rules for a legal tree, and the check that names the first node that breaks one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuraltree.activations import NAMES, code_of
from neuraltree.tree.nodes import Nodes, arities


class TreeError(ValueError):
    """A tree breaks a rule of its space; the message names the node."""


@dataclass(frozen=True)
class Space:
    """The limits of a legal tree. ``max_nodes`` counts every node, outputs and leaves included."""

    n_features: int
    n_outputs: int = 1
    activations: tuple[str, ...] = ("sigmoid", "tanh", "gaussian", "relu")
    output_activation: str = "identity"
    max_nodes: int = 60
    max_depth: int = 5
    max_arity: int = 5
    min_arity: int = 1

    @cached_property
    def codes(self) -> tuple[int, ...]:
        """The activation codes that a hidden node may have, without repeats."""
        return tuple(sorted({code_of(name) for name in self.activations}))

    @property
    def output_code(self) -> int:
        return code_of(self.output_activation)


def check(nodes: Nodes, space: Space) -> None:
    """Raise ``TreeError`` naming the first node that breaks a rule of ``space``."""
    depth, op = nodes["depth"], nodes["op"]
    if len(nodes) == 0:
        raise TreeError("the tree has no nodes; it needs an output node at depth 0")
    if len(nodes) > space.max_nodes:
        raise TreeError(f"the tree has {len(nodes)} nodes; at most {space.max_nodes} are allowed")
    astray = (np.diff(depth, prepend=np.int16(-1)) > 1) | (depth < 0)
    if depth[0] != 0 or astray.any():
        bad = 0 if depth[0] != 0 else int(np.argmax(astray))
        raise TreeError(f"node {bad} has depth {depth[bad]}; prefix order starts at 0 and goes down one at a time")
    outputs = int(np.count_nonzero(depth == 0))
    if outputs != space.n_outputs:
        raise TreeError(f"the tree has {outputs} output nodes; the task needs {space.n_outputs}")
    inner, leaf, top = op < 0, op >= 0, depth == 0
    finite = np.isfinite(nodes["weight"]).all(axis=1) & np.isfinite(nodes["bias"]).all(axis=1)
    arity = arities(depth)
    rules = (
        (depth > space.max_depth, f"is deeper than max_depth = {space.max_depth}"),
        (leaf & (op >= space.n_features), f"reads a feature beyond the {space.n_features} allowed"),
        (top & leaf, "is an output but reads a feature; outputs are function nodes"),
        (top & inner & (~op != space.output_code), f"is an output; its activation must be {space.output_activation}"),
        (
            ~top & inner & ~np.isin(~op, space.codes),
            f"has an activation outside the space: {', '.join(space.activations)}",
        ),
        (leaf & (arity > 0), "is a leaf with children"),
        (inner & (arity > space.max_arity), f"has more children than max_arity = {space.max_arity}"),
        (inner & (arity < space.min_arity), f"has fewer than {space.min_arity} children"),
        (~finite, "has a weight or bias that is not finite"),
    )
    for broken, text in rules:
        if broken.any():
            node = int(np.argmax(broken))
            raise TreeError(f"node {node} ({describe(nodes, node)}) {text}")


def describe(nodes: Nodes, index: int) -> str:
    """A node in words, for messages: ``x3 at depth 2`` or ``tanh at depth 1``."""
    op, depth = int(nodes["op"][index]), int(nodes["depth"][index])
    name = f"x{op}" if op >= 0 else NAMES[~op] if ~op < len(NAMES) else f"activation {~op}"
    return f"{name} at depth {depth}"
