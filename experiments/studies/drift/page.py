"""results/drift.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.rendering.searches import ResultRows, names, seeds_of
from experiments.rendering.text import page, right
from experiments.studies.drift.drift_tables import (
    chosen_table,
    cost_table,
    foresight_sections,
    gain_sections,
    groups_with_shares,
    mean_of,
    rows_of_group,
    rule_table,
    score_table,
    share_cell,
    share_of,
    share_table,
)
from experiments.studies.drift.drifts import GAIN, OFFSET, ROWS, WEIGHTS
from experiments.studies.drift.run import BUDGETS, CHOSEN, COSTS, EPOCHS
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

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
COST_TEXT = """## Costs of a step

Measured on emulated cores (clang, {seeds} of friedman): RAM of the variables and of the stack, flash with code and
constants, instructions of a training step and, of these, of its forward pass; energy of the step by the profile of the
core."""
CHOICE_TEXT = """## Chosen by held-back rows

The same share on the held-back rows, over all groups. These chose the learning rates as well, for all selectors alike;
the selector by default is the best here, and test rows have no say."""
RULE_TEXT = """## Old weights where held-back rows get worse

How often the old weights stayed, and the mean test score of always taking the new ones less that of the rule."""
PICTURE = "![recovered share against bytes of state](drift.png)"


def render(rows: ResultRows, results: Path) -> None:
    own = [row for row in rows if row["job"] != COSTS]
    text = TEXT.format(
        command=COMMAND, seeds=seeds_of(own), weights=WEIGHTS, gain=GAIN, offset=OFFSET, rows=ROWS, epochs=EPOCHS
    )
    parts = [text, score_table(own), *(share_table(own, group) for group in groups_with_shares(own)), CHOICE_TEXT]
    parts += [chosen_table(own), RULE_TEXT, rule_table(own)]
    parts += [*foresight_sections(own), *gain_sections(own)]
    if costs := [row for row in rows if row["job"] == COSTS]:
        parts += [COST_TEXT.format(seeds=seeds_of(costs)), cost_table(costs)]
    write_text(results / "drift.md", page(TITLE, *parts, PICTURE))
    save(picture(own), results / "drift.png")


def headline(rows: ResultRows) -> str:
    own = [row for row in rows if row["job"] != COSTS]
    groups = groups_with_shares(own)
    lines = [[name, *(share_cell(share_of(own, group, name, "30.8 %")) for group in groups)] for name in CHOSEN]
    shown = right(["recovered with 30.8 % of the state", *groups], lines)
    text = f"{COMMAND}, {seeds_of(own)} on {len(names(own, 'table'))} tables; [drift.md](drift.md)."
    return f"## {TITLE}\n\n{text}\n\n{shown}\n\n{PICTURE}"


def picture(rows: ResultRows) -> Figure:
    groups = groups_with_shares(rows)
    made = Figure(figsize=(4 * len(groups), 4), layout="constrained")
    panels = made.subplots(1, len(groups), squeeze=False)[0]
    for ax, group in zip(panels, groups, strict=True):
        for name in CHOSEN:
            found = [
                (
                    mean_of(
                        [row for row in rows_of_group(rows, group) if (row["selector"], row["budget"]) == (name, at)],
                        "bytes",
                    ),
                    s,
                )
                for at in BUDGETS
                if (s := share_of(rows, group, name, at))
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
