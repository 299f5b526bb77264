"""Ctrl-C and SIGTERM: the first asks a run to stop where nothing is lost, the second stops it at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType


@contextmanager
def interrupts(
    say: Callable[[str], None], numbers: Sequence[int] = (signal.SIGINT, signal.SIGTERM)
) -> Iterator[Callable[[], bool]]:
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
