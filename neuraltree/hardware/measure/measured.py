"""The measurement itself: build C files for a core, run calls on it, and return their costs; results are cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.measure import store, toolchains
from neuraltree.hardware.measure.calls import Call, check_call, inputs
from neuraltree.hardware.measure.cores import Core, MeasureError, core_named
from neuraltree.hardware.measure.counting import Counter
from neuraltree.hardware.measure.emulator import Machine
from neuraltree.hardware.measure.timing import TIMINGS

SIZES = ("text_bytes", "rodata_bytes", "data_bytes", "bss_bytes")
COUNTS = ("instructions", "cycles_lo", "cycles_hi")


@dataclass(frozen=True)
class Cost:
    """The costs of the rows of one call; every array has one entry per row.

    ``arrays`` holds the contents of each array argument after the call, in order: (rows, *its shape).
    """

    instructions: NDArray[np.int64]
    cycles_lo: NDArray[np.int64]
    cycles_hi: NDArray[np.int64]
    stack_bytes: NDArray[np.int64]
    results: NDArray[Any] | None
    arrays: tuple[NDArray[Any], ...] = ()
    variables: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """The sizes of the linked image, the compiler that made it, and one cost per call."""

    text_bytes: int
    rodata_bytes: int
    data_bytes: int
    bss_bytes: int
    compiler: str
    costs: tuple[Cost, ...]

    @property
    def flash_bytes(self) -> int:
        """Code, constants, and the initial values of variables."""
        return self.text_bytes + self.rodata_bytes + self.data_bytes

    @property
    def static_ram_bytes(self) -> int:
        """RAM of the variables, without the stack."""
        return self.data_bytes + self.bss_bytes


def measure(files: Mapping[str, str], calls: Sequence[Call], core: str, compiler: str = "clang") -> Measurement:
    """Build the files for the core and run the calls in order; variables keep their values from row to row.

    Counts are exact. Cycles are bounds for memory without wait states. ``MeasureError`` says what is missing or wrong.
    """
    target = core_named(core)
    toolchains.check(target, compiler)
    functions = list(dict.fromkeys(call.function for call in calls))
    if not functions:
        raise MeasureError("nothing to measure: give at least one call")
    for call in calls:
        check_call(call)
    version = toolchains.version(compiler)
    options = toolchains.flags(target, compiler, functions)
    key = store.key(files, [inputs(call) for call in calls], version, options, target, repr(TIMINGS[core]))
    kept = store.read(key)
    if kept is None:
        kept = _taken(files, calls, functions, target, compiler)
        store.write(key, kept)
    return _measurement(kept, calls, version)


def _taken(
    files: Mapping[str, str], calls: Sequence[Call], functions: list[str], core: Core, compiler: str
) -> store.Arrays:
    """Build and run; returns the measurement as named arrays, with the prefix ``i.`` for call i."""
    built = toolchains.build(files, functions, core, compiler)
    machine = Machine(built, core)
    counter = Counter(core, machine.memory)
    kept: dict[str, NDArray[Any]] = {name: np.array(getattr(built, name)) for name in SIZES}
    for i, call in enumerate(calls):
        done = [machine.call(call.function, row, call.result) for row in call.rows]
        counts = [counter.count(row.trace) for row in done]
        for name in COUNTS:
            kept[f"{i}.{name}"] = np.array([getattr(count, name) for count in counts], dtype=np.int64)
        kept[f"{i}.stack_bytes"] = np.array([row.stack_bytes for row in done], dtype=np.int64)
        if call.result is not None:
            kept[f"{i}.results"] = np.array([row.result for row in done], dtype=call.result)
        for j, column in enumerate(zip(*(row.arrays for row in done), strict=True)):
            kept[f"{i}.arrays.{j}"] = np.stack(column)
        for name in call.variables:
            kept[f"{i}.variables.{name}"] = np.frombuffer(machine.read(name), dtype=np.uint8)
    return kept


def _measurement(kept: store.Arrays, calls: Sequence[Call], version: str) -> Measurement:
    costs = tuple(_cost(kept, i, call) for i, call in enumerate(calls))
    text, rodata, data, bss = (int(kept[name]) for name in SIZES)
    return Measurement(text, rodata, data, bss, version, costs)


def _cost(kept: store.Arrays, i: int, call: Call) -> Cost:
    arrays = sum(isinstance(argument, np.ndarray) for argument in call.rows[0])
    instructions, lo, hi, stack = (kept[f"{i}.{name}"] for name in (*COUNTS, "stack_bytes"))
    return Cost(
        instructions,
        lo,
        hi,
        stack,
        results=kept.get(f"{i}.results"),
        arrays=tuple(kept[f"{i}.arrays.{j}"] for j in range(arrays)),
        variables={name: kept[f"{i}.variables.{name}"].tobytes() for name in call.variables},
    )
