"""Running a compiler, and the folder in which it keeps its library between runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from neuraltree.caches import writable_folder
from neuraltree.hardware.measure.cores import MeasureError

LIMIT_S = 300.0
# A failure that the C files cause and not the compiler's library, whose names begin with __ or mem.
OF_SOURCE = re.compile(r"\.[ch]:\d+:\d+: (fatal )?error: |undefined symbol: (?!__|mem)|overflowed|will not fit")


@cache
def compiler_folder() -> Path:
    """The folder for the compiler's library; a temporary one of this process if the user's cache is not writable.

    The check is needed because zig tries for ever to make a folder that it cannot make.
    """
    try:
        return writable_folder("zig")
    except OSError:
        made = tempfile.TemporaryDirectory(prefix="neuraltree-zig-")
        _KEPT.append(made)
        return Path(made.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []  # removed when the process ends
_renewing = threading.Lock()


def renew_compiler_folder(fill: Callable[[Path], bool]) -> bool:
    """Whether ``fill`` succeeds with the compiler's folder, or else with an empty one, which then replaces it.

    So a damaged library is replaced, and an intact one is kept if the fault was elsewhere.
    """
    folder = compiler_folder()
    with _renewing:
        if fill(folder):  # another thread has renewed it meanwhile
            return True
        fresh = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
        old = fresh.with_suffix(".old")
        try:
            if not fill(fresh):
                return False
            folder.rename(old)
            fresh.rename(folder)
            return True
        finally:
            for left in (fresh, old):
                shutil.rmtree(left, ignore_errors=True)


def run_compiler(command: list[str], folder: str, *, keeps_library: bool) -> None:
    """Run a compiler. If it builds its library itself and the kept library may be damaged, build the library anew."""
    failure = _failure(command, folder, compiler_folder())
    if failure is None:
        return
    suspect = keeps_library and not OF_SOURCE.search(failure)
    if suspect and renew_compiler_folder(lambda library: _failure(command, folder, library) is None):
        return
    raise MeasureError(f"{Path(command[0]).name} {failure}")


def _failure(command: list[str], folder: str, library: Path) -> str | None:
    """Run a compiler that keeps its library in a folder; returns a description of its failure, None if it succeeds."""
    # The local cache is deleted with the folder; the global cache keeps compiler-rt, built once per core, and may be
    # shared.
    zig = {"ZIG_GLOBAL_CACHE_DIR": str(library), "ZIG_LOCAL_CACHE_DIR": str(Path(folder) / "zig")}
    environment = {**os.environ, **zig, "LC_ALL": "C"}
    # The compiler gets a session of its own, so that Ctrl-C reaches only the measuring program, which then stops it.
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        errors="replace", start_new_session=True,
    ) as compiler:  # fmt: skip
        try:
            _, errors = compiler.communicate(timeout=LIMIT_S)
        except BaseException as error:
            with suppress(ProcessLookupError):  # it may have ended while it was waited for
                os.killpg(compiler.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise MeasureError(f"{Path(command[0]).name} did not finish in {LIMIT_S:.0f} s") from None
            raise
    if compiler.returncode < 0:
        return f"crashed by {signal.Signals(-compiler.returncode).name}: {_first_error(errors)}"
    return f"failed with code {compiler.returncode}: {_first_error(errors)}" if compiler.returncode else None


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = (line for line in lines if any(mark in line for mark in ("error:", "undefined reference", "overflowed")))
    return next(marked, lines[0] if lines else "without a message")
