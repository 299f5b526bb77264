"""What is said about classes and groups: which is positive, too few rows to judge by, recall of a rare one, errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuraltree.tree.nodes import Nodes, node_dtype
from search.config.config import config_of
from search.engine.evaluate import Problem, validation_outputs
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.judge.notices import at_end, at_start
from search.table.data import Table
from search.table.split_columns import Groups

ROWS = 200


def table_of(rare: int) -> Table:
    """The first ``rare`` rows are alarms; the only input is 1 there, else -1, but for two false alarms."""
    y = (np.arange(ROWS) < rare).astype(np.int64)
    X = np.where(np.arange(ROWS) < rare + 2, 1.0, -1.0)[:, None]
    return Table(X, y, ("x",), "y", ("alarm no", "alarm"), "binary", digest="")


def prepared(table: Table) -> Setup:
    raw = {"data": {"source": "alarms"}, "search": {"folds": 2}}
    return set_up(config_of(raw, "test"), table, all_rows=True)


def tree(weight: float, bias: float) -> Nodes:
    """The logit weight x + bias."""
    made = np.zeros(2, dtype=node_dtype(2))
    made["depth"], made["op"] = [0, 1], [~5, 0]
    made["weight"][1], made["bias"][0] = weight, bias
    return made


def found(table: Table, problem: Problem, trees: list[Nodes], thresholds: np.ndarray, chosen: int) -> list[str]:
    return at_end(table, problem, validation_outputs(problem, trees), thresholds, chosen)


def test_few_rows_of_a_class_are_told() -> None:
    table = table_of(9)
    assert at_start(table, prepared(table)) == [
        "classes with fewer than 10 validation rows: 'alarm' 9; errors say little about them"
    ]
    table = table_of(10)
    assert at_start(table, prepared(table)) == []
    numbers = replace(table, y=np.linspace(0, 1, ROWS), classes=None, kind="regression")
    assert at_start(numbers, prepared(numbers)) == at_end(numbers, prepared(numbers).problem, [], np.zeros(0), 0) == []


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ({"objectives": ["f1", "recall_at_precision_0.5", "weights"]}, "f1, recall_at_precision_0.5"),
        ({"objectives": ["roc_auc", "weights"], "threshold": "tuned"}, "the threshold"),
        ({"objectives": ["roc_auc", "weights"]}, ""),
    ],
)
def test_the_positive_class_is_told_if_the_search_looks_for_it(search: dict[str, Any], names: str) -> None:
    table = table_of(50)
    setup = set_up(config_of({"data": {"source": "alarms"}, "search": {"folds": 2} | search}, "test"), table)
    told = f"positive class, for {names}: 'alarm'; task.positive chooses another"
    assert at_start(table, setup) == ([told] if names else [])


def test_models_that_all_predict_one_class_are_told() -> None:
    table = table_of(10)
    problem = prepared(table).problem
    (line,) = found(table, problem, [tree(0, -3), tree(0.1, -9)], np.zeros(2), 0)
    assert line.startswith("every model predicts 'alarm no' for every row: choose an objective that rewards rare")
    (line,) = found(table, problem, [tree(0, -3), tree(1, 0)], np.zeros(2), 0)
    assert line == "the recommended model finds 0 of the 10 rows of 'alarm' (recall 0.00), with 0 false alarms"
    (line,) = found(table, problem, [tree(0, -3), tree(1, 0)], np.array([-4.0, 0]), 0)
    assert line.endswith("(recall 1.00), with 190 false alarms")


@pytest.mark.parametrize("rare", [10, 30])
def test_the_recall_of_a_rare_class_is_that_of_the_recommended_model(rare: int) -> None:
    table = table_of(rare)
    (line,) = found(table, prepared(table).problem, [tree(0, -3), tree(1, 0)], np.zeros(2), 1)
    said = f"finds {rare} of the {rare} rows of 'alarm' (recall 1.00), with 2 false alarms"
    assert line == f"the recommended model {said}"


def test_the_recall_of_a_class_that_is_not_rare_is_not_told() -> None:
    table = table_of(60)
    assert found(table, prepared(table).problem, [tree(1, 0)], np.zeros(1), 0) == []


def test_the_errors_of_fairness_groups_are_told_the_worst_first() -> None:
    fairness = Groups(("north", "south"), (np.arange(ROWS) >= ROWS - 9).astype(np.int64))
    table = replace(table_of(60), fairness=fairness)
    few = "fairness groups with fewer than 10 validation rows: 'south' 9; errors say little about them"
    assert at_start(table, prepared(table)) == [few]
    trees = [tree(0, 3), tree(1, 0)]  # the first says alarm everywhere
    (line,) = found(table, prepared(table).problem, trees, np.zeros(2), 0)
    assert line.endswith("by the recommended model: 'south' 1.0000, 'north' 0.6859")
    many = replace(table, fairness=Groups(tuple("abcdefg"), np.arange(ROWS) % 7))
    (line,) = found(many, prepared(many).problem, trees, np.zeros(2), 0)
    assert line.count("0.") == 5
    assert line.endswith(" and 2 more with less")


def test_the_worst_group_needs_groups() -> None:
    raw = {"data": {"source": "alarms"}, "search": {"objectives": ["worst_group_error", "weights"]}}
    with pytest.raises(InputError, match=r"'worst_group_error' compares the groups of data\.fairness_group"):
        set_up(config_of(raw, "test"), table_of(60))


def test_of_many_small_groups_the_smallest_are_named() -> None:
    table = replace(table_of(60), fairness=Groups(tuple(f"g{i:03}" for i in range(100)), np.arange(ROWS) % 100))
    (line,) = at_start(table, prepared(table))
    assert line.startswith("fairness groups with fewer than 10 validation rows: 'g000' 2, ")
    assert line.endswith("'g004' 2 and 95 more; errors say little about them")


def test_a_quantile_that_no_objective_judges_is_told() -> None:
    numbers = replace(table_of(60), y=np.linspace(0, 1, ROWS), classes=None, kind="regression")
    raw = {"data": {"source": "alarms"}, "task": {"loss": "pinball_0.9"}}
    (line,) = at_start(numbers, set_up(config_of(raw, "test"), numbers))
    assert line.startswith("trees learn a quantile, by the loss pinball_0.9, which no objective judges")
    raw["search"] = {"objectives": ["pinball_0.9", "weights"]}
    assert at_start(numbers, set_up(config_of(raw, "test"), numbers)) == []


def test_columns_that_integers_round_away_are_told() -> None:
    rng = np.random.default_rng(0)
    numbers = replace(table_of(60), X=rng.uniform(-3, 3, (ROWS, 2)), features=("near", "wide"))
    raw = {"data": {"source": "alarms"}, "hardware": {"device": "cortex-m4f", "input": "int16/100"}}
    told = [line for line in at_start(numbers, set_up(config_of(raw, "test"), numbers)) if "values" in line]
    assert told == []
    raw["hardware"]["input"] = {"default": "int16/100", "near": "int16"}
    setup = set_up(config_of(raw, "test"), numbers)
    (line,) = [line for line in at_start(numbers, setup) if "values" in line]
    different = len(set(numbers.X[setup.train_rows, 0].tolist()))
    assert line == (
        f"hardware.input: 'near' as int16 has 7 of {different} values; a scale keeps more of them, as in int16/100"
    )
