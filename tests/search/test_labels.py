"""A class is the text or the integer as written, from the table to the model, its exports and the run's files."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn.utils import Bunch

from neuraltree.compress import quantize_tree
from neuraltree.estimators.classifier import NeuralTreeClassifier
from neuraltree.estimators.ensembles import ParetoEnsembleClassifier
from neuraltree.export.c.library import export_c
from neuraltree.export.python.python_module import export_python
from neuraltree.tree.labels import Label
from neuraltree.tree.model_files import dumps, load, loads
from neuraltree.tree.tree import Tree
from search.config.config import load_config
from search.config.settings import Config, DataConfig, TaskConfig
from search.errors import InputError
from search.front import load_front
from search.pictures import plot_learnability
from search.run import main
from search.table.data import Table
from search.table.loading import load_table
from tests.helpers.random_models import IDENTITY, record
from tests.helpers.strategies import steady

X = np.random.default_rng(0).normal(size=(60, 2))
BIG = 2**53  # the first integer whose successor is no double
SPELLINGS = [
    (["007", "07", "70"], ("007", "07", "70")),
    (["1.10", "1.1", "1.2"], ("1.1", "1.10", "1.2")),
    (["1E2", "100", "20"], ("100", "1E2", "20")),
    (["1", "1.0", "+1"], ("+1", "1", "1.0")),
    (["0", "-0", "00"], ("-0", "0", "00")),
    (["1e400", "1e500"], ("1e400", "1e500")),  # both beyond doubles
    (["inf", "1"], ("1", "inf")),
    ([str(BIG), str(BIG + 1), str(BIG + 2)], (BIG, BIG + 1, BIG + 2)),
    ([str(2**63), str(2**63 + 1), "1"], ("1", str(2**63), str(2**63 + 1))),  # no integers of 64 bits
    (["9" * 40, "9" * 39 + "8"], ("9" * 39 + "8", "9" * 40)),
    (["9" * 5000, "1"], ("1", "9" * 5000)),  # longer than Python reads
    (["10", "9", "-3"], (-3, 9, 10)),
    (["0.5", "1.5"], (0.5, 1.5)),
    (["1.0", "2.0"], (1.0, 2.0)),
    (["1.50", "2.5"], ("1.50", "2.5")),
]


def load_labels(folder: Path, texts: list[str], kind: str) -> Table:
    """A CSV file of 60 rows whose targets are the texts in turn."""
    path = folder / "t.csv"
    rows = [f"{a},{b},{texts[i % len(texts)]}" for i, (a, b) in enumerate(X)]
    path.write_text("\n".join(["a,b,code", *rows]))
    return load_table(Config(DataConfig(source=str(path)), task=TaskConfig(kind=kind)))  # type: ignore[arg-type]


def chooser(classes: tuple[Label, ...]) -> Tree:
    """Output i is i x - i²/2, so that the class at x = i is number i."""
    rows = [row for i in range(len(classes)) for row in ((0, IDENTITY, 0.0, -i * i / 2), (1, 0, float(i), 0.0))]
    return Tree(record(rows), "multiclass", ("x0",), classes)


def is_as_written(label: Label, text: str) -> bool:
    """A float among floats has its ``.0`` though the text may leave it out."""
    return str(label) == text or (isinstance(label, float) and str(label) == f"{text}.0")


@pytest.mark.parametrize(("texts", "classes"), SPELLINGS)
def test_a_class_is_what_is_written(tmp_path: Path, texts: list[str], classes: tuple[Label, ...]) -> None:
    table = load_labels(tmp_path, texts, "classification")
    assert repr(table.classes) == repr(classes)  # 1 == 1.0
    assert table.kind == ("binary" if len(texts) == 2 else "multiclass")
    assert table.classes is not None
    assert all(is_as_written(table.classes[code], texts[i % len(texts)]) for i, code in enumerate(table.y))


numbers_of_any_spelling = (
    st.text("0123456789+-.eE", min_size=1, max_size=6)
    | st.integers().map(str)
    | st.floats(allow_nan=False).map(str)
    | st.integers(BIG, BIG + 9).map(str)
    | st.integers(0, 99).map("{:04d}".format)
)
columns_of_texts = st.lists(numbers_of_any_spelling, min_size=2, max_size=6, unique=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labels")


@hypothesis_settings(steady, max_examples=150)
@given(columns_of_texts)
def test_labels_keep_their_spelling_all_the_way(folder: Path, texts: list[str]) -> None:
    """From the file to the table, the model file, predictions, the Python module and the enum in C."""
    classes = load_labels(folder, texts, "classification").classes
    assert classes is not None
    assert len(classes) == len(texts)
    assert all(any(is_as_written(label, text) for label in classes) for text in texts)
    tree = loads(dumps(chooser(classes)))
    assert repr(tree.classes) == repr(classes)
    at = np.arange(len(classes))[:, None]
    assert repr(tuple(tree.predict(at).tolist())) == repr(classes)
    assert repr(tuple(tree.predict_one([float(i)]) for i in range(len(classes)))) == repr(classes)
    assert repr(tuple(tree.estimator().predict(at.astype(float)).tolist())) == repr(classes)
    module: dict[str, Any] = {"__name__": "model"}
    exec(export_python(tree), module)
    assert repr(tuple(module["predict"](at).tolist())) == repr(classes)
    named = re.findall(r"(M_CLASS_\w+) = (\d+), /\* (.*) \*/", export_c(tree, "m")["m.h"])
    assert [(int(place), text) for _, place, text in named] == list(enumerate(map(str, classes)))
    assert len({constant for constant, _, _ in named}) == len(classes)


@pytest.mark.parametrize(
    ("texts", "classes"),
    [
        (["007", "012"], ("007", "012")),
        ([f"{i:03d}" for i in range(30)], tuple(f"{i:03d}" for i in range(30))),  # however few rows each has
        (["07", "7x"], ("07", "7x")),
        (["1.0", "2.0"], (1.0, 2.0)),
        (["00.5", "1.5"], None),  # a measured number, padded
        (["1.50", "2.5"], None),
        ([f"{i}.5" for i in range(29)] + ["1.50"], None),  # too many to be classes
        ([str(BIG), str(BIG + 1)], (BIG, BIG + 1)),
    ],
)
def test_what_auto_takes_for_classes(tmp_path: Path, texts: list[str], classes: tuple[Label, ...] | None) -> None:
    assert repr(load_labels(tmp_path, texts, "auto").classes) == repr(classes)


@pytest.mark.parametrize(
    ("texts", "pair"),
    [
        (["007", "07", "70"], "'007' and '07'"),
        (["07", "7", "8"], "'07' and '7'"),
        (["1.10", "1.1", "1.2"], "'1.1' and '1.10'"),
        (["1E2", "100", "20"], "'100' and '1E2'"),
        (["1", "1.0", "2"], "'1' and '1.0'"),
        ([*(f"{i:02d}" for i in range(29)), "7"], "'07' and '7'"),
    ],
)
def test_two_spellings_of_one_number_are_refused_where_it_matters(tmp_path: Path, texts: list[str], pair: str) -> None:
    with pytest.raises(InputError) as caught:
        load_labels(tmp_path, texts, "auto")
    message = str(caught.value)
    for fragment in ("t.csv", "column 'code'", pair, 'task.kind = "classification"', '"regression"'):
        assert fragment in message
    assert "\n" not in message
    named, numbers = (load_labels(tmp_path, texts, kind) for kind in ("classification", "regression"))
    assert named.classes is not None
    assert set(map(str, named.classes)) == set(texts)
    assert numbers.classes is None
    assert numbers.y.tolist() == [float(texts[i % len(texts)]) for i in range(len(X))]


def test_too_many_padded_numbers_are_refused_with_what_to_set(tmp_path: Path) -> None:
    for texts in ([f"{i:03d}" for i in range(60)], [f"{i:03d}" for i in range(59)]):
        with pytest.raises(InputError, match=r'one row only.*for a number to predict, set task\.kind = "regression"'):
            load_labels(tmp_path, texts, "auto")


def test_numbers_to_predict_are_finite(tmp_path: Path) -> None:
    for text, what in (("1e31", "1e\\+31 is beyond"), ("-inf", "-inf is infinite")):
        with pytest.raises(InputError, match=f"line 2, column 'code': {what}"):
            load_labels(tmp_path, [text, *(f"{i}.5" for i in range(40))], "auto")
        with pytest.raises(InputError, match="column 'code'"):
            load_labels(tmp_path, [text, "2"], "regression")


def of_arrays(folder: Path, kind: str = "auto", **arrays: Any) -> Table:
    np.savez(folder / "t.npz", X=X, **arrays)
    return load_table(Config(DataConfig(source=str(folder / "t.npz")), task=TaskConfig(kind=kind)))  # type: ignore[arg-type]


CODES = np.arange(60) % 3
ARRAYS: list[tuple[dict[str, Any], tuple[Label, ...]]] = [
    ({"y": np.array(["007", "07x", "70"])[CODES]}, ("007", "07x", "70")),
    ({"y": np.array(["007", "010", "70"])[CODES]}, ("007", "010", "70")),
    ({"y": CODES, "classes": np.array(["007", "07", "70"])}, ("007", "07", "70")),
    ({"y": CODES, "classes": np.array(["1.10", "1.1", "1.2"])}, ("1.1", "1.10", "1.2")),
    ({"y": CODES, "classes": np.array(["0.5", "1.5", "2.5"])}, (0.5, 1.5, 2.5)),  # named as classes, so no numbers
    ({"y": CODES.astype(np.float32), "classes": np.array([30, 10, 20])}, (10, 20, 30)),
    ({"y": CODES, "classes": np.array([BIG, BIG + 1, BIG + 2])}, (BIG, BIG + 1, BIG + 2)),
    ({"y": CODES, "classes": np.array([b"007", b"07", b"70"])}, ("007", "07", "70")),
    ({"y": CODES + BIG}, (BIG, BIG + 1, BIG + 2)),
    ({"y": CODES.astype(np.uint64) + np.uint64(2**63)}, (2**63, 2**63 + 1, 2**63 + 2)),
    ({"y": CODES + np.iinfo(np.int64).min}, (-(2**63), -(2**63) + 1, -(2**63) + 2)),
    ({"y": CODES.astype(float)}, (0, 1, 2)),
]


@pytest.mark.parametrize(("arrays", "classes"), ARRAYS)
def test_labels_of_arrays(tmp_path: Path, arrays: dict[str, Any], classes: tuple[Label, ...]) -> None:
    table = of_arrays(tmp_path, **arrays)
    assert repr(table.classes) == repr(classes)
    names = arrays["classes"][CODES] if "classes" in arrays else arrays["y"]
    for code, name in zip(table.y, names, strict=True):
        text = name.decode() if isinstance(name, bytes) else str(name)
        assert str(classes[code]) == text or classes[code] == name


def test_the_names_of_classes_differ(tmp_path: Path) -> None:
    for names in (["a", "b", "a"], ["a", "b", "a "]):
        with pytest.raises(InputError, match=r"t\.npz: classes holds 'a' 2 times"):
            of_arrays(tmp_path, y=CODES, classes=np.array(names))


def test_labels_from_openml(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(**_: Any) -> Bunch:
        target = np.array(["007", "07", "70"], dtype=object)[CODES]
        return Bunch(data=X, target=target, feature_names=["p", "q"], target_names=["code"], categories={})

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    table = load_table(Config(DataConfig(source="openml:61"), task=TaskConfig(kind="classification")))
    assert table.classes == ("007", "07", "70")
    np.testing.assert_array_equal(table.y, CODES)


LARGE = (1, 2**63, 2**63 + 1)  # NumPy makes doubles of the list
HARD: list[tuple[Label, ...]] = [LARGE, (BIG, BIG + 1), ("a\0", "a"), ("007", "7"), (2**70, 2**70 + 1), (-1, 2**63 + 1)]


@pytest.mark.parametrize("classes", HARD)
def test_no_array_changes_a_label(classes: tuple[Label, ...]) -> None:
    tree = loads(dumps(chooser(classes)))
    at = np.arange(len(classes), dtype=float)[:, None]
    assert tree.classes == classes
    assert tuple(tree.predict(at).tolist()) == classes
    assert list(map(type, tree.predict(at).tolist())) == list(map(type, classes))
    model = NeuralTreeClassifier.from_tree(tree)
    assert model.classes_.tolist() == sorted(classes)
    assert tuple(model.predict(at).tolist()) == classes
    assert tuple(quantize_tree(tree).predict(at).tolist()) == classes
    module: dict[str, Any] = {"__name__": "model"}
    exec(export_python(tree), module)
    assert tuple(module["predict"](at).tolist()) == classes


Y = [BIG, BIG + 1, BIG + 2] * 20
GIVEN: list[tuple[str, Any, list[Label]]] = [
    ("int64", np.array(Y), Y),
    ("uint64", np.array(LARGE * 20, dtype=np.uint64), list(LARGE * 20)),
    ("pandas", pd.Series(Y), Y),
    ("nullable integers", pd.Series(Y, dtype="Int64"), Y),
    ("nullable flags", pd.Series([True, False] * 30, dtype="boolean"), [True, False] * 30),
    ("categories", pd.Series(Y).astype("category"), Y),
    ("texts", pd.Series(["007", "07", "7"] * 20), ["007", "07", "7"] * 20),
    ("nullable texts", pd.Series(["007", "07", "7"] * 20, dtype="string"), ["007", "07", "7"] * 20),
]


@pytest.mark.parametrize(("y", "labels"), [row[1:] for row in GIVEN], ids=[row[0] for row in GIVEN])
@pytest.mark.parametrize("kind", [NeuralTreeClassifier, ParetoEnsembleClassifier])
def test_estimators_keep_labels(kind: Any, y: Any, labels: list[Label]) -> None:
    small = {"estimator": NeuralTreeClassifier(epochs=1), "members": 1}
    model = kind(**(small if kind is ParetoEnsembleClassifier else {"epochs": 1}), random_state=0).fit(X, y)
    assert repr(model.classes_.tolist()) == repr(sorted(set(labels)))
    assert set(model.predict(X).tolist()) <= set(labels)
    assert model.predict_one(X[0].tolist()) in labels


def test_nullable_integers_may_not_be_missing() -> None:
    with pytest.raises(ValueError, match="NaN"):
        NeuralTreeClassifier(epochs=1).fit(X, pd.Series([*Y[:-1], None], dtype="Int64"))


def test_integers_of_two_types_are_compared_exactly() -> None:
    """NumPy compares signed with unsigned integers as doubles, which cannot tell these apart."""
    given = np.array([BIG, BIG + 1], dtype=np.uint64)
    y = np.where(X[:, 0] > 0, BIG, BIG + 1)
    model = NeuralTreeClassifier(random_state=0, learning_rate=0.1)
    for _ in range(20):
        model.partial_fit(X, y, classes=given)
    assert model.score(X, y.astype(np.uint64)) > 0.9
    with pytest.raises(ValueError, match=f"y holds the class {BIG + 2}, which is not one of the known classes"):
        model.partial_fit(X, y + 1)


def test_old_model_files_are_read_as_they_are() -> None:
    for classes in ([7, 70], [1.1, 1.2], [0.0, 1.0], ["7", "70"], [False, True]):
        text = re.sub('"classes": .*', f'"classes": {json.dumps(classes)},', dumps(chooser(("a", "b"))))
        assert repr(loads(text).classes) == repr(tuple(classes))


CONFIG = """
[data]
source = "t.csv"
[task]
kind = "classification"
[search]
objectives = ["class_errors", "weights"]
population = 6
generations = 1
folds = 2
[train]
epochs = 1
"""


def test_a_run_keeps_leading_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In front.csv, the models, the report page, a picture, and C that is compiled."""
    labels = ("007", "07", "70")
    load_labels(tmp_path, list(labels), "classification")
    (tmp_path / "my.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    assert main(["my.toml", "--out", "run", "--quiet"]) == 0
    header = next(csv.reader((tmp_path / "run" / "front.csv").read_text().splitlines()))
    assert [name for name in header if name.startswith("error_class_")] == [f"error_class_{label}" for label in labels]
    front = load_front("run")
    assert {load(path).classes for path in (tmp_path / "run" / "models").glob("*.json")} == {labels}
    assert front[0].path is not None
    config = load_config(tmp_path / "my.toml")
    table = load_table(config)
    truth = np.array(labels)[table.y]
    assert set(front[0].tree().predict(table.X).tolist()) <= set(labels)
    legend = plot_learnability(front, table.X, truth).get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == list(labels)
    check_page(tmp_path / "run", labels)
    check_compiled(tmp_path, front[0].tree(), labels)


def check_page(run: Path, labels: tuple[str, ...]) -> None:
    pytest.importorskip("plotly", reason="the page needs plotly: pip install 'neuraltree[report]'")
    from search.report.__main__ import main as report
    from tests.report.test_report import data_of

    assert report([str(run)]) == 0
    data = data_of((run / "report.html").read_text())
    assert data["task"]["classes"] == list(labels)
    assert [row[0] for row in data["test"]["summary"]["classes"]] == list(labels)
    assert np.shape(data["test"]["matrices"][0]) == (3, 3)


def check_compiled(folder: Path, tree: Tree, labels: tuple[str, ...]) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    (folder / "m.h").write_text(export_c(tree, "m")["m.h"])
    constants = ", ".join(f"M_CLASS_{label}" for label in labels)
    main_c = (
        '#include <stdio.h>\n#include "m.h"\nint main(void) { printf("%d %d %d %d", ' + constants + ", M_CLASSES); }"
    )
    (folder / "labels.c").write_text(main_c)
    subprocess.run([compiler, "labels.c", "-o", "labels"], cwd=folder, check=True)
    done = subprocess.run([folder / "labels"], capture_output=True, text=True, check=True)
    assert done.stdout == "0 1 2 3"
