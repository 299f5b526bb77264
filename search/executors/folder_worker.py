"""A worker of a run in a folder: takes chunks, computes them, and puts back the results."""

from __future__ import annotations

import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from search.errors import InputError
from search.executors.jobs import Context, chunk_of, run_chunk
from search.executors.joining import Refused, join, table_name
from search.executors.wire import Arrays, WireError, digest, pack
from search.executors.work_folder import DONE, TAKEN, TODO, WORKERS, Beat, Entry, WorkFolder, read
from search.strict import one_line

BEAT_S = 1.0
FIRST_POLL_S, LAST_POLL_S = 0.01, 0.3  # between two looks for chunks: short after one was found, then longer
Say = Callable[[str], None]


class FolderWorker:
    """``threads`` compute chunks, one each, of the run in a folder."""

    def __init__(self, run: Path, threads: int, say: Say) -> None:
        self._folder, self._threads, self._say = WorkFolder(run), threads, say
        host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:60]
        self.name = f"{host}-{os.getpid()}-{secrets.token_hex(2)}"
        self._busy = time.monotonic()  # when there last was something to do
        self._computes: set[str] = set()  # the chunks that are computed now
        self.chunks, self.trees = 0, 0

    def work(self, idle_s: float, ended: Callable[[], bool]) -> str:
        """Work until ``ended()``, or until nothing was to do for ``idle_s``; returns why.

        ``Refused``: see ``join``. At the end, however it comes, chunks that are begun go back.
        """
        while True:
            message = self._folder.invitation()
            if message:
                context = self._joined(message)
                self._say(f"worker {self.name} joined; threads: {self._threads}")
                with self._computing(context):
                    while self._folder.invitation() == message and not self._why_end(idle_s, ended):
                        time.sleep(BEAT_S)
            if why := self._why_end(idle_s, ended):
                return why
            time.sleep(BEAT_S)

    def _why_end(self, idle_s: float, ended: Callable[[], bool]) -> str:
        if ended():
            return "the run is complete"
        if self._computes:
            self._busy = time.monotonic()
        return f"nothing was to do for {idle_s:.0f} s" if time.monotonic() - self._busy > idle_s else ""

    def _joined(self, message: bytes) -> Context:
        self._folder.check()
        try:
            return join(message, read(self._folder.path / f"table-{table_name(message)}.msg"))
        except Refused as error:
            with suppress(OSError):
                self._folder.beat(self.name, Beat(0, 0, str(error)))
            raise
        except WireError as error:
            raise InputError(f"the invitation in {self._folder.path} is damaged: {error}; resume the run") from None

    @contextmanager
    def _computing(self, context: Context) -> Iterator[None]:
        """Inside, threads compute chunks and tell that they live."""
        stop = threading.Event()
        threading.Thread(target=self._beat, args=(stop,), daemon=True).start()
        for _ in range(self._threads):
            threading.Thread(target=self._compute, args=(context, stop), daemon=True).start()
        try:
            yield
        finally:
            stop.set()
            for entry in self._folder.entries(TAKEN):
                if entry.worker == self.name:
                    self._folder.give_back(entry)
            (self._folder.path / WORKERS / f"{self.name}.json").unlink(missing_ok=True)

    def _beat(self, stop: threading.Event) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            try:
                self._folder.beat(self.name, Beat(count, self._threads))
            except FileNotFoundError:
                pass  # the search has ended, and its folder of work with it; ``work`` leaves or waits for the next
            except OSError as error:
                self._say(f"cannot write a heartbeat: {one_line(error)}")
            stop.wait(BEAT_S)

    def _compute(self, context: Context, stop: threading.Event) -> None:
        wait_s = FIRST_POLL_S
        while not stop.is_set():
            if not (entry := self._taken()):
                stop.wait(wait_s)
                wait_s = min(1.5 * wait_s, LAST_POLL_S)
                continue
            self._computes.add(entry.chunk)
            answered = self._answered(context, entry, stop)
            self._computes.discard(entry.chunk)
            if answered:
                wait_s = FIRST_POLL_S
            else:
                self._folder.give_back(entry)
                stop.wait(BEAT_S)

    def _taken(self) -> Entry | None:
        entries = self._folder.entries(TODO)
        secrets.SystemRandom().shuffle(entries)  # workers that all begin with the first would fail at it together
        return next((mine for entry in entries if (mine := self._folder.take(entry, self.name))), None)

    def _answered(self, context: Context, entry: Entry, stop: threading.Event) -> bool:
        """Compute a chunk; false if the result cannot be written now, as on a full disk."""
        begun = time.monotonic()
        problem = ""
        result: Arrays = {}
        try:
            message = read(entry.path)
            if digest(message) != entry.chunk:
                raise WireError("the chunk is damaged: its content is not that of its name")
            chunk = chunk_of(message)
            result = run_chunk(context, chunk)
            self.trees += len(chunk.trees)
        except FileNotFoundError:
            return True  # no longer wanted
        except Exception as error:  # the search decides what to do about it
            problem = f"{type(error).__name__}: {one_line(error)}"
        if stop.is_set():
            return True  # it went back
        try:
            content = pack({"seconds": time.monotonic() - begun, "problem": problem}, result)
            self._folder.put(DONE, {f"{entry.chunk}@{self.name}.msg": content})
            entry.path.unlink(missing_ok=True)
        except OSError as error:
            self._say(f"cannot write a result: {one_line(error)}")
            return False
        self.chunks += 1
        return True
