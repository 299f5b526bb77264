"""A run on recordings of normal samples alone: no search, a few models with more and more features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from neuraltree import hardware
from neuraltree.arrays import FloatArray
from neuraltree.hardware.model.cost_names import LOAD
from neuraltree.hardware.signals.front_costs import FrontCosts
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.one_class import OneClassModel, dumps_one_class, steady_features
from neuraltree.signals.rejection import Distance
from neuraltree.signals.rejection_choice import fitted
from search.config.config import Config, to_toml
from search.errors import InputError
from search.folder.records import CONFIG, ONE_CLASS_TABLE, RECOMMENDED, SIGNALS, RunFolder, write_csv, write_text
from search.table.signals.chosen_recordings import chosen_recordings
from search.table.signals.signal_table import NormalWindows, normal_windows

SIZES = (2, 4, 8, 16)  # features of the models
USUAL = 8  # features of the recommended model, unless only smaller ones keep the constraints
CODE_BYTES = 120  # of the distance, beside its constants
COSTS = ("latency_s", "flash_bytes", "ram_bytes", "energy_j", LOAD)
HEADER = ("model", "features", "rejected_share", *COSTS)


def one_class_run(config: Config, folder: RunFolder) -> str:
    """Write the models and ``one_class.csv`` into an open run folder; returns the words for the user.

    ``InputError`` for recordings of several classes, for a bound on what such models do not have, and if no model keeps
    the constraints.
    """
    if other := [name for name in config.constraints if name not in COSTS]:
        raise InputError(f"constraints.{other[0]}: a model of one class can be bounded in {', '.join(COSTS)}")
    found = normal_windows(config, chosen_recordings(config))
    rows: list[list[object]] = []
    for count in SIZES:
        model, columns = one_class_model(config, found, count)
        costs = _costs(config, model)
        is_new = not rows or len(columns) > int(str(rows[-1][1]))
        if is_new and all(costs.get(name, 0.0) <= most for name, most in config.constraints.items()):
            file = f"{SIGNALS}/{len(rows):03d}.json"
            (folder.path / SIGNALS).mkdir(exist_ok=True)
            write_text(folder.path / file, dumps_one_class(model))
            share = float(model.distance.rejected(found.X[:, columns]).mean())
            rows.append([file, len(columns), share, *(costs.get(cost) for cost in COSTS)])
    if not rows:
        raise InputError(f"no model keeps the constraints, not even one of {SIZES[0]} features; allow more")
    write_csv(folder.path / ONE_CLASS_TABLE, HEADER, rows)
    write_text(folder.path / CONFIG, to_toml(config))
    usual = [row for row in rows if int(str(row[1])) <= USUAL] or rows[:1]
    folder.update_manifest(**{RECOMMENDED: usual[-1][0], "label_window": found.label_window})
    lines = [f"models of {found.normal} windows, by their features; recommended: {usual[-1][0]}"]
    return "\n".join([*lines, *map(_told, rows)])


def _told(row: Sequence[object]) -> str:
    known = [f"{name} {cost:.3g}" for name, cost in zip(COSTS, row[3:], strict=True) if isinstance(cost, float)]
    return f"  {', '.join([f'{row[0]}: {row[1]} features', *known])}"


def one_class_model(config: Config, found: NormalWindows, count: int) -> tuple[OneClassModel, list[int]]:
    """The model of the ``count`` best features, and their columns among the candidates."""
    columns = steady_features(found.X, count)
    if not columns:
        raise InputError("no feature of these recordings varies enough to be watched; give longer or other recordings")
    front = replace(found.front, features=tuple(found.front.features[i] for i in columns))
    X, labels = found.X[:, columns], np.zeros(len(found.X), dtype=np.int64)
    distance = fitted("mahalanobis", X, labels, found.groups, config.signal.rejected_share)
    assert isinstance(distance, Distance)
    return OneClassModel(front, distance, found.normal), columns


def _costs(config: Config, model: OneClassModel) -> Mapping[str, float]:
    """On the device, if there is one."""
    if not config.hardware.device:
        return {}
    device = hardware.load_device(config.hardware.device)
    return costs_of(model, device)


def costs_of(model: OneClassModel, device: hardware.Device) -> dict[str, float]:
    """Predicted costs of the whole code: that of the features, and the distance's constants and code."""
    front: FrontEnd = model.front_end
    try:
        figures = FrontCosts(front, device, classes=1)
    except ValueError as error:
        raise InputError(str(error)) from None
    nothing: dict[str, FloatArray] = {name: np.zeros(1) for name in COSTS if name != LOAD}
    found = figures.with_front(nothing, [range(len(front.features))])
    costs = {name: float(found[name][0]) for name in COSTS}
    costs["flash_bytes"] += model.distance.constant_bytes + CODE_BYTES
    return costs
