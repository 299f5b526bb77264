"""The quality of the predictions compared with the baselines, and the gates that they meet."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from benchmarks.hardware.predicted_samples import COSTS, Case, Samples, fit_baseline
from neuraltree.hardware.calibrate.fit import residual, residual_of_bound

SIZES = ("weights", "macs")
BOUND = "ram_bytes"  # the cost that is predicted as an upper bound
JUDGED = ("held_out", "fronts")  # the sets of trees that gates apply to
Figures = dict[str, Any]


class Gate(NamedTuple):
    """The least value of the figure ``name`` of ``cost`` that every case of the gate must reach."""

    title: str
    cost: str
    name: str
    least: float
    precisions: tuple[str, ...] = ("float32", "int8")
    styles: tuple[str, ...] = ("straight", "table")
    cores: tuple[str, ...] = ()  # all

    def about(self, row: Figures) -> bool:
        in_code = row["precision"] in self.precisions and row["style"] in self.styles
        return in_code and (not self.cores or row["core"] in self.cores)


TABLE: dict[str, Any] = {"styles": ("table",)}
STRAIGHT: dict[str, Any] = {"styles": ("straight",)}
INT8: dict[str, Any] = {**STRAIGHT, "precisions": ("int8",), "cores": ("cortex-m4f",)}
GATES = (
    Gate("table: cycles within 10 %", "cycles", "within_10_percent", 100, **TABLE),
    Gate("table: Kendall", "cycles", "kendall", 0.98, **TABLE),
    Gate(
        "float32 straight: cycles within 10 %", "cycles", "within_10_percent", 99, precisions=("float32",), **STRAIGHT
    ),
    Gate("int8 straight, Cortex-M4F: cycles within 10 %", "cycles", "within_10_percent", 85, **INT8),
    Gate("int8 straight, Cortex-M4F: Kendall", "cycles", "kendall", 0.94, **INT8),
    Gate("flash within 10 %", "flash_bytes", "within_10_percent", 95),
    Gate("RAM not above its bound", BOUND, "kept_percent", 100),
    Gate("RAM at most 25 % or 16 B below its bound", BOUND, "near_percent", 90),
)


def figures(case: Case, name: str, samples: Samples, fitted: Samples) -> Figures:
    """A row of the report: the set of trees ``name`` in a case; baselines fitted to the trees of the calibration."""
    return {
        **case._asdict(),
        "set": name,
        "trees": len(samples.agrees),
        "constant_trees_left_out": samples.constant,
        "agrees": int(samples.agrees.sum()),
        **{cost: _errors(cost, samples, fitted) for cost in COSTS},
    }


def _errors(cost: str, samples: Samples, fitted: Samples) -> dict[str, dict[str, float | None]]:
    """Residuals by predictor: the model, and each baseline."""
    found = {"model": samples.predicted[cost]}
    for size in SIZES:
        const, each = fit_baseline(fitted.sizes[size], fitted.measured[cost])
        found[size] = const + each * samples.sizes[size]
    rows = {name: errors(predicted, samples.measured[cost]) for name, predicted in found.items()}
    if cost == BOUND:
        rows["model"] |= _of_bound(found["model"], samples.measured[cost])
    return rows


def _of_bound(predicted: np.ndarray, measured: np.ndarray) -> dict[str, float | None]:
    """The share of trees that keep the bound, and of those to which it is near."""
    with warnings.catch_warnings(action="ignore"):
        found = residual_of_bound(predicted, measured)
    assert found.below_percent is not None
    return {"kept_percent": round(100 - found.below_percent, 4), "near_percent": found.near_percent}


def errors(predicted: np.ndarray, measured: np.ndarray) -> dict[str, float | None]:
    """``residual`` with few digits; None if it is not defined, such as a rank correlation of one tree."""
    with warnings.catch_warnings(action="ignore"):  # ranks of equal values
        found = asdict(residual(predicted, measured))
    for name in ("trees", "below_percent", "near_percent"):
        del found[name]
    return {name: round(value, 4) if math.isfinite(value) else None for name, value in found.items()}


def judge(rows: Iterable[Figures]) -> list[Figures]:
    """Each gate over each set of trees: the least figure of its cases, and the cases that miss."""
    rows, found = list(rows), []
    for gate in GATES:
        for name in JUDGED:
            mine = [row for row in rows if row["set"] == name and gate.about(row)]
            values = {_label(row): row[gate.cost]["model"][gate.name] for row in mine}
            missed = {label: value for label, value in values.items() if value is None or value < gate.least}
            if values:
                least = min((value for value in values.values() if value is not None), default=None)
                found.append(
                    {
                        "gate": gate.title,
                        "at_least": gate.least,
                        "set": name,
                        "cases": len(values),
                        "least": least,
                        "met": not missed,
                        "missed": missed,
                    }
                )
    return found


def _label(row: Figures) -> str:
    return " ".join(row[name] for name in Case._fields)
