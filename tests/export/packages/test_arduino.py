"""The Arduino library: the linter's rules, and its sketches on an emulated ATmega328P."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from neuraltree.export import export_arduino, export_c
from tests.helpers import avr
from tests.helpers.packages import MODELS, printed_by, save_files
from tests.helpers.random_models import random_model, regression

needs_board = pytest.mark.skipif(bool(avr.missing()), reason=f"no emulated Arduino board: {avr.missing()} is not here")

# Rules of arduino-lint that files alone can break, from its documentation; the linter is not in a package index.
FIELDS = ("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures")
CATEGORIES = {"Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing", "Data Storage"}
CATEGORIES |= {"Data Processing", "Other"}
KEYWORD_TYPES = {"KEYWORD1", "KEYWORD2", "KEYWORD3", "LITERAL1", "LITERAL2"}
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")  # names of folders and sketches (LS002, LS003, SS002, SS003)


@pytest.fixture(scope="module", params=MODELS)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree, options = MODELS[request.param]
    return save_files(
        tmp_path_factory.mktemp("libraries") / request.param, export_arduino(tree, request.param, **options)
    )


def test_the_properties_keep_the_linters_rules(library: Path) -> None:
    """LP001 to LP056: a line for each field, all required fields, none empty, none misspelt, none repeated."""
    lines = (library / "library.properties").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z]+=\S.*", line) for line in lines)
    properties = dict(line.split("=", 1) for line in lines)
    assert set(properties) == {*FIELDS, "includes"}
    assert len(lines) == len(properties)
    assert PLAIN.fullmatch(properties["name"])
    assert library.name == properties["name"]
    assert not re.search("arduino|library", properties["name"], re.IGNORECASE)
    assert re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", properties["version"])
    assert "arduino" not in properties["maintainer"].lower()
    assert properties["sentence"] not in properties["paragraph"]
    assert properties["category"] in CATEGORIES
    assert re.fullmatch(r"https?://[\w.-]+/\S*", properties["url"])
    assert properties["architectures"] == "*"
    assert (library / "src" / properties["includes"]).is_file()


def test_the_layout_keeps_the_linters_rules(library: Path) -> None:
    """LS001 to LS012, LD001, SS001 to SS004: sources in src alone, each sketch in a folder of its name."""
    assert {path.name for path in library.iterdir()} == {"src", "examples", *FILES}
    assert {path.name for path in (library / "src").iterdir()} == {f"{library.name}.c", f"{library.name}.h"}
    sketches = sorted(library.rglob("*.ino"))
    assert [path.parent.name for path in sketches] == ["Predict", "SelfTest"]
    for path in sketches:
        assert path.parent.parent == library / "examples"
        assert path.stem == path.parent.name
        assert PLAIN.fullmatch(path.stem)


FILES = ("library.properties", "keywords.txt", "README.md")


def test_the_keywords_are_the_names_of_the_header(library: Path) -> None:
    header = (library / "src" / f"{library.name}.h").read_text()
    rows = [line.split("\t") for line in (library / "keywords.txt").read_text().splitlines()]
    assert all(len(row) == 2 and row[1] in KEYWORD_TYPES for row in rows)
    names = [name for name, _ in rows]
    assert len(set(names)) == len(names)
    assert f"{library.name}_predict" in names
    assert all(re.search(rf"\b{name}\b", header) for name in names)


def test_it_has_the_sources_of_the_c_export() -> None:
    tree, options = MODELS["integers_table"]
    files, plain = export_arduino(tree, "sensor", **options), export_c(tree, "sensor", **options)
    for file in ("sensor.c", "sensor.h"):
        assert files[f"src/{file}"] == plain[file]
    assert not [file for file in plain if "ino" in file or "properties" in file], "one place for what Arduino reads"
    assert files == export_arduino(tree, "sensor", **options)


@pytest.mark.parametrize("name", ["arduino_model", "Arduino", "ArduinoX"])
def test_a_name_that_is_arduinos_own_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of"):
        export_arduino(random_model(1), name)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return avr.core(tmp_path_factory.mktemp("avr") / "core")


@needs_board
@pytest.mark.parametrize("model", MODELS)
def test_the_sketches_predict_and_check_on_the_board(model: str, core: Path, tmp_path: Path) -> None:
    tree, options = MODELS[model]
    library = save_files(tmp_path, export_arduino(tree, model, **options))
    sketch = library / "examples" / "Predict" / "Predict.ino"
    wanted = printed_by(tree, options, sketch.read_text())
    (found,) = avr.printed(avr.build(core, library / "src", sketch), 1)
    if isinstance(wanted, float):
        assert float(found) == pytest.approx(wanted, rel=1e-5)
    else:
        assert found == wanted
    check = library / "examples" / "SelfTest" / "SelfTest.ino"
    (found,) = avr.printed(avr.build(core, library / "src", check), 1)
    assert re.fullmatch(r"(\d+) of \1 vectors are right", found)


@needs_board
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_twenty_inputs_and_their_check_fit_the_board(core: Path, tmp_path: Path, precision: str) -> None:
    """Variables stay below half of the 2 KB, so that the rest is for the stack."""
    leaves = [(2, i, 0.1 * i - 1, 0.0) for i in range(20)]
    tree = regression([(0, -6, 0.0, 0.1), (1, -2, 1.0, 0.2), *leaves, (1, -1, 0.5, 0.1), *leaves])
    library = save_files(tmp_path, export_arduino(tree, "twenty", precision=precision, style="table"))
    program = avr.build(core, library / "src", library / "examples" / "SelfTest" / "SelfTest.ino")
    flash, ram = avr.size(program)
    assert flash <= 32_256
    assert ram <= 1024
    assert avr.printed(program, 1) == ["32 of 32 vectors are right"]


@needs_board
def test_a_wrong_model_fails_its_check(core: Path, tmp_path: Path) -> None:
    tree, options = MODELS["integers_table"]
    files = export_arduino(tree, "wrong", **options)
    files["src/wrong.c"] = re.sub(r"return y\[0\] > (\S+);", r"return y[0] <= \1;", files["src/wrong.c"])
    library = save_files(tmp_path, files)
    (found,) = avr.printed(avr.build(core, library / "src", library / "examples" / "SelfTest" / "SelfTest.ino"), 1)
    assert found == "0 of 32 vectors are right"
