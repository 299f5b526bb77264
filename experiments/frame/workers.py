"""Units run in spawned processes, one at a time in each, so that the death of one process costs one unit.

Each process has its own pipe and is not part of an executor: an executor that loses a process fails all running units,
does not say which unit caused it, and cannot be ended at once.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

from experiments.frame.experiment import Row, Unit

ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
GRACE_S = 10
UNITS_PER_PROCESS = 100  # compiled programs are kept as long as their process lives


class Outcome(NamedTuple):
    """``rows`` of a unit, or the one line of its ``error``. ``cpu_s`` covers the process and its children."""

    rows: list[Row]
    seconds: float
    cpu_s: float
    error: str = ""


Work = Callable[[Unit], list[Row]]


def outcomes(make_work: Callable[[], Work], units: Iterable[Unit], jobs: int) -> Iterator[tuple[Unit, Outcome]]:
    """Call ``make_work()`` in each of ``jobs`` processes, and its result on every unit; yield outcomes as they come.

    ``make_work`` must be picklable. When the iterator ends, all processes are killed.
    """
    queue = iter(units)
    slots: dict[Connection, _Slot] = {}
    try:
        for unit in _first(queue, jobs):
            slot = _Slot(make_work)
            slots[slot.pipe] = slot
            slot.give(unit)
        while slots:
            for pipe in wait(list(slots)):
                slot = slots[pipe]  # type: ignore[index]
                yield slot.take()  # first: a finished outcome must not wait for a process to end or start
                del slots[slot.pipe]
                if (following := next(queue, None)) is None:
                    slot.end()
                else:
                    slot = slot.renewed()
                    slots[slot.pipe] = slot
                    slot.give(following)
    finally:
        for slot in slots.values():
            slot.kill()


def _first(queue: Iterator[Unit], count: int) -> list[Unit]:
    return [unit for _, unit in zip(range(count), queue, strict=False)]


class _Slot:
    """A process and the unit it is running."""

    def __init__(self, make_work: Callable[[], Work]) -> None:
        context = multiprocessing.get_context("spawn")
        self.make_work = make_work
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make_work), daemon=True)
        self.unit: Unit
        self.begun = 0.0
        self.taken = 0
        kept = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update(ONE_THREAD)  # libraries read these when they load, so set them before the process starts
        try:
            self.process.start()
        finally:
            _restore(kept)
        theirs.close()

    def give(self, unit: Unit) -> None:
        self.unit, self.begun = unit, time.perf_counter()
        with suppress(OSError):  # the process has died; ``take`` reports it
            self.pipe.send(unit)

    def take(self) -> tuple[Unit, Outcome]:
        try:
            outcome: Outcome = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            self.taken = UNITS_PER_PROCESS
            code = self.process.exitcode or 0
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            return self.unit, Outcome([], time.perf_counter() - self.begun, 0.0, f"its process {how}")
        self.taken += 1
        return self.unit, outcome

    def renewed(self) -> _Slot:
        """This slot, or one with a new process if this one is dead or has run enough units."""
        if self.taken < UNITS_PER_PROCESS:
            return self
        self.end()
        return _Slot(self.make_work)

    def end(self) -> None:
        """End the process; kill it after a while, as threads that a unit left behind may keep it alive."""
        self.pipe.close()
        self.process.join(GRACE_S)
        self.process.kill()
        self.process.join()

    def kill(self) -> None:
        self.process.kill()
        self.end()


def _restore(kept: dict[str, str | None]) -> None:
    for name, value in kept.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


def _serve(pipe: Connection, make_work: Callable[[], Work]) -> None:
    """The loop of a process: receive units and send outcomes until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent decides
    work: Work | None = None
    with suppress(EOFError, BrokenPipeError):
        while True:
            unit = pipe.recv()
            begun, cpu = time.perf_counter(), _cpu_s()
            rows: list[Row] = []
            error = ""
            try:
                if work is None:
                    work = make_work()
                    begun, cpu = time.perf_counter(), _cpu_s()  # imports are not part of the unit
                rows = work(unit)
            except Exception as failure:  # whatever it is, the other units continue
                error = f"{type(failure).__name__}: {' '.join(str(failure).split())} ({_place(failure)})"
            pipe.send(Outcome(rows, time.perf_counter() - begun, _cpu_s() - cpu, error))


def _place(failure: BaseException) -> str:
    """The innermost line of the traceback, as ``file.py:12``."""
    trace: Any = failure.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


def _cpu_s() -> float:
    """CPU seconds of this process, all its threads and the children it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)
