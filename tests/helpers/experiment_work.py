"""Work for the processes of the tests of the experiments' frame, which import this module and little else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from experiments.frame.experiment import Experiment, Row, Unit


def make_work() -> Callable[[Unit], list[Row]]:
    return lambda unit: WORK[unit.job](unit)


def worker(name: str, quick: bool) -> Callable[[Unit], list[Row]]:
    """In the place of that of the experiments."""
    assert name == TOY.name
    return lambda unit: [{"table": unit.table, "job": unit.job, "seed": unit.seed, **row} for row in run(unit, quick)]


def run(unit: Unit, quick: bool) -> list[Row]:
    del quick
    return WORK[unit.job](unit)


def _raise(unit: Unit) -> list[Row]:
    raise RuntimeError(f"seed {unit.seed}\nis bad")


def _sleep(unit: Unit) -> list[Row]:
    time.sleep(60)
    raise AssertionError(f"{unit} should have been ended")


WORK: dict[str, Any] = {
    "good": lambda unit: [{"value": unit.seed / 3}, {"value": None}],
    "pid": lambda unit: [{"value": os.getpid()}],
    "threads": lambda unit: [{"value": os.environ["OMP_NUM_THREADS"]}],
    "raise": _raise,
    "exit": lambda unit: os._exit(7),
    "killed": lambda unit: os.kill(os.getpid(), signal.SIGKILL),
    "sleep": _sleep,
}


def units(seeds: int, quick: bool) -> list[Unit]:
    return [Unit("toy", job, seed) for seed in range(1 if quick else seeds) for job in ("good", "raise", "pid")]


TOY = Experiment("toy", "for tests", 2, ("value",), units, run, lambda unit, quick: {"job": unit.job, "quick": quick})
