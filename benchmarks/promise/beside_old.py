"""Errors that fronts promise and test rows keep, of this search and of an older one on the same rows.

``git worktree add ../old 6dcb75b`` makes a checkout of the older search, then ``python -m benchmarks.run promise --old
../old``. Both run with this Python, by the parameters of the estimators, with default settings. The development
problems are small training samples of large tables, scored on thousands of other rows; ``--tables`` are the papers' 14
tables, of which a fifth is for the test.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from scipy.stats import wilcoxon

from benchmarks.machine import facts
from benchmarks.promise.problems import DEVELOPMENT, sample
from experiments.common.paper_tables import TABLES
from neuraltree.arrays import FloatArray
from neuraltree.cli.markdown import table
from neuraltree.storing import store

PACKAGES = ("neuraltree", "numpy", "jax", "scikit-learn", "deap", "moocore")
DRIVER = Path(__file__).with_name("driver.py")
ROOT = Path(__file__).parents[2]
BUDGETS = (5, 10, 20, 40, 70, 100)  # weights; the fair volume is the mean over them
LEAST = 1e-4  # the lowest error whose logarithm counts
Found = dict[tuple[str, int], dict[str, Any]]  # by problem and seed


class Chosen(NamedTuple):
    """The member that a front recommends, or its first: errors on test rows and as promised, and its size."""

    test: float
    promised: float
    spread: float
    weights: float


def searched(
    engine: Path, name: str, seeds: Iterable[int], rows: int, generations: int, objective: str, **parameters: float
) -> Found:
    """The fronts of all seeds, made in one process; ``parameters`` are those of the estimator."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            np.savez(Path(folder, f"{name}-{seed:03d}.npz"), **sample(name, rows, seed)._asdict())
        command = [sys.executable, str(DRIVER), folder, str(generations), objective, json.dumps(parameters)]
        made = subprocess.run(command, cwd=engine, stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = map(json.loads, made.splitlines())
    return {(name, int(line["sample"].rsplit("-", 1)[1])): line for line in lines}


def chosen(front: dict[str, Any], place: int) -> Chosen:
    member = front["members"][place]
    promised = member.get("honest_error", member["val_error"])
    return Chosen(member["test"], promised, member.get("honest_error_se", np.nan), member["weights"])


def fair_volume(front: dict[str, Any]) -> float:
    """The mean over budgets of the test error of the member of lowest promised error within it."""
    members = front["members"]
    smallest = min(members, key=lambda member: member["weights"])
    errors = []
    for budget in BUDGETS:
        fitting = [member for member in members if member["weights"] <= budget] or [smallest]
        best = min(fitting, key=lambda member: member.get("honest_error", member["val_error"]))
        errors.append(best["test"])
    return float(np.mean(errors))


def by_problem(old: Found, new: Found) -> list[dict[str, Any]]:
    """A row for each problem; errors are means over the seeds, changes are in % of the old error."""
    rows = []
    for name in dict.fromkeys(name for name, _ in new):
        keys = [key for key in new if key[0] == name]
        before = [chosen(old[key], 0) for key in keys]
        after = [chosen(new[key], new[key]["chosen"]) for key in keys]
        lowest = [chosen(new[key], 0) for key in keys]
        rows.append(
            {
                "problem": name,
                "seeds": len(keys),
                "old_test": np.mean([each.test for each in before]),
                "new_test": np.mean([each.test for each in after]),
                "change": 100 * changes(before, after).mean(),
                "old_weights": np.mean([each.weights for each in before]),
                "new_weights": np.mean([each.weights for each in after]),
                "old_gap": np.mean([each.test - each.promised for each in before]),
                "gap": np.mean([each.test - each.promised for each in after]),
                "lowest_gap": np.mean([each.test - each.promised for each in lowest]),
                "se": np.mean([each.spread for each in after]),
                "old_fair": np.mean([fair_volume(old[key]) for key in keys]),
                "new_fair": np.mean([fair_volume(new[key]) for key in keys]),
                "old_cpu_s": np.mean([old[key]["cpu_s"] for key in keys]),
                "new_cpu_s": np.mean([new[key]["cpu_s"] for key in keys]),
            }
        )
    return [{key: value if isinstance(value, str) else float(value) for key, value in row.items()} for row in rows]


def changes(before: list[Chosen], after: list[Chosen]) -> FloatArray:
    """(pairs,) logarithms of the new test error over the old one."""
    errors = np.array([[max(each.test, LEAST) for each in part] for part in (before, after)])
    return np.asarray(np.log(errors[1] / errors[0]))


def summary(old: Found, new: Found, rows: list[dict[str, Any]]) -> dict[str, float]:
    before, after = ([chosen(part[key], part[key]["chosen"]) for key in new] for part in (old, new))
    change = changes(before, after)
    fair = np.log([max(fair_volume(new[key]), LEAST) / max(fair_volume(old[key]), LEAST) for key in new])
    sizes = np.log([b.weights / a.weights for a, b in zip(before, after, strict=True)])
    return {
        "change_percent": 100 * float(change.mean()),
        "change_median_percent": 100 * float(np.median(change)),
        "change_p": float(wilcoxon(change).pvalue),
        "better": float(np.mean(change < 0)),
        "fair_volume_percent": 100 * float(fair.mean()),
        "fair_volume_p": float(wilcoxon(fair).pvalue),
        "weights_ratio": float(np.exp(sizes.mean())),
        "honest_within_half_se": float(sum(abs(row["gap"]) <= row["se"] / 2 for row in rows)),
        "lowest_honest_within_half_se": float(sum(abs(row["lowest_gap"]) <= row["se"] / 2 for row in rows)),
        "problems": float(len(rows)),
    }


SHOWN = {
    "problem": "problem",
    "old_test": "test error, old",
    "new_test": "new",
    "change": "change, %",
    "old_weights": "weights, old",
    "new_weights": "new",
    "old_gap": "test - promised, old",
    "gap": "new",
    "se": "its standard error",
    "old_fair": "fair volume, old",
    "new_fair": "new",
    "old_cpu_s": "CPU s, old",
    "new_cpu_s": "new",
}


def page(result: dict[str, Any]) -> str:
    cells = [
        [row[name] if isinstance(row[name], str) else f"{row[name]:.4g}" for name in SHOWN] for row in result["rows"]
    ]
    totals = [f"- {name}: {value:.4g}" for name, value in result["summary"].items()]
    made = f"Made by `{result['command']}`. {ABOUT}"
    lines = ["# What fronts promise, and what test rows keep", "", made, "", table(tuple(SHOWN.values()), cells), ""]
    return "\n".join([*lines, *totals]) + "\n"


ABOUT = """The old search is that of commit 6dcb75b. Of each front, the recommended member counts, and of old fronts
the member of lowest validation error, which the old version predicts with. Errors are means over the seeds, changes
means of logarithmic ratios on the same rows; p is that of Wilcoxon's signed-rank test over all pairs. *Promised* is
the honest error of the new search and the validation error of the old one. The fair volume is the mean over budgets
of 5 to 100 weights of the test error of the member with the lowest promised error."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=Path, required=True, help="a checkout of commit 6dcb75b")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=400, help="training rows of a development problem")
    parser.add_argument("--generations", type=int, default=30)
    parser.add_argument("--tables", action="store_true", help="the papers' 14 tables, by their error rates and 1 - R²")
    parser.add_argument("--only", nargs="*", help="only these problems")
    parser.add_argument("--out", type=Path, help="write all figures to this JSON file, and a page beside it")
    options = parser.parse_args()
    names = [name for name in (TABLES if options.tables else DEVELOPMENT) if name in (options.only or [name])]
    objective = "error" if options.tables else "log_loss"
    jobs = [(engine, name) for name in names for engine in (options.old.resolve(), ROOT)]
    console = Console(stderr=True)

    def run(job: tuple[Path, str]) -> Found:
        found = searched(*job, range(options.seeds), options.rows, options.generations, objective)
        console.print(f"{job[1]}: {'new' if job[0] == ROOT else 'old'} fronts of {len(found)} seeds")
        return found

    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(run, jobs))
    old, new = ({key: front for part in made[i::2] for key, front in part.items()} for i in range(2))
    rows = by_problem(old, new)
    command = f"python -m benchmarks.run promise --old ../old --seeds {options.seeds}"
    command += " --tables" if options.tables else f" --rows {options.rows}"
    command += f" --only {' '.join(options.only)}" if options.only else ""
    result = {"command": command, **facts(PACKAGES), "summary": summary(old, new, rows), "rows": rows}
    if options.out:
        text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        store({options.out: text, options.out.with_suffix(".md"): page(result)})
    Console().print(page(result), markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
