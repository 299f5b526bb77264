"""``python -m benchmarks.run streaming``: an epoch over a Parquet table that is read in blocks, and one in memory.

The table has 20 inputs in float32 and is made in a temporary folder, 84 bytes a row. Each step is a process of its own,
so that its peak memory is known. Speed is per CPU second, so that other processes of the machine hardly count.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neuraltree.tree.generate import varied_tree
from neuraltree.tree.nodes import Nodes, count_weights
from neuraltree.tree.space import Space
from search.config.config import config_of
from search.engine.evaluate import REFIT_STREAM, trained
from search.engine.problem import set_up
from search.judge.streamed_refit import trained_on_stream
from search.table.loading import load_table

INPUTS, GROUP, FILE_ROWS = 20, 1_000_000, 20_000_000
WEIGHTS = (25, 35)  # of a tree


def make(folder: Path, rows: int) -> dict[str, Any]:
    """Write the table in files of ``FILE_ROWS`` rows, and its first row group as a file of its own."""
    import pyarrow as arrow
    from pyarrow import parquet

    names = [f"x{i}" for i in range(INPUTS)]
    schema = arrow.schema([(name, arrow.float32()) for name in (*names, "y")])
    rng, writer = np.random.default_rng(0), None
    for start in range(0, rows, GROUP):
        X = rng.standard_normal((INPUTS, min(GROUP, rows - start)), dtype=np.float32)
        y = X[0] * X[1] + np.sin(X[2]) + np.float32(0.1) * X[3]
        group = arrow.table([*X, y], schema=schema)
        if not start:
            parquet.write_table(group, folder / "first.parquet", compression="none", use_dictionary=False)
        if start % FILE_ROWS == 0:
            if writer:
                writer.close()
            writer = parquet.ParquetWriter(
                folder / f"rows{start // FILE_ROWS:03}.parquet", schema, compression="none", use_dictionary=False
            )
        writer.write_table(group, row_group_size=GROUP)
    if writer:
        writer.close()
    return {}


def trees_of(space: Space, count: int) -> list[Nodes]:
    """Trees with as many weights as ``WEIGHTS`` allow."""
    rng, found = np.random.default_rng(0), list[Nodes]()
    while len(found) < count:
        tree = varied_tree(rng, space=space, folds=1)
        if WEIGHTS[0] <= count_weights(tree) <= WEIGHTS[1]:
            found.append(tree)
    return found


def train(source: Path, trees: int, *, streamed: bool) -> dict[str, Any]:
    """An epoch of training on all training rows of a table."""
    data = {"source": str(source), "test_fraction": 0.01, "sample_rows": 20_000 if streamed else 0}
    begun, used = time.perf_counter(), time.process_time()
    config = config_of({"data": data}, "the benchmark")
    table = load_table(config)
    setup = set_up(config, table)
    read_s, read_cpu_s = time.perf_counter() - begun, time.process_time() - used
    made = trees_of(setup.problem.space, trees)
    begun, used = time.perf_counter(), time.process_time()
    if table.stream:
        rows = table.stream.train_rows
        trained_on_stream(table.stream, lambda text: None, lambda: False, setup.problem, made, REFIT_STREAM, epochs=1)
    else:
        rows = len(setup.train_rows)
        whole = replace(setup.problem, folds=((setup.problem.whole, setup.problem.whole),))
        trained(whole, made, REFIT_STREAM, epochs=1)
    return {
        "rows": rows,
        "weights": int(sum(map(count_weights, made))),
        "read_s": read_s,
        "read_cpu_s": read_cpu_s,
        "train_s": time.perf_counter() - begun,
        "train_cpu_s": time.process_time() - used,
    }


STEPS: dict[str, Callable[[Path, int, int], dict[str, Any]]] = {
    "make": lambda folder, rows, trees: make(folder, rows),
    "stream": lambda folder, rows, trees: train(folder / "rows*.parquet", trees, streamed=True),
    "memory": lambda folder, rows, trees: train(folder / "first.parquet", trees, streamed=False),
}


def measured(step: str, folder: Path, rows: int, trees: int) -> dict[str, Any]:
    """The figures of a step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.inputs.streamed_rows", f"--rows={rows}", f"--trees={trees}"]
    given = [*command, f"--step={step}", f"--folder={folder}"]
    done = subprocess.run(given, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if step != "make":
        found["speed"] = found["weights"] * found["rows"] / found["train_cpu_s"] / 1e6
        times = {part: (found[f"{part}_s"], found[f"{part}_cpu_s"]) for part in ("read", "train")}
        told = ", ".join(f"{part} {wall:.0f} s ({cpu:.0f} CPU s)" for part, (wall, cpu) in times.items())
        print(
            f"{step}: {found['rows']:,} rows, {trees} trees of {found['weights']:,} weights; {told}; "
            f"{found['speed']:,.0f} M weight·samples per CPU second; peak {found['peak_mib']:,.0f} MiB",
            flush=True,
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        found = STEPS[options.step](options.folder, options.rows, options.trees)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**found, "peak_mib": peak}))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured("make", folder, options.rows, options.trees)
        memory = measured("memory", folder, options.rows, options.trees)
        stream = measured("stream", folder, options.rows, options.trees)
    print(f"streamed / in memory: {stream['speed'] / memory['speed']:.2f} of the speed")


if __name__ == "__main__":
    main()
