"""The order in which code evaluates a tree: every node after its children, the heaviest subtree first.

A finished child is added to its parent's sum at once, so only the sums that are begun but not finished are live; the
heaviest-first order keeps the fewest of them live (Sethi and Ullman 1970).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuraltree.tree.nodes import Nodes, parents


@dataclass(frozen=True)
class Step:
    """One function node. ``node``, ``leaves``: positions in the record. Sums that children began wait in a stack of
    numbered slots: the node's own sum in ``own``, its parent's sum in ``slot`` (-1 for an output)."""

    node: int
    code: int
    leaves: tuple[int, ...]
    opened: bool  # a child began this node's sum
    own: int
    first: bool  # this node begins its parent's sum
    slot: int


def steps(nodes: Nodes) -> list[Step]:
    """The function nodes in order of evaluation; outputs keep their order."""
    depth, op = nodes["depth"].astype(np.int64), nodes["op"].astype(np.int64)
    below: list[list[int]] = [[] for _ in nodes]
    need = (op < 0).astype(int).tolist()
    for i, up in reversed(list(enumerate(parents(depth).tolist()))):
        # Children have higher positions than their parent, so those of i are complete here.
        below[i].sort(key=lambda child: (-need[child], child))
        needs = [need[child] for child in below[i] if op[child] < 0]
        if needs:
            need[i] = max(needs[0], needs[1] + 1 if len(needs) > 1 else 1)
        if up >= 0:
            below[up].append(i)
    found: list[Step] = []
    for output in np.flatnonzero(depth == 0).tolist():
        _visit(output, op.tolist(), below, found)
    return found


def _visit(root: int, op: list[int], below: list[list[int]], found: list[Step]) -> None:
    """Append the steps of an output and all nodes below it.

    The function keeps an explicit stack, as a tree can be deeper than Python's recursion limit.
    """
    waiting = [(root, 0, -1, False, False)]
    while waiting:
        node, own, slot, first, done = waiting.pop()
        inner = [child for child in below[node] if op[child] < 0]
        if done or not inner:
            leaves = tuple(sorted(child for child in below[node] if op[child] >= 0))
            found.append(Step(node, ~op[node], leaves, bool(inner), own, first, slot))
            continue
        waiting.append((node, own, slot, first, True))
        # The first child is finished before this node's sum is begun, so the child may use the slot for its own sum.
        children = [(child, own + (place > 0), own, place == 0, False) for place, child in enumerate(inner)]
        waiting += children[::-1]


def slots(order: list[Step]) -> int:
    """The largest number of sums that wait at one time."""
    return 1 + max((step.own for step in order if step.opened), default=-1)
