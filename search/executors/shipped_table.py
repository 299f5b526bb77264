"""A table as a message, for workers that cannot see its file."""

from __future__ import annotations

from typing import Any

import msgspec

from neuraltree.inputs.encoders import Category, Column, Flag, Number, Ordinal, Time
from neuraltree.structs import to_struct
from neuraltree.tree.scaler import Scaler
from search.executors.wire import Arrays, WireError, pack, unpack
from search.strict import one_line
from search.table.data import Table
from search.table.split_columns import Groups, Rules

RULES = ("group", "time", "part")
FACTS = ("features", "target", "kind", "digest")
SCALED, SCALER = ("features", "targets"), ("mean", "scale")
Columns = tuple[Number | Flag | Category | Ordinal | Time, ...]


def table_message(table: Table) -> bytes:
    """All of a table but its notes and its rows on disk, which only the refit and the last scores need."""
    rules = {f"rule {name}": getattr(table.rules, name) for name in RULES}
    fairness = {} if table.fairness is None else {"fairness": table.fairness.codes}
    scalers = {
        f"scaler {part} {name}": getattr(scaler, name)
        for part, scaler in zip(SCALED, table.scalers or (), strict=False)
        for name in SCALER
        if scaler is not None
    }
    arrays = {"X": table.X, "y": table.y, "weight": table.weight, **rules, **fairness, **scalers}
    facts = {name: getattr(table, name) for name in FACTS} | {
        "classes": table.classes,
        "columns": msgspec.to_builtins(table.columns),
        "fairness": None if table.fairness is None else table.fairness.names,
    }
    return pack(facts, {name: values for name, values in arrays.items() if values is not None})


def table_in(message: bytes) -> Table:
    """The table in a message; ``WireError`` if there is none."""
    facts, arrays = unpack(message)
    try:
        return _table(facts, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"no table of a search: {one_line(error)}") from None


def _table(facts: dict[str, Any], arrays: Arrays) -> Table:
    columns: tuple[Column, ...] | None = facts["columns"] and to_struct(facts["columns"], Columns)
    for column in columns or ():
        column.check()
    fairness = facts["fairness"]
    return Table(
        arrays["X"],
        arrays["y"],
        tuple(facts["features"]),
        facts["target"],
        facts["classes"] and tuple(facts["classes"]),
        facts["kind"],
        facts["digest"],
        arrays.get("weight"),
        Rules(**{name: arrays[f"rule {name}"] for name in RULES if f"rule {name}" in arrays}),
        None if fairness is None else Groups(tuple(fairness), arrays["fairness"]),
        columns,
        scalers=_scalers(arrays),
    )


def _scalers(arrays: Arrays) -> tuple[Scaler, Scaler | None] | None:
    """None for a table all of whose rows were shipped."""
    features, targets = (
        Scaler(*(arrays[f"scaler {part} {name}"] for name in SCALER)) if f"scaler {part} mean" in arrays else None
        for part in SCALED
    )
    return None if features is None else (features, targets)
