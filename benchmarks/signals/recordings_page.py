"""The page and the picture of ``benchmarks.run recordings``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from neuraltree.cli.markdown import table

FAMILY = "pipeline (ours)"
FLASH = (1024, 1536, 2048, 3072, 4096)
SPEED = (2_000, 5_000, 10_000, 20_000, 50_000)  # cycles of the core for each second of signal
Row = dict[str, Any]
ABOUT = """Written by `python -m benchmarks.run recordings`. Activities: the raw recordings of UCI HAPT (30 people, six
channels at 50 Hz), windows of 128 samples, hop 64, within one of six activities (7,143 for training, 2,874 of the
subjects 2, 4, 9, 10, 12, 13, 18, 20 and 24 for the test). Gestures: 96 recordings in Edge Impulse's format, the test is
the folder `testing`; windows as the command line chooses them. Flash and RAM are those of whole code by clang -Os on a
Cortex-M4F (peers with <math.h>: gcc -Os), filters, features, tree and all; ours measured, peers' own code measured and
their features' predicted. Cycles: of the core for each second of signal. Within a budget the model is chosen by the
training rows alone: of ours by the honest error, of peers by cross-validation; the table has what it does on the test.
*Peers* read the 8, 16 or 32 best features of the same filter, as int16 and as floats."""


def page(rows: Sequence[Row], stem: str) -> str:
    parts = ["# From recordings to streaming code", ABOUT, f"![accuracy against flash and cycles]({stem}.png)"]
    for name in dict.fromkeys(row["data"] for row in rows if row["part"] in ("search", "peers")):
        parts += [f"## {name}", _budgets(rows, name, "flash_bytes", FLASH, "B of flash")]
        parts += [_budgets(rows, name, "cycles_per_s", SPEED, "cycles a second"), _recommended(rows, name)]
    left_out = [row for row in rows if row["part"] == "subjects"]
    if left_out:
        parts += ["## One subject left out", _subjects(left_out)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _budgets(rows: Sequence[Row], name: str, cost: str, budgets: Sequence[int], unit: str) -> str:
    own = [row for row in rows if row["data"] == name and row["part"] in ("search", "peers")]
    lines = []
    for family in dict.fromkeys(row["family"] for row in own):
        cells = []
        for budget in budgets:
            scores = []
            for seed in dict.fromkeys(row["seed"] for row in own if row["family"] == family):
                fitting = [
                    row
                    for row in own
                    if (row["family"], row["seed"]) == (family, seed) and row[cost] and float(row[cost]) <= budget
                ]
                if fitting:
                    scores.append(float(max(fitting, key=lambda row: float(row["promised"]))["score"]))
            cells.append(_spread(scores))
        lines.append((family, *cells))
    return table(("accuracy within", *(f"{budget:,} {unit}" for budget in budgets)), lines)


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{np.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _recommended(rows: Sequence[Row], name: str) -> str:
    own = [row for row in rows if row["data"] == name and row["recommended"] == "1"]
    if not own:
        return ""

    def median(key: str, form: str = ".3f") -> str:
        return format(float(np.median([float(row[key]) for row in own])), form)

    whole = f"{median('recordings_right', '.0f')} of {median('recordings', '.0f')} recordings by majority; "
    return (
        f"The recommended models ({len(own)} seeds, medians): accuracy {_spread([float(r['score']) for r in own])}, "
        f"{median('weights', '.0f')} weights, {median('flash_bytes', ',.0f')} B of flash, "
        f"{median('ram_bytes', ',.0f')} B of RAM, {median('cycles_per_s', ',.0f')} cycles a second; worst subject or "
        f"recording {median('worst_subject')}; {whole if name == 'gestures' else ''}events: "
        f"{median('found', '.0f')} of {median('spans', '.0f')} stretches found, after {median('delay_s', '.2f')} s, "
        f"{median('alarms_per_hour', '.1f')} false alarms per hour; the label is reported for "
        f"{median('reported')} of the labelled time."
    )


def _subjects(rows: Sequence[Row]) -> str:
    lines = []
    for name in dict.fromkeys(row["data"] for row in rows):
        scores = [float(row["score"]) for row in rows if row["data"] == name]
        flash = [float(row["flash_bytes"]) for row in rows if row["data"] == name]
        cells = f"{np.mean(scores):.3f}", f"{np.median(scores):.3f}", f"{np.std(scores):.3f}", f"{min(scores):.3f}"
        lines.append((name, str(len(scores)), *cells, f"{np.median(flash):,.0f}"))
    heads = ("data", "subjects", "mean", "median", "sd", "worst", "flash of the recommended, B")
    return table(heads, lines) + "\n\nEach subject in turn is left out of a search of its own, filter included."


def picture(rows: Sequence[Row]) -> Figure:
    """Test accuracy against flash and cycles a second, of all members and peers."""
    names = [*dict.fromkeys(row["data"] for row in rows if row["part"] == "peers")]
    figure = Figure(figsize=(9, 3.6 * max(1, len(names))), layout="constrained")
    axes = figure.subplots(max(1, len(names)), 2, squeeze=False)
    for line, name in zip(axes, names, strict=False):
        for ax, cost in zip(line, ("flash_bytes", "cycles_per_s"), strict=True):
            own = [row for row in rows if row["data"] == name and row["part"] in ("search", "peers")]
            for family in dict.fromkeys(row["family"] for row in own):
                points = [(float(r[cost]), float(r["score"])) for r in own if r["family"] == family and r[cost]]
                ax.plot(*zip(*points, strict=True), ".", label=family, ms=7 if family == FAMILY else 4)
            ax.set_xscale("log")
            ax.set_ylim(0.6, 1)
            ax.set_xlabel({"flash_bytes": "flash, B", "cycles_per_s": "cycles for a second of signal"}[cost])
            ax.set_ylabel(f"test accuracy, {name}")
    axes[0, 0].legend(fontsize="small")
    return figure
