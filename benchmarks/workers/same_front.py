"""Whether a run leaves the same files whoever does its work: ``python -m benchmarks.run same_front``.

Runs of several seeds by threads, by one, two and four Dask workers, and with a folder whose workers come and go.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.promise.reporting import report
from benchmarks.workers.faults import files, start_worker
from benchmarks.workers.worker_scaling import cluster
from search.executors.named_workers import DASK, FOLDER, THREADS
from search.run import main as search

SMALL = """
[data]
source = "iris"
[search]
population = 20
generations = 6
folds = 3
[train]
epochs = 5
[variation]
grow_edge = 0.3
[baselines]
models = []
"""
QUICKSTART = Path(__file__).parents[2] / "experiments/configs/quickstart.toml"
STAY_S = (0.5, 6.0)  # how long a worker of a folder stays
Worked = Callable[[Path], AbstractContextManager[str]]


@contextmanager
def _coming_and_going(out: Path) -> Iterator[str]:
    """Two workers of the run folder at a time, each of which is killed and replaced soon."""
    rng, done = random.Random(str(out.name)), threading.Event()
    workers = [start_worker(out) for _ in range(2)]

    def trouble() -> None:
        while not done.wait(rng.uniform(*STAY_S)):
            victim = workers.pop(rng.randrange(len(workers)))
            victim.kill()
            victim.wait()
            workers.append(start_worker(out))

    thread = threading.Thread(target=trouble)
    thread.start()
    try:
        yield FOLDER
    finally:
        done.set()
        thread.join()
        for worker in workers:
            worker.kill()
            worker.wait()


@contextmanager
def _of(name: str, out: Path) -> Iterator[str]:
    del out
    yield name


def compared(config: Path, seeds: Sequence[int], folder: Path) -> dict[str, int]:
    """By kind of workers: how many seeds have the files of threads, every one to the byte."""
    expected = {seed: _files(config, seed, folder / f"threads-{seed}", THREADS) for seed in seeds}
    same: dict[str, int] = {}

    def compare(name: str, worked: Worked) -> None:
        same[name] = 0
        for seed in seeds:
            out = folder / f"{len(same)}-{seed}"
            out.mkdir()
            with worked(out) as workers:
                same[name] += _files(config, seed, out, workers) == expected[seed]
        Console(stderr=True).print(f"{config.stem}: {name}: {same[name]} of {len(seeds)}")

    for count in (1, 2, 4):
        with cluster(count) as address:
            compare(f"Dask, {count} worker{'s' * (count > 1)}", partial(_of, f"{DASK}{address}"))
    compare("a folder, workers that come and go", _coming_and_going)
    return same


def _files(config: Path, seed: int, out: Path, workers: str) -> dict[str, bytes]:
    if code := search([str(config), "--seed", str(seed), "--out", str(out), "--workers", workers, "--quiet"]):
        raise RuntimeError(f"the search ended with code {code}")
    return files(out)


def page(found: dict[str, Any]) -> str:
    small, large = found["small"], found["quickstart"]
    return "\n".join(
        [
            "# One front, whoever does the work",
            "",
            f"Written by `{found['command']}`. Runs whose every model, front.csv, evolution.npz and archive.npz are "
            "those of threads, to the byte.",
            "",
            "| workers | a small run | the quickstart |",
            "| - | -: | -: |",
            *(
                f"| {name} | {small[name]} of {found['seeds']} | {large[name]} of {found['quickstart_seeds']} |"
                for name in small
            ),
            "",
        ]
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--quickstart-seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/same_front.json"))
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "small.toml"
        config.write_text(SMALL)
        small = compared(config, range(options.seeds), Path(name))
    with tempfile.TemporaryDirectory() as name:
        large = compared(QUICKSTART, range(options.quickstart_seeds), Path(name))
    counts = {"seeds": options.seeds, "quickstart_seeds": options.quickstart_seeds}
    report("same_front", {"small": small, "quickstart": large, **counts}, page, options.out)


if __name__ == "__main__":
    main()
