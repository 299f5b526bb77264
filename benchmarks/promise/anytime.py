"""``--time``: whether whole commands end within the time given, and what more time brings.

``python -m benchmarks.run anytime`` runs ``python -m search.run ... --time`` for every time, table and seed, as a user
starts it, two runs at once with a processor core each. The first seed begins with empty caches, the others share one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.promise.beside_old import fair_volume
from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table as markdown
from neuraltree.storing import store
from search.front import load_front

TABLES: dict[str, tuple[str, ...]] = {  # and the columns that are constant
    **dict.fromkeys(("breast_cancer", "diabetes", "friedman1", "wine"), ()),
    "digits": ("pixel_0_0", "pixel_4_0", "pixel_4_7"),
}
TIMES_S = (10, 30, 60)
SLACK = 1.2  # times the time given
ABOUT = """Wall-clock seconds of whole commands, with a processor core each. Errors are means over the seeds, on test
rows: of the recommended member, and of the best members by promise within 5 to 100 weights."""
Cores = SimpleQueue  # the numbers of the cores that are free


def measured(job: tuple[str, int, int], cores: Cores[int], cache: str) -> dict[str, Any]:
    source, limit_s, seed = job
    with tempfile.TemporaryDirectory() as folder:
        out, config = Path(folder) / "out", Path(folder) / "c.toml"
        store({config: f'data.source = "{source}"\ndata.drop = {json.dumps(TABLES[source])}\n'})
        caches = folder if seed == 0 else cache
        environment = os.environ | {"XDG_CACHE_HOME": caches, "MPLCONFIGDIR": caches}
        command = [sys.executable, "-m", "search.run", str(config), "--out", str(out), "--quiet"]
        core = cores.get()
        begun = time.perf_counter()
        try:
            pinned = ["taskset", "-c", str(core), *command, "--time", f"{limit_s}s", "--seed", str(seed)]
            subprocess.run(pinned, check=True, env=environment)
        finally:
            cores.put(core)  # else a run that fails leaves the others waiting
        took = time.perf_counter() - begun
        front = load_front(out)
        lines = (out / "history.csv").read_text().splitlines()
    members = [member.values | {"test": member.test_error} for member in front]
    return {
        **dict(zip(("table", "limit_s", "seed"), job, strict=True)),
        "took_s": took,
        "members": len(front),
        "generations": len(lines) - 2,
        "test_error": front.recommended().test_error,
        "honest_error": front.recommended().honest_error,
        "within": fair_volume({"members": members}),
    }


def page(result: dict[str, Any]) -> str:
    lines = []
    for source, limit_s in product(TABLES, TIMES_S):
        of = [row for row in result["rows"] if (row["table"], row["limit_s"]) == (source, limit_s)]
        cold, warm = ([row["took_s"] for row in of if (row["seed"] == 0) == first] for first in (True, False))
        means = [np.mean([row[key] for row in of]) for key in ("generations", "members", "test_error", "within")]
        longest = [f"{max(took):.1f}" if took else "" for took in (cold, warm)]
        lines.append([source, str(limit_s), *longest, *(f"{value:.3g}" for value in means)])
    worst = max(row["took_s"] / row["limit_s"] for row in result["rows"])
    header = (
        *("table", "time given, s", "cold, s", "warm, longest, s", "generations", "members"),
        *("test error", "error ≤ 100 weights"),
    )
    told = f"The longest run took {worst:.2f} of its time; {SLACK:g} are allowed."
    return f"# A search for a time\n\nMade by `{result['command']}`. {ABOUT}\n\n{markdown(header, lines)}\n\n{told}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/anytime.json"), help="default: %(default)s")
    options = parser.parse_args()
    console, found = Console(stderr=True), []
    cores: Cores[int] = SimpleQueue()
    for core in sorted(os.sched_getaffinity(0))[:2]:
        cores.put(core)
    jobs = [(source, limit_s, seed) for seed, source, limit_s in product(range(options.seeds), TABLES, TIMES_S)]
    with tempfile.TemporaryDirectory() as cache, ThreadPoolExecutor(cores.qsize()) as threads:
        for row in threads.map(lambda job: measured(job, cores, cache), jobs):
            found.append(row)
            console.print(f"{row['table']}, {row['limit_s']} s, seed {row['seed']}: {row['took_s']:.1f} s")
    report("anytime", {"seeds": options.seeds, "rows": found}, page, options.out)


if __name__ == "__main__":
    main()
