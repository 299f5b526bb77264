"""Training speed of the engine and its peers, in one run: ``python -m benchmarks.train_speed``.

Speed is in million weight·samples a second: trainable weights of all trees x samples seen, for whole training steps
(forward, backward, RMSprop, float32, squared error). Contenders take turns, round after round, because machines are
shared and their speed drifts. ``cores`` is the number of busy cores; an XLA program may use more than its own thread.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.machine import facts
from benchmarks.peers.agreement import Agreement, agreement
from benchmarks.peers.dense_stacks import dense, hidden_units
from benchmarks.peers.forest_engine import engine, jax_loop
from benchmarks.peers.gathered_forest import gather
from benchmarks.peers.handwritten import FLAGS, available, handwritten
from benchmarks.peers.per_tree import per_tree
from benchmarks.peers.workload import FEATURES, Contender, Speed, Workload, make_workload, measure
from neuraltree.storing import store

ROWS, EPOCHS, ROUNDS = 640, 20, 8
COMPILED_ALONE = 6  # trees for the contender that compiles each tree by itself
PACKAGES = ("jax", "jaxlib", "numpy", "optax")
SIGMOID = ("sigmoid",)

# Name: builder, threads (0: one per core), and which of the workloads.
CONTENDERS: dict[str, tuple[Callable[[Workload, int], Contender], int, str]] = {
    "forest (the engine)": (engine, 0, "mixed"),
    "forest, 1 thread": (engine, 1, "mixed"),
    "forest, sigmoid only": (engine, 0, "sigmoid"),
    "(a) loop in JAX over the kernel": (jax_loop, 0, "mixed"),
    "(a') gather + einsum, autodiff": (gather, 0, "mixed"),
    "(b) one jit per tree": (per_tree, 0, "few"),
    "(c) C": (handwritten, 0, "mixed"),
    "(c) C, 1 thread": (handwritten, 1, "mixed"),
    "(c) C, sigmoid only": (handwritten, 0, "sigmoid"),
    "(c) C, sigmoid only, 1 thread": (handwritten, 1, "sigmoid"),
    "(d) dense MLPs": (dense, 0, "mixed"),
}
OURS = "forest (the engine)"
RATIOS = (
    "(a) loop in JAX over the kernel",
    "(a') gather + einsum, autodiff",
    "(b) one jit per tree",
    "(c) C",
    "(d) dense MLPs",
)
COLUMNS = ("contender", "threads", "median", "best", "cores", "build s", "ratio")


def measure_batch(n_trees: int, batch: int, seconds: float, rows: int, epochs: int) -> dict[str, Any]:
    """All contenders at one batch size; every round gives each of them its share of ``seconds``."""
    rows = max(batch, rows // batch * batch)
    mixed = make_workload(n_trees, batch, rows=rows, epochs=epochs)
    sigmoid = make_workload(n_trees, batch, rows=rows, epochs=epochs, activations=SIGMOID)
    works = {"mixed": mixed, "sigmoid": sigmoid, "few": mixed._replace(trees=mixed.trees[:COMPILED_ALONE])}
    check = agreement(make_workload(n_trees, batch, rows=batch, epochs=1)) if available() else None
    built: dict[str, Contender] = {}
    results: dict[str, dict[str, Any]] = {}
    for name, (builder, threads, kind) in CONTENDERS.items():
        if builder is handwritten and not available():
            continue
        threads = threads or os.cpu_count() or 1
        begun = time.perf_counter()
        built[name] = builder(works[kind], threads)
        built[name].run()
        build_s = round(time.perf_counter() - begun, 2)
        results[name] = {"trees": len(works[kind].trees), "threads": threads, "build_s": build_s}
    rounds = [{name: measure(entry, seconds / ROUNDS) for name, entry in built.items()} for _ in range(ROUNDS)]
    for name in built:
        results[name] |= speed_facts([turn[name] for turn in rounds])
    return summary(works, check, results)


def speed_facts(speeds: list[Speed]) -> dict[str, Any]:
    """The results of one contender over its rounds."""
    mws = [float(f"{speed.mws:.5g}") for speed in speeds]
    cores = round(statistics.median(speed.cores for speed in speeds), 2)
    return {"median_mws": statistics.median(mws), "best_mws": max(mws), "cores": cores, "rounds_mws": mws}


def summary(works: dict[str, Workload], check: Agreement | None, results: dict[str, Any]) -> dict[str, Any]:
    """Medians over rounds of the ratio within a round, which drift disturbs least."""
    ours = results[OURS]["rounds_mws"]
    ratios = {
        name: round(statistics.median(a / b for a, b in zip(ours, results[name]["rounds_mws"], strict=True)), 3)
        for name in RATIOS
        if name in results
    }
    return {
        "batch": works["mixed"].batch,
        "rows": len(works["mixed"].inputs),
        "epochs_per_call": len(works["mixed"].order),
        "mean_weights": {kind: round(work.weights / len(work.trees), 2) for kind, work in works.items()},
        "hidden_units": hidden_units(works["mixed"]),
        "c_agreement": None if check is None else check._asdict(),
        "contenders": results,
        "ratios": ratios,
    }


def table(entry: dict[str, Any]) -> Table:
    """One batch size."""
    title = f"batch {entry['batch']}: million weight·samples a second; ratio: the engine's over it"
    shown = Table(title=title, box=box.SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    for column in COLUMNS:
        shown.add_column(column, no_wrap=True, justify="left" if column == "contender" else "right")
    for name, row in entry["contenders"].items():
        ratio = f"{entry['ratios'][name]:.2f}" if name in entry["ratios"] else ""
        speeds = (f"{row['median_mws']:,.0f}", f"{row['best_mws']:,.0f}")
        shown.add_row(name, str(row["threads"]), *speeds, f"{row['cores']:.2f}", f"{row['build_s']:.1f}", ratio)
    return shown


def notes(batches: list[dict[str, Any]], n_trees: int) -> list[str]:
    """Remarks that the table cannot show."""
    missing = [] if available() else ["(c) is left out: there is no C compiler called cc"]
    lines = [f"{n_trees} trees of {batches[0]['mean_weights']['mixed']} weights on average, {FEATURES} features"]
    for entry in batches:
        alone = entry["contenders"]["(b) one jit per tree"]
        each = alone["build_s"] / alone["trees"]
        lines.append(
            f"batch {entry['batch']}: (b) is measured on {alone['trees']} trees and stands for all: compiling takes "
            f"{each:.2f} s a tree, {each * n_trees:.0f} s for {n_trees} (extrapolated)"
        )
        if (check := entry["c_agreement"]) is not None:
            lines.append(
                f"batch {entry['batch']}: after one step C and the engine differ by {check['gradient']:.1e} (gradient) "
                f"and {check['weights']:.1e} (weights), relative to the largest of a tree"
            )
    return lines + missing


def run(n_trees: int, batches: list[int], seconds: float, *, rows: int = ROWS, epochs: int = EPOCHS) -> dict[str, Any]:
    """Everything that goes into the JSON file."""
    settings = {"trees": n_trees, "seconds": seconds, "rounds": ROUNDS, "optimizer": "rmsprop", "precision": "float32"}
    measured = [measure_batch(n_trees, batch, seconds, rows, epochs) for batch in batches]
    return {
        "command": " ".join(["python -m benchmarks.train_speed", *sys.argv[1:]]),
        "unit": "million weight·samples a second",
        **settings,
        "features": FEATURES,
        "c_flags": list(FLAGS),
        "machine": facts(PACKAGES),
        "batches": measured,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/train_speed.json"), help="default: %(default)s")
    parser.add_argument("--trees", type=int, default=256, help="default: %(default)s")
    parser.add_argument("--batch", type=int, nargs="+", default=[10, 64], help="default: 10 64")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each contender and batch; default: %(default)s")
    options = parser.parse_args()
    result = run(options.trees, options.batch, options.seconds)
    console = Console()
    for entry in result["batches"]:
        console.print(table(entry))
    for line in notes(result["batches"], options.trees):
        console.print(line, highlight=False)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    store({options.out: json.dumps(result, indent=1, ensure_ascii=False) + "\n"})


if __name__ == "__main__":
    main()
