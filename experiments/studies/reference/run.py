"""The reference model itself (BNeuralT): a random tree, trained row by row, on our hold-outs and by its own protocol.

It has the reference's tree generator, one sigmoid output per class, half the squared error, RMSprop at 0.1, one row per
update and 500 epochs, each reshuffled. As in its program, inputs and the number to predict are scaled to 0..1 over the
whole table, test rows included; ``peeking`` is the best test score over all updates, ``at_end`` the last.

Two details are left out. The reference makes one more update per epoch, on the first training row (means of 30 seeds
with and without it: iris .996 and .994, wine .990 and .990). It stops if that update changes the weights by less than
1e-10 on average.
Unlike its hold-outs, ours keep the classes' shares.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common.holdout import TEST_FRACTION, holdout
from experiments.common.paper_tables import DIGESTS, TABLES, table
from experiments.common.scoring import score
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.reference.peeking import Peeked, Run, train_peeking
from neuraltree.engine.training import Settings
from neuraltree.tasks.task import encode, make_task
from neuraltree.tree import prediction
from neuraltree.tree.generate import reference_tree
from neuraltree.tree.nodes import Nodes, count_weights
from search.table.data import Table

COLUMNS = ("protocol", "peeking", "at_end", "best_on_train", "train_score", "weights", "published_weights", "nodes")
LEAF_PROBABILITY = {"p4": 0.4, "p5": 0.5, "p5_train": 0.5}  # by job
BY_TRAINING = "p5_train"  # the job in which the training rows choose the weights
TREE = {"max_children": 5, "max_depth": 5, "minimum_nodes": 8}
SETTINGS = Settings("squared", "reference_rmsprop", 0.1, "constant", batch_size=1)
EPOCHS, SEEDS_A_UNIT = 500, 10
QUICK_EPOCHS, QUICK_SEEDS = 3, 2
QUICK_TABLES = ("iris", "mpg6")


def units(seeds: int, quick: bool) -> list[Unit]:
    """Whole units only: the number of seeds is rounded up to a multiple of the unit's size."""
    tables, size = (QUICK_TABLES, QUICK_SEEDS) if quick else (TABLES, SEEDS_A_UNIT)
    return [
        Unit(name, job, seed, size) for seed in range(0, seeds, size) for job in LEAF_PROBABILITY for name in tables
    ]


def run(unit: Unit, quick: bool) -> list[Row]:
    data = table(unit.table)
    runs = [
        run_of(data, unit.table, LEAF_PROBABILITY[unit.job], seed) for seed in range(unit.seed, unit.seed + unit.count)
    ]
    judged = [_judged_by_training(run) for run in runs] if unit.job == BY_TRAINING else runs
    trained = train_peeking(judged, SETTINGS, epochs=QUICK_EPOCHS if quick else EPOCHS)
    row = _trained_row if unit.job == BY_TRAINING else _peeked_row
    return [{"seed": run.seed} | row(data.kind, run, peeked) for run, peeked in zip(runs, trained, strict=True)]


def run_of(data: Table, name: str, probability: float, seed: int) -> Run:
    """A random tree of the reference, and the rows of a hold-out as it scales them: over the whole table."""
    train, test = holdout(data, seed)
    inputs, target = _to_unit(data.X), data.y if data.classes else _to_unit(data.y)
    targets = encode(make_task(data.kind, len(data.classes or ()), "squared"), target)
    rng = np.random.default_rng([TABLES.index(name), seed])
    tree = reference_tree(rng, inputs.shape[1], targets.shape[1], leaf_probability=probability, **TREE)
    return Run(tree, inputs[train], targets[train], inputs[test], target[test], seed)


def _to_unit(values: NDArray) -> NDArray[np.float64]:
    """Scaled to 0..1 by column; no column of the tables is constant."""
    low, high = values.min(axis=0), values.max(axis=0)
    return (values - low) / (high - low)


def _judged_by_training(run: Run) -> Run:
    """The run with its training rows scored after every update instead of its test rows."""
    truth = run.targets[:, 0] if run.truth.dtype.kind == "f" else run.targets.argmax(axis=1)
    return run._replace(test_inputs=run.inputs, truth=truth)


def _peeked_row(kind: str, run: Run, peeked: Peeked) -> Row:
    scores = {"peeking": peeked.best_test_score, "at_end": peeked.last_test_score, "best_on_train": None}
    return scores | _row(kind, run, peeked.nodes)


def _trained_row(kind: str, run: Run, trained: Peeked) -> Row:
    found = _score(kind, trained.nodes, run.test_inputs, run.truth)
    return {"peeking": None, "at_end": None, "best_on_train": found} | _row(kind, run, trained.nodes)


def _row(kind: str, run: Run, nodes: Nodes) -> Row:
    weights = count_weights(nodes)
    truth = _judged_by_training(run).truth
    return {
        "protocol": "reference",
        "train_score": _score(kind, nodes, run.inputs, truth),
        "weights": weights,
        # The published number counts an edge above every output, which nothing reads.
        "published_weights": weights + run.targets.shape[1],
        "nodes": len(nodes),
    }


def _score(kind: str, nodes: Nodes, inputs: NDArray, truth: NDArray) -> float:
    found = prediction.outputs(prediction.compile_nodes(nodes, None, None), inputs)
    return score(kind, truth, found[:, 0] if kind == "regression" else found.argmax(axis=1))


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    common = {
        "data": DIGESTS[unit.table],
        "test_fraction": TEST_FRACTION,
        "leaf_probability": LEAF_PROBABILITY[unit.job],
        **TREE,
        **SETTINGS._asdict(),
        "epochs": QUICK_EPOCHS if quick else EPOCHS,
    }
    return common | ({"chosen_by": "training rows"} if unit.job == BY_TRAINING else {})


EXPERIMENT = Experiment(
    "tables/reference", "the reference's random trees, by its own protocol", 30, COLUMNS, units, run, settings
)
