"""Small tables in files of columns that are read in blocks, and the same cells as plain arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.config.config import Config, config_of
from search.run import main

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


def written(folder: Path, cells: dict[str, Any], files: int = 1, ending: str = "parquet") -> str:
    """The source of a table, in row groups of ``GROUP`` rows; ``ending``: a key of ``WRITERS``."""
    for i, part in enumerate(np.array_split(np.arange(len(next(iter(cells.values())))), files)):
        WRITERS[ending]({name: _taken(values, part) for name, values in cells.items()}, folder / f"part{i}.{ending}")
    return str(folder / (f"part*.{ending}" if files > 1 else f"part0.{ending}"))


def small_run(folder: Path, source: str, baselines: str = "") -> Path:
    """The folder of a finished run of one generation on a sample of a table; ``baselines``: the names of a config."""
    (folder / "c.toml").write_text(
        f"""[data]
source = "{source}"
sample_rows = 400
[search]
population = 6
generations = 1
[train]
epochs = 3
[baselines]
models = [{baselines}]
"""
    )
    assert main([str(folder / "c.toml"), "--out", str(folder / "run"), "--quiet"]) == 0
    return folder / "run"


def _taken(values: Any, rows: Any) -> Any:
    return values[rows] if isinstance(values, np.ndarray) else values.take(rows)


def _arrow_table(cells: dict[str, Any]) -> Any:
    arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    columns = {
        name: arrow.array(values, from_pandas=True) if isinstance(values, np.ndarray) else values
        for name, values in cells.items()
    }
    return arrow.table(columns)


def _parquet(cells: dict[str, Any], path: Path) -> None:
    table = _arrow_table(cells)
    from pyarrow import parquet

    parquet.write_table(table, path, row_group_size=GROUP)


def _feather(cells: dict[str, Any], path: Path) -> None:
    """Compressed, in record batches that are no part of the batches in which rows are read."""
    table = _arrow_table(cells)
    from pyarrow import feather

    feather.write_feather(table, str(path), compression="zstd", chunksize=77)


def _arrow(cells: dict[str, Any], path: Path) -> None:
    """In one record batch, as it is in memory."""
    table = _arrow_table(cells).combine_chunks()
    from pyarrow import ipc

    with ipc.new_file(str(path), table.schema) as file:
        file.write_table(table)


def _npy(cells: dict[str, Any], path: Path) -> None:
    """Numbers (rows, columns) if there are no texts, else records."""
    if all(values.dtype == np.float64 for values in cells.values()):
        np.save(path, np.column_stack([*cells.values()]), allow_pickle=False)
        return
    records = np.zeros(len(next(iter(cells.values()))), [(name, values.dtype) for name, values in cells.items()])
    for name, values in cells.items():
        records[name] = values
    np.save(path, records, allow_pickle=False)


WRITERS = {"parquet": _parquet, "feather": _feather, "arrow": _arrow, "npy": _npy}


def config_for(source: str, sample_rows: int | str = 100_000, **sections: dict[str, Any]) -> Config:
    data = {"source": source, "sample_rows": sample_rows} | sections.pop("data", {})
    raw = {"data": data, "train": {"epochs": 2}, "search": {"population": 6, "generations": 1}, **sections}
    return config_of(raw, "the test")
