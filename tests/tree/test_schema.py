"""The published JSON Schema: it takes every file that is written, and refuses broken ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from neuraltree.activations import NAMES
from neuraltree.schema import VERSION, tree_schema
from neuraltree.tree.model_files import FileError, dumps, loads
from neuraltree.tree.soundness import KINDS, MAX_DEPTH
from neuraltree.tree.tree import Tree
from tests.export.test_export_onnx import several
from tests.helpers.random_models import IDENTITY, TANH, edge_models, models, record, scaler
from tests.helpers.strategies import steady, trees

jsonschema = pytest.importorskip("jsonschema", reason="checking files against the schema needs jsonschema")
CHECK = jsonschema.Draft202012Validator(tree_schema())
QUICKSTART = sorted((Path(__file__).parents[2] / "results" / "quickstart" / "models").glob("*.json"))


def problems(data: Any) -> list[str]:
    return [error.message for error in CHECK.iter_errors(data)]


def test_the_schema_is_one_and_says_its_version() -> None:
    schema = tree_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:neuraltree:schema:tree:{VERSION}"
    assert schema["properties"]["version"] == {"enum": [1, VERSION]}
    assert schema["properties"]["kind"]["enum"] == list(KINDS)
    assert schema["$defs"]["activation"]["enum"] == list(NAMES)
    assert schema["$defs"]["depth"]["maximum"] == MAX_DEPTH


@hypothesis_settings(steady, max_examples=60)
@given(trees(max_targets=3))
def test_every_file_that_is_written_is_valid(tree: Tree) -> None:
    assert problems(json.loads(dumps(tree))) == []


def test_models_are_valid() -> None:
    for tree in [*models(2), *edge_models().values(), several()]:
        assert problems(json.loads(dumps(tree))) == []


@pytest.mark.skipif(not QUICKSTART, reason="no models of a run in results/quickstart: python -m search.run makes them")
def test_models_of_a_run_are_valid() -> None:
    for path in QUICKSTART:
        assert problems(json.loads(path.read_text("utf-8"))) == []


def base() -> dict[str, Any]:
    nodes = record([(0, IDENTITY, 0.0, 0.5), (1, TANH, -1.5, 0.25), (2, 1, 3.0, 0.0), (1, 0, 0.1, 0.0)])
    return json.loads(dumps(Tree(nodes, "binary", ("a", "b"), ("no", "yes"), scaler([1.0, 2.0], [3.0, 4.0]))))


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A change: the last of ``path`` is the value that is put at the rest of it."""
    *way, key, value = path

    def change(data: Any) -> None:
        for step in way:
            data = data[step]
        data[key] = value

    return change


def drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    *way, key = path

    def change(data: Any) -> None:
        for step in way:
            data = data[step]
        del data[key]

    return change


BROKEN: dict[str, Callable[[dict[str, Any]], None]] = {
    **{f"no {key}": drop(key) for key in base() if key != "input_range"},
    "another format": put("format", "other"),
    "another version": put("version", 3),
    "a band in version 1": put("band", 0.3),
    "columns in version 1": put("columns", [{"encoder": "number", "name": "a"}, {"encoder": "number", "name": "b"}]),
    "a version in quotes": put("version", "1"),
    "an unknown key": put("extra", 1),
    "an unknown kind": put("kind", "ranking"),
    "a feature that is a number": put("features", 0, 1),
    "features twice": put("features", ["a", "a"]),
    "no features": put("features", []),
    "three classes of a binary tree": put("classes", ["x", "y", "z"]),
    "one class": put("classes", ["x"]),
    "classes of two types": put("classes", ["x", 1]),
    "classes twice": put("classes", ["x", "x"]),
    "no classes": put("classes", None),
    "classes of a regression": put("kind", "regression"),
    "a classifier's target_scaler": put("target_scaler", {"mean": [0.0], "scale": [1.0]}),
    "a scale of 0": put("scaler", "scale", 0, 0.0),
    "a mean that is text": put("scaler", "mean", 0, "1"),
    "a scaler without a scale": drop("scaler", "scale"),
    "a scaler with more": put("scaler", "var", [1.0, 1.0]),
    "a scaler that is a list": put("scaler", [1.0, 2.0]),
    "a range of 0": put("input_range", [0.0, 1.0]),
    **{f"a threshold of {value!r}": put("threshold", value) for value in (0, 1, -0.1, 1.5, "0.3", None, True)},
    "no nodes": put("nodes", []),
    "an output alone": put("nodes", [{"depth": 0, "activation": "identity", "weight": 0.0, "bias": 0.5}]),
    "a first node that is not an output": put("nodes", 0, "depth", 1),
    "a first node that is a leaf": put("nodes", 0, {"depth": 0, "feature": 0, "weight": 0.0}),
    "a negative depth": put("nodes", 1, "depth", -1),
    "a depth that is no whole number": put("nodes", 1, "depth", 1.5),
    "a depth beyond 16 bits": put("nodes", 1, "depth", 40_000),
    "a leaf at depth 0": put("nodes", 3, "depth", 0),
    "an unknown activation": put("nodes", 1, "activation", "swish"),
    "an alias of an activation": put("nodes", 1, "activation", "fermi"),
    "no weight": drop("nodes", 2, "weight"),
    "no bias": drop("nodes", 1, "bias"),
    "a bias of a leaf": put("nodes", 2, "bias", 0.0),
    "a feature and an activation": put("nodes", 1, "feature", 0),
    "a weight that is text": put("nodes", 1, "weight", "1.0"),
    "a weight that is nothing": put("nodes", 1, "weight", None),
    "a weight that is true": put("nodes", 1, "weight", True),
    "a negative feature": put("nodes", 2, "feature", -1),
    "a feature by name": put("nodes", 2, "feature", "a"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_by_the_schema_and_by_load(what: str) -> None:
    data = base()
    assert problems(data) == []
    loads(json.dumps(data))
    BROKEN[what](data)
    assert problems(copy.deepcopy(data))
    with pytest.raises(FileError):
        loads(json.dumps(data))


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_binary_tree_has_another_threshold_than_one_half(kind: str) -> None:
    data = json.loads(dumps(next(tree for tree in models(1) if tree.kind == kind)))
    assert "threshold" not in data
    for threshold in (0.5, 0.3):
        data["threshold"] = threshold
        if kind == "binary" or threshold == 0.5:
            assert problems(data) == []
            assert loads(json.dumps(data)).threshold == threshold
        else:
            assert problems(data)
            with pytest.raises(FileError, match=f"a {kind} tree has no threshold, and this one has 0.3"):
                loads(json.dumps(data))


@pytest.mark.parametrize("band", [None, 0, 0.25, 1.0, 1.5, -0.1, "0.3", True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_band_is_a_distance_or_a_probability(kind: str, band: object) -> None:
    data = json.loads(dumps(next(tree for tree in models(1) if tree.kind == kind)))
    data |= {"version": 2, "band": band}
    sound = band in (None, 0, 0.25, 1.0) or (band == 1.5 and kind == "regression")
    if sound and band is not True:
        assert problems(data) == []
        assert loads(json.dumps(data)).band == band
    else:
        assert problems(data)
        with pytest.raises(FileError, match="band"):
            loads(json.dumps(data))


def test_version_2_needs_neither_columns_nor_a_band() -> None:
    data = base()
    data["version"] = 2
    assert problems(data) == []
    assert json.loads(dumps(loads(json.dumps(data)))) == base()


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_be_left_out_or_null(kind: str) -> None:
    data = json.loads(dumps(next(tree for tree in models(1) if tree.kind == kind)))
    for change in (drop("input_range"), put("scaler", None), put("target_scaler", None), put("input_range", None)):
        data["input_range"] = None
        change(data)
        assert problems(data) == []
        loads(json.dumps(data))


def test_several_targets_have_a_column_each() -> None:
    data = json.loads(dumps(several()))
    assert data["target_scaler"] == {"mean": [100.0, -1.0, 0.0], "scale": [7.0, 0.1, 1.0]}
    assert loads(json.dumps(data)) == several()
