"""The costs of integer inputs: counted, priced, and measured on emulated cores."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from neuraltree.compress.formats import InputSpec
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.hardware import CycleDevice, breakdown, costs, laid_out, load_device
from neuraltree.hardware.calibrate.calibration_trees import of_floats, random_trees, with_types
from neuraltree.hardware.calibrate.fit import fit_terms
from neuraltree.hardware.calibrate.measured_samples import measure_trees
from neuraltree.hardware.measure import available_compilers
from neuraltree.hardware.measured_models import measure_model
from neuraltree.hardware.model.cost import counted
from neuraltree.hardware.model.linear_model import TERMS, design
from neuraltree.hardware.profile.devices import Code
from neuraltree.hardware.profile.profile_schema import Figure
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import count_weights
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, TANH, regression
from tests.helpers.sensor_tree import sensor_tree
from tests.helpers.table_models import table_model

needs_clang = pytest.mark.skipif(
    "clang" not in available_compilers(), reason="no clang: pip install neuraltree[measure]"
)
TREE = sensor_tree()


@needs_clang
def test_most_of_a_prediction_is_no_longer_the_conversion_of_inputs() -> None:
    assert (count_weights(TREE.nodes), len(quantize_tree(TREE).inputs.features)) == (61, 27)
    floats, integers = (
        measure_model(TREE, "cortex-m0plus", precision="int8", style="straight", inputs=inputs)
        for inputs in ("float32", "int16")
    )
    assert floats.agrees
    assert integers.agrees
    assert integers.instructions <= 700
    assert integers.instructions < 0.4 * floats.instructions


MEASURED: list[tuple[str, InputSpec, str, str, str]] = [
    ("cortex-m0plus", {"default": "int16", "adc0": "uint8/0.05", "adc3": "float32"}, "int8", "straight", "confidence"),
    ("cortex-m4f", {"default": "int16", "adc0": "uint8/0.05", "adc3": "float32"}, "float32", "straight", "predict"),
    ("rv32imc", {"default": "int16", "adc0": "uint8/0.05", "adc3": "float32"}, "int8", "table", "predict"),
    ("cortex-m4f", "int16", "int8", "table", "probabilities"),
    ("cortex-m0plus", "uint8/0.05", "float32", "table", "predict"),
]


@needs_clang
@pytest.mark.parametrize(("core", "spec", "precision", "style", "function"), MEASURED)
def test_a_core_gives_the_results_of_python(
    core: str, spec: InputSpec, precision: str, style: str, function: str
) -> None:
    found = measure_model(TREE, core, precision=precision, style=style, function=function, inputs=spec)
    assert found.agrees


@needs_clang
def test_targets_in_fixed_point_and_columns_on_a_core() -> None:
    spec = {"species": "uint8", "size": "int16/100", "step": "uint8", "grade": "int16"}
    tree = table_model(0)
    for function in ("predict", "predict_fixed"):
        found = measure_model(tree, "cortex-m4f", precision="int8", style="straight", function=function, inputs=spec)
        assert found.agrees


# ---- counts and prices ----

LEAVES = [(2, 0, 1.0, 0.0), (2, 1, -0.9, 0.0), (1, 0, 0.8, 0.0), (1, 2, 0.7, 0.0)]
SMALL = regression([(0, IDENTITY, 0.0, 0.1), (1, TANH, 1.0, 0.0), *LEAVES])
SPEC = {"x0": "int16", "x1": "uint8"}


@pytest.mark.parametrize(("precision", "edges"), [("int8", [1, 1]), ("float32", [2, 1])])
def test_integers_are_counted_once_and_by_float_tables_at_each_edge(precision: str, edges: list[int]) -> None:
    nodes, starts, about = laid_out([SMALL], SPEC)
    about.pop("kind")
    counts = counted(nodes, starts, precision, **about)
    assert counts.integer_features.tolist() == [[1, 1]]
    assert counts.integer_edges.tolist() == [edges]
    straight, table = (design(counts, "regression", once=False, style=style)[0] for style in ("straight", "table"))
    places = [TERMS.index(name) for name in ("feature", "float_inputs", "feature_int16", "feature_uint8")]
    assert straight[places].tolist() == [1, 1, 1, 1]
    assert table[places].tolist() == [1, 1, *edges]


def test_all_integers_have_no_stage_of_floats() -> None:
    nodes, starts, about = laid_out([SMALL], "int16")
    about.pop("kind")
    row = design(counted(nodes, starts, "int8", **about), "regression", once=True)[0]
    assert [row[TERMS.index(name)] for name in ("feature", "float_inputs", "feature_int16")] == [0, 0, 3]


def price(device: Any, spec: InputSpec, precision: str = "int8") -> dict[str, float]:
    nodes, starts, about = laid_out([TREE], spec)
    found = costs(nodes, starts, device, precision, "straight", **about)
    return {name: float(values[0]) for name, values in found.items()}


def older(device: Any) -> Any:
    """The device as profiles gave it before code took integers."""
    no_types = {"feature_int16": None, "feature_uint8": None, "float_inputs": Figure(lo=0.0)}
    missing = {"cycles": no_types, "flash": no_types, "ram": no_types | {"array": Figure(lo=0.0)}}

    def row(entry: Any) -> Any:
        blocks = {name: msgspec.structs.replace(getattr(entry, name), **changes) for name, changes in missing.items()}
        return msgspec.structs.replace(entry, **blocks, worst_cycles=None, ram_integers=None)

    return msgspec.structs.replace(device, entries=tuple(map(row, device.entries)))


def test_a_profile_without_figures_prices_integers_as_floats() -> None:
    device = older(load_device("cortex-m0plus"))
    assert price(device, "int16") == pytest.approx(price(device, "float32"))
    floats, integers = price(device, "float32", "float32"), price(device, "int16", "float32")
    assert floats["latency_s"] < integers["latency_s"], "a conversion to a float costs about a subtraction"


def with_figures(device: Any, **figures: float) -> Any:
    def row(entry: Any) -> Any:
        cycles = msgspec.structs.replace(entry.cycles, **{name: Figure(lo=value) for name, value in figures.items()})
        return msgspec.structs.replace(entry, cycles=cycles)

    assert isinstance(device, CycleDevice)
    return msgspec.structs.replace(device, entries=tuple(map(row, device.entries)))


def test_figures_of_a_type_price_its_features() -> None:
    device = with_figures(load_device("cortex-m0plus"), feature_int16=7.0, feature_uint8=5.0, float_inputs=100.0)
    seconds = 1 / (device.clock.value * 1e6)
    nothing = with_figures(device, feature_int16=0.0)
    found, without = (price(each, "int16")["latency_s"] for each in (device, nothing))
    assert found - without == pytest.approx(27 * 7 * seconds)
    mixed = price(device, {"default": "int16", "adc0": "uint8/0.05"})["latency_s"]
    assert found - mixed == pytest.approx(2 * seconds)
    nodes, starts, about = laid_out([TREE])
    terms = breakdown(nodes, starts, device, "int8", "straight", **about)["latency_s"]
    assert terms["float_inputs"] == pytest.approx([100 * seconds])


def test_features_of_integer_columns_are_priced_by_their_type() -> None:
    tree = table_model(0)
    _, _, about = laid_out([tree], {"species": "uint8"})
    is_species = np.array([name.startswith("species") for name in tree.features])
    assert (about["inputs"][is_species] == 1).all()
    assert (about["inputs"][~is_species] == -1).all()
    assert (about["rules"][is_species] == -1).all()
    assert (about["rules"][~is_species] >= 0).all()


# ---- calibration ----


def test_calibration_has_integers_of_each_type() -> None:
    trees = random_trees(8, 0)
    found = with_types(trees, 0)
    assert [kind for _, kind in found] == ["float32"] * 8 + ["int16", "uint8"] * 2
    assert [kind for _, kind in of_floats(trees)] == ["float32"] * 8
    for tree, kind in found:
        laid_out([tree], kind)  # the ranges fit


def test_a_fit_has_terms_of_integers_only_if_there_are_some() -> None:
    rng = np.random.default_rng(0)
    table = rng.uniform(0, 5, (60, len(TERMS)))
    table[:, TERMS.index("const")] = 1
    table[:, TERMS.index("float_inputs")] = rng.integers(0, 2, 60)
    measured = 10 + 3 * table[:, TERMS.index("feature_int16")] + 50 * table[:, TERMS.index("float_inputs")]
    found = fit_terms(table, measured, "cycles")
    assert found["feature_int16"] == pytest.approx(3, rel=1e-3)
    assert found["float_inputs"] == pytest.approx(50, rel=1e-3)
    table[:, [TERMS.index("feature_int16"), TERMS.index("feature_uint8")]] = 0
    table[:, TERMS.index("float_inputs")] = 1
    assert not {"feature_int16", "feature_uint8", "float_inputs"} & set(fit_terms(table, measured, "cycles"))


@needs_clang
def test_a_sample_of_a_tree_knows_its_inputs() -> None:
    (sample,) = measure_trees([(TREE, "int16")], "cortex-m0plus", Code("int8", "straight", "clang"))
    assert sample.each[TERMS.index("feature_int16")] == 27
    assert sample.measured.instructions <= 700


def pixels(seed: int, outputs: int, max_nodes: int) -> Tree:
    """144 inputs of one range, which int8 code reads as they are."""
    space = Space(144, outputs, ("tanh", "sigmoid"), max_nodes=max_nodes, max_arity=12, max_depth=3)
    nodes = random_tree(np.random.default_rng(seed), space)
    names, classes = tuple(f"p{i}" for i in range(144)), tuple("abcdef"[: max(2, outputs)])
    scaler = Scaler(np.full(144, 128.0), np.full(144, 60.0))
    return Tree(nodes, "binary" if outputs == 1 else "multiclass", names, classes, scaler, None, np.full(144, 2.1))


@needs_clang
@pytest.mark.parametrize("style", ["straight", "table"])
@pytest.mark.parametrize(("seed", "outputs", "max_nodes"), [(2, 1, 180), (3, 6, 240)])
def test_bytes_read_as_they_are_cost_no_conversion(style: str, seed: int, outputs: int, max_nodes: int) -> None:
    tree, device = pixels(seed, outputs, max_nodes), load_device("cortex-m0plus")
    nodes, starts, about = laid_out([tree], "uint8")
    assert counted(nodes, starts, "int8", about["input_range"], inputs=about["inputs"]).raw_features[0] > 3
    found = {name: values[0] for name, values in costs(nodes, starts, device, "int8", style, **about).items()}
    real = measure_model(tree, "cortex-m0plus", precision="int8", style=style, inputs="uint8")
    assert found["latency_s"] / device.seconds(1, "mid") == pytest.approx(real.cycles, rel=0.15)
    assert found["flash_bytes"] == pytest.approx(real.flash_bytes, rel=0.1)
    assert found["ram_bytes"] >= real.ram_bytes
    # Float code converts each of them, as any other bytes.
    as_floats = [
        costs(nodes, starts, device, "float32", style, **about | {"inputs": kinds})["latency_s"][0]
        for kinds in (about["inputs"], np.full(144, 1))
    ]
    assert as_floats[0] == as_floats[1]
