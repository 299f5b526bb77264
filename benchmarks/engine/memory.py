"""Peak memory of a search on a large table: ``python -m benchmarks.run memory``.

The table is an ``.npz`` of 1,000,000 rows x 20 inputs, the population has 1,000 trees. A generation of one epoch needs
as much memory as one of many.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.search_speed import measure

CONFIG = """[data]
source = "{source}"
[train]
epochs = 1
[baselines]
models = []
"""


def peak_mib(rows: int, population: int) -> float:
    """Peak memory of the process, in MiB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rng = np.random.default_rng(0)
        X = rng.standard_normal((rows, 20))
        y = X[:, 0] * X[:, 1] + np.sin(X[:, 2]) + 0.1 * rng.standard_normal(rows)
        np.savez(folder / "large.npz", X=X, y=y)
        (folder / "large.toml").write_text(CONFIG.format(source=folder / "large.npz"))
        return float(measure(folder / "large.toml", population, 1, folder / "run")["peak_memory_mib"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--population", type=int, default=1000)
    options = parser.parse_args()
    peak = peak_mib(options.rows, options.population)
    print(f"{options.rows:,} rows x 20 inputs, {options.population:,} trees: at most {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
