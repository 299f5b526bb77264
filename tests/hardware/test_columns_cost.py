"""The cost of making features from columns: counts by hand, laws, and predictions against the emulated cores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neuraltree.export.needed import needed, reads
from neuraltree.hardware import COSTS, breakdown, costs, counted, device_names, laid_out, load_device
from neuraltree.hardware.compare import measure_tree
from neuraltree.hardware.predict import predict_tree
from neuraltree.hardware.profile.devices import Code, UnsupportedDevice
from neuraltree.inputs.encoders import Category, Column, Number, Time
from neuraltree.inputs.encoding import feature_names
from neuraltree.inputs.features import RULES
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, random_model, record
from tests.helpers.table_models import table_models

DEVICES = {name: load_device(name) for name in device_names()}
CODES = [(name, *row) for name, device in DEVICES.items() for row in getattr(device, "rows", [])]


def tree_of(columns: tuple[Column, ...], read: list[int]) -> Tree:
    rows = [(0, IDENTITY, 0.0, 0.0), *((1, i, 1.0, 0.0) for i in read)]
    return Tree(record(rows), "regression", feature_names(columns), columns=columns)


COLUMNS = (Number("a", 1.0, indicator=True), Category("c", ("x", "y", "z")), Time("t", 0.0, parts=("hour",)))


def test_each_feature_that_is_read_counts_once_by_its_rule() -> None:
    # a, a is missing, c=x, c=y, c=z, t, t hour sin, t hour cos
    first, second = tree_of(COLUMNS, [0, 2, 3, 3, 7, 6]), tree_of(COLUMNS, [1, 5])
    nodes, starts, about = laid_out([first, second, replace(random_model(4), columns=None)])
    for precision in ("float32", "int8"):
        counts = counted(nodes, starts, precision, about["input_range"], about["far"], about["rules"])
        found = [dict(zip(RULES, row, strict=True)) for row in counts.rules.tolist()]
        assert found[0] == {"value": 0, "filled": 1, "level": 2, "hole": 0, "cycle": 2}
        assert found[1] == {"value": 1, "filled": 0, "level": 0, "hole": 1, "cycle": 0}
        assert not any(found[2].values())


def test_trees_without_columns_cost_what_they_did() -> None:
    nodes, starts, about = laid_out([random_model(1), random_model(2)])
    assert "rules" not in about
    terms = breakdown(nodes, starts, load_device("cortex-m4f"), "int8", "straight", **about)
    assert "columns" not in terms["latency_s"]


@pytest.mark.parametrize("row", CODES, ids="-".join)
def test_columns_add_to_the_costs_of_every_device(row: tuple[str, str, str, str]) -> None:
    """Every rule adds latency and energy, the sum of the terms is the cost, and each added feature costs more."""
    name, *code = row
    device = DEVICES[name]
    assert not isinstance(device, UnsupportedDevice)
    nodes, starts, about = laid_out([tree_of(COLUMNS, read) for read in ([0, 2, 5, 7], [0], [6, 7])])
    with_columns = costs(nodes, starts, device, *code, **about)
    del about["rules"]
    without = costs(nodes, starts, device, *code, **about)
    assert all((with_columns[cost] >= without[cost]).all() for cost in COSTS)
    assert (with_columns["latency_s"] > without["latency_s"]).all()
    terms = predict_tree("x", tree_of(COLUMNS, [0, 2, 5, 7]), device, Code(*code))
    assert sum(terms.terms["latency_s"].values()) == pytest.approx(terms.costs["latency_s"])


@pytest.mark.parametrize("style", ["straight", "table"])
@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize(
    "core", ["cortex-m4f", *(pytest.param(name, marks=pytest.mark.rare) for name in ("cortex-m0plus", "rv32imc"))]
)
def test_predictions_are_near_the_measurements(core: str, precision: str, style: str) -> None:
    """Cycles and flash within 40 % for every tree, and within 12 % on average; without the term they are far off."""
    for part in ("ziglang", "unicorn"):
        pytest.importorskip(part, reason=f"measuring needs {part}: pip install 'neuraltree[measure]'")
    device, code = load_device(core), Code(precision, style, "clang")
    off, blind = [], []
    for tree in table_models(1):
        found, predicted = measure_tree(tree, device, code), predict_tree("x", tree, device, code)
        assert found.agrees
        alone = predict_tree("x", reads(needed(tree))[0], device, code)
        for cost in ("latency_s", "flash_bytes"):
            off.append(abs(predicted.costs[cost] / found.costs[cost] - 1))
            blind.append(abs(alone.costs[cost] / found.costs[cost] - 1))
    assert max(off) < 0.4
    assert np.mean(off) < 0.12
    assert np.mean(off) < np.mean(blind)
