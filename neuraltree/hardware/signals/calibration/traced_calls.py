"""The calls of a push: which functions were called, and how many cycles each took with all that it called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from neuraltree.hardware.measure.emulator import SIZE_BITS
from neuraltree.hardware.signals.pushed import Traced


class TracedCall(NamedTuple):
    """``function`` called by the function of ``caller``; ``cycles``: with all that it called."""

    function: str
    caller: str
    cycles: float


def calls_of(trace: Traced, symbols: Mapping[str, tuple[int, int]]) -> list[TracedCall]:
    """The calls of a push in the order in which they began, ``symbols`` being functions by name.

    A call ends where the code after it goes on; one that replaces its caller ends with it. No function calls itself.
    """
    starts = (trace.blocks >> np.uint64(SIZE_BITS)).astype(np.int64)
    ends = starts + (trace.blocks & np.uint64(2**SIZE_BITS - 1)).astype(np.int64)
    total = np.concatenate([[0.0], np.cumsum(trace.cycles)])
    by_start = {address & ~1: name for name, (address, size) in symbols.items() if size}
    entered = np.flatnonzero(np.isin(starts, list(by_start)))
    places: dict[int, list[int]] = {}
    for i in np.flatnonzero(np.isin(starts, ends[np.maximum(entered - 1, 0)])).tolist():
        places.setdefault(int(starts[i]), []).append(i)
    open_: list[tuple[str, int, int]] = []  # name, first entry, last (exclusive)
    found = []
    for i in entered.tolist():
        name = by_start[int(starts[i])]
        while open_ and open_[-1][2] <= i:
            open_.pop()
        if i and open_ and open_[-1][0] == name:  # a loop whose first block is that of the function
            continue
        limit = open_[-1][2] if open_ else len(starts)
        back = places.get(int(ends[i - 1]), []) if i else []
        last = next((j for j in back[np.searchsorted(back, i) :] if j > i), limit) if back else limit
        last = min(last, limit)
        found.append(TracedCall(name, open_[-1][0] if open_ else "", float(total[last] - total[i])))
        open_.append((name, i, last))
    return found
