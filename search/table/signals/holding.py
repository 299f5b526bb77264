"""Models that decide less often than others: a decision holds until the next, at every row until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.tree.nodes import IntArray


def fronts_of(front: FrontEnd, hops: Sequence[int]) -> tuple[FrontEnd, ...]:
    """The front end with each hop."""
    return tuple(replace(front, hop=hop) for hop in hops)


def holders(moments: IntArray, hops: Sequence[int]) -> IntArray:
    """(hops, rows) for each hop the row whose decision holds at each row: the last one of the recording at a multiple
    of the hop. Decisions without a label are no rows, so an earlier one can stand for such a decision; before the first
    one a row has its own.

    ``moments`` (rows, 2): the recording of each row, and the samples of it that are there by then.
    """
    order = np.lexsort(moments.T[::-1])
    found = np.empty((len(hops), len(moments)), dtype=np.int64)
    for own, hop in zip(found, hops, strict=True):
        recording, last = -1, -1
        for row in order.tolist():
            if moments[row, 0] != recording:
                recording, last = moments[row, 0], -1
            last = row if moments[row, 1] % hop == 0 else last
            own[row] = row if last < 0 else last
    return found


def positions_of(held: IntArray, rows: IntArray) -> IntArray:
    """(hops, rows) the same for some rows of the table, as positions among them: all or none of a recording's."""
    positions = np.full(held.shape[1], -1)
    positions[rows] = np.arange(len(rows))
    return positions[held[:, rows]]
