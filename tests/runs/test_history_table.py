"""history.csv: appended to, and put right after a kill or a loss."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.errors import DamagedError
from search.folder.history_table import add_line, line_of, mend_table, table_rows

HEADER = ("generation", "evaluations", "best_error")
LINES = [line_of((g, 8 * (g + 1), 1 / 3 if g else None)) for g in range(12)]


def text_of(lines: list[str]) -> str:
    return "".join(["generation,evaluations,best_error\n", *lines])


def test_lines_are_added_below_a_header(tmp_path: Path) -> None:
    for line in LINES:
        add_line(tmp_path, HEADER, line)
    assert (tmp_path / "history.csv").read_text() == text_of(LINES)
    assert [row["evaluations"] for row in table_rows(tmp_path)] == [8.0 * (g + 1) for g in range(12)]
    assert table_rows(tmp_path)[3]["best_error"] == 1 / 3


# What is found, by what happened to a table of 12 rows.
FOUND = {
    "nothing": text_of(LINES).encode(),
    "a row too many": text_of(LINES[:11]).encode(),
    "a torn row": text_of(LINES).encode()[:-3],
    "half a row": text_of(LINES[:3]).encode() + b"3,",
    "zeros after a power cut": text_of(LINES[:4]).encode() + bytes(300),
    "a row lost": text_of(LINES[:5] + LINES[6:]).encode(),
    "no header": "".join(LINES).encode(),
    "no text": b"\xff\xfe" * 99,
    "empty": b"",
}


@pytest.mark.parametrize("last", [0, 5, 10])
@pytest.mark.parametrize("what", FOUND)
def test_a_table_gets_its_rows_back(tmp_path: Path, what: str, last: int) -> None:
    (tmp_path / "history.csv").write_bytes(FOUND[what])
    assert mend_table(tmp_path, HEADER, last, LINES) == 0
    assert (tmp_path / "history.csv").read_text() == text_of(LINES[: last + 1])


def test_a_missing_table_is_made_again(tmp_path: Path) -> None:
    assert mend_table(tmp_path, HEADER, 4, LINES) == 0
    assert (tmp_path / "history.csv").read_text() == text_of(LINES[:5])


def test_a_whole_table_is_neither_written_nor_are_spare_lines_read(tmp_path: Path) -> None:
    def unread() -> Iterator[str]:
        raise AssertionError
        yield ""

    path = tmp_path / "history.csv"
    path.write_text(text_of(LINES))
    before = path.stat().st_mtime_ns, path.stat().st_ino
    assert mend_table(tmp_path, HEADER, 11, unread()) == 0
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_rows_that_nobody_has_are_counted(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(text_of(LINES[6:9]))
    assert mend_table(tmp_path, HEADER, 9, LINES[:4]) == 3
    assert (tmp_path / "history.csv").read_text() == text_of(LINES[:4] + LINES[6:9])


def test_a_line_that_was_edited_into_a_text_is_taken_from_the_log(tmp_path: Path) -> None:
    edited = [*LINES[:3], LINES[3].replace(",", ",about ", 1), *LINES[4:]]
    (tmp_path / "history.csv").write_text(text_of(edited))
    assert mend_table(tmp_path, HEADER, 9, LINES) == 0
    assert (tmp_path / "history.csv").read_text() == text_of(LINES[:10])


def test_a_first_cell_of_thousands_of_digits_is_no_generation(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(text_of(["9" * 5000 + "," * (len(HEADER) - 1) + "\n"]))
    assert mend_table(tmp_path, HEADER, 0, []) == 1


def test_before_the_first_generation_there_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(text_of(LINES))
    assert mend_table(tmp_path, HEADER, -1, ()) == 0
    assert not (tmp_path / "history.csv").exists()
    assert table_rows(tmp_path) == []


def test_a_folder_in_the_place_of_the_table_is_said_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "history.csv" / "kept").mkdir(parents=True)
    for last in (-1, 3):
        with pytest.raises(DamagedError, match=r"history\.csv is a folder in the place of a file; move it away"):
            mend_table(tmp_path, HEADER, last, LINES)
    assert (tmp_path / "history.csv" / "kept").is_dir()
