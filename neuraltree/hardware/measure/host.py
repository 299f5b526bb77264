"""Instructions of a call on this machine, counted by valgrind's callgrind."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuraltree.hardware.measure.calls import Call
from neuraltree.hardware.measure.cores import MeasureError
from neuraltree.hardware.measure.emulator import Argument

FLAGS = ("-std=c99", "-O2")
LIMIT_S = 300.0
TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t", "float32": "float"}
RESULTS = {"uint8": "uint8_t", "int": "int", "int32": "int32_t", "float32": "float", None: "void"}


def host_instructions(files: Mapping[str, str], call: Call) -> float:
    """Mean instructions over the call's rows, compiled with this machine's ``cc``; takes about a second, not cached."""
    for tool in ("valgrind", "cc"):
        if shutil.which(tool) is None:
            raise MeasureError(f"counting on this machine needs {tool}: install it")
    with tempfile.TemporaryDirectory(prefix="neuraltree-") as folder:
        for name, text in {**files, "nt_main.c": _main(call)}.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        sources = [name for name in sorted(files) if name.endswith(".c")]
        _run(["cc", *FLAGS, *sources, "nt_main.c", "-o", "host"], folder)
        meter = ["valgrind", "--tool=callgrind", f"--toggle-collect={call.function}", "--callgrind-out-file=counts"]
        _run([*meter, "./host"], folder)
        found = re.search(r"^(?:summary|totals): (\d+)", (Path(folder) / "counts").read_text(), re.MULTILINE)
    if found is None or int(found[1]) == 0:
        raise MeasureError(f"callgrind saw no call of {call.function}")
    return int(found[1]) / len(call.rows)


def _run(command: list[str], folder: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise MeasureError(f"{command[0]} did not finish in {LIMIT_S:.0f} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line or "undefined" in line] or ["no message"]
        raise MeasureError(f"{command[0]} failed: {lines[0].strip()}")


def _main(call: Call) -> str:
    """A program that makes one call per row; it declares the function itself, because it includes no header of it."""
    types = ", ".join(_type(argument) for argument in call.rows[0])
    data, lines = [], []
    for i, row in enumerate(call.rows):
        names = [_value(argument, f"x{i}_{j}") for j, argument in enumerate(row)]
        data += [_array(a, f"x{i}_{j}") for j, a in enumerate(row) if isinstance(a, np.ndarray)]
        lines.append(f"    {call.function}({', '.join(names)});")
    head = ["#include <stdint.h>", f"{RESULTS[call.result]} {call.function}({types or 'void'});"]
    return "\n".join([*head, *data, "int main(void)", "{", *lines, "    return 0;", "}", ""])


def _type(argument: Argument) -> str:
    if isinstance(argument, np.ndarray):
        return f"{TYPES[argument.dtype.name]} *"
    return "float" if isinstance(argument, float | np.floating) else "int32_t"


def _value(argument: Argument, name: str) -> str:
    if isinstance(argument, np.ndarray):
        return f"(void *){name}"
    if isinstance(argument, float | np.floating):
        return f"{float(argument).hex()}f"
    return str(int(argument))


def _array(argument: np.ndarray[Any, Any], name: str) -> str:
    """A C array of the raw bytes, so that NaN and infinities keep their bits."""
    content = ", ".join(map(str, argument.tobytes()))
    return f"static _Alignas(16) unsigned char {name}[] = {{{content}}};"
