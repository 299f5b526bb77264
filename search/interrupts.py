"""Ctrl-C and SIGTERM: the first asks a run to stop without losing work, the second stops it at once.

A second signal loses the work since the last checkpoint. A resumed run repeats that work with the same result.
The manifest still records the stop; signals are ignored while that one small file is written.
"""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def resume_command(folder: Path | str) -> str:
    """The command that goes on with the run in a folder, to be pasted into a shell."""
    return f"python -m search.run {shlex.quote(str(folder))} --resume"


@contextmanager
def interrupts(say: Callable[[str], None], numbers: Sequence[int] = SIGNALS) -> Iterator[Callable[[], bool]]:
    """Inside, the first of these signals is noted and announced; the yielded function says whether one came."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        del number, frame
        if asked:
            raise KeyboardInterrupt
        asked = True
        # If the signal comes while a line is being written, Python refuses to write this one: RuntimeError.
        with suppress(RuntimeError):
            say("stopping as soon as the work in progress is saved; press Ctrl-C again to stop at once")

    kept = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield lambda: asked
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Inside, signals are ignored: for work of milliseconds that must not be cut off.

    Only the main thread receives signals, so in another thread this does nothing.
    """
    main = threading.current_thread() is threading.main_thread()
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS if main}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
