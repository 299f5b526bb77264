"""The picture of a core: for each table, the score within a budget of cycles and of flash, one line a family."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.devices.front_budgets import Row, kept_scores
from benchmarks.devices.models import cmsis_code, decision_trees, emlearn_code, linear_code, our_trees
from neuraltree.plot import style

COSTS = {"cycles": "cycles a prediction", "flash_bytes": "bytes of flash"}
CORES = {"cortex-m0plus": "Cortex-M0+", "cortex-m4f": "Cortex-M4F"}
INPUTS = {"float32": "inputs are floats", "int16": "inputs are int16"}
LOOKS: Mapping[str, dict[str, Any]] = {
    our_trees.FAMILY: {"color": style.BLUE, "lw": 2.6, "zorder": 5},
    linear_code.FAMILY: {"color": style.BLACK},
    decision_trees.EMLEARN: {"color": style.ORANGE},
    decision_trees.M2CGEN: {"color": style.ORANGE, "ls": (0, (3, 1.5))},
    emlearn_code.FOREST: {"color": style.GREEN},
    cmsis_code.FAMILY: {"color": style.VERMILION},
    emlearn_code.NETWORK: {"color": style.PURPLE, "ls": (0, (3, 1.5))},
}
PANEL = (2.7, 2.15)  # inches


def picture(rows: Sequence[Row], core: str) -> bytes:
    """PNG of one core and the first compiler."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = [row for row in of_one_compiler(rows) if row["core"] == core]
    tables = list(dict.fromkeys(row["table"] for row in shown))
    lines = [(inputs, cost) for inputs in INPUTS for cost in COSTS]
    size = (PANEL[0] * len(tables) + 0.6, PANEL[1] * len(lines) + 0.7)
    figure, axes = plt.subplots(len(lines), len(tables), figsize=size, squeeze=False, layout="constrained")
    for line, (inputs, cost) in enumerate(lines):
        for column, table in enumerate(tables):
            own = [row for row in shown if (row["inputs"], row["table"]) == (inputs, table)]
            _panel(axes[line, column], own, cost)
            axes[line, column].set_xlabel(COSTS[cost], fontsize=8)
        axes[line, 0].set_ylabel(f"{INPUTS[inputs]}\ntest score", fontsize=9)
    for column, table in enumerate(tables):
        axes[0, column].set_title(f"{CORES[core]}: {table}", fontsize=10)
    figure.legend(*_keys(axes), loc="outside upper center", ncols=4, frameon=False, fontsize=9)
    content = io.BytesIO()
    figure.savefig(content, dpi=110)
    plt.close(figure)
    return content.getvalue()


def of_one_compiler(rows: Sequence[Row]) -> list[Row]:
    first = min((row["compiler"] for row in rows), key=lambda name: name != "gcc", default="")
    return [row for row in rows if row["compiler"] == first]


def _panel(axis: Any, rows: Sequence[Row], cost: str) -> None:
    budgets = np.unique([row[cost] for row in rows])
    ends, least = (budgets.min() * 0.85, budgets.max() * 1.2), np.inf
    for family, look in LOOKS.items():
        own = [row for row in rows if row["family"] == family]
        if own:
            scores = kept_scores(own, cost, budgets)
            axis.step([*budgets, ends[1]], [*scores, scores[-1]], where="post", label=family, **{"lw": 1.5} | look)
            axis.plot(*_first(budgets, scores), "o", ms=3.5, color=look["color"], zorder=look.get("zorder", 2))
            least = min(least, np.nanmin(scores))
    top = max(axis.dataLim.y1, 0.0)
    lowest = max(least, top - 0.45)
    axis.set(xscale="log", xlim=ends, ylim=(lowest - 0.06 * (top - lowest), top + 0.06 * (top - lowest)))
    axis.grid(color="0.92", lw=0.6)
    axis.tick_params(labelsize=7.5)
    axis.xaxis.set_minor_formatter("")


def _first(budgets: NDArray[np.float64], scores: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """The cheapest model of a family, which begins its line."""
    at = int(np.flatnonzero(np.isfinite(scores))[0])
    return [budgets[at]], [scores[at]]


def _keys(axes: Any) -> tuple[list[Any], list[str]]:
    found: dict[str, Any] = {}
    for axis in np.ravel(axes):
        found |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    known = [family for family in LOOKS if family in found]
    return [found[family] for family in known], known
