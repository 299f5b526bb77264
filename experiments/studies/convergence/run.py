"""BNeuralT's panels of convergence (deck *Resource Efficient AI*, *Neural Tree vs Neural Networks*).

Random trees of the reference and networks with a hidden layer of 100, sigmoid and ReLU, at the rate .1 and at the
default rate of each optimiser, by six optimisers, row by row. The protocol is the reference's: scalers see the test
rows, and ``best_test`` is the best of all epochs by the test rows. The losses are of training rows alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from experiments.common.holdout import TEST_FRACTION
from experiments.common.paper_tables import DIGESTS, table
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.convergence.training_curves import Curve, points
from experiments.studies.convergence.tree_curves import tree_curve
from experiments.studies.reference.peeking import Run
from experiments.studies.reference.run import LEAF_PROBABILITY, TREE, run_of

TABLES = ("heart", "iris", "glass", "mpg6")
TREES, NETWORKS = "tree", "network"
# By our name: the row of the engine's table for trees, as in the reference, and for networks, as in Keras; and the
# default rate, Keras's.
OPTIMISERS = {
    "gd": ("sgd", "sgd", 0.01),
    "momentum": ("momentum", "momentum", 0.01),
    "nesterov": ("nesterov", "nesterov", 0.01),
    "adagrad": ("reference_adagrad", "adagrad", 0.001),
    "rmsprop": ("reference_rmsprop", "rmsprop", 0.001),
    "adam": ("reference_adam", "adam", 0.001),
}
ACTIVATIONS = ("sigmoid", "relu")
RATE, TENTH, USUAL = 0.1, "0.1", "default"
RATES = (TENTH, USUAL)
PROBABILITY = LEAF_PROBABILITY["p4"]
EPOCHS, QUICK_EPOCHS, SEEDS_A_UNIT = 200, 3, 10
COLUMNS = ("protocol", "activation", "rate", "weights", "best_test", "last_test", "losses", "scores")


def units(seeds: int, quick: bool) -> list[Unit]:
    """Whole units only: the number of seeds is rounded up to a multiple of the unit's size."""
    tables, names, size = (TABLES[1:2], ["adam"], 2) if quick else (TABLES, [*OPTIMISERS], SEEDS_A_UNIT)
    return [
        Unit(name, f"{model}_{optimiser}", seed, size)
        for seed in range(0, seeds, size)
        for optimiser in names
        for model in (TREES, NETWORKS)
        for name in tables
    ]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    model, _, optimiser = unit.job.partition("_")
    return {
        "data": DIGESTS[unit.table],
        "test_fraction": TEST_FRACTION,
        "model": model,
        "optimiser": OPTIMISERS[optimiser],
        "rate": RATE,
        "tree": {"leaf_probability": PROBABILITY, **TREE},
        "epochs": QUICK_EPOCHS if quick else EPOCHS,
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    data, epochs = table(unit.table), QUICK_EPOCHS if quick else EPOCHS
    runs = [run_of(data, unit.table, PROBABILITY, seed) for seed in range(unit.seed, unit.seed + unit.count)]
    model, _, optimiser = unit.job.partition("_")
    curves = tree_curves if model == TREES else network_curves
    return [
        {"seed": each.seed, "protocol": "reference", "activation": activation, "rate": rate} | row_of(curve)
        for activation in ACTIVATIONS
        for rate, found in curves(runs, activation, optimiser, epochs)
        for each, curve in zip(runs, found, strict=True)
    ]


def rates_of(optimiser: str) -> tuple[float, float]:
    """The two rates, in the order of ``RATES``."""
    return RATE, OPTIMISERS[optimiser][2]


def tree_curves(runs: list[Run], activation: str, optimiser: str, epochs: int) -> Iterator[tuple[str, list[Curve]]]:
    for name, rate in zip(RATES, rates_of(optimiser), strict=True):
        yield name, [tree_curve(run, activation, OPTIMISERS[optimiser][0], rate, epochs) for run in runs]


def network_curves(runs: list[Run], activation: str, optimiser: str, epochs: int) -> Iterator[tuple[str, list[Curve]]]:
    from experiments.studies.convergence import network_curves as networks  # imports JAX

    found = networks.network_curves(runs, activation, OPTIMISERS[optimiser][1], rates_of(optimiser), epochs)
    yield from zip(RATES, found, strict=True)


def row_of(curve: Curve) -> Row:
    kept = [epoch - 1 for epoch in points(len(curve.loss))]
    return {
        "weights": curve.weights,
        "best_test": float(curve.score.max()),
        "last_test": float(curve.score[-1]),
        "losses": " ".join(f"{value:.4g}" for value in curve.loss[kept]),
        "scores": " ".join(f"{value:.3g}" for value in curve.score[kept]),
    }


EXPERIMENT = Experiment(
    "studies/convergence",
    "panels of convergence: six optimisers, two activations and rates, trees and networks",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
