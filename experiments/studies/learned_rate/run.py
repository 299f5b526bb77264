"""Learned learning rates against fixed ones.

``starts``: random trees trained from many starting rates by fixed and by learned ones, on the training rows of a
hold-out without a fold for validation. Searches by the default optimiser and by learned rates, from the default rate
and from one that nobody tuned; validation chooses, and the test rows are scored once. Learned rates cost some CPU time
a step, so they are trained for fewer epochs, or fewer trees, in proportion.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

from experiments.common import paper_tables
from experiments.common.fronts import OUTCOME, outcome
from experiments.common.holdout import TEST_FRACTION
from experiments.common.searching import Size, Tables, prepare, size_of
from experiments.common.searching import run as search_run
from experiments.common.searching import settings as search_settings
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.learned_rate.populations import FOLDS, NODES, population, trained
from neuraltree.engine.optimizers import OPTIMIZERS

TABLES = ("friedman", "mpg6", "australian", "glass", "vehicle")
STARTS_JOB, DEFAULT = "starts", "adamw"
LEARNED = {"learned_sgd": "sgd", "stacked_sgd": "sgd", "learned_adam": "adam"}  # and the fixed form of each
STARTS = (1e-4, 1e-3, 1e-2, 0.1, 0.5)
FIXED_RATES = (1e-4, 1e-3, 3e-3, 1e-2, 0.03, 0.1, 0.3, 0.5, 1.0)
SCHEDULES = ("constant", "cosine")
EPOCHS, TREES = 60, 24
COST = {"learned_sgd": 1.05, "stacked_sgd": 1.05, "learned_adam": 1.1}  # CPU time of a step; the fixed form is 1
SEARCHED, UNTUNED = Size(trees=1200, batch_size=64, learning_rate=0.01), 1e-4


class Way(NamedTuple):
    """The optimiser of a search, and where its rates start."""

    optimizer: str
    rate: float = SEARCHED.learning_rate

    @property
    def name(self) -> str:
        return self.optimizer if self.rate == SEARCHED.learning_rate else f"{self.optimizer} from {self.rate:g}"


USUAL = tuple(map(Way, (DEFAULT, "adam", *LEARNED)))
UNKNOWN = tuple(Way(name, UNTUNED) for name in (DEFAULT, "learned_adam"))
WAYS = {way.name: way for way in (*USUAL, *UNKNOWN)}
COLUMNS = (
    *("optimizer", "schedule", "start", "epochs", "train_loss", "val_loss", "diverged", "rate", "step_us"),
    *OUTCOME,
)


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = ("glass",) if quick else TABLES
    starts = [Unit(table, STARTS_JOB, seed) for seed in range(seeds) for table in tables]
    return starts + [Unit(table, job, seed) for seed in range(seeds) for table in tables for job in WAYS]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    learned = {name: _numbers(name) for name in LEARNED}
    if unit.job != STARTS_JOB:
        way, size = WAYS[unit.job], _size(unit.job, quick)
        return search_settings(unit.table, size, _config(way)) | {"learned": learned.get(way.optimizer, [])}
    return {
        "data": paper_tables.DIGESTS[unit.table],
        "fraction": TEST_FRACTION,
        "folds": FOLDS,
        "nodes": NODES,
        "trees": TREES,
        "epochs": EPOCHS,
        "starts": [STARTS, FIXED_RATES],
        "schedules": SCHEDULES,
        "cost": COST,
        "learned": learned,
    }


def _numbers(name: str) -> list[float]:
    learned = OPTIMIZERS[name].learned
    assert learned is not None
    return [learned.kappa, learned.kappa_step]


def run(unit: Unit, quick: bool) -> list[Row]:
    empty: Row = dict.fromkeys(COLUMNS)
    if unit.job != STARTS_JOB:
        search = prepare(unit.table, unit.seed, _size(unit.job, quick), _config(WAYS[unit.job]))
        return [empty | outcome(search, search_run(search))]
    given = population(unit.table, unit.seed, 4 if quick else TREES)
    return [
        empty
        | {"optimizer": name, "schedule": schedule, "start": rate, "epochs": epochs}
        | trained(given, name, rate, schedule, epochs)._asdict()
        for name, schedule, rate, epochs in trainings(quick)
    ]


def trainings(quick: bool) -> list[tuple[str, str, float, int]]:
    """(optimiser, schedule, rate, epochs) of every training of a unit; learned ones take the CPU time of fixed ones."""
    whole = 2 if quick else EPOCHS
    fixed = product(dict.fromkeys(LEARNED.values()), SCHEDULES, FIXED_RATES, (whole,))
    learned = product(LEARNED, SCHEDULES, STARTS)
    return [*fixed, *((name, schedule, rate, round(whole / COST[name])) for name, schedule, rate in learned)]


def _size(job: str, quick: bool) -> Size:
    """The budget of a search: as many trees as the CPU time of the default optimiser allows."""
    way, size = WAYS[job], size_of(quick, SEARCHED)
    return size._replace(trees=round(size.trees / COST.get(way.optimizer, 1)), learning_rate=way.rate)


def _config(way: Way) -> Tables:
    return {"train": {"optimizer": way.optimizer, "schedule": SCHEDULES[-1]}}


EXPERIMENT = Experiment(
    "learned_rate", "learning rates that trees learn, against fixed ones", 10, COLUMNS, units, run, settings
)
