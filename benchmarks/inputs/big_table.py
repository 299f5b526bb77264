"""Peak memory and seconds of a search on a large CSV file: ``python -m benchmarks.run big_table``.

The file has 1,000,000 rows x 20 numbers, with ``--categories`` also two columns of texts, and holes. Reading, a
generation of a small population and the judgement run in a process of their own; the aim is a peak below 2 GiB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.inputs.messy_tables import NEURALTREE
from benchmarks.machine import wait
from benchmarks.promise.reporting import report
from neuraltree.storing import replacing, store

AIM_MIB = 2048
COLUMNS, PIECE = 20, 10_000
POPULATION = 20
HOLES = 0.05  # the share of missing cells, with --categories
# To tell what reading takes of the whole.
READ = """import sys
from pathlib import Path
from search.config.config import load_config
from search.table import load_table
load_table(load_config(Path(sys.argv[1])))
"""


def write_table(path: Path, rows: int, *, categories: bool) -> None:
    """A target of three numbers, and of the categories if there are some; a piece of the file at a time."""
    rng = np.random.default_rng(0)
    names = [*(f"x{i}" for i in range(COLUMNS)), *(["city", "kind"] * categories), "y"]
    with replacing(path) as file:
        file.write(",".join(names) + "\n")
        for start in range(0, rows, PIECE):
            count = min(PIECE, rows - start)
            X = rng.normal(size=(count, COLUMNS))
            y = X[:, 0] * X[:, 1] + np.sin(X[:, 2]) + 0.1 * rng.normal(size=count)
            cells = np.char.mod("%.5f", X).astype(object)
            parts = [cells]
            if categories:
                levels = np.column_stack([rng.integers(0, 40, count), rng.integers(0, 5, count)])
                y += (levels[:, 1] - 2) / 2
                parts.append(np.char.mod("level %d", levels).astype(object))
                for part in parts:
                    part[rng.random(part.shape) < HOLES] = ""
            whole = np.column_stack([*parts, np.char.mod("%.5f", y).astype(object)])
            file.writelines(",".join(row) + "\n" for row in whole.tolist())


def spent(command: Sequence[str]) -> dict[str, float]:
    """The peak memory and the seconds of a process; it must end well."""
    begun = time.perf_counter()
    process = subprocess.Popen(command)
    usage = wait(process)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return {"peak_mib": usage.ru_maxrss / 1024, "seconds": time.perf_counter() - begun}


def measured(rows: int, folder: Path, *, categories: bool) -> dict[str, Any]:
    """Of reading alone, and of the whole command."""
    path, config = folder / "big.csv", folder / "big.toml"
    write_table(path, rows, categories=categories)
    store({config: f"data.source = '{path}'\n"})
    # Without a limit of time, pruning CART would take nearly all of it.
    small = (f"search.population={POPULATION}", "train.epochs=1", "baselines.models=[]")
    sizes = ["--generations", "1", *(f"--set={pair}" for pair in small)]
    return {
        "file_mib": path.stat().st_size / 2**20,
        "reading": spent([sys.executable, "-c", READ, str(config)]),
        "whole": spent([*NEURALTREE, "fit", str(path), *sizes, "--quiet", "--out", str(folder / "run")]),
    }


def page(result: dict[str, Any]) -> str:
    reading, whole = result["reading"], result["whole"]
    kept = "below" if whole["peak_mib"] < AIM_MIB else "not below"
    columns = f"{COLUMNS} numbers{' and two texts, with holes' if result['categories'] else ''}"
    return f"""# A large table

Made by `{result["command"]}`. A CSV file of {result["rows"]:,} rows x {columns} has {result["file_mib"]:,.0f} MiB.
A process that only reads it takes {reading["peak_mib"]:,.0f} MiB at most and {reading["seconds"]:.0f} s; `neuraltree
fit` with {POPULATION} trees, one generation, one epoch and no baselines takes {whole["peak_mib"]:,.0f} MiB at most and
{whole["seconds"]:.0f} s. This is {kept} the aim of {AIM_MIB:,} MiB.
"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--categories", action="store_true", help="two columns of texts as well, and holes")
    parser.add_argument("--out", type=Path, default=Path("results/big_table.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        Console(stderr=True).print(f"writing and reading {options.rows:,} rows")
        found = measured(options.rows, Path(name), categories=options.categories)
    about = {"rows": options.rows, "categories": options.categories}
    report("big_table" + " --categories" * options.categories, about | found, page, options.out)


if __name__ == "__main__":
    main()
