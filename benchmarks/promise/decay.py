"""The rules that the promise of a front depends on: the weight decay by rows, and how near the recommended member is.

Searches with other multiples of the default weight decay, on samples of several sizes of the development problems. The
same fronts say what the recommended member costs and saves beside the one of lowest honest error. Test errors count at
most as much as those of a constant, so that test rows unlike all training rows do not decide.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from scipy.stats import wilcoxon

from benchmarks.promise.beside_old import ROOT, Found, searched
from benchmarks.promise.problems import DEVELOPMENT, sample
from benchmarks.promise.reporting import report
from neuraltree.arrays import FloatArray
from neuraltree.cli.markdown import table
from search.engine.problem import DECAYED_ROWS, MOST_DECAY
from search.front import WITHIN

MULTIPLES = (0.0, 1 / 3, 1.0, 3.0)
WITHINS = (0.0, WITHIN, 2 * WITHIN, 4 * WITHIN)
SIZES = {150: 4, 400: 4, 1000: 4, 4000: 2}  # seeds by training rows
GENERATIONS = 20


def decay_of(rows: int) -> float:
    return min(MOST_DECAY, DECAYED_ROWS / rows)


def worst(name: str) -> float:
    """The error of a constant: 1 - R² of a regression, else the entropy of equal classes."""
    classes = sample(name, 150, 0).classes
    return float(np.log(classes)) if classes else 1.0


def tested(front: dict[str, Any], within: float, most: float) -> tuple[float, float]:
    """The test error and the weights of the smallest member within so many standard errors of the lowest."""
    members = front["members"]
    best = min(members, key=lambda member: member["honest_error"])
    bound = best["honest_error"] + within * best["honest_error_se"]
    chosen = min((m for m in members if m["honest_error"] <= bound), key=lambda member: member["weights"])
    return min(chosen["test"], most), chosen["weights"]


def compared(found: dict[float, Found]) -> list[dict[str, float]]:
    """By multiple of the decay: the change from the default on the same rows, of the recommended members."""
    limits = {name: worst(name) for name, _ in found[1.0]}
    pairs = {m: np.array([tested(part[key], WITHIN, limits[key[0]]) for key in part]) for m, part in found.items()}
    return [_row(m, values, pairs[1.0]) for m, values in pairs.items()]


def rules(found: Found) -> list[dict[str, float]]:
    """By ``within``: the change from the member of lowest honest error."""
    limits = {name: worst(name) for name, _ in found}
    pairs = {w: np.array([tested(front, w, limits[key[0]]) for key, front in found.items()]) for w in WITHINS}
    return [_row(w, values, pairs[0.0]) for w, values in pairs.items()]


def _row(setting: float, values: FloatArray, base: FloatArray) -> dict[str, float]:
    change = np.log(values[:, 0] / base[:, 0])
    different = np.any(change != 0)
    return {
        "setting": setting,
        "change_percent": 100 * float(change.mean()),
        "median_percent": 100 * float(np.median(change)),
        "p": float(wilcoxon(change).pvalue) if different else 1.0,
        "weights_ratio": float(np.exp(np.log(values[:, 1] / base[:, 1]).mean())),
    }


def page(result: dict[str, Any]) -> str:
    lines = ["# Weight decay by rows, and the recommended member", "", f"Made by `{result['command']}`. {ABOUT}"]
    header = ("", "mean change of the test error, %", "median, %", "p", "weights")
    for part in result["sizes"]:
        for what in ("decay", "within"):
            rows = [
                [f"{row['setting']:.2g}", *(f"{row[k]:.3g}" for k in (*CHANGES, "p", "weights_ratio"))]
                for row in part[what]
            ]
            title = f"{part['rows']:,} training rows, {part['pairs']} pairs: {TITLES[what]}"
            lines += ["", f"## {title}", "", table(header, rows)]
    return "\n".join(lines) + "\n"


CHANGES = ("change_percent", "median_percent")
TITLES = {
    "decay": "multiples of the default weight decay",
    "within": "standard errors within which the recommended member lies",
}
ABOUT = """Test errors of the recommended member on the development problems, on the same rows and seeds; changes are
means of logarithmic ratios to a multiple of 1, or to the member of lowest honest error. Errors count at most as much as
those of a constant."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="training rows")
    parser.add_argument("--out", type=Path, default=Path("results/decay.json"), help="default: %(default)s")
    options = parser.parse_args()
    console, parts = Console(stderr=True), []
    for rows in options.sizes:
        jobs = [(name, multiple) for name in DEVELOPMENT for multiple in MULTIPLES]

        def run(job: tuple[str, float], rows: int = rows) -> Found:
            name, multiple = job
            given = {"weight_decay": multiple * decay_of(rows)}
            return searched(ROOT, name, range(SIZES.get(rows, 2)), rows, GENERATIONS, "log_loss", **given)

        with ThreadPoolExecutor(2) as threads:
            made = list(threads.map(run, jobs))
        found: dict[float, Found] = {multiple: {} for multiple in MULTIPLES}
        for (_, multiple), fronts in zip(jobs, made, strict=True):
            found[multiple] |= fronts
        pairs = len(found[1.0])
        parts.append({"rows": rows, "pairs": pairs, "decay": compared(found), "within": rules(found[1.0])})
        console.print(f"{rows} rows: done")
    report("decay", {"sizes": parts}, page, options.out)


if __name__ == "__main__":
    main()
