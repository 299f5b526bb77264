"""The report as Markdown and as a plot."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hardware.predicted_samples import COSTS, Case, Samples
from neuraltree.storing import store

TITLES = {
    "cycles": "Cycles",
    "worst_cycles": "Cycles of the slowest prediction",
    "instructions": "Instructions",
    "flash_bytes": "Flash",
    "ram_bytes": "RAM and stack",
}
PLOTTED = ("cortex-m4f", "cortex-m0plus")
COLOURS = {"random": "tab:blue", "trained": "tab:orange", "fronts": "tab:green"}
HEAD = ("core", "compiler", "code", "trees", "±5 %", "±10 %", "RMSPE", "worst", "Spearman", "Kendall")
BASELINES = ("params ±10 %", "RMSPE", "Kendall", "MACs ±10 %", "RMSPE", "Kendall")
Row = Mapping[str, Any]


def markdown(report: Row) -> str:
    parts = [
        "# The cost model compared with measurements",
        "",
        f"Written by `{report['command']}`. Predicted: the middle of the bounds of the shipped profile. Measured: code "
        "compiled and run on an emulated core without wait states; boards were within about 25 % of these values. "
        f"Compilers: {', '.join(report['compilers'].values())}.",
        "",
        f"Trees: seed {report['trees']['seed']}, which no calibration used; {report['trees']['random']} random, "
        f"{report['trees']['trained']} trained, {report['trees']['fronts']} members of fronts of short searches "
        f"({', '.join(report['trees']['tables'])}; objectives {', '.join(report['trees']['objectives'])}). "
        '"Held out" means random and trained trees together. Trees whose int8 form is a constant are left out of int8.',
        "",
        "Baselines: a constant and one coefficient for the number of parameters (or MACs) of the tree. The same least "
        f"squares on the relative error fits them to the {report['trees']['calibrated']} trees that calibrate the "
        "profiles (seed 0), per core, compiler, precision and style.",
        "",
        f"On all {report['measured']} measured models, the outputs of the emulated core equal those of Python: "
        f"{'yes' if report['measured'] == report['agreeing'] else 'no, only on ' + str(report['agreeing'])}. "
        f"Measuring a model takes {report['seconds_a_model']['median']:g} s (median, one at a time, nothing cached; "
        f"slowest case {report['seconds_a_model']['slowest']:g} s).",
        "",
        "## Gates",
        "",
        *table(("gate", "at least", "trees", "cases", "least", "met", "missed by"), map(_gate, report["gates"])),
    ]
    for name, title in (("held_out", "held-out trees"), ("fronts", "members of trained fronts")):
        rows = [row for row in report["cases"] if row["set"] == name]
        for cost in COSTS if rows else ():
            lines = [_line(row, row[cost]) for row in rows]
            parts += ["", f"## {TITLES[cost]}, {title}", "", *table((*HEAD, *BASELINES), lines)]
        parts += bounds(rows, title)
    return "\n".join([*parts, "", *correctness(report["correctness"]), ""])


def bounds(rows: Sequence[Row], title: str) -> list[str]:
    """How the bound on RAM holds: never above, and how often near."""
    head = ("core", "compiler", "code", "trees", "kept %", "at most 25 % or 16 B below the bound %")
    lines = [
        [row["core"], row["compiler"], f"{row['precision']} {row['style']}", str(row["trees"])]
        + [_number(row["ram_bytes"]["model"].get(name), 1) for name in ("kept_percent", "near_percent")]
        for row in rows
    ]
    return ["", f"## The bound on RAM, {title}", "", *table(head, lines)] if rows else []


def _gate(row: Row) -> list[str]:
    missed = "; ".join(
        f"{label} {'none' if value is None else f'{value:.3g}'}" for label, value in row["missed"].items()
    )
    met = "met" if row["met"] else f"not met ({len(row['missed'])} of {row['cases']})"
    least = "" if row["least"] is None else f"{row['least']:.4g}"
    return [row["gate"], f"{row['at_least']:g}", row["set"].replace("_", " "), str(row["cases"]), least, met, missed]


def _line(row: Row, errors: Row) -> list[str]:
    model = errors["model"]
    code = f"{row['precision']} {row['style']}"
    line = [row["core"], row["compiler"], code, str(row["trees"])]
    line += [_number(model[name], 1) for name in ("within_5_percent", "within_10_percent")]
    line += [_number(model[name], 1) for name in ("rmspe_percent", "worst_percent")]
    line += [_number(model[name], 3) for name in ("spearman", "kendall")]
    for size in ("weights", "macs"):
        given = errors[size]
        line += [
            _number(given["within_10_percent"], 1),
            _number(given["rmspe_percent"], 1),
            _number(given["kendall"], 3),
        ]
    return line


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["-"] * len(head)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def correctness(rows: Sequence[Row]) -> list[str]:
    head = ("code", "trees", "inputs", "compared", "mismatches", "reports of the sanitizers")
    names = ("trees", "inputs", "compared", "mismatches", "sanitizer_reports")
    lines = [[f"{row['precision']} {row['style']}", *(f"{row[name]:,}" for name in names)] for row in rows]
    return [
        "## Exported C on this machine",
        "",
        "Every tree above was compiled as C99 by gcc with ASan and UBSan, without a warning, and run on 1,000 inputs, "
        "which include extremes, zeros, denormals, NaN and infinities. int8: classes, values, scores and quantized "
        "inputs must equal those of the NumPy integers bit for bit. float32: values must be within 16 single ulps of "
        "Σ|w·x| per node of float64 NumPy, with the same class outside that margin; inputs are compared if they are "
        "finite and no sum leaves the range of single floats.",
        "",
        *(table(head, lines) if rows else ["Not checked: gcc with sanitizers is not installed."]),
    ]


def plot(path: Path, panels: Mapping[Case, Mapping[str, Samples]]) -> None:
    """Predicted against measured cycles, one panel per case; the band is ±10 %."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = list(dict.fromkeys((case.core, case.compiler) for case in panels))
    columns = list(dict.fromkeys((case.precision, case.style) for case in panels))
    size = (3.3 * len(columns), 3.1 * len(rows))
    figure, axes = plt.subplots(len(rows), len(columns), figsize=size, squeeze=False, layout="constrained")
    for case, sets in panels.items():
        axis = axes[rows.index((case.core, case.compiler)), columns.index((case.precision, case.style))]
        _panel(axis, sets)
        axis.set_title(f"{case.core} {case.compiler}\n{case.precision} {case.style}", fontsize=9)
    axes[0, 0].legend(fontsize=7, loc="upper left")
    figure.supxlabel("measured cycles")
    figure.supylabel("predicted cycles (band: ±10 %)")
    picture = io.BytesIO()
    figure.savefig(picture, dpi=110)
    store({path: picture.getvalue()})
    plt.close(figure)


def _panel(axis: Any, sets: Mapping[str, Samples]) -> None:
    every = np.concatenate([samples.measured["cycles"] for samples in sets.values()])
    ends = np.array([every.min() * 0.8, every.max() * 1.25])
    axis.fill_between(ends, 0.9 * ends, 1.1 * ends, color="0.85", lw=0)
    for name, samples in sets.items():
        points = samples.measured["cycles"], samples.predicted["cycles"]
        axis.plot(*points, ".", ms=3, alpha=0.7, color=COLOURS[name], label=name)
    axis.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    for each in (axis.xaxis, axis.yaxis):
        each.set_minor_formatter("")
    axis.tick_params(labelsize=7)
