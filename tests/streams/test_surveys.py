"""What one pass finds, against NumPy on all rows at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from neuraltree.inputs.encoding import encode
from neuraltree.tree.scaler import Scaler
from search.errors import InputError
from search.table.loading import load_table
from search.table.streams import stored_rows, stream_tables
from search.table.streams.moments import Moments
from search.table.streams.read_ahead import ahead
from search.table.streams.row_draws import SAMPLE, TEST, uniform
from tests.helpers.streamed import WRITERS, cells_of, config_for, written

ROWS = 1500


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_rows, "BATCH", 128)


def loaded(folder: Path, cells: dict[str, Any], files: int = 1, ending: str = "parquet", **options: Any) -> Any:
    return load_table(config_for(written(folder, cells, files, ending), **options))


def test_draws_are_uniform_and_independent() -> None:
    rows = np.arange(200_000)
    one, other, again = (uniform(rows, 7, TEST), uniform(rows, 7, SAMPLE), uniform(rows[5:9], 7, TEST))
    assert_array_equal(again, one[5:9])
    for draws in (one, other, uniform(rows, 8, TEST)):
        counts = np.bincount((draws * 100).astype(int), minlength=100)
        assert draws.min() >= 0
        assert draws.max() < 1
        assert ((counts - 2000) ** 2 / 2000).sum() < 180  # chi-square of 99 degrees: 1 in a million is above 170
        assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.01
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.01
    assert abs(np.corrcoef(one, uniform(rows, 8, TEST))[0, 1]) < 0.01


@pytest.mark.parametrize("holes", [False, True])
def test_moments_of_parts_are_those_of_the_whole(holes: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal([0, 1e8, -3], [1, 1e-2, 0], (1000, 3))
    if holes:
        X[rng.random(X.shape) < 0.2] = np.nan
        X[100:200, 0] = np.nan  # a part without cells
    found = Moments.none(3)
    for part in np.split(X, [100, 200, 201, 800]):
        found += Moments.of(part)
    assert_array_equal(found.cells, (~np.isnan(X)).sum(axis=0))
    assert_allclose(found.mean, np.nanmean(X, axis=0), rtol=1e-14)
    assert_allclose(np.sqrt(found.squares / found.cells), np.nanstd(X, axis=0), rtol=1e-6, atol=1e-12)
    assert_array_equal(found.low, np.nanmin(X, axis=0))
    assert_array_equal(found.high, np.nanmax(X, axis=0))
    filled = found.filled(1000, np.array([5.0, 5.0, 5.0]))
    whole = np.where(np.isnan(X), 5.0, X)
    assert_allclose(filled.mean, whole.mean(axis=0), rtol=1e-12)
    assert_allclose(filled.scaler.scale[:2], whole.std(axis=0)[:2], rtol=1e-6)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("ending", [*WRITERS])
def test_statistics_are_those_of_all_training_rows(tmp_path: Path, kind: str, files: int, ending: str) -> None:
    cells = cells_of(kind, ROWS)
    table = loaded(tmp_path, cells, files, ending, sample_rows=400)
    stream, train = table.stream, uniform(np.arange(ROWS), 0, TEST) >= 0.2
    assert (stream.train_rows, stream.test_rows) == (train.sum(), (~train).sum())
    fitted = {name: values[train] for name, values in cells.items()}
    X = encode(stream.columns, fitted | {"colour": fitted["colour"].astype(object)})
    expected = Scaler.fit(X)
    assert_allclose(stream.scaler.mean, expected.mean, rtol=1e-12, atol=1e-12)
    assert_allclose(stream.scaler.scale, expected.scale, rtol=1e-12)
    by_name = {column.name: column for column in stream.columns}
    assert by_name["c"].fill == pytest.approx(np.nanmean(fitted["c"]), rel=1e-12)
    assert (by_name["a"].low, by_name["a"].high) == (fitted["a"].min(), fitted["a"].max())
    if kind == "regression":
        of_target = Scaler.fit(fitted["y"][:, None])
        assert_allclose(stream.target_scaler.mean, of_target.mean, rtol=1e-12)
        assert_allclose(stream.target_scaler.scale, of_target.scale, rtol=1e-12)
    else:
        assert stream.class_rows["train"] == [int((fitted["y"] == label).sum()) for label in table.classes]

    pieces = [*stream.pieces(test=False)]
    assert_array_equal(np.concatenate([piece.X for piece in pieces]), X)
    labels = table.classes and np.array(table.classes, dtype=object)[np.concatenate([piece.y for piece in pieces])]
    assert_array_equal(np.concatenate([piece.y for piece in pieces]) if labels is None else labels, fitted["y"])


def test_the_sample_has_the_parts_of_all_rows(tmp_path: Path) -> None:
    cells = cells_of("regression", ROWS)
    table = loaded(tmp_path, cells, sample_rows=400)
    rows = np.arange(ROWS)
    kept = np.flatnonzero(uniform(rows, 0, SAMPLE) < 400 / (ROWS * 0.8))
    assert_array_equal(table.y, cells["y"][kept])
    assert_array_equal(table.rules.part == -2, uniform(kept, 0, TEST) < 0.2)
    assert 300 < len(kept) < 700
    whole = loaded(tmp_path, cells, sample_rows=ROWS)
    assert_array_equal(whole.y, cells["y"])
    assert whole.digest != table.digest


def test_a_rare_class_is_in_the_sample(tmp_path: Path) -> None:
    cells = cells_of("binary", 6000)
    rare = np.arange(6000) % 15 == 7
    cells["y"] = np.where(rare, "rare", cells["y"])
    table = loaded(tmp_path, cells, sample_rows=100)
    train = uniform(np.arange(6000), 0, TEST) >= 0.2
    found = {
        (label, part): int(((table.labels == label) & ((table.rules.part == -2) == part)).sum())
        for label in table.classes
        for part in (False, True)
    }
    lowest = np.sort(uniform(np.flatnonzero(rare & train), 0, SAMPLE))
    expected = max(100, int((lowest < 100 / (6000 * 0.8)).sum()))
    assert found["rare", False] == expected
    assert found["rare", True] == min(100, int((rare & ~train).sum()))


def test_small_files_are_read_whole_and_large_ones_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cells_of("regression", ROWS)
    assert loaded(tmp_path, cells, sample_rows="auto").stream is None
    assert loaded(tmp_path, cells, sample_rows=0).stream is None
    monkeypatch.setattr(stream_tables, "LARGE_CELLS", 4 * ROWS)
    assert loaded(tmp_path, cells, sample_rows="auto").stream is not None
    assert loaded(tmp_path, cells, sample_rows="auto", data={"drop": ("a",)}).stream is None
    assert loaded(tmp_path, cells, sample_rows=0).stream is None


def changed(name: str, values: Any) -> dict[str, Any]:
    return cells_of("regression", ROWS) | {name: values}


@pytest.mark.parametrize(
    ("cells", "data", "said"),
    [
        (changed("a", np.where(np.arange(ROWS) == 700, np.inf, 1.0 * np.arange(ROWS))), {}, "row 700, column 'a': inf"),
        (changed("y", np.where(np.arange(ROWS) == 701, 1e31, 1.0 * np.arange(ROWS))), {}, "row 701, column 'y': 1e"),
        (cells_of("regression", ROWS), {"missing": "refuse"}, "missing values, in 'c'"),
        (cells_of("regression", ROWS), {"group": "colour"}, "data.group needs the whole table in memory"),
        (cells_of("regression", ROWS), {"weight": "colour"}, "weights 'colour' are not numbers"),
        (cells_of("regression", ROWS), {"weight": "b"}, "is no weight"),
        (cells_of("regression", ROWS), {"target": "nothing"}, "data.target has no column 'nothing'"),
        (changed("a", np.array(["1"] * (ROWS - 1) + ["maybe"])), {"columns": {"a": "boolean"}}, "'maybe'"),
        (changed("y", np.array([f"{i}.5" for i in range(ROWS)])), {}, "holds numbers as texts"),
    ],
)
def test_what_cannot_be_streamed_is_refused(
    tmp_path: Path, cells: dict[str, Any], data: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        loaded(tmp_path, cells, data=data)


def test_a_sample_needs_a_file_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,2\n")
    with pytest.raises(InputError, match=r"only \.parquet, \.arrow, \.feather, \.npy files are read in blocks"):
        load_table(config_for(str(path), 10))


def test_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    written(tmp_path, cells_of("regression", ROWS), files=2)
    (tmp_path / "part1.parquet").unlink()
    other = tmp_path / "other"
    other.mkdir()
    written(other, {"z" if name == "a" else name: values for name, values in cells_of("regression", 20).items()})
    (other / "part0.parquet").rename(tmp_path / "part1.parquet")
    for sample_rows in (0, 100):
        with pytest.raises(InputError, match=r"the columns of .*part1\.parquet are 'z'"):
            load_table(config_for(str(tmp_path / "*.parquet"), sample_rows))


def two_files(folder: Path, kinds: tuple[str, str]) -> Any:
    """The table of two files whose column ``b`` has these arrow types, read in blocks."""
    arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    from pyarrow import parquet

    for i, kind in enumerate(kinds):
        b = np.random.default_rng(i).integers(1, 9, 200)
        cells = arrow.array([None] * 200 if kind == "null" else b).cast(kind)
        parquet.write_table(arrow.table({"a": b * 0.5, "b": cells, "y": b / 3}), folder / f"part{i}.parquet")
    return load_table(config_for(str(folder / "part*.parquet"), 300))


@pytest.mark.parametrize("kinds", [("int64", "double"), ("float", "int32"), ("int64", "null"), ("null", "double")])
def test_files_may_have_other_types_of_one_column(tmp_path: Path, kinds: tuple[str, str]) -> None:
    table = two_files(tmp_path, kinds)
    cells = [np.random.default_rng(i).integers(1, 9, 200) for i, kind in enumerate(kinds) if kind != "null"]
    there = np.concatenate([piece.X[:, 1] for test in (False, True) for piece in table.stream.pieces(test=test)])
    missing = 200 * kinds.count("null")
    assert_array_equal(np.sort(there)[~np.isin(np.sort(there), range(1, 9))].size, missing)
    assert_array_equal(np.sort(there[np.isin(there, range(1, 9))]), np.sort(np.concatenate(cells)))


@pytest.mark.parametrize("sample_rows", [0, 400])
@pytest.mark.parametrize(
    "kinds", [("string", "codes"), ("codes", "large_string"), ("null", "codes"), ("codes", "null")]
)
def test_files_may_store_texts_with_and_without_a_dictionary(
    tmp_path: Path, kinds: tuple[str, str], sample_rows: int
) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    from pyarrow import parquet

    for i, kind in enumerate(kinds):
        b = np.random.default_rng(i).integers(1, 4, 200)
        texts = arrow.array([None] * 200 if kind == "null" else [f"level {x}" for x in b])
        cells = texts.dictionary_encode() if kind == "codes" else texts.cast(kind)
        parquet.write_table(arrow.table({"a": b * 0.5, "b": cells, "y": b / 3}), tmp_path / f"part{i}.parquet")
    table = load_table(config_for(str(tmp_path / "part*.parquet"), sample_rows))
    assert table.features[1:4] == ("b=level 1", "b=level 2", "b=level 3")
    numbers = [np.random.default_rng(i).integers(1, 4, 200) for i in range(2)]
    for level in (1, 2, 3):
        expected = [(b == level) & (kind != "null") for b, kind in zip(numbers, kinds, strict=True)]
        assert_array_equal(table.X[:, level], np.concatenate(expected))


@pytest.mark.parametrize(("name", "hint"), [("y", r"name another data\.target"), ("a", r'drop = \["a"\]')])
def test_a_column_without_cells_says_what_to_do(tmp_path: Path, name: str, hint: str) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    with pytest.raises(InputError, match=f"column '{name}' holds null, which is no number, text, flag or time: {hint}"):
        loaded(tmp_path, cells_of("regression", ROWS) | {name: arrow.nulls(ROWS)}, sample_rows=100)


@pytest.mark.parametrize(
    ("data", "target", "features"),
    [({"target": 0}, "a", "bcy"), ({"target": "y", "drop": ("b",)}, "y", "ac"), ({"target": -2}, "colour", "abcy")],
)
def test_columns_are_chosen_as_of_a_table_in_memory(
    tmp_path: Path, data: dict[str, Any], target: str, features: str
) -> None:
    cells = cells_of("regression", ROWS)
    table, whole = (loaded(tmp_path, cells, sample_rows=rows, data=data) for rows in (ROWS, 0))
    assert table.stream.rows.target == target
    assert [name for name in table.features if "=" not in name] == [*features]
    assert table.features == whole.features
    assert_array_equal(table.y, whole.y)


@pytest.mark.parametrize("kinds", [("int64", "string"), ("string", "int64"), ("int64", "bool")])
def test_files_whose_types_do_not_fit_together_are_refused(tmp_path: Path, kinds: tuple[str, str]) -> None:
    with pytest.raises(InputError, match=r"part\*\.parquet: the files cannot be joined: .*b"):
        two_files(tmp_path, kinds)


def test_a_file_that_was_replaced_since_the_pass_is_refused(tmp_path: Path) -> None:
    table = loaded(tmp_path, cells_of("multiclass", ROWS), sample_rows=100)
    assert sum(len(piece.y) for piece in table.stream.pieces(test=True))
    written(tmp_path, cells_of("multiclass", ROWS // 2))
    with pytest.raises(InputError, match=r"part0\.parquet was changed while the run read it"):
        list(table.stream.pieces(test=True))
    (tmp_path / "part0.parquet").unlink()
    with pytest.raises(InputError, match="no such file"):
        list(table.stream.pieces(test=True))


@pytest.mark.filterwarnings("error")
def test_an_infinite_number_is_refused_without_warnings(tmp_path: Path) -> None:
    cells = cells_of("regression", ROWS)
    cells["a"][700] = np.inf
    with pytest.raises(InputError, match="row 700, column 'a': inf is infinite"):
        loaded(tmp_path, cells, sample_rows=100)


def test_rows_without_a_target_are_left_out(tmp_path: Path) -> None:
    cells = cells_of("regression", ROWS)
    cells["y"][::10] = np.nan
    table = loaded(tmp_path, cells, sample_rows=ROWS)
    assert table.stream.train_rows + table.stream.test_rows == len(table.y) == ROWS - ROWS // 10
    assert any(note.startswith("150 rows are left out") for note in table.notes)


def test_a_row_group_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    from pyarrow import parquet

    columns = {name: np.random.default_rng(0).normal(size=2_000_000) for name in "aby"}  # 16 MB each
    parquet.write_table(arrow.table(columns), tmp_path / "t.parquet", row_group_size=2_000_000)
    monkeypatch.setattr(stored_rows, "BATCH", 4096)
    rows = stored_rows.stored_rows([tmp_path / "t.parquet"], config_for("t.parquet").data, "t.parquet")
    before, most = arrow.total_allocated_bytes(), 0
    for _ in rows.batches():
        most = max(most, arrow.total_allocated_bytes() - before)
    assert most < 24_000_000


def test_reading_ahead_keeps_the_order_and_raises_where_it_fails() -> None:
    def failing() -> Any:
        yield from range(5)
        raise ValueError("no sixth item")

    seen: list[int] = []
    with pytest.raises(ValueError, match="no sixth item"):
        seen.extend(ahead(failing()))
    assert seen == [*range(5)]
    seen.clear()
    for item in ahead(range(3)):
        seen.append(item)
    assert seen == [0, 1, 2]


def test_every_kind_of_column_is_as_in_memory(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    rng = np.random.default_rng(0)
    dates = np.datetime64("2026-01-05") + rng.integers(0, 400, ROWS)
    levels = rng.choice(["low", "middle", "high"], ROWS)
    cells = {
        "whole": arrow.array(rng.integers(0, 9, ROWS), mask=rng.random(ROWS) < 0.1),
        "flag": arrow.array(rng.random(ROWS) < 0.5, mask=rng.random(ROWS) < 0.1),
        "day": dates,
        "text": arrow.array(rng.choice(["a", " b", "?"], ROWS)).dictionary_encode(),
        "grade": levels,
        "code": rng.integers(0, 4, ROWS),
        "number": arrow.array([str(i % 7) for i in range(ROWS)]),
        "y": arrow.array(rng.choice([0, 1, 2], ROWS), mask=np.arange(ROWS) == 5),
    }
    data = {"columns": {"grade": ["low", "middle", "high"], "code": "category", "day": "time weekday"}}
    data["missing"] = "median"
    table = loaded(tmp_path, cells, sample_rows=ROWS, data=data)
    (tmp_path / "whole").mkdir()
    whole = loaded(tmp_path / "whole", cells, sample_rows=0, data=data)
    assert table.features == whole.features
    assert table.classes == whole.classes
    assert_array_equal(table.y, whole.y)
    pieces = [piece for test in (False, True) for piece in table.stream.pieces(test=test)]
    order = np.argsort(table.rules.part != -1, kind="stable")
    assert_array_equal(np.concatenate([piece.X for piece in pieces]), table.X[order])
    assert_array_equal(np.concatenate([piece.y for piece in pieces]), table.y[order])
    expected = Scaler.fit(table.X[table.rules.part == -1])
    assert_allclose(table.stream.scaler.mean, expected.mean, rtol=1e-9, atol=1e-9)
    assert_allclose(table.stream.scaler.scale, expected.scale, rtol=1e-9)
