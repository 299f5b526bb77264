"""Integers to 8 bits, targets in fixed point and probabilities from 0 to 255: bounds, accuracy, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuraltree.compress import quantize_tree
from neuraltree.compress.formats import INPUT_TYPES, Input, input_spec, input_texts, inputs_of, parse_input
from neuraltree.compress.input_types import checked_inputs, sources
from neuraltree.compress.int8.stages import IntegerStage
from neuraltree.compress.short_factors import even_reach, short_rescaling
from neuraltree.inputs.encoders import Category, Column, Flag, Number, Ordinal, Time
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import KINDS, edge_models, random_model, raw_inputs, record, regression

LEAST, MOST = -(2**31), 2**31 - 1


@pytest.mark.parametrize("kind", ["int16", "uint8"])
def test_every_integer_is_converted_in_32_bits_to_the_nearest_step(kind: str) -> None:
    low, high = int(INPUT_TYPES[kind].low), int(INPUT_TYPES[kind].high)
    x = np.arange(low, high + 1)[:, None]
    rng = np.random.default_rng(0)
    mean = np.concatenate([[low, high, 0.0, 0.5], rng.uniform(low, high, 200)])
    wanted = np.concatenate([[1e-9, 0.3, 1.0, 1e12], np.exp(rng.uniform(-4, 12, 200))])
    reach = even_reach(wanted)
    assert ((reach >= np.maximum(wanted, 0.99) * (1 - 1e-9)) | (wanted > 1e8)).all()
    assert (reach <= np.maximum(wanted * 1.008, 1.0)).all()
    features, ends = np.arange(len(mean)), np.full(len(mean), low)
    stage = IntegerStage.make(features, (ends, np.full(len(mean), high)), mean, reach)
    assert ((stage.multiplier >= 128) & (stage.multiplier < 256) & (stage.shift >= 1) & (stage.shift <= 30)).all()
    for part in (x * stage.multiplier, x * stage.multiplier + stage.offset, stage.offset):
        assert part.min() >= LEAST
        assert part.max() <= MOST
    exact = np.clip((x - mean) * (127 / reach), -127, 127)
    q = stage(np.broadcast_to(x, (len(x), len(mean))))
    rounding = 0.5 / 2.0**stage.shift  # of the offset
    assert (np.abs(q - exact) <= 0.5 + rounding + 1e-6).all()


def test_a_multiplier_has_8_bits_when_a_range_comes_back_from_another_unit() -> None:
    """Rounding in doubles may put a range just above 127 x 2^k, where 256 is near. C keeps factors in bytes."""
    rng = np.random.default_rng(1)
    scale, reach = 10 ** rng.uniform(-1, 3, 20_000), rng.uniform(0.3, 6, 20_000)
    again = even_reach(reach * scale) / scale * scale
    multiplier, shift = short_rescaling(again)
    assert multiplier.min() >= 128
    assert multiplier.max() <= 255
    np.testing.assert_allclose(multiplier * again, 127 * 2.0**shift, rtol=1e-11)


def test_a_range_that_a_short_multiplier_makes_stays_as_it_is() -> None:
    once = even_reach(np.exp(np.random.default_rng(1).uniform(-2, 11, 1000)))
    assert np.array_equal(even_reach(once), once)


def regressions() -> dict[str, Tree]:
    edges = {name: tree for name, tree in edge_models().items() if tree.classes is None}
    return {f"random_{i}": random_model(i, *KINDS[i % 3]) for i in range(12)} | edges


@pytest.mark.parametrize("name", regressions())
@pytest.mark.parametrize("fine", [False, True])
def test_fixed_point_is_the_target(name: str, fine: bool) -> None:
    tree = regressions()[name]
    model = quantize_tree(tree, fine=fine)
    stage, X = model.fixed_stage, raw_inputs(tree, 1000)
    found, wanted = model.predict_fixed(X), model.predict(X).astype(np.float64)
    assert np.abs(found.astype(np.int64)).max() <= 2**30 + 1, "room for sums"
    step = float(model.outputs.gain) * 2.0 ** (stage.drop - model.outputs.drop)  # of a score, at most 19 bits of them
    allowed = step + 2.0**-stage.power + 2.0**-23 * np.abs(wanted)
    assert (np.abs(found / 2.0**stage.power - wanted) <= allowed).all()
    if name == "band":
        assert step < 1e-4 * float(np.ptp(wanted)), "fine enough to be of use"


@pytest.mark.parametrize("kind", [row for row in KINDS if row[0] != "regression"])
def test_confidence_is_the_probability_of_the_predicted_class(kind: tuple[str, str, int]) -> None:
    for seed in range(20):
        tree = random_model(seed, *kind)
        model, X = quantize_tree(tree), raw_inputs(tree, 1000)
        codes = model.predict_q(model.quantize(X))
        wanted = model.predict_proba(X)[np.arange(len(X)), codes]
        assert (np.abs(model.confidence(X) - 255 * wanted) <= 1).all()


@pytest.mark.parametrize("threshold", [0.02, 0.4, 0.97])
def test_confidence_knows_the_threshold(threshold: float) -> None:
    nodes = record([(0, ~5, 0.0, 0.1), (1, ~1, 3.0, 0.2), (2, 0, 0.7, 0.0)])
    model = quantize_tree(Tree(nodes, "binary", ("x",), ("no", "yes"), threshold=threshold))
    X = np.linspace(-4, 4, 500)[:, None]
    wanted = model.predict_proba(X)[np.arange(500), (model.predict(X) == "yes").astype(int)]
    assert (np.abs(model.confidence(X) - 255 * wanted) <= 1).all()
    assert model.confidence(X).min() < 127, "a class that is not the most probable one"


def test_a_result_that_a_model_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="use predict_fixed"):
        quantize_tree(random_model(1)).confidence(np.zeros((1, 30)))
    with pytest.raises(ValueError, match="use predict or confidence"):
        quantize_tree(random_model(1, "binary")).predict_fixed(np.zeros((1, 30)))


# ---- texts, and what fits ----


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("float32", Input()),
        ("int16", Input("int16", 1.0)),
        ("int16/100", Input("int16", 100.0)),
        ("uint8/0.5", Input("uint8", 0.5)),
    ],
)
def test_texts_of_inputs(text: str, wanted: Input) -> None:
    assert parse_input(text) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("int32", "unknown input 'int32'; allowed: float32, int16, uint8"),
        ("", "unknown input ''"),
        ("float32/10", "only integers have a scale"),
        ("int16/0", "must be a number above 0"),
        ("int16/-2", "must be a number above 0"),
        ("int16/nan", "must be a number above 0"),
        ("int16/inf", "must be a number above 0"),
        ("int16/ten", "must be a number above 0"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_input(text)


def test_inputs_by_name() -> None:
    names = ("a", "b=c", "d")
    assert inputs_of({"default": "uint8", "d": "float32"}, names) == (Input("uint8"), Input("uint8"), Input())
    assert inputs_of({"a": "int16/2"}, names) == (Input("int16", 2.0), Input(), Input())
    with pytest.raises(ValueError, match="no column 'e'; allowed: default, a, b=c, d"):
        inputs_of({"e": "int16"}, names)
    spec = input_spec(["int16", "b=c=uint8"])
    assert spec == {"default": "int16", "b=c": "uint8"}
    assert input_spec(input_texts(spec)) == spec
    with pytest.raises(ValueError, match="names a column twice"):
        input_spec(["a=int16", "a=uint8"])


ROWS = [(0, ~5, 0.0, 0.1), (1, 0, 0.7, 0.0)]


def of(column: Column) -> Tree:
    nodes = record(ROWS)
    names = tuple(feature.name for feature in column.features)
    return Tree(nodes, "regression", names, columns=(column,))


REFUSED: list[tuple[Tree, Any, str]] = [
    (of(Number("t", low=0.0, high=300.0)), "uint8", "from 0 to 300, as uint8 from 0 to 300; uint8 holds 0 to 255"),
    (of(Number("t", low=-1.0, high=3.0)), "int16/20000", "as int16/20000 from -20000 to 60000; int16 holds"),
    (of(Number("t", 5.0, low=0.0, high=255.0)), "uint8", "uint8 holds 0 to 254"),
    (of(Number("t", 5.0, low=-32768.0, high=0.0)), "int16", "int16 holds -32767 to 32767"),
    (of(Category("c", tuple(map(str, range(255))), missing=True)), "uint8", "uint8 holds 0 to 254"),
    (of(Time("when", 0.0)), "int16", 'set it to float32, as in { default = "int16", "when" = "float32" }'),
    (regression(ROWS, scaler=Scaler(np.array([1e6]), np.ones(1))), "int16", "as int16 from 1e[+]06"),
]


@pytest.mark.parametrize(("tree", "spec", "message"), REFUSED)
def test_what_a_type_does_not_hold_is_refused(tree: Tree, spec: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("{", r"\{").replace("}", r"\}")):
        checked_inputs(tree, spec)


@pytest.mark.parametrize(
    ("column", "spec", "wanted"),
    [
        (Number("t", low=0.0, high=255.0), "uint8", Input("uint8")),
        (Number("t", low=-3.0, high=3.0), "int16/10000", Input("int16", 10000.0)),
        (Flag("f"), "uint8/100", Input("uint8")),
        (Category("c", ("a", "b")), "int16/100", Input("int16")),
        (Ordinal("o", ("a", "b")), "uint8", Input("uint8")),
        (Time("when", 0.0), "float32", Input()),
    ],
)
def test_what_a_type_holds_is_taken_and_levels_have_no_scale(column: Column, spec: str, wanted: Input) -> None:
    assert checked_inputs(of(column), spec) == (wanted,)


def test_numbers_that_are_no_integers_of_the_type_are_refused() -> None:
    tree = regression(ROWS)
    model = quantize_tree(tree, sources=sources(tree, "uint8"))
    assert model.quantize([[255], [0]]).shape == (2, 1)
    for wrong in (256, -1, 0.5, np.nan):
        with pytest.raises(ValueError, match="takes whole numbers from 0 to 255"):
            model.quantize([[wrong]])
