"""Other small models on the same features of windows, under the same meter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.devices.device_tasks import Task, score
from benchmarks.devices.meter import measured
from benchmarks.devices.models import emlearn_code
from benchmarks.devices.models.decision_trees import decision_trees
from benchmarks.devices.models.linear_code import linear_models
from benchmarks.devices.models.scaled_models import perceptrons
from benchmarks.signals.signal_runs import COMPILER, CORE
from neuraltree.hardware.profile.load import load_device
from neuraltree.hardware.signals.front_costs import FrontCosts
from search.table.data import Table
from search.table.signals.feature_choice import chosen_features
from search.table.split_columns import TEST

FEATURES = (8, 16, 32)  # of the filter, with which peers are tried
Row = dict[str, Any]


def peer_rows(name: str, table: Table, seed: int) -> Iterator[Row]:
    """A row for each model and number of features: its costs are those of the features and of its own code."""
    assert table.rules.part is not None
    assert table.front is not None
    test = table.rules.part == TEST
    train, held = np.flatnonzero(~test), np.flatnonzero(test)
    classes = len(table.classes or ())
    for count in FEATURES:
        kept = chosen_features(table.X[train].astype(np.int64), table.y[train], classes, count)
        front = replace(table.front, features=tuple(table.front.features[i] for i in kept.tolist()))
        costs = FrontCosts(front, load_device(CORE), COMPILER, classes=classes).figures(range(len(kept)))
        X, test_X = table.X[np.ix_(train, kept)], table.X[np.ix_(held, kept)]
        task = Task(f"{name} {count}", seed, X, table.y[train], test_X, table.y[held], classes)
        networks = [emlearn_code.network(task, *each) for each in perceptrons(task)]
        for model in (*linear_models(task), *decision_trees(task), *emlearn_code.forests(task), *networks):
            compiler = "gcc-Os" if model.library else COMPILER  # clang's target has no <math.h>
            own = measured(model, task, CORE, compiler)
            decision = costs.cycles.decision_cycles + own["cycles"]
            second = front.rate_hz * (costs.cycles.sample_cycles + decision / front.hop)
            yield {
                "data": name,
                "seed": seed,
                "family": model.family,
                "model": f"{model.name}, {model.inputs}, {count} features",
                "promised": model.promised,
                "score": score(model.answers, task.test_y, classes),
                "flash_bytes": costs.cycles.flash_bytes + own["flash_bytes"],
                "ram_bytes": costs.state_bytes + max(own["ram_bytes"] + costs.frame_bytes, costs.stack_bytes),
                "cycles_per_s": second,
            }
