"""The run's baselines compared with its front: the members that each baseline beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from search.baselines import Baseline
from search.front import Front
from search.objectives import USUAL_COSTS

COUNTED = ("weights", "macs", *USUAL_COSTS)


def compared_in(front: Front, baseline: Mapping[str, float]) -> tuple[str, ...]:
    """The error that counts, and the minimised costs that both sides have; weights if there are none."""
    known = [name for name in baseline if all(name in member.values for member in front)]
    costs = [name for name in front.objectives if name in COUNTED and name in known] or ["weights"]
    return tuple(name for name in (front.error, *costs) if name in known)


def dominates(a: Mapping[str, float], b: Mapping[str, float], names: Sequence[str]) -> bool:
    """No worse in any of ``names`` and better in one; all are minimised."""
    return all(a[name] <= b[name] for name in names) and any(a[name] < b[name] for name in names)


def rivals(front: Front, baselines: Sequence[Baseline]) -> list[dict[str, Any]]:
    """Every baseline with the members it dominates, and the best member no larger than it.

    Members are given by position. A baseline is compared only if both sides have the error that counts and a cost. The
    members that dominate a baseline are left out: validation errors, which fronts of older runs have, are the lowest of
    thousands and therefore too optimistic.
    """
    return [_rival(front, baseline) for baseline in baselines]


def _rival(front: Front, baseline: Baseline) -> dict[str, Any]:
    values = baseline.values
    names = compared_in(front, values)
    comparable = front.error in names and len(names) > 1
    members = list(enumerate(front)) if comparable else []
    return {
        "label": baseline.label,
        "values": dict(values),
        "compared": list(names) if comparable else [],
        "beats": [i for i, member in members if dominates(values, member.values, names)],
        "peer": _peer(front, values),
    }


def _peer(front: Front, values: Mapping[str, float]) -> int | None:
    """The member with the lowest error among those with no more weights."""
    if "weights" not in values:
        return None
    fitting = [i for i, m in enumerate(front) if m.values.get("weights", float("inf")) <= values["weights"]]
    return min(fitting, key=lambda i: front[i].values[front.error], default=None)
