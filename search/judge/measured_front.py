"""The final front compiled and run on the emulated core of its device."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
from numpy.typing import NDArray

from neuraltree.cli.patience import patience
from neuraltree.hardware.compare import COMPARED, check_measurable, measure_tree
from neuraltree.hardware.measure.cores import MeasureError
from neuraltree.hardware.measured_costs import Measured
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.hardware.signals.measured_signal import measure_signal
from neuraltree.signals.signal_model import SignalModel
from neuraltree.tree.tree import Tree
from search.engine.evaluate import Problem
from search.front import Front

MEASURED = tuple(f"measured_{name}" for name in COMPARED)


def measure_front(
    problem: Problem, models: Sequence[tuple[Tree, Code, int]], say: Callable[[str], None], stopping: Callable[[], bool]
) -> dict[str, NDArray[np.float64]]:
    """The measured columns of ``COMPARED`` of trees, each in its code and with the place of its hop; {} and a message
    if none can be measured.

    NaN for a model that cannot be measured.

    Raises ``KeyboardInterrupt`` when ``stopping()`` is true; earlier measurements stay in the user's cache.
    """
    device = problem.device
    if device is None:
        return {}
    try:
        check_measurable(device, problem.code.compiler)
    except MeasureError as error:
        say(f"costs are predicted, not measured: {error}")
        return {}
    say(f"compiling {len(models)} models with {problem.code.compiler} and running them on an emulated {device.core}")
    found: list[Measured | str] = []
    with patience(say, "measuring") as note, ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        waiting = [threads.submit(_measured, problem, device, *model) for model in models]
        for i, future in enumerate(waiting):
            note(f"{i} of {len(models)} models")
            while not wait([future], timeout=0.2).done:
                if stopping():
                    threads.shutdown(wait=False, cancel_futures=True)
                    raise KeyboardInterrupt
            found.append(future.result())
            if isinstance(found[-1], str):
                say(f"model {i} of {len(models)} could not be measured: {found[-1]}")
            elif not found[-1].agrees:
                say(f"model {i} of {len(models)}: results on the emulated core and in Python differ; please report")
    return {
        name: np.array([np.nan if isinstance(row, str) else row.costs.get(name, np.nan) for row in found], np.float64)
        for name in COMPARED
    }


def nothing_measured(problem: Problem, front: Front) -> bool:
    """Whether a front has no measured cost although its device can be measured: every model failed."""
    if problem.device is None or not len(front):
        return False
    try:
        check_measurable(problem.device, problem.code.compiler)
    except MeasureError:  # ``measure_front`` has said why
        return False
    return not any(name in member.values for member in front for name in MEASURED)


def _measured(problem: Problem, device: Device, tree: Tree, code: Code, hop: int) -> Measured | str:
    """The measurement, or the reason why it failed: one failing model must not stop the others.

    Of a model of recordings that of its whole code, which is fed samples, without a rule of events.
    """
    try:
        if problem.fronts:
            return measure_signal(SignalModel(problem.fronts[hop].front_end, tree), device, code)
        return measure_tree(tree, device, code, problem.inputs.spec, early_exit=problem.early_exit)
    except (ValueError, OSError) as error:
        return str(error)
