"""A table as a message, for workers that cannot see its file."""

from __future__ import annotations

from typing import Any

import msgspec

from neuraltree.inputs.encoders import Category, Column, Flag, Number, Ordinal, Time
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.structs import to_struct
from neuraltree.tree.scaler import Scaler
from search.executors.wire import Arrays, WireError, pack, unpack
from search.strict import one_line
from search.table.data import Table, Whole
from search.table.split_columns import Groups, Rules

RULES = ("group", "time", "part", "known")
FACTS = ("features", "target", "kind", "digest", "label_window", "hops")
FRONT = ("channels", "rate_hz", "hop", "features", "groups", "counts_per_unit")
SCALERS, PARTS = ("scaler", "target_scaler"), ("mean", "scale")
Columns = tuple[Number | Flag | Category | Ordinal | Time, ...]


def table_message(table: Table) -> bytes:
    """All of a table but its notes, and the rows that it is a sample of."""
    rules = {f"rule {name}": getattr(table.rules, name) for name in RULES}
    fairness = {} if table.fairness is None else {"fairness": table.fairness.codes}
    arrays = {
        "X": table.X,
        "y": table.y,
        "weight": table.weight,
        "moments": table.moments,
        **rules,
        **fairness,
        **_scalers(table.whole),
    }
    facts = {name: getattr(table, name) for name in FACTS} | {
        "classes": table.classes,
        "columns": msgspec.to_builtins(table.columns),
        "front": None if table.front is None else {name: getattr(table.front, name) for name in FRONT},
        "fairness": None if table.fairness is None else table.fairness.names,
        "whole": table.whole and table.whole.train_rows,
    }
    return pack(facts, {name: values for name, values in arrays.items() if values is not None})


def _scalers(whole: Whole | None) -> Arrays:
    found = {} if whole is None else {name: getattr(whole, name) for name in SCALERS}
    return {f"{name} {part}": getattr(each, part) for name, each in found.items() if each for part in PARTS}


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
        whole=_whole(arrays, facts["whole"]),
        front=facts["front"] and _front(facts["front"]),
        moments=arrays.get("moments"),
        label_window=facts["label_window"],
        hops=tuple(facts["hops"]),
    )


def _front(facts: dict[str, Any]) -> FrontEnd:
    groups = {name: tuple(axes) for name, axes in facts["groups"].items()}
    lists = {name: tuple(facts[name]) for name in ("channels", "features", "counts_per_unit")}
    return FrontEnd(rate_hz=facts["rate_hz"], hop=facts["hop"], groups=groups, **lists)


def _whole(arrays: Arrays, train_rows: int | None) -> Whole | None:
    if train_rows is None:
        return None
    scalers = [
        Scaler(*(arrays[f"{name} {part}"] for part in PARTS)) if f"{name} mean" in arrays else None for name in SCALERS
    ]
    if scalers[0] is None:
        raise ValueError("its scaler is missing")
    return Whole(scalers[0], scalers[1], train_rows)
