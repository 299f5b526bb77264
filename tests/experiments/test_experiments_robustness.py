"""The study robustness: its units, the rows of its jobs, lost parameters against plain recursion, and its page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.robustness import certified_attacks
from experiments.common import paper_tables
from experiments.frame.experiment import Row, Unit
from experiments.studies.robustness import conditions as changing
from experiments.studies.robustness import page, parameters, variants
from experiments.studies.robustness.conditions import MISSING, NOISE, RADII, Rows, conditions, looseness
from experiments.studies.robustness.robust_searches import CHOSEN, WAYS
from experiments.studies.robustness.run import EXPERIMENT, IN_INTEGERS, PARAMETERS, SEARCHED_TABLES, TABLES, TREES
from neuraltree.compress import quantize_tree
from neuraltree.tree.tree import Tree
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers import plain_tree
from tests.helpers.random_models import IDENTITY, TANH, record
from tests.helpers.study_pages import rendered

TREE = Tree(
    record([(0, IDENTITY, 0.0, 0.1), (1, TANH, 1.5, 0.2), (2, 0, 0.8, 0.0), (2, 1, -1.1, 0.0), (1, 0, 0.05, 0.0)]),
    "binary",
    ("x", "y"),
    ("a", "b"),
)


def rows_of(tree: Tree, seed: int = 0) -> Rows:
    X = np.random.default_rng(seed).normal(size=(60, 2))
    return Rows(X, np.where(np.arange(60) % 5 == 0, tree.predict(-X), tree.predict(X)))


@pytest.fixture(scope="module")
def made() -> list[Row]:
    """The rows of every job on a made-up table, as the CSV file has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paper_tables, "table", lambda name: made_up())
        patch.setattr(changing, "STEPS", 3)
        patch.setattr(changing, "MORE_STEPS", 3)
        patch.setattr(changing, "REPEATS", 2)
        units = [Unit("glass", job, 0) for job in (TREES, PARAMETERS, *WAYS)]
        return [
            {**row, "table": "glass", "job": unit.job, "seed": 0}
            for unit in units
            for row in EXPERIMENT.run(unit, True)
        ]


def test_units_and_settings() -> None:
    units = list(EXPERIMENT.units(10, False))
    assert len(set(units)) == len(units) == 10 * (2 * len(TABLES) + len(WAYS) * len(SEARCHED_TABLES))
    hashes = [str(EXPERIMENT.settings(Unit("glass", job, 0), False)) for job in (TREES, *WAYS)]
    assert len(set(hashes)) == len(hashes)


def test_every_job_has_the_rows_that_it_says(made: list[Row]) -> None:
    assert all({*EXPERIMENT.columns} <= {*row} for row in made)
    by_job = {job: [row for row in made if row["job"] == job] for job in (TREES, PARAMETERS, *WAYS)}
    labels = [row["model"] for row in by_job[TREES]]
    assert len(labels) == len(set(labels)) == len(variants.VARIANTS) + len(IN_INTEGERS)
    filtered = len(parameters.FILTERS) * len(parameters.SHARES)
    assert len(by_job[PARAMETERS]) == 1 + filtered + len(parameters.FLIPS)
    assert [row["chosen_by"] for way in WAYS for row in by_job[way]] == 2 * [*CHOSEN]


def test_what_is_proved_is_no_more_than_what_attacks_leave(made: list[Row]) -> None:
    """And a larger radius proves less; noise and lost inputs are scores."""
    for row in made:
        if row["job"] == PARAMETERS:
            continue
        proved = [row["clean"], *(row[f"proved_{radius}"] for radius in RADII)]
        assert proved == sorted(proved, reverse=True)
        assert all(row[f"proved_{radius}"] <= min(row[f"pgd_{radius}"], row[f"fgsm_{radius}"]) for radius in RADII)
        assert all(0 <= row[name] <= 1 for name in (*(f"noise_{sd}" for sd in NOISE), f"missing_{MISSING[0]}"))
        assert row["within"] in (0.0, None)


def test_edges_are_counted_by_what_the_score_does_and_filters_take_small_and_large_weights_first() -> None:
    rows = rows_of(TREE)
    found = list(parameters.lost_parameters(TREE, quantize_tree(TREE), rows, 0))
    edges = found[0]

    def accuracy(weight: np.ndarray) -> float:
        predicted = plain_tree.evaluate(TREE.nodes, rows.X, weight, TREE.nodes["bias"][:, 0])[0] > 0
        return float(np.mean(np.where(predicted, "b", "a") == rows.y))

    weight = TREE.nodes["weight"][:, 0]
    change = [accuracy(np.where(np.arange(5) == i, 0.0, weight)) - accuracy(weight) for i in range(1, 5)]
    assert edges["fragile_clean"] == np.mean(np.array(change) < 0) > 0
    assert edges["antifragile_clean"] == np.mean(np.array(change) > 0)
    halves = {row["model"]: row["clean"] for row in found if row.get("removed") == 0.5}
    assert halves["high-pass"] == accuracy(weight * [0, 1, 0, 1, 0])  # the large weights 1.5 and -1.1 pass
    assert halves["low-pass"] == accuracy(weight * [0, 0, 1, 0, 1])
    assert halves["pulse"] == accuracy(weight * [0, 1, 0, 0, 1])


def test_so_many_bits_are_flipped() -> None:
    model, rng = quantize_tree(TREE), np.random.default_rng(0)
    for flips in (0, 1, 3, 10):
        before, after = (
            each.numbers.weight.astype(np.int8).view(np.uint8)
            for each in (model, parameters.flipped(model, flips, rng))
        )
        assert np.unpackbits(before ^ after).sum() == flips


def test_soft_labels_are_what_the_tree_expected_on_clean_rows() -> None:
    """A tree that is sure of nothing teaches nothing else, whatever the labels are."""
    weak = replace(TREE, nodes=record([(0, IDENTITY, 0.0, 0.0), (1, 0, 1e-3, 0.0), (1, 1, 1e-3, 0.0)]))
    rows = rows_of(TREE)
    soft, hard = (variants.VARIANTS[name](weak, rows, 4, 0) for name in (variants.SOFT, variants.HARD))
    assert np.abs(soft.nodes["weight"]).max() < 0.1 < np.abs(hard.nodes["weight"]).max()


def test_conditions_of_a_regression_have_bounds_too() -> None:
    tree = Tree(TREE.nodes, "regression", ("x", "y"))
    X = rows_of(TREE).X
    rows = Rows(X, plain_tree.evaluate(tree.nodes, X)[0] + np.random.default_rng(1).normal(scale=0.2, size=60))
    found = conditions(tree, tree, rows, 0)
    assert found["clean"] > found["pgd_0.2"] >= found["proved_0.2"]  # type: ignore[operator]
    loose = looseness(tree, tree, rows, 0)
    assert loose["within"] == 0
    assert loose["beyond_4"] == 1
    integers = conditions(quantize_tree(tree), tree, rows, 0)
    assert integers["proved_0.2"] is None
    assert integers["radius"] == pytest.approx(found["radius"], rel=0.1)


def test_the_page(made: list[Row], tmp_path: Path) -> None:
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in made]
    text = rendered(page, texts, tmp_path, "robustness")
    for part in ("Certified radii", "antifragile", "low-pass", "bits flipped", "least robust_error", variants.SOFT):
        assert part in text


def test_certificates_are_attacked_and_a_wrong_one_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    X, attacking = rows_of(TREE).X, certified_attacks.ATTACKING
    for model in (TREE, quantize_tree(TREE)):
        found = certified_attacks.attacked(model, TREE, X, None, 600, 0)
        assert found["attacks"] >= 600
        assert not any(found[name] for name in attacking)
    numbers = Tree(TREE.nodes, "regression", ("x", "y"))
    assert not any(certified_attacks.attacked(numbers, numbers, X, 0.3, 600, 0)[name] for name in attacking)
    monkeypatch.setattr(certified_attacks, "INSIDE", 1.2)
    for model in (TREE, quantize_tree(TREE)):
        found = certified_attacks.attacked(model, TREE, X, None, 600, 0)
        assert all(found[name] for name in attacking if name != "between")
    row = {"table": "t", "seed": 0, "weights": 7, "model": "float", **found}
    assert "counter-examples" in certified_attacks.page({"command": "here", "rows": [row]})
