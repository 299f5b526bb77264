"""Several runs as one page: their fronts, hypervolumes up to one reference point, and differences of configs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from neuraltree.arrays import FloatArray
from search.config.config import Config
from search.folder.columns import described
from search.front import Front
from search.objectives import metric_label, metric_names
from search.report.facts.read import Run
from search.report.facts.run_facts import HIDDEN, axes, members
from search.report.facts.run_volumes import common_reference, front_volume, histories, incomparable, point

BUDGETS = (10, 20, 50, 100)  # weights


def comparison_page(runs: Sequence[Run]) -> dict[str, Any]:
    """The data of the page that compares runs."""
    names = _names(runs)
    shared = _shared(runs)
    metrics = {(metric_names(run.front.objectives) or [""])[0] for run in runs}
    reason, error = incomparable(runs), _common_error(runs)
    reference = None if reason else common_reference(runs)
    volumes, about_volumes = histories(runs, reference)
    return {
        "kind": "comparison",
        "title": "Comparison of runs – neuraltree",
        "name": f"{len(runs)} runs compared",
        "columns": {
            name: row._asdict()
            for name, row in described(shared, metrics.pop() if len(metrics) == 1 else "", "").items()
        },
        "shown": shared,
        "axes": axes(runs[0].front, shared) | {"y": error},
        "runs": [_run(*each, shared, reference, error) for each in zip(runs, names, volumes, strict=True)],
        "summary": _summary_head(reason, error),
        "about": reason or _about(runs, reference),
        "volumes": about_volumes,
        "differences": differences([run.config for run in runs]),
        "notes": [f"{name}: {note}" for run, name in zip(runs, names, strict=True) for note in run.notes],
    }


def _about(runs: Sequence[Run], reference: FloatArray | None) -> str:
    text = f"The hypervolume is that of the front in front.csv, up to {point(runs[0], reference)}."
    if len({run.manifest.get("seed") for run in runs}) == 1:
        return text
    return f"{text} The seeds differ, so the runs were validated and tested on different rows."


def _names(runs: Sequence[Run]) -> list[str]:
    """The folders' names, or their paths if two have the same name."""
    short = [run.name for run in runs]
    return short if len(set(short)) == len(short) else [str(run.path) for run in runs]


def _shared(runs: Sequence[Run]) -> list[str]:
    """The columns that every run with a front has, in the order of the first."""
    fronts = [run.front for run in runs if len(run.front)]
    known = [{name for member in front for name in member.values} for front in fronts]
    first = fronts[0][0].values if fronts else {}
    return [name for name in first if name not in HIDDEN and all(name in names for names in known)]


def _common_error(runs: Sequence[Run]) -> str:
    """The error that the fronts of all runs have: older ones have no honest error."""
    judged = all(run.front.error == "honest_error" for run in runs if len(run.front))
    return "honest_error" if judged else "val_error"


def _summary_head(reason: str, error: str) -> list[dict[str, str]]:
    """The columns of the summary after name, status and data; the best of each is marked if runs are comparable."""
    less, more = ("", "") if reason else ("less", "more")
    small = [{"label": f"Error with ≤ {budget} weights", "column": error, "better": less} for budget in BUDGETS]
    return [
        {"label": "Members", "column": "", "better": ""},
        {"label": "Lowest error", "column": error, "better": less},
        {"label": "Its test error", "column": "test_error", "better": ""},
        {"label": "Its test score", "column": "test_score", "better": ""},
        *small,
        {"label": "Hypervolume", "column": "", "better": more},
        {"label": "Trees evaluated", "column": "weights", "better": ""},
        {"label": "Time", "column": "", "unit": "s", "better": ""},
    ]


def _run(
    run: Run,
    name: str,
    volumes: Sequence[float | None],
    shared: Sequence[str],
    reference: FloatArray | None,
    error: str,
) -> dict[str, Any]:
    front = run.front
    metric = (metric_names(front.objectives) or ["error"])[0]
    best = min((member.values for member in front), key=lambda values: values[error], default={})
    spent = [
        value or 0.0 for column, values in run.history.items() if column.startswith("seconds_") for value in values
    ]
    return {
        "name": name,
        "status": run.status,
        "source": run.config.data.source if run.config else "unknown",
        "metric": metric_label(metric),
        "members": members(front, shared),
        "history": run.history,
        "volumes": list(volumes),
        "summary": [
            len(front),
            best.get(error),
            best.get("test_error"),
            best.get("test_score"),
            *(_best_within(front, budget, error) for budget in BUDGETS),
            None if reference is None else front_volume(front, reference, error),
            (run.history.get("evaluations") or [None])[-1],
            sum(spent),
        ],
    }


def _best_within(front: Front, budget: int, error: str) -> float | None:
    errors = [member.values[error] for member in front if member.values.get("weights", np.inf) <= budget]
    return min(errors, default=None)


def differences(configs: Sequence[Config | None]) -> list[list[Any]]:
    """(key, value of every run) for each key of the configs that differs, except run.out."""
    flat = [dict(_flat(msgspec.to_builtins(config))) if config else {} for config in configs]
    keys = dict.fromkeys(key for values in flat for key in values if key != "run.out")
    rows = [[key, [_text(values.get(key)) for values in flat]] for key in keys]
    return [row for row in rows if len(set(row[1])) > 1]


def _flat(tables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for section, table in tables.items():
        for key, value in table.items():
            yield f"{section}.{key}", value


def _text(value: Any) -> str:
    return "–" if value is None else json.dumps(value, ensure_ascii=False)
