"""Where a rule of the hypervolume would end a search, and what more generations would have gained on test rows.

``python -m benchmarks.run plateau`` runs long searches of the development problems once. For every rule, the front of
the generation at which it holds is judged, refitted and scored, and compared with the last front of the same search.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.promise.problems import DEVELOPMENT, Sample, error_of, last_of, prepared, sample
from benchmarks.promise.reporting import report
from experiments.common.statistics import signed_rank_p
from neuraltree.cli.markdown import table as markdown
from search.engine.evolution_step import State, generations
from search.engine.problem import Setup
from search.runs import ending
from search.runs.progress import Phases
from search.table.data import Table

LONGEST = 200  # generations
RULES = tuple((rise, width) for width in (10, 20, 30) for rise in (0.0005, 0.001, 0.002, 0.005))
ABOUT = """Searches of {rows} rows of the development problems, for {longest} generations, {seeds} seeds each. A rule
ends a search when its hypervolume has risen by no more than a share of itself in so many generations. Changes of the
recommended member are means of logarithmic ratios to that of the last generation; p is that of Wilcoxon's signed-rank
test over all searches. Some errors on gas are very large, so medians say more. The rule in use: {rise} in {width}
generations."""


def searched(job: tuple[str, int, int]) -> dict[str, Any]:
    """By generation at which a rule ends the search: the test error and the weights of the recommended member."""
    name, rows, seed = job
    data = sample(name, rows, seed)
    measure = "log_loss" if data.classes else "error"
    setup, table = prepared(name, data, seed, measure)
    volumes: list[float] = []
    found: dict[int, dict[str, float]] = {}
    ends: dict[str, int] = {}
    for state, info in generations(setup.problem, setup.strategy, Phases()):
        volumes.append(info.hypervolume)
        last = state.generation == LONGEST
        for rise, width in RULES:
            rule = _named(rise, width)
            if rule not in ends and (last or ending.on_plateau(volumes, rise, width)):
                ends[rule] = state.generation
        if last or state.generation in ends.values():
            found[state.generation] = recommended(setup, table, state, data, measure)
        if last:
            return {"problem": name, "seed": seed, "ends": ends, "found": found}
    raise AssertionError


def _named(rise: float, width: int) -> str:
    return f"{rise:g} in {width}"


def recommended(setup: Setup, table: Table, state: State, data: Sample, measure: str) -> dict[str, float]:
    member = last_of(setup, table, state).recommended()
    return {"test": error_of(member, data, measure), "weights": member.values["weights"]}


def by_rule(runs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    runs = list(runs)
    for rise, width in RULES:
        rule = _named(rise, width)
        pairs = [(run["found"][run["ends"][rule]], run["found"][LONGEST]) for run in runs]
        change = np.array([np.log(here["test"] / there["test"]) for here, there in pairs])
        rows.append(
            {
                "rule": rule,
                "generations": float(np.mean([run["ends"][rule] for run in runs])),
                "change_percent": 100 * float(change.mean()),
                "median_percent": 100 * float(np.median(change)),
                "p": signed_rank_p(change, np.zeros_like(change)) if change.any() else 1.0,
                "weights_ratio": float(np.exp(np.mean([np.log(a["weights"] / b["weights"]) for a, b in pairs]))),
            }
        )
    return rows


def page(result: dict[str, Any]) -> str:
    about = ABOUT.format(
        longest=LONGEST, rows=result["rows"], seeds=result["seeds"], rise=ending.RISE, width=ending.GENERATIONS
    )
    header = ("rule", "generations", "mean change of the test error, %", "median, %", "p", "weights")
    rows = [[row["rule"], *(f"{value:.3g}" for value in list(row.values())[1:])] for row in result["rules"]]
    return (
        f"# When a front no longer gets better\n\nMade by `{result['command']}`. {about}\n\n{markdown(header, rows)}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400, help="training rows; default: %(default)s")
    parser.add_argument("--seeds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/plateau.json"), help="default: %(default)s")
    options = parser.parse_args()
    console, runs = Console(stderr=True), []
    with ProcessPoolExecutor(2) as workers:
        jobs = [(name, options.rows, seed) for name in DEVELOPMENT for seed in range(options.seeds)]
        for run in workers.map(searched, jobs):
            runs.append(run)
            console.print(f"{run['problem']} seed {run['seed']}: done")
    found = {"rows": options.rows, "seeds": options.seeds, "rules": by_rule(runs)}
    report(f"plateau --rows {options.rows} --seeds {options.seeds}", found, page, options.out)


if __name__ == "__main__":
    main()
