"""Federated averaging: pooled sums, averages, rounds against plain gradient descent, and searches by clients."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.engine.forest import load_params, pack
from neuraltree.engine.training import Settings, make_data
from neuraltree.federated.averaging import Plan, averaged, shares, traffic_bytes, training_rounds
from neuraltree.federated.pooling import pooled, pooled_scaler, sums_of
from neuraltree.tree.nodes import join, node_dtype
from search.config.config import config_of
from search.engine.evolution_step import generations
from search.engine.problem import set_up
from search.errors import InputError
from search.federated.client_search import client_search
from search.runs.progress import Phases
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.strategies import steady


def test_public_names_are_functions_however_often_they_are_imported() -> None:
    import neuraltree.federated as federated

    for _ in range(2):  # an import of a module of the same name would hide the function from then on
        assert all(callable(getattr(federated, name)) for name in federated.__all__)


@steady
@given(st.lists(st.integers(0, 7), min_size=1, max_size=4).filter(any), st.sampled_from([0.0, 1e8, -1e-3]))
def test_sums_scale_as_all_rows_together(counts: list[int], middle: float) -> None:
    rng = np.random.default_rng(len(counts))
    clients = [middle + rng.standard_normal((count, 3)) * [1, 1e-2, 0] for count in counts]
    found, rows = pooled_scaler(clients), np.concatenate(clients)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-12, atol=1e-15)
    constant = rows.min(axis=0) == rows.max(axis=0)
    np.testing.assert_allclose(found.scale, np.where(constant, 1, rows.std(axis=0)), rtol=1e-5)


def test_sums_about_different_origins_are_refused() -> None:
    with pytest.raises(ValueError, match="different origins"):
        pooled([sums_of(np.ones((2, 1))), sums_of(np.ones((2, 1)), 1.0)])
    with pytest.raises(ValueError, match="3 and 2 columns"):
        pooled_scaler([np.ones((2, 3)), np.ones((2, 2))])
    with pytest.raises(ValueError, match="not finite"):
        pooled_scaler([np.full((2, 3), np.nan)])
    with pytest.raises(ValueError, match="beyond doubles"), np.errstate(over="ignore", invalid="ignore"):
        pooled_scaler([np.array([[1e200], [-1e200]])])
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        pooled_scaler([np.ones(3)])
    with pytest.raises(ValueError, match="no rows"):
        pooled([sums_of(np.ones((0, 1)))])


def test_averages_count_rows() -> None:
    weights = np.array([[1.0, 2.0], [4.0, 8.0], [np.nan, np.inf]])
    assert averaged(weights, [3, 1, 0]).tolist() == [1.75, 3.5]
    assert shares([1, 3]).tolist() == [0.25, 0.75]
    with pytest.raises(ValueError, match="each of the 2 clients"):
        averaged([[1.0]], [1, 1])
    for count in (np.nan, np.inf):
        with pytest.raises(ValueError, match="above 0"):
            shares([count, 1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="above 0"):
        shares([0, 0])


def test_the_traffic_of_the_sheet() -> None:
    assert traffic_bytes(61, clients=1, rounds=1) == 488


def plain_rounds(X, y, clients, start, *, rounds: int, epochs: int, rate: float, batch: int):
    """FedAvg of a linear model by gradient descent on consecutive batches, in plain NumPy."""
    X = np.column_stack([np.ones(len(X)), X])
    common = start.copy()
    for _ in range(rounds):
        found = np.zeros_like(common)
        for rows in clients:
            w = common.copy()
            for _ in range(epochs):
                for first in range(0, len(rows), batch):
                    part = rows[first : first + batch]
                    w -= rate * X[part].T @ (X[part] @ w - y[part]) / len(part)
            found += w * len(rows) / sum(map(len, clients))
        common = found
    return common


@pytest.mark.parametrize("epochs", [1, 3])
def test_rounds_of_a_linear_tree_are_those_of_plain_gradient_descent(epochs: int) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 3)), rng.standard_normal(30)
    clients = [np.arange(3), np.arange(3, 21), np.arange(21, 30), np.arange(0)]
    nodes = np.zeros(4, node_dtype())
    nodes["depth"], nodes["op"] = [0, 1, 1, 1], [~5, 0, 1, 2]
    nodes["weight"][1:, 0], nodes["bias"][0, 0] = rng.standard_normal(3), 0.3
    nodes, starts = join([nodes])
    packed = pack(nodes, starts, 3)
    params = load_params(packed, nodes, "float64")[0]
    # A batch holds all rows of a client, so that the order of rows does not count.
    settings = Settings("squared", "sgd", 0.1, "constant", batch_size=20, precision="float64")
    data = make_data(X, y[:, None], None, "float64")
    (*_, last) = training_rounds(packed.forest, settings, data, clients, params, Plan(4, epochs), seed=0)
    start = np.concatenate([nodes["bias"][0], nodes["weight"][1:, 0]])
    expected = plain_rounds(X, y, clients[:3], start, rounds=4, epochs=epochs, rate=0.1, batch=20)
    places = packed.place
    np.testing.assert_allclose(last[places], expected, rtol=1e-12)
    if epochs == 1:  # one step of each client is one step on all rows
        together = plain_rounds(X, y, [np.arange(30)], start, rounds=4, epochs=1, rate=0.1, batch=30)
        np.testing.assert_allclose(last[places], together, rtol=1e-12)


PLAN = Plan(2, 2)


def searching(clients: list[np.ndarray], plan: Plan = PLAN):
    table = made_up()
    own = {"search": {"population": 6, "folds": 1}, "train": {"batch_size": 16}, "data": {"source": "made up"}}
    setup = set_up(config_of(own, "the test"), table, workers=1)
    return client_search(setup, clients, plan, seed=0)


def test_clients_evolve_trees_with_common_weights_by_their_own_errors() -> None:
    rows = np.random.default_rng(0).permutation(40)
    clients = [rows[:25], rows[25:]]
    problem, strategy = searching(clients)
    for (fit, held), own in zip(problem.folds, clients, strict=True):
        assert sorted([*fit, *held]) == sorted(own)
        assert len(held) == len(own) // 4
    states = [state for state, _ in islice(generations(problem, strategy, Phases()), 3)]
    members = states[-1].members
    assert len(members.trees) == 6
    for tree in members.trees:
        assert np.array_equal(tree["weight"][:, 0], tree["weight"][:, 1])
        assert np.array_equal(tree["bias"][:, 0], tree["bias"][:, 1])
    again = [state for state, _ in islice(generations(problem, strategy, Phases()), 3)]
    assert [tree.tobytes() for tree in again[-1].members.trees] == [tree.tobytes() for tree in members.trees]


def test_a_client_without_rows_is_refused() -> None:
    with pytest.raises(InputError, match="client 1 has 1 rows"):
        searching([np.arange(9), np.arange(9, 10)])


@pytest.mark.parametrize("clients", [[], [np.arange(999)], [np.array([-1, 0, 1])], [np.array([0.0, 1.0, 2.0])]])
def test_rows_that_are_none_are_refused(clients: list[np.ndarray]) -> None:
    with pytest.raises(InputError, match="a whole number from 0 to"):
        searching(clients)


@pytest.mark.parametrize("clients", [[np.zeros(4, int)], [np.arange(5), np.arange(4, 9)]])
def test_a_row_belongs_to_one_client_once(clients: list[np.ndarray]) -> None:
    with pytest.raises(InputError, match="a row belongs to two clients, or to one twice"):
        searching(clients)


@pytest.mark.parametrize("plan", [Plan(0, 1), Plan(1, -1), Plan(1.5, 1)])  # type: ignore[arg-type]
def test_a_plan_has_whole_rounds_and_epochs(plan: Plan) -> None:
    with pytest.raises(ValueError, match="must be a whole number of 1 or more"):
        searching([np.arange(9)], plan)
