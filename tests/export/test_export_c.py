"""Exported C: compiles without warnings, has no undefined behaviour, and computes what the tree does."""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.activations import ACTIVATIONS
from neuraltree.compress import IntegerTree, quantize_tree
from neuraltree.export import export_c
from neuraltree.export.c.bound import error_bound
from neuraltree.export.c.parts import MACROS, float_functions
from neuraltree.export.names import check_name, comment, constants, name_from
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, edge_models, models, random_model, raw_inputs, record
from tests.helpers.strategies import steady

ROOT = Path(__file__).parents[2]
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
ROWS = 1000
CC = shutil.which("cc")
needs_compiler = pytest.mark.skipif(CC is None, reason="no C compiler: cc is not on PATH")


# ---- the models, and one C function for each that runs it over many rows ----


@dataclass(frozen=True)
class Case:
    name: str
    tree: Tree
    precision: str
    style: str
    fine: bool

    @cached_property
    def files(self) -> dict[str, str]:
        return export_c(self.tree, self.name, precision=self.precision, style=self.style, fine=self.fine)

    @cached_property
    def integers(self) -> IntegerTree | None:
        return quantize_tree(self.tree, fine=self.fine) if self.precision == "int8" else None

    @cached_property
    def X(self) -> np.ndarray:
        return raw_inputs(self.tree, ROWS, seed=len(self.name))

    @property
    def classes(self) -> int:
        return len(self.tree.classes or ())

    @property
    def used(self) -> int:
        """The length of the array of integers, one at least."""
        return 0 if self.integers is None else max(len(self.integers.inputs.features), 1)


OPTIONS = [
    (precision, style, fine)
    for precision, fine in (("float32", False), ("int8", False), ("int8", True))
    for style in ("straight", "table")
]


def _cases() -> list[Case]:
    named = {f"random_{i}": tree for i, tree in enumerate(models(2))} | edge_models()
    return [
        Case(f"{name}_{precision}_{style}{'_fine' * fine}", tree, precision, style, fine)
        for name, tree in named.items()
        for precision, style, fine in OPTIONS
        if tree.kind == "regression" or not fine
    ]


CASES = _cases()


def driver(case: Case) -> str:
    """Run a model over rows: predictions as floats, probabilities, integers, scores or classes from integers."""
    name, width, extra, room = case.name, case.X.shape[1], "", ""
    if case.classes:
        extra += f"        {name}_probabilities(x, p);\n        p += {case.classes};\n"
    if case.precision == "int8":
        room = f"\n    typedef char right[{name.upper()}_INTEGERS == {case.used} ? 1 : -1];\n    (void)sizeof(right);"
        extra += f"        {name}_quantize(x, q);\n        *score++ = {name}_predict_q(q);\n        q += {case.used};\n"
    return f"""
void {name}_all(const float *x, long rows, float *value, float *p, int8_t *q, int32_t *score);
void {name}_all(const float *x, long rows, float *value, float *p, int8_t *q, int32_t *score)
{{
    long i;{room}
    (void)p; (void)q; (void)score;
    for (i = 0; i < rows; ++i, x += {width}) {{
        *value++ = (float){name}_predict(x);
{extra}    }}
}}
"""


def program(cases: Sequence[Case]) -> str:
    """All drivers, and a main that runs every self-test and every model over the rows in a file."""
    calls = "".join(
        f"    wrong += {c.name}_main() != 0;\n"
        f'    run("{c.name}", {c.name}_all, {c.X.shape[1]}, {c.classes}, {c.used});\n'
        for c in cases
    )
    return (
        "#include <stdio.h>\n#include <stdlib.h>\n"
        + "".join(f'#include "{c.name}.h"\n' for c in cases)
        + "".join(map(driver, cases))
        + "#ifdef MAIN\n"
        + "".join(f"int {c.name}_main(void);\n" for c in cases)
        + """
typedef void all_fn(const float *, long, float *, float *, int8_t *, int32_t *);
static FILE *file(const char *name, const char *end, const char *mode)
{
    char path[200];
    snprintf(path, sizeof path, "%s.%s", name, end);
    return fopen(path, mode);
}
static void run(const char *name, all_fn *all, int width, int classes, int used)
{
    const size_t rows = ROWS;
    const size_t sizes[4] = {rows, rows * (size_t)classes, rows * (size_t)used, rows};
    float *x = malloc(rows * (size_t)width * 4), *value = malloc(sizes[0] * 4), *p = malloc(sizes[1] * 4 + 1);
    int8_t *q = malloc(sizes[2] + 1);
    int32_t *score = calloc(rows, 4);
    FILE *f = file(name, "in", "rb");
    if (fread(x, 4, rows * (size_t)width, f) != rows * (size_t)width) { exit(3); }
    fclose(f);
    all(x, (long)rows, value, p, q, score);
    f = file(name, "out", "wb");
    fwrite(value, 4, sizes[0], f); fwrite(p, 4, sizes[1], f); fwrite(q, 1, sizes[2], f); fwrite(score, 4, rows, f);
    fclose(f);
    free(x); free(value); free(p); free(q); free(score);
}
int main(void)
{
    int wrong = 0;
"""
        + calls
        + '    printf("%d self-tests are wrong\\n", wrong);\n    return wrong != 0;\n}\n#endif\n'
    )


def self_test(case: Case) -> str:
    """The program of an export under names of its own, so that one file holds them all."""
    own = [(name, f"{case.name}_{name}") for name in ("main", "nt_inputs", "nt_expected", "nt_tolerance")]
    defined = "".join(f"#define {name} {other}\n" for name, other in own)
    cleared = "".join(f"#undef {name}\n" for name, _ in own)
    return f'int {case.name}_main(void);\n{defined}#include "test/{case.name}_test.c"\n{cleared}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All models, their self-tests under names of their own, the driver, and the rows."""
    made = tmp_path_factory.mktemp("models")
    (made / "test").mkdir()
    for case in CASES:
        for name, text in case.files.items():
            if name.endswith((".c", ".h")):
                (made / name).write_text(text)
        case.X.tofile(made / f"{case.name}.in")
    (made / "driver.c").write_text(program(CASES))
    (made / "selves.c").write_text("".join(map(self_test, CASES)))
    return made


def compile_all(folder: Path, flags: Sequence[str], files: Sequence[str], objects: str, compiler: str = "cc") -> Path:
    """Objects of the files in a new folder, with two processes; fails with what the compiler said."""
    out = folder / objects
    out.mkdir()
    # The larger files first, dealt out in turn.
    files = sorted(files, key=lambda name: -(folder / name).stat().st_size)

    def part(names: Sequence[str]) -> subprocess.CompletedProcess[str]:
        paths = [str(folder / name) for name in names]
        return subprocess.run(
            [compiler, *flags, f"-I{folder}", "-c", *paths], cwd=out, capture_output=True, text=True, check=False
        )

    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(part, (files[::2], files[1::2])):
            assert done.returncode == 0, done.stderr[:3000]
    return out


def link(out: Path, flags: Sequence[str], target: Path) -> Path:
    done = subprocess.run(
        ["cc", *flags, *map(str, out.glob("*.o")), "-o", str(target)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[:3000]
    return target


SOURCES = [f"{case.name}.c" for case in CASES]

# ---- what it computes ----


Result = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # values, probabilities, integers, scores


def through_library(library: ctypes.CDLL, case: Case) -> Result:
    x = np.ascontiguousarray(case.X)
    value, p = np.zeros(ROWS, np.float32), np.zeros((ROWS, case.classes), np.float32)
    q, score = np.zeros((ROWS, case.used), np.int8), np.zeros(ROWS, np.int32)
    places = [ctypes.c_void_p(array.ctypes.data) for array in (value, p, q, score)]
    getattr(library, f"{case.name}_all")(ctypes.c_void_p(x.ctypes.data), ctypes.c_long(ROWS), *places)
    return value, p, q, score


def through_file(path: Path, case: Case) -> Result:
    content, at, found = path.read_bytes(), 0, []
    for kind, width in ((np.float32, 1), (np.float32, case.classes), (np.int8, case.used), (np.int32, 1)):
        size = ROWS * width * np.dtype(kind).itemsize
        found.append(np.frombuffer(content[at : at + size], kind).reshape(ROWS, width))
        at += size
    return found[0][:, 0], found[1], found[2], found[3][:, 0]


def bound(tree: Tree, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows, outputs) how far single floats may lie from the truth, and whether no sum can leave their range:
    16 units in the last place of every node's sum of absolute products, passed on by the steepest slopes, or by a sign
    that may be on the wrong side."""
    steepest = (0.25, 1.0, 0.86, 1.0, 1.0, 1.0, *(row.steepest for row in ACTIVATIONS[6:]))
    nodes, unit = tree.folded(), 16 * 2.0**-23
    depth, op = nodes["depth"].tolist(), nodes["op"].tolist()
    weight, bias = nodes["weight"][:, 0].tolist(), nodes["bias"][:, 0].tolist()
    inside = np.isfinite(X).all(axis=1)

    def visit(at: int) -> tuple[np.ndarray, np.ndarray, int]:
        nonlocal inside
        if op[at] >= 0:
            return X[:, op[at]], np.zeros(len(X)), at + 1
        total = np.full(len(X), bias[at])
        size, error, child = np.abs(total), np.zeros(len(X)), at + 1
        while child < len(op) and depth[child] > depth[at]:
            w = weight[child]
            value, off, child = visit(child)
            total, size, error = total + w * value, size + abs(w) * np.abs(value), error + abs(w) * off
        inside &= size < 1e37
        row, error = ACTIVATIONS[~op[at]], error + unit * size
        value = row.value(total)
        moved = steepest[~op[at]] * error if row.jump is None else 2.0 * (np.abs(total) <= error)
        return value, moved + unit * np.abs(value), child

    errors, at = [], 0
    with np.errstate(all="ignore"):
        while at < len(op):
            _, error, at = visit(at)
            errors.append(error)
    return np.stack(errors, axis=1), inside


def check_integers(case: Case, found: Result) -> None:
    """Bit for bit what the NumPy reference gives."""
    value, p, q, score = found
    integers = case.integers
    assert integers is not None
    expected = integers.quantize(case.X)
    assert np.array_equal(q[:, : expected.shape[1]], expected)
    assert np.array_equal(score, integers.predict_q(expected))
    if not case.classes:
        assert value.tobytes() == integers.predict(case.X).tobytes()
        return
    assert np.array_equal(value, score)
    assert np.abs(p - integers.predict_proba(case.X)).max() < 1e-5


def check_floats(case: Case, found: Result) -> None:
    """Within the bound of the tree in doubles, where no sum leaves the range of single floats."""
    value, p, _, _ = found
    X = case.X.astype(np.float64)
    errors, inside = bound(case.tree, X)
    assert inside.sum() > ROWS * 0.7
    X, errors = X[inside], errors[inside]
    truth = case.tree.outputs(X)
    if not case.classes:
        assert (np.abs(value[inside] - truth[:, 0]) <= errors[:, 0] + 1e-37).all()
        return
    level = -math.log(1 / case.tree.threshold - 1)  # the logit that a second class must exceed
    columns = truth if truth.shape[1] > 1 else np.hstack([np.full_like(truth, level), truth])
    ordered = np.sort(columns, axis=1)
    # Where products vanish, ties.
    clear = ordered[:, -1] - ordered[:, -2] > 2 * errors.max(axis=1) + 1e-37 + 1e-7 * abs(level)
    assert np.array_equal(value[inside][clear], columns.argmax(axis=1)[clear])
    assert set(value.tolist()) <= set(range(case.classes))
    sure = errors.max(axis=1) < 2e-6
    off = np.abs(p[inside] - case.tree.predict_proba(X))
    assert (off[sure] < 1e-5).all()
    if case.tree.output_activation == "identity":  # what a logit is off, a probability is off at most
        assert (off <= 1e-5 + errors.max(axis=1, keepdims=True)).all()


def check(case: Case, found: Result) -> None:
    (check_floats if case.precision == "float32" else check_integers)(case, found)
    if case.classes:
        p = found[1]
        assert ((p >= 0) & (p <= 1)).all(), "a share of 1, whatever the input"
        assert np.abs(p.astype(np.float64).sum(axis=1) - 1).max() < 1e-5


@needs_compiler
@pytest.mark.parametrize("level", ["-O0", "-O2", "-O3"])
def test_through_a_library_every_model_computes_what_the_tree_does(folder: Path, level: str) -> None:
    """Three levels of optimisation agree: integers equal the one reference, floats lie within the bound."""
    objects = compile_all(folder, ("-std=c99", level, "-fPIC", *STRICT), [*SOURCES, "driver.c"], f"library{level}")
    library = ctypes.CDLL(str(link(objects, ("-shared",), folder / f"all{level}.so")))
    for case in CASES:
        check(case, through_library(library, case))


@needs_compiler
def test_self_tests_pass_and_nothing_is_undefined(folder: Path) -> None:
    """Under the address and undefined-behaviour sanitizers, over the odd inputs too."""
    wanted = ("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
    probe = subprocess.run(
        ["cc", *wanted, "-x", "c", "-", "-o", "probe"],
        cwd=folder,
        input="int main(void){return 0;}",
        text=True,
        check=False,
    )
    if probe.returncode:
        pytest.skip("cc has no sanitizers")
    files = [*SOURCES, "selves.c", "driver.c"]
    objects = compile_all(folder, ("-std=c99", "-O1", "-DMAIN", f"-DROWS={ROWS}", *wanted, *STRICT), files, "sanitized")
    path = link(objects, wanted, folder / "sanitized_all")
    done = subprocess.run([str(path)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count("32 of 32 vectors are right") == len(CASES)
    for case in CASES:
        check(case, through_file(folder / f"{case.name}.out", case))


@needs_compiler
def test_a_self_test_can_fail(tmp_path: Path) -> None:
    case = CASES[0]
    files = case.files | {
        f"{case.name}.c": re.sub(r"return y\[0\];", "return y[0] + 1.0f;", case.files[f"{case.name}.c"])
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    command = f"cc -std=c99 -I. {case.name}.c test/{case.name}_test.c -o check && ./check"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "0 of 32 vectors are right" in done.stdout


@needs_compiler
@pytest.mark.parametrize("threshold", [0.5, 0.1, 0.9, 1e-6, 1e-300, 1 - 1e-16])
@pytest.mark.parametrize("style", ["straight", "table"])
def test_c_and_python_compare_with_the_same_single_float(tmp_path: Path, style: str, threshold: float) -> None:
    """The last logit of the first class and the first one of the second are neighbours, in C as in Python."""
    nodes = record([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)])
    tree = Tree(nodes, "binary", ("x0",), (0, 1), threshold=threshold)
    level = np.float32(math.log(threshold / (1 - threshold)))
    x = np.array([-np.inf, np.nextafter(level, np.float32(-1e9)), level, np.nextafter(level, np.float32(1e9))], "f4")
    (tmp_path / "m.c").write_text(export_c(tree, "m", style=style)["m.c"])
    (tmp_path / "m.h").write_text(export_c(tree, "m", style=style)["m.h"])
    subprocess.run(["cc", "-std=c99", "-shared", "-fPIC", "m.c", "-o", "m.so"], cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "m.so"))
    found = [library.m_predict(ctypes.byref(ctypes.c_float(value))) for value in x.tolist()]
    assert found == [0, 0, 0, 1]
    assert tree.predict(x[:, None]).tolist() == found
    assert [tree.predict_one([value]) for value in x.tolist()] == found


def test_the_header_says_the_threshold_if_it_is_not_one_half() -> None:
    tree = edge_models()["threshold_low"]
    for precision, times in (("float32", 1), ("int8", 2)):
        text = export_c(tree, precision=precision)["model.h"]
        assert text.count("inputs: 1 if its probability is above 0.2, else 0. */") == times
        plain = export_c(replace(tree, threshold=0.5), precision=precision)
        assert "probability is above" not in plain["model.h"]
        assert plain["model.c"].count("return y[0] > 0;") == 1


@needs_compiler
@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("name", ["band", "threshold_low", "sigmoid_outputs"])
def test_a_known_band_is_a_number_in_the_header(tmp_path: Path, name: str, precision: str) -> None:
    tree = replace(edge_models()[name], band=0.1)
    plain = export_c(replace(tree, band=None), precision=precision)
    assert "BAND" not in plain["model.h"]
    files = export_c(tree, precision=precision)
    rule = "lies within MODEL_BAND of the prediction" if tree.classes is None else "a class k with p[k] >= MODEL_BAND"
    assert "of about 90 % of new rows" in files["model.h"]
    assert f"{rule}. */\n#define MODEL_BAND 0.1f\n" in files["model.h"]
    assert {key for key in files if files[key] != plain[key]} == {"model.h"}
    (tmp_path / "model.h").write_text(files["model.h"])
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "model.h"\nint main(void) { printf("%.9g", (double)MODEL_BAND); return 0; }\n'
    )
    subprocess.run(["cc", "-std=c99", *STRICT, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    done = subprocess.run(["./main"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(np.float32(0.1), rel=1e-8)


def ulps(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """How many units in the last place of single floats ``found`` lies from ``exact``."""
    return np.abs(found - exact) / np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)


@needs_compiler
def test_the_functions_are_as_exact_as_they_say(tmp_path: Path) -> None:
    """e^x within 2 units in the last place; the others within a few, or near zero a few of 1."""
    kinds = [row for row in ACTIVATIONS if row.c_function]
    names = ("exp", *(row.name for row in kinds))
    loops = "".join(
        f"void {name}_all(const float *x, long n, float *y)\n"
        f"{{ for (long i = 0; i < n; ++i) {{ y[i] = nt_{name}(x[i]); }} }}\n"
        for name in names
    )
    (tmp_path / "f.c").write_text(
        f"#include <stdint.h>\n{MACROS}\n{float_functions(range(len(ACTIVATIONS)), exp=True)}\n{loops}"
    )
    command = ["cc", "-std=c99", "-O2", "-shared", "-fPIC", "f.c", "-o", "f.so"]
    subprocess.run(command, cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "f.so"))

    def run(name: str, x: np.ndarray) -> np.ndarray:
        y = np.zeros_like(x)
        getattr(library, f"{name}_all")(
            *(ctypes.c_void_p(x.ctypes.data), ctypes.c_long(len(x)), ctypes.c_void_p(y.ctypes.data))
        )
        return y.astype(np.float64)

    x = np.linspace(-87, 88, 200_001).astype(np.float32)
    assert ulps(run("exp", x), np.exp(x.astype(np.float64))).max() <= 2
    near = np.linspace(-20, 20, 200_001).astype(np.float32)
    for name, row in zip(names[1:], kinds, strict=True):
        exact = row.value(near.astype(np.float64))
        assert (np.abs(run(name, near) - exact) <= 4 * 2.0**-23 * np.maximum(np.abs(exact), 0.25)).all(), name
    odd = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 0, -0.0, 1e-45], np.float32)
    for name in names:
        assert np.isfinite(run(name, odd)).all() or name == "relu"
    assert run("sign", np.array([0, -0.0, 1e-45, -1e-45], np.float32)).tolist() == [1, 1, 1, -1]
    with np.errstate(all="ignore"):
        assert np.abs(run("sine", np.array([1e5, -9.9e5], np.float32)) - np.sin([1e5, -9.9e5])).max() < 0.1


# ---- other compilers ----


@needs_compiler
@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler: c++ is not on PATH")
def test_it_is_cplusplus_too(folder: Path) -> None:
    flags = ("-x", "c++", "-std=c++17", "-fsyntax-only", *STRICT)
    compile_all(folder, flags, SOURCES, "cplusplus", "c++")


def clang() -> list[str] | None:
    """clang from PATH, or from the wheel that measurements use."""
    if found := shutil.which("clang"):
        return [found]
    spec = find_spec("ziglang")
    zig = spec and spec.origin and shutil.which("zig", path=str(Path(spec.origin).parent))
    return [zig, "cc"] if zig else None


@pytest.mark.skipif(clang() is None, reason="no clang: neither on PATH nor as the wheel ziglang")
@pytest.mark.parametrize("language", [("-std=c99",), ("-x", "c++", "-std=c++17")])
def test_clang_has_no_warning(folder: Path, language: tuple[str, ...]) -> None:
    """All models of one style in one file each would clash, so a sample: every fifth, and all that are odd."""
    chosen = [case for i, case in enumerate(CASES) if i % 5 == 0 or case.name.startswith(("zero_", "pruned"))]
    found = clang()
    assert found
    (folder / "clang").mkdir(exist_ok=True)

    def one(case: Case) -> subprocess.CompletedProcess[str]:
        command = [*found, *language, "-O1", *STRICT, "-c", str(folder / f"{case.name}.c"), "-o", f"{case.name}.o"]
        return subprocess.run(command, cwd=folder / "clang", capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(one, chosen):
            assert done.returncode == 0, done.stderr[:3000]


# ---- the text ----

COMMENTS = re.compile(r'/\*.*?\*/|//[^\n]*|"[^"\n]*"', re.DOTALL)  # and texts
FLOATING = re.compile(r"(?<![\w.])(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?(\w?)")


def functions(text: str) -> dict[str, str]:
    """Name and body of each function, in order."""
    return {
        match[1]: match[2]
        for match in re.finditer(r"(\w+)\((?:[^(){};]*)\)\n\{\n(.*?)\n\}", COMMENTS.sub("", text), re.DOTALL)
    }


@pytest.mark.parametrize("option", OPTIONS)
def test_the_text_has_single_floats_only_no_heap_no_recursion_no_library(option: tuple[str, str, bool]) -> None:
    for case in CASES:
        if (case.precision, case.style, case.fine) == option:
            check_text(case)


def check_text(case: Case) -> None:
    for file, text in case.files.items():
        if file.endswith((".c", ".h")):
            code = COMMENTS.sub("", text)
            assert all(end == "f" for end in FLOATING.findall(code)), file
            assert text.isascii()
    source = case.files[f"{case.name}.c"]
    code = COMMENTS.sub("", source)
    assert "double" not in code
    assert not re.search(r"\b(malloc|calloc|realloc|free|alloca)\b", code)
    assert set(re.findall(r"#include\s+(\S+)", source)) == {f'"{case.name}.h"', "<avr/pgmspace.h>"}
    assert set(re.findall(r"#include\s+(\S+)", case.files[f"{case.name}.h"])) == {"<stdint.h>"}
    found = functions(source)
    assert f"{case.name}_predict" in found
    for place, body in enumerate(found.values()):
        later = list(found)[place:]
        assert not [name for name in later if re.search(rf"\b{name}\b", body)], "calls go to what stands above"


def test_the_same_tree_gives_the_same_text_in_any_process() -> None:
    code = (
        "import hashlib, tests.export.test_export_c as t\n"
        "print(hashlib.sha256(repr([c.files for c in t._cases()[::7]]).encode()).hexdigest())"
    )
    here = hashlib.sha256(repr([case.files for case in _cases()[::7]]).encode()).hexdigest()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here


def test_the_written_bound_is_the_bound() -> None:
    for tree in models(1):
        X = raw_inputs(tree, 200)[40:].astype(np.float64)
        errors, inside = bound(tree, X)
        values, found = error_bound(tree.folded(), X)
        np.testing.assert_allclose(found[inside], errors[inside], rtol=1e-9)
        np.testing.assert_allclose(values[inside], tree.outputs(X[inside]), rtol=1e-6, atol=1e-6)


# ---- names ----

NASTY = [
    *(
        "",
        " ",
        "*/",
        "/*",
        "*/ int x; /*",
        "??/",
        "???/",
        "????/",
        "é??/",
        "a\nb",
        "a\r\nb",
        "\\",
        "a\\",
        "\x00",
        "\u2028",
    ),
    *(
        "int",
        "while",
        "class",
        "INT",
        "a b",
        "a_b",
        "a-b",
        "A B",
        "a_b_AT_1",
        "a_b_AT_2",
        "a_b_AT_3",
        "S",
        "0",
        "1",
        "2",
    ),
    *("ß", "ſ", "İ", "日本", "x" * 200, "x" * 201, "//", '"', "'", "%d", "#define", "*", "/", "\ud800", "*??/", "/**/"),
]


@needs_compiler
@settings(steady, max_examples=40)
@given(
    st.lists(st.sampled_from(NASTY) | st.text(max_size=6), min_size=2, max_size=12, unique=True),
    st.lists(st.sampled_from(NASTY) | st.text(max_size=6), min_size=3, max_size=3, unique=True),
    st.sampled_from(["float32", "int8"]),
)
def test_any_names_of_features_and_classes_compile(features: list[str], classes: list[str], precision: str) -> None:
    tree = random_model(4, "multiclass", "identity", 3)  # without a scaler, so any number of features will do
    features = [*features, *(f"more {i}" for i in range(len(tree.features)))]
    tree = replace(tree, features=tuple(features), classes=tuple(classes), scaler=None, input_range=None)
    files = export_c(tree, "any", precision=precision)
    text = files["any.h"] + files["any.c"].replace('#include "any.h"', "")
    done = subprocess.run(
        ["cc", "-std=c99", "-fsyntax-only", *STRICT, "-x", "c", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[:2000]


@needs_compiler
def test_all_the_nasty_names_together_compile() -> None:
    test_any_names_of_features_and_classes_compile.hypothesis.inner_test(NASTY, ["??/", "*/", "\\"], "int8")  # type: ignore[attr-defined]


@given(st.lists(st.sampled_from(NASTY) | st.text(max_size=4), unique=True, max_size=30))
@steady
def test_constants_differ(names: list[str]) -> None:
    made = constants("M_FEATURE", names)
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"M_FEATURE_[A-Z0-9_]+", constant) for constant in made)


def test_a_constant_made_different_meets_no_other() -> None:
    names = ["a_AT_2", "a", "A", "a-"]
    assert constants("M", names) == ["M_A_AT_2", "M_A", "M_A_AT_2_AT_2", "M_A_AT_3"]


@given(st.text() | st.sampled_from(NASTY))
@steady
def test_a_comment_ends_nothing_and_starts_nothing(text: str) -> None:
    found = comment(text)
    assert found.isascii()
    assert found.isprintable()
    assert not [bad for bad in ("*/", "/*", "??", "\\") if bad in found]


@given(st.text() | st.sampled_from(["003", "int", "my model", "stdio", "Math", "nt_x", "", "ü", "a" * 99, "features"]))
@steady
def test_any_file_gives_a_name(stem: str) -> None:
    assert check_name(name_from(stem))


@pytest.mark.parametrize(
    "name", ["", "1a", "a b", "int", "nt_x", "a" * 41, "é", "a-b", "stdint", "String", "a\n", "_a"]
)
def test_a_name_that_c_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of C functions"):
        export_c(random_model(1), name)


# ---- what cannot be said ----


def test_options_that_do_not_exist_are_refused() -> None:
    tree = random_model(1)
    with pytest.raises(ValueError, match="unknown precision 'int5'; allowed: float32, int8, int6, int4"):
        export_c(tree, precision="int5")
    with pytest.raises(ValueError, match="unknown style 'loop'; allowed: straight, table"):
        export_c(tree, style="loop")
    with pytest.raises(ValueError, match="floats need none"):
        export_c(tree, fine=True)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_numbers_beyond_single_floats_are_refused(precision: str) -> None:
    tree = random_model(1)
    nodes = tree.nodes.copy()
    nodes["weight"][nodes["depth"] > 0] = 1e300
    with pytest.raises(ValueError, match="beyond single floats"):
        export_c(replace(tree, nodes=nodes), precision=precision)
