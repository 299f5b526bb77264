"""The facts of a table, and the config to start from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from search.config.config import load_config
from search.config.settings import DataConfig
from search.table import load_table
from search.table.inspection import ColumnFacts, config_text, inspect

MESSY = "\n".join(
    [
        'n,"f ""x""",c,t,flat,w,y',
        *(
            f"{i * 7 % 23 if i else ''},{'yes' if i % 2 else 'no'},{'ab'[i % 3 == 0]},2026-01-{28 - i:02d},7,2,{i}.5"
            for i in range(24)
        ),
    ]
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(MESSY)
    return tmp_path / "t.csv"


def test_each_column_has_its_facts(path: Path) -> None:
    found = inspect(str(path), DataConfig("", weight="w"))
    assert (found.rows, found.target, found.task, found.problems) == (24, "y", "regression", ())
    assert found.columns == (
        ColumnFacts("n", "feature", "number", 1, 23, "0", "22"),
        ColumnFacts('f "x"', "feature", "boolean", 0, 2, commonest=(("no", 12), ("yes", 12))),
        ColumnFacts("c", "feature", "category", 0, 2, commonest=(("a", 16), ("b", 8))),
        ColumnFacts("t", "feature", "time", 0, 24, "2026-01-05", "2026-01-28"),
        ColumnFacts("flat", "feature", "number", 0, 1, "7", "7"),
        ColumnFacts("w", "weight", "number", 0, 1, "2", "2"),
        ColumnFacts("y", "target", "number", 0, 24, "0.5", "23.5"),
    )
    assert any("'flat'" in note for note in found.notes)


@pytest.mark.parametrize("target", ["", "c", 'f "x"'])
def test_the_config_to_start_from_loads(path: Path, tmp_path: Path, target: str) -> None:
    data = DataConfig("", weight="w", columns={"t": "time hour", "c": ("b", "a")})
    inspection = inspect(str(path), data if target != "c" else DataConfig("", weight="w"))
    (tmp_path / "my.toml").write_text(config_text(inspection, target))
    config = load_config(tmp_path / "my.toml")
    assert config.data.columns == inspection.data.columns
    assert config.search.time == "60s"
    table = load_table(config)
    assert table.target == (target or "y")
    assert table.weight is not None
    kinds = "\n".join(
        line.removeprefix("# ") for line in (tmp_path / "my.toml").read_text().splitlines() if '" = ' in line
    )
    assert set(tomllib.loads(kinds)) == {column.name for column in inspection.columns if column.role == "feature"} - {
        target
    }


def test_what_is_wrong_is_told(tmp_path: Path, path: Path) -> None:
    assert "no such file" in inspect(str(tmp_path / "none.csv")).problems[0]
    path.write_text(MESSY.replace("23.5", "inf"))
    found = inspect(str(path))
    assert (found.task, len(found.problems), len(found.columns)) == ("", 1, 7)
    assert "inf is infinite" in found.problems[0]
