"""One meter for all models: built by the same options, run on the same test rows of the same emulated core."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.devices.device_tasks import Task
from benchmarks.devices.models.candidates import Candidate
from neuraltree.hardware.measure import store, toolchains
from neuraltree.hardware.measure.cores import Core, core_named
from neuraltree.hardware.measure.counting import Counter
from neuraltree.hardware.measure.emulator import Machine, Result
from neuraltree.hardware.measure.image import Built
from neuraltree.hardware.measure.timing import TIMINGS

ROWS = 16  # test rows that a core answers
TOLERANCE = 1e-3  # of the standard deviation of a regression's targets: single floats, and constants of six decimals
# Without this, newlib's errno adds a kilobyte of variables.
ERRNO = "int *__errno(void);\nint *__errno(void)\n{\n    static int nt_errno;\n    return &nt_errno;\n}\n"
FIGURES = ("instructions", "cycles", "flash_bytes", "ram_bytes")


def measured(model: Candidate, task: Task, core: str, compiler: str) -> dict[str, float]:
    """Means over the rows, and how many ``same`` answers Python and the core gave, of ``rows``; cached.

    ``MeasureError`` if the compiler cannot build the model.
    """
    target = core_named(core)
    toolchains.check(target, compiler)
    files = dict(model.files) | ({"errno.c": ERRNO} if model.library else {})
    X: NDArray = task.given(task.test_X[:ROWS], model.dtype)
    result: Result = "int32" if task.classes else "float32"
    options = toolchains.flags(target, compiler, [model.function])
    key = store.key(
        "peer", files, X, result, toolchains.version(target, compiler), options, target, repr(TIMINGS[core])
    )
    kept = store.read(key)
    if kept is None:
        libraries = ("-lm",) if model.library else ()
        built = toolchains.build(files, [model.function], target, compiler, libraries=libraries)
        kept = _taken(built, X, target, model.function, result)
        store.write(key, kept)
    same = agreeing(kept["answers"], model.answers[: len(X)], task)
    return {**{name: float(kept[name]) for name in FIGURES}, "rows": len(X), "same": int(same.sum())}


def _taken(built: Built, X: NDArray, core: Core, function: str, result: Result) -> store.Arrays:
    machine = Machine(built, core)
    counter = Counter(core, machine.memory)
    done = [machine.call(function, (row,), result) for row in X]
    counts = [counter.count(row.trace) for row in done]
    figures: dict[str, Any] = {
        "instructions": np.mean([count.instructions for count in counts]),
        "cycles": np.mean([(count.cycles_lo + count.cycles_hi) / 2 for count in counts]),
        "flash_bytes": built.flash_bytes,
        "ram_bytes": built.static_ram_bytes + max(row.stack_bytes for row in done),
        "answers": [row.result for row in done],
    }
    return {name: np.array(values) for name, values in figures.items()}


def agreeing(answers: NDArray, wanted: NDArray, task: Task) -> NDArray[np.bool_]:
    if task.classes:
        return answers == wanted
    return np.abs(answers - wanted) <= TOLERANCE * np.std(task.y)
