"""Hypervolumes of several runs up to one reference point, if the runs are comparable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuraltree.arrays import FloatArray
from search.errors import InputError
from search.front import Front
from search.report.facts.read import Run


def incomparable(runs: Sequence[Run]) -> str:
    """The reason why the hypervolumes of the runs are not comparable; "" if they are."""
    if len({run.manifest.get("data_hash") for run in runs}) > 1:
        return "No common hypervolume: the runs were made with different data, so their errors are not comparable."
    objectives = {run.front.objectives for run in runs}
    if len(objectives) > 1:
        return f"No common hypervolume: the objectives differ ({'; '.join(sorted(map(', '.join, objectives)))})."
    if any(len(reference_of(run)) != len(run.front.objectives) or not run.front.objectives for run in runs):
        return "No common hypervolume: a run's manifest has no reference point."
    if any(len(run.front) and len(run.front.objective_columns()) < len(run.front.objectives) for run in runs):
        return "No common hypervolume: front.csv does not hold every objective."
    return ""


def reference_of(run: Run) -> list[float]:
    return list(run.manifest.get("reference_point") or ())


def common_reference(runs: Sequence[Run]) -> FloatArray:
    """(objectives,) the largest value of every objective among the runs' own reference points."""
    return np.max([reference_of(run) for run in runs], axis=0)


def front_volume(front: Front, reference: FloatArray, error: str) -> float:
    """Hypervolume of the members' objectives in front.csv, by the column ``error``, in the product of their units."""
    from search.selection.hypervolume import hypervolume

    names = [error if name == front.error else name for name in front.objective_columns()]
    points = np.array([[member.values[name] for name in names] for member in front])
    return hypervolume(points, reference) if len(points) else 0.0


def histories(runs: Sequence[Run], reference: FloatArray | None) -> tuple[list[list[float | None]], str]:
    """By run the hypervolume of every generation, up to the common reference point if possible; and a note on it."""
    own = [run.history.get("hypervolume", []) for run in runs]
    if reference is None:
        return _shares(own), "The hypervolumes are not comparable: each line is a share of its own last value."
    bound = point(runs[0], reference)
    if all(reference_of(run) == reference.tolist() for run in runs):
        return own, f"Hypervolume of the population's front on validation rows, up to {bound}."
    try:
        return [_recomputed(run, reference) for run in runs], f"Recomputed for all runs, up to {bound}."
    except (InputError, KeyError):
        return _shares(own), "The runs had different reference points: each line is a share of its own last value."


def _shares(volumes: Sequence[list[float | None]]) -> list[list[float | None]]:
    last = [next((value for value in reversed(run) if value), 1.0) for run in volumes]
    return [[None if v is None else v / whole for v in run] for run, whole in zip(volumes, last, strict=True)]


def _recomputed(run: Run, reference: FloatArray) -> list[float | None]:
    from search.folder.history import load_history
    from search.selection.hypervolume import hypervolume

    history = load_history(run.path)
    points = np.stack([history.columns[name] for name in history.objectives], axis=1)
    return [hypervolume(points[ids], reference) for ids in history.fronts]


def point(run: Run, reference: FloatArray | None) -> str:
    if reference is None:
        return ""
    values = zip(run.front.objectives, reference.tolist(), strict=True)
    return f"the reference point {', '.join(f'{name} {value:.4g}' for name, value in values)}"
