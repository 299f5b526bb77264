"""Small runs whose work is spread, and what a single process finds."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from search.config.config import config_of
from search.config.settings import Config
from search.engine.evolution_step import State, generations
from search.engine.problem import Setup, set_up
from search.executors.jobs import Context
from search.table.data import Table
from search.table.loading import load_table

TABLES: dict[str, Any] = {
    "data": {"source": "iris"},
    "run": {"seed": 1},
    "space": {"max_nodes": 15},
    "search": {"population": 12, "generations": 2, "folds": 2, "objectives": ["error", "weights"]},
    "train": {"epochs": 2},
    "variation": {"grow_edge": 0.5},
    "baselines": {"models": []},
}
TOML = tomli_w.dumps(TABLES | {"search": TABLES["search"] | {"generations": 4}})
FILES = ("front.csv", "evolution.npz", "archive.npz", "live.csv")


def config(**sections: dict[str, Any]) -> Config:
    """The small run, with other keys in some sections."""
    return config_of(
        {name: values | sections.get(name, {}) for name, values in TABLES.items()}
        | {name: values for name, values in sections.items() if name not in TABLES},
        "a test",
    )


def context(**sections: dict[str, Any]) -> Context:
    made = config(**sections)
    table: Table = load_table(made)
    return Context(set_up(made, table, workers=1), table, None)


def states(setup: Setup, count: int) -> list[State]:
    """The states of the first generations."""
    found = generations(setup.problem, setup.strategy, lambda name: nullcontext())
    return [next(found)[0] for _ in range(count)]


def same(first: State, second: State) -> bool:
    """Whether two states are equal to the bit."""
    a, b = first.members, second.members
    return (
        all(x.tobytes() == y.tobytes() for x, y in zip(a.trees, b.trees, strict=True))
        and a.columns.keys() == b.columns.keys()
        and all(a.columns[name].tobytes() == b.columns[name].tobytes() for name in a.columns)
        and np.array_equal(a.ok, b.ok)
        and np.array_equal(first.rank, second.rank)
    )


def worked(setup: Setup, work: Any) -> Setup:
    """The run, with its work given away."""
    return replace(setup, problem=replace(setup.problem, work=work))


def files(run: Path) -> dict[str, bytes]:
    """The results of a run that do not depend on time."""
    models = {path.name: path.read_bytes() for path in sorted((run / "models").iterdir())}
    return models | {name: (run / name).read_bytes() for name in FILES}
