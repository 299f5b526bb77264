"""Ctrl-C and SIGTERM: the first asks a run to stop where nothing is lost, the second stops it at once.

What a second one gives up is the work since the last checkpoint, which a resumed run does again to the same result.
The manifest is still told, with signals put off for that one small file.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts(say: Callable[[str], None], numbers: Sequence[int] = SIGNALS) -> Iterator[Callable[[], bool]]:
    """Inside, one of these signals is noted and said; the function given says whether there was one."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        del number, frame
        if asked:
            raise KeyboardInterrupt
        asked = True
        # A signal that comes while a line is being written must not write another into it.
        with suppress(RuntimeError):
            say("stopping as soon as what was begun is saved; press Ctrl-C again to stop at once")

    kept = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield lambda: asked
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Inside, signals are ignored: for what takes milliseconds and must not be cut off. Only a main thread has any."""
    main = threading.current_thread() is threading.main_thread()
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS if main}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
