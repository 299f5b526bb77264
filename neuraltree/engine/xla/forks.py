"""The check for a fork: a process forked from one that has used JAX lacks its threads, and would wait for ever."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

FORKED = (
    "this process was forked from one that has used JAX, whose threads do not survive a fork, so it cannot train; "
    "start it with multiprocessing.get_context('spawn') or get_context('forkserver'), or use joblib's loky"
)
THREADS = Path("/proc/self/task")  # on Linux only

_imported_by = os.getpid()
_trained_by: int | None = None


def check_fork() -> None:
    """Raise ``RuntimeError`` in a process whose training would hang. Call this before any function of JAX."""
    global _trained_by
    if _trained_by is None and not (os.getpid() != _imported_by and _threads_are_gone()):
        _trained_by = os.getpid()
    if _trained_by != os.getpid():
        raise RuntimeError(FORKED)


def _threads_are_gone() -> bool:
    """Whether JAX was started but has no thread here: then the user's own code used JAX before the fork."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    if bridge is None or not bridge._backends:  # not backends_are_initialized(): a fork may leave its lock held
        return False
    names = []
    for name in THREADS.glob("*/comm"):
        with suppress(OSError):  # a thread may end meanwhile
            names.append(name.read_text())
    return bool(names) and not any("XLA" in name for name in names)
