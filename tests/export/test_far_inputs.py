"""Small signals on large offsets: every export gives what a recursion over plain doubles gives for them."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuraltree.export import export_c
from neuraltree.export.c.training.on_device import export_training
from neuraltree.export.formulas.formula import NUMERIC, export_text, formula
from neuraltree.export.python.python_module import export_python
from neuraltree.hardware import breakdown, costs, count, load_device
from neuraltree.hardware.measure import available_compilers
from neuraltree.hardware.measured_models import measure_model
from neuraltree.tree import folding
from neuraltree.tree.folding import FOLDING_ERROR, centres, far, fold_inputs
from neuraltree.tree.nodes import join
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers.oracle import evaluate_recursive
from tests.helpers.random_models import IDENTITY, RELU, SIGMOID, TANH, random_model, record, regression

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler: cc is not on PATH")
STYLES = ("straight", "table")
# Mean and standard deviation: counts of a 24-bit converter, seconds since 1970, and the plainest case.
OFFSETS = {
    "adc": (8_400_953.678, 300.0),
    "unix_time": (1.7e9 + 0.3, 86_400.0),
    "million": (1e6 + 0.4, 1.0),
    "negative": (-1e6 - 0.3, 2.0),
}
ROWS = [
    *[(0, IDENTITY, 0.0, 0.1), (1, TANH, 1.5, 0.2), (2, 0, 0.7, 0.0), (2, 1, -0.9, 0.0)],
    *[(2, RELU, 0.6, 0.3), (3, 0, 1.1, 0.0), (3, 2, -0.8, 0.0)],
    *[(1, SIGMOID, -1.2, 0.0), (2, 1, 1.4, 0.0), (1, 2, 0.3, 0.0)],
]  # fmt: skip
NEAR = (3.0, 2.0)  # of the third input, which is folded


def offset_tree(name: str) -> Tree:
    (mean, scale), (near, width) = OFFSETS[name], NEAR
    scaler = Scaler(np.array([mean, mean + scale / 3, near]), np.array([scale, 1.5 * scale, width]))
    return regression(ROWS, scaler=scaler, target_scaler=Scaler(np.array([5.0]), np.array([2.0])))


def raw(tree: Tree, rows: int = 400) -> np.ndarray:
    """Rows about the means that single floats hold exactly."""
    assert tree.scaler
    Z = np.random.default_rng(3).normal(size=(rows, len(tree.features)))
    return tree.scaler.inverse(Z).astype(np.float32)


def truth(tree: Tree, X: np.ndarray) -> np.ndarray:
    assert tree.scaler
    Z = (X.astype(np.float64) - tree.scaler.mean) / tree.scaler.scale
    return np.array([evaluate_recursive(tree.nodes, row)[0] for row in Z.tolist()]) * 2.0 + 5.0


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def checked(folder: Path, source: str, test: str) -> int:
    """The exit code of an export's own check."""
    subprocess.run(["cc", "-std=c99", "-I.", source, test, "-o", "check"], cwd=folder, check=True)
    return subprocess.run(["./check"], cwd=folder, capture_output=True, check=False).returncode


# ---- C ----


@needs_compiler
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", OFFSETS)
def test_c_loses_nothing_on_an_offset(tmp_path: Path, name: str, style: str) -> None:
    tree = offset_tree(name)
    folder = written(tmp_path, export_c(tree, "m", style=style))
    command = ["cc", "-O2", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*command, "m.c", "-o", "m.so"], cwd=folder, check=True)
    predict = ctypes.CDLL(str(folder / "m.so")).m_predict
    predict.restype = ctypes.c_float
    X = raw(tree)
    found = np.array([predict(ctypes.c_void_p(row.ctypes.data)) for row in X])
    expected = truth(tree, X)
    assert np.abs(found - expected).max() < 3e-6 * expected.std()  # it was 3e-3 to 2e-1
    assert checked(folder, "m.c", "test/m_test.c") == 0


@needs_compiler
@pytest.mark.parametrize("style", STYLES)
def test_the_programs_own_check_sees_what_folding_would_lose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    tree = offset_tree("million")
    files = export_c(tree, "m", style=style)
    monkeypatch.setattr(folding, "centres", lambda scaler: np.zeros(len(scaler.mean)))
    monkeypatch.setattr("neuraltree.tree.tree.centres", folding.centres)
    folded = export_c(tree, "m", style=style)
    assert folded["m.c"] != files["m.c"]
    assert checked(written(tmp_path, files | {"m.c": folded["m.c"]}), "m.c", "test/m_test.c") == 1


def test_only_far_inputs_cost_a_subtraction() -> None:
    text = export_c(offset_tree("million"), "m")["m.c"]
    assert re.findall(r"const float (\w+) = x\[(\d)\] [-+] ", text) == [("x0", "0"), ("x1", "1")]
    ordinary = regression(ROWS, scaler=Scaler(np.array([20.0, -5.0, 0.0]), np.ones(3)))
    for style in STYLES:
        plain = export_c(replace(ordinary, scaler=None), "m", style=style)["m.c"]
        numbers = re.compile(r"-?[\d.]+(e[+-]?\d+)?f")
        assert len(numbers.findall(export_c(ordinary, "m", style=style)["m.c"])) == len(numbers.findall(plain))


def test_an_unused_far_input_costs_nothing() -> None:
    scaler = Scaler(np.array([3.0, 2.0, 1.0, 1e7]), np.ones(4))
    tree = Tree(record(ROWS), "regression", tuple("abcd"), scaler=scaler)
    assert "input -" not in export_c(tree, "m", style="table")["m.c"]
    assert count(tree.nodes, np.array([0, len(tree.nodes)]), tree.far).far_features.tolist() == [0]


def test_folding_is_kept_to_where_it_costs_less_than_the_stated_error() -> None:
    """Of a single input, by single floats: w x + b with both rounded, beside the same in doubles."""
    rng = np.random.default_rng(0)
    for ratio in np.geomspace(1, 1e5, 60):
        scaler = Scaler(np.array([ratio]), np.ones(1))
        weight, x = np.float32(1 / 3), (ratio + rng.normal(size=2000)).astype(np.float32)
        folded = weight * x + np.float32(-ratio / 3)
        error = np.abs(folded - (x.astype(float) - ratio) / 3).max() * 3
        assert error < FOLDING_ERROR or far(scaler)[0]
        assert error > FOLDING_ERROR / 10 or not far(scaler)[0]
        assert (centres(scaler)[0] == np.float32(ratio)) if far(scaler)[0] else centres(scaler)[0] == 0


def test_the_centred_tree_of_centred_inputs_is_the_tree() -> None:
    tree = offset_tree("adc")
    centred, taken = tree.centred()
    X = raw(tree).astype(np.float64)
    np.testing.assert_allclose(centred.outputs(X - taken), tree.outputs(X), rtol=1e-12)
    assert taken[2] == 0
    assert random_model(4).centred()[1].tolist() == [0.0] * len(random_model(4).features)


@needs_compiler
@pytest.mark.parametrize("name", OFFSETS)
def test_training_takes_its_step_at_the_right_input(tmp_path: Path, name: str) -> None:
    tree = replace(offset_tree(name), target_scaler=Scaler(np.array([OFFSETS[name][0]]), np.array([OFFSETS[name][1]])))
    folder = written(tmp_path, export_training(tree, "m"))
    assert checked(folder, "m_train.c", "test/m_train_test.c") == 0
    text = (folder / "m_train.c").read_text()
    bare = text.replace(" + NT_READ(float, float, nt_shift + i)", "")
    assert bare != text
    if name == "million":  # the mean of whose first input lies well between two single floats
        (folder / "m_train.c").write_text(bare)
        assert checked(folder, "m_train.c", "test/m_train_test.c") == 1


def test_training_of_ordinary_inputs_has_no_shifts() -> None:
    assert "nt_shift" not in export_training(random_model(1), "m")["m_train.c"]


# ---- the others, which compute in doubles ----


@pytest.mark.parametrize("name", OFFSETS)
def test_one_row_python_and_formulas_lose_nothing(name: str) -> None:
    tree = offset_tree(name)
    X = raw(tree, 50).astype(np.float64)
    expected = truth(tree, X)
    close = {"rtol": 1e-7, "atol": 1e-7 * float(expected.std())}
    np.testing.assert_allclose([tree.predict_one(row) for row in X.tolist()], expected, **close)
    space: dict = {"__name__": "model"}
    exec(export_python(tree), space)
    np.testing.assert_allclose(space["predict"](X), expected, **close)
    sympy = pytest.importorskip("sympy", reason="formulas need sympy: pip install 'neuraltree[export]'")
    symbols = [sympy.Symbol(feature) for feature in tree.features]
    exact = sympy.lambdify(symbols, formula(tree)[0], [NUMERIC, "numpy"])
    np.testing.assert_allclose(exact(*X.T), expected, **close)
    text = re.search(r"^.*=(.*)$", export_text(tree, digits=6), re.MULTILINE)
    assert text
    read = sympy.sympify(text[1], locals=dict(zip(tree.features, symbols, strict=True)))
    assert np.abs(sympy.lambdify(symbols, read, [NUMERIC, "numpy"])(*X.T) - expected).max() < 1e-4 * expected.std()


# ---- costs ----


@pytest.mark.parametrize("style", STYLES)
def test_subtractions_are_counted(style: str) -> None:
    tree = offset_tree("adc")
    nodes, starts = join([tree.nodes, tree.nodes])
    device = load_device("cortex-m0plus")
    near = costs(nodes, starts, device, "float32", style)
    found = costs(nodes, starts, device, "float32", style, far=tree.far)
    parts = breakdown(nodes, starts, device, "float32", style, far=tree.far)
    times = {"straight": 2, "table": 6}[style]  # far inputs, or leaf edges
    assert tree.far.tolist() == [True, True, False]
    for cost, row in parts.items():
        figure = row["far_input"] / times
        assert (figure > 0).all() or (cost, style) == ("ram_bytes", "table")
        assert np.all(np.abs(found[cost] - near[cost] - row["far_input"]) <= (1 if "bytes" in cost else 1e-12))
    with_far, without = (costs(nodes, starts, device, "int8", style, far=far) for far in (tree.far, None))
    assert with_far["flash_bytes"].tolist() == without["flash_bytes"].tolist()


def test_larger_processors_count_them_too() -> None:
    tree = offset_tree("adc")
    starts = np.array([0, len(tree.nodes)])
    near, found = (costs(tree.nodes, starts, load_device("rpi-4"), "float32", "table", far=f) for f in (None, tree.far))
    assert found["flash_bytes"] - near["flash_bytes"] == 2 * 4
    assert (found["energy_j"] > near["energy_j"]).all()


@pytest.mark.skipif("clang" not in available_compilers(), reason="no clang: pip install 'neuraltree[measure]'")
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4f"])
def test_costs_are_those_measured(core: str, style: str) -> None:
    tree, device = offset_tree("adc"), load_device(core)
    found = measure_model(tree, core, precision="float32", style=style)
    assert found.agrees
    costed = costs(tree.nodes, np.array([0, len(tree.nodes)]), device, "float32", style, far=tree.far)
    cycles = costed["latency_s"][0] * device.clock.value * 1e6  # type: ignore[attr-defined]
    assert cycles == pytest.approx(found.cycles, rel=0.1)
    assert costed["flash_bytes"][0] == pytest.approx(found.flash_bytes, rel=0.1)


def test_folding_by_hand() -> None:
    nodes = fold_inputs(record([(0, IDENTITY, 0.0, 1.0), (1, 0, 6.0, 0.0)]), Scaler(np.array([5.0]), np.array([2.0])))
    assert (nodes["weight"][1, 0], nodes["bias"][0, 0]) == (3.0, -14.0)
