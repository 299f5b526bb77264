"""Faults of workers and of the search, and the front that is left: ``python -m benchmarks.run faults``.

A small run is done by threads, then again with ``--workers folder`` and two workers while its processes are killed,
stopped for longer than a lease, doubled, or met by a full disk. What it leaves must be the same to the byte. The lease
is 2 seconds here instead of 30, so that a stop is longer than it.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from benchmarks.promise.reporting import report

CONFIG = """
[data]
source = "iris"
[run]
seed = {seed}
[search]
population = 60
generations = 60
folds = 3
objectives = ["error", "weights"]
[train]
epochs = 30
[variation]
grow_edge = 0.3
[baselines]
models = []
"""
LEASE_S = 2.0
# The search and its worker as users start them, but with a short lease. A worker may answer twice, under two names; and
# the n-th writes of a process can meet a full disk.
SEARCH = """
import sys
from search.executors import folder_pool
folder_pool.LEASE_S = float(sys.argv.pop(1))
from search.run import main
raise SystemExit(main())
"""
WORKER = """
import sys
from search.executors import folder_worker
from search.executors.work_folder import DONE
twice = sys.argv.pop(1) == "twice"
put = folder_worker.WorkFolder.put
def doubled(self, name, files):
    put(self, name, files)
    if name == DONE and twice:
        put(self, name, {file.replace("@", "@again-"): content for file, content in files.items()})
folder_worker.WorkFolder.put = doubled
from search.worker import main
raise SystemExit(main())
"""
FULL = """
import errno, pathlib, random, sys
rng = random.Random(int(sys.argv.pop(1)))
write, left = pathlib.Path.write_bytes, [rng.randrange(5, 400)]
def full(self, data):
    left[0] -= 1
    if -3 < left[0] <= 0:
        write(self, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")
    return write(self, data)
pathlib.Path.write_bytes = full
"""
FILES = ("front.csv", "evolution.npz", "archive.npz")


class Trial(NamedTuple):
    """A run in progress."""

    config: Path
    out: Path
    rng: random.Random
    workers: list[subprocess.Popen[bytes]]


class Fault(NamedTuple):
    """``count``: how often the fault is to happen. ``harm(trial, search)``: one fault; returns whether it happened."""

    count: int
    harm: Callable[[Trial, subprocess.Popen[bytes]], bool]
    every_s: float
    twice: bool = False
    full: bool = False


def _kill_worker(trial: Trial, search: subprocess.Popen[bytes]) -> bool:
    del search
    victim = trial.rng.choice(trial.workers)
    victim.kill()
    victim.wait()
    trial.workers.remove(victim)
    trial.workers.append(start_worker(trial.out))
    return True


def _kill_search(trial: Trial, search: subprocess.Popen[bytes]) -> bool:
    del trial
    search.kill()
    return True


def _stop_worker(trial: Trial, search: subprocess.Popen[bytes]) -> bool:
    victim = trial.rng.choice(trial.workers)
    victim.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    while time.monotonic() - begun < LEASE_S + 1.5 and search.poll() is None:
        time.sleep(0.1)
    victim.send_signal(signal.SIGCONT)
    return True


def _nothing(trial: Trial, search: subprocess.Popen[bytes]) -> bool:
    del trial, search
    return True


FAULTS: dict[str, Fault] = {
    "none": Fault(0, _nothing, 1e9),
    "a worker is killed": Fault(50, _kill_worker, 2.0),
    "the search is killed and resumed": Fault(20, _kill_search, 4.0),
    "a worker is stopped for longer than its lease": Fault(20, _stop_worker, 0.5),
    "workers answer twice": Fault(20, _nothing, 0.5, twice=True),
    "the disk of the search is full, and it is resumed": Fault(10, _nothing, 1e9, full=True),
}


def start_worker(out: Path, twice: bool = False) -> subprocess.Popen[bytes]:
    """A worker of one thread; ``twice``: it answers under two names."""
    return _started(WORKER, "twice" if twice else "once", out, "--threads", 1)


def _search(*arguments: object, full: int | None = None) -> subprocess.Popen[bytes]:
    if full is None:
        return _started(SEARCH, LEASE_S, *arguments)
    return _started(FULL + SEARCH, full, LEASE_S, *arguments)


def _started(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def files(out: Path) -> dict[str, bytes]:
    """The results that do not depend on time."""
    models = {path.name: path.read_bytes() for path in sorted((out / "models").iterdir())}
    return models | {name: (out / name).read_bytes() for name in FILES}


def meet(fault: Fault, folder: Path, seed: int) -> dict[str, Any]:
    """Runs with a fault until it has happened often enough; what they left and how long they took."""
    config = folder / "small.toml"
    config.write_text(CONFIG.format(seed=seed))
    expected = folder / "threads"
    _search(config, "--out", expected).wait()
    happened, seconds, same, resumed = 0, [], 0, 0
    while not seconds or happened < fault.count:
        out = folder / f"run-{len(seconds)}"
        out.mkdir()
        trial = Trial(config, out, random.Random(1000 * seed + len(seconds)), [])
        trial.workers.extend(start_worker(out, fault.twice) for _ in range(2))
        begun = time.perf_counter()
        full = trial.rng.randrange(10**6) if fault.full else None
        search = _search(config, "--out", out, "--workers", "folder", full=full)
        try:
            code = None
            while code != 0:
                due = time.perf_counter() + fault.every_s * trial.rng.uniform(0.5, 1.5)
                while (code := search.poll()) is None and time.perf_counter() < due:
                    time.sleep(0.05)
                if code is None and (out / "checkpoint").exists() and happened < fault.count:
                    happened += fault.harm(trial, search)
                elif code:
                    happened += fault.full
                    resumed += 1
                    if resumed > 10 * fault.count + 10:
                        raise RuntimeError(f"the search in {out} ends with code {code} again and again")
                    again = (out, "--resume") if (out / "config.toml").exists() else (config, "--out", out)
                    full = trial.rng.randrange(10**6) if fault.full and happened < fault.count else None
                    search = _search(*again, "--workers", "folder", full=full)
        finally:
            for each in (*trial.workers, search):
                each.kill()
                each.wait()
        seconds.append(time.perf_counter() - begun)
        same += files(out) == files(expected)
    return {"faults": happened, "runs": len(seconds), "resumed": resumed, "same": same, "seconds": seconds}


def page(found: dict[str, Any]) -> str:
    usual = found["faults"]["none"]["seconds"][0]
    lines = [
        "# Faults of workers and of the search",
        "",
        f"Written by `{found['command']}`. A run of 60 trees and 60 generations on iris with `--workers folder` and "
        f"two workers of one thread, on {found['cpu_count']} cores; without faults it takes {usual:.0f} s. The same: "
        "every model, front.csv, evolution.npz and archive.npz are those of a run by threads, to the byte.",
        "",
        "| fault | times | runs | the same | time lost a fault, s |",
        "| - | -: | -: | -: | -: |",
    ]
    for name, each in found["faults"].items():
        lost = (sum(each["seconds"]) - usual * each["runs"]) / max(1, each["faults"])
        told = "–" if name == "none" else f"{lost:.1f}"
        lines.append(f"| {name} | {each['faults']} | {each['runs']} | {each['same']} | {told} |")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(FAULTS), help="one fault, without a page")
    parser.add_argument("--out", type=Path, default=Path("results/faults.json"))
    options = parser.parse_args(argv)
    found = {}
    for name in [options.only] if options.only else FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = meet(FAULTS[name], Path(folder), options.seed)
        Console(stderr=True).print(f"{name}: {found[name]}", soft_wrap=True)
    if not options.only:
        report("faults", {"faults": found}, page, options.out)


if __name__ == "__main__":
    main()
