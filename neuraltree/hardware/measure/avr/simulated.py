"""Calls on a simulated AVR: the program of ``firmware`` is built and run, and its report is read."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.compilers import AVR_ROOM
from neuraltree.hardware.measure.avr.firmware import REPORT, firmware
from neuraltree.hardware.measure.calls import Call
from neuraltree.hardware.measure.cores import Core, MeasureError
from neuraltree.hardware.measure.image import Built
from neuraltree.hardware.measure.toolchains import (
    compile_in,
    compiler_of,
    compiling,
    folder_of,
    linked,
    put,
    sources_of,
)

LIMIT_S = 60.0  # of simavr, which runs about 100 million cycles a second
STACK_TOP = "-Wl,--defsym,__stack=0x40ff"
RETURN_CYCLES = 4  # of the empty function, whose cost is taken off
TICK = 1024  # cycles of timer 3
LINES = re.compile(r"\x1b\[32m([0-9a-f]*)\.?")  # the serial port's output among simavr's own lines

Taken = dict[str, NDArray[Any]]


def simulate(
    files: Mapping[str, str], calls: Sequence[Call], functions: Sequence[str], core: Core, build: str
) -> tuple[Built, list[Taken]]:
    """The image, and for each call its costs, results, arrays and variables by name, see ``measured``."""
    sources = sources_of(files)
    objects = [f"{name}.o" for name in sources]
    with folder_of(files) as folder:
        for source, made in zip(sources, objects, strict=True):
            compile_in(folder, core, build, [*compiling(core, build), "-c", source, "-o", made])
        built = linked(folder, objects, functions, core, build, libraries=())
        sizes = {name: _size(built, name) for call in calls for name in call.variables}
        put(folder, {"nt_main.c": firmware(calls, sizes)})
        ending = compiler_of(core, build).libraries
        options = [*compiling(core, build), *AVR_ROOM, STACK_TOP, "-Wl,--gc-sections"]
        compile_in(folder, core, build, [*options, "nt_main.c", *objects, "-o", "run.elf", *ending])
        report = _run(folder, core, calls)
    return built, _read(report, calls, sizes)


def _size(built: Built, name: str) -> int:
    if name not in built.symbols:
        raise MeasureError(f"no variable {name} in the image")
    return built.symbols[name][1]


def _run(folder: Path, core: Core, calls: Sequence[Call]) -> bytes:
    command = ["simavr", "-m", core.model, "-f", "16000000", "run.elf"]
    names = ", ".join(dict.fromkeys(call.function for call in calls))
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        problem = f"{names} did not return within {LIMIT_S:g} s in simavr: is there an endless loop?"
        raise MeasureError(problem) from None
    return bytes.fromhex("".join(LINES.findall(done.stderr + done.stdout)))


def _read(report: bytes, calls: Sequence[Call], sizes: Mapping[str, int]) -> list[Taken]:
    found, at = [], 0
    for call in calls:
        row = _row(call)
        end = at + row.itemsize * len(call.rows)
        after = end + sum(sizes[name] for name in call.variables)
        if len(report) < after:
            raise MeasureError(f"{call.function} did not come to its end in simavr")
        rows = np.frombuffer(report[at:end], row)
        taken: Taken = {"stack_bytes": rows["report"]["stack"].astype(np.int64)}
        taken |= dict.fromkeys(("cycles_lo", "cycles_hi"), _cycles(rows["report"]))
        taken |= {name: rows[name] for name in row.names or () if name != "report"}
        for name in call.variables:
            taken[f"variables.{name}"] = np.frombuffer(report[end : end + sizes[name]], np.uint8)
            end += sizes[name]
        found.append(taken)
        at = after
    return found


def _row(call: Call) -> np.dtype[Any]:
    """The record that the program sends for one row of a call."""
    result = [("results", "<f4" if call.result == "float32" else "<i4")] if call.result else []
    arrays = [argument for argument in call.rows[0] if isinstance(argument, np.ndarray)]
    return np.dtype([("report", REPORT), *result, *((f"arrays.{j}", a.dtype, a.shape) for j, a in enumerate(arrays))])


def _cycles(report: NDArray[Any]) -> NDArray[np.int64]:
    """(rows,) cycles of a call alone, the return included."""
    taken = _elapsed(report["low"], report["high"]) - _elapsed(report["empty_low"], report["empty_high"])
    return taken + RETURN_CYCLES


def _elapsed(low: NDArray[np.uint16], high: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Cycles from timer 1, which has gone round an unknown number of times, and the ticks of timer 3."""
    rounds = np.rint((high.astype(np.int64) * TICK - low.astype(np.int64)) / 2**16).astype(np.int64)
    return low.astype(np.int64) + rounds * 2**16
