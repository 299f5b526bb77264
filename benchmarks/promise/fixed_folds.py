"""Small trees found in a minute of processor time, on the fixed hold-outs of UCI tables.

``python -m benchmarks.run folds`` needs the folder uci beside the papers' tables. A search has ``TIME_S`` seconds on
two threads, judgement included. The score is of the recommended member within ``WEIGHTS`` weights: R², or accuracy.
CART is scikit-learn's, cut back by cross-validation to at most as many numbers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from benchmarks.promise.problems import Sample, hold_outs, mixed, numbers
from benchmarks.promise.reporting import report
from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.cli.markdown import table
from search import Evolution

TABLES = ("concrete", "airfoil", "energy", "yacht", "elevators", "segment")
FOLDS, TIME_S, WEIGHTS = 5, 30.0, 60
SPLIT_SEED = 7  # of the folds of segment, which has none of its own


def parts(name: str, count: int) -> Iterator[Sample]:
    if name == "segment":
        X, y, classes = mixed(name)
        cut = StratifiedKFold(FOLDS, shuffle=True, random_state=SPLIT_SEED).split(X, y)
        masks = [np.isin(np.arange(len(y)), held) for _, held in cut]
    else:
        (X, y, classes), masks = numbers(name), hold_outs(name)
    for held in masks[:count]:
        yield Sample(X[~held], y[~held], X[held], y[held], classes)


def scored(part: Sample, seed: int, time_s: float) -> dict[str, float]:
    kind = NeuralTreeClassifier if part.classes else NeuralTreeRegressor
    begun, used = time.perf_counter(), time.process_time()
    search = Evolution(time=time_s, baselines=())
    model = kind(search, n_jobs=2, random_state=seed).fit(part.X, part.y)
    took, used = time.perf_counter() - begun, time.process_time() - used
    return {
        "score": model.select(weights=WEIGHTS).score(part.test_X, part.test_y),
        "weights": float(model.front_.select(weights=WEIGHTS).weights),
        "lowest_score": model.select("lowest").score(part.test_X, part.test_y),
        "lowest_weights": float(model.front_.lowest().weights),
        "cart": cart(part, seed),
        "generations": float(model.n_iter_),
        "took_s": took,
        "cpu_s": used,
    }


def cart(part: Sample, seed: int) -> float:
    """The score of a decision tree of at most ``WEIGHTS`` thresholds and leaf values; a class needs one value."""
    kind = DecisionTreeClassifier if part.classes else DecisionTreeRegressor
    leaves = [n for n in range(2, WEIGHTS // 2 + 2) if 2 * n - 1 <= WEIGHTS]
    found = GridSearchCV(kind(random_state=seed), {"max_leaf_nodes": leaves}, cv=4).fit(part.X, part.y)
    return float(found.score(part.test_X, part.test_y))


def page(result: dict[str, Any]) -> str:
    header = ("table", "R² or accuracy", "weights", "without a limit", "weights", "CART", "generations", "CPU s")
    names = ("score", "weights", "lowest_score", "lowest_weights", "cart", "generations", "cpu_s")
    rows = [
        [name, *(f"{np.mean([row[key] for row in found]):.4g}" for key in names)]
        for name, found in result["tables"].items()
    ]
    about = f"""Made by `{result["command"]}`. Means over {result["folds"]} fixed hold-outs. Each search has
{TIME_S:g} s on two threads. The recommended member within {WEIGHTS} weights, the member of lowest honest error, and
CART with at most {WEIGHTS} numbers."""
    return f"# A minute of processor time on UCI tables\n\n{about}\n\n{table(header, rows)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=TABLES, help="default: all")
    parser.add_argument("--folds", type=int, default=FOLDS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/folds.json"), help="default: %(default)s")
    options = parser.parse_args()
    console, found = Console(stderr=True), {}
    for name in options.tables:
        found[name] = [scored(part, seed, TIME_S) for seed, part in enumerate(parts(name, options.folds))]
        console.print(f"{name}: {np.mean([row['score'] for row in found[name]]):.4f}")
    report("folds", {"folds": options.folds, "tables": found}, page, options.out)


if __name__ == "__main__":
    main()
