"""Operations saved by not updating neurons at equilibrium, with and without a learned learning rate.

NEq (Bragagnolo et al., *To update or not to update? Neurons at equilibrium in deep models*, 2022) and SCoTTi, which
adds a learned learning rate and threshold, on random trees of about 250 weights from the papers' tables, on dense
networks of as many weights, and on both with 10,000 weights from the pixels of MNIST. All methods of a unit begin with
the same weights and see the same batches. The rate is that with the lowest loss of the baseline on validation rows;
test rows score every method once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import images, paper_tables
from experiments.common.holdout import TEST_FRACTION
from experiments.common.scoring import score
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.provenance import constants
from experiments.studies.pruning.run import KINDS, QUICK_WEIGHTS, WEIGHTS
from experiments.studies.savings.held_parts import Parts, pixel_parts, table_parts
from experiments.studies.savings.levelled import Floats, Levelled, forward, with_ones
from experiments.studies.savings.masked_training import Data, train
from experiments.studies.savings.methods import METHODS, PIXEL_METHODS, SHARES, Lane, Method, lanes_of
from experiments.studies.savings.starting_nets import any_tree, network, pixel_tree
from experiments.studies.savings.tally import Saved
from neuraltree.tasks.losses import LOSSES
from neuraltree.tasks.task import encode

TREE, NETWORK = "tree", "mlp"
MNIST = "mnist"
EPOCHS, QUICK_EPOCHS = 60, 3
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
VALIDATION = 0.25  # of the training rows
WATCHED = 16  # validation rows, or all if there are fewer
LEVELS = 2  # hidden levels of the dense networks
PIXEL_ROWS, PIXEL_VALIDATION, PIXEL_EPOCHS, PIXEL_SEEDS = 12_000, 3_000, 12, 3
PIXEL_WEIGHTS, PIXEL_HIDDEN = 10_000, 20  # hidden nodes of each class
CHUNK = 2_000  # rows predicted at a time
PIXEL_SHARES = (0.5, 0.75)
COLUMNS = (
    *("method", "share", "weights", "neurons", "depth", "rate", "last_rate", "val_loss", "val_score", "test_score"),
    *("nominal_saved", "saved", "saved_kept", "values_kept", "woken"),
)


def units(seeds: int, quick: bool) -> list[Unit]:
    """Seeds are the outermost loop, so that every table has some results early."""
    jobs = (TREE, NETWORK)
    if quick:
        return [Unit("iris", job, 0) for job in jobs]
    tables = (*paper_tables.TABLES, MNIST)
    found = [Unit(table, job, seed) for seed in range(seeds) for table in tables for job in jobs]
    return [unit for unit in found if unit.table != MNIST or unit.seed < PIXEL_SEEDS]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    modules = [f"experiments.studies.savings.{name}" for name in ("freezing", "hyper_gradient", "masked_training")]
    return {
        "data": images.DIGESTS[MNIST] if unit.table == MNIST else paper_tables.DIGESTS[unit.table],
        "fraction": TEST_FRACTION,
        "weights": weights_of(unit.table, quick),
        "epochs": epochs_of(unit.table, quick),
        "lanes": [[lane.name, *lane.method[1:], lane.share] for lane in lanes_for(unit.table)],
        "constants": constants(*modules, "experiments.studies.savings.run"),
    }


def epochs_of(table: str, quick: bool) -> int:
    if quick:
        return QUICK_EPOCHS
    return PIXEL_EPOCHS if table == MNIST else EPOCHS


def weights_of(table: str, quick: bool) -> int:
    if quick:
        return QUICK_WEIGHTS
    return PIXEL_WEIGHTS if table == MNIST else WEIGHTS


def lanes_for(table: str) -> list[Lane]:
    return lanes_of(PIXEL_METHODS, PIXEL_SHARES) if table == MNIST else lanes_of(METHODS, SHARES)


def run(unit: Unit, quick: bool) -> list[Row]:
    parts = _parts(unit)
    net, start = NETS[unit.job](np.random.default_rng([unit.seed, 3]), parts, weights_of(unit.table, quick))
    return rows_of(net, start, parts, lanes_for(unit.table), epochs_of(unit.table, quick), unit.seed)


def _parts(unit: Unit) -> Parts:
    if unit.table == MNIST:
        return pixel_parts(MNIST, unit.seed, PIXEL_ROWS, PIXEL_VALIDATION)
    return table_parts(unit.table, unit.seed, VALIDATION)


def rows_of(net: Levelled, start: Floats, parts: Parts, lanes: list[Lane], epochs: int, seed: int) -> list[Row]:
    """A row for each lane, all at the rate that is best for the baseline on validation rows."""
    data = data_of(parts)
    trial = [Lane("", Method("", start=rate)) for rate in RATES]
    tried = train(net, start, trial, data, epochs=epochs, rate=1.0, seed=seed)
    losses = [each.loss for each in judged(net, tried.weights, parts, parts.validation)]
    rate = RATES[int(np.argmin(losses))]
    done = train(net, start, lanes, data, epochs=epochs, rate=rate, seed=seed)
    validated, tested = (judged(net, done.weights, parts, rows) for rows in (parts.validation, parts.test))
    saved = done.tally.saved()
    about = {"weights": len(start), "neurons": net.neurons, "depth": len(net.kinds), "rate": rate}
    return [
        {"method": lane.name, "share": lane.share}
        | about
        | {"last_rate": float(done.rate[place])}
        | {"val_loss": validated[place].loss, "val_score": validated[place].score}
        | {"test_score": tested[place].score}
        | saved_columns(saved, place)
        for place, lane in enumerate(lanes)
    ]


def saved_columns(saved: Saved, place: int) -> Row:
    nominal, honest, kept, values, woken = (float(part[place]) for part in saved)
    return {"nominal_saved": nominal, "saved": honest, "saved_kept": kept, "values_kept": int(values), "woken": woken}


class Judged(NamedTuple):
    loss: float
    score: float


def judged(net: Levelled, weights: Floats, parts: Parts, rows: tuple[NDArray, NDArray]) -> list[Judged]:
    """The mean loss and the score of each lane; weights that diverged have an infinite loss and the score 0."""
    X, y = rows
    parts_of_X = [with_ones(X[first : first + CHUNK]) for first in range(0, len(X), CHUNK)]
    outputs = np.concatenate([forward(net, weights, part).values[:, : net.outputs] for part in parts_of_X], axis=2)
    targets = encode(parts.task, y).T
    found = []
    for each in outputs.astype(np.float64):
        if not np.isfinite(each).all():
            found.append(Judged(float("inf"), 0.0))
            continue
        loss = float(np.mean(LOSSES[parts.task.loss].value(each, targets)))
        found.append(Judged(loss, score(parts.task.kind, y, ANSWERS[parts.task.kind](each))))
    return found


# Predictions from outputs (outputs, rows).
ANSWERS: dict[str, Callable[[NDArray], NDArray]] = {
    "regression": lambda outputs: outputs[0],
    "binary": lambda outputs: outputs[0] > 0,
    "multiclass": lambda outputs: outputs.argmax(axis=0),
}


def data_of(parts: Parts) -> Data:
    watch = slice(0, WATCHED)
    (X, y), (held, held_y) = parts.fit, parts.validation
    targets = [encode(parts.task, part).T.astype(np.float32) for part in (y, held_y[watch])]
    return Data(with_ones(X), targets[0], with_ones(held[watch]), targets[1], parts.task.loss)


def _tree(rng: np.random.Generator, parts: Parts, weights: int) -> tuple[Levelled, Floats]:
    if weights == PIXEL_WEIGHTS:
        return pixel_tree(rng, parts.features, parts.task, weights, PIXEL_HIDDEN)
    return any_tree(rng, parts.features, parts.task, weights, KINDS)


def _network(rng: np.random.Generator, parts: Parts, weights: int) -> tuple[Levelled, Floats]:
    return network(rng, parts.features, parts.task, weights, LEVELS)


NETS: dict[str, Callable[[np.random.Generator, Parts, int], tuple[Levelled, Floats]]] = {TREE: _tree, NETWORK: _network}

EXPERIMENT = Experiment(
    "studies/savings",
    "operations saved by not updating neurons at equilibrium, with and without a learned learning rate",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
