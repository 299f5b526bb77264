"""The ranges of inputs in 8 bits: chosen on training rows by what the tree predicts, kept in its file, equal in C."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, ndtr
from sklearn.metrics import r2_score

from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.compress import dequantized, quantize_tree
from neuraltree.compress.int8.clipping import CLIPPED, fit_ranges
from neuraltree.compress.int8.finetune import finetune
from neuraltree.compress.int8.integer_tree import about_middle
from neuraltree.compress.int8.losing import LARGE_LOSS, int8_loss, word_of_loss
from neuraltree.compress.int8.stages import LARGEST_REACH, SMALLEST_REACH
from neuraltree.export import export_c
from neuraltree.export.__main__ import main
from neuraltree.export.c.training.device_step import with_parameters
from neuraltree.hardware import counted, laid_out
from neuraltree.schema import tree_schema
from neuraltree.tree.model_files import FileError, dumps, loads, save
from neuraltree.tree.space import TreeError
from neuraltree.tree.tree import Tree
from search.judge import finish
from tests.compress.test_integers import check_equal, options
from tests.helpers.oracle import evaluate_recursive
from tests.helpers.random_models import IDENTITY, TANH, models, random_model, regression, scaler

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler: cc is not on PATH")


def _outliers(Z: np.ndarray) -> np.ndarray:
    return np.where(np.random.default_rng(9).random(Z.shape) < 0.01, 50 * Z, Z)


# From standard normal columns: inputs of every shape that keep their order.
SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log-normal": lambda Z: np.exp(2.5 * Z),
    "exponential": lambda Z: -np.log(ndtr(-Z)),
    "outliers": _outliers,
    "uniform": ndtr,
    "normal": lambda Z: Z,
    "two peaks": lambda Z: 5 * np.sign(Z) + Z,
}
Z = np.random.default_rng(0).normal(size=(800, 3))
SUM = Z[:, 0] + 0.5 * Z[:, 1]
TRAIN, TEST = slice(0, 400), slice(400, 800)
# With the range of least squared error about the mean the integers lost .35 to .45 of a log-normal input's accuracy.
MOST_LOST = {"two classes": 0.02, "three classes": 0.02, "regression": 0.06}
TARGETS = {
    "two classes": (SUM > 0).astype(int),
    "three classes": np.digitize(SUM, [-0.5, 0.5]),
    "regression": SUM,
}


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_integers_follow_the_tree_whatever_the_shape_of_its_inputs(shape: str, task: str) -> None:
    X, y = SHAPES[shape](Z), TARGETS[task]
    estimator = NeuralTreeRegressor if task == "regression" else NeuralTreeClassifier
    score = r2_score if task == "regression" else lambda truth, found: np.mean(truth == found)
    tree = estimator(random_state=0).fit(X[TRAIN], y[TRAIN]).tree_
    model = quantize_tree(tree)
    lost = score(y[TEST], tree.predict(X[TEST])) - score(y[TEST], model.predict(X[TEST]))
    assert lost < MOST_LOST[task]
    assert tree.int8_loss == int8_loss(tree, X[TRAIN], y[TRAIN])
    if (shape, task) != ("log-normal", "regression"):  # there rounding the weights loses most
        assert not word_of_loss(tree)
    q = model.quantize(X[TEST].astype(np.float32))
    assert max(len(np.unique(column)) for column in q.T) > 40  # of a log-normal input it was 13 to 21


# ---- the choice ----


def two_inputs(seed: int = 0) -> tuple[Tree, np.ndarray]:
    """A tree that is saturated at the outliers of its first input, and rows."""
    X = np.stack([np.exp(2 * Z[:300, 0]), Z[:300, 1]], axis=1)
    rows = [(0, IDENTITY, 0.0, 0.2), (1, TANH, 1.4, 2.0), (2, 0, 9.0, 0.0), (2, 1, 0.8, 0.0), (1, TANH, 0.5, 0.1)]
    tree = regression([*rows, (2, 1, 1.1, 0.0)], scaler=scaler(X.mean(axis=0).tolist(), X.std(axis=0).tolist()))
    return tree, X


def changed(tree: Tree, X: np.ndarray, feature: int, low: float, high: float, weight: np.ndarray) -> float:
    """The mean squared change of the output, worked out row by row, if one scaled input is in 255 steps low..high."""
    assert tree.scaler
    total, step = 0.0, (high - low) / 254
    for row, counts in zip(((X - tree.scaler.mean) / tree.scaler.scale).tolist(), weight.tolist(), strict=True):
        rounded = list(row)
        rounded[feature] = (low + high) / 2 + step * min(
            max(round((row[feature] - (low + high) / 2) / step), -127), 127
        )
        exact, found = (evaluate_recursive(tree.nodes, each)[0] for each in (row, rounded))
        total += counts * (found - exact) ** 2
    return total / weight.sum()


@pytest.mark.parametrize("feature", [0, 1])
def test_no_range_of_quantiles_changes_predictions_less(feature: int) -> None:
    """Of those that differ from the chosen one in one end."""
    tree, X = two_inputs()
    weight = np.random.default_rng(1).uniform(0, 2, len(X))
    found = fit_ranges(tree, X, weight)
    assert found.input_range is not None
    assert found.input_middle is not None
    middle, reach = found.input_middle[feature], found.input_range[feature]
    assert tree.scaler
    z = (X[:, feature] - tree.scaler.mean[feature]) / tree.scaler.scale[feature]
    ends = np.quantile(z, CLIPPED), np.quantile(z, 1 - CLIPPED)
    assert np.isclose(middle - reach, ends[0]).any()
    assert np.isclose(middle + reach, ends[1]).any()
    least = changed(tree, X, feature, middle - reach, middle + reach, weight)
    assert least < changed(tree, X, feature, -4, 4, weight)
    for high in ends[1].tolist():
        assert least <= changed(tree, X, feature, middle - reach, high, weight) * (1 + 1e-9)


def test_outliers_at_which_the_tree_is_saturated_are_clamped_and_others_are_not() -> None:
    tree, X = two_inputs()
    nodes = tree.nodes.copy()
    nodes["op"][nodes["op"] == TANH] = IDENTITY
    straight = replace(tree, nodes=nodes)
    bent, whole = (fit_ranges(each, X) for each in (tree, straight))
    assert tree.scaler
    largest = (X[:, 0].max() - tree.scaler.mean[0]) / tree.scaler.scale[0]
    tops = [float(each.input_middle[0] + each.input_range[0]) for each in (bent, whole)]  # type: ignore[index]
    assert tops[0] < largest / 20
    assert tops[1] > largest / 2


def test_rows_of_no_weight_and_rows_left_out_choose_nothing() -> None:
    tree, X = two_inputs()
    heavy = np.where(np.arange(len(X)) < 200, 1.0, 0.0)
    strange = X.copy()
    strange[250:, 1] = X[200:250, 1]
    one, other = (fit_ranges(tree, rows, heavy) for rows in (X, strange))
    for each in (one, other):
        middle, reach = each.input_middle, each.input_range
        assert middle is not None
        assert reach is not None
        assert changed(tree, X[:200], 1, middle[1] - reach[1], middle[1] + reach[1], np.ones(200)) < 1e-4


def test_a_constant_input_an_unused_one_and_sums_that_overflow_keep_their_range() -> None:
    tree = regression(
        [(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0), (1, 2, 1.0, 0.0)], input_range=np.array([2.0, 3.0, 5.0])
    )
    X = np.stack([np.zeros(9), np.arange(9.0), np.arange(9.0)], axis=1)
    found = fit_ranges(tree, X)
    assert found.input_range is not None
    assert found.input_range[:2].tolist() == [2.0, 3.0]
    assert (found.input_range[2], found.input_middle[2]) == (4.0, 4.0)  # type: ignore[index]
    nodes = tree.nodes.copy()
    nodes["weight"] = 1e300
    assert fit_ranges(replace(tree, nodes=nodes), X * 1e200).input_range is not None


def test_several_targets_have_ranges_but_no_8_bit_code() -> None:
    y = np.stack([SUM, -SUM], axis=1)
    tree = NeuralTreeRegressor(random_state=0, epochs=5).fit(Z, y).tree_
    assert tree.input_middle is not None
    assert tree.int8_loss is None
    assert quantize_tree(tree.target(1)).inputs.features.size


def test_a_part_of_the_rows_leaves_the_range_of_the_first_ones() -> None:
    model = NeuralTreeRegressor(random_state=0).partial_fit(Z[:100], SUM[:100])
    first = model.tree_.input_range
    model.partial_fit(100 * Z[100:110], SUM[100:110])
    assert model.tree_.input_range.tolist() == first.tolist()
    assert model.tree_.input_middle is None
    assert model.tree_.int8_loss is None


# ---- the integers ----


def with_middles(tree: Tree, seed: int = 0) -> Tree:
    rng = np.random.default_rng(seed)
    width = len(tree.features)
    reach = np.exp(rng.normal(size=width))
    return replace(tree, input_range=reach, input_middle=rng.normal(scale=3, size=width) * reach)


@pytest.mark.parametrize("place", range(12))
def test_trees_about_a_middle_equal_the_recursion(place: int) -> None:
    tree = with_middles(models(2)[place], place)
    for fine in options(tree):
        check_equal(tree, fine)


def test_what_stands_about_the_middle_is_the_same_function() -> None:
    tree = with_middles(random_model(1))
    assert tree.scaler
    X = tree.scaler.inverse(np.random.default_rng(0).normal(size=(50, len(tree.features))))
    np.testing.assert_allclose(about_middle(tree).outputs(X), tree.outputs(X), rtol=1e-9, atol=1e-9)
    near = quantize_tree(tree)
    assert near.source is tree
    reach, middle = (part[near.inputs.features] for part in (tree.input_range, tree.input_middle))  # type: ignore[index]
    assert tree.scaler
    mean, scale = (part[near.inputs.features] for part in (tree.scaler.mean, tree.scaler.scale))
    ends = np.stack([middle - reach, middle, middle + reach]) * scale + mean
    full = np.zeros((3, len(tree.features)))
    full[:, near.inputs.features] = ends
    assert np.abs(near.quantize(full) - np.array([[-127], [0], [127]])).max() <= 1
    full[:] = np.nan
    assert not near.quantize(full).any()


def test_the_dequantized_tree_lies_between() -> None:
    X = SHAPES["log-normal"](Z)
    tree = NeuralTreeClassifier(random_state=0).fit(X, TARGETS["two classes"]).tree_
    exact, near = tree.outputs(X)[:, 0], dequantized(tree).outputs(X)[:, 0]
    assert np.abs(expit(exact) - expit(near)).max() < 0.1
    assert dequantized(dequantized(tree)).num_weights == dequantized(tree).num_weights


def test_fine_tuning_keeps_the_middle_and_lowers_the_loss() -> None:
    X, y = SHAPES["log-normal"](Z), SUM
    tree = NeuralTreeRegressor(random_state=0).fit(X, y).tree_
    (tuned,) = finetune([tree], X, epochs=5)
    assert tuned.input_middle is not None
    assert tuned.input_middle.tolist() == tree.input_middle.tolist()
    assert tuned == tree or tuned.int8_loss is None
    errors = [np.mean((quantize_tree(each).predict(X) - tree.predict(X)) ** 2) for each in (tree, tuned)]
    assert errors[1] <= errors[0]


@needs_compiler
@pytest.mark.parametrize("style", ["straight", "table"])
def test_c_is_the_reference_bit_for_bit(tmp_path: Path, style: str) -> None:
    X = SHAPES["log-normal"](Z).astype(np.float32)
    tree = NeuralTreeRegressor(random_state=0).fit(X, SUM).tree_
    for name, text in export_c(tree, "m", precision="int8", style=style).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    vectors = (tmp_path / "test" / "m_vectors.h").read_text()
    inside = quantize_tree(tree).quantize(numbers_of(vectors, len(tree.features)))
    assert np.mean(np.abs(inside) < 127) > 0.4  # of normal rows, hardly any would be
    (tmp_path / "main.c").write_text(
        '#include "m.h"\n#include <stdio.h>\nint main(void)\n{\n    float x[3];\n'
        "    while (fread(x, 4, 3, stdin) == 3) {\n        const float y = m_predict(x);\n"
        "        fwrite(&y, 4, 1, stdout);\n    }\n    return 0;\n}\n"
    )
    compiler = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I.", "m.c"]
    for source, out in (("test/m_test.c", "check"), ("main.c", "run")):
        subprocess.run([*compiler, source, "-o", out], cwd=tmp_path, check=True)
    assert subprocess.run(["./check"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    found = subprocess.run(["./run"], cwd=tmp_path, input=X.tobytes(), capture_output=True, check=True).stdout
    assert np.frombuffer(found, np.float32).tobytes() == quantize_tree(tree).predict(X).astype(np.float32).tobytes()


def numbers_of(header: str, width: int) -> np.ndarray:
    body = header.split("= {", 1)[1].split("};", 1)[0]
    return np.array([float(text[:-1]) for text in re.findall(r"-?[\d.]+(?:e[+-]?\d+)?f", body)]).reshape(-1, width)


# ---- extreme units ----


@pytest.mark.parametrize("scale", [1e-35, 1e-31, 1e-20, 1.0, 1e20, 4e33])
@pytest.mark.parametrize("mean", [0.0, 2.0, -30.0])
def test_any_unit_within_the_stated_bounds_is_right(scale: float, mean: float) -> None:
    rows = [(0, IDENTITY, 0.0, 0.1), (1, TANH, 1.5, 0.2), (2, 0, 0.7, 0.0), (1, 0, 0.3, 0.0)]
    tree = regression(rows, scaler=scaler([mean * scale], [scale]))
    z = np.linspace(-3.9, 3.9, 501)
    X = ((z + mean) * scale)[:, None]
    model = quantize_tree(tree)
    assert np.abs(model.quantize(X)[:, 0] - z * 127 / 4).max() < (1.6 if scale < 1e-34 else 0.6)
    assert np.abs(model.predict(X) - tree.predict(X)).max() < 0.05
    check_equal(tree, False)


@pytest.mark.parametrize("scale", [1e-38, 1e-37, 1e34, 1e36])
def test_units_beyond_are_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], scale: float) -> None:
    tree = regression([(0, IDENTITY, 0.0, 0.1), (1, 0, 0.7, 0.0)], scaler=scaler([0.0], [scale]))
    save(tree, tmp_path / "m.json")
    if SMALLEST_REACH <= 4 * scale <= LARGEST_REACH:
        pytest.fail("within the bounds")
    assert main([str(tmp_path / "m.json"), "--to", "c", "--precision", "int8", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(r"the input 'x0' ranges over 4e[+-]\d+; 8-bit code takes ranges from 1e-36 to 2e\+34", said)
    assert not (tmp_path / "out").exists()


def test_scaled_inputs_give_the_integers_of_the_unscaled() -> None:
    y = TARGETS["two classes"]
    plain, tiny = (NeuralTreeClassifier(random_state=0).fit(Z * unit, y).tree_ for unit in (1.0, 2.0**-103))
    found = [quantize_tree(tree).predict(Z * unit) for tree, unit in ((plain, 1.0), (tiny, 2.0**-103))]
    assert np.array_equal(*found)


# ---- what is lost, and said ----


def lossy() -> Tree:
    """A tree and rows of which 8 bits about the mean see next to nothing."""
    X = SHAPES["log-normal"](Z)
    tree = NeuralTreeClassifier(random_state=0).fit(X, TARGETS["two classes"]).tree_
    worse = replace(tree, input_range=np.full(3, 20.0), input_middle=None)
    return replace(worse, int8_loss=int8_loss(worse, X, TARGETS["two classes"]))


def test_the_loss_is_the_share_of_the_score() -> None:
    X, y = SHAPES["log-normal"](Z), TARGETS["two classes"]
    tree = lossy()
    whole, integers = (np.mean(found == y) for found in (tree.predict(X), quantize_tree(tree).predict(X)))
    assert tree.int8_loss == pytest.approx((whole - integers) / whole)
    assert tree.int8_loss is not None
    assert tree.int8_loss > 0.2
    weight = np.where(tree.predict(X) == quantize_tree(tree).predict(X), 1.0, 0.0)
    assert int8_loss(tree, X, y, weight) == 0
    moved = replace(tree, threshold=float(np.quantile(tree.predict_proba(X)[:, 1], 0.8)))
    whole, integers = (np.mean(found == y) for found in (moved.predict(X), quantize_tree(moved).predict(X)))
    assert whole != np.mean(tree.predict(X) == y)
    assert int8_loss(moved, X, y) == pytest.approx(max(whole - integers, 0) / whole)
    assert int8_loss(tree, X, np.where(tree.predict(X) == 0, 1, 0)) == 0.0  # always wrong: nothing to lose


def test_the_loss_of_a_regression_is_that_of_r2() -> None:
    X = SHAPES["log-normal"](Z)
    tree = NeuralTreeRegressor(random_state=0).fit(X, SUM).tree_
    worse = replace(tree, input_range=np.full(3, 2.0), input_middle=None)
    whole, integers = (r2_score(SUM, found) for found in (tree.predict(X), quantize_tree(worse).predict(X)))
    assert int8_loss(worse, X, SUM) == pytest.approx(min(1 - integers / whole, 1.0))


@pytest.mark.parametrize("known", [True, False])
def test_export_says_what_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str], known: bool) -> None:
    tree = lossy() if known else replace(lossy(), int8_loss=LARGE_LOSS)
    path = tmp_path / "m.json"
    save(tree, path)
    assert main([str(path), "--to", "c", "--precision", "int8", "--name", "m", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    header = (tmp_path / "out" / "m.h").read_text()
    if not known:
        assert said == ""
        assert "loses" not in header
        return
    percent = round(100 * (tree.int8_loss or 0))
    assert said == (
        f"{path}: 8-bit code loses {percent} % of the accuracy that the model has on its training rows; "
        "use float32, or train it on the logarithm of its skewed inputs\n"
    )
    assert f"/* 8-bit code loses {percent} % of the accuracy" in header
    assert main([str(path), "--to", "c", "--name", "m", "--out", str(tmp_path / "float")]) == 0
    assert capsys.readouterr().err == ""


def test_a_search_says_what_is_lost() -> None:
    said: list[str] = []
    finish._tell_of_losses([lossy(), random_model(1)], said.append)
    assert len(said) == 1
    assert re.match(
        r"1 of 2 models lose more than 5 % of their score on training rows in 8 bits, \d+ % at worst", said[0]
    )
    finish._tell_of_losses([random_model(1)], said.append)
    assert len(said) == 1


def test_a_loss_of_other_weights_is_forgotten() -> None:
    tree = lossy()
    assert with_parameters(tree, np.zeros(tree.num_weights)).int8_loss is None


# ---- in files, and in costs ----


def test_files_hold_them_and_old_files_do_not_need_to() -> None:
    tree = loads(dumps(replace(with_middles(random_model(1)), int8_loss=0.125)))
    text = dumps(tree)
    assert tree.int8_loss == 0.125
    assert tree.input_middle is not None
    assert tree.input_middle.tolist() == with_middles(random_model(1)).input_middle.tolist()  # type: ignore[union-attr]
    assert dumps(loads(text)) == text
    data = json.loads(text)
    jsonschema = pytest.importorskip("jsonschema", reason="checking files against the schema needs jsonschema")
    check = jsonschema.Draft202012Validator(tree_schema())
    assert not list(check.iter_errors(data))
    for key in ("input_middle", "int8_loss"):
        del data[key]
        assert not list(check.iter_errors(data))
    assert loads(json.dumps(data)) == replace(tree, input_middle=None, int8_loss=None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input_middle", [0.0]),
        ("input_middle", [1e999]),
        ("int8_loss", 1.5),
        ("int8_loss", -0.1),
        ("int8_loss", "much"),
    ],
)
def test_wrong_ones_are_refused(key: str, value: object) -> None:
    data = json.loads(dumps(with_middles(random_model(1))))
    with pytest.raises(FileError, match=r"int8_loss|input_middle|not a number"):
        loads(json.dumps(data | {key: value}))
    if value != "much":
        with pytest.raises(TreeError, match=r"int8_loss is|input_middle must be"):
            replace(random_model(1), **{key: value})


def test_trees_that_differ_in_them_differ() -> None:
    tree = with_middles(random_model(1))
    assert tree != replace(tree, input_middle=None)
    assert tree != replace(tree, int8_loss=0.1)
    assert hash(tree) == hash(with_middles(random_model(1)))


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_every_tree_is_costed_with_its_own_ranges(precision: str) -> None:
    trees = [with_middles(tree, seed) for seed, tree in enumerate(models(3)) if tree.kind == "binary"]
    nodes, starts, about = laid_out(trees)
    counts = counted(nodes, starts, precision, about["input_range"], about["far"])
    kept = [tree.nodes if precision == "float32" else quantize_tree(tree).nodes for tree in trees]
    assert counts.leaf_edges.tolist() == [int(np.count_nonzero(each["op"] >= 0)) for each in kept]
    assert counts.features_used.tolist() == [len(np.unique(each["op"][each["op"] >= 0])) for each in kept]
    assert counts.leaf_edges.tolist() != counted(nodes, starts, "int8").leaf_edges.tolist() or precision == "float32"
