"""docs/sources.md: every row says where its item is and what shows it, and all that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.run import BENCHMARKS
from experiments.catalogue import MODULES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/sources.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| item |", "| - |"))
]
NOWHERE = ("no part of this project",)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_says_where_its_item_is_and_what_shows_it(row: list[str]) -> None:
    _, where, shown, found = row
    if where in NOWHERE:
        return
    for path in re.findall(r"`([^`]+)`", where):
        assert (ROOT / path).exists(), f"{path} is not there"
    kind, _, name = shown.strip("`").partition(" ") if " " in shown else ("", "", shown.strip("`"))
    known = {"experiments.run": MODULES, "benchmarks.run": BENCHMARKS}
    if kind in known:
        assert name in known[kind], f"{shown} runs nothing"
    elif kind == "python":
        assert name.startswith("-m ")
    else:
        assert (ROOT / name).is_file(), f"no test {name}"
    for page in re.findall(r"\]\(([^)]+)\)", found):
        assert (ROOT / "docs" / page).exists(), f"no page {page}"


def test_every_source_has_its_rows() -> None:
    sections = re.findall(r"^## (\d{3})", PAGE, re.M)
    assert sections == ["000", "001", "002", "003", "004"]
    assert len(ROWS) > 70
