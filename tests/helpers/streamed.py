"""Small Parquet tables that are read in blocks, and the same cells as plain arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.config.config import Config, config_of

GROUP = 300  # rows of a row group


def cells_of(kind: str, rows: int, seed: int = 0) -> dict[str, Any]:
    """Columns of numbers, one of them with holes, and of texts; the target is ``y``."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(3, 2, rows), rng.normal(-1, 0.1, rows)
    c = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows))
    colour = rng.choice(["red", "green", "blue"], rows, p=[0.5, 0.3, 0.2])
    score = a - 2 * (colour == "red") + rng.normal(0, 0.3, rows)
    classes = np.where(score > 4.5, "high", np.where(score > 2, "middle", "low"))
    target = {"regression": score, "binary": np.where(score > 2, "yes", "no"), "multiclass": classes}[kind]
    return {"a": a, "b": b, "c": c, "colour": colour, "y": target}


def written(folder: Path, cells: dict[str, Any], files: int = 1) -> str:
    """The source of a table, in row groups of ``GROUP`` rows."""
    arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    from pyarrow import parquet

    rows = len(cells["y"])
    columns = {name: _array(arrow, values) for name, values in cells.items()}
    table = arrow.table(columns)
    for i, part in enumerate(np.array_split(np.arange(rows), files)):
        parquet.write_table(table.take(part), folder / f"part{i}.parquet", row_group_size=GROUP)
    return str(folder / ("part*.parquet" if files > 1 else "part0.parquet"))


def _array(arrow: Any, values: Any) -> Any:
    return arrow.array(values, from_pandas=True) if isinstance(values, np.ndarray) else values


def config_for(source: str, sample_rows: int | str = 100_000, **sections: dict[str, Any]) -> Config:
    data = {"source": source, "sample_rows": sample_rows} | sections.pop("data", {})
    raw = {"data": data, "train": {"epochs": 2}, "search": {"population": 6, "generations": 1}, **sections}
    return config_of(raw, "the test")
