"""CPU seconds of searches whose code exits early, over those of the same searches without.

``python -m benchmarks.run exit_speed`` needs the papers' tables (set NEURALTREE_DATA). Each table is searched by both
in turn, in processes of their own; the seconds are of all threads, from the start of a process to its end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import wait
from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table

TABLES = ("wdbc", "vehicle", "glass")
CONFIG = """[data]
source = "{source}"
[search]
objectives = ["error", "{latency}", "flash_bytes"]
generations = {generations}
[hardware]
device = "cortex-m0plus"
precision = "int8"
style = "straight"
[compress]
early_exit = {early}
[baselines]
models = []
"""


def cpu_seconds(source: str, generations: int, *, early: bool) -> float:
    """Of one search, as a user starts it."""
    latency = "mean_latency_s" if early else "latency_s"
    text = CONFIG.format(source=source, latency=latency, generations=generations, early=str(early).lower())
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "search.toml")
        config.write_text(text)
        command = [sys.executable, "-m", "search.run", str(config), "--quiet", "--out", str(Path(folder, "run"))]
        process = subprocess.Popen(command, env=os.environ)
        usage = wait(process)
    if process.returncode:
        raise SystemExit(process.returncode)  # the run has printed the reason
    return usage.ru_utime + usage.ru_stime


def page(result: dict[str, Any]) -> str:
    lines = [
        [row["table"], *(f"{row[name]:.1f}" for name in ("without", "with")), f"{row['with'] / row['without']:.2f}"]
        for row in result["rows"]
    ]
    about = f"""Made by `{result["command"]}`. Whole commands of {result["generations"]} generations, one after another;
CPU seconds of all threads."""
    return (
        "\n\n".join(("# Searches with early exits", about, table(("table", "without", "with", "ratio"), lines))) + "\n"
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=list(TABLES), help="default: %(default)s")
    parser.add_argument("--generations", type=int, default=25, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/exit_speed.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    rows = [
        {"table": name}
        | {word: cpu_seconds(name, options.generations, early=word == "with") for word in ("without", "with")}
        for name in options.tables
    ]
    report("exit_speed", {"generations": options.generations, "rows": rows}, page, options.out)


if __name__ == "__main__":
    main()
