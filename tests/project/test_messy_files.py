"""The messy tables of the benchmark: each fault is in the file, is told, and costs no cell of the truth."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs import big_table, messy_tables
from benchmarks.inputs.clean_columns import Truth, holes
from benchmarks.inputs.clean_pipeline import encoded
from benchmarks.inputs.messy_cells import FAULTS
from benchmarks.inputs.messy_files import RECIPES, File, fixed_files, kept, messy_file
from search.config.config import load_config
from search.config.settings import Config, DataConfig
from search.table import load_table
from search.table.data import Table

# Bytes that a file must hold, so that the fault is really in it.
MARKS: dict[str, tuple[bytes, ...]] = {
    "semicolons": (b";", b",5;", "Besançon".encode("latin-1"), b";ja;", b".2024", b"\n0;", b";kg;"),
    "thousands": (b'"1,', b" %", b"\xef\xbb\xbf", b",NA", b'"pump, old"', b"2024-"),
    "tabs": ("\t".encode("utf-16-le"), b"\xff\xfe", "n.d.".encode("utf-16-le"), "\toui\t".encode("utf-16-le")),
    "bars": (b"|", "São".encode(), b"|temperature|", b"|T|", b"|null|", b"|\n\n"),
    "parts": (b",Y,", b",kg,", b"\n0,"),
    "survey": (b"/2024", b",\n\n", b",n/a,", b"\n7,", b",good,"),
    "no header": (b",5;", b".2024;"),
    "everything": (b";", b",5;", b"1.0", b" %;", "Besançon".encode("latin-1"), b"n.d.", b";\n\n", b"kg;", b"\n0;AB-0;"),
}


def config(file: File, folder: Path) -> Config:
    path = folder / "c.toml"
    path.write_text(f"data.source = '{file.source}'\ndata.target = '{file.target}'\n")
    return load_config(path, [option.removeprefix("--set=") for option in file.options])


def content(file: File) -> bytes:
    paths = sorted(Path(file.source).parent.glob(Path(file.source).name))
    assert paths
    return b"".join(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in paths)


def check_numbers(table: Table, file: File) -> None:
    """Every number of the truth is in the features, in the order of the columns."""
    truth, place = kept(file.truth), 0
    assert len(table.y) == len(truth.y)
    for name, cells in truth.columns.items():
        if cells.dtype == object or truth.kinds.get(name) == "day":
            continue
        there = ~holes(cells)
        found = [i for i in range(place, table.X.shape[1]) if np.allclose(table.X[there, i], cells[there], rtol=1e-12)]
        assert found, name
        place = found[0] + 1


@pytest.mark.parametrize("name", RECIPES)
def test_a_messy_table_has_its_faults_and_is_read_whole(name: str, tmp_path: Path) -> None:
    file = messy_file(name, tmp_path)
    for mark in MARKS[name]:
        assert mark in content(file), mark
    table = load_table(config(file, tmp_path))
    check_numbers(table, file)
    if table.classes is None:
        assert np.array_equal(table.y, kept(file.truth).y)
    else:
        assert [table.classes[code] for code in table.y] == kept(file.truth).y.tolist()
    told = [note for note in table.notes if "features of a training row" not in note]
    for fragment in file.notes:
        assert len([note for note in told if fragment in note]) >= 1, (fragment, told)
    assert len(told) == len(file.notes) + (1 if Path(file.source).name.startswith("everything") else 0), told


def test_every_fault_is_in_a_table() -> None:
    assert {fault for recipe in RECIPES.values() for fault in recipe.faults} == set(FAULTS)


def test_the_fixed_tables_are_read_whole(tmp_path: Path) -> None:
    there = {file.name: file for file in fixed_files(tmp_path)}
    assert there.keys() >= {"penguins", "200 columns"}
    assert len(there["200 columns"].truth.columns) == 199
    for file in there.values():
        check_numbers(load_table(config(file, tmp_path)), file)


def test_the_pipeline_encodes_the_truth(tmp_path: Path) -> None:
    """Means of training rows for holes; a level that is rare or new is the last feature of its column, or none."""
    numbers = np.array([1.0, 3.0, np.nan, 5.0, np.nan])
    texts = np.array(["a", "b", "a", "b", "new"], dtype=object)
    truth = Truth({"n": numbers, "t": texts}, {}, np.arange(5.0))
    X, test_X = encoded(truth, np.arange(4), np.array([4]))
    assert X.tolist() == [[1, 1, 0], [3, 0, 1], [3, 1, 0], [5, 0, 1]]
    assert test_X.tolist() == [[3, 0, 0]]


def test_differences_are_summed_up_by_table() -> None:
    def row(ours: float, timed: float, alike: float) -> dict[str, object]:
        pipeline = {"time": {"score": timed, "generations": 4}, "generations": {"score": alike, "generations": 2}}
        about = {"rows": 600, "features": 3, "notes": ["mended"], "generations": 2, "seconds": 1.0, "c": "passed"}
        return about | {"score": ours, "pipeline": pipeline}

    tables = {
        "a": [row(0.8, 0.9, 0.8), row(0.6, 0.9, 0.6)],
        "b": [row(0.5, 0.4, 0.5), {"failed": "error: why", "seconds": 1.0}],
        "c": [{"failed": "error: why", "seconds": 1.0}],
    }
    found = messy_tables.summary(tables)  # type: ignore[arg-type]
    assert (found["runs"], found["failed"], found["c_passed"]) == (5, 2, 3)
    assert found["time"]["difference"] == pytest.approx((-0.2 + 0.1) / 2)
    assert found["time"]["over_tables"] == pytest.approx(0.15)
    assert found["time"]["over_seeds"] == pytest.approx(0.1)
    assert (found["generations"]["difference"], found["time"]["within_noise"]) == (0, True)
    text = messy_tables.page({"command": "it", "time": "1s", "seeds": 2, "tables": tables, "summary": found})
    assert "| a | 600 | 3 | 1 | 0.700 (2) | 0.900 (4): -0.200 ± 0.100 |" in text
    assert "- c: failed: error: why" in text


@pytest.mark.parametrize("categories", [False, True])
def test_a_big_table_is_written_in_pieces(tmp_path: Path, categories: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(big_table, "PIECE", 70)
    big_table.write_table(tmp_path / "big.csv", 200, categories=categories)
    table = load_table(Config(DataConfig(str(tmp_path / "big.csv"))))
    assert table.X.shape[0] == 200
    assert len(table.columns or table.features) == 20 + 2 * categories
    assert any("missing cells" in note for note in table.notes) == categories
