"""Text files that are too large for memory, and the line that converts them."""

from __future__ import annotations

import gzip
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from search.config.config import config_of
from search.errors import InputError
from search.table.loading import load_table
from search.table.streams import text_limits

ROWS = 5000


def text(separator: str, header: bool) -> str:
    rng = np.random.default_rng(0)
    rows = [separator.join([*map(str, rng.integers(1000, 9999, 3)), "ab"[i % 2], f"{i}.5"]) for i in range(ROWS)]
    return "\n".join([separator.join("pqrsy")] * header + rows) + "\n"


def written(path: Path, separator: str = ",", header: bool = True) -> Path:
    content = text(separator, header).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def loaded(path: Path | str, **data: object):
    return load_table(config_of({"data": {"source": str(path), **data}}, "the test"))


def hold(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """So much memory is free, as a share of what the cells of the table need."""
    monkeypatch.setattr(text_limits, "available_bytes", lambda: int(share * text_limits.CELL_BYTES * 5 * ROWS))


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_the_estimate_is_near_the_number_of_cells(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / name)
    hold(monkeypatch, 1.2)
    assert len(loaded(path).y) == ROWS
    hold(monkeypatch, 0.8)
    with pytest.raises(InputError, match="as Parquet it is read in blocks"):
        loaded(path)


@pytest.mark.parametrize(
    ("name", "separator", "data"),
    [
        ("it's.csv", ",", {}),
        ("t.csv.gz", ",", {}),
        ("t.tsv", "\t", {}),
        ("t.txt", ";", {"header": False}),
    ],
)
def test_the_line_that_is_told_converts_the_table(
    tmp_path: Path, name: str, separator: str, data: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    path = written(tmp_path / name, separator, data.get("header", True))
    expected = loaded(path, **data)
    hold(monkeypatch, 0.5)
    with pytest.raises(InputError) as caught:
        loaded(path, **data)
    (line,) = caught.value.problems
    command = shlex.split(line.partition("with pyarrow: ")[2])
    assert command[:2] == ["python", "-c"]
    subprocess.run([sys.executable, *command[1:]], check=True)
    source = line.partition('data.source = "')[2].partition('"')[0]
    table = loaded(source)
    assert_array_equal(table.X, expected.X)
    assert_array_equal(table.y, expected.y)


def test_several_files_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "b.csv"):
        written(tmp_path / name)
    hold(monkeypatch, 1.5)
    with pytest.raises(InputError, match=r'data.source = ".*/\*\.parquet"\. To convert it and so for each of the 2'):
        loaded(tmp_path / "*.csv")


def test_the_memory_of_this_machine_is_known() -> None:
    there = text_limits.available_bytes()
    assert there is None or there > 2**20
