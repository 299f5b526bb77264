"""Tables: what is read, what is refused and how the message says so, and the parts rows are split into."""

from __future__ import annotations

import csv
import os
import urllib.error
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.datasets
from sklearn.utils import Bunch

from search.config.settings import Config, DataConfig, TaskConfig
from search.errors import InputError
from search.table.data import Table
from search.table.loading import load_table
from search.table.split_checks import check_folds
from search.table.splits import make_folds, split

TABLES = Path(os.environ.get("NEURALTREE_DATA") or Path(__file__).parents[3] / "shared" / "data" / "tables")

# Rows, features, and how many rows each class has; from the papers' own files.
REAL: dict[str, tuple[int, int, dict[str, int] | None]] = {
    "australian": (690, 14, {"0": 383, "1": 307}),
    "heart": (270, 13, {"1": 150, "2": 120}),
    "ionosphere": (351, 33, {"b": 126, "g": 225}),
    "pima": (768, 8, {"tested_negative": 500, "tested_positive": 268}),
    "wdbc": (569, 30, {"B": 357, "M": 212}),
    "iris": (150, 4, {"setosa": 50, "versicolor": 50, "virginica": 50}),
    "wine": (178, 13, {"1": 59, "2": 71, "3": 48}),
    "vehicle": (846, 18, {"bus": 218, "opel": 212, "saab": 217, "van": 199}),
    "glass": (214, 9, {"1": 70, "2": 76, "3": 17, "4": 13, "5": 9, "6": 29}),
    "baseball": (337, 16, None),
    "dee": (365, 6, None),
    "diabetese": (442, 10, None),
    "friedman": (1200, 5, None),
    "mpg6": (392, 5, None),
}

LETTERS = "ab" * 6
NUMBERS = [f"{i},{i * i % 7},{LETTERS[i]}" for i in range(12)]
GOOD = "p,q,label\n" + "\n".join(NUMBERS)


def rows_of(*columns: str) -> str:
    """Twelve rows; in a column's text, # stands for the row's number."""
    return "\n".join(",".join(columns).replace("#", str(i)) for i in range(12))


def changed(line: int, text: str) -> str:
    """The good table with one of its lines, from 1, replaced."""
    lines = GOOD.splitlines()
    lines[line - 1] = text
    return "\n".join(lines)


# The file's text, keys of [data], keys of [task], and what the message must hold besides the name of the file.
REFUSED: list[tuple[str | bytes, dict[str, Any], dict[str, Any], list[str]]] = [
    # Not a table.
    ("", {}, {}, ["the file is empty"]),
    ("\n \r\n", {}, {}, ["the file is empty"]),
    ("p,q,label\n", {}, {}, ["a header line and no rows"]),
    ("p,q,label\n", {"header": True}, {}, ["a header line and no rows"]),
    (b"\x89PNG\r\n\x1a\n\x00\x00", {}, {}, ["not a text file in UTF-8"]),
    (b"PK\x03\x04\x00\x00", {}, {}, ["not a text file"]),
    (GOOD.encode("utf-16-le"), {}, {}, ["not a text file"]),
    (b"p,q,label\n\x80\x01", {}, {}, ["not a text file in UTF-8"]),
    (b"\xff\xfea", {}, {}, ["not a text file in UTF-8"]),
    (GOOD + '\n1,"2,a', {}, {}, ["line 14 is not CSV"]),
    ("\n".join("12345"), {}, {}, ["no column is left to predict from", "comma, semicolon or tab"]),
    # Rows and columns that do not fit together.
    (changed(5, "3,2"), {}, {}, ["line 5 has 2 cells", "line 1 has 3"]),
    (changed(5, "3,2,b,9"), {}, {}, ["line 1 has 3 cells", "line 5 has 4"]),
    ("1,q,label\n" + "\n".join(NUMBERS), {}, {}, ["data.header = true"]),
    (GOOD, {"target": "lable"}, {}, ["data.target", "'lable'", "p, q, label", "did you mean label?"]),
    (GOOD, {"target": 3}, {}, ["data.target = 3", "from 0 to 2"]),
    (GOOD, {"target": -4}, {}, ["data.target = -4"]),
    (GOOD, {"drop": ("r",)}, {}, ["data.drop", "'r'", "p, q, label"]),
    (GOOD, {"drop": ("label",), "target": "label"}, {}, ["target 'label' is among data.drop"]),
    (GOOD, {"drop": ("p", "q")}, {}, ["no column is left to predict from"]),
    (GOOD, {"drop": ("p", "q", "label")}, {}, ["among data.drop"]),
    # Cells.
    *(
        (changed(5, f"3,{gap},b") + "\n,0,b", {"missing": "refuse"}, {}, ["2 missing", "line 5, column 'q'"])
        for gap in ("", " ", "?", "NA", "n/a", "NaN", "null")
    ),
    (
        changed(5, "3,,b"),
        {"missing": "refuse"},
        {},
        ["1 missing value ", "line 5, column 'q'", 'drop = ["q"]', 'missing = "mean"'],
    ),
    (
        changed(5, "3,2x,b"),
        {"missing": "refuse"},
        {},
        ["line 5, column 'q': '2x' is not a number", 'columns = {"q" = "category"}'],
    ),
    (
        "a;b\n" + "1,5;2\n" * 6 + "1.5;3\n" * 6,
        {},
        {},
        ["column 'a' has numbers with a decimal comma, '1,5', and with a decimal point, '1.5', line 8", 'drop = ["a"]'],
    ),
    (
        "a,b\n" + "15%,2\n" * 6 + "1.5,3\n" * 6,
        {"percent": True},
        {},
        ["column 'a' has numbers with %, '15%', and with no %, '1.5', line 8"],
    ),
    (changed(5, "3,inf,b"), {}, {}, ["line 5, column 'q': inf is infinite"]),
    (changed(5, "3,-Infinity,b"), {}, {}, ["line 5, column 'q': -inf is infinite"]),
    (changed(5, "3,1e999,b"), {}, {}, ["line 5, column 'q': inf is infinite"]),
    (changed(5, "3,-2e30,b"), {}, {}, ["line 5, column 'q': -2e+30 is beyond ±1e+30"]),
    (rows_of("#", "#e31"), {}, {}, ["line 2, column 'x1': 1e+31 is beyond"]),
    # Columns.
    ("p,q,y\n" + rows_of("7", "0.0", "#.5"), {}, {}, ["2 columns are constant: p, q"]),
    (GOOD, {"columns": {"q": "numbre"}}, {}, ["column 'q': 'numbre'; allowed: number, boolean, category, time"]),
    (GOOD, {"columns": {"q": "time"}}, {}, ["column 'q'", "is no time"]),
    (GOOD, {"columns": {"r": "time"}}, {}, ["data.columns has no column 'r'", "p, q, label"]),
    (GOOD, {"columns": {"q": ("0", "1")}}, {}, ["column 'q', line 4: 4", "allowed: 0, 1"]),
    # Rows.
    ("p,y\n" + "\n".join(f"{i},{i}.5" for i in range(9)), {}, {}, ["9 rows are too few; at least 10"]),
    # Targets.
    ("p,y\n" + rows_of("#", "a"), {}, {}, ["target 'y' has one class only, 'a'"]),
    ("p,y\n" + rows_of("#", "1"), {}, {"kind": "classification"}, ["one class only, 1"]),
    ("p,y\n" + rows_of("#", "1.5"), {}, {}, ["target 'y' is 1.5 in every row"]),
    (changed(5, "3,2,z"), {}, {}, ["class 'z' has one row only, line 5"]),
    (GOOD, {"header": False, "drop": ("x0", "x1")}, {}, ["no column is left"]),
    ("400,401,label\n" + "\n".join(NUMBERS), {}, {}, ["class 'label' has one row only, line 1", "data.header = true"]),
    (GOOD, {}, {"kind": "regression"}, ["line 2, column 'label': 'a' is not a number", "classification"]),
    (GOOD, {"target": "p", "drop": ("label",)}, {"class_weight": "balanced"}, ["class_weight", "regression"]),
    (GOOD, {"target": "p", "drop": ("label",)}, {"positive": "a"}, ['task.positive = "a" needs classes']),
    (GOOD, {}, {"positive": "c"}, ["task.positive: 'c' is none of the classes 'a' and 'b'", "'label'"]),
    (
        "p,label\n" + "\n".join(f"{i},{'abc'[i % 3]}" for i in range(12)),
        {},
        {"positive": "a"},
        ["task.positive: 'a' cannot be the positive class of 3 classes"],
    ),
    (
        "p,y\n" + "\n".join(f"{i},{i}.5" for i in range(101)),
        {},
        {"kind": "classification"},
        ["101 different values", "at most 100", 'task.kind = "regression"'],
    ),
    ("p,y\n" + "\n".join(f"{i},c{i}" for i in range(101)), {}, {}, ["101 different values"]),
    (
        "p,y\n" + "\n".join(f"{i},{i}.5" for i in range(40)) + "\n40,1O.5",
        {},
        {},
        ["line 42, column 'y': '1O.5' is not a number", 'task.kind = "classification"'],
    ),
]

X, Y = np.arange(24.0).reshape(12, 2) ** 2, np.array([0, 1] * 6)

# The arrays of an .npz file, and what the message must hold besides the name of the file.
REFUSED_ARRAYS: list[tuple[dict[str, Any], list[str]]] = [
    ({"X": X}, ["no array named y"]),
    ({"x": X, "y": Y}, ["no array named X"]),
    ({"X": X[:, 0], "y": Y}, ["X must have the shape (rows, features)", "X (12,)"]),
    ({"X": X[:0], "y": Y[:0]}, ["X must have the shape (rows, features)"]),
    ({"X": X, "y": Y[:-1]}, ["y must have the shape (rows,)", "y (11,)"]),
    ({"X": X, "y": Y[:, None]}, ["y must have the shape (rows,)", "y (12, 1)"]),
    ({"X": X.astype(object), "y": Y}, ["cannot be read as .npz", "allow_pickle=False"]),
    ({"X": X, "y": Y.astype(object)}, ["cannot be read as .npz"]),
    ({"X": X.astype(str), "y": Y}, ["X must hold numbers"]),
    ({"X": X * 1j, "y": Y}, ["X must hold numbers, not complex128"]),
    ({"X": X, "y": Y.astype("datetime64[D]")}, ["y must hold numbers or texts"]),
    ({"X": X, "y": Y, "features": np.array(["a"])}, ["features must name every column"]),
    ({"X": X, "y": Y, "features": np.array(["a", "a"])}, ["two columns are named 'a'"]),
    ({"X": X, "y": Y, "features": np.array(["a", "target"])}, ["two columns are named 'target'"]),
    ({"X": X, "y": Y, "classes": np.array(["a"])}, ["positions in classes, from 0 to 0"]),
    ({"X": X, "y": Y - 1, "classes": np.array(["a", "b"])}, ["positions in classes, from 0 to 1"]),
    ({"X": X, "y": Y + 0.5, "classes": np.array(["a", "b"])}, ["y must hold positions in classes"]),
    ({"X": X, "y": Y, "classes": np.array("ab")}, ["classes must have the shape (classes,)"]),
    ({"X": np.where(X == 16, np.inf, X), "y": Y}, ["row 2, column 'x0': inf is infinite"]),
    ({"X": X, "y": np.array(["a", " "] * 6)}, ["6 rows are too few"]),
    ({"X": X * 0, "y": Y}, ["2 columns are constant: x0, x1"]),
]


def load(source: object, task: dict[str, Any] | None = None, **data: Any) -> Table:
    return load_table(Config(DataConfig(source=str(source), **data), task=TaskConfig(**(task or {}))))


def refusal(source: object, task: dict[str, Any] | None = None, **data: Any) -> str:
    with pytest.raises(InputError) as caught:
        load(source, task, **data)
    message = str(caught.value)
    assert "\n" not in message
    return message


def write(folder: Path, content: str | bytes, name: str = "my.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table_of(y: Any, classes: int = 0) -> Table:
    """A table whose one feature is the row's number."""
    names = tuple(f"c{i}" for i in range(classes)) or None
    kind = {0: "regression", 2: "binary"}.get(classes, "multiclass")
    return Table(np.arange(float(len(y)))[:, None], np.asarray(y), ("p",), "y", names, kind, "")


@pytest.mark.parametrize(("content", "data", "task", "fragments"), REFUSED)
def test_a_bad_file_is_refused_in_one_line_that_names_the_place(
    tmp_path: Path, content: str | bytes, data: dict[str, Any], task: dict[str, Any], fragments: list[str]
) -> None:
    path = write(tmp_path, content)
    message = refusal(path, task, **data)
    for fragment in (path.name, *fragments):
        assert fragment in message


@pytest.mark.parametrize(("arrays", "fragments"), REFUSED_ARRAYS)
def test_bad_arrays_are_refused_in_one_line(tmp_path: Path, arrays: dict[str, Any], fragments: list[str]) -> None:
    np.savez(tmp_path / "my.npz", **arrays)
    message = refusal(tmp_path / "my.npz")
    for fragment in ("my.npz", *fragments):
        assert fragment in message


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", X)
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    for path in (tmp_path / "array.npz", write(tmp_path, "", "empty.npz"), write(tmp_path, "PK\x03\x04no", "zip.npz")):
        assert "cannot be read as .npz" in refusal(path)


def test_a_source_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no such file" in refusal(tmp_path / "none.csv")
    assert "no such file" in refusal(tmp_path / "none.npz")
    assert "is not a file" in refusal(f"{tmp_path}{os.sep}")
    assert "data.source is empty" in refusal(" ")
    monkeypatch.delenv("NEURALTREE_DATA", raising=False)
    message = refusal("iriss")
    for fragment in ("NEURALTREE_DATA", "is not set", "allowed: iris, wine", "did you mean iris?", "iriss.csv"):
        assert fragment in message
    write(tmp_path, GOOD, "mine.csv")
    monkeypatch.setenv("NEURALTREE_DATA", str(tmp_path))
    message = refusal("mine2")
    for fragment in (f"no mine2.csv in {tmp_path}", "breast_cancer", "did you mean mine?"):
        assert fragment in message
    assert load("mine").features == ("p", "q")


@pytest.mark.parametrize(
    ("content", "data"),
    [
        (GOOD, {}),
        (GOOD + "\n\n", {}),
        ("\ufeff" + GOOD, {}),
        (GOOD.replace("\n", "\r\n"), {}),
        (GOOD.replace("\n", "\r"), {}),
        (GOOD.replace(",", ";"), {}),
        (GOOD.replace(",", "\t"), {}),
        (GOOD.replace(",", " , "), {}),
        (GOOD.replace("\n", ",,,,\n"), {}),
        (GOOD.replace("\n", ",, ,\n\n"), {}),
        (GOOD.replace("a\n", '"a"\n').replace("label", '"label "'), {}),
        (GOOD, {"target": "label"}),
        (GOOD, {"target": 2}),
        (GOOD, {"target": -1}),
        (GOOD, {"header": True}),
        ("1,q,label\n" + "\n".join(NUMBERS), {"header": True}),
        ("label,p,q\n" + "\n".join(row[-1] + "," + row[:-2] for row in NUMBERS), {"target": "label"}),
        ("p,q,label,id\n" + "\n".join(row + f",no{i}" for i, row in enumerate(NUMBERS)), {"drop": ("id",)}),
        (",p,q,label\n" + "\n".join(f"{i},{row}" for i, row in enumerate(NUMBERS)), {"drop": ("x0",)}),
        ("\n".join(NUMBERS), {}),
        ("\n".join(NUMBERS), {"header": False}),
    ],
)
def test_the_same_table_in_other_clothes(tmp_path: Path, content: str, data: dict[str, Any]) -> None:
    table = load(write(tmp_path, content), **data)
    np.testing.assert_array_equal(table.X, [[i, i * i % 7] for i in range(12)])
    np.testing.assert_array_equal(table.y, [0, 1] * 6)
    assert (table.classes, table.kind) == (("a", "b"), "binary")
    named = "q" in content
    assert table.features[1] == ("q" if named else "x1")
    assert table.target == ("label" if named else "x2")


@pytest.mark.parametrize(("positive", "classes"), [("", ("a", "b")), ("a", ("b", "a")), ("b", ("a", "b"))])
def test_the_positive_class_is_the_last(tmp_path: Path, positive: str, classes: tuple[str, ...]) -> None:
    path = write(tmp_path, GOOD)
    table = load_table(Config(DataConfig(source=str(path)), task=TaskConfig(positive=positive)))
    assert table.classes == classes
    assert [classes[code] for code in table.y] == ["a", "b"] * 6


@pytest.mark.parametrize("positive", [0, "0"])
def test_a_positive_class_of_a_number(tmp_path: Path, positive: int | str) -> None:
    path = write(tmp_path, "p,y\n" + "\n".join(f"{i},{i % 2}" for i in range(12)))
    table = load_table(Config(DataConfig(source=str(path)), task=TaskConfig(positive=positive)))
    assert table.classes == (1, 0)
    assert table.y.tolist() == [1, 0] * 6


def test_only_ends_of_lines_end_lines(tmp_path: Path) -> None:
    """U+2028 is a letter of a name here, whatever Unicode calls it."""
    (tmp_path / "t.csv").write_bytes(("p\u2028x;q;label\r\n" + "\r\n".join(NUMBERS).replace(",", ";")).encode())
    assert load(tmp_path / "t.csv").features == ("p\u2028x", "q")


def test_numbers_in_all_their_forms(tmp_path: Path) -> None:
    forms = ["1e-3", "5.", ".5", "+2", "-0", "1E+2", "007", " 8 ", '"9"', "10.25", "-1.5e0", "12"]
    table = load(write(tmp_path, "p,y\n" + "\n".join(f"{form},{i}.5" for i, form in enumerate(forms))))
    assert table.X[:, 0].tolist() == [0.001, 5, 0.5, 2, 0, 100, 7, 8, 9, 10.25, -1.5, 12]
    assert table.y.tolist() == [i + 0.5 for i in range(12)]


@pytest.mark.parametrize(
    ("target", "kind", "expected"),
    [
        ([0, 1] * 6, "auto", (0, 1)),
        ([-1, 1] * 6, "auto", (-1, 1)),
        ([10, 9, 100] * 10, "auto", (9, 10, 100)),  # in the order of numbers
        ([10, 9, 100] * 9, "auto", None),
        (list(range(20)) * 10, "auto", tuple(range(20))),
        (list(range(21)) * 10, "auto", None),
        ([0.5, 1.5] * 6, "auto", None),
        ([0.5, 1.5] * 6, "classification", (0.5, 1.5)),
        ([0.5, 1.5, 2] * 10, "auto", None),
        ([0.5, 1.5, 2] * 4, "classification", (0.5, 1.5, 2.0)),
        ([1e20, 0] * 6, "auto", (0.0, 1e20)),  # no integer of 64 bits
        ([0, 1] * 6, "regression", None),
        (list(range(50)) * 2, "classification", tuple(range(50))),
    ],
)
def test_which_numbers_are_classes(tmp_path: Path, target: list[float], kind: str, expected: Any) -> None:
    path = write(tmp_path, "p,y\n" + "\n".join(f"{i},{y}" for i, y in enumerate(target)))
    table = load(path, {"kind": kind})
    assert repr(table.classes) == repr(expected)  # 1 == 1.0
    if expected is None:
        assert (table.kind, table.y.dtype) == ("regression", np.float64)
        assert table.y.tolist() == target
    else:
        assert (table.kind, table.y.dtype) == ("binary" if len(expected) == 2 else "multiclass", np.int64)
        assert [table.classes[code] for code in table.y] == target


@pytest.mark.parametrize("name", REAL)
@pytest.mark.skipif(not TABLES.is_dir(), reason="the papers' tables are not here; set NEURALTREE_DATA to their folder")
def test_the_tables_of_the_papers(name: str) -> None:
    rows, features, sizes = REAL[name]
    table = load(TABLES / f"{name}.csv")
    assert table.X.shape == (rows, features)
    assert table.kind == ("regression" if sizes is None else "binary" if len(sizes) == 2 else "multiclass")
    with (TABLES / f"{name}.csv").open(newline="") as file:
        header, *lines = ([cell.strip() for cell in row] for row in csv.reader(file))
    np.testing.assert_array_equal(table.X, [[float(cell) for cell in line[:features]] for line in lines])
    assert [*table.features, table.target] == header[: features + 1]
    labels = [line[features] for line in lines]
    if table.classes is None:
        assert table.y.tolist() == [float(label) for label in labels]
    else:
        names = [str(label) for label in table.classes]
        assert Counter(names[code] for code in table.y) == sizes
        assert [names[code] for code in table.y] == labels
        assert names == sorted(sizes or {})
        assert {type(label) for label in table.classes} == {int if names[0].isdecimal() else str}
    check_folds(table, 4, 0.2)


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("iris", (150, 4), ("setosa", "versicolor", "virginica")),
        ("wine", (178, 13), ("class_0", "class_1", "class_2")),
        ("breast_cancer", (569, 30), ("benign", "malignant")),
        ("diabetes", (442, 10), None),
        ("friedman1", (1200, 10), None),
    ],
)
def test_the_bundled_tables(name: str, shape: tuple[int, int], classes: tuple[str, ...] | None) -> None:
    table = load(name)
    assert (table.X.shape, table.classes, len(table.features)) == (shape, classes, shape[1])


def test_a_bundled_table_has_its_labels_and_its_columns() -> None:
    bunch = sklearn.datasets.load_iris()
    table = load("iris")
    np.testing.assert_array_equal(table.X, bunch.data)
    np.testing.assert_array_equal(table.y, bunch.target)
    assert table.features == tuple(bunch.feature_names)
    first, *others = table.features
    assert load("iris", drop=(first,)).features == tuple(others)
    assert "the target of this table is 'target'" in refusal("iris", target=first)
    assert "'sepal'" in refusal("iris", drop=("sepal",))
    constant = ("pixel_0_0", "pixel_4_0", "pixel_4_7")
    digits = load("digits")
    assert digits.notes == ("3 columns left out, constant: 'pixel_0_0', 'pixel_4_0', 'pixel_4_7'",)
    assert digits.classes == tuple(range(10))
    assert load("digits", drop=constant).digest == digits.digest


def test_arrays_of_an_npz_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", X=X, y=X[:, 0])
    table = load(tmp_path / "plain.npz")
    assert (table.features, table.target, table.kind) == (("x0", "x1"), "target", "regression")
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(table.y, X[:, 0])
    names = {"features": np.array(["a", "b"]), "classes": np.array(["yes", "no"])}
    np.savez(tmp_path / "named.npz", X=X.astype(np.float32), y=Y.astype(np.uint8), **names)
    table = load(tmp_path / "named.npz", drop=("a",))
    assert (table.features, table.classes) == (("b",), ("no", "yes"))
    np.testing.assert_array_equal(table.y, 1 - Y)
    np.savez(tmp_path / "labels.npz", X=X, y=np.array(["b ", "a"] * 6))
    table = load(tmp_path / "labels.npz")
    assert table.classes == ("a", "b")
    np.testing.assert_array_equal(table.y, 1 - Y)
    np.savez(tmp_path / "flags.npz", X=X, y=Y == 1)
    assert load(tmp_path / "flags.npz").classes == (0, 1)


WEIGHTS = np.array([0.0, 1.5, 2.0] * 4)


def test_weights_are_a_column_that_is_no_feature(tmp_path: Path) -> None:
    rows = [f"{row},{weight}" for row, weight in zip(NUMBERS, WEIGHTS, strict=True)]
    path = write(tmp_path, "p,q,label,w\n" + "\n".join(rows))
    table = load(path, weight="w")  # the target is the last column besides
    assert (table.features, table.target, table.classes) == (("p", "q"), "label", ("a", "b"))
    np.testing.assert_array_equal(table.weight, WEIGHTS)
    without = load(path, drop=("w",))
    assert without.weight is None
    np.testing.assert_array_equal(table.X, without.X)
    others = [load(path, target="label"), load(write(tmp_path, path.read_text().replace("2.0", "2.5")), weight="w")]
    assert len({table.digest, without.digest, *(other.digest for other in others)}) == 4


def test_weights_of_arrays_and_of_bundled_tables(tmp_path: Path) -> None:
    np.savez(tmp_path / "my.npz", X=X, y=Y, counts=WEIGHTS)
    table = load(tmp_path / "my.npz", weight="counts")
    assert table.features == ("x0", "x1")
    np.testing.assert_array_equal(table.weight, WEIGHTS)
    table = load(tmp_path / "my.npz", weight="x1")
    assert table.features == ("x0",)
    np.testing.assert_array_equal(table.weight, X[:, 1])
    assert "data.weight has no column 'y'" in refusal(tmp_path / "my.npz", weight="y")
    assert "'target' are the target" in refusal(tmp_path / "my.npz", weight="target")
    np.savez(tmp_path / "short.npz", X=X, y=Y, counts=WEIGHTS[:-1])
    assert "counts must hold 12 numbers" in refusal(tmp_path / "short.npz", weight="counts")
    first, *others = load("iris").features
    assert load("iris", weight=first).features == tuple(others)
    assert "target 'target' is among data.drop" in refusal("iris", drop=("target",))


def fetched(**changes: Any) -> Bunch:
    target = np.array(["a", "b"] * 6, dtype=object)
    names = {"feature_names": ["p", "q"], "target_names": ["label"], "categories": {}}
    return Bunch(**({"data": X, "target": target} | names | changes))


def test_a_table_from_openml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **_: fetched())
    table = load("openml:61", target="label")
    assert (table.features, table.target, table.classes) == (("p", "q"), "label", ("a", "b"))
    np.testing.assert_array_equal(table.y, Y)
    for wrong in ("openml:", "openml:iris", "openml:-1"):
        assert "the number of a data set" in refusal(wrong)
    monkeypatch.setattr(
        sklearn.datasets, "fetch_openml", lambda **_: fetched(target=X[:, 0].astype(str).astype(object))
    )
    assert load("openml:61").kind == "regression"
    codes = np.where(np.arange(12) == 0, np.nan, [0, 1, 2, 1] * 3)
    coded = fetched(data=np.column_stack([X[:, 0], codes]), categories={"q": ["u", "v", "w"]})
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **_: coded)
    assert load("openml:61").features == ("p", "q=u", "q=v", "q=w")
    assert load("openml:61", drop=("q",)).features == ("p",)
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **_: fetched(target=None))
    assert "one target" in refusal("openml:61")


@pytest.mark.parametrize("error", [urllib.error.URLError("no\nroute"), ValueError("unknown\nid"), TimeoutError()])
def test_a_failure_of_the_network_is_one_line(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(**_: Any) -> Bunch:
        raise error

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fail)
    assert "openml:61: cannot be fetched from OpenML" in refusal("openml:61")


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    plain = load(write(tmp_path, GOOD)).digest
    assert len(plain) == 64
    assert load(write(tmp_path, GOOD.replace(",", ";"), "other.csv")).digest == plain
    others = [changed(5, "3,2.5,b"), changed(5, "3,2,a"), changed(1, "p,r,label"), changed(1, "p,q,class")]
    assert len({plain, *(load(write(tmp_path, other)).digest for other in others)}) == 5


@pytest.mark.parametrize(
    ("classes", "sizes", "folds", "fraction"),
    [(2, [50, 50], 4, 0.2), (3, [5, 20, 75], 4, 0.2), (2, [6, 30], 1, 0.3), (6, [70, 76, 17, 13, 9, 29], 4, 0.2)],
)
def test_every_part_has_every_class_in_proportion(classes: int, sizes: list[int], folds: int, fraction: float) -> None:
    table = table_of(np.random.default_rng(0).permutation(np.repeat(np.arange(classes), sizes)), classes)
    check_folds(table, folds, fraction)
    train, test = split(table, fraction, seed=1)
    for size, count in zip(sizes, np.bincount(table.y[test], minlength=classes), strict=True):
        assert abs(count - size * fraction) <= 1
    for fit, validation in make_folds(table, train, folds, seed=1):
        assert set(table.y[fit]) == set(table.y[validation]) == set(range(classes))


@pytest.mark.parametrize("table", [table_of(np.arange(101.0)), table_of([0, 1, 1] * 40, 2)])
@pytest.mark.parametrize("folds", [1, 2, 4])
def test_parts_are_sorted_disjoint_and_complete(table: Table, folds: int) -> None:
    rows = len(table.y)
    train, test = split(table, 0.2, seed=3)
    assert len(test) == -(-rows // 5)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(rows))
    parts = make_folds(table, train, folds, seed=3)
    assert len(parts) == folds
    for fit, validation in parts:
        np.testing.assert_array_equal(np.sort(np.concatenate([fit, validation])), train)
        assert len(validation) in (len(train) // max(folds, 4), -(-len(train) // max(folds, 4))) or folds == 2
    if folds > 1:
        held = np.concatenate([validation for _, validation in parts])
        np.testing.assert_array_equal(np.sort(held), train)
    for part in (train, test, *(half for pair in parts for half in pair)):
        assert np.all(np.diff(part) > 0)


def test_parts_follow_the_seed() -> None:
    table = table_of(np.arange(60.0))
    first, again, other = (split(table, 0.2, seed)[1].tolist() for seed in (0, 0, 2**32 - 1))
    assert first == again != other
    train = np.arange(40)
    first, again, other = ([v.tolist() for _, v in make_folds(table, train, 4, seed)] for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("table", "folds", "fraction", "fragments"),
    [
        (table_of(np.arange(10.0)), 5, 0.2, ["10 rows leave 8 to train and 2 to test", "at least 10 and 2"]),
        (table_of(np.arange(10.0)), 1, 0.5, ["10 rows leave 5 to train", "at least 8"]),
        (table_of(np.arange(12.0)), 2, 0.05, ["12 rows leave 11 to train and 1 to test"]),
        (table_of([0] * 4 + [1] * 60, 2), 4, 0.2, ["class 'c0' has 4 rows", "folds = 4", "4 must be left to train"]),
        (table_of([0] * 4 + [1] * 60, 2), 1, 0.2, ["class 'c0' has 4 rows", "4 must be left to train"]),
        (table_of(list(range(20)) * 8, 20), 4, 0.1, ["16 test rows cannot hold all 20 classes"]),
    ],
)
def test_tables_too_small_for_the_folds_are_refused(
    table: Table, folds: int, fraction: float, fragments: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        check_folds(table, folds, fraction)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_what_the_check_accepts_can_be_split() -> None:
    """Every table that passes is split without a warning into parts that hold every class."""
    rng = np.random.default_rng(0)
    accepted = 0
    for _ in range(300):
        classes = int(rng.integers(2, 6))
        table = table_of(np.repeat(np.arange(classes), rng.integers(2, 15, classes)), classes)
        folds, fraction = int(rng.integers(1, 7)), float(rng.uniform(0.05, 0.6))
        try:
            check_folds(table, folds, fraction)
        except InputError:
            continue
        accepted += 1
        train, _ = split(table, fraction, seed=0)
        for fit, validation in make_folds(table, train, folds, seed=0):
            assert set(table.y[fit]) == set(table.y[validation]) == set(range(classes))
    assert accepted > 50
