"""Time of a gradient step and of a generation, ours and other programs: ``python -m benchmarks.run peers``.

100 models of about 50 nodes on the same rows: scikit-learn's diabetes (442 x 10) and friedman1 (1,200 x 5). The first
call includes all compilation; of the later calls the fastest counts, because machines are shared. CPU seconds cover all
threads. Each program does its own kind of step or generation, which the last column describes. Needs the extra [peers];
a missing program is reported as such.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from rich.console import Console

from benchmarks.machine import facts
from benchmarks.peers import generations, steps
from benchmarks.peers.case import MODELS, Case, Job, make_case, measure
from neuraltree.cli.markdown import table
from neuraltree.storing import store

PACKAGES = ("neuraltree", "jax", "jaxlib", "numpy", "deap", "pyoperon", "kozax")
IMPORTED = ("kozax.genetic_programming", "pyoperon.sklearn")
CASES = ("diabetes", "friedman1")
REPEATS = 5
NO_STEP, NO_GENERATION = "it has no gradient", "it does not evolve"


class Line(NamedTuple):
    """A row of the table; ``job`` is a text if there is nothing to measure."""

    name: str
    work: str
    job: Callable[[Case], Job] | str


OURS = "ours, all rows a batch"
LINES: dict[str, tuple[Line, ...]] = {
    "gradient step": (
        Line(OURS, "forward, backward, Adam; all trees", partial(steps.ours, batch=0)),
        Line("ours, 64 rows a batch", "the same on 64 rows, as the search has it", partial(steps.ours, batch=64)),
        Line("one jit per tree", f"the same; {steps.ALONE} trees stand for all", steps.jit_per_tree),
        Line(
            "dense networks", f"one hidden layer of {steps.HIDDEN}, RMSprop; all in one program", steps.dense_networks
        ),
        Line(
            "dense networks, small", "the same, of about the weights of a tree", partial(steps.dense_networks, units=0)
        ),
        Line(
            "kozax",
            f"Adam on the constants of all trees; 1 evaluation for {steps.KOZAX_STEPS} steps besides",
            steps.kozax,
        ),
        Line("pyoperon, SGD", "Adam's rule on all coefficients, one thread", partial(steps.operon, method="sgd")),
        Line("pyoperon, LM", "an iteration of Levenberg-Marquardt, one thread", partial(steps.operon, method="lm")),
        Line("DEAP GP", NO_STEP, NO_STEP),
    ),
    "generation": (
        Line("ours, 1 fold, 1 epoch", "one pass over 3/4 of the rows", partial(generations.ours, epochs=1, folds=1)),
        Line("ours, as by default", "4 folds of 20 epochs each", partial(generations.ours, epochs=20, folds=4)),
        Line("kozax", "nothing trained", partial(generations.kozax, steps=0)),
        Line("kozax, trained", "5 steps of Adam on constants", partial(generations.kozax, steps=5)),
        Line("pyoperon", "nothing trained, one thread", partial(generations.operon, iterations=0)),
        Line("pyoperon, trained", "5 iterations of LM, one thread", partial(generations.operon, iterations=5)),
        Line("DEAP GP", "nothing trained, one thread", generations.deap),
        Line("one jit per tree", NO_GENERATION, "it has no search; every new tree compiles as in its first call"),
        Line("dense networks", NO_GENERATION, NO_GENERATION),
    ),
}
BASE = {"gradient step": OURS, "generation": "ours, 1 fold, 1 epoch"}
NUMBERS = ("first_s", "first_cpu_s", "warm_s", "warm_cpu_s")


def measured(line: Line, case: Case, repeats: int) -> dict[str, Any]:
    """``NUMBERS``, or a ``note`` with the reason why there are none."""
    about = {"name": line.name, "work": line.work}
    if isinstance(line.job, str):
        return about | {"note": line.job}
    try:
        return about | measure(line.job(case), repeats)._asdict()
    except ImportError as error:
        return about | {"note": f"cannot be imported: {error}"}
    except Exception as error:  # whatever a program raises: the other lines have cost minutes
        return about | {"note": f"failed: {type(error).__name__}: {error}"}


def run(models: int = MODELS, repeats: int = REPEATS, lines: dict[str, tuple[Line, ...]] = LINES) -> dict[str, Any]:
    """Everything that goes into the JSON file."""
    warm_up()
    found = []
    for name in CASES:
        case = make_case(name, models)
        parts = {what: [measured(line, case, repeats) for line in rows] for what, rows in lines.items()}
        found.append({"name": name, "rows": len(case.y), "features": case.X.shape[1], "parts": parts})
    return {
        "command": "python -m benchmarks.run peers",
        "models": models,
        "repeats": repeats,
        **facts(PACKAGES),
        "cases": found,
    }


def warm_up() -> None:
    """Import everything and start JAX, so that no first call pays for shared preparation."""
    for name in IMPORTED:
        with suppress(ImportError):
            import_module(name)
    jax.block_until_ready(jnp.zeros(1) + 1)


def page(result: dict[str, Any]) -> str:
    """The Markdown of a result."""
    lines = ["# Speed compared with peers", "", f"Made by `{result['command']}`. {ABOUT}"]
    for case in result["cases"]:
        size = f"{case['rows']:,} rows x {case['features']} features"
        for what, rows in case["parts"].items():
            header = (
                what,
                "first call, s",
                "CPU s",
                "later, ms",
                "CPU ms",
                "CPU time over ours",
                "nodes",
                "what it does",
            )
            body = [_cells(row, rows, BASE[what]) for row in rows]
            title = f"## {case['name']}, {size}: one {what} of {result['models']} models"
            lines += ["", title, "", table(header, body)]
    return "\n".join(lines) + "\n"


ABOUT = """100 models that start with about 50 nodes. The first call includes
all compilation, but every program is imported and JAX is started before. Of the later calls, the fastest counts.
Compare CPU seconds, which cover all threads, because ours trains on all cores. The last column describes the work of a
step or a generation; it differs between programs, and so do the models. *Nodes* is the mean number of nodes of a tree
after the last call; kozax always computes its trees as matrices of 50 rows. The dense networks have over ten times the
weights of a tree, or about as many if they are called small. Trees of pyoperon and DEAP have a number or a variable in
each leaf. Ratios compare CPU time with that of the first row. Behind our generations stand the shares of their time."""


def _cells(row: dict[str, Any], rows: list[dict[str, Any]], base: str) -> list[str]:
    if "note" in row:
        return [row["name"], *[""] * 6, row["note"]]
    ours = next(each for each in rows if each["name"] == base).get("warm_cpu_s")
    first, warm = [row["first_s"], row["first_cpu_s"]], [1e3 * row["warm_s"], 1e3 * row["warm_cpu_s"]]
    ratio = f"{row['warm_cpu_s'] / ours:.3g}" if ours else ""
    nodes = "" if row["nodes"] is None else f"{row['nodes']:.0f}"
    shares = ", ".join(f"{phase} {share:.0%}" for phase, share in (row.get("shares") or {}).items())
    work = f"{row['work']}: {shares}" if shares else row["work"]
    return [row["name"], *(f"{v:.2f}" for v in first), *(f"{v:.3g}" for v in warm), ratio, nodes, work]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/peers_speed.json"), help="default: %(default)s")
    options = parser.parse_args()
    result = run()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    store({options.out: text, options.out.with_suffix(".md"): page(result)})
    Console().print(page(result), markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
