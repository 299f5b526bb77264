"""Trees as files: nothing is lost, nothing unsound is read, and the reference's models compute what it computes."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from neuraltree.export import __main__ as export
from neuraltree.tree.model_files import FileError, dumps, load, loads, save
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers.strategies import steady, trees

GOLDEN = Path(os.environ.get("NEURALTREE_GOLDEN") or Path(__file__).parents[3] / "shared" / "golden")


def small() -> Tree:
    nodes = np.array([(0, ~5, 0, 0.5), (1, ~1, -1.5, 0.25), (2, 1, 3.0, 0), (1, 0, 0.1, 0)], dtype=node_dtype())
    scaler = Scaler(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    return Tree(nodes, "binary", ("größe", "b"), ("no", "yes"), scaler, None, np.array([2.0, 4.5]))


TEXT = """{
"format": "neuraltree",
"version": 1,
"kind": "binary",
"features": ["gr\\u00f6\\u00dfe", "b"],
"classes": ["no", "yes"],
"scaler": {"mean": [1.0, 2.0], "scale": [3.0, 4.0]},
"target_scaler": null,
"input_range": [2.0, 4.5],
"nodes": [
{"depth": 0, "activation": "identity", "weight": 0.0, "bias": 0.5},
{"depth": 1, "activation": "tanh", "weight": -1.5, "bias": 0.25},
{"depth": 2, "feature": 1, "weight": 3.0},
{"depth": 1, "feature": 0, "weight": 0.1}
]}
"""


def test_the_format_by_hand() -> None:
    assert dumps(small()) == TEXT
    assert loads(TEXT) == small()


@steady
@given(trees(max_targets=3))
def test_a_round_trip_is_bit_for_bit(tree: Tree) -> None:
    text = dumps(tree)
    again = loads(text)
    assert again == tree
    assert dumps(again) == text


def test_save_replaces_the_file_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tree.json"
    save(small(), path)
    assert path.read_bytes() == TEXT.encode()
    assert load(path) == load(str(path)) == small()

    def fail(source: Path, target: Path) -> None:
        assert Path(source).read_bytes() == dumps(other).encode()
        raise OSError("disk full")

    other = Tree(small().nodes, "binary", ("a", "b"), (0, 1))
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save(other, path)
    assert path.read_bytes() == TEXT.encode()
    assert list(tmp_path.iterdir()) == [path]


def changed(*keys: str | int, value: Any = None, drop: bool = False) -> str:
    """The text of ``small`` with the value at ``keys`` replaced or dropped."""
    data = json.loads(TEXT)
    place = data
    for key in keys[:-1]:
        place = place[key]
    if drop:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    return json.dumps(data)


BROKEN = [
    ("", "not JSON: Expecting value"),
    (TEXT[:-20], "not JSON"),
    (TEXT.replace("0.25", "NaN"), "not JSON: NaN is not a number"),
    (TEXT.replace("0.25", "-Infinity"), "not JSON: -Infinity is not a number"),
    (TEXT.replace("0.25", "1e999"), "node 1 (tanh at depth 1) has a weight or bias that is not finite"),
    (TEXT.replace('"kind": "binary"', r'"kind": "bin\ud800ary"'), r"unknown kind 'bin\ud800ary'"),
    (TEXT.replace('"features"', r'"features\ud800"'), "a text is not UTF-8: 'utf-8' codec"),
    (TEXT.replace('"nodes": [', r'"nodes": "\ud800", "other": ['), "a text is not UTF-8: 'utf-8' codec"),
    (TEXT.replace("0.25", "1" * 5000), "not JSON"),
    (TEXT.replace("[1.0, 2.0]", "[1.0, 1e999]"), "scaler needs finite means"),
    ("[" * 100_000, "nested too deeply"),
    ('{"name": "f", "children": [' * 100_000, "nested too deeply"),
    ("[]", "neither a neuraltree file"),
    ("3", "neither a neuraltree file"),
    ("{}", "neither a neuraltree file"),
    (changed("format", value="pickle"), "`$.format`"),
    (changed("version", value=3), "format version 3; this release reads versions 1 and 2"),
    (changed("band", value=0.3), "a file of version 1 has no band; that is version 2"),
    (changed("version", drop=True), "format version None"),
    (changed("version", value=True), "`$.version`"),
    (changed("kind", value="ranking"), "unknown kind 'ranking'"),
    (changed("kind", value="regression"), "a regression has none"),
    (changed("features", value=["a", 2]), "`$.features[1]`"),
    (changed("features", value="ab"), "`$.features`"),
    (changed("features", value=["a", "a"]), "feature names must differ"),
    (changed("features", drop=True), "missing required field `features`"),
    (changed("classes", value=["no", None]), "`$.classes[1]`"),
    (changed("classes", value=["no", 1]), "all text or all numbers"),
    (changed("scaler", "mean", value=[1.0]), "scaler has mean (1,) and scale (2,)"),
    (changed("scaler", "scale", value=[1.0, 0.0]), "finite scales above 0"),
    (changed("scaler", "shift", value=1), "unknown field `shift`"),
    (changed("target_scaler", value={"mean": [0], "scale": [1]}), "only a regression has a target_scaler"),
    (changed("comment", value=""), "unknown field `comment`"),
    (changed("nodes", value=[]), "has no nodes"),
    (changed("nodes", value={}), "`$.nodes`"),
    (changed("nodes", 1, value=[1, 2]), "`$.nodes[1]`"),
    (changed("nodes", 1, "colour", value=1), "unknown field `colour`"),
    (changed("nodes", 1, "depth", value=2), "node 1 has depth 2; prefix order"),
    (changed("nodes", 1, "depth", value=-1), "`$.nodes[1].depth`"),
    (changed("nodes", 1, "depth", value=1.0), "`$.nodes[1].depth`"),
    (changed("nodes", 1, "depth", value=40_000), "`$.nodes[1].depth`"),
    (changed("nodes", 1, "weight", value="1"), "`$.nodes[1].weight`"),
    (changed("nodes", 1, "weight", value=True), "`$.nodes[1].weight`"),
    (changed("nodes", 1, "weight", value=10**400), "`$.nodes[1].weight`"),
    (changed("nodes", 1, "weight", drop=True), "missing required field `weight`"),
    (changed("nodes", 1, "bias", drop=True), "node 1 must have either a feature, or an activation and a bias"),
    (changed("nodes", 1, "feature", value=0), "node 1 must have either"),
    (changed("nodes", 2, "bias", value=0.0), "node 2 must have either"),
    (changed("nodes", 1, "activation", value="softmax"), "node 1 has activation 'softmax'; allowed: sigmoid, tanh"),
    (changed("nodes", 2, "feature", value=2), "node 2 (x2 at depth 2) reads a feature beyond the 2"),
    (changed("nodes", 2, "feature", value=-1), "`$.nodes[2].feature`"),
    (changed("nodes", 2, "feature", value=2**40), "`$.nodes[2].feature`"),
    (changed("nodes", 2, value={"depth": 1, "feature": 1, "weight": 1.0}), "node 1 (tanh at depth 1) has fewer than 1"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_a_broken_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(FileError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    with pytest.raises(FileError):
        loads(text)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without an end")
def test_a_file_without_an_end_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FileError, match="/dev/zero: larger than 64 MiB, the limit for such a file"):
        load("/dev/zero")
    assert export.main(["/dev/zero", "--to", "python"]) == 2
    assert capsys.readouterr().err == "error: /dev/zero: larger than 64 MiB, the limit for such a file\n"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.json: No such file"):
        load(tmp_path / "none.json")
    with pytest.raises(FileError, match="directory"):
        load(tmp_path)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match=r"bytes\.json: .*decode"):
        load(tmp_path / "bytes.json")


@pytest.mark.parametrize(
    "extra", [{"scaler": ([0, 0], [1, 1])}, {"target_scaler": ([0], [1])}, {"classes": (0, 1)}], ids=str
)
def test_our_files_take_no_extras(extra: dict) -> None:
    with pytest.raises(FileError, match=f"has its own {next(iter(extra))}; leave the argument out"):
        loads(TEXT, **extra)


def f(n: int, edge: float, bias: float, *children: dict, activation: str = "sigmoid") -> dict:
    """A function node as the reference writes it."""
    return {"name": f"f:{n}; e:{edge}; b:{bias}; p:[0.5, 0.5, {activation}]", "children": list(children)}


def i(index: int, edge: float) -> dict:
    return {"name": f" i:{index}; e:{edge}"}


def check_example(activation: str = "sigmoid") -> dict:
    """y = s(0.1 + 0.4 x0 + 0.7 A + 0.9 B), and so on: the published check of the reference's forward pass."""
    a = f(2, 0.7, 0.2, i(1, 0.3), i(1, 0.6))
    c = f(2, 0.15, 0.05, i(3, 0.8), i(2, 0.25), activation=activation)
    return f(3, -1.0, 0.1, i(0, 0.4), a, f(2, 0.9, 0.35, c, i(0, 0.55)))


CHECK_X = np.array([[0.1, 0.9, 0.4, 0.7], [0.8, 0.2, 0.6, 0.3], [0.5, 0.5, 0.0, 1.0]])
CHECK_Y = np.array([[0.7710946791895327], [0.8133736579470725], [0.79693530353453]])


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])  # the reference computes a sigmoid whatever it says
def test_the_check_example_of_the_reference(activation: str) -> None:
    tree = loads(json.dumps(check_example(activation)))
    assert (tree.kind, tree.features, tree.classes) == ("regression", ("x0", "x1", "x2", "x3"), None)
    np.testing.assert_allclose(tree.outputs(CHECK_X), CHECK_Y, rtol=1e-12)


def test_a_regression_of_the_reference_with_its_min_max_scaling() -> None:
    low, high = np.array([-2.0, 0.0, 10.0, 5.0, 0.0]), np.array([2.0, 1.0, 30.0, 6.0, 9.0])
    tree = loads(json.dumps(check_example()), scaler=(low, high - low), target_scaler=([9.0], [37.6]))
    assert len(tree.features) == 5
    X = low + np.hstack([CHECK_X, np.ones((3, 1))]) * (high - low)
    np.testing.assert_allclose(tree.predict(X), 9.0 + 37.6 * CHECK_Y[:, 0], rtol=1e-12)
    assert loads(dumps(tree)) == tree


def classifier() -> dict:
    return f(2, -1.0, 1.0, f(2, 0.3, 0.2, i(0, -0.5), i(2, 1e-3)), f(2, 0.9, -0.1, i(1, 0.7), i(1, 0.1)))


def test_a_classifier_of_the_reference() -> None:
    tree = loads(json.dumps(classifier()))
    assert (tree.kind, tree.classes, tree.num_outputs, tree.depth) == ("multiclass", (0, 1), 2, 1)
    assert tree.nodes["weight"][:, 0].tolist() == [0.0, -0.5, 1e-3, 0.0, 0.7, 0.1]
    sums = np.array([[0.2 - 0.5 + 3e-3, -0.1 + 1.6], [0.2 + 2.0 - 1e-3, -0.1]])
    X = np.array([[1.0, 2.0, 3.0], [-4.0, 0.0, -1.0]])
    np.testing.assert_allclose(tree.outputs(X), 1 / (1 + np.exp(-sums)), rtol=1e-12)
    named = loads(json.dumps(classifier()), classes=["no", "yes"])
    assert named.predict(X).tolist() == ["yes", "no"]


def test_only_the_dummy_root_makes_a_classifier() -> None:
    for edge, bias in ((-1.0, 0.1), (0.5, 1.0)):
        assert loads(json.dumps(classifier() | {"name": f(2, edge, bias)["name"]})).kind == "regression"
    leaf_below = f(2, -1.0, 1.0, classifier()["children"][0], i(0, 0.5))
    assert loads(json.dumps(leaf_below)).kind == "regression"


def edited(change: Callable[[dict], Any]) -> dict:
    data = copy.deepcopy(check_example())
    change(data)
    return data


def renamed(name: Any) -> dict:
    return edited(lambda root: root["children"][0].update(name=name))


BROKEN_REFERENCE = [
    (renamed("i:0"), {}, "'i:0' at depth 1 is neither"),
    (renamed(" i:-1; e:0.4"), {}, "is neither"),
    (renamed(" i:0; e:NaN"), {}, "is neither"),
    (renamed(" i:0; e:0.4; b:1"), {}, "is neither"),
    (renamed(" i:٣; e:0.4"), {}, "is neither"),
    (renamed("__import__('os').system('true')"), {}, "is neither"),
    (renamed(7), {}, "not an object with a name"),
    (renamed(" i:0; e:1e999"), {}, "not finite"),
    (renamed(" i:999999999; e:0.4"), {}, "reads an input beyond the 1000000 allowed"),
    (renamed(" i:4; e:0.4"), {"scaler": (np.zeros(4), np.ones(4))}, "reads a feature beyond the 4 allowed"),
    (renamed("f:0; e:0.5; b:0.5; p:[0.5, 0.5, sigmoid]"), {}, "fewer than 1 children"),
    (edited(lambda root: root["children"].pop()), {}, "says 3 children and has 2"),
    (edited(lambda root: root["children"][0].update(children=[i(0, 1.0)])), {}, "is a leaf with children"),
    (edited(lambda root: root.update(children={})), {}, "not an object with a name and a list"),
    (edited(lambda root: root.update(comment="")), {}, "not an object with a name and a list"),
    (edited(lambda root: root["children"].__setitem__(0, "x0")), {}, "not an object with a name and a list"),
    (i(0, 0.5), {}, "is an output but reads a feature"),
    (check_example(), {"classes": ("a", "b")}, "the tree is a regression"),
    (classifier(), {"classes": ("a", "b", "c")}, "has 2 output nodes; the task needs 3"),
    (classifier(), {"target_scaler": ([0], [1])}, "only a regression has a target_scaler"),
    (check_example(), {"scaler": ([0] * 4, [1, 1, 0, 1])}, "finite scales above 0"),
]


@pytest.mark.parametrize(
    ("data", "extras", "message"), BROKEN_REFERENCE, ids=[f"{n} {row[2]}" for n, row in enumerate(BROKEN_REFERENCE)]
)
def test_a_broken_model_of_the_reference_is_refused(data: dict, extras: dict, message: str) -> None:
    with pytest.raises(FileError) as error:
        loads(json.dumps(data), **extras)
    assert message in str(error.value)


@pytest.mark.parametrize(("name", "kind"), [("regression", "regression"), ("classification3", "multiclass")])
def test_the_outputs_of_the_compiled_reference(name: str, kind: str) -> None:
    path = GOLDEN / "bneuralt_reference.json"
    if not path.is_file():
        pytest.skip("bneuralt_reference.json is absent; NEURALTREE_GOLDEN names the folder that holds it")
    golden = json.loads(path.read_text())
    tree = loads(json.dumps(golden[name]["tree"]))
    assert tree.kind == kind
    np.testing.assert_allclose(tree.outputs(golden["X"]), golden[name]["outputs"], rtol=0, atol=1e-12)
    if tree.classes is not None:
        assert tree.predict(golden["X"]).tolist() == np.argmax(golden[name]["outputs"], axis=1).tolist()
    else:
        theta = golden[name]["theta"]
        assert tree.num_weights == len(theta)
