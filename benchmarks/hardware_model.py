"""The cost model against measurements, and exported C against Python.

``python -m benchmarks.hardware_model`` writes ``hardware_model.json``, ``.md`` and ``.png`` into results/ and prints
which gates are met. It needs the extras measure and dev; gcc for Arm adds its cases. Measurements and the fronts are
kept in the user's cache folder, so an interrupted run resumes where it stopped, and a second run is quick.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.hardware import hardware_report
from benchmarks.hardware.correctness import check_all
from benchmarks.hardware.figures import Figures, figures, judge
from benchmarks.hardware.judging_trees import JUDGED_SEED, OBJECTIVES, Amounts, calibration_trees, judged_trees
from benchmarks.hardware.predicted_samples import Case, Samples, calibrated, sample, seconds_a_model
from benchmarks.machine import facts
from neuraltree.compress.formats import PRECISIONS, STYLES
from neuraltree.hardware.measure.cores import CORES, MeasureError
from neuraltree.hardware.measure.toolchains import available_compilers, version
from neuraltree.storing import store
from neuraltree.tree.tree import Tree

PACKAGES = (
    "neuraltree",
    "numpy",
    "scipy",
    "scikit-learn",
    "jax",
    "ziglang",
    "unicorn",
    "capstone",
)
COMPILERS = ("clang", "gcc")
TIMED = 3  # trees a case
INTERRUPTED = 130
WIDTH = 120  # of the table if it is not printed on a terminal
QUICK = Amounts(
    random=6, trained=4, members=3, fitted_random=10, fitted_trained=0, population=12, generations=1, tables=("iris",)
)
Sets = dict[str, list[Tree]]
Panels = dict[Case, dict[str, Samples]]


@dataclass(frozen=True)
class Places:
    """The cores and compilers that are measured."""

    cores: list[str]
    compilers: list[str]

    def cases(self) -> list[Case]:
        """All cases that a compiler can build; cases without calibrated coefficients are reported and left out."""
        pairs = [(core, c) for core in self.cores for c in self.compilers if core in available_compilers().get(c, ())]
        for core, compiler in pairs:
            if not calibrated(core, compiler):
                print(f"{core} by {compiler}: no calibrated coefficients in its profile; left out", file=sys.stderr)
        known = [pair for pair in pairs if calibrated(*pair)]
        return [Case(*pair, precision, style) for pair in known for precision in PRECISIONS for style in STYLES]


def report(places: Places, amounts: Amounts, progress: Progress) -> tuple[dict[str, Any], Panels]:
    """All numbers of the report, and the samples by case and set for the plot."""
    cases = places.cases()
    if not cases:
        raise MeasureError("nothing to measure with: pip install 'neuraltree[measure]'")
    task = progress.add_task("searches and training", total=None)
    sets, fitted = judged_trees(amounts), calibration_trees(amounts)
    every = [tree for trees in sets.values() for tree in trees]
    rows, panels = [], {}
    progress.update(task, total=len(cases) * (len(every) + len(fitted)), completed=0)
    for case in cases:
        progress.update(task, description=" ".join(case))
        panels[case] = {name: sample(trees, case, lambda: progress.advance(task)) for name, trees in sets.items()}
        rows += _rows(case, panels[case], sample(fitted, case, lambda: progress.advance(task)))
    progress.update(task, description="seconds a model")
    seconds = {" ".join(case): round(seconds_a_model(_middle(sets["random"]), case), 3) for case in cases}
    checked = _checked(every, progress)
    found = {
        "command": "python -m benchmarks.hardware_model",
        **facts(PACKAGES),
        "compilers": {case.compiler: version(CORES[case.core], case.compiler) for case in cases},
        "trees": _about(sets, len(fitted), amounts),
        **_agreement(panels),
        "seconds_a_model": {"median": float(np.median(list(seconds.values()))), "slowest": max(seconds.values())},
        "seconds_by_case": seconds,
        "gates": judge(rows),
        "cases": rows,
        "correctness": checked,
    }
    return found, panels


def _rows(case: Case, sets: dict[str, Samples], fitted: Samples) -> Iterator[Figures]:
    for name, samples in {**sets, "held_out": sets["random"] + sets["trained"]}.items():
        yield figures(case, name, samples, fitted)


def _middle(trees: Sequence[Tree]) -> list[Tree]:
    """A few trees of middle size."""
    ordered = sorted(trees, key=lambda tree: tree.num_weights)
    return ordered[max(len(ordered) // 2 - 1, 0) :][:TIMED]


def _checked(trees: Sequence[Tree], progress: Progress) -> list[dict[str, int | str]]:
    task = progress.add_task("exported C under sanitizers", total=len(trees) * len(PRECISIONS) * len(STYLES))
    return check_all(trees, lambda: progress.advance(task))


def _about(sets: Sets, fitted: int, amounts: Amounts) -> dict[str, Any]:
    counts = {name: len(trees) for name, trees in sets.items()}
    searches = {"tables": amounts.tables, "objectives": OBJECTIVES, "settings": asdict(amounts)}
    return {"seed": JUDGED_SEED, **counts, "calibrated": fitted, **searches}


def _agreement(panels: Panels) -> dict[str, int]:
    every = np.concatenate([samples.agrees for sets in panels.values() for samples in sets.values()])
    return {"measured": len(every), "agreeing": int(every.sum())}


def show(found: dict[str, Any]) -> None:
    table = Table("gate", "at least", "trees", "least", "met", box=None)
    for row in found["gates"]:
        least = "" if row["least"] is None else f"{row['least']:.4g}"
        met = "met" if row["met"] else f"not met in {len(row['missed'])} of {row['cases']} cases"
        table.add_row(row["gate"], f"{row['at_least']:g}", row["set"], least, met)
    for row in found["correctness"]:
        wrong = row["mismatches"] + row["sanitizer_reports"]
        title = f"C {row['precision']} {row['style']} is right on {row['inputs']:,} inputs"
        table.add_row(title, "", "all", f"{wrong} wrong", "not met" if wrong else "met")
    (Console() if sys.stdout.isatty() else Console(width=WIDTH)).print(table)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    made.add_argument("--core", nargs="+", choices=list(CORES), default=list(CORES))
    made.add_argument("--compiler", nargs="+", choices=COMPILERS, default=list(COMPILERS))
    made.add_argument("--trees", type=int, default=Amounts.random, help="random trees; default: %(default)s")
    made.add_argument("--trained", type=int, default=Amounts.trained, help="trained trees; default: %(default)s")
    made.add_argument("--quick", action="store_true", help="a few trees of each kind, to check that everything works")
    made.add_argument("--out", type=Path, default=Path("results"), metavar="FOLDER", help="default: %(default)s")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    amounts = QUICK if arguments.quick else replace(Amounts(), random=arguments.trees, trained=arguments.trained)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            found, panels = report(Places(arguments.core, arguments.compiler), amounts, progress)
    except MeasureError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; measurements are kept, the same command resumes", file=sys.stderr)
        return INTERRUPTED
    write(arguments.out, found, panels)
    show(found)
    return 0


def write(folder: Path, found: dict[str, Any], panels: Panels) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page = hardware_report.markdown(found)
    store({folder / "hardware_model.json": json.dumps(found, indent=1) + "\n", folder / "hardware_model.md": page})
    shown = {case: sets for case, sets in panels.items() if case.core in hardware_report.PLOTTED} or panels
    hardware_report.plot(folder / "hardware_model.png", shown)


if __name__ == "__main__":
    sys.exit(main())
