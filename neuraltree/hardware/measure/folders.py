"""The folder in which a compiler keeps its library between runs."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from neuraltree.caches import writable_folder


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
