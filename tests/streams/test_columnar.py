"""Parquet, Arrow and npy files: the same rows are the same table and the same front."""

from __future__ import annotations

import builtins
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from search.errors import InputError
from search.table.columnar import arrow_files, npy_files
from search.table.columnar.column_cells import coded
from search.table.columnar.column_formats import FORMATS
from search.table.loading import load_table
from search.table.streams import stored_rows
from search.table.streams.row_draws import TEST, uniform
from tests.helpers import streamed
from tests.helpers.streamed import WRITERS, cells_of, config_for, small_run, written

ROWS = 1500
OTHERS = [ending for ending in WRITERS if ending != "parquet"]


def test_every_format_has_a_writer() -> None:
    assert {f".{ending}" for ending in WRITERS} == set(FORMATS)


def numbers(rows: int = ROWS) -> dict[str, Any]:
    """Columns named as in an npy file, one of them with holes; the target is the last."""
    cells = cells_of("regression", rows)
    del cells["colour"]
    return {f"x{i}": values for i, values in enumerate(cells.values())}


def front(folder: Path, ending: str, cells: dict[str, Any]) -> dict[str, bytes]:
    """The files of a small run that hold its front."""
    folder.mkdir()
    run = small_run(folder, written(folder, cells, files=2, ending=ending))
    files = [run / "front.csv", *sorted((run / "models").iterdir())]
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.parametrize("cells", [numbers(), cells_of("binary", ROWS)], ids=["numbers", "texts too"])
def test_a_run_has_the_front_of_the_same_rows_in_parquet(
    tmp_path: Path, cells: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_rows, "BATCH", 128)
    monkeypatch.setattr(streamed, "GROUP", ROWS)  # as other formats have their rows
    expected = front(tmp_path / "parquet", "parquet", cells)
    assert len(expected) > 1
    for ending in OTHERS:
        assert front(tmp_path / ending, ending, cells) == expected


@pytest.mark.parametrize("ending", OTHERS)
@pytest.mark.parametrize("files", [1, 3])
def test_a_table_that_is_read_whole_is_that_of_parquet(tmp_path: Path, ending: str, files: int) -> None:
    for cells in (numbers(), cells_of("multiclass", ROWS)):
        expected, table = (
            load_table(config_for(written(tmp_path, cells, files, form), 0)) for form in ("parquet", ending)
        )
        assert table.stream is None
        assert (table.features, table.classes) == (expected.features, expected.classes)
        assert_array_equal(table.X, expected.X)
        assert_array_equal(table.y, expected.y)


@pytest.mark.parametrize(
    ("ending", "sizes"), [("feather", [385] * 3 + [345]), ("arrow", [ROWS]), ("npy", [400] * 3 + [300])]
)
def test_groups_can_be_read_in_any_order(
    tmp_path: Path, ending: str, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_rows, "BATCH", 128)
    for module in (arrow_files, npy_files):
        monkeypatch.setattr(module, "GROUP", 400)
    cells = cells_of("binary", ROWS)
    table = load_table(config_for(written(tmp_path, cells, ending=ending)))
    stream = table.stream
    assert stream is not None
    groups, train = stream.rows.groups, uniform(np.arange(ROWS), 0, TEST) >= 0.2
    assert [group.rows for group in groups] == sizes
    order = [*reversed(groups)]
    rows = np.concatenate([np.arange(group.first, group.first + group.rows) for group in order])
    found = np.concatenate([piece.X for piece in stream.pieces(order, test=False)])
    expected = np.column_stack([cells["a"], cells["b"], cells["colour"] == "red"])[rows[train[rows]]]
    assert_array_equal(found[:, [0, 1, table.features.index("colour=red")]], expected)


def test_types_of_npy_files_are_read_as_their_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kinds = {"i": "<i2", "u": "u1", "f": "<f4", "h": "<f2", "big": ">f8", "flag": "?", "text": "<U5", "day": "<M8[D]"}
    records = np.zeros(ROWS, [*kinds.items(), ("y", "<i8")])
    for name in ("i", "u", "f", "h", "big", "flag", "y"):
        records[name] = rng.integers(0, 2 if name in ("flag", "y") else 50, ROWS)
    records["text"], records["day"] = rng.choice(["a", " b", "?"], ROWS), rng.integers(0, 400, ROWS)
    np.save(tmp_path / "t.npy", records)
    for sample_rows in (ROWS, 0):
        table = load_table(config_for(str(tmp_path / "t.npy"), sample_rows, task={"kind": "classification"}))
        for i, name in enumerate(("i", "u", "f", "h", "big", "flag")):
            assert_array_equal(table.X[:, i], records[name].astype(np.float64))
        assert_array_equal(table.X[:, table.features.index("text=b")], records["text"] == " b")
        assert_array_equal(table.y, records["y"])


def test_npy_files_may_have_other_types_of_numbers(tmp_path: Path) -> None:
    parts = [np.arange(800).reshape(200, 4).astype(kind) % 97 for kind in ("int32", "float32")]
    for i, part in enumerate(parts):
        np.save(tmp_path / f"{i}.npy", np.asfortranarray(part))
    for sample_rows in (400, 0):
        table = load_table(config_for(str(tmp_path / "*.npy"), sample_rows))
        assert table.features == ("x0", "x1", "x2")
        assert_array_equal(np.column_stack([table.X, table.y]), np.concatenate(parts))


def test_npy_files_of_flags_and_of_numbers_are_refused(tmp_path: Path) -> None:
    for i, kind in enumerate(("?", "float64")):
        np.save(tmp_path / f"{i}.npy", np.ones((200, 4), kind))
    with pytest.raises(InputError, match=r"cannot be joined: column 'x0' holds bool and float64"):
        load_table(config_for(str(tmp_path / "*.npy"), 0))


TABLE = np.random.default_rng(0).normal(size=(200, 3))
WRONG = {
    "one column": (TABLE[:, 0], r"holds float64 of the shape \(200,\); allowed: numbers or flags \(rows, columns\)"),
    "three axes": (TABLE[None], r"holds float64 of the shape \(1, 200, 3\)"),
    "no rows": (TABLE[:0], r"shape \(0, 3\)|cannot be read as \.npy"),
    "complex": (TABLE * 1j, r"holds complex128 of the shape \(200, 3\)"),
    "texts": (TABLE.astype(str), r"holds <U32 of the shape"),
    "a complex field": (np.zeros(9, [("a", "f8"), ("b", "c16")]), r"fields of other types: b \(complex128\)"),
    "bytes": (np.zeros(9, [("a", "f8"), ("b", "S3")]), r"fields of other types: b \(\|S3\)"),
    "a field of arrays": (np.zeros(9, [("a", "f8", (2,)), ("b", "f8")]), r"fields of other types: a"),
}


@pytest.mark.parametrize("sample_rows", [0, 100])
@pytest.mark.parametrize(("array", "said"), WRONG.values(), ids=WRONG)
def test_npy_files_that_are_no_table_are_refused(tmp_path: Path, array: Any, said: str, sample_rows: int) -> None:
    np.save(tmp_path / "t.npy", array)
    with pytest.raises(InputError, match=said):
        load_table(config_for(str(tmp_path / "t.npy"), sample_rows))


class Trap:
    """Unpickled, it would say so."""

    opened = False

    def __setstate__(self, state: object) -> None:
        Trap.opened = True

    def __getstate__(self) -> dict[str, int]:
        return {"a": 1}


@pytest.mark.parametrize("sample_rows", [0, 100])
def test_nothing_is_unpickled(tmp_path: Path, sample_rows: int) -> None:
    np.save(tmp_path / "t.npy", np.array([[Trap(), 1.0]] * 100, dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"t\.npy: cannot be read as \.npy: .*[Oo]bject"):
        load_table(config_for(str(tmp_path / "t.npy"), sample_rows))
    import pickle

    (tmp_path / "t.npy").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError, match=r"t\.npy: cannot be read as \.npy"):
        load_table(config_for(str(tmp_path / "t.npy"), sample_rows))
    assert not Trap.opened


@pytest.mark.parametrize("ending", OTHERS)
@pytest.mark.parametrize("sample_rows", [0, 100])
def test_damaged_files_are_refused(tmp_path: Path, ending: str, sample_rows: int) -> None:
    path = Path(written(tmp_path, cells_of("binary", ROWS), ending=ending))
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"a,b\n1,2\n" * 50):
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"part0\.{ending}: cannot be read as"):
            load_table(config_for(str(path), sample_rows))


def test_npy_files_need_no_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for sample_rows in (0, 400):
        table = load_table(config_for(written(tmp_path, numbers(), ending="npy"), sample_rows))
        assert (table.stream is None) == (sample_rows == 0)
    (tmp_path / "t.arrow").touch()
    with pytest.raises(InputError, match=r"t\.arrow: an Arrow file needs the package pyarrow: pip install"):
        load_table(config_for(str(tmp_path / "t.arrow"), 0))


@pytest.mark.parametrize("ending", ["arrow", "npy"])
def test_a_file_is_not_read_whole(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    columns = {f"x{i}": np.random.default_rng(0).normal(size=500_000) for i in range(3)}  # 4 MB each
    source = written(tmp_path, columns, ending=ending)
    monkeypatch.setattr(stored_rows, "BATCH", 4096)
    rows = stored_rows.stored_rows([Path(source)], config_for(source).data, source)
    before, most, seen = arrow.total_allocated_bytes(), 0, 0
    tracemalloc.start()
    for _, batch in rows.batches():
        seen += batch.num_rows
        most = max(most, arrow.total_allocated_bytes() - before)
    most += tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == 500_000
    assert most < 1_000_000


@pytest.mark.parametrize(
    "cells", [np.array(["b", "a", "b", "c"]), np.array([3.0, np.nan, 1.0, np.nan, 3.0]), np.array([True, False, True])]
)
def test_cells_are_coded_as_by_arrow(cells: Any) -> None:
    """Levels come in the order in which they are met: sums over them have the same bits."""
    arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    data = config_for("t.npy").data
    mine, its = (coded(column, "x", data, "t") for column in (cells, arrow.array(cells)))
    assert_array_equal(mine.levels, its.levels)
    assert_array_equal(mine.codes, its.codes)


@pytest.mark.parametrize("sample_rows", [0, 100])
def test_a_damaged_arrow_file_is_refused_before_its_offsets_are_followed(tmp_path: Path, sample_rows: int) -> None:
    import pyarrow as pa

    rows = 300
    table = pa.table({"colour": ["ab", "cd", "ef"] * 100, "x": np.arange(rows) / 7, "y": np.arange(rows) % 5 / 3})
    path = tmp_path / "t.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    content = bytearray(path.read_bytes())
    offsets = np.arange(rows + 1, dtype=np.int32) * 2
    last = content.index(offsets.tobytes()) + 4 * rows
    content[last : last + 4] = np.int32(2**30).tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"t\.arrow: cannot be read as an Arrow file"):
        load_table(config_for(str(path), sample_rows))


def test_times_that_no_unit_measures_together_are_refused(tmp_path: Path) -> None:
    for unit in ("Y", "as"):
        cells = np.zeros(300, dtype=[("when", f"M8[{unit}]"), ("x", "f8"), ("y", "f8")])
        np.save(tmp_path / f"{unit}.npy", cells)
    with pytest.raises(InputError, match=r"the files cannot be joined: column 'when'"):
        load_table(config_for(str(tmp_path / "*.npy"), 0))
