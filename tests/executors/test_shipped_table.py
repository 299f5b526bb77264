"""A table that was shipped is the table, so that its run is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuraltree.tree.scaler import Scaler
from search.engine.problem import set_up
from search.executors.shipped_table import table_in, table_message
from search.executors.wire import WireError, pack, unpack
from search.table.data import Table, Whole
from search.table.loading import load_table
from search.table.split_columns import Groups, Rules
from tests.helpers.executor_runs import config
from tests.helpers.small_tables import KINDS, small_table
from tests.helpers.streamed import cells_of, config_for, written

PENGUINS = Path(__file__).parents[1] / "search" / "penguins.csv"


def tables() -> dict[str, Table]:
    found = {kind: small_table(kind, 40, 3) for kind in KINDS}
    rng = np.random.default_rng(0)
    codes = rng.integers(4, size=40)
    found["rules"] = replace(
        found["binary"],
        weight=rng.uniform(size=40),
        rules=Rules(group=codes, time=np.arange(40)),
        fairness=Groups(("a", "b", "c", "é"), codes),
        classes=("no", "ya"),
    )
    found["several targets"] = replace(found["regression"], y=rng.normal(size=(40, 2)))
    found["columns"] = load_table(config(data={"source": str(PENGUINS), "target": "species"}))
    scalers = Scaler(np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0, 3.0])), Scaler(np.array([5.0]), np.array([7.0]))
    found["a sample of numbers"] = replace(found["regression"], whole=Whole(*scalers, 10**6))
    found["a sample of classes"] = replace(found["multiclass"], whole=Whole(scalers[0], None, 10**6))
    return found


TABLES = tables()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_comes_back(name):
    table = TABLES[name]
    found = table_in(table_message(table))
    for each in ("features", "target", "classes", "kind", "digest", "columns"):
        assert getattr(found, each) == getattr(table, each), each
    assert found.X.tobytes() == table.X.tobytes()
    assert found.y.tobytes() == table.y.tobytes()
    assert (found.weight is None) == (table.weight is None)
    assert found.rules.arrays.keys() == table.rules.arrays.keys()
    assert all(np.array_equal(found.rules.arrays[rule], codes) for rule, codes in table.rules.arrays.items())
    assert (found.fairness is None) == (table.fairness is None)
    if table.fairness is not None:
        assert found.fairness.names == table.fairness.names
        assert np.array_equal(found.fairness.codes, table.fairness.codes)


@pytest.mark.parametrize("name", ["columns", "regression", "a sample of numbers", "a sample of classes"])
def test_the_run_of_a_shipped_table_is_the_same(name):
    one, other = (set_up(config(), table, workers=1).problem for table in (TABLES[name], shipped(name)))
    assert one.data.inputs.tobytes() == other.data.inputs.tobytes()
    assert one.data.targets.tobytes() == other.data.targets.tobytes()
    assert all(
        np.array_equal(a, b) for p, q in zip(one.folds, other.folds, strict=True) for a, b in zip(p, q, strict=True)
    )


@pytest.mark.parametrize("kind", ["regression", "multiclass"])
def test_the_run_of_a_table_that_is_read_in_blocks_is_the_same(tmp_path, kind):
    made = config_for(written(tmp_path, cells_of(kind, 900)), 200)
    table = load_table(made)
    one, other = (set_up(made, each, workers=1) for each in (table, table_in(table_message(table))))
    for part in ("inputs", "targets", "weight"):
        assert getattr(one.problem.data, part).tobytes() == getattr(other.problem.data, part).tobytes(), part
    assert one.problem.truth.scale == other.problem.truth.scale


def shipped(name: str) -> Table:
    return table_in(table_message(TABLES[name]))


DAMAGES: dict[str, Any] = {
    "no facts": lambda facts, arrays: ({}, arrays),
    "no inputs": lambda facts, arrays: (facts, {k: v for k, v in arrays.items() if k != "X"}),
    "a column of no encoder": lambda facts, arrays: (facts | {"columns": [{"encoder": "code", "name": "a"}]}, arrays),
    "no list of features": lambda facts, arrays: (facts | {"features": 3}, arrays),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_table_is_refused(damage):
    facts, arrays = DAMAGES[damage](*unpack(table_message(TABLES["columns"])))
    with pytest.raises(WireError, match="no table of a search"):
        table_in(pack(facts, arrays))
