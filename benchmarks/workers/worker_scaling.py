"""How long a generation takes with more workers: ``python -m benchmarks.run workers``.

Searches of 1,000 trees are measured with threads, with one and two Dask workers, and with a folder of two, all on this
machine. A simulation of one generation from the seconds of its chunks and the overheads is compared with what was
measured, and then predicts generations with more workers than there are here.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from distributed import Client
from sklearn.datasets import make_friedman1

from benchmarks.promise.reporting import report
from benchmarks.search_rate import unpack_elevators
from search.executors import spread, worker_kinds
from search.executors.dask_pool import DaskPool
from search.executors.named_workers import DASK
from search.executors.spread import pieces
from search.executors.wire import unpack
from search.run import main as search

CONFIG = """
[data]
source = "{source}"
{more}
[search]
population = {population}
generations = {generations}
rows = "{rows}"
[baselines]
models = []
"""
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
PHASES = ("vary", "train", "cost", "select", "save")
SHARE = 20  # of the trees of the larger search, one in so many is trained: all would take most of an hour
ROUNDS = 3  # runs of each kind in turns, since the speed of a machine changes in minutes
TASKS = 300  # that do nothing, for the overheads of Dask
TRANSFER_BYTES_S = 1.25e8  # a network of 1 Gbit/s, for what chunks and results take beside this machine's memory


class Overheads(NamedTuple):
    """What a chunk takes besides its computation: of the search, of the scheduler, and from a message to its answer."""

    search_s: float
    scheduler_s: float
    latency_s: float


class Recorded(NamedTuple):
    """The seconds of a generation by phase, of its chunks, and the CPU seconds of this process in its training."""

    phases: dict[str, float]
    chunks: list[float]
    cpu_s: float
    sent_bytes: int


class Recording(DaskPool):
    """Notes what each piece of work took."""

    made: list[list[Any]]

    def offer(self, chunks):  # type: ignore[no-untyped-def]
        job = unpack(next(iter(chunks.values())))[0]["job"]
        self.made.append([time.process_time(), 0.0, [], sum(map(len, chunks.values())), job])
        super().offer(chunks)

    def answers(self, wait_s):  # type: ignore[no-untyped-def]
        found = super().answers(wait_s)
        entry = self.made[-1]
        entry[1] = time.process_time()
        entry[2] += [answer.seconds for answer in found if answer.result is not None]
        return found


def simulated(
    chunks: Sequence[float], workers: int, cost: Overheads, serial_s: float, cores: int | None = None
) -> float:
    """The seconds of a generation: chunks are sent one after another, and a free worker takes the next one.

    ``serial_s``: what the search does alone. ``cores``: of the machine, if all of it runs on one.
    """
    free = [0.0] * workers
    heapq.heapify(free)
    send_s = max(cost.search_s / 2, cost.scheduler_s)
    ends = []
    for i, seconds in enumerate(chunks):
        end = max(heapq.heappop(free), (i + 1) * send_s + cost.latency_s / 2) + seconds
        heapq.heappush(free, end)
        ends.append(end + cost.latency_s / 2)
    done = 0.0
    for end in sorted(ends):
        done = max(done, end) + cost.search_s / 2
    if cores:
        done = max(done, (sum(chunks) + len(chunks) * (cost.search_s + cost.scheduler_s)) / cores)
    return done + serial_s


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """The address of a scheduler on this machine with so many workers of one thread, each a process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        contact = Path(folder) / "scheduler.json"
        quiet: dict[str, Any] = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        host = ("--host", "127.0.0.1", "--no-dashboard")
        started = [
            subprocess.Popen([*DASK_COMMAND, "scheduler", *host, "--port", "0", "--scheduler-file", contact], **quiet)
        ]
        try:
            options = (*host, "--nthreads", "1", "--no-nanny", "--scheduler-file", contact)
            started += [subprocess.Popen([*DASK_COMMAND, "worker", *options], **quiet) for _ in range(workers)]
            while not contact.exists():
                time.sleep(0.1)
            with Client(scheduler_file=str(contact), set_as_default=False) as client:
                while len(client.nthreads()) < workers:
                    time.sleep(0.1)
                yield client.scheduler.address.removeprefix("tcp://")
        finally:
            for process in started:
                process.kill()
                process.wait()


DASK_COMMAND = (sys.executable, "-m", "dask")


def recorded(config: Path, workers: str) -> list[Recorded]:
    """The generations of a run after the first one, in which workers join."""
    Recording.made = []
    worker_kinds.KINDS[DASK] = lambda name, run, invited, say: Recording(name.removeprefix(DASK), invited, say)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        if code := search([str(config), "--out", str(out), "--workers", workers, "--quiet"]):
            raise RuntimeError(f"the search ended with code {code}")
        with (out / "history.csv").open() as file:
            rows = [{name: float(row[f"seconds_{name}"]) for name in PHASES} for row in csv.DictReader(file)]
    # Other pieces of work are slopes, and the judgement at the end.
    work = [piece for piece in Recording.made if piece[4] == "evaluate"] or [[0.0, 0.0, [], 0]] * len(rows)
    return [Recorded(row, p[2], p[1] - p[0], p[3]) for row, p in zip(rows, work, strict=True)][1:]


def overheads(address: str, generations: Sequence[Recorded]) -> Overheads:
    """The overheads of Dask by tasks that do nothing, and of the search by its CPU seconds."""
    with Client(f"tcp://{address}", set_as_default=False) as client:
        client.submit(abs, 1, pure=False).result()
        begun = time.perf_counter()
        for i in range(30):
            client.submit(abs, i, pure=False).result()
        latency_s = (time.perf_counter() - begun) / 30
        begun = time.perf_counter()
        client.gather([client.submit(abs, i, pure=False) for i in range(TASKS)])
        scheduler_s = (time.perf_counter() - begun) / TASKS
    own = median(each.cpu_s / max(1, len(each.chunks)) for each in generations)
    return Overheads(own, scheduler_s, latency_s)


def total(generations: Sequence[Recorded]) -> float:
    """The median seconds of a generation."""
    return median(sum(each.phases.values()) for each in generations)


def _elevators(folder: Path, data: Path, population: int, generations: int) -> Path:
    return _config(unpack_elevators(folder, data), 'target = "target"', population, generations, "auto")


def _large(folder: Path, rows: int, population: int) -> Path:
    X, y = make_friedman1(rows, 20, noise=1.0, random_state=0)
    np.savez(folder / "large.npz", X=X, y=y)
    return _config(folder / "large.npz", "", population, 1, "all")


def _config(source: Path, more: str, population: int, generations: int, rows: str) -> Path:
    sizes = {"population": population, "generations": generations, "rows": rows}
    path = source.with_suffix(".toml")
    path.write_text(CONFIG.format(source=source, more=more, **sizes))
    return path


def measured(config: Path) -> dict[str, Any]:
    """A generation by threads and by Dask workers, in turns, and what the simulation says of it."""
    threads: list[Recorded] = []
    dask: dict[int, list[tuple[Recorded, Overheads]]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        threads += recorded(config, "threads")
        for workers, found in dask.items():
            with cluster(workers) as address:
                generations = recorded(config, f"{DASK}{address}")
                cost = overheads(address, generations)
            found += [(each, cost) for each in generations]
    return {"threads": {"workers": os.cpu_count(), "seconds": total(threads)}} | {
        f"Dask, {workers}": _beside_simulation(workers, found) for workers, found in dask.items()
    }


def _beside_simulation(workers: int, found: Sequence[tuple[Recorded, Overheads]]) -> dict[str, Any]:
    generations = [each for each, _ in found]
    return {
        "workers": workers,
        "seconds": total(generations),
        "predicted": median(_simulated_here(each, workers, cost) for each, cost in found),
        "chunks": median(len(each.chunks) for each in generations),
        "serial": median(map(_serial, generations)),
    }


def _simulated_here(each: Recorded, workers: int, cost: Overheads) -> float:
    return simulated(each.chunks, workers, cost, _serial(each), os.cpu_count())


def _serial(each: Recorded) -> float:
    return sum(seconds for name, seconds in each.phases.items() if name != "train")


def predicted(config: Path, trees: int, serial_s: float) -> dict[str, Any]:
    """The efficiency of a generation of so many ``trees`` with more workers, from a run of ``SHARE`` times fewer.

    A chunk takes some seconds for its rows, however few trees it has, and some for each tree: both are known from the
    same trees in many chunks and in few. ``serial_s``: the seconds that the search takes alone for all trees, which do
    not depend on the rows.
    """
    with cluster(2) as address:
        many, few = (_in_chunks(config, address, count) for count in (trees // SHARE, 2))
        cost = overheads(address, [many])
    for_rows_s = (sum(many.chunks) - sum(few.chunks)) / (len(many.chunks) - len(few.chunks))
    for_trees_s = SHARE * (sum(few.chunks) - len(few.chunks) * for_rows_s)
    sent_bytes = SHARE * many.sent_bytes  # of all trees, and as many come back
    rng = np.random.default_rng(0)
    chunks, seconds = {}, {}
    for workers in WORKERS:
        count = min(trees, pieces(for_trees_s, workers))
        drawn = rng.choice(np.array(many.chunks), count)
        chunks[workers] = count
        sent = cost._replace(latency_s=cost.latency_s + 2 * sent_bytes / count / TRANSFER_BYTES_S)
        share = for_trees_s * drawn / drawn.sum()
        seconds[workers] = simulated((for_rows_s + share).tolist(), workers, sent, serial_s)
    return {
        "for_rows_s": for_rows_s,
        "for_trees_s": for_trees_s,
        "chunks": chunks,
        "serial_seconds": serial_s,
        "overheads": cost._asdict(),
        "seconds": seconds,
        "efficiency": {count: seconds[1] / count / each for count, each in seconds.items()},
    }


def _in_chunks(config: Path, address: str, count: int) -> Recorded:
    """A generation whose trees are cut into so many chunks."""
    before, spread.pieces = spread.pieces, lambda seconds, slots: count
    try:
        (one,) = recorded(config, f"{DASK}{address}")
    finally:
        spread.pieces = before
    return one


def page(found: dict[str, Any]) -> str:
    threads = found["measured"]["threads"]["seconds"]
    far = found["predicted"]
    lines = [
        "# Workers",
        "",
        f"Written by `{found['command']}` on {found['cpu_count']} cores. {found['population']:,} trees on elevators, "
        "the median generation; all workers are on this machine and have one thread.",
        "",
        "| work by | seconds | to threads | the simulation says |",
        "| - | -: | -: | -: |",
    ]
    for name, each in found["measured"].items():
        said = (
            f"{each['predicted']:.2f} ({each['predicted'] / each['seconds'] - 1:+.0%})" if "predicted" in each else ""
        )
        lines.append(f"| {name} | {each['seconds']:.2f} | {each['seconds'] / threads:.2f} | {said or ''} |")
    ms = {name: 1e3 * seconds for name, seconds in far["overheads"].items()}
    lines += [
        "",
        f"Predicted for {found['population']:,} trees on {found['rows']:,} rows x 20 inputs, from chunks of one in "
        f"{SHARE} of them: a chunk takes {far['for_rows_s']:.2f} s for its rows, and all trees together take "
        f"{far['for_trees_s']:.0f} s; the search alone {far['serial_seconds']:.2f} s. A chunk takes the search "
        f"{ms['search_s']:.1f} ms, Dask's scheduler {ms['scheduler_s']:.1f} ms, and its messages "
        f"{ms['latency_s']:.1f} ms on a network of 1 Gbit/s. Efficiency: the seconds of one worker, divided by those "
        "of so many and by their number.",
        "",
        "| workers | chunks | seconds of a generation | efficiency |",
        "| -: | -: | -: | -: |",
        *(
            f"| {count} | {far['chunks'][count]} | {far['seconds'][count]:.2f} | {far['efficiency'][count]:.2f} |"
            for count in far["seconds"]
        ),
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder that has uci/")
    parser.add_argument("--population", type=int, default=1000)
    parser.add_argument("--generations", type=int, default=6)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("results/workers.json"))
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {"population": options.population, "rows": options.rows}
        near = measured(_elevators(folder, options.data, options.population, options.generations))
        large = _large(folder, options.rows, max(2, options.population // SHARE))
        far = predicted(large, options.population, near["Dask, 2"]["serial"])
        report("workers", found | {"measured": near, "predicted": far}, page, options.out)


if __name__ == "__main__":
    main()
