"""What the C from integers says to its reader, and the command that writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from neuraltree.export import export_c
from neuraltree.export.__main__ import main
from neuraltree.export.names import members
from neuraltree.inputs.encoders import Category, Column, Flag, Number, Time
from neuraltree.tree.model_files import dumps
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, record, regression

ROWS = [(0, IDENTITY, 0.0, 0.1), (1, 0, 0.7, 0.0), (1, 1, -0.4, 0.0)]
PLAIN = regression(ROWS, scaler=Scaler([20.0, 7.0], [5.0, 1.0]))
COLUMNS: tuple[Column, ...] = (
    Number("temp °C", 21.0, low=-10.0, high=40.0),
    Flag("alarm"),
    Category("mode", ("idle", "run"), missing=True),
    Time("when", 0.0),
)


def columns_tree(columns: tuple[Column, ...] = COLUMNS) -> Tree:
    names = tuple(feature.name for column in columns for feature in column.features)
    rows = [(0, IDENTITY, 0.0, 0.1), *((1, i, 0.5, 0.0) for i in range(len(names)))]
    return Tree(record(rows), "regression", names, columns=columns)


def has(text: str, lines: list[str]) -> None:
    for line in lines:
        assert line in text.splitlines(), line


def test_an_array_of_integers_with_a_scale() -> None:
    files = export_c(PLAIN, "m", precision="int8", inputs="int16/100")
    lines = ["float m_predict(const int16_t *x);", "int32_t m_predict_fixed(const int16_t *x);"]
    has(files["m.h"], [*lines, "#define M_SCALE_X0 100", "#define M_SCALE_X1 100"])
    assert "#define M_TARGET_SCALE " in files["m.h"]
    assert "m_quantize" not in "".join(files.values()), "there are no floats to convert"
    assert "static const int16_t nt_inputs[32][2]" in files["test/m_vectors.h"]


def test_a_struct_of_columns_says_what_each_is() -> None:
    spec = {"default": "uint8", "temp °C": "int16/10", "when": "float32"}
    text = export_c(columns_tree(), "m", precision="int8", inputs=spec)["m.h"]
    rows = [
        "    M_COLUMN_TEMP_C = 0, /* temp ?C: a number times 10, or -32768 if missing */",
        "    M_COLUMN_ALARM = 1, /* alarm: 0 or 1 */",
        "    M_COLUMN_MODE = 2, /* mode: a level, or 255 if missing */",
        "    M_COLUMN_WHEN = 3, /* when: seconds since M_WHEN_START */",
        "struct m_input {",
        "    int16_t temp_c; /* temp ?C */",
        "    uint8_t alarm; /* alarm */",
        "    uint8_t mode; /* mode */",
        "    float when; /* when */",
        "#define M_SCALE_TEMP_C 10",
        "float m_predict(const struct m_input *x);",
        "int m_check(const struct m_input *x);",
    ]
    has(text, rows)


def test_without_times_columns_of_integers_need_no_floats() -> None:
    files = export_c(columns_tree(COLUMNS[:3]), "m", precision="int8", inputs="int16")
    assert "NAN" not in files["m.h"]
    assert "fast-math" not in files["m.c"]


def test_a_column_that_is_not_read_may_be_named_and_holds_what_it_likes() -> None:
    tree = columns_tree()
    nodes = tree.nodes[:-1]
    without = Tree(nodes, "regression", tree.features, columns=tree.columns)
    text = export_c(without, "m", precision="int8", inputs={"default": "int16", "when": "float32"})["m.h"]
    assert "float m_predict(const int16_t *x);" in text
    assert "float m_predict(const int16_t *x);" in export_c(without, "m", inputs="int16")["m.h"]
    with pytest.raises(ValueError, match="no column 'speed'"):
        export_c(without, "m", inputs={"speed": "int16"})


def test_members_differ_and_are_no_keywords() -> None:
    assert members(["Temp", "temp", "int", "3rd", "ä"]) == ["temp", "temp_at_1", "x_int", "x_3rd", "x_"]
    # linux and unix are macros of gcc, concept is a keyword of C++20, typeof one of C23.
    assert members(["linux", "unix", "concept", "typeof"]) == ["x_linux", "x_unix", "x_concept", "x_typeof"]


def test_no_level_has_the_name_of_a_scale() -> None:
    columns = (Number("temp", low=-10.0, high=40.0), Category("scale", ("temp", "x")), Category("target", ("scale",)))
    text = export_c(columns_tree(columns), "m", precision="int8", inputs={"temp": "int16/100"})["m.h"]
    defined = re.findall(r"^#define (\w+) |^ +(\w+) = ", text, re.MULTILINE)
    names = [macro or constant for macro, constant in defined]
    assert {"M_SCALE_TEMP", "M_TARGET_SCALE"} < set(names)
    assert len(set(names)) == len(names)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    path.write_text(dumps(PLAIN))
    return path


def test_the_command_writes_what_the_function_does(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    options = ["--precision", "int8", "--input", "int16", "--input", "x1=uint8/10"]
    assert main([str(model), "--to", "c", *options, "--out", str(out)]) == 0
    wanted = export_c(PLAIN, "m", precision="int8", inputs={"default": "int16", "x1": "uint8/10"})
    assert (out / "m.h").read_text() == wanted["m.h"]
    assert (out / "m.c").read_text() == wanted["m.c"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to", "c", "--input", "int12"], "unknown input 'int12'; allowed: float32, int16, uint8"),
        (["--to", "c", "--input", "x9=int16"], "no column 'x9'; allowed: default, x0, x1"),
        (["--to", "c", "--input", "x0=uint8/100"], "column 'x0' was learned from 20 to 20, as uint8/100 from 2000"),
        (["--to", "c-train", "--input", "int16"], "--to c-train takes no --input"),
    ],
)
def test_the_command_refuses_in_one_line(
    options: list[str], message: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(model), *options, "--out", str(tmp_path / "x")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
