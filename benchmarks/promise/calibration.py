"""Whether a temperature makes the probabilities of finished trees better: why the search has no such step.

``python -m benchmarks.run calibration`` divides the logits of every member by a temperature (Guo et al. 2017) with the
lowest log loss on validation rows, either by the folds of the search or by those of the judgement, and compares the log
loss on test rows with that of the member as it is. The best temperature on the test rows shows what is to be had.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.promise.problems import prepared, sample
from benchmarks.promise.reporting import report
from experiments.common.statistics import signed_rank_p
from neuraltree.arrays import FloatArray
from neuraltree.cli.markdown import table as markdown
from neuraltree.tasks.metrics import METRICS, Truth
from search.engine.evaluate import validation_outputs
from search.engine.evolution_step import generations
from search.judge.finish import judged_front, last_front, live_front
from search.runs.progress import Phases

PROBLEMS = ("mnist2", "mnist10", "fashion2", "fashion10", "segment", "credit-g")
TABLES = ("vehicle", "glass", "wdbc", "pima", "australian")
SIZES, GENERATIONS = (400, 1000), 15
TEMPERATURES = 2.0 ** (np.arange(-16, 17) / 8)
WAYS = ("folds of the search", "folds of the judgement", "test rows, the best possible")
ABOUT = """Changes of the log loss on test rows by a temperature that is chosen in each way, in %: means of logarithmic
ratios over the members of a front, then over the fronts; p is that of Wilcoxon's signed-rank test over the fronts."""


def coolest(truth: Truth, outputs: FloatArray) -> FloatArray:
    """(trees,) the temperature of each tree with the lowest log loss."""
    losses = np.stack([METRICS["log_loss"](truth, outputs / each) for each in TEMPERATURES])
    return TEMPERATURES[losses.argmin(axis=0)]


def changes(job: tuple[str, int, int]) -> list[float]:
    """By way: the mean logarithmic change of the test loss over the members of a front."""
    name, rows, seed = job
    data = sample(name, rows, seed)
    setup, table = prepared(name, data, seed, "log_loss")
    states = generations(setup.problem, setup.strategy, Phases())
    state = next(state for state, _ in states if state.generation == GENERATIONS)
    front, judged = judged_front(
        setup, table, live_front(setup, state), lambda line: None, lambda: False, evaluations=state.evaluations
    )
    assert judged.held_out is not None
    by_search = coolest(setup.problem.validation_truth, validation_outputs(setup.problem, front.trees))
    by_judge = coolest(judged.held_out[0].validation_truth, validation_outputs(*judged.held_out))
    truth, found = Truth(setup.problem.task, data.test_y), []
    for member in last_front(setup, table, front, lambda line: None, lambda: False, evaluations=state.evaluations):
        outputs = member.tree.outputs(data.test_X).T[None]
        warm = (by_search[member.place], by_judge[member.place], coolest(truth, outputs)[0])
        losses = [float(METRICS["log_loss"](truth, outputs / each)[0]) for each in (1.0, *warm)]
        found.append(np.log(np.array(losses[1:]) / losses[0]))
    return [float(change) for change in np.mean(found, axis=0)]


def page(result: dict[str, Any]) -> str:
    rows = []
    for size, found in result["sizes"].items():
        for way, values in zip(WAYS, np.array(found).T, strict=True):
            shown = (100 * values.mean(), 100 * np.median(values), signed_rank_p(values, np.zeros_like(values)))
            rows.append([f"{int(size):,}", way, *(f"{value:.2g}" for value in shown), str(len(values))])
    header = ("training rows", "temperature by", "mean change, %", "median, %", "p", "fronts")
    return f"# Temperatures\n\nMade by `{result['command']}`. {ABOUT}\n\n{markdown(header, rows)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/calibration.json"), help="default: %(default)s")
    options = parser.parse_args()
    sizes = {}
    with ProcessPoolExecutor(2) as pool:
        for rows in SIZES:
            names = (*PROBLEMS, *(TABLES if rows == max(SIZES) else ()))  # these tables have samples of one size
            sizes[rows] = list(pool.map(changes, product(names, [rows], range(options.seeds))))
            Console(stderr=True).print(f"{rows} rows: done")
    report("calibration", {"sizes": sizes}, page, options.out)


if __name__ == "__main__":
    main()
