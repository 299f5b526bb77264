"""The order in which code evaluates a tree: every node after its children, the heaviest subtree first.

A finished child is added to its parent's sum at once, so what is alive are the sums begun but not finished; the
heaviest-first order keeps the fewest of them (Sethi and Ullman 1970).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuraltree.tree.nodes import Nodes, parents


@dataclass(frozen=True)
class Step:
    """One function node. ``node``, ``leaves``: positions in the record. Sums that children began wait in numbered
    slots, a stack: its own in ``own``, its parent's in ``slot`` (-1 for an output)."""

    node: int
    code: int
    leaves: tuple[int, ...]
    opened: bool  # a child began its sum
    own: int
    first: bool  # it begins its parent's sum
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
    """Append the steps of an output and all below it. With a stack of its own: a chain can be deeper than Python's."""
    waiting = [(root, 0, -1, False, False)]
    while waiting:
        node, own, slot, first, done = waiting.pop()
        inner = [child for child in below[node] if op[child] < 0]
        if done or not inner:
            leaves = tuple(sorted(child for child in below[node] if op[child] >= 0))
            found.append(Step(node, ~op[node], leaves, bool(inner), own, first, slot))
            continue
        waiting.append((node, own, slot, first, True))
        # The first child comes before the sum is begun, so the slot is still free for its own.
        children = [(child, own + (place > 0), own, place == 0, False) for place, child in enumerate(inner)]
        waiting += children[::-1]


def slots(order: list[Step]) -> int:
    """How many sums wait at once at most."""
    return 1 + max((step.own for step in order if step.opened), default=-1)
