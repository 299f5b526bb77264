"""results/drift.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.common.paper_tables import REGRESSION
from experiments.rendering.searches import ResultRows, names, present, seeds_of
from experiments.rendering.text import NONE, figure, page, right, signed, whole
from experiments.studies.drift.drifts import GAIN, OFFSET, ROWS, WEIGHTS
from experiments.studies.drift.recovery import Share, mean_gain, recovered
from experiments.studies.drift.run import (
    BUDGETS,
    CHOSEN,
    COSTS,
    EPOCHS,
    FORESEEING,
    FORESIGHT,
    SENSOR,
    SUBJECT,
    TABLES,
)
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

GROUPS = {
    "R², sensor": (SENSOR, tuple(name for name in TABLES if name in REGRESSION)),
    "accuracy, sensor": (SENSOR, tuple(name for name in TABLES if name not in REGRESSION)),
    "accuracy, new subject": (SUBJECT, ("hapt",)),
}
LOOKS = dict(
    zip(CHOSEN, (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.GREY), strict=True),
)
TITLE, COMMAND = "Training of a few nodes after a drift", "`python -m experiments.run drift`"
TEXT = """Made by {command}; {seeds} per table. Random trees of about {weights} weights are trained well on rows from
before the drift. *Sensor*: then one input gets a gain of {gain} about its mean, and another an offset of {offset}
standard deviations, the two that do most harm on the rows from before. *New subject*: activities of a person of whom
the tree saw no rows, from its first recording to its second (UCI HAPT). The tree then sees at most {rows} labelled rows
one at a time, {epochs} times, by plain descent as the device does. Every fourth row is held back: these rows choose the
learning rate, and the old weights stay where the new ones are worse on them. Selectors see the other rows.

*Recovered*: the sum of gains over the untrained tree on test rows, over that of training all nodes, with the 95 %
interval of the bootstrap over seeds. A budget is of bytes of state, or a share of what training of all nodes takes."""
GAINS_TEXT = """## {group}

Training of all nodes gains {full} here: too little, or too unlike from seed to seed, to divide by. Mean gains over the
untrained tree instead."""
COST_TEXT = """## Costs of a step

Measured on emulated cores (clang, {seeds} of friedman): RAM of the variables and of the stack, flash with code and
constants, instructions of a training step and, of these, of its forward pass; energy of the step by the profile of the
core."""
CHOICE_TEXT = """## Chosen by held-back rows

The same share on the held-back rows, over all groups. These chose the learning rates as well, for all selectors alike;
the selector by default is the best here, and test rows have no say."""
FORESIGHT_TEXT = """## Nodes chosen before the drift

Here selectors see as many rows from before the drift, as an export does that knows only the training rows; the table is
over all tables with a sensor, of {seeds}. Training is as above."""
RULE_TEXT = """## Old weights where held-back rows get worse

How often the old weights stayed, and the mean test score of always taking the new ones less that of the rule."""
PICTURE = "![recovered share against bytes of state](drift.png)"


def render(rows: ResultRows, results: Path) -> None:
    own = [row for row in rows if row["job"] != COSTS]
    text = TEXT.format(
        command=COMMAND, seeds=seeds_of(own), weights=WEIGHTS, gain=GAIN, offset=OFFSET, rows=ROWS, epochs=EPOCHS
    )
    parts = [text, _scores(own), *(_shares(own, group) for group in _shared(own)), CHOICE_TEXT]
    parts += [_chosen(own), RULE_TEXT, _rule(own)]
    parts += [*_foresight(own), *_gains(own)]
    if costs := [row for row in rows if row["job"] == COSTS]:
        parts += [COST_TEXT.format(seeds=seeds_of(costs)), _costs(costs)]
    write_text(results / "drift.md", page(TITLE, *parts, PICTURE))
    save(picture(own), results / "drift.png")


def headline(rows: ResultRows) -> str:
    own = [row for row in rows if row["job"] != COSTS]
    groups = _shared(own)
    lines = [[name, *(_cell(_share(own, group, name, "30.8 %")) for group in groups)] for name in CHOSEN]
    shown = right(["recovered with 30.8 % of the bytes", *groups], lines)
    text = f"{COMMAND}, {seeds_of(own)} on {len(names(own, 'table'))} tables; [drift.md](drift.md)."
    return f"## {TITLE}\n\n{text}\n\n{shown}\n\n{PICTURE}"


def _of(rows: ResultRows, group: str) -> ResultRows:
    job, tables = GROUPS[group]
    return [row for row in rows if row["job"] == job and row["table"] in tables]


def _full_gain(rows: ResultRows, group: str) -> Share | None:
    return mean_gain(_of(rows, group), "full", "all", GROUPS[group][1])


def _shared(rows: ResultRows) -> list[str]:
    """The groups whose gain by training all nodes is above 0 with all of its interval, so that there is a share."""
    found = {group: _full_gain(rows, group) for group in GROUPS}
    return [group for group, gain in found.items() if gain and gain.low > 0]


def _gains(rows: ResultRows) -> list[str]:
    """The sections of the other groups."""
    parts = []
    for group in GROUPS:
        full = _full_gain(rows, group)
        if full is None or group in _shared(rows):
            continue
        own, tables = _of(rows, group), GROUPS[group][1]
        lines = [[name, *(_gain(mean_gain(own, name, budget, tables)) for budget in BUDGETS)] for name in CHOSEN]
        said = GAINS_TEXT.format(group=group[0].upper() + group[1:], full=_gain(full))
        parts += [said, right(["mean gain", *BUDGETS], lines)]
    return parts


def _gain(gain: Share | None) -> str:
    return f"{signed(gain.value)} [{signed(gain.low)}, {signed(gain.high)}]" if gain else NONE


def _share(rows: ResultRows, group: str, selector: str, budget: str, column: str = "test_score") -> Share | None:
    return recovered(_of(rows, group), selector, budget, GROUPS[group][1], column)


def _cell(share: Share | None) -> str:
    if share is None:
        return NONE
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _mean(rows: ResultRows, column: str) -> float:
    found = [float(row[column]) for row in rows if row[column]]
    return float(np.mean(found)) if found else float("nan")


def _scores(rows: ResultRows) -> str:
    lines = []
    for table in present((*TABLES, "hapt"), rows, "table"):
        own = [row for row in rows if row["table"] == table and row["job"] != FORESIGHT]
        cells = [_mean([row for row in own if row["selector"] == name], "test_score") for name in SHOWN.values()]
        lines.append([table, *map(figure, cells)])
    return right(["mean score of test rows", *SHOWN], lines)


SHOWN = {"before the drift": "before", "after it": "none", "all nodes trained": "full"}


def _shares(rows: ResultRows, group: str) -> str:
    own = _of(rows, group)
    head = [f"recovered: {group}", *BUDGETS]
    lines = [[name, *(_cell(_share(rows, group, name, budget)) for budget in BUDGETS)] for name in CHOSEN]
    at = {budget: [row for row in own if row["budget"] == budget] for budget in BUDGETS}
    lines.append(["bytes", *(whole(_mean(each, "bytes")) for each in at.values())])
    lines.append(["weights in training, %", *(figure(_trained(each), 1) for each in at.values())])
    return right(head, lines)


def _trained(rows: ResultRows) -> float:
    return 100 * float(np.mean([int(row["trained"]) / int(row["weights"]) for row in rows])) if rows else float("nan")


def _chosen(rows: ResultRows) -> str:
    rows = [row for row in rows if row["job"] != FORESIGHT]
    tables = names(rows, "table")
    lines = [
        [name, *(_cell(recovered(rows, name, budget, tables, "held_score")) for budget in BUDGETS)] for name in CHOSEN
    ]
    return right(["recovered on held-back rows", *BUDGETS], lines)


def _foresight(rows: ResultRows) -> list[str]:
    """The section about selectors that see rows from before the drift; nothing if there are no rows."""
    found = [row for row in rows if row["job"] == FORESIGHT]
    if not found:
        return []
    after = [row for row in rows if row["job"] == SENSOR]
    parts = [FORESIGHT_TEXT.format(seeds=seeds_of(found))]
    for said, column in (("test rows", "test_score"), ("held-back rows", "held_score")):
        lines = [
            [label, *(_cell(recovered(own, name, budget, TABLES, column)) for budget in BUDGETS)]
            for label, own, name in (
                *((f"{name}, rows from before", found, name) for name in FORESEEING),
                *((f"{name}, rows from after", after, name) for name in FORESEEING),
                ("output, no rows", after, "output"),
            )
        ]
        parts.append(right([f"recovered on {said}", *BUDGETS], lines))
    return parts


def _rule(rows: ResultRows) -> str:
    lines = []
    for group in GROUPS:
        own = [row for row in _of(rows, group) if row["raw_score"]]
        if own:
            kept = figure(100 * _mean(own, "kept"), 1)
            lines.append([group, kept, signed(_mean(own, "raw_score") - _mean(own, "test_score"), 4)])
    return right(["", "old weights stay, %", "score without the rule"], lines)


def _costs(rows: ResultRows) -> str:
    head = ["core", "nodes", "budget", "state, B", "RAM, B", "flash, B", "instructions", "forward", "energy, µJ"]
    lines = []
    for core in names(rows, "core"):
        for selector, budget in dict.fromkeys((row["selector"], row["budget"]) for row in rows):
            own = [row for row in rows if (row["core"], row["selector"], row["budget"]) == (core, selector, budget)]
            ram = _mean(own, "static_bytes") + _mean(own, "stack_bytes")
            cells = [whole(_mean(own, name)) for name in ("flash_bytes", "instructions", "forward")]
            energy = figure(_mean(own, "energy_uj"), 2)
            lines.append([core, selector, budget, whole(_mean(own, "static_bytes")), whole(ram), *cells, energy])
    return right(head, lines, left=3)


def picture(rows: ResultRows) -> Figure:
    groups = _shared(rows)
    made = Figure(figsize=(4 * len(groups), 4), layout="constrained")
    panels = made.subplots(1, len(groups), squeeze=False)[0]
    for ax, group in zip(panels, groups, strict=True):
        for name in CHOSEN:
            found = [
                (_mean([row for row in _of(rows, group) if (row["selector"], row["budget"]) == (name, at)], "bytes"), s)
                for at in BUDGETS
                if (s := _share(rows, group, name, at))
            ]
            found.sort()
            bytes_, shares = [each[0] for each in found], np.array([each[1] for each in found])
            ends = np.abs(shares[:, 1:].T - shares[:, 0])
            ax.errorbar(bytes_, shares[:, 0], ends, color=LOOKS[name], label=name, marker="o", ms=3, capsize=2)
        ax.axhline(1, color=style.PALE, zorder=0)
        ax.set(title=group, xlabel="bytes of state", ylabel="recovered share")
        ax.set_ylim(0, 1.4)
        ax.grid(alpha=0.25)
    panels[0].legend(frameon=False, fontsize=8, loc="lower right")
    return made
