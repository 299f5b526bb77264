"""Searches of several settings, compared in one thread at equal CPU time or after as many generations.

``python -m benchmarks.run rows`` trains on a growing sample of rows, and on all rows; ``training`` varies the learning
rate, the epochs of a generation and the population; ``cutting`` prunes the finalists; ``sparsity`` varies the rate of
the L1 norm and ``group_sparsity`` that of whole nodes, for 20 generations each; ``temperature`` is that at which trees
learn from teachers; ``member_formats`` gives each member a number format. Fronts are judged and refitted on all rows
after that.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec import convert
from rich.console import Console
from sklearn.datasets import make_friedman1

from benchmarks.promise.beside_old import fair_volume
from benchmarks.promise.problems import DEVELOPMENT, MOST_TEST, Sample, error_of, last_of, prepared, sample
from benchmarks.promise.reporting import report
from experiments.common.statistics import signed_rank_p
from neuraltree.cli.markdown import table as markdown
from search.config.settings import TrainConfig
from search.engine.evolution_step import generations
from search.runs.progress import Phases
from search.selection.hypervolume import hypervolume
from search.teachers.named_teachers import named_lessons
from search.variation.shrinkage import EVOLVED


class Study(NamedTuple):
    """The first way is compared with the others; ``sizes``: training rows by problem, 0 for those of a hold-out.

    ``cpu_s``: the time of a search; infinite if it ends after ``generations``. ``measure``: the error of classes.
    """

    title: str
    cpu_s: float
    sizes: Mapping[str, tuple[int, ...]]
    ways: Mapping[str, dict[str, dict[str, Any]]]  # sections of the config
    measure: str = "log_loss"
    generations: int | None = None

    @property
    def length(self) -> str:
        return f"{self.generations} generations" if self.generations else f"{self.cpu_s:g} CPU s"


def on_device(prune: str = "none", precision: str | list[str] = "int8") -> dict[str, dict[str, Any]]:
    return {
        "search": {"objectives": ["error", "flash_bytes", "latency_s"]},
        "hardware": {"device": "cortex-m0plus", "precision": precision},
        "compress": {"prune": prune},
    }


def taught(temperature: float) -> dict[str, dict[str, Any]]:
    teachers = {"teachers": ["mlp", "random_forest"], "epochs": 8}
    return {"train": teachers | {"teacher_temperature": temperature}, "search": {"population": 60}}


def train(rate: float, epochs: int, population: int) -> dict[str, dict[str, Any]]:
    return {"train": {"learning_rate": rate, "epochs": epochs}, "search": {"population": population}}


ON_DEVICE = ("pima", "wdbc", "vehicle", "glass", "friedman", "mpg6")
STUDIES = {
    "rows": Study(
        "Growing samples of rows",
        30.0,
        {
            "elevators": (4000, 11_000),
            "friedman1": (10_000, 40_000),
            "fashion2": (10_000, 40_000),
            "mnist10": (40_000,),
        },
        {"all": {"search": {"rows": "all"}}, "auto": {"search": {"rows": "auto"}}},
    ),
    "training": Study(
        "Learning rate, epochs of a generation and population",
        20.0,
        dict.fromkeys((*DEVELOPMENT, "friedman1"), (400, 1000)),
        {
            "0.01, 20, 100": train(0.01, 20, 100),
            "0.03, 20, 100": train(0.03, 20, 100),
            "0.01, 40, 100": train(0.01, 40, 100),
            "0.03, 40, 100": train(0.03, 40, 100),
            "0.01, 20, 200": train(0.01, 20, 200),
        },
    ),
    "sparsity": Study(
        "Rates of the L1 norm in training",
        math.inf,
        dict.fromkeys((*DEVELOPMENT, "friedman1"), (400,)),
        {str(l1): {"train": {"l1": l1}} for l1 in (0.0, 0.01, 0.03, 0.1, 0.3, EVOLVED)},
        generations=20,
    ),
    "group_sparsity": Study(
        "Rates of the norms of the weights into nodes in training",
        math.inf,
        dict.fromkeys(("elevators", "gas", "segment", "credit-g", "friedman1", "mnist2"), (400,)),
        {str(rate): {"train": {"group_l1": rate}} for rate in (0.0, 0.1, EVOLVED)},
        generations=20,
    ),
    "temperature": Study(
        "Temperatures at which trees learn from teachers",
        math.inf,
        dict.fromkeys(("mnist2", "mnist10", "fashion2", "fashion10", "segment", "credit-g"), (400,)),
        {f"{temperature:g}": taught(temperature) for temperature in (1.0, 2.0, 4.0)},
        generations=8,
    ),
    "cutting": Study(
        "Finalists that are cut",
        5.0,
        dict.fromkeys(DEVELOPMENT, (400, 1000)),
        {name: {"compress": {"prune": name}} for name in ("none", "ablation", "taylor", "line")},
    ),
    "compression": Study(
        "Fronts of error, flash and latency whose finalists are cut",
        5.0,
        dict.fromkeys(ON_DEVICE, (0,)),
        {name: on_device(name) for name in ("none", "taylor")},
        measure="error",
    ),
    "member_formats": Study(
        "Fronts of error, flash and latency whose members have number formats of their own",
        5.0,
        dict.fromkeys(ON_DEVICE, (0,)),
        {"int8": on_device(), "mixed": on_device(precision=["int8", "int4", "ternary"])},
        measure="error",
    ),
}
BOX = {"flash_bytes": (256, 16_384), "latency_s": (1e-6, 1e-3), "weights": (2, 500)}
COLUMNS = {
    "generations": "generations",
    "test": "test error",
    "weights": "weights",
    "last_cpu_s": "CPU s of the end",
    "missed": "missed volume",
    "within": "error within 5 to 100 weights",
}
ABOUT = """Each search has {length} before its front is judged and refitted on all rows. Means over {seeds}
seeds: generations, the test error (log loss, or 1 - R²) and the weights of the recommended member, the mean test
error of the best members by promise within 5 to 100 weights, and the share of a box of test error and costs that the
front does not dominate. p: Wilcoxon's signed-rank test over all problems and
seeds."""


def rows_of(name: str, rows: int, seed: int) -> Sample:
    if name != "friedman1":
        return sample(name, rows, seed)
    X, y = make_friedman1(rows + MOST_TEST, n_features=10, noise=1.0, random_state=seed)
    return Sample(X[:rows], y[:rows], X[rows:], y[rows:], 0)


def searched(job: tuple[str, str, int, int, str]) -> dict[str, Any]:
    study, name, rows, seed, way = job
    data = rows_of(name, rows, seed)
    measure = STUDIES[study].measure if data.classes else "error"
    sections = STUDIES[study].ways[way]
    setup, table = prepared(name, data, seed, measure, sections)
    lesson = None
    if "teachers" in sections.get("train", {}):
        setup, lesson = named_lessons(setup, table, convert(sections["train"], TrainConfig), lambda text: None)
    begun = time.process_time()
    for state, _ in generations(setup.problem, setup.strategy, Phases()):
        if time.process_time() - begun >= STUDIES[study].cpu_s or state.generation == STUDIES[study].generations:
            break
    begun = time.process_time()
    front = last_of(setup, table, state, lesson)
    last_cpu_s = time.process_time() - begun
    scored = [member.values | {"test": error_of(member, data, measure)} for member in front]
    chosen = scored[front.members.index(front.recommended())]
    return {
        **dict(zip(("problem", "rows", "seed", "way"), job[1:], strict=True)),
        "generations": state.generation,
        "last_cpu_s": last_cpu_s,
        "test": chosen["test"],
        "weights": chosen["weights"],
        "within": fair_volume({"members": scored}),
        "missed": missed(scored, data),
    }


def missed(members: list[dict[str, float]], data: Sample) -> float:
    """The share of the box of test error, flash and latency that a front does not dominate, or of error and weights.

    The box ends at the error of a constant; of costs the logarithms count, between the ends of ``BOX``.
    """
    worst = 1 - np.bincount(data.test_y.astype(int)).max() / len(data.test_y) if data.classes else 1.0
    names = [name for name in ("flash_bytes", "latency_s") if name in members[0]] or ["weights"]
    costs = [[_part(name, member[name]) for name in names] for member in members]
    points = np.column_stack([[member["test"] / worst for member in members], costs])
    return 1 - hypervolume(points, np.ones(len(names) + 1))


def _part(name: str, value: float) -> float:
    low, high = BOX[name]
    return float(np.log(value / low) / np.log(high / low))


def page(study: Study, result: dict[str, Any]) -> str:
    by_key = {(row["problem"], row["rows"], row["seed"], row["way"]): row for row in result["rows"]}
    seeds, problems = range(result["seeds"]), [(name, rows) for name, of in study.sizes.items() for rows in of]
    means = [
        [
            f"{name}, {rows:,}",
            way,
            *(f"{np.mean([by_key[name, rows, s, way][key] for s in seeds]):.3g}" for key in COLUMNS),
        ]
        for (name, rows), way in product(problems, study.ways)
    ]
    first, *others = study.ways
    changes = []
    for way, key in product(others, ("test", "weights", "within", "missed")):
        before, after = (
            np.array([by_key[name, rows, s, of][key] for (name, rows), s in product(problems, seeds)])
            for of in (first, way)
        )
        ratio = np.log(after) - np.log(before)
        shares = f"{100 * ratio.mean():+.1f}", f"{100 * np.median(ratio):+.1f}"
        p = signed_rank_p(ratio, np.zeros_like(ratio))
        changes.append([way, COLUMNS[key], f"{np.count_nonzero(ratio < 0)} of {len(ratio)}", *shares, f"{p:.2g}"])
    parts = (
        f"# {study.title}",
        f"Made by `{result['command']}`. {ABOUT.format(length=study.length, seeds=result['seeds'])}",
        f"Compared with {first}:",
        markdown(("", "", "lower in", "mean change, %", "median, %", "p"), changes),
        markdown(("problem, training rows", "", *COLUMNS.values()), means),
    )
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="default: results/STUDY.json")
    options = parser.parse_args()
    study, console, found = STUDIES[options.study], Console(stderr=True), []
    sizes = [(name, size) for name, of_name in study.sizes.items() for size in of_name]
    jobs = [
        (options.study, name, size, seed, way)
        for seed, (name, size), way in product(range(options.seeds), sizes, study.ways)
    ]
    with ProcessPoolExecutor(2) as pool:
        for row in pool.map(searched, jobs):
            found.append(row)
            console.print(row)
    result = {"seeds": options.seeds, "rows": found}
    name = f"{options.study} --seeds {options.seeds}"
    report(name, result, lambda made: page(study, made), options.out or Path(f"results/{options.study}.json"))


if __name__ == "__main__":
    main()
