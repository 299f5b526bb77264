"""The sums of many trees' outputs in integers, fast enough for the loop of a search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integers import Integers
from neuraltree.compress.int8.lookup_tables import HIGH, KINDS, LOW, values
from neuraltree.compress.int8.straight_through import levels, sums_of
from neuraltree.engine.forest import Indices
from neuraltree.engine.kernel.binding import Integers as Job
from neuraltree.engine.kernel.binding import Kernel, address
from neuraltree.engine.lowering import kernel_in_use
from neuraltree.engine.training import NEVER
from neuraltree.tree.nodes import Nodes

_KINDS = np.array([LOW, HIGH, [kind.repeats for kind in KINDS]]).astype(np.int32)
_TABLES = np.stack([values(code, np.arange(-128, 128)) for code in range(len(KINDS))]).astype(np.int8)


def output_sums(nodes: Nodes, numbers: Integers, codes: NDArray[np.int8], stop: Indices = NEVER) -> FloatArray:
    """(outputs of all trees, rows) the real numbers that the sums of the output nodes stand for.

    ``numbers``: the integers of the trees laid end to end; ``codes`` (features, rows): quantised inputs. The result is
    unfinished if ``stop[0]`` becomes 1.
    """
    top, kernel = np.flatnonzero(nodes["depth"] == 0), kernel_in_use()
    if not isinstance(kernel, Kernel):
        return sums_of(levels(nodes), nodes, numbers, codes)[top] * numbers.unit[top, None]
    found = np.empty((len(top), codes.shape[1]), np.int32)
    parts = (
        nodes["depth"],
        nodes["op"],
        numbers.weight * numbers.keep,
        numbers.bias,
        numbers.multiplier,
        numbers.shift,
    )
    arrays = [np.ascontiguousarray(part, np.int32) for part in parts]
    codes = np.ascontiguousarray(codes)
    job = Job(len(nodes), int(nodes["depth"].max(initial=0)) + 1, len(codes), len(top), len(KINDS), codes.shape[1])
    job.depth, job.op, job.weight, job.bias, job.multiplier, job.shift = (
        address(array, np.int32, len(nodes)) for array in arrays
    )
    job.low, job.high, job.repeats = (address(row, np.int32, len(KINDS)) for row in _KINDS)
    job.table, job.codes = address(_TABLES, np.int8, len(KINDS), 256), address(codes, np.int8, *codes.shape)
    job.found, job.stop = address(found, np.int32, *found.shape), address(stop, np.int32, 1)
    kernel.integers(job)
    return found * numbers.unit[top, None]
