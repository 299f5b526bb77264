"""Time of a generation by phase, and its growth with the population.

``python -m benchmarks.search_speed`` runs searches of several populations on the friedman table (set NEURALTREE_DATA;
without it, on scikit-learn's friedman1), each in its own process, and reads their history.csv: seconds by phase, as
medians over the generations that compiled nothing. Peak memory is that of the whole process.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import facts, wait
from neuraltree.storing import store

PACKAGES = ("neuraltree", "numpy", "jax", "optax", "deap", "moocore")
PHASES = ("vary", "train", "cost", "select", "save")
# Generations by population: enough to pass the first ones, but few if each takes long.
RUNS = {100: 30, 256: 30, 1000: 12, 3000: 6, 10_000: 4}
CONFIG = """[data]
source = "{source}"
[search]
objectives = ["error", "weights", "latency_s"]
[hardware]
device = "cortex-m4f"
"""


def measure(config: Path, population: int, generations: int, out: Path) -> dict[str, Any]:
    """Median seconds of a generation by phase, and the process's peak memory."""
    sizes = [f"--set=search.population={population}", f"--set=search.generations={generations}"]
    command = [sys.executable, "-m", "search.run", str(config), "--quiet", "--out", str(out), *sizes]
    process = subprocess.Popen(command)
    usage = wait(process)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    with (out / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    steady = [row for before, row in pairwise(rows) if row["compilations"] == before["compilations"]]
    seconds = {phase: float(np.median([float(row[f"seconds_{phase}"]) for row in steady])) for phase in PHASES}
    whole = sum(seconds.values())
    return {
        "population": population,
        "generations": generations,
        "generation_s": whole,
        "tree_ms": 1e3 * whole / population,
        "share_not_training": 1 - seconds["train"] / whole,
        **{f"seconds_{phase}": value for phase, value in seconds.items()},
        "compilations": int(rows[-1]["compilations"]),
        "peak_memory_mib": usage.ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("results/search_speed.json"), help="default: %(default)s")
    parser.add_argument("--populations", type=int, nargs="+", default=list(RUNS))
    arguments = parser.parse_args()
    source = "friedman" if "NEURALTREE_DATA" in os.environ else "friedman1"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "speed.toml"
        config.write_text(CONFIG.format(source=source))
        rows = [measure(config, n, RUNS.get(n, 6), Path(folder) / str(n)) for n in arguments.populations]
    columns = ("trees", "s", "ms/tree", *PHASES, "other", "compiled", "MiB")
    table = Table(
        *columns, box=None, title=f"{source}: a generation's seconds by phase; other: share that is not training"
    )
    for row in rows:
        phases = [f"{row[f'seconds_{phase}']:.3f}" for phase in PHASES]
        share = f"{row['share_not_training']:.0%}"
        figures = [f"{row['generation_s']:.3f}", f"{row['tree_ms']:.3f}", *phases, share]
        table.add_row(str(row["population"]), *figures, str(row["compilations"]), f"{row['peak_memory_mib']:.0f}")
    tree_ms = [row["tree_ms"] for row in rows]
    growth = max(tree_ms) / min(tree_ms)
    Console().print(table, f"time per tree: {growth:.2f} times the least where it is most")
    about = {"command": "python -m benchmarks.search_speed", "source": source, **facts(PACKAGES)}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    store({arguments.out: json.dumps({**about, "growth": growth, "rows": rows}, indent=2) + "\n"})


if __name__ == "__main__":
    main()
