"""Whole recordings through the exported C of a model, on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.export.signals.replay_program import record_fields
from neuraltree.export.signals.twin import Decisions
from neuraltree.hardware.compilers import INSTALL, host_compiler
from neuraltree.hardware.measure.cores import MeasureError
from neuraltree.hardware.measure.folders import compiler_folder

FLAGS = ("-std=c99", "-O2", "-I.")
LIMIT_S = 300.0


def replay(files: Mapping[str, str], samples: NDArray[np.int16]) -> Decisions:
    """``replay_all`` of one recording."""
    return replay_all(files, [samples])[0]


def replay_all(files: Mapping[str, str], recordings: Sequence[NDArray[np.int16]]) -> list[Decisions]:
    """What the code of ``export_signal`` decides for recordings (samples, channels), each from a reset on.

    It takes half a second to compile, and then some 10 million numbers a second. ``MeasureError`` without a compiler.
    """
    name = _name(files)
    header = files[f"{name}.h"]
    widths = {key: _constant(header, f"{name.upper()}_{key}") for key in ("CHANNELS", "FEATURES", "CLASSES")}
    record = np.dtype(record_fields(widths["FEATURES"], widths["CLASSES"]))
    with _built(files, name) as program:
        return [_decisions(_run(program, samples, widths["CHANNELS"]), record) for samples in recordings]


def _name(files: Mapping[str, str]) -> str:
    names = [found[1] for file in files if (found := re.fullmatch(r"test/(\w+)_replay\.c", file))]
    if len(names) != 1:
        raise ValueError("these files have no replay program: give those of export_signal")
    return names[0]


def _constant(header: str, name: str) -> int:
    """The constant of an enum, 0 if there is none."""
    found = re.search(rf"\b{name} = (\d+)", header)
    return int(found[1]) if found else 0


@contextmanager
def _built(files: Mapping[str, str], name: str) -> Iterator[Path]:
    compiler = host_compiler()
    if compiler is None:
        raise MeasureError(f"to replay recordings through C this machine needs a compiler: install cc, or {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="neuraltree-") as folder:
        for file, text in files.items():
            path = Path(folder) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        sources = [file for file in files if file.endswith(".c") and not file.startswith("test/")]
        sources.append(f"test/{name}_replay.c")
        cache = {"ZIG_GLOBAL_CACHE_DIR": str(compiler_folder()), "ZIG_LOCAL_CACHE_DIR": str(Path(folder) / "zig")}
        done = subprocess.run(
            [*compiler, *FLAGS, *sources, "-o", "replay"],
            cwd=folder,
            env={**os.environ, **cache},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
            raise MeasureError(f"{compiler[0]} failed: {lines[0].strip()}")
        yield Path(folder) / "replay"


def _run(program: Path, samples: NDArray[np.int16], width: int) -> bytes:
    if samples.ndim != 2 or samples.shape[1] != width or samples.dtype != np.int16:
        raise ValueError(
            f"samples are {samples.dtype} of shape {samples.shape}; the code takes int16 (samples, {width})"
        )
    given = np.ascontiguousarray(samples).tobytes()
    try:
        done = subprocess.run([program, "binary"], input=given, capture_output=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise MeasureError(f"the replay did not finish in {LIMIT_S:.0f} s") from None
    if done.returncode:
        raise MeasureError(f"the replay ended with {done.returncode}")
    return done.stdout


def _decisions(content: bytes, record: np.dtype[Any]) -> Decisions:
    rows = np.frombuffer(content, dtype=record)
    ends, features = rows["end"].astype(np.int64), rows["features"].copy()
    if "value" in (record.names or ()):
        empty = np.zeros(0, dtype=np.int64)
        return Decisions(ends, features, np.zeros((len(rows), 0), np.int16), empty, empty, empty, rows["value"].copy())
    classes, events, reported = (rows[name].astype(np.int64) for name in ("class", "event", "reported"))
    return Decisions(ends, features, rows["scores"].copy(), classes, events, reported, np.zeros(0, np.float32))
