"""``hardware.input``: checked against the table, in the costs of a search and in its final measurements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuraltree.compress.formats import InputSpec
from neuraltree.export import export_c
from neuraltree.hardware.measured_costs import Measured
from neuraltree.tree.nodes import one_set
from search.config.config import config_hash, config_of
from search.engine.evaluate import costs
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.judge import finish, measured_front
from search.table.data import Table

RAW: dict[str, Any] = {
    "data": {"source": "counts"},
    "search": {"folds": 2, "population": 8, "objectives": ["error", "latency_s"]},
}
HARDWARE = {"device": "cortex-m0plus", "precision": "int8"}


def counts(rows: int = 80) -> Table:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 4096, rows), rng.integers(0, 200, rows), rng.integers(-90, 90, rows)])
    y = (X[:, 0] > 2000).astype(int) ^ (X[:, 1] > 100).astype(int)
    return Table(X.astype(float), y, ("adc", "level", "tilt"), "y", ("no", "yes"), "binary", digest="")


def made(spec: InputSpec | None) -> Setup:
    hardware = HARDWARE if spec is None else HARDWARE | {"input": spec}
    return set_up(config_of(RAW | {"hardware": hardware}, "test"), counts())


def test_the_hash_of_a_config_without_the_key_stays() -> None:
    plain, named = (config_of(RAW | {"hardware": HARDWARE | more}, "test") for more in ({}, {"input": "float32"}))
    assert config_hash(plain) == config_hash(named)
    assert config_hash(plain) != config_hash(config_of(RAW | {"hardware": HARDWARE | {"input": "int16"}}, "test"))


@pytest.mark.parametrize(
    ("spec", "kinds"),
    [("int16", [0, 0, 0]), ({"adc": "int16/4", "level": "uint8"}, [0, 1, -1]), ({"default": "float32"}, None)],
)
def test_the_costs_of_a_search_know_the_types(spec: InputSpec, kinds: list[int] | None) -> None:
    found = made(spec).problem.about_costs["inputs"]
    assert (found is None) if kinds is None else (found.tolist() == kinds)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("int12", "hardware.input: unknown input 'int12'; allowed: float32, int16, uint8"),
        ({"speed": "int16"}, "hardware.input: no column 'speed'; allowed: default, adc, level, tilt"),
        ("uint8", "hardware.input: column 'adc' was learned from"),
        ({"tilt": "uint8"}, "hardware.input: column 'tilt' was learned from"),
    ],
)
def test_what_the_table_does_not_have_or_fit_is_refused(spec: InputSpec, message: str) -> None:
    with pytest.raises(InputError, match=message):
        made(spec)


def test_trees_of_the_front_are_measured_and_costed_with_their_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    setup, seen = made("int16"), []

    def measured(tree: Any, device: Any, code: Any, inputs: InputSpec, **_: Any) -> Measured:
        seen.append(inputs)
        return Measured({"latency_s": 1.0, "flash_bytes": 1.0, "ram_bytes": 1.0}, agrees=True)

    monkeypatch.setattr(measured_front, "measure_tree", measured)
    monkeypatch.setattr(measured_front, "check_measurable", lambda *_: None)
    nodes = setup.strategy.new_tree(np.random.default_rng(1))
    single = one_set(nodes, nodes["weight"][:, 0], nodes["bias"][:, 0])
    tree = finish.to_tree(setup, counts(), single)
    measured_front.measure_front(setup.problem, [(tree, setup.problem.rule.codes[0], 0)], print, lambda: False)
    assert seen == ["int16"]
    assert "const int16_t *x" in export_c(tree, precision="int8", inputs=setup.problem.inputs.spec)["model.h"]
    assert np.isfinite(costs(setup.problem, [nodes])["latency_s"]).all()
