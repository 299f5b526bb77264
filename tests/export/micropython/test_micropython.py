"""Exported MicroPython: the same results as Python in CPython, and in MicroPython if it is here.

MicroPython runs in node: ``npm install @micropython/micropython-webassembly-pyscript`` in this checkout, or anywhere
else with NEURALTREE_MICROPYTHON naming its ``micropython.mjs``.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import struct
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from neuraltree.compress import quantize_tree
from neuraltree.export import export_micropython
from neuraltree.export.needed import needed
from neuraltree.tree.tree import Tree
from tests.export.test_export_c import NASTY, bound
from tests.helpers.random_models import edge_models, models, random_model, raw_inputs
from tests.helpers.table_models import frame, plain_features, plain_numbers, table_model

ROOT = Path(__file__).parents[3]
RUNNER = ROOT / "tests" / "helpers" / "micropython_run.mjs"
PACKAGE = "node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs"
ROWS = 200
NAMED = {f"random_{i}": tree for i, tree in enumerate(models(3))} | edge_models()


def micropython() -> str:
    """The path of MicroPython for node, or ""."""
    path = os.environ.get("NEURALTREE_MICROPYTHON", str(ROOT / PACKAGE))
    return path if shutil.which("node") and Path(path).is_file() else ""


needs_micropython = pytest.mark.skipif(
    not micropython(), reason="no MicroPython: NEURALTREE_MICROPYTHON names no micropython.mjs, or node is missing"
)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def rows(name: str) -> np.ndarray:
    return raw_inputs(NAMED[name], ROWS, seed=len(name))


def written(folder: Path, precision: str) -> dict[str, ModuleType]:
    made = {}
    for name, tree in NAMED.items():
        path = folder / f"{name}_{precision}.py"
        path.write_text(export_micropython(tree, path.stem, precision=precision))
        made[name] = load(path)
    return made


def single(value: float) -> bytes:
    return struct.pack("<f", value) if abs(value) < 3.4e38 or value != value else np.float32(value).tobytes()


def test_integers_give_the_bits_of_python(tmp_path: Path) -> None:
    for name, module in written(tmp_path, "int8").items():
        integers = quantize_tree(NAMED[name])
        q = integers.quantize(rows(name))
        wanted = integers.predict(rows(name))
        scores = integers.predict_q(q).tolist()
        for x, integer, answer, score in zip(rows(name).tolist(), q.tolist(), wanted.tolist(), scores, strict=True):
            assert module.quantize(x) == integer, name
            assert module.predict_q(integer) == score, name
            found = module.predict(x)
            assert (found if integers.source.classes else single(found)) == (
                answer if integers.source.classes else np.float32(answer).tobytes()
            )


def test_whole_numbers_are_inputs_too(tmp_path: Path) -> None:
    """As from a converter: the results are those of the same numbers as floats."""
    rng = np.random.default_rng(0)
    for name, module in written(tmp_path, "int8").items():
        X = rng.integers(-(2**15), 2**15, (20, len(NAMED[name].features)))
        wanted = quantize_tree(NAMED[name]).predict(X).tolist()
        assert [module.predict(x) for x in X.tolist()] == wanted, name


def test_floats_lie_within_the_bound_of_single_floats(tmp_path: Path) -> None:
    for name, module in written(tmp_path, "float32").items():
        tree, X = NAMED[name], rows(name).astype(np.float64)
        errors, inside = bound(tree, X)
        truth = tree.outputs(X[inside])
        found = [module._values(x) for x in X[inside].tolist()]
        assert (np.abs(np.array(found) - truth) <= errors[inside] + 1e-37).all(), name
        for x in rows(name).tolist():
            module.predict(x)  # nothing raises, whatever the input


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_probabilities_are_those_of_python(precision: str, tmp_path: Path) -> None:
    for name, module in written(tmp_path, precision).items():
        tree = NAMED[name]
        if tree.classes is None:
            assert not hasattr(module, "probabilities")
            continue
        X = rows(name)[np.isfinite(rows(name)).all(axis=1) & (np.abs(rows(name)).max(axis=1) < 1e6)]
        model = tree if precision == "float32" else quantize_tree(tree)
        wanted = model.predict_proba(X.astype(np.float64))
        # Where the bound of the logits is tight, so is that of their probabilities.
        errors = bound(tree, X.astype(np.float64))[0].max(axis=1) if precision == "float32" else np.zeros(len(X))
        found = np.array([module.probabilities(x) for x in X.tolist()])
        assert (np.abs(found - wanted).max(axis=1) <= 1e-6 + errors).all(), name
        assert found.sum(axis=1) == pytest.approx(1)
        assert tree.classes == module.CLASSES


SCRIPT = """
import struct
for name, width in {cases}:
    module = __import__(name)
    with open(name + ".bin", "rb") as file:
        data = file.read()
    for at in range(0, len(data), 4 * width):
        found = module.predict(struct.unpack("<%df" % width, data[at : at + 4 * width]))
        print(struct.pack("<f", found).hex() if isinstance(found, float) else found)
"""


def in_micropython(folder: Path, cases: list[tuple[str, int]]) -> list[str]:
    """The lines that MicroPython prints: predictions of the modules of a folder over their rows."""
    script = folder.parent / "script.py"
    script.write_text(SCRIPT.format(cases=cases))
    command = ["node", str(RUNNER), micropython(), str(folder), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def shown(value: object) -> str:
    return np.float32(value).tobytes().hex() if isinstance(value, float) else str(value)


@needs_micropython
def test_micropython_gives_the_bits_of_python(tmp_path: Path) -> None:
    folder = tmp_path / "board"
    folder.mkdir()
    written(folder, "int8")
    cases, wanted = [], []
    for name, tree in NAMED.items():
        (folder / f"{name}_int8.bin").write_bytes(rows(name).tobytes())
        cases.append((f"{name}_int8", rows(name).shape[1]))
        wanted += map(shown, quantize_tree(tree).predict(rows(name)).tolist())
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    assert in_micropython(folder, cases) == wanted


@needs_micropython
def test_micropython_runs_floats_as_python_does(tmp_path: Path) -> None:
    """Node's MicroPython has doubles: it gives what CPython gives, but for the last digits of e^x and the like."""
    folder = tmp_path / "board"
    folder.mkdir()
    cases, wanted = [], []
    for name, module in written(folder, "float32").items():
        X = rows(name)[50:]
        (folder / f"{name}_float32.bin").write_bytes(X.tobytes())
        cases.append((f"{name}_float32", X.shape[1]))
        wanted += [module.predict(x) for x in X.tolist()]
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    found = in_micropython(folder, cases)
    assert len(found) == len(wanted)
    for line, value in zip(found, wanted, strict=True):
        if isinstance(value, float):
            assert struct.unpack("<f", bytes.fromhex(line))[0] == pytest.approx(value, rel=1e-5, abs=1e-30, nan_ok=True)
        else:
            assert line == str(value)


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_columns_are_taken_as_numbers(kind: str, precision: str, tmp_path: Path) -> None:
    """Features without cycles give the bits of integers; sines are rounded, and so lie near."""
    for seed in range(4):
        tree = needed(table_model(seed, kind))
        path = tmp_path / f"table_{seed}.py"
        path.write_text(export_micropython(tree, path.stem, precision=precision))
        module = load(path)
        X = plain_numbers(tree, frame(100, seed))
        features = plain_features(tree, X)
        made = np.array([module._features(x) for x in X.tolist()])
        np.testing.assert_allclose(made, features[:, used(tree)], rtol=1e-6, atol=1e-6)
        inner = replace(tree, columns=None)
        model = inner if precision == "float32" else quantize_tree(inner)
        wanted, found = model.predict(features), np.array([module.predict(x) for x in X.tolist()])
        if kind == "binary":
            assert (found == wanted).mean() > 0.97
        else:
            scale = np.abs(wanted).max()
            assert (np.abs(found - wanted) <= 1e-3 * scale + 1e-6).mean() > 0.97


def used(tree: Tree) -> list[int]:
    return sorted({op for op in tree.nodes["op"].tolist() if op >= 0})


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_it_imports_only_what_micropython_has(precision: str) -> None:
    for name, tree in NAMED.items():
        text = export_micropython(tree, name, precision=precision)
        assert text.isascii()
        imported = {
            alias
            for node in ast.walk(ast.parse(text))
            for alias in ([node.module] if isinstance(node, ast.ImportFrom) else [])
        }
        assert imported <= {"array", "math", "struct", "micropython"}
        assert "import " not in re.sub(r"from \w+ import", "", text)
        assert text == export_micropython(tree, name, precision=precision)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_any_names_are_safe(precision: str, tmp_path: Path) -> None:
    tree = random_model(4, "multiclass", "identity", 3)
    features = (*NASTY, *(f"more {i}" for i in range(len(tree.features))))[: max(len(tree.features), len(NASTY))]
    classes = ("'", '"""', "\\\n")
    tree = replace(tree, features=features, classes=classes, scaler=None, input_range=None)
    path = tmp_path / "nasty.py"
    path.write_text(export_micropython(tree, "nasty", precision=precision))
    module = load(path)
    assert classes == module.CLASSES
    assert module.predict([0.5] * len(features)) in classes


@pytest.mark.parametrize("name", ["math", "struct", "machine", "lambda", "micropython", "a b", "1a", "utime"])
def test_a_name_of_a_module_of_micropython_is_refused(name: str) -> None:
    if name == "utime":  # the old names are free
        assert export_micropython(random_model(1), name)
        return
    with pytest.raises(ValueError, match="cannot be the name of"):
        export_micropython(random_model(1), name)


def test_what_it_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="int4 is a format of C code alone: export it with --to c"):
        export_micropython(random_model(1), precision="int4")
    nodes = random_model(1).nodes.copy()
    nodes["weight"][nodes["depth"] > 0] = 1e300
    for precision in ("float32", "int8"):
        with pytest.raises(ValueError, match="beyond single floats"):
            export_micropython(replace(random_model(1), nodes=nodes), precision=precision)
