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
from experiments.common.holdout import TEST_FRACTION, holdout
from experiments.common.scoring import score
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.provenance import constants
from experiments.studies.pruning.run import KINDS, QUICK_WEIGHTS, WEIGHTS, sized_tree
from experiments.studies.savings.levelled import Floats, Levelled, dense, forward, from_nodes, with_ones
from experiments.studies.savings.methods import METHODS, PIXEL_METHODS, SHARES, Lane, Method, lanes_of
from experiments.studies.savings.tally import Saved
from experiments.studies.savings.training import Data, train
from neuraltree.activations.table import code_of
from neuraltree.tasks.losses import LOSSES
from neuraltree.tasks.task import Task, encode, make_task
from neuraltree.tree.generate import redraw_weights
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space

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


class Parts(NamedTuple):
    """Scaled inputs (rows, features) and targets of the rows that are fitted, validated and tested, and their task."""

    task: Task
    fit: tuple[NDArray, NDArray]
    validation: tuple[NDArray, NDArray]
    test: tuple[NDArray, NDArray]


def units(seeds: int, quick: bool) -> list[Unit]:
    """Seeds are the outermost loop, so that every table has some results early."""
    jobs = (TREE, NETWORK)
    if quick:
        return [Unit("iris", job, 0) for job in jobs]
    tables = (*paper_tables.TABLES, MNIST)
    found = [Unit(table, job, seed) for seed in range(seeds) for table in tables for job in jobs]
    return [unit for unit in found if unit.table != MNIST or unit.seed < PIXEL_SEEDS]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    modules = [f"experiments.studies.savings.{name}" for name in ("freezing", "hyper_gradient", "training")]
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
    parts = pixel_parts(unit.seed) if unit.table == MNIST else table_parts(unit.table, unit.seed)
    net, start = NETS[unit.job](np.random.default_rng([unit.seed, 3]), parts, weights_of(unit.table, quick))
    return rows_of(net, start, parts, lanes_for(unit.table), epochs_of(unit.table, quick), unit.seed)


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


def table_parts(name: str, seed: int) -> Parts:
    table = paper_tables.table(name)
    train_rows, test = holdout(table, seed)
    order = np.random.default_rng([seed, 2]).permutation(train_rows)
    held = round(VALIDATION * len(order))
    fit, validation = order[held:], order[:held]
    scaler, y = Scaler.fit(table.X[fit]), table.y
    if table.classes is None:
        y = Scaler.fit(y[fit, None]).transform(y[:, None])[:, 0]
    task = make_task(table.kind, len(table.classes or ()))
    return Parts(task, *((scaler.transform(table.X[rows]), y[rows]) for rows in (fit, validation, test)))


def pixel_parts(seed: int) -> Parts:
    """Pixels by the standard deviation of all: those at the edge hardly ever change."""
    found = images.images(MNIST)
    order = np.random.default_rng([seed, 2]).permutation(len(found.X))[:PIXEL_ROWS]
    fit, validation = order[PIXEL_VALIDATION:], order[:PIXEL_VALIDATION]
    middle, spread = found.X[fit].mean(axis=0), found.X[fit].std()
    scaled = [((X - middle) / spread, y) for X, y in ((found.X[r], found.y[r]) for r in (fit, validation))]
    return Parts(make_task("multiclass", images.CLASSES), *scaled, ((found.test_X - middle) / spread, found.test_y))


def _tree(rng: np.random.Generator, parts: Parts, weights: int) -> tuple[Levelled, Floats]:
    """A random tree as those of the experiment ``pruning``; one of pixels has as many hidden nodes for each class."""
    features, task = parts.fit[0].shape[1], parts.task
    if weights == PIXEL_WEIGHTS:
        return from_nodes(pixel_nodes(rng, features, task.n_outputs, weights), features)
    space = Space(features, task.n_outputs, KINDS, task.output_activation, 4 * weights, 5, 6)
    return from_nodes(sized_tree(rng, space, weights), features)


def pixel_nodes(rng: np.random.Generator, features: int, outputs: int, weights: int) -> Nodes:
    """Outputs with ``PIXEL_HIDDEN`` nodes of ReLU each, which read as many random features as ``weights`` allow."""
    hidden = outputs * PIXEL_HIDDEN
    leaves = (weights - 2 * hidden - outputs) // hidden  # an edge and a bias for each hidden node
    one = np.zeros(1 + leaves, node_dtype())
    one["depth"], one["op"][0] = [1] + [2] * leaves, ~code_of("relu")
    nodes = np.tile(np.concatenate([np.zeros(1, node_dtype()), np.tile(one, PIXEL_HIDDEN)]), outputs)
    nodes["op"][nodes["depth"] == 0] = ~code_of("identity")
    for first in np.flatnonzero(nodes["depth"] == 1):
        nodes["op"][first + 1 : first + 1 + leaves] = rng.permutation(features)[:leaves]
    return redraw_weights(rng, nodes)


def _network(rng: np.random.Generator, parts: Parts, weights: int) -> tuple[Levelled, Floats]:
    """Two hidden levels of equal width, as wide as the weights allow."""
    features, outputs = parts.fit[0].shape[1], parts.task.n_outputs
    width = 1
    while dense_weights(features, width + 1, outputs) <= weights:
        width += 1
    return dense(rng, (features, *[width] * LEVELS, outputs), code_of("tanh"), code_of(parts.task.output_activation))


def dense_weights(features: int, width: int, outputs: int) -> int:
    return (features + 1) * width + (LEVELS - 1) * (width + 1) * width + (width + 1) * outputs


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
