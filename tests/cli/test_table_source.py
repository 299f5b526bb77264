"""The table that a command names: its source, and the name of its run folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.cli.table_source import name_of, source_of


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("penguins.csv", "penguins"),
        ("data/penguins.csv.gz", "penguins"),
        ("parts*.csv", "parts"),
        ("days/*.csv", "days"),
        ("*.csv", "table"),
        ("2024-[0-9].tsv", "2024--0-9"),
        ("openml:61", "openml-61"),
        ("iris", "iris"),
        ("Größe v1.2.txt", "Größe v1.2"),
    ],
)
def test_a_run_folder_is_named_after_its_table(table: str, name: str) -> None:
    assert name_of(table) == name


def test_a_file_is_found_whatever_its_ending_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("t.dat", "iris"):
        (tmp_path / name).write_text("a,b\n")
    assert source_of("t.dat") == str(tmp_path / "t.dat")
    assert source_of("new.csv") == str(tmp_path / "new.csv")
    assert (source_of("iris"), source_of("none.dat"), source_of("openml:61")) == ("iris", "none.dat", "openml:61")
