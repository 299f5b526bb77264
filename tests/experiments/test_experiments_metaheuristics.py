"""The study of weights by metaheuristics: its minimisers, its problems, its rows, and its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.frame.experiment import Unit
from experiments.studies.metaheuristics import page
from experiments.studies.metaheuristics.minimisers import MINIMISERS, Search
from experiments.studies.metaheuristics.run import BOUNDS, EVALUATIONS, EXPERIMENT, FUZZY, LONGER, NEURAL
from experiments.studies.metaheuristics.weight_problems import fuzzy_problem, neural_problem, scaled_rows
from neuraltree.tree.generate import reference_tree
from search.table.data import Table
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.plain_losses import value


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    found: Table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: found)
    return found


@pytest.mark.parametrize("name", MINIMISERS)
def test_a_minimiser_comes_near_a_known_minimum_within_its_budget_and_bounds(name: str) -> None:
    asked = []

    def losses(vectors: np.ndarray) -> np.ndarray:
        asked.append(vectors.copy())
        return ((vectors - [0.3, -2.0]) ** 2).sum(axis=1)

    search = Search(losses, np.full(2, -1.0), np.ones(2), 1000, 0)
    found = MINIMISERS[name](search)
    seen = np.concatenate(asked)
    assert 950 <= len(seen) <= 1000
    assert (np.abs(seen) <= 1).all()
    assert found == pytest.approx([0.3, -1.0], abs=0.12 if name == "random" else 0.02)
    assert np.array_equal(MINIMISERS[name](search), found)


def test_losses_of_a_neural_tree_are_those_of_plain_recursion() -> None:
    rows = scaled_rows("glass", 0)
    problem = neural_problem(rows, np.random.default_rng(1))
    tree = reference_tree(np.random.default_rng(1), rows.inputs.shape[1], rows.targets.shape[1], leaf_probability=0.5)
    assert problem.size == np.count_nonzero(tree["depth"] > 0) + np.count_nonzero(tree["op"] < 0)
    vectors = np.full((2, problem.size), 0.25)
    vectors[1] = -0.5
    tops = np.flatnonzero(tree["depth"] == 0).tolist()
    for vector, loss in zip(vectors, problem.losses(vectors), strict=True):
        tree["weight"], tree["bias"] = vector[0], vector[0]
        plain = [[value(tree, top, x) for top in tops] for x in rows.inputs.tolist()]
        assert loss == pytest.approx(np.mean((np.array(plain) - rows.targets) ** 2), rel=1e-4)
        wrong = np.mean(np.argmax(plain, axis=1) != rows.targets.argmax(axis=1))
        assert problem.error_rates(vector[None])[0] == pytest.approx(wrong)


@pytest.mark.parametrize("model", [NEURAL, *FUZZY])
def test_gradients_lower_the_loss_from_a_vector(model: str) -> None:
    rng, rows = np.random.default_rng(2), scaled_rows("glass", 0)
    problem = neural_problem(rows, rng) if model == NEURAL else fuzzy_problem(rows, rng, FUZZY[model])
    low, high = problem.limits or (-np.ones(problem.size), np.ones(problem.size))
    start = rng.uniform(low, high)
    found = problem.by_gradients(start, 30, 0)
    before, after = problem.losses(np.array([start, found]))
    assert after < before
    assert np.isfinite(problem.test_score(found))


def test_vectors_are_independent_of_their_company() -> None:
    rows = scaled_rows("glass", 0)
    for problem in (neural_problem(rows, np.random.default_rng(3)), fuzzy_problem(rows, np.random.default_rng(3), 2)):
        vectors = np.random.default_rng(4).uniform(0.1, 0.9, (3, problem.size))
        alone = [problem.losses(vector[None])[0] for vector in vectors]
        assert problem.losses(vectors).tolist() == pytest.approx(alone, rel=1e-6)


def test_units_rows_and_settings() -> None:
    units = list(EXPERIMENT.units(10, False))
    assert len(set(units)) == len(units)
    hashes = {str(EXPERIMENT.settings(Unit("dee", model, 0), False)) for model in (NEURAL, "fuzzy_1")}
    assert len(hashes) == 2
    rows = EXPERIMENT.run(Unit("glass", NEURAL, 0), True)
    assert len(rows) == 1 + (len(MINIMISERS) + 1) * len(BOUNDS)
    assert all(set(row) == set(EXPERIMENT.columns) for row in rows)
    assert all(row["evaluations"] <= row["budget"] for row in rows)


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rows = []
    for model in (NEURAL, "fuzzy_1"):
        for seed in range(3):
            for place, (method, bounds, budget) in enumerate(
                [("gradients", "none", EVALUATIONS), ("de", "[-1, 1]", EVALUATIONS), ("de", "[-1, 1]", LONGER)]
            ):
                row = {"table": "dee", "job": model, "seed": str(seed), "method": method, "bounds": bounds}
                numbers = {"budget": budget, "train_loss": 0.01 * (place + 1), "test_score": 0.8, "fit_s": 0.05}
                rows.append(row | {name: repr(each) for name, each in numbers.items()})
    page.render(rows, tmp_path)
    text = (tmp_path / "metaheuristics.md").read_text()
    assert "| de [-1, 1], 5,100 | .0300 [.0300, .0300] | .800 [.800, .800] |" in text
    assert "## Fuzzy trees of type 1" in text
    assert "## Fuzzy trees of interval type 2" not in text
    assert "de [-1, 1], 5,100" not in page.headline(rows)
