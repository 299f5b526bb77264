"""The final front compiled and run on the emulated core of its device."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.compare import COMPARED, Measured, check_measurable, measure_tree
from neuraltree.hardware.measure.cores import CORES, MeasureError
from neuraltree.model import Tree
from search.evaluate import Problem

MEASURED = tuple(f"measured_{name}" for name in COMPARED)


def measure_front(
    problem: Problem, trees: Sequence[Tree], say: Callable[[str], None]
) -> dict[str, NDArray[np.float64]]:
    """The columns of ``COMPARED`` as measured; none where the device's core is not emulated here, or nothing is
    installed to do it, which is said."""
    device = problem.device
    if device is None or device.core not in CORES:
        return {}
    try:
        check_measurable(device, problem.code)
    except MeasureError as error:
        say(f"costs are predicted, not measured: {error}")
        return {}
    say(f"compiling {len(trees)} models by {problem.code.compiler} and running them on an emulated {device.core}")
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        found: list[Measured] = list(threads.map(lambda tree: measure_tree(tree, device, problem.code), trees))
    wrong = [i for i, row in enumerate(found) if not row.agrees]
    if wrong:
        say(
            f"models {', '.join(map(str, wrong))} give other results on the emulated core than in Python; please report"
        )
    return {name: np.array([row.costs[name] for row in found], dtype=np.float64) for name in COMPARED}
