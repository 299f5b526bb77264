"""The figures of a card: errors and what each of them chose, baselines, costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from neuraltree.hardware.profile.load import load_device
from neuraltree.tree.tree import Tree
from search.config.code_rule import code_of
from search.config.config import Config
from search.folder.baselines_csv import Baseline
from search.folder.columns import COLUMNS, MEASURED, described
from search.front import Member
from search.objectives import COST_NAMES, ROBUST, ROBUST_SCORE, columns_of, first_metric, metric_names, metric_of
from search.verdict import verdict_of


class Use(NamedTuple):
    """How an error was measured, and whether it chose anything; ``said`` is for people."""

    chose: bool
    said: str


GUIDED = Use(True, "mean over the folds of the search; it guided the search, so it tends to be too low")
TESTED = Use(False, "on the test rows, once, after training on all training rows; it chose nothing")
USES = {
    "honest_error": Use(
        True,
        "cross-validation of the structure, with new weights, on splits that the search did not use; it chose the "
        "front and the recommended model, for which it tends to be a little too low",
    ),
    "val_error": GUIDED,
    "test_error": TESTED,
    "test_score": TESTED,
    "int8_test_score": Use(False, "the same rows and score, by 8-bit code; it chose nothing"),
    ROBUST: GUIDED,
    ROBUST_SCORE: Use(False, "proved for the test rows, whatever their inputs change to; it chose nothing"),
}
JUDGED_BY_IT = Use(True, f"{GUIDED.said}; it also chose the recommended model")


def errors_of(member: Member, objectives: Sequence[str], tree: Tree) -> dict[str, Any]:
    """``metric``: that of the honest, the validation and the test error. ``value`` is None if it is not finite."""
    row = first_metric(objectives)
    metric = metric_of(row, tree.kind)
    further = [name for each in metric_names(objectives) for name in columns_of(each, tree.classes)]
    names = [name for name in dict.fromkeys((*USES, *further)) if name in member.values]
    labels = described(names, metric, tree.kind)
    found = {"metric": metric, "rows": [_error(member, name, labels[name].label) for name in names]}
    return found | ({"unit": row.unit} if row.unit else {})


def _error(member: Member, name: str, label: str) -> dict[str, Any]:
    use = USES.get(name, GUIDED)
    if name == "val_error" and "honest_error" not in member.values:
        use = JUDGED_BY_IT
    found: dict[str, Any] = {"name": name, "label": label, "value": _finite(member.values[name])}
    if f"{name}_se" in member.values:
        found["standard_error"] = _finite(member.values[f"{name}_se"])
    return found | {"chose": use.chose, "use": use.said}


def baselines_of(baselines: Sequence[Baseline]) -> list[dict[str, Any]]:
    """``honest_difference``: the honest error less that of the recommended model, in the same folds."""
    return [_baseline(row) for row in baselines]


def _baseline(row: Baseline) -> dict[str, Any]:
    names = ("honest_error", "honest_error_se", "honest_difference", "honest_difference_se", "val_error")
    known = {name: _finite(row.values[name]) for name in names if name in row.values}
    found = {"name": row.name, "label": row.label, "weights": int(row.values["weights"]), **known}
    return found | ({"verdict": verdict_of(row)} if "honest_difference" in row.values else {})


def costs_of(member: Member, config: Config, device: str) -> dict[str, Any]:
    """Predicted and measured costs on the device, each with its unit; without a device only the number format."""
    wanted = config.hardware
    found: dict[str, Any] = {"number_format": member.precision or wanted.first_format}
    if device:
        found |= {"device": device, "code_style": member.style or wanted.style, "compiler": _build(config)}
    if config.constraints:
        found["constraints"] = dict(config.constraints)
    return found | {"rows": [_cost(member, name) for name in COST_NAMES if name in member.values]}


def _build(config: Config) -> str:
    """The build whose costs the run has; the name in the config where the device's profile is gone."""
    try:
        return code_of(config, load_device(config.hardware.device)).compiler
    except ValueError:
        return code_of(config, None).compiler


def _cost(member: Member, name: str) -> dict[str, Any]:
    column = COLUMNS[name]
    found = {"name": name, "label": column.label, "unit": column.unit, "predicted": _finite(member.values[name])}
    measured = member.values.get(MEASURED + name)
    return found | ({} if measured is None else {"measured": _finite(measured)})


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
