"""Prediction speed compared with scikit-learn: ``python -m benchmarks.predict_speed``.

A tree of 60 weights, an MLP of 100 hidden units and histogram gradient boosting (its defaults: 100 trees, all cores) on
the same 20 features, in one process. One row: median microseconds per call; the contenders take turns, because machines
are shared and their speed drifts. Many rows: the least seconds of a few calls, and the peak memory that a call
allocates in addition to its result (``tracemalloc``, which sees NumPy's allocations).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import tracemalloc
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.machine import facts
from neuraltree.storing import store
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import count_weights
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree

PACKAGES = ("neuraltree", "numpy", "scikit-learn", "pandas")
FEATURES, WEIGHTS, TRAIN_ROWS, ROWS = 20, 60, 2000, 1_000_000
ROUNDS, CALLS, REPEATS = 30, 100, 2
OURS, ONE = "tree", "tree, predict_one"
PEERS: dict[str, dict[str, Callable[[], Any]]] = {
    "regression": {"MLP": MLPRegressor, "boosting": HistGradientBoostingRegressor},
    "binary": {"MLP": MLPClassifier, "boosting": HistGradientBoostingClassifier},
}
FORMS: dict[str, Callable[[NDArray], Any]] = {
    "f64": lambda X: X,
    "f32": lambda X: X.astype(np.float32),
    "frame": lambda X: pd.DataFrame(X, columns=[f"x{i}" for i in range(FEATURES)]),
}


def make_tree(kind: str, seed: int = 0) -> Tree:
    """The random tree with the number of weights nearest to ``WEIGHTS``; their values do not affect the time."""
    rng = np.random.default_rng(seed)
    space = Space(FEATURES, max_nodes=90)
    nodes = min((random_tree(rng, space) for _ in range(500)), key=lambda nodes: abs(count_weights(nodes) - WEIGHTS))
    names = tuple(f"x{i}" for i in range(FEATURES))
    scaler, classes = Scaler(np.full(FEATURES, 0.1), np.full(FEATURES, 2.0)), ("no", "yes")
    if kind == "binary":
        return Tree(nodes, kind, names, classes, scaler)
    return Tree(nodes, kind, names, None, scaler, Scaler(np.array([3.0]), np.array([5.0])))


def contenders(tree: Tree, train_rows: int) -> dict[str, Any]:
    """The tree as an estimator, and its peers trained on a smooth function of five features."""
    X = np.random.default_rng(1).normal(size=(train_rows, FEATURES))
    smooth = np.sin(X[:, 0] * X[:, 1]) + X[:, 2] ** 2 + X[:, 3] + 0.5 * X[:, 4]
    y = smooth > np.median(smooth) if tree.kind == "binary" else smooth
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {OURS: tree.estimator()} | {name: make().fit(X, y) for name, make in PEERS[tree.kind].items()}


def one_row(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Microseconds per call, by round."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            begun = time.perf_counter()
            for _ in range(CALLS):
                call()
            times[name].append((time.perf_counter() - begun) / CALLS * 1e6)
    return times


def many_rows(predict: Callable[[Any], NDArray], X: Any) -> dict[str, float]:
    """The least seconds of a call, and its peak memory in mebibytes without the result."""
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        answer = predict(X)
        seconds.append(time.perf_counter() - begun)
    tracemalloc.start()
    predict(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"seconds": min(seconds), "extra_mib": (peak - answer.nbytes) / 2**20}


def measure(kind: str, rows: int, rounds: int, train_rows: int) -> dict[str, Any]:
    """One kind of task: the times of each contender, and the ratios of the peers' times to ours."""
    tree = make_tree(kind)
    models = contenders(tree, train_rows)
    X = np.random.default_rng(2).normal(size=(rows, FEATURES))
    row, first = X[:1], X[0].tolist()
    calls = {name: partial(model.predict, row) for name, model in models.items()}
    alone = one_row({ONE: partial(tree.predict_one, first)} | calls, rounds)
    many = {}
    for form, convert in FORMS.items():
        table = convert(X)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X has feature names")  # the peers were trained without names
            many[form] = {name: many_rows(model.predict, table) for name, model in models.items()}
    return {
        "kind": kind,
        "weights": tree.num_weights,
        "nodes": tree.num_nodes,
        "one_row_us": {name: statistics.median(found) for name, found in alone.items()},
        "one_row_ratios": {
            name: statistics.median(theirs / ours for theirs, ours in zip(alone[name], alone[OURS], strict=True))
            for name in models
            if name != OURS
        },
        "many_rows": many,
        "many_rows_ratios": {
            form: {name: found[name]["seconds"] / found[OURS]["seconds"] for name in models if name != OURS}
            for form, found in many.items()
        },
    }


def run(rows: int = ROWS, rounds: int = ROUNDS, train_rows: int = TRAIN_ROWS) -> dict[str, Any]:
    return {
        "command": "python -m benchmarks.predict_speed",
        "features": FEATURES,
        "rows": rows,
        **facts(PACKAGES),
        "tasks": [measure(kind, rows, rounds, train_rows) for kind in PEERS],
    }


def table(task: dict[str, Any], rows: int) -> Table:
    title = f"{task['kind']}, {task['weights']} weights: one row; {rows:,} rows, and memory in addition to the result"
    made = Table("contender", box=box.SIMPLE, title=title)
    headings = [text for form in FORMS for text in (f"{form} s", "MiB")]
    for heading in ("µs", "ratio", *headings):
        made.add_column(heading, justify="right")
    for name, microseconds in task["one_row_us"].items():
        ratio = task["one_row_ratios"].get(name)
        cells = [f"{microseconds:.1f}", f"{ratio:.2f}" if ratio else ""]
        for found in task["many_rows"].values():
            figures = found.get(name)
            cells += [f"{figures['seconds']:.3f}", f"{figures['extra_mib']:.1f}"] if figures else ["", ""]
        made.add_row(name, *cells)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("results/predict_speed.json"), help="default: %(default)s")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the large table; default: %(default)s")
    arguments = parser.parse_args()
    result = run(arguments.rows)
    for task in result["tasks"]:
        Console().print(table(task, arguments.rows))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    store({arguments.out: json.dumps(result, indent=2) + "\n"})


if __name__ == "__main__":
    main()
