"""The measurement itself: build C files for a core, run calls on it, and return their costs; results are cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.measure import store, toolchains
from neuraltree.hardware.measure.avr.simulated import Taken, simulate
from neuraltree.hardware.measure.calls import Call, check_call, inputs
from neuraltree.hardware.measure.cores import Core, MeasureError, core_named
from neuraltree.hardware.measure.counting import Counter
from neuraltree.hardware.measure.emulator import Machine
from neuraltree.hardware.measure.image import Built
from neuraltree.hardware.measure.timing import TIMINGS

SIZES = ("text_bytes", "rodata_bytes", "data_bytes", "bss_bytes")
COUNTS = ("instructions", "cycles_lo", "cycles_hi")


@dataclass(frozen=True)
class Cost:
    """The costs of the rows of one call; every array has one entry per row.

    simavr counts no ``instructions``; its cycles are exact, so that both bounds are equal.
    ``arrays`` holds the contents of each array argument after the call, in order: (rows, *its shape).
    """

    instructions: NDArray[np.int64] | None
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
    version = toolchains.version(target, compiler)
    options = toolchains.flags(target, compiler, functions)
    key = store.key(files, [inputs(call) for call in calls], version, options, target, repr(TIMINGS.get(core)))
    kept = store.read(key)
    if kept is None:
        kept = _taken(files, calls, functions, target, compiler)
        store.write(key, kept)
    return _measurement(kept, calls, version)


def _taken(
    files: Mapping[str, str], calls: Sequence[Call], functions: list[str], core: Core, compiler: str
) -> store.Arrays:
    """Build and run; returns the measurement as named arrays, with the prefix ``i.`` for call i."""
    run = {"avr": simulate}.get(core.family, _emulate)
    built, found = run(files, calls, functions, core, compiler)
    kept: dict[str, NDArray[Any]] = {name: np.array(getattr(built, name)) for name in SIZES}
    return kept | {f"{i}.{name}": value for i, taken in enumerate(found) for name, value in taken.items()}


def _emulate(
    files: Mapping[str, str], calls: Sequence[Call], functions: Sequence[str], core: Core, compiler: str
) -> tuple[Built, list[Taken]]:
    """The image, and for each call its costs, results, arrays and variables by name."""
    built = toolchains.build(files, functions, core, compiler)
    machine = Machine(built, core)
    return built, [_called(call, machine, Counter(core, machine.memory)) for call in calls]


def _called(call: Call, machine: Machine, counter: Counter) -> Taken:
    done = [machine.call(call.function, row, call.result) for row in call.rows]
    counts = [counter.count(row.trace) for row in done]
    taken: Taken = {name: np.array([getattr(count, name) for count in counts], dtype=np.int64) for name in COUNTS}
    taken["stack_bytes"] = np.array([row.stack_bytes for row in done], dtype=np.int64)
    if call.result is not None:
        kind = "float32" if call.result == "float32" else "int32"
        taken["results"] = np.array([row.result for row in done], dtype=kind)
    columns = enumerate(zip(*(row.arrays for row in done), strict=True))
    taken |= {f"arrays.{j}": np.stack(column) for j, column in columns}
    return taken | {f"variables.{name}": np.frombuffer(machine.read(name), dtype=np.uint8) for name in call.variables}


def _measurement(kept: store.Arrays, calls: Sequence[Call], version: str) -> Measurement:
    costs = tuple(_cost(kept, i, call) for i, call in enumerate(calls))
    text, rodata, data, bss = (int(kept[name]) for name in SIZES)
    return Measurement(text, rodata, data, bss, version, costs)


def _cost(kept: store.Arrays, i: int, call: Call) -> Cost:
    arrays = sum(isinstance(argument, np.ndarray) for argument in call.rows[0])
    lo, hi, stack = (kept[f"{i}.{name}"] for name in ("cycles_lo", "cycles_hi", "stack_bytes"))
    return Cost(
        kept.get(f"{i}.instructions"),
        lo,
        hi,
        stack,
        results=kept.get(f"{i}.results"),
        arrays=tuple(kept[f"{i}.arrays.{j}"] for j in range(arrays)),
        variables={name: kept[f"{i}.variables.{name}"].tobytes() for name in call.variables},
    )
