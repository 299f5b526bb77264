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
    """(hops, rows) for each hop the row whose decision holds at each row: the last one of the recording that is at a
    multiple of the hop. A row holds its own if that one is none of the table, for want of a label.

    ``moments`` (rows, 2): the recording of each row, and the samples of it that are there by then.
    """
    places = {(recording, end): row for row, (recording, end) in enumerate(moments.tolist())}
    return np.array(
        [
            [places.get((recording, end // hop * hop), row) for row, (recording, end) in enumerate(moments.tolist())]
            for hop in hops
        ]
    )


def positions_of(held: IntArray, rows: IntArray) -> IntArray:
    """(hops, rows) the same for some rows of the table, as positions among them: all or none of a recording's."""
    positions = np.full(held.shape[1], -1)
    positions[rows] = np.arange(len(rows))
    return positions[held[:, rows]]
