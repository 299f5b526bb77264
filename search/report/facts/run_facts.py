"""Everything a run's page shows, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from neuraltree.tree.tree import Tree
from search.folder.columns import described
from search.folder.run_energy import energy_words
from search.front import Front
from search.objectives import metric_names
from search.report.facts.member_models import about, cost_terms, drawn, lines, live_nodes, load_trees, names_of
from search.report.facts.read import Run
from search.report.facts.rivals import COUNTED, rivals
from search.report.facts.tested import judged, read_parts, summary
from search.strict import one_line

HIDDEN = ("id",)  # columns of a front that are not quantities
EARLY = (
    "These are the parts of code that computes everything. The code of this run exits early: its own latencies, flash "
    "and RAM are among the quantities of the member."
)


def run_page(run: Run, *, live: bool = False) -> dict[str, Any]:
    """The data of a run's page. ``live``: the page is served and asks for changes."""
    trees, notes = load_trees(run.front) if run.final else ([None] * len(run.front), [])
    tested = _tested(run, trees)
    of_table = tested.pop("task", {})
    names = about(trees) or of_table
    return {
        "kind": "run",
        "title": f"{run.name} – neuraltree",
        "name": run.name,
        "live": live,
        "task": names,
        "terms": _terms(run, trees),
        "lines": [lines(member, run.config) for member in run.front if member.path],
        "test": tested,
        "config": run.config_text,
        "device": run.config.hardware.device if run.config else "",
        "manifest": {key: run.manifest.get(key) for key in ("versions", "machine", "git_commit", "seed")}
        | {"energy": energy_words(run.manifest)},
        **changing(run, names.get("kind", "")),
        **({"trees": [None if tree is None else drawn(tree.nodes) for tree in trees]} if run.final else {}),
        "notes": [*run.notes, *notes],
    }


def changing(run: Run, kind: str = "") -> dict[str, Any]:
    """The part of a page that changes during the run."""
    front = run.front
    found = list(dict.fromkeys(name for member in front for name in member.values if name not in HIDDEN))
    extra = [name for baseline in run.baselines for name in baseline.values if name not in found]
    metric = (metric_names(front.objectives) or [""])[0]
    return {
        "status": run.status,
        "final": run.final,
        "objectives": list(front.objective_columns()),
        "columns": {name: row._asdict() for name, row in described([*found, *extra], metric, kind).items()},
        "shown": found,
        "members": members(front, found),
        "error": front.error,
        "recommended": _recommended(front),
        "verdict": _verdict(run),
        "axes": axes(front, found),
        "baselines": rivals(front, run.baselines),
        "trees": []
        if run.final
        else [nodes if nodes is None else drawn(nodes) for nodes in live_nodes(run.path, front)],
        "history": run.history,
        "saved": run.saved,
        "evaluations": run.manifest.get("evaluations"),
        "reference": run.manifest.get("reference_point"),
        "notes": list(run.notes),
    }


def members(front: Front, names: Sequence[str]) -> dict[str, Any]:
    """By column: the id, the name, the status and the values of every member; None for a value it lacks."""
    return {
        "id": [int(member.values.get("id", i)) for i, member in enumerate(front)],
        "name": [member.path.stem if member.path else f"{i:03d}" for i, member in enumerate(front)],
        "status": [member.status for member in front],
        "values": {name: [member.values.get(name) for member in front] for name in names},
    }


def _recommended(front: Front) -> int | None:
    """The position of the recommended member; None without members."""
    return front.members.index(front.recommended()) if len(front) else None


def _verdict(run: Run) -> list[str]:
    """The lines about the recommended member of a finished front, beside its baselines."""
    if not run.final or not len(run.front):
        return []
    most = run.config.space.max_nodes if run.config else None
    said = replace(run.front, baselines=tuple(run.baselines), max_nodes=most).summary()
    return [f"{line[0].upper()}{line[1:]}." for line in said.splitlines()]


def axes(front: Front, names: Sequence[str]) -> dict[str, str]:
    """The axes that a page opens with: the first cost that the run minimised, and the error that counts."""
    costs = [name for name in front.objective_columns() if name in COUNTED and name in names]
    x = (*costs, *(name for name in ("weights", "nodes") if name in names), *names, "weights")[0]
    return {"x": x, "y": front.error}


def _terms(run: Run, trees: Sequence[Tree | None]) -> dict[str, Any]:
    """The terms of the costs by member, or a sentence that says why there are none."""
    if run.config is None or not run.config.hardware.device:
        return {"missing": "The run has no device, so there is no cost to break down."}
    if not run.final:
        return {"missing": "The costs are broken down when the run is complete."}
    found = _or_missing(lambda: {"costs": cost_terms(trees, run.front, run.config)})
    return found | {"position": _positions(trees), "note": EARLY * run.config.compress.early_exit}


def _positions(trees: Sequence[Tree | None]) -> list[int | None]:
    """The position of each member among the members whose model could be read; None for the others."""
    place = 0
    found: list[int | None] = []
    for tree in trees:
        found.append(None if tree is None else place)
        place += tree is not None
    return found


def _tested(run: Run, trees: Sequence[Tree | None]) -> dict[str, Any]:
    """A summary of the run's table and the models' results on its test rows, or why they are missing."""
    if run.config is None:
        return {"missing": "The config of the run cannot be read, so its data cannot be read either."}
    config = run.config
    try:
        parts = read_parts(config, run.manifest.get("data_hash"))
    except (ValueError, OSError, MemoryError) as error:
        return {"missing": f"The data cannot be read: {one_line(error) or 'there is not enough memory'}"}
    table = parts.table
    return {"summary": summary(parts), "task": names_of(table.kind, table.features, table.classes)} | (
        _or_missing(lambda: judged(parts, trees)) if run.final else {}
    )


def _or_missing(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return make()
    except (ValueError, KeyError) as error:
        return {"missing": one_line(error)}
