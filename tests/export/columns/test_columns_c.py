"""Exported C that takes columns: 1,000 raw rows with holes and unknown levels, against the tree on the same frames."""

from __future__ import annotations

import ctypes
import math
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from neuraltree.compress import IntegerTree, quantize_tree
from neuraltree.export import export_c
from neuraltree.export.c.columns.column_vectors import column_vectors
from neuraltree.export.needed import needed, reads
from neuraltree.inputs.encoders import Category, Column, Flag, Number, Ordinal, Time
from neuraltree.inputs.encoding import feature_names
from neuraltree.tree.tree import Tree
from tests.export.test_export_c import NASTY, STRICT, bound, clang, needs_compiler
from tests.helpers.random_models import IDENTITY, SINE, record
from tests.helpers.table_models import START, frame, plain_features, plain_numbers, table_models

ROWS = 1000
OPTIONS = [(precision, style) for precision in ("float32", "int8") for style in ("straight", "table")]


@dataclass(frozen=True)
class Case:
    name: str
    tree: Tree
    precision: str
    style: str
    seed: int

    @cached_property
    def files(self) -> dict[str, str]:
        return export_c(self.tree, self.name, precision=self.precision, style=self.style)

    @cached_property
    def own(self) -> Tree:
        return needed(self.tree)

    @cached_property
    def alone(self) -> Tree:
        return reads(self.own)[0]

    @cached_property
    def integers(self) -> IntegerTree:
        return quantize_tree(self.alone)

    @cached_property
    def table(self) -> dict[str, list[Any]]:
        return frame(ROWS, self.seed)

    @cached_property
    def numbers(self) -> np.ndarray:
        return plain_numbers(self.own, self.table).astype(np.float32)

    @cached_property
    def features(self) -> np.ndarray:
        """(rows, features that are read) in doubles, by hand."""
        every = plain_features(self.own, self.numbers.astype(np.float64))
        return every[:, [self.own.features.index(name) for name in self.alone.features]]

    @property
    def source(self) -> str:
        """The source with a way in to the features of single floats."""
        text = self.files[f"{self.name}.c"]
        if "nt_encode" not in text:
            return text
        function = f"void {self.name}_f(const float *x, float *f)"
        return f"{text}{function};\n{function}\n{{\n    nt_encode(x, f);\n}}\n"


CASES = [
    Case(f"m{i}_{precision}_{style}", tree, precision, style, i)
    for i, tree in enumerate(table_models(2))
    for precision, style in OPTIONS
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("columns")
    (made / "test").mkdir()
    for case in CASES:
        for name, text in case.files.items():
            if name.endswith((".c", ".h")):
                (made / name).write_text(text)
        (made / f"{case.name}.c").write_text(case.source)
    return made


def compiled(folder: Path, command: list[str]) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]


@pytest.fixture(scope="module")
def library(folder: Path) -> ctypes.CDLL:
    sources = [f"{case.name}.c" for case in CASES]
    compiled(folder, ["cc", "-std=c99", "-O2", *STRICT, "-shared", "-fPIC", *sources, "-o", "all.so"])
    return ctypes.CDLL(str(folder / "all.so"))


def called(library: ctypes.CDLL, name: str, X: np.ndarray, out: tuple[Any, int] | None, kind: Any = None) -> np.ndarray:
    """The results of a function for every row, or what it writes: ``out`` is the type and the length of that."""
    function, found = getattr(library, name), []
    function.restype = kind
    for row in np.ascontiguousarray(X):
        given = [ctypes.c_void_p(row.ctypes.data)]
        if out is None:
            found.append(function(*given))
            continue
        values = np.zeros(out[1], out[0])
        function(*given, ctypes.c_void_p(values.ctypes.data))
        found.append(values)
    return np.array(found)


def from_c(library: ctypes.CDLL, case: Case) -> np.ndarray:
    """The features that C computes, in the order of those that the tree reads."""
    used = range(len(case.alone.features)) if case.precision == "float32" else case.integers.inputs.features.tolist()
    made = case.features.astype(np.float32)
    if len(used):
        made[:, list(used)] = called(library, f"{case.name}_f", case.numbers, (np.float32, len(used)))
    return made


def predicted(library: ctypes.CDLL, case: Case) -> np.ndarray:
    kind = ctypes.c_float if case.tree.classes is None else ctypes.c_int
    return called(library, f"{case.name}_predict", case.numbers, None, kind)


@needs_compiler
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c_makes_the_features(library: ctypes.CDLL, case: Case) -> None:
    """Exactly, but for single floats: a fill to half a unit in the last place, and cycles."""
    found, wanted = from_c(library, case), case.features
    cycles = [i for i, name in enumerate(case.alone.features) if re.search("(sin|cos)$", name)]
    others = np.delete(np.arange(wanted.shape[1]), cycles)
    np.testing.assert_array_equal(found[:, others], wanted[:, others].astype(np.float32))
    np.testing.assert_allclose(found[:, cycles], wanted[:, cycles], atol=4e-6)


@needs_compiler
@pytest.mark.parametrize("case", [case for case in CASES if case.precision == "float32"], ids=lambda case: case.name)
def test_floats_are_what_the_tree_says_of_the_frame(library: ctypes.CDLL, case: Case) -> None:
    X = from_c(library, case).astype(np.float64)
    errors, inside = bound(case.alone, X)
    assert inside.all()
    truth, found = case.alone.outputs(X), predicted(library, case)
    whole = case.tree.outputs(case.table)  # of the frame, all columns of it
    assert np.abs(truth - whole).max() <= 1e-3 * (1 + np.abs(whole)).max()  # cycles are off by up to 4e-6
    if case.tree.classes is None:
        assert (np.abs(found - truth[:, 0]) <= errors[:, 0]).all()
        return
    values = truth if truth.shape[1] > 1 else np.hstack([0 * truth, truth])
    ordered = np.sort(values, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 2 * errors.max(axis=1) + 1e-37
    assert clear.mean() > 0.9 or len(np.unique(values)) < 20
    assert np.array_equal(found[clear], values.argmax(axis=1)[clear])
    agree = np.array(case.tree.classes)[found] == case.tree.predict(case.table)
    assert agree[clear].mean() > 0.999
    p = called(library, f"{case.name}_probabilities", case.numbers, (np.float32, len(case.tree.classes)))
    np.testing.assert_allclose(p, case.tree.predict_proba(case.table), atol=1e-3)


@needs_compiler
@pytest.mark.parametrize("case", [case for case in CASES if case.precision == "int8"], ids=lambda case: case.name)
def test_integers_are_those_of_the_integer_tree(library: ctypes.CDLL, case: Case) -> None:
    """Bit for bit of the features of C; and of the features in doubles, where rounding changes no input."""
    integers = case.integers
    q = integers.quantize(from_c(library, case))
    found = called(library, f"{case.name}_quantize", case.numbers, (np.int8, max(q.shape[1], 1)))
    assert np.array_equal(found[:, : q.shape[1]], q)
    values = predicted(library, case)
    if case.tree.classes is None:
        assert values.astype(np.float32).tobytes() == integers.outputs.values(integers.predict_q(q)).tobytes()
    else:
        assert np.array_equal(values, integers.predict_q(q))
    same = (integers.quantize(case.features) == q).all(axis=1)
    assert same.mean() > 0.99
    frame_says = integers.predict(case.features[same])
    says = values[same] if case.tree.classes is None else np.array(case.tree.classes)[values[same]]
    assert np.array_equal(says.astype(frame_says.dtype), frame_says)


@needs_compiler
def test_self_tests_pass_and_nothing_is_undefined(folder: Path) -> None:
    """Under the sanitizers, every third, so all models and options; the vectors contain holes and other levels."""
    flags = ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
    for case in CASES[::3]:
        name = case.name
        compiled(folder, ["cc", "-std=c99", "-O1", *STRICT, *flags, f"{name}.c", f"test/{name}_test.c", "-o", "check"])
        done = subprocess.run(["./check"], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert re.fullmatch(r"(\d+) of \1 vectors are right\n", done.stdout)
        assert int(done.stdout.split()[0]) >= 28
        assert ("NAN" in case.files[f"test/{name}_vectors.h"]) == any(column.takes_holes for column in case.own.columns)


@needs_compiler
def test_a_self_test_can_fail(tmp_path: Path) -> None:
    case = next(case for case in CASES if "? 0.0f : 1.0f; /* size is missing" in case.files[f"{case.name}.c"])
    text = case.files[f"{case.name}.c"].replace("? 0.0f : 1.0f; /* size", "? 1.0f : 0.0f; /* size")
    for name, content in (case.files | {f"{case.name}.c": text}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    command = f"cc -std=c99 -I. {case.name}.c test/{case.name}_test.c -o check && ./check"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert " instead of " in done.stdout


# One column of each kind: numbers that it takes, and numbers that it does not.
NAN, INF = math.nan, math.inf
CHECKS: list[tuple[Column, list[float], list[float]]] = [
    (Number("a"), [0, -3.5, 3e38], [NAN, INF, -INF]),
    (Number("a", 1.0), [0, NAN], [INF, -INF]),
    (Flag("a"), [0, 1], [NAN, 2, -1, 0.5, INF]),
    (Flag("a", 0.5), [0, 1, NAN], [2, -INF]),
    (Category("a", ("x", "y", "z")), [0, 1, 2, 3, NAN], [4, -1, 1.5, INF, 3e38]),
    (Ordinal("a", ("x", "y", "z")), [0, 1, 2], [3, -1, 0.5, NAN, INF]),
    (Ordinal("a", ("x", "y"), 0.4), [0, 1, NAN], [2, -3e38]),
    (Time("a", START), [0, -5e6, 7.25], [NAN, INF]),
    (Time("a", START, fill=3.0), [0, NAN], [INF]),
]


def sum_of(columns: tuple[Column, ...]) -> Tree:
    """The sum of all features of columns."""
    names = feature_names(columns)
    rows = [(0, IDENTITY, 0.0, 0.5), *((1, i, 1.0, 0.0) for i in range(len(names)))]
    return Tree(record(rows), "regression", names, columns=columns)


@needs_compiler
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_check_names_the_first_column_that_cannot_be_used(tmp_path: Path, precision: str) -> None:
    for i, (column, good, bad) in enumerate(CHECKS):
        name = f"c{i}"
        files = export_c(sum_of((Number("first"), column)), name, precision=precision)
        (tmp_path / f"{name}.h").write_text(files[f"{name}.h"])
        (tmp_path / f"{name}.c").write_text(files[f"{name}.c"])
        compiled(tmp_path, ["cc", "-std=c99", "-O2", *STRICT, "-shared", "-fPIC", f"{name}.c", "-o", f"{name}.so"])
        library = ctypes.CDLL(str(tmp_path / f"{name}.so"))
        rows = [*((0.0, number) for number in good), *((0.0, number) for number in bad), (NAN, bad[0])]
        found = called(library, f"{name}_check", np.array(rows, np.float32), None, ctypes.c_int)
        assert found.tolist() == [-1] * len(good) + [1] * len(bad) + [0], column
        assert np.isfinite([*column.encode(np.array(good))]).all(), "what C takes, Python takes"


@needs_compiler
def test_a_sine_node_beside_the_cycles_compiles(tmp_path: Path) -> None:
    """The sine stands once in the float code; beside the table of sines in the integer code."""
    column = Time("when", START, parts=("hour",), fill=0.0)
    names = feature_names([column])
    rows = [(0, IDENTITY, 0.0, 0.5), (1, SINE, 1.0, 0.1), (2, 1, 1.0, 0.0), (2, 2, 0.7, 0.0), (1, 1, 0.5, 0.0)]
    tree = Tree(record(rows), "regression", names, columns=(column,))
    for precision in ("float32", "int8"):
        for style in ("straight", "table"):
            files = export_c(tree, "m", precision=precision, style=style)
            assert files["m.c"].count("NT_CALL float nt_sine(float") == (precision == "float32")
            for name, text in files.items():
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(text)
            compiled(tmp_path, ["cc", "-std=c99", "-O2", *STRICT, "m.c", "test/m_test.c", "-o", "check"])
            compiled(tmp_path, ["./check"])
            compiled(tmp_path, ["c++", "-x", "c++", "-std=c++17", "-fsyntax-only", *STRICT, "m.c"])


@pytest.mark.skipif(clang() is None, reason="no clang: neither on PATH nor as the wheel ziglang")
def test_clang_has_no_warning(folder: Path) -> None:
    found = clang()
    assert found
    for case in CASES[::7]:
        compiled(folder, [*found, "-std=c99", "-O1", *STRICT, "-c", f"{case.name}.c", "-o", "clang.o"])
        compiled(folder, [*found, "-x", "c++", "-std=c++17", "-O1", *STRICT, "-c", f"{case.name}.c", "-o", "clang.o"])


@needs_compiler
def test_fast_math_is_refused_by_the_compiler(folder: Path) -> None:
    command = ["cc", "-std=c99", "-ffast-math", "-fsyntax-only", f"{CASES[0].name}.c"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "a missing cell is NaN" in done.stderr


def test_the_header_names_columns_levels_and_starts() -> None:
    columns = (
        Category("kind", ("a", "b", "Other"), missing=True),
        Ordinal("size", ("s", "l"), 0.5),
        Time("at", START),
        Time("kind start", 0.5, fill=1.0),
        Flag("on"),
        Number("not read"),
    )
    names = feature_names(columns)
    rows = [(0, IDENTITY, 0.0, 0.5), *((1, k, 1.0, 0.0) for k in range(len(names) - 1))]
    files = export_c(Tree(record(rows), "regression", names, columns=columns), "m")
    for line in (
        "    M_COLUMN_KIND = 0, /* kind: a level, or NAN */",
        "    M_COLUMN_SIZE = 1, /* size: a level, or NAN */",
        "    M_COLUMN_AT = 2, /* at: seconds since M_AT_START */",
        "    M_COLUMN_ON = 4, /* on: 0 or 1 */",
        "    M_COLUMNS = 5",
        "    M_KIND_A = 0, /* a */",
        "    M_KIND_OTHER = 2, /* Other */",
        "    M_KIND_OTHER_AT_3 = 3 /* any other level */",
        "    M_SIZE_L = 1 /* l */",
        "#define M_AT_START INT64_C(1767571200)",
        "#define M_KIND_START_START 0.5",
        "float m_predict(const float *x);",
        "int m_check(const float *x);",
    ):
        assert line in files["m.h"].splitlines()
    assert "not read" not in files["m.h"]
    assert "2026-01-05 00:00:00 UTC" in files["m.h"]
    assert "M_FEATURE" not in "".join(files.values())


@needs_compiler
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_any_names_of_columns_and_levels_compile(precision: str) -> None:
    columns = tuple(
        [Category, Ordinal][i % 2](name, tuple(NASTY)) if i % 3 else Time(name, START, fill=0.0)
        for i, name in enumerate(NASTY)
    )
    names = feature_names(columns)
    rows = [(0, IDENTITY, 0.0, 0.5), *((1, k, 1.0, 0.0) for k in range(0, len(names), 5))]
    rows += [(1, k, 1.0, 0.0) for k in range(len(names)) if k % 5 and "=" not in names[k]]
    tree = Tree(record(rows), "binary", names, ("start", "a"), columns=columns)
    files = export_c(tree, "m", precision=precision)
    text = files["m.h"] + files["m.c"].replace('#include "m.h"', "")
    command = ["cc", "-std=c99", "-fsyntax-only", *STRICT, "-x", "c", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]


def test_the_vectors_hold_holes_and_other_levels() -> None:
    columns = tuple(msgspec.structs.replace(column, name=f"c{i}") for i, (column, *_) in enumerate(CHECKS))
    X = column_vectors(columns, np.zeros((32, sum(len(column.features) for column in columns))))
    for i, column in enumerate(columns):
        assert np.isnan(X[:, i]).any() == column.takes_holes
        if isinstance(column, Category):
            assert np.nanmax(X[:, i]) == len(column.levels)
