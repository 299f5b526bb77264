"""After which terms to look whether the class is certain: often enough to stop early, and no oftener."""

from __future__ import annotations

import numpy as np

from neuraltree.tree.nodes import IntArray


def checkpoints(decided: IntArray, costs: IntArray, check: int) -> tuple[int, ...]:
    """The numbers of terms after which a check costs least in all, by dynamic programming from the end.

    ``decided`` (rows,): after how many terms each row is certain. ``costs`` (terms + 1,): instructions of the first
    terms. ``check``: instructions of a check. After all terms there is none. A row that is certain stays certain, so
    those still running after a check at ``n`` are those with ``decided > n``.
    """
    count = len(costs) - 1
    running = np.concatenate([[len(decided)], [int((decided > n).sum()) for n in range(count)]])
    # best[n + 1]: the least cost of all rows from a check after n terms on; best[0]: from the start.
    best, following = np.zeros(count + 2), np.full(count + 2, count)
    paid = np.append(np.full(count, check), 0)
    for n in range(count - 1, -2, -1):
        ends = np.arange(n + 1, count + 1)
        total = running[n + 1] * (costs[ends] - costs[max(n, 0)] + paid[ends]) + best[ends + 1]
        least = int(total.argmin())
        best[n + 1], following[n + 1] = total[least], ends[least]
    found, n = list[int](), int(following[0])
    while n < count:
        found.append(n)
        n = int(following[n + 1])
    return tuple(found)
