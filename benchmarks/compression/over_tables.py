"""Benchmarks of trees of the papers' tables: their command, which scores each hold-out and writes a page."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.promise.reporting import report
from experiments.common import paper_tables

Rows = list[dict[str, Any]]


def over_tables(
    name: str,
    about: str | None,
    seeds: int,
    errors_of: Callable[[str, int], Rows],
    page: Callable[[dict[str, Any]], str],
) -> None:
    """``errors_of(table, seed)`` for each table and hold-out, ``seeds`` of these by default, as results/NAME.json."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=seeds, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path(f"results/{name}.json"), help="default: %(default)s")
    options = parser.parse_args()
    console, rows = Console(stderr=True), []
    for seed, table in product(range(options.seeds), paper_tables.TABLES):
        rows += errors_of(table, seed)
        console.print(f"{table}, hold-out {seed}")
    report(f"{name} --seeds {options.seeds}", {"seeds": options.seeds, "rows": rows}, page, options.out)
