"""The sums of many trees in integers, by the kernel if there is one: fast enough for the loop of a search."""

from __future__ import annotations

from collections.abc import Mapping

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
from neuraltree.tree.nodes import IntArray, Nodes

FIELDS = ("depth", "op", "weight", "bias", "multiplier", "shift")
_KINDS = np.array([LOW, HIGH, [kind.repeats for kind in KINDS]]).astype(np.int32)
_TABLES = np.stack([values(code, np.arange(-128, 128)) for code in range(len(KINDS))]).astype(np.int8)


def kernel_sums(kernel: Kernel, nodes: Mapping[str, IntArray], codes: NDArray[np.int8], stop: Indices) -> IntArray:
    """(outputs of all trees, rows) the sums of the output nodes; ``nodes``: ``FIELDS`` of trees laid end to end,
    (nodes,) each; ``codes`` (features, rows): quantised inputs. Unfinished if ``stop[0]`` becomes 1."""
    arrays = {name: np.ascontiguousarray(nodes[name], np.int32) for name in FIELDS}
    depth, codes = arrays["depth"], np.ascontiguousarray(codes)
    found = np.empty((int(np.count_nonzero(depth == 0)), codes.shape[1]), np.int32)
    job = Job(len(depth), int(depth.max(initial=0)) + 1, len(codes), len(found), len(KINDS), codes.shape[1])
    for name, array in arrays.items():
        setattr(job, name, address(array, np.int32, len(depth)))
    job.low, job.high, job.repeats = (address(row, np.int32, len(KINDS)) for row in _KINDS)
    job.table, job.codes = address(_TABLES, np.int8, len(KINDS), 256), address(codes, np.int8, *codes.shape)
    job.found, job.stop = address(found, np.int32, *found.shape), address(stop, np.int32, 1)
    kernel.integers(job)
    return found


def output_sums(nodes: Nodes, numbers: Integers, codes: NDArray[np.int8], stop: Indices = NEVER) -> FloatArray:
    """(outputs of all trees, rows) the real numbers that the sums of the output nodes stand for.

    ``numbers``: the integers of the trees laid end to end; ``codes`` (features, rows): quantised inputs. The result is
    unfinished if ``stop[0]`` becomes 1.
    """
    top, kernel = np.flatnonzero(nodes["depth"] == 0), kernel_in_use()
    if not isinstance(kernel, Kernel):
        return sums_of(levels(nodes), nodes, numbers, codes)[top] * numbers.unit[top, None]
    parts = {"depth": nodes["depth"], "op": nodes["op"], **numbers._asdict(), "weight": numbers.weight * numbers.keep}
    return kernel_sums(kernel, parts, codes, stop) * numbers.unit[top, None]
