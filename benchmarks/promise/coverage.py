"""How many new targets lie in the 90 % intervals and sets of recommended members, on the papers' 14 tables.

``python -m benchmarks.run coverage`` needs the papers' tables. A search of ``GENERATIONS`` generations is made on the
training rows of each hold-out; all other rows are its test. About 90 % is the aim, at little width or few classes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.promise.problems import TABLES, Sample, sample
from benchmarks.promise.reporting import report
from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.cli.markdown import table
from search import Evolution

POPULATION, GENERATIONS = 50, 10
AIM = 0.9


def covered(model: NeuralTreeRegressor | NeuralTreeClassifier, data: Sample) -> dict[str, float]:
    """The share of test rows in intervals or sets; and their mean width, in standard deviations of the training
    targets, or the mean number of their classes."""
    if isinstance(model, NeuralTreeRegressor):
        low, high = model.predict_interval(data.test_X).T
        held = (low <= data.test_y) & (data.test_y <= high)
        return {"coverage": float(held.mean()), "width": float(np.mean(high - low) / data.y.std())}
    sets = model.predict_set(data.test_X)
    held = sets[np.arange(len(sets)), np.searchsorted(model.classes_, data.test_y)]
    return {"coverage": float(held.mean()), "classes": float(sets.sum(axis=1).mean())}


def measured(job: tuple[str, int]) -> dict[str, Any]:
    name, seed = job
    data = sample(name, 0, seed)
    kind = NeuralTreeClassifier if data.classes else NeuralTreeRegressor
    begun = time.perf_counter()
    search = Evolution(population=POPULATION, generations=GENERATIONS, baselines=())
    model = kind(search, n_jobs=1, random_state=seed).fit(data.X, data.y)
    about = {"table": name, "seed": seed, "rows": len(data.X), "test_rows": len(data.test_X), "of": data.classes}
    took = {"score": model.score(data.test_X, data.test_y), "seconds": time.perf_counter() - begun}
    return about | covered(model, data) | took


def page(result: dict[str, Any]) -> str:
    names = dict.fromkeys(row["table"] for row in result["rows"])
    found = {name: [row for row in result["rows"] if row["table"] == name] for name in names}
    shares = {name: _mean(own, "coverage") for name, own in found.items()}
    hard = [shares[name] for name, own in found.items() if not own[0]["of"] or _mean(own, "score") <= AIM]
    header = ("table", "rows", "test rows", "coverage", "least", "most", "width", "classes", "R² or accuracy")
    about = f"""Made by `{result["command"]}`. The recommended members of searches of {GENERATIONS} generations and
{POPULATION} trees, on {result["hold_outs"]} hold-outs of each table: the share of test rows whose target lies in the
90 % interval or set, its least and most over the hold-outs, the width of an interval in standard deviations of the
target, and the number of classes in a set, means over the hold-outs. The mean coverage over the tables is
{_told(list(shares.values()))}. The most probable class is in every set, so the coverage is at least the accuracy:
without the tables whose accuracy is above {AIM} the mean is {_told(hard)}."""
    return f"# Coverage of 90 % intervals and sets\n\n{about}\n\n{table(header, map(_row, found.values()))}\n"


def _mean(rows: list[dict[str, Any]], name: str) -> float:
    return float(np.mean([row[name] for row in rows]))


def _told(shares: list[float]) -> str:
    return f"{np.mean(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})" if shares else "unknown"


def _row(own: list[dict[str, Any]]) -> list[str]:
    """The line of a table."""
    first, shares = own[0], [row["coverage"] for row in own]
    width = "" if first["of"] else f"{_mean(own, 'width'):.2f}"
    classes = f"{_mean(own, 'classes'):.2f} of {first['of']}" if first["of"] else ""
    numbers = (f"{value:.3f}" for value in (np.mean(shares), min(shares), max(shares)))
    counts = (f"{first[name]:,}" for name in ("rows", "test_rows"))
    return [first["table"], *counts, *numbers, width, classes, f"{_mean(own, 'score'):.3f}"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(TABLES), help="default: all")
    parser.add_argument("--hold-outs", type=int, default=10, help="of each table; default: %(default)s")
    parser.add_argument("--workers", type=int, default=2, help="searches at once; default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/coverage.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    console, rows = Console(stderr=True), []
    with ProcessPoolExecutor(options.workers) as pool:
        for row in pool.map(measured, product(options.tables, range(options.hold_outs))):
            rows.append(row)
            console.print(f"{row['table']} {row['seed']}: {row['coverage']:.3f}, {row['seconds']:.0f} s")
    report("coverage", {"hold_outs": options.hold_outs, "rows": rows}, page, options.out)


if __name__ == "__main__":
    main()
