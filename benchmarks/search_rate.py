"""Real searches by this engine and by the old one, beside each other: CPU seconds of all threads.

``git worktree add ../old 6dcb75b`` makes a checkout of the old engine, then ``python -m benchmarks.run rate --old
../old``. Both run with this Python. Every table is searched by both engines in turn, for each seed: the train phase
with all programs compiled (the second search of a process) and, for the small tables, the whole command with an empty
cache, and the same with the cache that this left. ``--large`` compares two generations on friedman1 of 100,000 rows
instead.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.datasets import make_friedman1

from benchmarks.machine import facts, wait
from neuraltree.storing import store

PACKAGES = ("neuraltree", "numpy", "jax", "optax", "deap", "moocore")
DRIVER = Path(__file__).with_name("engine") / "search_rate_driver.py"
ROOT = Path(__file__).parents[1]
SMALL = ("quickstart", "friedman", "vehicle", "wdbc")
CONFIG = '[data]\nsource = "{source}"\n{target}'
ELEVATORS = "uci/elevators.csv.gz"
LARGE_FEATURES = 18  # elevators.csv has its columns of test splits after the target


class Spent(NamedTuple):
    """CPU seconds of all threads and children, seconds by the clock, and seconds to the first line of progress."""

    cpu_s: float
    wall_s: float
    first_line_s: float


def unpack_elevators(folder: Path, data: Path) -> Path:
    """The table without its columns of test splits, whose target is named target, as a CSV file in ``folder``."""
    with gzip.open(data / ELEVATORS, "rt") as file:
        lines = [",".join(line.split(",")[: LARGE_FEATURES + 1]).strip() for line in file]
    path = folder / "elevators.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def configs(folder: Path, data: Path) -> dict[str, Path]:
    """The config of every table whose data are here."""
    found = {"quickstart": ROOT / "experiments/configs/quickstart.toml"}
    for name in SMALL[1:]:
        if (data / "tables" / f"{name}.csv").exists():
            found[name] = folder / f"{name}.toml"
            found[name].write_text(CONFIG.format(source=data / "tables" / f"{name}.csv", target=""))
    if (data / ELEVATORS).exists():
        unpack_elevators(folder, data)
        found["elevators"] = folder / "elevators.toml"
        found["elevators"].write_text(CONFIG.format(source=folder / "elevators.csv", target='target = "target"\n'))
    return found


def large(folder: Path) -> dict[str, Path]:
    """The config of friedman1 with 100,000 rows."""
    X, y = make_friedman1(100_000, 10, noise=1.0, random_state=0)
    np.savez(folder / "large.npz", X=X, y=y)
    config = folder / "large.toml"
    config.write_text(CONFIG.format(source=folder / "large.npz", target=""))
    return {"friedman1, 100,000 rows": config}


def driven(engine: Path, cache: Path, *arguments: object) -> tuple[str, Spent]:
    """The standard output of the driver in a checkout, and what it took."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(DRIVER), *map(str, arguments)]
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=engine, env=environment, stdout=output, stderr=subprocess.PIPE)
        assert process.stderr is not None
        lines, first = [], float("nan")
        for line in process.stderr:
            lines.append(line.decode())
            if line.startswith(b"generation 0"):
                first = time.perf_counter() - start
        process.stderr.close()
        usage = wait(process)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed in {engine}: {''.join(lines)}")
        output.seek(0)
        spent = Spent(usage.ru_utime + usage.ru_stime, time.perf_counter() - start, first)
        return output.read().decode(), spent


def measure_phases(name: str, config: Path, engine: Path, seed: int, generations: int) -> dict[str, Any]:
    """The CPU seconds of a search by phase, as the first and as the second search of a process.

    ``train_cpu_ns``: nanoseconds of the train phase for each weight·sample.
    """
    with tempfile.TemporaryDirectory() as cache:
        found = json.loads(driven(engine, Path(cache), "phases", config, seed, generations)[0])
    train = found["second"]["train"]
    # The two searches part company: crossover has changed since the old engine, and with it the trees.
    return {"table": name, "seed": seed, **found, "train_cpu_s": train, "train_cpu_ns": 1e3 * train / found["work"]}


def measure_whole(config: Path, engine: Path, seed: int) -> dict[str, float]:
    """Whole commands, cold and warm."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder, "cache")
        whole = {}
        for state in ("cold", "warm"):
            _, spent = driven(engine, cache, "run", config, seed, Path(folder, state))
            whole |= {f"{state}_{part}": value for part, value in spent._asdict().items()}
    return whole


def ratios(rows: list[dict[str, Any]], column: str) -> dict[str, float]:
    """By table, the median over the seeds of the old engine's figure, divided by this one's."""
    rows = [row for row in rows if column in row]
    tables = dict.fromkeys(row["table"] for row in rows)
    by = {(row["engine"], row["table"], row["seed"]): row[column] for row in rows}
    seeds = sorted({row["seed"] for row in rows})
    return {
        table: float(np.median([by["old", table, seed] / by["new", table, seed] for seed in seeds])) for table in tables
    }


def report(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Print how many times the old engine takes, and return it."""
    columns = [c for c in ("train_cpu_ns", "cold_cpu_s", "warm_cpu_s", "cold_wall_s", "warm_wall_s") if c in rows[0]]
    found = {column: ratios(rows, column) for column in columns}
    shown = Table("table", *columns, title="how many times as long the old engine takes")
    for table in found["train_cpu_ns"]:
        shown.add_row(table, *(f"{found[column][table]:.1f}" if table in found[column] else "" for column in columns))
    console = Console(width=100)
    console.print(shown)
    summary: dict[str, Any] = {"ratios": found}
    summary["train_geometric_mean"] = float(np.exp(np.mean(np.log(list(found["train_cpu_ns"].values())))))
    small = [row for row in rows if row["table"] in SMALL and "cold_cpu_s" in row]
    if small:
        cold = {engine: sum(row["cold_cpu_s"] for row in small if row["engine"] == engine) for engine in ("old", "new")}
        summary["cold_small_tables"] = cold["old"] / cold["new"]
        summary["first_line_s"] = max(row["cold_first_line_s"] for row in small if row["engine"] == "new")
    for name, value in summary.items():
        if name != "ratios":
            console.print(f"{name}: {value:.2f}")
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--old", type=Path, required=True, help="a checkout of commit 6dcb75b")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data", help="folder of tables/ and uci/")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--generations", type=int, default=20, help="of the searches whose phases are measured")
    parser.add_argument("--tables", nargs="*", help="only these")
    parser.add_argument("--large", action="store_true", help="two generations on friedman1 of 100,000 rows")
    parser.add_argument("--out", type=Path, help="write all figures to this JSON file")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        found = large(Path(folder)) if options.large else configs(Path(folder), options.data)
        for name, config in found.items():
            if options.tables and name not in options.tables:
                continue
            for seed in range(options.seeds):
                for engine, path in (("old", options.old.resolve()), ("new", ROOT)):
                    generations = 1 if options.large else options.generations
                    row = {"engine": engine, **measure_phases(name, config, path, seed, generations)}
                    rows.append(row | (measure_whole(config, path, seed) if name in SMALL else {}))
                    shown = {k: round(v, 2) for k, v in rows[-1].items() if isinstance(v, float)}
                    print(name, f"seed {seed}", engine, shown, flush=True)
    summary = report(rows)
    if options.out:
        store({options.out: json.dumps({"machine": facts(PACKAGES), **summary, "rows": rows}, indent=1)})


if __name__ == "__main__":
    main()
