"""One measurement of ``search_rate``, made by the engine of the current directory, an old checkout or this one.

``python search_rate_driver.py phases CONFIG SEED GENERATIONS`` searches twice in one process and prints, as JSON, the
CPU seconds of each phase both times: the second search finds all programs of XLA compiled. ``... run CONFIG SEED OUT``
is ``python -m search.run`` without the packages that measure a front on an emulated core.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

MEASURING = ("ziglang", "unicorn", "capstone", "elftools")


def place(name: str, *modules: str) -> Any:
    """``name`` from the first of ``modules`` that has it: modules were moved since the old engine."""
    for module in modules:
        try:
            found = getattr(import_module(module), name, None)
        except ImportError:
            continue
        if found is not None:
            return found
    raise ImportError(f"none of {', '.join(modules)} has {name}")


class Phases:
    """CPU seconds of all threads, by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start


def searched(setup: Any, generations: int) -> tuple[dict[str, float], float]:
    """CPU seconds by phase, and millions of weights x samples that were trained."""
    begin = place("begin", "search.engine.evolution_step", "search.engine")
    step = place("step", "search.engine.evolution_step", "search.engine")
    phases, problem = Phases(), setup.problem
    state, info = begin(problem, setup.strategy, phases)
    weights = float(info.evaluated.columns["weights"].sum())
    for _ in islice(iter(int, 1), generations):
        state, info = step(problem, setup.strategy, state, phases)
        weights += float(info.evaluated.columns["weights"].sum())
    rows = sum(len(fit) for fit, _ in problem.folds) * problem.epochs
    return phases.seconds, weights * rows / 1e6


def by_phase(path: Path, seed: int, generations: int) -> dict[str, Any]:
    config = place("load_config", "search.config.config", "search.config")(path, [f"run.seed={seed}"])
    load = place("load_table", "search.table.loading", "search.table.data", "search.data")
    table = load(config) if load.__code__.co_argcount == 1 else load(config.data, config.task)
    set_up = place("set_up", "search.engine.problem", "search.problem")
    first, _ = searched(set_up(config, table), generations)
    second, work = searched(set_up(config, table), generations)
    return {"first": first, "second": second, "work": work}


def main() -> int:
    mode, config, seed, last = sys.argv[1:]
    sys.path.insert(0, str(Path.cwd()))
    if mode == "phases":
        print(json.dumps(by_phase(Path(config), int(seed), int(last))))
        return 0
    sys.modules.update(dict.fromkeys(MEASURING))  # type: ignore[arg-type]
    return int(import_module("search.run").main([config, "--out", last, f"--set=run.seed={seed}"]))


if __name__ == "__main__":
    raise SystemExit(main())
