"""The pushes of a model on an emulated core: the cycles and the stack of each, sample after sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.measure import toolchains
from neuraltree.hardware.measure.cores import CORES, Core, MeasureError, core_named
from neuraltree.hardware.measure.counting import Counter
from neuraltree.hardware.measure.emulator import Machine
from neuraltree.hardware.measure.image import Built
from neuraltree.signals.signal_model import SignalModel

EMULATED = ("arm", "riscv")  # families whose calls can be followed
NAME = "model"


class Pushed(NamedTuple):
    """``cycles``, ``stack_bytes`` (pushes,): of each push; cycles are the middle of their bounds. ``decided``
    (pushes,): whether it came to a decision; ``results`` (pushes,): what it returned."""

    cycles: NDArray[np.float64]
    stack_bytes: NDArray[np.int64]
    decided: NDArray[np.bool_]
    results: NDArray[np.int64]
    built: Built


class Traced(NamedTuple):
    """One push: the blocks entered, in order, and the cycles of each."""

    blocks: NDArray[np.uint64]
    cycles: NDArray[np.float64]


def check_core(core: str, compiler: str) -> Core:
    """The core; ``MeasureError`` if pushes cannot be measured on it here."""
    found = core_named(core)
    if found.family not in EMULATED:
        allowed = ", ".join(name for name, row in CORES.items() if row.family in EMULATED)
        raise MeasureError(f"code that is fed samples is not measured on {core}; allowed: {allowed}")
    toolchains.check(found, compiler)
    return found


def built_model(files: Mapping[str, str], core: Core, compiler: str) -> Built:
    """The image of push and reset, and of all that they need, from the files of ``export_signal`` named ``NAME``."""
    own = {file: text for file, text in files.items() if "/" not in file}
    return toolchains.build(own, (f"{NAME}_push", f"{NAME}_reset"), core, compiler)


def pushed(
    model: SignalModel,
    built: Built,
    core: Core,
    state_bytes: int,
    samples: NDArray[np.int16],
    watch: Callable[[int, Traced], None] | None = None,
    counted: NDArray[np.bool_] | None = None,
) -> Pushed:
    """Each sample (samples, channels) pushed into a state of that size, from a reset on. ``watch`` is called with the
    number of each push and its trace. ``counted`` (samples,): the pushes whose cycles are counted, by default all;
    those of the others are 0, and they take a tenth of the time."""
    machine = Machine(built, core)
    counter = Counter(core, machine.memory)
    state = machine.call(f"{NAME}_reset", [np.zeros(state_bytes, np.uint8)], None).arrays[0]
    cycles = np.zeros(len(samples))
    stack, results = (np.empty(len(samples), dtype=np.int64) for _ in range(2))
    front = model.front_end
    decided = np.zeros(len(samples), dtype=bool)
    decided[front.ends(len(samples)) - 1] = True
    for i, sample in enumerate(np.ascontiguousarray(samples)):
        follow = counted is None or bool(counted[i])
        done = machine.call(f"{NAME}_push", [state, sample], "int", traced=follow)
        state, results[i] = done.arrays[0], int(done.result or 0)
        stack[i] = done.stack_bytes
        if not follow:
            continue
        count = counter.count(done.trace)
        cycles[i] = (count.cycles_lo + count.cycles_hi) / 2
        if watch is not None:
            watch(i, Traced(done.trace, counter.cycles(done.trace)))
    return Pushed(cycles, stack, decided, results, built)
