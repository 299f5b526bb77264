"""Our search against what a user would pick instead, at equal CPU time: fronts of error against weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from experiments.common import paper_tables
from experiments.common.holdout import TEST_FRACTION
from experiments.common.searching import settings as defaults
from experiments.common.searching import size_of
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.provenance import constants
from experiments.peers.arena import (
    BUDGET_S,
    MOST_WEIGHTS,
    QUICK_BUDGET_S,
    Arena,
    Found,
    Member,
    make_arena,
    served,
    volume,
)

ALL = ("regression", "binary", "multiclass")
TABLES = {"friedman": ALL[0], "mpg6": ALL[0], "dee": ALL[0], "australian": ALL[1], "vehicle": ALL[2]}
QUICK_TABLES = ("dee", "vehicle")


class Method(NamedTuple):
    """``place`` is "module:function" in experiments/peers, imported when it runs.

    The function gets one arena, or the arenas of ``together`` seeds. ``why_not``: the note for tables of a kind that is
    not in ``kinds``. ``uses``: other modules whose constants it depends on.
    """

    label: str
    place: str
    kinds: tuple[str, ...] = ALL
    why_not: str = ""
    together: int = 0
    uses: tuple[str, ...] = ()


OURS = ("search.evolution", "search.variation.operators", "neuraltree.tree.generate")
METHODS: dict[str, Method] = {
    "evolved": Method("evolved neural trees", "trees:evolved", uses=OURS),
    "random": Method("random neural trees", "trees:random_search", uses=OURS),
    "optuna": Method("Optuna NSGA-II, MLPs", "networks:optuna_nsga2"),
    "pruned": Method("pruned MLP", "pruning:pruned", uses=("search.baselines.prune", "search.baselines.make")),
    "pyoperon": Method("pyoperon NSGA-II", "operon:nsga2", ALL[:1], "pyoperon has a regressor only"),
    "gplearn": Method("gplearn", "programs:gplearn", ALL[:2], "gplearn's classifier is of two classes only"),
    "deap": Method("DEAP, plain GP", "plain_gp:deap_gp", ALL[:1], "DEAP's plain GP is run on regression only"),
    "kozax": Method("kozax", "matrices:kozax", ALL[:1], "kozax comes with a fitness of regression only", 10),
}
QUICK_METHODS = tuple(name for name in METHODS if name != "kozax")  # kozax compiles for a minute
VOLUMES = ("hypervolume", "test_volume", "log_test_volume", "scalar_test_volume")
NUMBERS = (*VOLUMES, "smallest", "val_error", "test_score", "weights", "scalars", "nodes")
COLUMNS = (*NUMBERS, "search_cpu_s", "compile_cpu_s", "evaluations", "front_size", "front", "note")


def units(seeds: int, quick: bool) -> list[Unit]:
    """Units of one seed, seed by seed, then the units of several seeds, which are never shortened."""
    tables, jobs = (QUICK_TABLES, QUICK_METHODS) if quick else (tuple(TABLES), tuple(METHODS))
    pairs = [(table, job, METHODS[job].together if _suits(table, job) else 0) for table in tables for job in jobs]
    each = [Unit(table, job, seed) for seed in range(seeds) for table, job, together in pairs if not together]
    return each + [
        Unit(table, job, seed, together)
        for table, job, together in pairs
        if together
        for seed in range(0, seeds, together)
    ]


def _suits(table: str, job: str) -> bool:
    return TABLES[table] in METHODS[job].kinds


def rows(unit: Unit, quick: bool) -> list[Row]:
    """A row for each seed of the unit."""
    method = METHODS[unit.job]
    seeds = range(unit.seed, unit.seed + unit.count)
    if not _suits(unit.table, unit.job):
        return [said(method.why_not) | {"seed": seed} for seed in seeds]
    module, name = _place(method)
    run: Callable[..., Any] = getattr(import_module(module), name)
    arenas = [make_arena(unit.table, seed, quick) for seed in seeds]
    found: Sequence[Found] = run(arenas) if method.together else [run(arena) for arena in arenas]
    return [row(arena, each) | {"seed": arena.seed} for arena, each in zip(arenas, found, strict=True)]


def _place(method: Method) -> tuple[str, str]:
    """The names of a module and of its function."""
    module, _, name = method.place.partition(":")
    return f"experiments.peers.{module}", name


def said(note: str) -> Row:
    """The row of a method that cannot run."""
    return dict.fromkeys(COLUMNS) | {"note": note}


def row(arena: Arena, found: Found) -> Row:
    """All volumes cover the same members, by validation errors and by test errors.

    ``smallest``: the fewest weights of a member.
    ``val_error`` and the columns after it describe the member with the lowest validation error.
    """
    measured: Row = {
        "search_cpu_s": found.search_s,
        "compile_cpu_s": found.compile_s,
        "evaluations": found.evaluations,
        "front_size": len(found.members),
        "front": json.dumps([_rounded(member) for member in found.members], separators=(",", ":")),
    }
    if not found.members:
        return said("no model within the budget") | measured | dict.fromkeys(VOLUMES, 0.0)
    chosen = min(found.members, key=lambda member: (member.val_error, member.weights))
    return (
        measured
        | volumes(found.members, arena.worst_error)
        | {
            "smallest": min(member.weights for member in found.members),
            "val_error": chosen.val_error,
            "test_score": 1.0 - chosen.test_error,
            "weights": chosen.weights,
            "scalars": chosen.scalars,
            "nodes": chosen.nodes,
            "note": found.note,
        }
    )


def volumes(members: Sequence[Member], worst: float) -> Row:
    """``VOLUMES``: by validation errors, by test errors, the same on a logarithmic axis of weights, and by scalars."""
    weights, scalars = [member.weights for member in members], [member.scalars for member in members]
    found = [
        volume([member.val_error for member in members], weights, worst),
        served(members, weights, worst),
        served(members, weights, worst, np.log10),
        served(members, scalars, worst),
    ]
    return dict(zip(VOLUMES, found, strict=True))


def _rounded(member: Member) -> list[float | int | None]:
    return [round(member.val_error, 5), round(member.test_error, 5), member.weights, member.scalars, member.nodes]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    return {
        "data": paper_tables.DIGESTS[unit.table],
        "test_fraction": TEST_FRACTION,
        "budget_s": QUICK_BUDGET_S if quick else BUDGET_S,
        "most_weights": MOST_WEIGHTS,
        "size": size_of(quick)._asdict(),
        "method": METHODS[unit.job].place,
        "constants": constants(_place(METHODS[unit.job])[0], *METHODS[unit.job].uses),
        **(
            {"defaults": defaults(unit.table, size_of(quick), {})["defaults"]} if METHODS[unit.job].uses == OURS else {}
        ),
    }


EXPERIMENT = Experiment("search_peers", __doc__ or "", 10, COLUMNS, units, rows, settings)
