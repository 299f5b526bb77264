"""The cost model of formats below 8 bits compared with measurements of trees that calibrated nothing.

``python -m benchmarks.run narrow_costs`` compiles each tree in one of the formats and runs it on emulated cores; it
needs the extra ``[measure]`` and gcc for Arm.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.hardware.judging_trees import JUDGED_SEED
from benchmarks.promise.equal_time import ON_DEVICE, on_device, rows_of
from benchmarks.promise.problems import prepared
from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table
from neuraltree.compress.formats import NARROW, STYLES
from neuraltree.hardware import costs, laid_out, load_device
from neuraltree.hardware.calibrate.calibration_trees import random_trees, trained_trees
from neuraltree.hardware.calibrate.fit import residual, residual_of_bound
from neuraltree.hardware.calibrate.narrow_fit import wide_trees
from neuraltree.hardware.measured_models import measure_model
from neuraltree.hardware.model.cost import counted
from neuraltree.hardware.profile.devices import CycleDevice
from neuraltree.tree.tree import Tree
from search.engine.evolution_step import generations
from search.judge.finish import finished, formats_of, live_front
from search.runs.progress import Phases

CORES, BUILDS = ("cortex-m0plus", "cortex-m4f"), ("clang", "gcc")
FORMATS = ["int8", *NARROW]
GENERATIONS, MEMBERS = 15, 8  # of the front of each table
Judged = list[tuple[Tree, str]]  # trees, each in a format


def in_turn(trees: Sequence[Tree]) -> Judged:
    return [(tree, tuple(NARROW)[i % len(NARROW)]) for i, tree in enumerate(trees)]


def members(name: str) -> Judged:
    """The front of a short search in all formats, as it is stored; without members in int8."""
    way = on_device(precision=FORMATS)
    setup, data = prepared(name, rows_of(name, 0, JUDGED_SEED), JUDGED_SEED, "error", way)
    for state, _ in generations(setup.problem, setup.strategy, Phases()):
        if state.generation == GENERATIONS:
            break
    front, quiet = live_front(setup, state), (lambda text: None)
    made = finished(setup, data, front, quiet, lambda: False, evaluations=state.evaluations)
    names = formats_of(setup, front.columns)
    found = [(each.tree, str(names[each.place])) for each in made if names[each.place] in NARROW]
    spread = np.linspace(0, len(found) - 1, min(MEMBERS, len(found))).astype(int)
    return [found[i] for i in spread.tolist()]


def judged(trees: Judged, core: str, style: str, build: str) -> dict[str, dict[str, Any]]:
    """The errors of cycles, flash and RAM over the trees that have integer code and are no constants in it."""
    device = load_device(core)
    assert isinstance(device, CycleDevice)
    rows = []
    for tree, name in trees:
        nodes, starts, about = laid_out([tree])
        found = costs(nodes, starts, device, name, style, build, **about)
        about.pop("kind")
        if not counted(nodes, starts, name, **about).leaf_edges[0]:
            continue
        try:
            real = measure_model(tree, core, build, precision=name, style=style)
        except ValueError:  # the sums of this tree do not fit the integers
            continue
        cycles = float(found["latency_s"][0]) / device.seconds(1, "mid")
        rows.append(
            (cycles, real.cycles, found["flash_bytes"][0], real.flash_bytes, found["ram_bytes"][0], real.ram_bytes)
        )
    cycles, real_cycles, flash, real_flash, ram, real_ram = np.array(rows, dtype=float).T
    return {
        "cycles": asdict(residual(cycles, real_cycles)),
        "flash": asdict(residual(flash, real_flash)),
        "ram": asdict(residual_of_bound(ram, real_ram)),
    }


def page(result: dict[str, Any]) -> str:
    lines = []
    for row in result["rows"]:
        cycles, flash, ram = (row[name] for name in ("cycles", "flash", "ram"))
        cells = [f"{each['within_10_percent']:.1f} | {each['worst_percent']:.1f}" for each in (cycles, flash)]
        lines.append(
            [row["core"], row["build"], row["style"], row["of"], str(cycles["trees"])]
            + [cell for each in cells for cell in each.split(" | ")]
            + [f"{cycles['kendall']:.3f}", f"{ram['below_percent']:.1f}"]
        )
    header = ("core", "build", "style", "trees", "number", "cycles ±10 %, %", "worst, %", "flash ±10 %, %", "worst, %")
    return f"""# Costs of formats below 8 bits, predicted and measured

Made by `{result["command"]}`. Each tree is compiled in one of the formats {", ".join(NARROW)}
and run on an emulated core; none of them was used in calibration. *Random*: random and trained trees. *Wide*: trees of
many edges from inputs, which tables store bit by bit. *Fronts*: up to {MEMBERS} members of the front that a short
search in all these formats found on each of {", ".join(ON_DEVICE)}. Trees that are a constant in
their format are left out. RAM is a bound: the last column is the share of trees above it.

{table((*header, "Kendall of cycles", "RAM above, %"), lines)}
"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", type=int, default=48, help="of each sort; default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/narrow_costs.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    few = options.trees // 3
    sorts = {
        "random": in_turn(random_trees(options.trees - few, JUDGED_SEED) + trained_trees(few, JUDGED_SEED)),
        "wide": in_turn(wide_trees(options.trees, JUDGED_SEED)),
        "fronts": [pair for name in ON_DEVICE for pair in members(name)],
    }
    rows, tick = [], Console(stderr=True).print
    for core, build, style, of in product(CORES, BUILDS, STYLES, sorts):
        if of != "wide" or style == "table":
            rows.append({"core": core, "build": build, "style": style, "of": of})
            rows[-1] |= judged(sorts[of], core, style, build)
            tick(rows[-1])
    report("narrow_costs", {"rows": rows}, page, options.out)


if __name__ == "__main__":
    main()
