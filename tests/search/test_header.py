"""Whether the first line of a text file names the columns: a header of numbers is no row of data in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from search.config.settings import Config, DataConfig, TaskConfig
from search.errors import InputError
from search.table.data import Table
from search.table.loading import load_table

ROWS = 40
FRACTIONS = np.round(np.random.default_rng(0).normal(size=(ROWS, 4)), 4) + 0.00001
WHOLE = np.random.default_rng(1).integers(0, 200, size=(ROWS, 4))


def written(folder: Path, first: str, body: np.ndarray) -> Path:
    """The first line, and below it as many columns of the body as it has."""
    path = folder / "t.csv"
    rows = [",".join(map(str, row[: first.count(",") + 1].tolist())) for row in body]
    path.write_text("\n".join([first, *rows]))
    return path


def load(path: Path, **data: object) -> Table:
    return load_table(Config(DataConfig(source=str(path), **data), task=TaskConfig()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "body"),
    [
        ("2019,2020,2021", FRACTIONS),
        ("2019,2020,2021", WHOLE),
        ("2021,2019,2020", WHOLE),  # far from all that is below
        ("0,1,2,3", FRACTIONS),  # as pandas writes a frame without names
        ("0,1,2,3", WHOLE),
        ("0,1", FRACTIONS),
        (",0,1,2", WHOLE),  # with its index
        ("400,410,420,430", WHOLE),  # wavelengths
        ("400.5,410.5,420.5,430.5", WHOLE),
        ("0.1,0.2,0.3,0.4", FRACTIONS),
        ("17,5,99", FRACTIONS),
        ("1 , 2 ,3", WHOLE),
        ('"7","8","9"', WHOLE),
    ],
)
def test_a_header_of_numbers_is_asked_about(tmp_path: Path, first: str, body: np.ndarray) -> None:
    path = written(tmp_path, first, body)
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    for fragment in ("t.csv", "the first line has the numbers", "data.header = true", "false if not"):
        assert fragment in message
    assert "\n" not in message
    names = [name.strip(' "') for name in first.split(",")]
    if all(names):
        table = load(path, header=True)
        assert [*table.features, table.target] == names
        assert len(table.y) == ROWS
        table = load(path, header=False)
        assert table.X[0].tolist() == [float(name) for name in names[:-1]]
        assert len(table.y) == ROWS + 1


@pytest.mark.parametrize(
    ("first", "body"),
    [
        ("0.5,1.25,2.5", FRACTIONS),
        ("17,5,99", WHOLE),
        ("1,1,1", FRACTIONS),  # names differ
        ("0,0", FRACTIONS),  # a curve from its origin
        ("10,20", WHOLE),
        ("3,2,1", WHOLE),
        ("-3,5,1", WHOLE),
        ("0,0.5", np.column_stack([np.arange(1, 41), np.arange(1, 41) + 0.5])),  # ascending, as by time
        ("0,100,7", np.column_stack([np.arange(1, 41), 100 - np.arange(1, 41), WHOLE[:, 0]])),
    ],
)
def test_rows_of_numbers_are_rows(tmp_path: Path, first: str, body: np.ndarray) -> None:
    table = load(written(tmp_path, first, body))
    assert len(table.y) == ROWS + 1
    assert table.X[0].tolist() == [float(cell) for cell in first.split(",")[:-1]]
    assert table.features[0] == "x0"


def test_a_column_that_is_left_out_says_nothing(tmp_path: Path) -> None:
    """A column that is left out by number must not make data of the header."""
    path = tmp_path / "t.csv"
    rows = [f"name{i},{','.join(map(str, row))}" for i, row in enumerate(FRACTIONS.tolist())]
    path.write_text("\n".join(["name,2019,2020,2021,2022", *rows]))
    with pytest.raises(InputError, match=r"the numbers '2019, 2020, 2021, 2022', which may be names.*data\.header"):
        load(path, drop=("x0",))
    assert load(path, header=True, drop=("name",)).features == ("2019", "2020", "2021")


@pytest.mark.parametrize(
    ("marked", "separator", "data"),
    [
        (lambda number: f"{number:.5f}".replace(".", ","), ";", {}),
        (lambda number: f'"{1e7 * number:,.0f}"', ",", {"thousands": ","}),
        (lambda number: f"{number:.5f} %", ",", {"percent": True}),
    ],
)
def test_rows_of_marked_numbers_are_rows(
    tmp_path: Path, marked: Callable[[float], str], separator: str, data: dict[str, object]
) -> None:
    path = tmp_path / "t.csv"
    rows = [separator.join(map(marked, row)) for row in FRACTIONS.tolist()]
    path.write_text("\n".join(rows))
    table = load(path, **data)
    assert (len(table.y), table.features[0]) == (ROWS, "x0")
    path.write_text("\n".join([separator.join("abcd"), *rows]))
    table = load(path, **data)
    assert (len(table.y), table.features[0]) == (ROWS, "a")
