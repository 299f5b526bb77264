"""Federated averaging against training on all rows in one place, and by each client alone.

Trees of one random structure from one start, ``EPOCHS`` epochs of each client in every round; test rows, which are
nobody's, are scored after rounds and choose nothing. ``search`` evolves structures on the same tables: by clients, from
whose rows only weights and errors come, and in one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import images, paper_tables
from experiments.common.activities import DIGEST, HAPT
from experiments.common.holdout import TEST_FRACTION
from experiments.common.scoring import score
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.provenance import constants
from experiments.studies.federated.client_rows import MNIST, SUBJECTS, Shared, shared
from experiments.studies.federated.federated_search import SEARCH, searched
from experiments.studies.savings.starting_nets import pixel_nodes
from neuraltree.engine.forest import Forest, load_params, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Data, Settings, make_data
from neuraltree.estimators.covering import covering_tree
from neuraltree.federated.averaging import Plan, traffic_bytes, trained_alone, training_rounds
from neuraltree.tasks.links import class_codes
from neuraltree.tasks.task import encode
from neuraltree.tree.nodes import count_weights, join
from neuraltree.tree.space import Space

TABLES = ("australian", "pima", "vehicle", "friedman")
IID, SKEWED, SHARDED = "at random", "by label", "shards"
SPLITS = {MNIST: (IID, SHARDED), HAPT: (SUBJECTS,)}
CLIENTS, PIXEL_CLIENTS, IMAGES = 8, 20, 3000
NODES, PIXEL_WEIGHTS, PIXEL_HIDDEN = 30, 2000, 4
ROUNDS, EPOCHS = 100, (1, 5)  # rounds, and a client's epochs in each
SHOWN = (1, 2, 5, 10, 20, 50, 100)  # rounds whose weights are scored
# Of three rates of SGD and two of Adam the best on hold-outs 1000, which the study does not use.
BATCH, RATE, OPTIMIZER = 10, 0.1, "sgd"
POOLED, LOCAL = "pooled", "local"
COLUMNS = ("method", "clients", "weights", "round", "bytes", "test_score", "worst_score")


class Course(NamedTuple):
    """The rounds of a unit, and the pictures used."""

    rounds: int = ROUNDS
    images: int = IMAGES


FULL, QUICK = Course(), Course(2, 400)


class Start(NamedTuple):
    """A tree before its training, and the rows in the form of the engine."""

    forest: Forest
    params: NDArray
    weights: int
    data: Data
    settings: Settings


def units(seeds: int, quick: bool) -> list[Unit]:
    if quick:
        return [Unit("iris", job, 0) for job in (IID, SKEWED, SEARCH)]
    jobs = [(table, job) for table in TABLES for job in (IID, SKEWED, SEARCH)]
    jobs += [(table, job) for table, splits in SPLITS.items() for job in splits]
    return [Unit(table, job, seed) for seed in range(seeds) for table, job in jobs]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    digests = {MNIST: list(images.DIGESTS[MNIST]), HAPT: DIGEST}
    modules = [f"experiments.studies.federated.{name}" for name in ("run", "client_rows", "federated_search")]
    return {
        "data": digests.get(unit.table) or paper_tables.DIGESTS[unit.table],
        "fraction": TEST_FRACTION,
        "course": list(QUICK if quick else FULL),
        "constants": constants(*modules),
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    if unit.job == SEARCH:
        return searched(unit.table, unit.seed, CLIENTS, quick)
    course = QUICK if quick else FULL
    found = shared(unit.table, unit.job, unit.seed, PIXEL_CLIENTS if unit.table == MNIST else CLIENTS, course.images)
    start, about = _start(found, unit.seed), {"clients": len(found.clients)}
    return [about | {"weights": start.weights} | row for row in _rows(found, start, course, unit.seed)]


def _rows(found: Shared, start: Start, course: Course, seed: int) -> Iterator[Row]:
    everyone = np.concatenate(found.clients)
    epochs = course.rounds * max(EPOCHS)
    (together,) = _alone(start, [everyone], epochs, seed)
    yield {"method": POOLED, "round": 0, "bytes": 0} | _scores(found, start, [together])
    local = _alone(start, found.clients, epochs, seed)
    yield {"method": LOCAL, "round": 0, "bytes": 0} | _scores(found, start, local)
    for of_round in EPOCHS:
        plan = Plan(course.rounds, of_round)
        params = training_rounds(start.forest, start.settings, start.data, found.clients, start.params, plan, seed)
        for number, weights in enumerate(params, start=1):
            if number in SHOWN or number == course.rounds:
                travelled = traffic_bytes(start.weights, len(found.clients), number)
                about = {"method": f"averaged, {of_round}", "round": number, "bytes": travelled}
                yield about | _scores(found, start, [weights])


def _alone(start: Start, clients: list[NDArray], epochs: int, seed: int) -> list[NDArray]:
    """Trained on each client's rows, at a rate that does not change, as in the rounds."""
    return [
        trained_alone(start.forest, start.settings, start.data, rows, start.params, epochs, (seed, k))
        for k, rows in enumerate(clients)
    ]


def _start(found: Shared, seed: int) -> Start:
    rng, features = np.random.default_rng([seed, 6]), found.X.shape[1]
    if features == images.SIDE**2:
        tree = pixel_nodes(rng, features, found.task.n_outputs, PIXEL_WEIGHTS, PIXEL_HIDDEN)
    else:
        room = 4 * (NODES * found.task.n_outputs + features)
        space = Space(features, found.task.n_outputs, output_activation=found.task.output_activation, max_nodes=room)
        tree = covering_tree(rng, space, size=NODES + 12 * (found.task.n_outputs - 1))
    nodes, starts = join([tree])
    packed = pack(nodes, starts, features)
    data = make_data(found.X, encode(found.task, found.y), None, "float32")
    settings = Settings(found.task.loss, OPTIMIZER, RATE, "constant", BATCH)
    return Start(packed.forest, load_params(packed, nodes, "float32")[0], count_weights(tree), data, settings)


def _scores(found: Shared, start: Start, models: list[NDArray]) -> Row:
    """The mean of the models' test scores by their clients' rows, and the lowest."""
    data = make_data(found.test_X, encode(found.task, found.test_y), None, "float32")
    rows = np.arange(len(found.test_y), dtype=np.int32)
    each = []
    for params in models:
        (outputs,) = lowering().predict(start.forest, start.settings, data, rows, np.ascontiguousarray(params))
        answers = outputs[0] if found.task.kind == "regression" else class_codes(outputs.T)
        each.append(score(found.task.kind, found.test_y, answers))
    counts = [len(rows) for rows in found.clients] if len(models) > 1 else None
    return {"test_score": float(np.average(each, weights=counts)), "worst_score": min(each)}


EXPERIMENT = Experiment(
    "studies/federated",
    "trees averaged over clients, against one place and against each alone",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
