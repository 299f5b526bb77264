"""Whether "auto" gives members of fronts a code that another dominates, by predicted and by measured costs.

``python -m benchmarks.run auto`` needs the papers' tables and the extra ``[measure]``. On each table and core a short
search chooses the code of each member. Then each member is measured in every code that is exact enough.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.promise.problems import TABLES, prepared, sample
from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table
from neuraltree.hardware import Code
from neuraltree.hardware.choice import CodeRule, Decision, choose, loss_in
from neuraltree.hardware.compare import measure_tree
from neuraltree.hardware.dominated_code import COMPARED
from search.engine.evolution_step import generations
from search.judge.finish import Finished, judged_front, last_front, live_front
from search.runs.progress import Phases

POPULATION, GENERATIONS = 50, 10
CORES = ("cortex-m0plus", "cortex-m4f")
CHOSEN = ("wine", "vehicle", "glass", "wdbc", "friedman", "mpg6")
OBJECTIVES = ("error", "latency_s", "flash_bytes")
FLASH_FIRST = ("flash_bytes", "latency_s", "ram_bytes")
STRAIGHT = ("float32 straight", "int8 straight")


def front(name: str, core: str, compiler: str) -> tuple[list[Finished], Any]:
    """The finished members of a short search whose code is chosen, and its problem."""
    hardware = {"device": core, "precision": "auto", "style": "auto", "compiler": compiler}
    sections: dict[str, dict[str, Any]] = {
        "search": {"objectives": list(OBJECTIVES), "population": POPULATION},
        "hardware": hardware,
    }
    setup, rows = prepared(name, sample(name, 0, 0), 0, "error", sections)
    for state, _ in generations(setup.problem, setup.strategy, Phases()):
        if state.generation == GENERATIONS:
            break
    how: Any = (lambda text: None, lambda: False)  # nothing is said, and nothing stops it
    judged, _ = judged_front(setup, rows, live_front(setup, state), *how, evaluations=state.evaluations)
    return last_front(setup, rows, judged, *how, evaluations=state.evaluations), setup.problem


def measured(job: tuple[str, str], compiler: str, tick: Callable[[str], None]) -> list[dict[str, Any]]:
    """A row for each member of the front of a table and a core."""
    members, problem = front(*job, compiler)
    rows = []
    for member in members:
        assert member.decision is not None
        codes = eligible(member.decision, problem.rule.max_loss)
        found = {" ".join(code[:2]): measure_tree(member.tree, problem.device, code).costs for code in codes}
        predicted = {" ".join(code[:2]): member.decision.costs[code] for code in codes}
        about = {"table": job[0], "core": job[1], "weights": member.tree.num_weights, "loss": member.decision.loss}
        rows.append({**about, "chosen": " ".join(member.code[:2]), "predicted": predicted, "measured": found})
    tick(f"{job[0]} {job[1]}: {len(rows)} members")
    return rows


def eligible(decision: Decision, max_loss: float) -> list[Code]:
    return [code for code in decision.costs if loss_in(code, decision.loss) <= max_loss]


def dominated(row: dict[str, Any], by: str, chosen: str) -> bool:
    """Whether another code of a member is at least as good in every cost and better in one."""
    costs = {code: np.array([values[name] for name in COMPARED]) for code, values in row[by].items()}
    return any((other <= costs[chosen]).all() and (other < costs[chosen]).any() for other in costs.values())


def by_flash(row: dict[str, Any]) -> str:
    """The code that is chosen if flash counts most."""
    codes = list(row["predicted"])
    found = [{name: np.array([value]) for name, value in row["predicted"][code].items()} for code in codes]
    rule = CodeRule((), FLASH_FIRST)
    return codes[int(choose(rule, found)[0])]


def least_flash(row: dict[str, Any]) -> str:
    """The code of the least predicted flash, however little less that is."""
    return min(row["predicted"], key=lambda code: [row["predicted"][code][name] for name in FLASH_FIRST])


def fixed(row: dict[str, Any], code: str) -> str:
    """A code for all members."""
    return code


def told(rows: list[dict[str, Any]], chosen: Callable[[dict[str, Any]], str]) -> str:
    """Of how many members another code dominates the ``chosen`` one by measured costs."""
    there = [row for row in rows if chosen(row) in row["measured"]]
    return f"{sum(dominated(row, 'measured', chosen(row)) for row in there)} of {len(there)}"


def page(result: dict[str, Any]) -> str:
    rows = result["rows"]
    keys = list(dict.fromkeys((row["table"], row["core"]) for row in rows))
    fronts = {key: [row for row in rows if (row["table"], row["core"]) == key] for key in keys}
    header = ("table", "core", "members", "chosen", "dominated: predicted", "measured", "largest loss", *GAINS)
    totals = [sum(dominated(row, by, row["chosen"]) for row in rows) for by in ("predicted", "measured")]
    cores = [[row for row in rows if row["core"] == core] for core in CORES]
    floats, integers = ([told(own, partial(fixed, code=code)) for own in cores] for code in STRAIGHT)
    about = f"""Made by `{result["command"]}`. Searches of {GENERATIONS} generations and {POPULATION} trees with
`precision = "auto"` and `style = "auto"` ({result["compiler"]}); each member was then measured in every code that
loses no more than 1 % of its score. Of {len(rows)} members in {len(fronts)} fronts, another code dominates the chosen
one in latency, flash and RAM for **{totals[0]}** by predicted and **{totals[1]}** by measured costs. One code for all,
by measured costs: float32 straight is dominated for {floats[0]} members on the M0+ and {floats[1]} on the M4F, int8
straight for {integers[0]} and {integers[1]}. If flash counts most, the chosen code is dominated for
{told(rows, by_flash)} members, and that of the least predicted flash for {told(rows, least_flash)}: differences within
the error of predictions do not count. The last columns are medians over a front, by measured costs: how many times as
long as the chosen code another takes, and how many times as much flash."""
    lines = [_line(*key, own) for key, own in fronts.items()]
    return f"# The code chosen by itself\n\n{about}\n\n{table(header, lines)}\n"


GAINS = ("float32 straight: latency", "flash", "int8 straight: latency", "flash")


def _line(name: str, core: str, own: list[dict[str, Any]]) -> list[str]:
    chosen = [row["chosen"] for row in own]
    counts = ", ".join(f"{code} {chosen.count(code)}" for code in sorted(set(chosen), key=chosen.count, reverse=True))
    wrong = [str(sum(dominated(row, by, row["chosen"]) for row in own)) for by in ("predicted", "measured")]
    pairs = product(STRAIGHT, ("latency_s", "flash_bytes"))
    gains = [_ratio(own, code, cost) for code, cost in pairs]
    loss = max((row["loss"] for row in own if row["loss"] is not None), default=None)
    return [name, core, str(len(own)), counts, *wrong, "" if loss is None else f"{loss:.3f}", *gains]


def _ratio(own: list[dict[str, Any]], code: str, cost: str) -> str:
    there = [(row["measured"][code], row["measured"][row["chosen"]]) for row in own if code in row["measured"]]
    return f"{np.median([other[cost] / chosen[cost] for other, chosen in there]):.2f}" if there else ""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(CHOSEN), help="default: %(default)s")
    parser.add_argument("--compiler", default="clang", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/auto_choice.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    console, rows = Console(stderr=True), []
    for job in product(options.tables, CORES):
        rows += measured(job, options.compiler, console.print)
    report("auto", {"compiler": options.compiler, "rows": rows}, page, options.out)


if __name__ == "__main__":
    main()
