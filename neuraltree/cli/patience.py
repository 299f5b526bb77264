"""Lines that say that a long step goes on: after two seconds, and then every few."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

FIRST_S, MOST_S = 2.0, 30.0  # until the first line, and between two lines at most
SHARE = 0.25  # of the seconds that have passed, between two lines in any case
Say = Callable[[str], None]


@contextmanager
def patience(say: Say, what: str) -> Iterator[Say]:
    """Inside, a thread says every few seconds ``what`` is done, since when, and how far it is: the text that was last
    given to the yielded function. Nothing is said of a step of less than ``FIRST_S``."""
    far, done, begun = [""], threading.Event(), time.perf_counter()

    def tell() -> None:
        wait = FIRST_S
        while not done.wait(wait):
            seconds = time.perf_counter() - begun
            with suppress(OSError, RuntimeError):  # the reader is gone; whoever writes next ends the run
                say(f"  {what}{far[0] and ': '}{far[0]} ({seconds:.0f} s)")
            wait = min(max(FIRST_S, SHARE * seconds), MOST_S)

    def note(text: str) -> None:
        far[0] = text

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield note
    finally:
        done.set()
        thread.join()
