"""The table of objectives: names and levels, the tables they serve, their columns, bounds and labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuraltree.tasks.metrics import metric_named
from search.config.config import config_of, load_config
from search.engine.evaluate import evaluate
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.folder.columns import described
from search.objectives import (
    KINDS,
    OBJECTIVES,
    columns_of,
    find,
    level_fault,
    metric_label,
    metric_names,
    named_columns,
)
from search.pictures.axes import column
from search.table.data import Table
from search.table.split_columns import Groups
from tests.search.test_honest import table_of


def prepared(kind: str, *names: str, **sections: dict[str, object]) -> tuple[Setup, Table]:
    table = table_of(kind)
    table = replace(table, fairness=Groups(("a", "b"), (np.arange(len(table.y)) % 3 == 0).astype(np.int64)))
    raw = {"data": {"source": kind}, "search": {"objectives": list(names), "population": 6, "folds": 2}}
    return set_up(config_of(raw | sections, "the test"), table), table


@pytest.mark.parametrize("name", ["pinball_0.5", "recall_at_precision_0.05", "precision_at_recall_0.999", "f1_macro"])
def test_a_name_has_a_row(name: str) -> None:
    row = find(name)
    assert row is not None
    assert row.name == name
    assert not level_fault(name)


@pytest.mark.parametrize(
    "level", ["", "_", "_0", "_1", "_1.0", "_0.0", "_0.50", "_.5", "_-0.5", "_5e-1", "_nan", "_0.5_0.5"]
)
@pytest.mark.parametrize("stem", [row.name for row in OBJECTIVES if row.level])
def test_a_level_is_between_0_and_1_and_has_one_text(stem: str, level: str) -> None:
    assert find(stem + level) is None
    assert level_fault(stem + level) == (
        f"'{stem}{level}' needs a level between 0 and 1, without zeros at its end, as in '{stem}_0.5'"
    )


@pytest.mark.parametrize("name", ["error_0.5", "one_minus_f1", "f1_0.5", "F1", "one_minus_rmse"])
def test_a_name_that_is_none(name: str) -> None:
    assert find(name) is None
    assert not level_fault(name)
    with pytest.raises(InputError, match=r"search\.objectives has the unknown name"):
        prepared("binary", name, "weights")


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("row", [row for row in OBJECTIVES if row.source == "metric"], ids=lambda row: row.name)
def test_an_error_serves_the_tables_that_it_says(row, kind: str) -> None:  # type: ignore[no-untyped-def]
    if kind not in KINDS[row.tasks]:
        with pytest.raises(InputError) as caught:
            prepared(kind, row.form, "weights")
        assert f"'{row.form}' is for {row.tasks}, but '{kind}' is a {kind} task; allowed here: " in str(caught.value)
        suited = str(caught.value).split("allowed here: ")[1].split(", ")
        assert ("pinball_0.5" in suited, "roc_auc" in suited) == (kind == "regression", kind != "regression")
        assert ("average_precision" in suited) == (kind == "binary")
        return
    setup, table = prepared(kind, row.form, "weights")
    rng = np.random.default_rng(0)
    trees = [setup.strategy.new_tree(rng) for _ in range(4)]
    columns = evaluate(setup.problem, trees, 0).columns
    names = columns_of(row.form, table.classes)
    assert setup.strategy.objectives == (*names, "weights")
    assert all(np.isfinite(columns[name]).all() and (columns[name] >= 0).all() for name in names)
    if row.name != "class_errors":
        assert columns["val_error"].tolist() == columns[names[0]].tolist()


def test_a_useless_model_is_not_beyond_the_default_reference() -> None:
    """A constant: 0, the mean of the targets, or no preference among the classes."""
    for kind in KINDS["both"]:
        names = [row.form for row in OBJECTIVES if row.source == "metric" and kind in KINDS[row.tasks]]
        names.remove("class_errors") if kind != "regression" else None
        setup, _ = prepared(kind, *names, search={"objectives": names, "selection": "nsga3"})
        problem = setup.problem
        outputs = np.zeros((1, problem.task.n_outputs, len(problem.truth.target)))
        metrics = [problem.metrics[name] for name in setup.strategy.objectives]
        errors = [metric_named(name)(problem.truth, outputs)[0] for name in metrics]
        assert (np.array(errors) <= setup.strategy.reference + 1e-9).all()


def test_scores_are_held_as_one_minus_the_score() -> None:
    setup, _ = prepared(
        "binary",
        "log_loss",
        "f1_macro",
        "recall_at_precision_0.9",
        constraints={"f1_macro": 0.4},
        reference={"recall_at_precision_0.9": 0.75},
    )
    columns = ("log_loss", "one_minus_f1_macro", "one_minus_recall_at_precision_0.9")
    assert setup.strategy.objectives == columns
    assert setup.problem.metrics == {"val_error": "log_loss", **{name: name for name in columns}}
    assert setup.strategy.bounds == {"one_minus_f1_macro": 0.4}
    assert setup.strategy.reference.tolist() == [2.0, 1.0, 0.75]
    assert metric_names([*columns, "weights", "error_class_a"]) == list(columns)
    assert named_columns(columns[1:]) == ["val_error", columns[2]]


def test_a_bound_on_a_score_needs_the_objective() -> None:
    with pytest.raises(InputError, match=r"constraints\.f1_macro: an error can be bounded only if it is an objective"):
        prepared("binary", "f1", constraints={"f1_macro": 0.4})


def test_a_level_can_be_set_on_the_command_line_and_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('data.source = "diabetes"\n[constraints]\n"pinball_0.9" = 3\n[reference]\n"pinball_0.9" = 9\n')
    config = load_config(path, ['search.objectives=["pinball_0.9"]', "constraints.pinball_0.9=2"])
    assert config.constraints == {"pinball_0.9": 2.0}
    assert config.reference == {"pinball_0.9": 9.0}


def test_labels_follow_from_the_table() -> None:
    assert metric_label("f1_macro") == metric_label("one_minus_f1_macro") == "1 − macro F1"
    assert metric_label("pinball_0.9") == "pinball loss at quantile 0.9"
    assert metric_label("weights") == metric_label("other") == metric_label("error") == ""
    found = described(["val_error", "one_minus_f1", "log_loss", "weights"], "one_minus_roc_auc", "binary")
    assert [row.label for row in found.values()] == [
        *("validation error (1 − ROC AUC)", "validation 1 − F1", "validation log loss", "weights")
    ]
    assert column("test_error", ["one_minus_average_precision"]).label == "test 1 − average precision"
    assert column("one_minus_f1").label == "1 − F1"


def test_every_error_but_the_default_has_a_label() -> None:
    assert [row.name for row in OBJECTIVES if (row.source == "metric") != bool(row.label)] == ["error"]
