"""Test scores on the papers' tables with the configs in experiments/configs, several seeds each.

``python -m benchmarks.tables`` needs the tables (set NEURALTREE_DATA). From each run's front it takes the recommended
member among those with at most 60 weights; test rows choose nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import facts
from neuraltree.storing import store
from search.front import load_front

CONFIGS = Path("experiments/configs")
NAMES = ("friedman", "mpg6", "iris", "australian")
MOST_WEIGHTS = 60
PACKAGES = ("neuraltree", "numpy", "jax", "optax", "moocore", "scikit-learn")
COLUMNS = ("table", "runs", "median", "least", "most", "weights", "seconds")


def measure(name: str, seed: int, folder: Path, overrides: list[str]) -> dict[str, Any]:
    """One run in its own process, as a user starts it."""
    out = folder / f"{name}-{seed}"
    command = [
        sys.executable,
        "-m",
        "search.run",
        str(CONFIGS / f"{name}.toml"),
        "--seed",
        str(seed),
        "--out",
        str(out),
        "--set=baselines.models=[]",  # so that the seconds are those of the search
    ]
    begun = time.perf_counter()
    code = subprocess.run([*command, "--quiet", *(f"--set={text}" for text in overrides)], check=False).returncode
    if code:
        raise SystemExit(code)  # the run has printed the reason
    seconds = time.perf_counter() - begun
    member = load_front(out).select(weights=MOST_WEIGHTS)
    manifest = json.loads((out / "manifest.json").read_text())
    return {
        "table": name,
        "seed": seed,
        "test_score": member.test_score,
        "val_error": member.val_error,
        "weights": int(member.weights),
        "seconds": round(seconds, 1),
        "front": len(load_front(out)),
        "config_hash": manifest["config_hash"],
    }


def summary(rows: list[dict[str, Any]]) -> list[list[str]]:
    lines = []
    for name in dict.fromkeys(row["table"] for row in rows):
        mine = [row for row in rows if row["table"] == name]
        scores = [row["test_score"] for row in mine]
        figures = [np.median(scores), min(scores), max(scores)]
        weights = np.median([row["weights"] for row in mine])
        slowest = max(row["seconds"] for row in mine)
        lines.append([name, str(len(mine)), *(f"{f:.3f}" for f in figures), f"{weights:.0f}", f"{slowest:.0f}"])
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("results/tables.json"), help="default: %(default)s")
    parser.add_argument("--tables", nargs="+", default=NAMES)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            measure(name, seed, Path(folder), arguments.overrides)
            for name in arguments.tables
            for seed in range(arguments.seeds)
        ]
    table = Table(*COLUMNS, box=None, title=f"test score, <= {MOST_WEIGHTS} weights; slowest run")
    for line in summary(rows):
        table.add_row(*line)
    Console().print(table)
    about = {"command": "python -m benchmarks.tables", "overrides": arguments.overrides, **facts(PACKAGES)}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    store({arguments.out: json.dumps({**about, "rows": rows}, indent=2) + "\n"})


if __name__ == "__main__":
    main()
