"""Searches that train on a growing sample of rows, compared with searches that train on all rows, at equal CPU time.

``python -m benchmarks.run rows`` stops each search after ``CPU_S`` seconds of processor time in one thread. Both fronts
are then judged and refitted on all rows.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from sklearn.datasets import make_friedman1

from benchmarks.promise.beside_old import fair_volume
from benchmarks.promise.problems import MOST_TEST, Sample, error_of, last_of, prepared, sample
from benchmarks.promise.reporting import report
from experiments.common.statistics import signed_rank_p
from neuraltree.cli.markdown import table as markdown
from search.engine.evolution_step import generations
from search.runs.progress import Phases

CPU_S = 30.0
SIZES = {"elevators": (4000, 11_000), "friedman1": (10_000, 40_000), "fashion2": (10_000, 40_000), "mnist10": (40_000,)}
WAYS = ("all", "auto")  # as ``search.rows``
ABOUT = f"""Each search has {CPU_S:g} CPU s before its front is judged and refitted on all rows. Means over the seeds:
generations, the test error (log loss, or 1 - R²) and the weights of the recommended member, and the mean test error of
the best members by promise within 5 to 100 weights. p: Wilcoxon's signed-rank test over all problems and seeds."""


def rows_of(name: str, rows: int, seed: int) -> Sample:
    if name != "friedman1":
        return sample(name, rows, seed)
    X, y = make_friedman1(rows + MOST_TEST, n_features=10, noise=1.0, random_state=seed)
    return Sample(X[:rows], y[:rows], X[rows:], y[rows:], 0)


def searched(job: tuple[str, int, int, str]) -> dict[str, Any]:
    name, rows, seed, way = job
    data = rows_of(name, rows, seed)
    measure = "log_loss" if data.classes else "error"
    setup, table = prepared(name, data, seed, measure)
    problem = replace(setup.problem, first_rows=setup.problem.first_rows if way == "auto" else 0)
    begun = time.process_time()
    for state, _ in generations(problem, setup.strategy, Phases()):  # noqa: B007
        if time.process_time() - begun >= CPU_S:
            break
    front = last_of(setup, table, state)
    scored = [member.values | {"test": error_of(member, data, measure)} for member in front]
    chosen = scored[front.members.index(front.recommended())]
    return {
        **dict(zip(("problem", "rows", "seed", "way"), job, strict=True)),
        "generations": state.generation,
        "test": chosen["test"],
        "weights": chosen["weights"],
        "within": fair_volume({"members": scored}),
    }


def page(result: dict[str, Any]) -> str:
    rows, pairs = [], []
    for name, sizes in SIZES.items():
        for size in sizes:
            of = [row for row in result["rows"] if (row["problem"], row["rows"]) == (name, size)]
            by_way = [[row for row in of if row["way"] == way] for way in WAYS]
            pairs += list(zip(*by_way, strict=True))
            cells = [
                [f"{np.mean([row[key] for row in found]):.3g}" for found in by_way]
                for key in ("generations", "test", "weights", "within")
            ]
            rows.append([f"{name}, {size:,}", *(text for both in cells for text in both)])
    header = ("problem, training rows", *(f"{what}, {way}" for what in COLUMNS for way in WAYS))
    told = [
        f"{what}: lower in {sum(b[key] < a[key] for a, b in pairs)} of {len(pairs)} pairs, median change "
        f"{100 * np.median([np.log(b[key] / a[key]) for a, b in pairs]):+.1f} %, p = "
        f"{signed_rank_p([np.log(b[key]) for _, b in pairs], [np.log(a[key]) for a, _ in pairs]):.2g}"
        for what, key in (("Test error", "test"), ("weights", "weights"), ("error within 5 to 100 weights", "within"))
    ]
    return (
        "\n\n".join(
            ["# Growing samples of rows", f"Made by `{result['command']}`. {ABOUT}", markdown(header, rows), *told]
        )
        + "\n"
    )


COLUMNS = ("generations", "test error", "weights", "≤ 100")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/growing_rows.json"), help="default: %(default)s")
    options = parser.parse_args()
    console, found = Console(stderr=True), []
    sizes = [(name, size) for name, of_name in SIZES.items() for size in of_name]
    jobs = [(name, size, seed, way) for (name, size), seed, way in product(sizes, range(options.seeds), WAYS)]
    with ProcessPoolExecutor(2) as pool:
        for row in pool.map(searched, jobs):
            found.append(row)
            console.print(row)
    report("rows", {"seeds": options.seeds, "rows": found}, page, options.out)


if __name__ == "__main__":
    main()
