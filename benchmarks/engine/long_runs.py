"""What a long run costs: ``python -m benchmarks.run long_runs``.

A tiny run of 10,000 generations: CPU seconds of saving, resident memory and files at its beginning and at its end. And
the peak memory of 20 generations of 10,000 trees.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine.long_run_driver import EVERY, files_in
from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table as markdown
from neuraltree.storing import store

CONFIG = """[data]
source = "iris"
[search]
objectives = ["error", "weights"]
folds = 2
[train]
epochs = 1
[baselines]
models = []
"""
ABOUT = """Runs on iris, one epoch a generation. CPU seconds of saving a generation are medians over {width}
generations: the first ones after generation {early} and the last ones. Memory is the resident memory of the
process; its peak is over the whole process, with the judgement and the last files."""
EARLY = 10  # generations that are not typical yet
WIDTH = 100


def measured(folder: Path, population: int, generations: int) -> dict[str, Any]:
    """What the driver found, and the files in the folder at the end."""
    config = folder / "long.toml"
    store({config: CONFIG})
    out = folder / f"{population}x{generations}"
    sizes = [f"--set=search.population={population}", f"--generations={generations}"]
    command = [sys.executable, "-m", "benchmarks.engine.long_run_driver", str(config), "--quiet", "--out", str(out)]
    done = subprocess.run([*command, *sizes], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join([*command, *sizes])} failed: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1]) | {"files_at_end": files_in(out)}


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """Of the long run. ``rss``: near its beginning (generation 1,000, or a tenth of a shorter run) and at its end."""
    saving, rss = found["save_cpu_s"], found["rss_mib"]
    first, last = (float(np.median(part)) for part in (saving[EARLY : EARLY + WIDTH], saving[-WIDTH:]))
    early = min(1000, len(saving) // 10) // EVERY
    return {
        "save_first_cpu_s": first,
        "save_last_cpu_s": last,
        "ratio": last / first,
        "rss_early_generation": early * EVERY,
        "rss_early_mib": rss[early],
        "rss_last_mib": rss[-1],
        "rss_growth_mib": rss[-1] - rss[early],
        "peak_mib": found["peak_mib"],
        "files": max(*found["files"], found["files_at_end"]),
        "cpu_s": found["cpu_s"],
    }


def page(result: dict[str, Any]) -> str:
    long, large = result["long"], result["large"]
    rows = [
        ["CPU seconds to save a generation, first", f"{long['save_first_cpu_s']:.4f}", ""],
        ["CPU seconds to save a generation, last", f"{long['save_last_cpu_s']:.4f}", ""],
        ["last / first", f"{long['ratio']:.2f}", "1.5"],
        [f"resident memory at generation {long['rss_early_generation']:,}, MiB", f"{long['rss_early_mib']:.0f}", ""],
        ["resident memory at the last generation, MiB", f"{long['rss_last_mib']:.0f}", ""],
        ["growth, MiB", f"{long['rss_growth_mib']:.1f}", "50"],
        ["peak, with the judgement and the last files, MiB", f"{long['peak_mib']:.0f}", ""],
        ["most files in the run folder", str(long["files"]), "100"],
        [f"{result['trees']:,} trees x {result['tree_generations']} generations: peak memory, MiB",
         f"{large['peak_mib']:,.0f}", "2,048"],
    ]  # fmt: skip
    title = f"{result['population']} trees x {result['generations']:,} generations"
    about = ABOUT.format(width=WIDTH, early=EARLY)
    return (
        f"# Long runs\n\nMade by `{result['command']}`. {about}\n\n{markdown((title, 'measured', 'at most'), rows)}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--population", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--generations", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument("--trees", type=int, default=10_000, help="of the large population; default: %(default)s")
    parser.add_argument("--tree-generations", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/long_runs.json"), help="default: %(default)s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large = measured(Path(folder), options.trees, options.tree_generations)
        long = measured(Path(folder), options.population, options.generations)
    sizes = {name: getattr(options, name) for name in ("population", "generations", "trees", "tree_generations")}
    found = sizes | {"long": figures(long), "large": {name: large[name] for name in ("peak_mib", "cpu_s")}}
    report("long_runs", found, page, options.out)


if __name__ == "__main__":
    main()
