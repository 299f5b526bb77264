"""Columns that say how rows may be split: how groups, times and parts are read, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from search.config.settings import Config, DataConfig, TaskConfig
from search.errors import InputError
from search.table.data import Table
from search.table.loading import load_table
from search.table.split_columns import TEST, TRAIN

ROWS = 12


def table_file(folder: Path, **columns: Any) -> Path:
    """A file of features p and q, the columns, and a target y."""
    cells = {"p": range(ROWS), "q": [i * i % 7 for i in range(ROWS)], **columns, "y": [i + 0.5 for i in range(ROWS)]}
    lines = [",".join(map(str, row)) for row in zip(*cells.values(), strict=True)]
    path = folder / "my.csv"
    path.write_text("\n".join([",".join(cells), *lines]))
    return path


def load(path: Path | str, **data: Any) -> Table:
    return load_table(Config(DataConfig(source=str(path), **data), task=TaskConfig()))


def with_cell(cells: list[Any], row: int, cell: str) -> list[Any]:
    return [*cells[:row], cell, *cells[row + 1 :]]


SUBJECTS = [f"s{i % 4}" for i in range(ROWS)]
DAYS = [f"2024-02-{28 - i:02d}" for i in range(ROWS)]
PARTS = ["test", "Train", "b", "a"] * 3


def test_groups_are_a_column_that_is_no_feature(tmp_path: Path) -> None:
    path = table_file(tmp_path, who=SUBJECTS)
    table = load(path, group="who")
    assert (table.features, table.target) == (("p", "q"), "y")
    assert_array_equal(table.rules.group, np.arange(ROWS) % 4)
    others = [load(path, drop=("who",)), load(table_file(tmp_path, who=SUBJECTS[::-1]), group="who")]
    assert len({table.digest, *(other.digest for other in others)}) == 3


@pytest.mark.parametrize(
    "times",
    [
        list(range(ROWS)),
        [1e9 + i / 8 for i in range(ROWS)],
        DAYS[::-1],
        [f"{2013 + i}-07" for i in range(ROWS)],
        [f"2024-02-28T10:{i:02d}:00.250" for i in range(ROWS)],
        [f"2024-02-28 10:{i:02d}" for i in range(ROWS)],
        [f"2024-02-28T{i + 2:02d}:00:00{'+02:00' if i % 2 else 'Z'}" for i in (0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13)],
    ],
)
def test_times_in_all_their_forms(tmp_path: Path, times: list[Any]) -> None:
    assert_array_equal(load(table_file(tmp_path, at=times), time="at").rules.time, np.arange(ROWS))
    assert_array_equal(load(table_file(tmp_path, at=times[::-1]), time="at").rules.time, np.arange(ROWS)[::-1])


def test_equal_times_are_one_time(tmp_path: Path) -> None:
    times = ["2024-02-28T12:00Z", "2024-02-28T13:00+01:00", "2024-02-28T11:30-01:00"] * 4
    assert load(table_file(tmp_path, at=times), time="at").rules.time.tolist() == [0, 0, 1] * 4


def test_given_parts(tmp_path: Path) -> None:
    assert load(table_file(tmp_path, part=PARTS), split="part").rules.part.tolist() == [TEST, TRAIN, 1, 0] * 3


def test_columns_of_arrays_and_of_bundled_tables(tmp_path: Path) -> None:
    X, y = np.random.default_rng(0).normal(size=(ROWS, 2)), np.arange(ROWS) + 0.5
    days = np.array(DAYS, dtype="datetime64[D]")
    np.savez(tmp_path / "my.npz", X=X, y=y, who=np.arange(ROWS) % 3, part=np.array(PARTS), at=days)
    table = load(tmp_path / "my.npz", group="who")
    assert table.features == ("x0", "x1")
    assert_array_equal(table.rules.group, np.arange(ROWS) % 3)
    assert load(tmp_path / "my.npz", split="part").rules.part.tolist() == [TEST, TRAIN, 1, 0] * 3
    assert_array_equal(load(tmp_path / "my.npz", time="at").rules.time, np.arange(ROWS)[::-1])
    table = load("iris", time="petal width (cm)")
    assert "petal width (cm)" not in table.features
    assert table.rules.time is not None
    assert table.rules.time.max() == 21  # so many widths, less one
    np.savez(tmp_path / "short.npz", X=X, y=y, who=[1, 2])
    with pytest.raises(InputError, match="who must hold 12 numbers, texts or dates; got int64"):
        load(tmp_path / "short.npz", group="who")


REFUSED: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"c": with_cell(SUBJECTS, 4, "")}, {"group": "c"}, ["line 6", "data.group = 'c'", "the cell is missing"]),
    ({"c": with_cell(DAYS, 3, "NA")}, {"time": "c"}, ["line 5", "data.time = 'c'", "the cell is missing"]),
    ({"c": with_cell(DAYS, 3, "31.01.2024")}, {"time": "c"}, ["line 5", "'31.01.2024' is no time", "2024-05-31"]),
    ({"c": with_cell(DAYS, 3, "5")}, {"time": "c"}, ["line 5", "'5' is no time"]),
    ({"c": with_cell([*range(ROWS)], 3, "inf")}, {"time": "c"}, ["line 5", "'inf' is no time", "finite"]),
    ({"c": with_cell(DAYS, 3, "2024-02-03T10:00Z")}, {"time": "c"}, ["line 5", "time zone", "'2024-02-03T10:00Z'"]),
    ({"c": with_cell(PARTS, 3, "?")}, {"split": "c"}, ["line 5", "data.split = 'c'", "the cell is missing"]),
    ({"c": ["a", "b"] * 6}, {"split": "c"}, ["data.split = 'c'", "no row says test"]),
    ({"c": ["a", "test"] * 6}, {"split": "c"}, ["names one fold, 'a'", "no rows to fit"]),
    (
        {"c": PARTS, "d": [*"uvw"] * 4},
        {"split": "c", "group": "d"},
        ["line 5", "group 'u' is in 'test' too, line 2"],
    ),
    ({"c": SUBJECTS}, {"group": "d"}, ["data.group has no column 'd' of groups"]),
    ({"c": SUBJECTS}, {"group": "c", "split": "c"}, ["the groups 'c' are the parts; name another data.group"]),
    ({"c": DAYS}, {"time": "c", "drop": ("c",)}, ["the times 'c' are among data.drop; name another data.time"]),
    ({"c": SUBJECTS}, {"group": "c", "target": "c"}, ["the groups 'c' are the target; name another data.group"]),
]


@pytest.mark.parametrize(("columns", "data", "fragments"), REFUSED)
def test_a_bad_column_is_refused_in_one_line(
    tmp_path: Path, columns: dict[str, Any], data: dict[str, Any], fragments: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        load(table_file(tmp_path, **columns), **data)
    assert "\n" not in str(caught.value)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_a_column_of_measurements_is_no_column_of_folds(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("p,c,y\n" + "\n".join(f"{i},{'test' if i < 5 else i / 7},{i}.5" for i in range(40)))
    with pytest.raises(InputError, match="names 35 folds; allowed: at most 20"):
        load(path, split="c")


def test_fairness_groups_have_names_and_are_no_feature(tmp_path: Path) -> None:
    path = table_file(tmp_path, who=SUBJECTS)
    table = load(path, fairness_group="who")
    assert table.features == ("p", "q")
    assert table.rules.free
    assert table.fairness is not None
    assert table.fairness.names == ("s0", "s1", "s2", "s3")
    assert_array_equal(table.fairness.codes, np.arange(ROWS) % 4)
    both = load(path, fairness_group="who", group="who")
    assert_array_equal(both.rules.group, np.arange(ROWS) % 4)
    assert len({table.digest, both.digest, load(path, drop=("who",)).digest}) == 3
    np.savez(tmp_path / "my.npz", X=table.X, y=table.y, site=np.array(SUBJECTS))
    assert load(tmp_path / "my.npz", fairness_group="site", group="site").fairness.names == table.fairness.names


@pytest.mark.parametrize(
    ("columns", "data", "told"),
    [
        ({"who": ["a"] * ROWS}, {"fairness_group": "who"}, "every row is in the group 'a'; leave it out"),
        ({"who": with_cell(SUBJECTS, 3, "")}, {"fairness_group": "who"}, "the cell is missing"),
        ({"who": SUBJECTS}, {"fairness_group": "whom"}, "data.fairness_group has no column 'whom' of fairness groups"),
        ({"who": list(range(ROWS))}, {"fairness_group": "who", "time": "who"}, "name another data.time"),
    ],
)
def test_fairness_groups_that_are_refused(
    tmp_path: Path, columns: dict[str, Any], data: dict[str, str], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        load(table_file(tmp_path, **columns), **data)
