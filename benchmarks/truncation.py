"""Time to truncate a front to half by hypervolume contributions: lazy greedy compared with repeated exact removal.

python -m benchmarks.truncation [--out FILE.json] prints a table and writes the JSON. Times are CPU times.
Repeated removal calls moocore.hv_contributions on all remaining points for every single removal, as pymoo does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import moocore
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from neuraltree.storing import store
from search.selection.hypervolume import truncate

SEED = 0
SIZES = {2: (400, 1000, 2000), 3: (400, 1000, 2000), 4: (100, 200, 400, 1000), 5: (100, 200, 400)}
REPEATS = 3  # the least of these is reported; repeated removal is timed once
LIMIT_S = 10.0  # repeated removal is stopped here
COLUMNS = ("objectives", "points", "kept", "lazy_s", "repeated_s", "ratio", "same_survivors")

Floats = NDArray[np.float64]


def front(rng: np.random.Generator, n_points: int, n_objectives: int) -> Floats:
    """The worst case: points uniform on the simplex, none of which dominates another."""
    return rng.dirichlet(np.ones(n_objectives), size=n_points)


def repeated_removal(points: Floats, reference: Floats, keep: int) -> NDArray[np.intp] | None:
    """Indices of the survivors, or None if that takes more than LIMIT_S."""
    start = time.process_time()
    alive = np.arange(len(points))
    while len(alive) > keep:
        if time.process_time() - start > LIMIT_S:
            return None
        contributions = moocore.hv_contributions(points[alive], ref=reference)
        alive = np.delete(alive, len(alive) - 1 - np.argmin(contributions[::-1]))
    return alive


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """CPU seconds of one call, and its result."""
    start = time.process_time()
    result = function(*arguments)
    return time.process_time() - start, result


def measure(rng: np.random.Generator, n_objectives: int, n_points: int) -> dict[str, Any]:
    """One row of the table. `repeated_s` and the values that depend on it are None if repeated removal was stopped."""
    points, reference, keep = front(rng, n_points, n_objectives), np.full(n_objectives, 1.1), n_points // 2
    runs = [timed(truncate, points, reference, keep) for _ in range(REPEATS)]
    lazy_s, lazy = min(seconds for seconds, _ in runs), runs[0][1]
    repeated_s, repeated = timed(repeated_removal, points, reference, keep)
    row = {"objectives": n_objectives, "points": n_points, "kept": keep, "lazy_s": round(lazy_s, 5)}
    if repeated is None:
        return row | dict.fromkeys(("repeated_s", "ratio", "same_survivors"))
    same = bool(np.array_equal(lazy, repeated))
    return row | {"repeated_s": round(repeated_s, 5), "ratio": round(repeated_s / lazy_s, 1), "same_survivors": same}


def table(rows: list[dict[str, Any]]) -> Table:
    result = Table(*COLUMNS, title=f"CPU seconds; - : repeated removal stopped after {LIMIT_S:g} s, nothing to compare")
    for row in rows:
        result.add_row(*("-" if row[name] is None else str(row[name]) for name in COLUMNS))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("results/truncation.json"), help="default: %(default)s")
    out = parser.parse_args().out
    rng = np.random.default_rng(SEED)
    measure(rng, 4, 20)  # load everything that loads on first use
    rows = [measure(rng, n_objectives, n_points) for n_objectives, sizes in SIZES.items() for n_points in sizes]
    Console().print(table(rows))
    about = {"seed": SEED, "limit_s": LIMIT_S, "cpu_count": os.cpu_count(), "python": platform.python_version()}
    versions = {name: version(name) for name in ("moocore", "numpy")}
    out.parent.mkdir(parents=True, exist_ok=True)
    store({out: json.dumps({**about, "versions": versions, "rows": rows}, indent=1) + "\n"})


if __name__ == "__main__":
    main()
