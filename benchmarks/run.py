"""``python -m benchmarks.run NAME``: one of the benchmarks, by name; without a name, what there is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

# Name: module, and what it measures; each takes --help.
BENCHMARKS: dict[str, tuple[str, str]] = {
    "peers": ("speed_peers", "a gradient step and a generation of ours and of other programs"),
    "train": ("train_speed", "training beside C, XLA and dense networks"),
    "search": ("search_speed", "where a generation's time goes, by population"),
    "predict": ("predict_speed", "prediction beside scikit-learn's"),
    "tables": ("tables", "test scores of the configs in experiments/configs"),
    "hardware": ("hardware_model", "modelled cost of trees beside what an emulated core measures"),
    "int8": ("int8_accuracy", "accuracy of 8-bit models"),
    "truncation": ("truncation", "removal of the least contributors to a hypervolume"),
    "start_up": ("start_up", "how long commands and imports take to start"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given:
        print("\n".join(f"{name:<11} {doc}" for name, (_, doc) in BENCHMARKS.items()))
        return 0
    if given[0] not in BENCHMARKS:
        print(f"there is no benchmark {given[0]!r}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    module = BENCHMARKS[given[0]][0]
    sys.argv = [f"python -m benchmarks.{module}", *given[1:]]  # they read their own options
    return import_module(f"benchmarks.{module}").main() or 0


if __name__ == "__main__":
    raise SystemExit(main())
