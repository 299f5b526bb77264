"""The tables of results/drift.md."""

from __future__ import annotations

import numpy as np

from experiments.common.paper_tables import REGRESSION
from experiments.rendering.searches import ResultRows, names, present, seeds_of
from experiments.rendering.text import NONE, figure, right, signed, whole
from experiments.studies.drift.recovery import Share, mean_gain, recovered
from experiments.studies.drift.run import BUDGETS, CHOSEN, FORESEEING, FORESIGHT, SENSOR, SUBJECT, TABLES

GROUPS = {
    "R², sensor": (SENSOR, tuple(name for name in TABLES if name in REGRESSION)),
    "accuracy, sensor": (SENSOR, tuple(name for name in TABLES if name not in REGRESSION)),
    "accuracy, new subject": (SUBJECT, ("hapt",)),
}
SHOWN = {"before the drift": "before", "after it": "none", "all nodes trained": "full"}
GAINS_TEXT = """## {group}

Training of all nodes gains {full} here: too little, or too unlike from seed to seed, to divide by. Mean gains over the
untrained tree instead."""
FORESIGHT_TEXT = """## Nodes chosen before the drift

Here selectors see as many rows from before the drift, as an export does that knows only the training rows; the table is
over all tables with a sensor, of {seeds}. Training is as above."""


def rows_of_group(rows: ResultRows, group: str) -> ResultRows:
    job, tables = GROUPS[group]
    return [row for row in rows if row["job"] == job and row["table"] in tables]


def share_of(rows: ResultRows, group: str, selector: str, budget: str, column: str = "test_score") -> Share | None:
    return recovered(rows_of_group(rows, group), selector, budget, GROUPS[group][1], column)


def share_cell(share: Share | None) -> str:
    if share is None:
        return NONE
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def mean_of(rows: ResultRows, column: str) -> float:
    found = [float(row[column]) for row in rows if row[column]]
    return float(np.mean(found)) if found else float("nan")


def gain_cell(gain: Share | None) -> str:
    return f"{signed(gain.value)} [{signed(gain.low)}, {signed(gain.high)}]" if gain else NONE


def full_gain(rows: ResultRows, group: str) -> Share | None:
    return mean_gain(rows_of_group(rows, group), "full", "all", GROUPS[group][1])


def groups_with_shares(rows: ResultRows) -> list[str]:
    """The groups whose gain by training all nodes is above 0 with all of its interval, so that there is a share."""
    found = {group: full_gain(rows, group) for group in GROUPS}
    return [group for group, gain in found.items() if gain and gain.low > 0]


def score_table(rows: ResultRows) -> str:
    lines = []
    for table in present((*TABLES, "hapt"), rows, "table"):
        own = [row for row in rows if row["table"] == table and row["job"] != FORESIGHT]
        cells = [mean_of([row for row in own if row["selector"] == name], "test_score") for name in SHOWN.values()]
        lines.append([table, *map(figure, cells)])
    return right(["mean score of test rows", *SHOWN], lines)


def share_table(rows: ResultRows, group: str) -> str:
    own = rows_of_group(rows, group)
    head = [f"recovered: {group}", *BUDGETS]
    lines = [[name, *(share_cell(share_of(rows, group, name, budget)) for budget in BUDGETS)] for name in CHOSEN]
    at = {budget: [row for row in own if row["budget"] == budget] for budget in BUDGETS}
    lines.append(["bytes", *(whole(mean_of(each, "bytes")) for each in at.values())])
    lines.append(["weights in training, %", *(figure(trained_share(each), 1) for each in at.values())])
    return right(head, lines)


def trained_share(rows: ResultRows) -> float:
    return 100 * float(np.mean([int(row["trained"]) / int(row["weights"]) for row in rows])) if rows else float("nan")


def chosen_table(rows: ResultRows) -> str:
    rows = [row for row in rows if row["job"] != FORESIGHT]
    tables = names(rows, "table")
    lines = [
        [name, *(share_cell(recovered(rows, name, budget, tables, "held_score")) for budget in BUDGETS)]
        for name in CHOSEN
    ]
    return right(["recovered on held-back rows", *BUDGETS], lines)


def foresight_sections(rows: ResultRows) -> list[str]:
    """The section about selectors that see rows from before the drift; nothing if there are no rows."""
    found = [row for row in rows if row["job"] == FORESIGHT]
    if not found:
        return []
    after = [row for row in rows if row["job"] == SENSOR]
    parts = [FORESIGHT_TEXT.format(seeds=seeds_of(found))]
    for said, column in (("test rows", "test_score"), ("held-back rows", "held_score")):
        lines = [
            [label, *(share_cell(recovered(own, name, budget, TABLES, column)) for budget in BUDGETS)]
            for label, own, name in (
                *((f"{name}, rows from before", found, name) for name in FORESEEING),
                *((f"{name}, rows from after", after, name) for name in FORESEEING),
                ("output, no rows", after, "output"),
            )
        ]
        parts.append(right([f"recovered on {said}", *BUDGETS], lines))
    return parts


def rule_table(rows: ResultRows) -> str:
    lines = []
    for group in GROUPS:
        own = [row for row in rows_of_group(rows, group) if row["raw_score"]]
        if own:
            kept = figure(100 * mean_of(own, "kept"), 1)
            lines.append([group, kept, signed(mean_of(own, "raw_score") - mean_of(own, "test_score"), 4)])
    return right(["", "old weights stay, %", "score without the rule"], lines)


def cost_table(rows: ResultRows) -> str:
    head = ["core", "nodes", "budget", "state, B", "RAM, B", "flash, B", "instructions", "forward", "energy, µJ"]
    lines = []
    for core in names(rows, "core"):
        for selector, budget in dict.fromkeys((row["selector"], row["budget"]) for row in rows):
            own = [row for row in rows if (row["core"], row["selector"], row["budget"]) == (core, selector, budget)]
            ram = mean_of(own, "static_bytes") + mean_of(own, "stack_bytes")
            cells = [whole(mean_of(own, name)) for name in ("flash_bytes", "instructions", "forward")]
            energy = figure(mean_of(own, "energy_uj"), 2)
            lines.append([core, selector, budget, whole(mean_of(own, "static_bytes")), whole(ram), *cells, energy])
    return right(head, lines, left=3)


def gain_sections(rows: ResultRows) -> list[str]:
    """The sections of the other groups."""
    parts = []
    for group in GROUPS:
        full = full_gain(rows, group)
        if full is None or group in groups_with_shares(rows):
            continue
        own, tables = rows_of_group(rows, group), GROUPS[group][1]
        lines = [[name, *(gain_cell(mean_gain(own, name, budget, tables)) for budget in BUDGETS)] for name in CHOSEN]
        said = GAINS_TEXT.format(group=group[0].upper() + group[1:], full=gain_cell(full))
        parts += [said, right(["mean gain", *BUDGETS], lines)]
    return parts
