"""Workers that see the run folder: they take chunks from it and put results into it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from search.executors.joining import Invitation
from search.executors.pool import Answer
from search.executors.wire import WireError, unpack
from search.executors.work_folder import DONE, INVITATION, TAKEN, TODO, WORKERS, Beat, Entry, WorkFolder, read

LEASE_S = 30.0  # without a heartbeat, after which a worker's chunks go to others
LOOK_S = 1.0  # between two looks at the heartbeats
POLL_S = 0.01  # between two looks for answers
FATAL = 2  # workers that may die over a chunk before it is cut


class _Seen(NamedTuple):
    beat: Beat
    since: float  # on this machine's clock


class FolderPool:
    """See ``Pool``. This process works too, so a run goes on without any worker."""

    def __init__(self, run: Path, invited: Invitation, say: Callable[[str], None]) -> None:
        self._folder, self._say = WorkFolder(run), say
        self._me = f"search-{secrets.token_hex(4)}"
        self._offered: dict[str, bytes] = {}
        self._deaths: dict[str, int] = {}
        self._seen: dict[str, _Seen] = {}
        self._gone: set[str] = set()
        self._looked = 0.0
        self._folder.make()
        # What a search that was killed has left. Results stay right if they are of the same run.
        for name in (TODO, TAKEN, WORKERS, *[DONE] * (self._folder.invitation() != invited.message)):
            for entry in self._folder.entries(name):
                entry.path.unlink(missing_ok=True)
        self._folder.put("", {f"table-{invited.table_name}.msg": invited.table})
        self._folder.put("", {INVITATION: invited.message})

    def slots(self) -> int:
        self._look()
        return sum(seen.beat.threads for seen in self._seen.values())

    def offer(self, chunks: Mapping[str, bytes]) -> None:
        self._offered |= chunks
        done = {entry.chunk for entry in self._folder.entries(DONE)}
        self._folder.put(TODO, {f"{name}.msg": content for name, content in chunks.items() if name not in done})

    def claim(self) -> str:
        for entry in self._folder.entries(TODO):
            if (taken := self._folder.take(entry, self._me)) and taken.chunk in self._offered:
                return taken.chunk
        return ""

    def all_begun(self) -> bool:
        return not self._folder.entries(TODO)

    def answers(self, wait_s: float) -> list[Answer]:
        until = time.monotonic() + wait_s
        while not (found := self._answers()) and time.monotonic() < until:
            time.sleep(POLL_S)
        return found + self._look()

    def withdraw(self, names: Collection[str]) -> None:
        for name in names:
            self._offered.pop(name, None)
            self._deaths.pop(name, None)
            for path in (f"{TODO}/{name}.msg", f"{TAKEN}/{name}@{self._me}.msg"):
                (self._folder.path / path).unlink(missing_ok=True)

    def close(self) -> None:
        self.withdraw([*self._offered])

    def _answers(self) -> list[Answer]:
        found = []
        for entry in self._folder.entries(DONE):
            try:
                about, arrays = unpack(read(entry.path))
                problem = str(about.get("problem", ""))
                found.append(Answer(entry.chunk, entry.worker, float(about["seconds"]), arrays, problem))
            except (OSError, WireError, KeyError, TypeError, ValueError) as error:
                found.append(Answer(entry.chunk, entry.worker, problem=f"its answer is damaged: {error}"))
            entry.path.unlink(missing_ok=True)
            if found[-1].problem:
                found[-1] = found[-1]._replace(result=None)
        return found

    def _look(self) -> list[Answer]:
        """Look at the heartbeats; what dead workers took goes to others, or is an answer if it killed several."""
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return []
        self._looked = now
        beats = self._folder.beats()
        for worker, beat in beats.items():
            known = self._seen.get(worker)
            if known is None and worker not in self._gone:
                self._say(beat.refused or f"worker {worker} joined; threads: {beat.threads}")
            if known is None or known.beat.count != beat.count:
                self._seen[worker] = _Seen(beat, now)
        for worker in [name for name in self._seen if self._has_gone(name, beats, now)]:
            del self._seen[worker]
            self._gone.add(worker)
            (self._folder.path / WORKERS / f"{worker}.json").unlink(missing_ok=True)
        return [answer for entry in self._folder.entries(TAKEN) for answer in self._taken_by_nobody(entry)]

    def _has_gone(self, worker: str, beats: Mapping[str, Beat], now: float) -> bool:
        if self._seen[worker].beat.refused:
            return True
        if worker not in beats:
            self._say(f"worker {worker} left")
            return True
        if now - self._seen[worker].since > LEASE_S:
            self._say(f"worker {worker} has been silent for {LEASE_S:.0f} s; others do its work")
            return True
        return False

    def _taken_by_nobody(self, entry: Entry) -> list[Answer]:
        if entry.worker == self._me or entry.worker in self._seen:
            return []
        entry.path.unlink(missing_ok=True)
        if entry.chunk not in self._offered:
            return []
        self._deaths[entry.chunk] = self._deaths.get(entry.chunk, 0) + 1
        if self._deaths[entry.chunk] < FATAL:
            self._folder.put(TODO, {f"{entry.chunk}.msg": self._offered[entry.chunk]})
            return []
        return [Answer(entry.chunk, entry.worker, problem=f"{FATAL} workers died over it")]
