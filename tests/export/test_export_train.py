"""Training on the device, compiled for this machine, against gradients by plain recursion in double precision.

``|found - expected| <= TOLERANCE x (1 + |expected|)`` for every parameter after one step at ``RATE`` and after 20 steps
at ``LOW_RATE``, with weights around 1 and standardised inputs. (20 steps at ``RATE`` drive a few sines and ReLUs into
chaos, where no two ways of rounding agree.)
"""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neuraltree.activations import ACTIVATIONS, NAMES
from neuraltree.engine.forest import load_params, pack, store_params
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Settings, make_course, make_data
from neuraltree.export.c.training.device_step import places, training_step, with_parameters
from neuraltree.export.c.training.on_device import export_training
from neuraltree.hardware.compilers import COMPILERS
from neuraltree.hardware.measure import Call, available_compilers, measure, store
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import count_weights, node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from tests.helpers.oracle import FUNCTIONS, evaluate_differentiable

TOLERANCE = 1e-6
RATE = 0.05
LOW_RATE = 0.01
FEATURES = 6
MOST_RAM_BYTES = 1536
# Kind, classes, output activation, and the loss as neuraltree.tasks.task calls it.
CASES = {
    "regression": ("regression", None, "identity", "squared"),
    "regression with a sine": ("regression", None, "sine", "squared"),
    "binary": ("binary", ("no", "yes"), "identity", "logistic"),
    "softmax": ("multiclass", ("a", "b", "c"), "identity", "softmax"),
    "sigmoids": ("multiclass", ("a", "b", "c"), "sigmoid", "squared"),
}
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
ZIG = COMPILERS["clang", "arm"].locate()
# Compilers of this machine, by name: how each is called.
HOSTS = {
    "gcc": ["gcc", "-std=c99"],
    "g++": ["g++", "-x", "c++"],
    "clang": ["clang", "-std=c99"] if shutil.which("clang") else [str(ZIG), "cc", "-std=c99"],
}


def make_tree(case: str, seed: int = 0, activations: tuple[str, ...] = NAMES, nodes: int = 60) -> Tree:
    kind, classes, output, _ = CASES[case]
    rng = np.random.default_rng(seed)
    outputs = 3 if kind == "multiclass" else 1
    space = Space(FEATURES, outputs, activations, output, max_nodes=2 * nodes, max_depth=6)
    scaler = Scaler(rng.normal(size=FEATURES), rng.uniform(0.5, 2, FEATURES))
    target = Scaler(np.array([3.0]), np.array([2.0])) if kind == "regression" else None
    names = tuple(f"x{i}" for i in range(FEATURES))
    return Tree(random_tree(rng, space, max_nodes=nodes), kind, names, classes, scaler, target)


def make_rows(tree: Tree, count: int, seed: int = 1) -> list[tuple[np.ndarray, float]]:
    """Raw inputs that single floats hold exactly, and targets."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, FEATURES)).astype(np.float32)
    y = (
        rng.normal(size=count).astype(np.float32)
        if tree.classes is None
        else rng.integers(len(tree.classes), size=count)
    )
    return list(zip(X, y.tolist(), strict=True))


# The oracle: the sum and gradient of every node by recursion, and the derivatives of the textbook.
DERIVATIVES = (
    lambda s: FUNCTIONS[0](s) * (1 - FUNCTIONS[0](s)),
    lambda s: 1 / math.cosh(s) ** 2,
    lambda s: -2 * s * math.exp(-s * s),
    lambda s: float(s > 0),
    math.cos,
    lambda s: 1.0,
    # Of the others their own, which ``test_activations`` compares with differences.
    *((lambda s, row=row: float(row.derivative(s, row.value(s)))) for row in ACTIVATIONS[6:]),
)


def children(nodes: Any, at: int) -> list[int]:
    depth = nodes["depth"].tolist()
    found = []
    for i in range(at + 1, len(depth)):
        if depth[i] <= depth[at]:
            break
        found += [i] * (depth[i] == depth[at] + 1)
    return found


def sum_of(nodes: Any, at: int, z: Any) -> float:
    below = children(nodes, at)
    return nodes["bias"][at, 0] + sum(nodes["weight"][c, 0] * value_of(nodes, c, z) for c in below)


def value_of(nodes: Any, at: int, z: Any) -> float:
    op = int(nodes["op"][at])
    return float(z[op]) if op >= 0 else FUNCTIONS[~op](sum_of(nodes, at, z))


def oracle_step(tree: Tree, x: Any, y: float, rate: float) -> tuple[float, Tree]:
    """The loss before one step, and the tree after it."""
    nodes = tree.nodes
    z = (np.asarray(x, dtype=float) - tree.scaler.mean) / tree.scaler.scale
    tops = np.flatnonzero(nodes["depth"] == 0).tolist()
    values = [value_of(nodes, top, z) for top in tops]
    if tree.classes is None:
        scaler = tree.target_scaler
        wanted = [y if scaler is None else (y - scaler.mean[0]) / scaler.scale[0]]
    else:
        wanted = [float(y)] if tree.kind == "binary" else [float(k == y) for k in range(len(tops))]
    loss, slopes = oracle_loss(values, wanted, tree)
    new = nodes.copy()

    def descend(at: int, slope: float) -> None:
        """``slope``: the derivative of the loss by the value of ``at``."""
        delta = slope * DERIVATIVES[~int(nodes["op"][at])](sum_of(nodes, at, z))
        new["bias"][at, 0] -= rate * delta
        for child in children(nodes, at):
            new["weight"][child, 0] -= rate * delta * value_of(nodes, child, z)
            if nodes["op"][child] < 0:
                descend(child, delta * nodes["weight"][child, 0])

    for top, slope in zip(tops, slopes, strict=True):
        descend(top, slope)
    return loss, Tree(new, tree.kind, tree.features, tree.classes, tree.scaler, tree.target_scaler)


def oracle_loss(values: list[float], wanted: list[float], tree: Tree) -> tuple[float, list[float]]:
    if tree.kind == "binary":
        p = 1 / (1 + math.exp(-values[0]))
        return -math.log(p if wanted[0] else 1 - p), [p - wanted[0]]
    if tree.kind == "multiclass" and tree.output_activation == "identity":
        powers = [math.exp(v) for v in values]
        shares = [p / sum(powers) for p in powers]
        return -math.log(sum(s * w for s, w in zip(shares, wanted, strict=True))), list(np.subtract(shares, wanted))
    off = [v - w for v, w in zip(values, wanted, strict=True)]
    return sum(o * o for o in off) / 2, off


class Device:
    """Exported code compiled for this machine, as a library."""

    def __init__(self, tree: Tree, folder: Path, live: np.ndarray | None = None) -> None:
        if shutil.which("gcc") is None:
            pytest.skip("no gcc here")
        write(export_training(tree, "pot", live), folder)
        command = ["gcc", "-std=c99", "-O2", "-shared", "-fPIC", "pot_train.c", "-o", "pot.so"]
        subprocess.run(command, cwd=folder, check=True, timeout=60)
        library = ctypes.CDLL(str(folder / "pot.so"))
        target = ctypes.c_float if tree.classes is None else ctypes.c_int
        pointer = ctypes.POINTER(ctypes.c_float)
        self._tree, self._target, self._library, self._live = tree, target, library, live
        library.pot_train.argtypes = [pointer, target, ctypes.c_float]
        library.pot_train.restype = ctypes.c_float
        library.pot_trained_predict.argtypes, library.pot_trained_predict.restype = [pointer], target
        library.pot_reset()

    @property
    def parameters(self) -> np.ndarray:
        kind = ctypes.c_float * len(places(self._tree.nodes, live=self._live))
        return np.array(kind.in_dll(self._library, "pot_parameters"))

    @property
    def tree(self) -> Tree:
        return with_parameters(self._tree, self.parameters, self._live)

    def train(self, x: Any, y: float, rate: float = RATE) -> float:
        return self._library.pot_train(self._pointer(x), self._target(y), rate)

    def predict(self, x: Any) -> float:
        return self._library.pot_trained_predict(self._pointer(x))

    def reset(self) -> None:
        self._library.pot_reset()

    def _pointer(self, x: Any) -> Any:
        self._kept = np.ascontiguousarray(x, dtype=np.float32)
        return self._kept.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def write(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def assert_close(found: Tree, expected: Tree, tolerance: float = TOLERANCE) -> None:
    for field in ("weight", "bias"):
        wanted = expected.nodes[field]
        assert (np.abs(found.nodes[field] - wanted) <= tolerance * (1 + np.abs(wanted))).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("case", CASES)
def test_steps_are_those_of_the_oracle(case: str, seed: int, tmp_path: Path) -> None:
    tree = make_tree(case, seed)
    device, expected = Device(tree, tmp_path), tree
    rows = make_rows(tree, 20)
    device.train(*rows[0], RATE)
    assert_close(device.tree, oracle_step(tree, *rows[0], RATE)[1])
    device.reset()
    for x, y in rows:
        wanted, expected = oracle_step(expected, x, y, LOW_RATE)
        assert device.train(x, y, LOW_RATE) == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE)
    assert_close(device.tree, expected)


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_device_predicts_with_the_threshold_of_the_tree(share: float, tmp_path: Path) -> None:
    tree = make_tree("binary", 1)
    rows = [x for x, _ in make_rows(tree, 200)]
    p = tree.predict_proba(rows)[:, 1]
    threshold = float(np.quantile(p, share))
    tree = replace(tree, threshold=threshold)
    device = Device(tree, tmp_path)
    clear = np.abs(p - threshold) > 1e-6
    assert clear.sum() > 190
    assert np.array_equal(np.array([device.predict(x) for x in rows])[clear], (p > threshold)[clear])
    device.train(*make_rows(tree, 1)[0])
    assert device.tree.threshold == threshold


@pytest.mark.parametrize("activation", NAMES)
def test_every_activation_by_itself(activation: str, tmp_path: Path) -> None:
    tree = make_tree("regression", 3, activations=(activation,))
    assert sum(tree.nodes["op"] == ~NAMES.index(activation)) > 3
    device = Device(tree, tmp_path)
    for x, y in make_rows(tree, 5):
        device.reset()
        device.train(x, y)
        assert_close(device.tree, oracle_step(tree, x, y, RATE)[1])


@pytest.mark.parametrize("case", CASES)
def test_the_step_in_numpy_is_the_oracle_s(case: str) -> None:
    tree = make_tree(case, 5)
    for x, y in make_rows(tree, 3):
        loss, trained = training_step(tree, x, y, RATE)
        wanted, expected = oracle_step(tree, x, y, RATE)
        assert loss == pytest.approx(wanted, rel=1e-12)
        assert_close(trained, expected, 1e-12)


@pytest.mark.parametrize("case", CASES)
def test_a_step_is_the_engine_s(case: str, tmp_path: Path) -> None:
    tree = make_tree(case, 6)
    ((x, y),) = make_rows(tree, 1)
    device = Device(tree, tmp_path)
    device.train(x, y)
    assert_close(device.tree, engine_step(tree, x, y, CASES[case][3]))


def engine_step(tree: Tree, x: np.ndarray, y: float, loss: str) -> Tree:
    """One row, one epoch of plain descent in the engine."""
    packed = pack(tree.nodes, np.array([0, len(tree.nodes)]), FEATURES)
    settings = Settings(loss, "sgd", RATE, "constant", batch_size=1, precision="float64")
    targets = np.array([[y]]) if tree.num_outputs == 1 else np.eye(tree.num_outputs)[[int(y)]]
    if tree.target_scaler is not None:
        targets = tree.target_scaler.transform(targets)
    data = make_data(tree.scaler.transform(x[None]), targets, None, "float64")
    row, nothing = np.array([0]), np.array([], dtype=int)
    course = make_course(settings, row, nothing, epochs=1, patience=0, seed=0)
    params = load_params(packed, tree.nodes, "float64")
    fitted = lowering().train(packed.forest, settings, data, course, params[0], np.array([1]))
    nodes = store_params(packed, tree.nodes, fitted.params[None])
    return Tree(nodes, tree.kind, tree.features, tree.classes, tree.scaler, tree.target_scaler)


def test_a_step_is_that_of_automatic_differentiation(tmp_path: Path) -> None:
    tree = make_tree("regression", 7)
    ((x, y),) = make_rows(tree, 1)
    depth, op = tree.nodes["depth"].tolist(), tree.nodes["op"].tolist()
    with jax.enable_x64(True):
        z = [jnp.asarray([value]) for value in tree.scaler.transform(x)]
        wanted = (y - tree.target_scaler.mean[0]) / tree.target_scaler.scale[0]

        def loss(weight: list[Any], bias: list[Any]) -> Any:
            return jnp.sum((evaluate_differentiable(depth, op, weight, bias, z) - wanted) ** 2) / 2

        by_weight, by_bias = jax.grad(loss, (0, 1))(
            tree.nodes["weight"][:, 0].tolist(), tree.nodes["bias"][:, 0].tolist()
        )
    nodes = tree.nodes.copy()
    nodes["weight"][:, 0] -= RATE * np.array(by_weight) * (nodes["depth"] > 0)
    nodes["bias"][:, 0] -= RATE * np.array(by_bias) * (nodes["op"] < 0)
    device = Device(tree, tmp_path)
    device.train(x, y)
    assert_close(device.tree, Tree(nodes, tree.kind, tree.features, None, tree.scaler, tree.target_scaler))


@pytest.mark.parametrize("case", CASES)
def test_predictions_before_and_after_training(case: str, tmp_path: Path) -> None:
    tree = make_tree(case, 8)
    device = Device(tree, tmp_path)
    rows = make_rows(tree, 20)
    for x, y in rows:
        if tree.classes is None:
            assert device.predict(x) == pytest.approx(device.tree.predict(x[None])[0], rel=1e-5, abs=1e-5)
        else:
            assert tree.classes[device.predict(x)] == device.tree.predict(x[None])[0]
        device.train(x, y)
    before = device.parameters
    device.reset()
    assert_close(device.tree, tree, 1e-7)
    assert (before != device.parameters).any()


def test_training_learns_a_noisy_sine(tmp_path: Path) -> None:
    tree = make_tree("regression", 2, activations=("tanh", "gaussian"))
    device, rng = Device(tree, tmp_path), np.random.default_rng(0)
    X = rng.normal(size=(200, FEATURES)).astype(np.float32)
    y = 3 + 2 * np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=200)
    losses = [np.mean([device.train(X[i], y[i]) for i in rng.permutation(200)]) for _ in range(60)]
    assert losses[-1] < 0.2 * losses[0]


def test_training_learns_three_classes(tmp_path: Path) -> None:
    tree = make_tree("softmax", 4)
    device, rng = Device(tree, tmp_path), np.random.default_rng(0)
    y = rng.integers(3, size=150)
    X = rng.normal(size=(150, FEATURES)).astype(np.float32)
    X[np.arange(150), y] += 4
    losses = [np.mean([device.train(X[i], y[i]) for i in rng.permutation(150)]) for _ in range(20)]
    assert losses[-1] < 0.2 * losses[0]
    assert np.mean([device.predict(row) == label for row, label in zip(X, y, strict=True)]) > 0.9


@pytest.mark.parametrize("case", CASES)
def test_a_step_that_cannot_be_made_changes_nothing(case: str, tmp_path: Path) -> None:
    tree = make_tree(case, 9)
    device = Device(tree, tmp_path)
    ((x, y),) = make_rows(tree, 1)
    used = int(tree.nodes["op"].max())
    before = device.parameters
    for bad in (np.nan, np.inf, -np.inf):
        wrong = x.copy()
        wrong[used] = bad
        assert device.train(wrong, y) == -1
    for target in (np.nan, np.inf, 1e30) if tree.classes is None else (-1, len(tree.classes), 2**31 - 1):
        assert device.train(x, target) == -1
    assert (device.parameters == before).all()
    assert device.train(x, y) >= 0
    assert (device.parameters != before).any()


def compile_strictly(compiler: str, files: dict[str, str], folder: Path) -> None:
    command = HOSTS[compiler]
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {compiler} here")
    write(files, folder)
    command_line = [*command, *STRICT, "-O2", "-c", "pot_train.c", "-o", "pot.o"]
    subprocess.run(command_line, cwd=folder, check=True, timeout=120)


@pytest.mark.parametrize("compiler", HOSTS)
def test_it_compiles_without_a_warning(compiler: str, tmp_path: Path) -> None:
    for case in CASES:
        compile_strictly(compiler, export_training(make_tree(case), "pot"), tmp_path)


DRIVER = """#include <stdio.h>
#include "pot_train.h"
int main(void)
{
    const float most = 3.4e38f;
    const float infinite = most * 10.0f;
    const float values[] = {0.0f, -0.0f, 1.0f, -1.0f, 1e-40f, 1e6f, -1e19f, most, -most, infinite, -infinite,
        infinite - infinite};
    const int count = (int)(sizeof values / sizeof *values);
    const float rates[] = {0.0f, 0.05f, 100.0f};
    float x[6];
    int i, j, k, m;
    for (k = 0; k < 3; ++k) {
        pot_reset();
        for (i = 0; i < count; ++i) {
            for (j = 0; j < count * 3; ++j) {
                for (m = 0; m < 6; ++m) {
                    x[m] = values[(i + m * j) % count];
                }
                (void)pot_train(x, @TARGET@, rates[k]);
                (void)pot_trained_predict(x);
            }
        }
    }
    return 0;
}
"""


def run_on_any_input(tree: Tree, files: dict[str, str], folder: Path) -> None:
    """Under sanitizers, which end the program at the first thing that C does not define."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    target = "values[j % count]" if tree.classes is None else "j % 5 - 1"
    write({**files, "driver.c": DRIVER.replace("@TARGET@", target)}, folder)
    checks = ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all", "-g", "-O1"]
    command = ["gcc", "-std=c99", *checks, "-static-libasan", "pot_train.c", "driver.c", "-o", "driver"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    done = subprocess.run(["./driver"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("case", CASES)
def test_any_input_is_defined(case: str, tmp_path: Path) -> None:
    tree = make_tree(case, 1)
    run_on_any_input(tree, export_training(tree, "pot"), tmp_path)


def tell_right_from_wrong(files: dict[str, str], right: str, wrong: str, folder: Path) -> None:
    """The self-test passes, and fails if the line ``right`` of the training is ``wrong``."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    slower = files["pot_train.c"].replace(right, wrong)
    assert slower != files["pot_train.c"]
    for source, expected in ((files["pot_train.c"], 0), (slower, 1)):
        write({**files, "pot_train.c": source}, folder)
        command = ["gcc", "-std=c99", *STRICT, "-I.", "pot_train.c", "test/pot_train_test.c", "-o", "check"]
        subprocess.run(command, cwd=folder, check=True, timeout=60)
        assert subprocess.run(["./check"], cwd=folder, capture_output=True, timeout=60).returncode == expected


@pytest.mark.parametrize("case", CASES)
def test_the_self_test_tells_right_from_wrong(case: str, tmp_path: Path) -> None:
    files = export_training(make_tree(case, 2), "pot")
    tell_right_from_wrong(files, "*--parameter -= change;", "*--parameter -= 0.99f * change;", tmp_path)


def test_the_same_text_for_the_same_tree_and_no_name_escapes_its_comment() -> None:
    tree = make_tree("softmax")
    assert export_training(tree, "pot") == export_training(tree, "pot")
    names = ("*/ int x;", "@NAME@", *tree.features[2:])
    text = export_training(Tree(tree.nodes, tree.kind, names, tree.classes, tree.scaler), "pot")["pot_train.h"]
    assert "* / int x;" in text
    assert "1 @NAME@\n" in text
    with pytest.raises(ValueError, match="cannot be the name"):
        export_training(tree, "2pot")


def test_parameters_go_back_into_the_tree() -> None:
    tree = make_tree("sigmoids")
    numbers = np.arange(tree.num_weights, dtype=float)
    nodes = with_parameters(tree, numbers).nodes
    function = nodes["op"] < 0
    kept = np.concatenate([nodes["bias"][function, 0], nodes["weight"][nodes["depth"] > 0, 0]])
    assert sorted(kept) == numbers.tolist()
    with pytest.raises(ValueError, match=rf"\({tree.num_weights},\)"):
        with_parameters(tree, numbers[1:])


def large_tree() -> Tree:
    """50 function nodes and 108 leaves: 207 parameters, the size in the requirement."""
    rng = np.random.default_rng(0)
    rows: list[tuple[int, int, float, float]] = []

    def grow(depth: int, functions: int) -> None:
        """A node of ``functions`` function nodes, itself included, and the leaves it reads."""
        shares = [len(part) for part in np.array_split(np.arange(functions - 1), 3) if len(part)]
        rows.append((depth, ~(5 if depth == 0 else int(rng.integers(4))), rng.normal() * 0.8, rng.normal() * 0.3))
        leaves = 0 if shares else 4
        rows.extend((depth + 1, int(f), rng.normal() * 0.6, 0.0) for f in rng.choice(8, leaves, replace=False))
        for share in shares:
            grow(depth + 1, share)

    grow(0, 50)
    nodes = np.array([(d, o, [w], [b]) for d, o, w, b in rows], node_dtype())
    assert count_weights(nodes) == 207
    names = tuple(f"x{i}" for i in range(8))
    return Tree(nodes, "regression", names, None, Scaler(np.full(8, 0.5), np.full(8, 2.0)))


# Instructions of a step of ``large_tree``, at most; a third more than measured.
LIMITS = {
    "cortex-m0plus": 360_000,
    "cortex-m3": 220_000,
    "cortex-m4f": 16_000,
    "cortex-m33": 16_000,
    "rv32imc": 240_000,
}
BUILT = ((core, name) for name, cores in available_compilers().items() for core in cores)
MEASURED = [(core, name) for core, name in BUILT if core in LIMITS and name in ("clang", "gcc")]


@pytest.mark.skipif(not MEASURED, reason="measuring needs a cross-compiler and an emulator: neuraltree[measure]")
@pytest.mark.parametrize(("core", "compiler"), MEASURED)
def test_a_step_of_207_parameters_takes_less_than_1536_bytes_of_ram(
    core: str, compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "cache_folder", lambda part: tmp_path / part)
    tree = large_tree()
    x = np.linspace(-3, 3, 8).astype(np.float32)
    files = {name: text for name, text in export_training(tree, "pot").items() if not name.startswith("test/")}
    step = Call("pot_train", [(x, 1.5, RATE)], "float32", ["pot_parameters"])
    taken = measure(files, [Call("pot_reset", [()]), step], core, compiler)
    cost = taken.costs[1]
    assert taken.static_ram_bytes == 4 * 207 + 4 * 50
    assert taken.static_ram_bytes + cost.stack_bytes.max() < MOST_RAM_BYTES
    assert taken.flash_bytes < (8400 if (core, compiler) == ("rv32imc", "gcc") else 8192)
    assert cost.instructions[0] < LIMITS[core]
    loss, expected = oracle_step(tree, x, 1.5, RATE)
    assert cost.results is not None
    assert cost.results[0] == pytest.approx(loss, rel=TOLERANCE)
    assert_close(with_parameters(tree, np.frombuffer(cost.variables["pot_parameters"], "<f4")), expected)


def test_wide_tables_and_the_smallest_tree(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for features in (1, 300):
        rows = [(0, ~NAMES.index("tanh"), [0.0], [0.1])]
        rows += [(1, i, [w], [0.0]) for i, w in enumerate(rng.normal(size=features) / features)]
        names = tuple(f"x{i}" for i in range(features))
        tree = Tree(np.array(rows, node_dtype()), "regression", names, None)
        folder = tmp_path / str(features)
        device, x = Device(tree, folder), rng.normal(size=features).astype(np.float32)
        loss, trained = training_step(tree, x, 0.75, RATE)
        assert device.train(x, 0.75) == pytest.approx(loss, rel=TOLERANCE)
        assert_close(device.tree, trained)
        width = "uint16_t" if features > 255 else "uint8_t"
        assert f"static const {width} nt_code" in (folder / "pot_train.c").read_text()
