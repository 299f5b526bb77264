"""Workers of a Dask scheduler.

Dask's own messages may hold pickles: who reaches the scheduler can run code on its workers. What this module sends are
names of its functions and bytes of ``wire``. Dask may compute a chunk several times, and forgets all when its scheduler
ends; then the chunks are submitted anew.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import NamedTuple

import dask.config
from distributed import Client, Future, get_worker

from search.errors import InputError
from search.executors.jobs import chunk_of, run_chunk
from search.executors.joining import Invitation, Joined, Refused, here
from search.executors.named_workers import DASK
from search.executors.pool import Answer
from search.executors.wire import digest, pack, unpack
from search.strict import one_line

CONNECT_S = 10
LOOK_S = 2.0  # between two looks at the workers
FORGOTTEN = ("cancelled", "lost")  # what futures are of which a new scheduler knows nothing
RETRY_S = 15.0  # between two attempts to reach a scheduler that is gone
# Groups of tasks, which Dask reads from their keys. It spreads the tasks of a group over all workers if the group has
# many tasks and depends on few others; if the table were in the group of the chunks, all chunks would go to its worker.
TABLE, CHUNK = "neuraltree_table", "neuraltree_chunk"


class Reply(NamedTuple):
    """What a worker sends back: ``address``, as Dask knows it; ``refusal``: why it does not take part."""

    address: str
    worker: str
    seconds: float
    result: bytes
    refusal: str = ""


class DaskPool:
    """See ``Pool``. While there is no worker, or no scheduler, this process works."""

    def __init__(self, address: str, invited: Invitation, say: Callable[[str], None]) -> None:
        self._address, self._invited, self._say = address, (invited.message, invited.table), say
        self._run = digest(invited.message)
        self._offered: dict[str, bytes] = {}
        self._futures: dict[str, Future] = {}
        self._came: queue.SimpleQueue[tuple[str, Future]] = queue.SimpleQueue()
        self._refused: set[str] = set()  # addresses
        self._threads: dict[str, int] = {}  # by address
        self._looked = self._tried = 0.0
        try:
            self._connect()
        except OSError as error:
            raise InputError(
                f"--workers {DASK}{address}: no scheduler answers: {one_line(error)}; check the address, or start one "
                "with: dask scheduler"
            ) from None
        self._look()
        self._say(f"Dask workers: {len(self._threads)}; threads: {self.slots()}")

    def slots(self) -> int:
        return sum(count for address, count in self._threads.items() if address not in self._refused)

    def offer(self, chunks: Mapping[str, bytes]) -> None:
        self._offered |= chunks
        self._submit(list(chunks))

    def claim(self) -> str:
        self._look()
        return "" if self.slots() else next(iter(self._offered), "")

    def all_begun(self) -> bool:
        return len(self._offered) <= self.slots()

    def answers(self, wait_s: float) -> list[Answer]:
        found = []
        try:
            found.append(self._came.get(timeout=wait_s))
            while True:
                found.append(self._came.get_nowait())
        except queue.Empty:
            pass
        current = {name: future for name, future in found if self._futures.get(name) is future}
        done = {name: future for name, future in current.items() if future.status == "finished"}
        answers = [self._answer(name, reply) for name, reply in self._gathered(done).items()]
        answers += [self._failed(name, current[name]) for name in current.keys() - done.keys()]
        return [answer for answer in answers if answer]

    def withdraw(self, names: Collection[str]) -> None:
        for name in names:
            self._offered.pop(name, None)
            if future := self._futures.pop(name, None):
                future.release()  # Dask drops what nobody holds

    def close(self) -> None:
        self._client.close(timeout=1)

    def _connect(self) -> None:
        self._client = Client(self._address, timeout=CONNECT_S, set_as_default=False)
        self._share()

    def _share(self) -> None:
        # A part of the graph, so that the scheduler gives it to every worker that comes: scattered rows would die with
        # the workers that hold them. Dask warns of so large a graph.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
            self._shared = self._client.submit(tuple, self._invited, key=f"{TABLE}-{self._run}")

    def _submit(self, names: Collection[str]) -> None:
        """Submit chunks; nothing while there is no scheduler, as ``_look`` submits them when one is back."""
        if not names or self._client.status != "running":
            return
        try:
            futures = self._client.map(
                computed,
                [self._offered[name] for name in names],
                shared=self._shared,
                key=[f"{CHUNK}-{self._run}-{name}" for name in names],
                workers=[each for each in self._threads if each not in self._refused] if self._refused else None,
            )
        except Exception:  # the connection ended just now, which has many names
            if self._client.status == "running":
                raise
            return
        for name, future in zip(names, futures, strict=True):
            self._futures[name] = future
            future.add_done_callback(partial(self._note, name))

    def _note(self, name: str, future: Future) -> None:
        self._came.put((name, future))

    def _gathered(self, done: Mapping[str, Future]) -> dict[str, Reply]:
        """The results of futures, all at once; none if one is gone with its worker, as they are submitted anew then."""
        try:
            replies = self._client.gather(list(done.values()), errors="skip") if done else []
        except Exception:  # there is no connection, which has many names
            replies = []
        if len(replies) == len(done):
            return {name: Reply(*reply) for name, reply in zip(done, replies, strict=True)}
        self._submit_anew(list(done))
        return {}

    def _answer(self, name: str, reply: Reply) -> Answer | None:
        if not reply.refusal:
            return Answer(name, reply.worker, reply.seconds, unpack(reply.result)[1])
        if reply.address not in self._refused:
            self._refused.add(reply.address)
            self._say(reply.refusal)
        self._submit_anew([name])
        return None

    def _failed(self, name: str, future: Future) -> Answer | None:
        """A chunk whose workers died or met an error; None for one that the scheduler has forgotten, see ``_look``."""
        if future.status == "error":
            error = future.exception()
            return Answer(name, "Dask workers", problem=f"{type(error).__name__}: {one_line(error)}")
        return None

    def _submit_anew(self, names: Collection[str]) -> None:
        for name in names:
            self._futures.pop(name).release()
        self._submit(names)

    def _look(self) -> None:
        """Look at the workers; reach for a scheduler that is gone."""
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        try:
            if self._client.status != "running":
                self._reach(now)
            self._threads = dict(self._client.nthreads())
            self._submit_forgotten()
        except (OSError, RuntimeError, TimeoutError):  # each of them can mean that there is no connection
            if self._threads:
                self._say(f"the Dask scheduler {self._address} is gone; this process goes on alone until it is back")
            self._threads = {}

    def _reach(self, now: float) -> None:
        """``OSError`` while there is no scheduler."""
        if now - self._tried < RETRY_S:
            raise TimeoutError
        self._tried = now
        self._client.close(timeout=1)
        self._connect()

    def _submit_forgotten(self) -> None:
        """Submit what is offered and unknown to the scheduler: it may be a new one."""
        if self._shared.status in FORGOTTEN:
            self._say(f"the Dask scheduler {self._address} is back")
            self._share()
        known = {name for name, future in self._futures.items() if future.status not in FORGOTTEN}
        self._submit([name for name in self._offered if name not in known])


_join = Joined()  # the run that this process works for, if it is a worker


def computed(message: bytes, shared: tuple[bytes, bytes]) -> tuple[str, str, float, bytes, str]:
    """The ``Reply`` to a chunk, on a worker."""
    address = get_worker().address
    try:
        context = _join(*shared)
    except Refused as error:
        return Reply(address, here(), 0.0, b"", str(error))
    begun = time.perf_counter()
    result = run_chunk(context, chunk_of(message))
    return Reply(address, here(), time.perf_counter() - begun, pack({}, result))
