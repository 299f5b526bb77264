"""The sums of many trees' outputs in integers, fast enough for the loop of a search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integers import Integers
from neuraltree.compress.int8.straight_through import levels, sums_of
from neuraltree.compress.kernel_sums import kernel_sums
from neuraltree.engine.forest import Indices
from neuraltree.engine.kernel.binding import Kernel
from neuraltree.engine.lowering import kernel_in_use
from neuraltree.engine.training import NEVER
from neuraltree.tree.nodes import Nodes


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
