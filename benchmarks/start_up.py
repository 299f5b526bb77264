"""Start-up time of imports and commands: ``python -m benchmarks.start_up``.

CPU seconds of a fresh process, median of a few: ``import numpy`` with and without neuraltree, and ``--help`` of every
command.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import facts
from neuraltree.storing import store

REPEATS = 7
IMPORTS = {"numpy": "import numpy", "numpy and neuraltree": "import numpy, neuraltree"}
COMMANDS = (
    *("search.run", "search.report", "tools.gallery", "tools.docs"),
    *("neuraltree.export", "neuraltree.hardware", "neuraltree.hardware.calibrate"),
)


def cpu_s(arguments: list[str]) -> float:
    """User and system seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def run(repeats: int = REPEATS) -> dict[str, Any]:
    wanted = {name: ["-c", code] for name, code in IMPORTS.items()}
    wanted |= {f"{name} --help": ["-m", name, "--help"] for name in COMMANDS}
    # Taking turns, as the speed of a shared machine drifts.
    rounds = [{name: cpu_s(arguments) for name, arguments in wanted.items()} for _ in range(repeats)]
    seconds = {name: statistics.median(each[name] for each in rounds) for name in wanted}
    added = statistics.median(each["numpy and neuraltree"] - each["numpy"] for each in rounds)
    return {
        "command": "python -m benchmarks.start_up",
        **facts(("neuraltree", "numpy")),
        "cpu_s": seconds,
        "added_by_neuraltree_cpu_s": added,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=Path("results/start_up.json"))
    out = arguments.parse_args().out
    found = run()
    for name, seconds in found["cpu_s"].items():
        print(f"{name:40} {seconds:.3f} s")
    print(f"{'added by neuraltree':40} {found['added_by_neuraltree_cpu_s']:.3f} s")
    store({out: json.dumps(found, indent=2) + "\n"})


if __name__ == "__main__":
    main()
