"""Federated averaging of trees of one structure (McMahan et al. 2017, *Communication-Efficient Learning of Deep
Networks from Decentralized Data*, algorithm 1).

A client is a fold of the engine: it has rows and weights of its own and the structure of all. All clients take part in
every round. Secure aggregation, which hides each client's weights from the coordinator, is out of scope.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from neuraltree.engine.forest import Forest, Indices
from neuraltree.engine.lowering import lowering
from neuraltree.engine.optimizers import SCHEDULES
from neuraltree.engine.training import Data, Settings, make_course
from neuraltree.option_values import check_whole

BYTES = 4  # of a weight that travels
NOBODY: Indices = np.zeros(0, np.int32)


class Plan(NamedTuple):
    """``rounds`` of averaging, before each of which every client trains for ``epochs``."""

    rounds: int
    epochs: int


def check_plan(plan: Plan) -> None:
    """``ValueError`` unless rounds and epochs are whole numbers of 1 or more."""
    for name, value in plan._asdict().items():
        check_whole(name, value)


def rate_shares(schedule: str, rounds: int) -> list[float]:
    """The share of the learning rate that a schedule leaves in each round, constant within it."""
    found: list[float] = SCHEDULES[schedule].share(np.arange(rounds) / rounds).tolist()
    return found


def shares(counts: Sequence[int]) -> FloatArray:
    """(clients,) the share n_k / n of each client's rows. ``ValueError`` without a row, or for no number of rows."""
    rows = np.asarray(counts, dtype=np.float64)
    if rows.ndim != 1 or not rows.any() or not (np.isfinite(rows) & (rows >= 0)).all():
        raise ValueError(f"the clients have {list(counts)} rows; each count is 0 or more, and one is above 0")
    return rows / rows.sum()


def averaged(weights: ArrayLike, counts: Sequence[int]) -> FloatArray:
    """sum_k (n_k / n) w_k of weights (clients, ...) by the clients' numbers of rows; clients without rows are left out.

    Not finite where the weight of a client with rows is not. ``ValueError`` as ``shares``, or unless each client has
    weights.
    """
    share, of_clients = shares(counts), np.asarray(weights, dtype=np.float64)
    if of_clients.shape[:1] != share.shape:
        raise ValueError(f"weights have shape {of_clients.shape}; they need a row for each of the {len(share)} clients")
    counted = share > 0
    return np.tensordot(share[counted], of_clients[counted], axes=1)


def traffic_bytes(weights: int, clients: int, rounds: int) -> int:
    """The bytes that travel: in every round to each client and back, all weights in ``BYTES`` bytes."""
    return rounds * clients * 2 * BYTES * weights


def training_rounds(
    forest: Forest,
    settings: Settings,
    data: Data,
    clients: Sequence[NDArray],
    params: NDArray,
    plan: Plan,
    seed: int,
) -> Iterator[NDArray]:
    """The weights (params,) of all trees of the forest after each round, averaged, from ``params`` (params,) on.

    ``clients``: the rows of ``data`` that each of them has. Each begins a round with the averaged weights and a fresh
    optimiser. The learning rate is constant within a round, and follows the schedule of the settings over the rounds.
    """
    check_plan(plan)
    counts = [len(rows) for rows in clients]
    for number, share in enumerate(rate_shares(settings.schedule, plan.rounds)):
        now = settings._replace(learning_rate=settings.learning_rate * share, schedule="constant")
        of_clients = [
            trained_alone(forest, now, data, rows, params, plan.epochs, (seed, number, k)) if len(rows) else params
            for k, rows in enumerate(clients)
        ]
        params = averaged(of_clients, counts).astype(settings.precision)
        yield params


def trained_alone(
    forest: Forest,
    settings: Settings,
    data: Data,
    rows: NDArray,
    params: NDArray,
    epochs: int,
    seed: int | tuple[int, ...],
) -> NDArray:
    """The weights (params,) after a training on one client's rows."""
    course = make_course(settings, rows, NOBODY, epochs=epochs, patience=0, seed=seed)
    found = lowering().train(forest, settings, data, course, params, np.full(forest.trees, epochs))
    return found.last
