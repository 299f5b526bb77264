"""The cost model of early exits compared with measurements of trees that set none of its constants.

``python -m benchmarks.run exit_costs`` compiles each tree with an early exit and runs it on emulated cores; it needs
the extra ``[measure]``, and gcc and simavr for AVR.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.hardware.judging_trees import JUDGED_SEED
from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table
from neuraltree.compress import early_exit_of, quantize_tree
from neuraltree.compress.formats import INPUT_TYPES
from neuraltree.compress.input_types import sources
from neuraltree.export import export_c
from neuraltree.hardware import Code, load_device
from neuraltree.hardware.calibrate.calibration_trees import random_trees, trained_trees, with_types
from neuraltree.hardware.calibrate.fit import residual, residual_of_bound
from neuraltree.hardware.exiting import costs_with_exits
from neuraltree.hardware.measure import measure
from neuraltree.hardware.measured_functions import FUNCTIONS, NAME, model_of
from neuraltree.hardware.model.cost_names import MEAN
from neuraltree.hardware.profile.devices import CycleDevice
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

BUILDS = {"cortex-m0plus": "clang", "cortex-m4f": "clang", "avr": "gcc"}
ROWS = 30


class Judged(NamedTuple):
    """Predicted and measured figures of a tree: mean cycles, the most cycles, flash and RAM, each (2,)."""

    mean: tuple[float, float]
    most: tuple[float, float]
    flash: tuple[float, float]
    ram: tuple[float, float]


def classifiers(seed: int, count: int) -> list[tuple[Tree, str]]:
    """Random and trained trees of classes whose code looks for an exit, with the type of their inputs."""
    trees = random_trees(6 * count, seed) + trained_trees(3 * count, seed)
    trees = [tree for tree in trees if tree.classes is not None]
    pairs = [*with_types(trees, seed), *with_types(trees[1:], seed)[len(trees) - 1 :]]
    exiting = [pair for pair in pairs if _looks(*pair)]
    by_type = [[pair for pair in exiting if pair[1] == kind] for kind in INPUT_TYPES]
    return [pair for own in by_type for pair in own[:: max(1, len(own) // count)][:count]]


def _looks(tree: Tree, inputs: str) -> bool:
    """Not if the class is certain before anything is computed: a compiler leaves nothing of such code."""
    try:
        parts = early_exit_of(quantize_tree(tree, sources=sources(tree, inputs))).parts
    except ValueError:  # the sums of this tree do not fit the integers
        return False
    return any(part.checks for part in parts) and (len(parts) > 1 or 0 not in parts[0].checks)


def usual_rows(tree: Tree, inputs: str) -> NDArray[np.float32]:
    """(30, features) normal inputs, as whole numbers within their type if they are integers."""
    scaler = tree.scaler or Scaler(np.zeros(len(tree.features)), np.ones(len(tree.features)))
    X = scaler.inverse(np.random.default_rng(7).normal(size=(ROWS, len(tree.features))))
    row = INPUT_TYPES[inputs]
    if not row.is_integer:
        return X.astype(np.float32)
    X = np.clip(np.rint(X), row.low, row.high)
    return np.where(row.hole == X, X + (1 if row.hole == row.low else -1), X).astype(np.float32)


def judged(tree: Tree, inputs: str, core: str) -> Judged:
    """``SystemExit`` if the core gives another class than Python."""
    device, code = load_device(core), Code("int8", "straight", BUILDS[core])
    assert isinstance(device, CycleDevice)
    X = usual_rows(tree, inputs)
    model = model_of(tree, "int8", fine=False, inputs=inputs)._replace(X=X)
    files = export_c(tree, NAME, precision="int8", style="straight", inputs=inputs, early_exit=True)
    row = FUNCTIONS["predict"]
    found = measure({name: files[name] for name in (f"{NAME}.c", f"{NAME}.h")}, [row.call(model)], core, code.compiler)
    (cost,) = found.costs
    if not row.agrees(model, cost):
        raise SystemExit(f"{core} gave another class than Python")
    cycles, cycle = (cost.cycles_lo + cost.cycles_hi) / 2, device.seconds(1, "mid")
    told = {name: float(values[0]) for name, values in costs_with_exits([tree], X, device, code, inputs).items()}
    ram = found.static_ram_bytes + int(cost.stack_bytes.max())
    return Judged(
        (told[MEAN] / cycle, float(cycles.mean())),
        (told["latency_s"] / cycle, float(cycles.max())),
        (told["flash_bytes"], found.flash_bytes),
        (told["ram_bytes"], ram),
    )


def figures(rows: Sequence[Judged]) -> dict[str, Any]:
    """The errors over the trees."""
    mean, most, flash, ram = np.array(rows, dtype=float).transpose(1, 2, 0)
    return {
        "mean": asdict(residual(*mean)) | {"ratio": float((mean[0] / mean[1]).mean())},
        "most": {"below_percent": float(100 * (most[0] < 0.95 * most[1]).mean())},
        "flash": asdict(residual(*flash)) | {"ratio": float((flash[0] / flash[1]).mean())},
        "ram": asdict(residual_of_bound(*ram)),
    }


def page(result: dict[str, Any]) -> str:
    lines = []
    for row in result["rows"]:
        cells = [
            text
            for each in (row["mean"], row["flash"])
            for text in (
                f"{each['ratio']:.2f}",
                f"{each['within_10_percent']:.0f}",
                f"{each['rmspe_percent']:.1f}",
                f"{each['worst_percent']:.0f}",
            )
        ]
        bounds = f"{row['most']['below_percent']:.0f}", f"{row['ram']['below_percent']:.0f}"
        lines.append(
            [row["core"], row["inputs"], str(row["mean"]["trees"]), *cells, f"{row['mean']['kendall']:.2f}", *bounds]
        )
    of = ("predicted / measured", "±10 %, %", "RMS, %", "worst, %")
    header = ("core", "inputs", "trees", *(f"{name}: {each}" for name in ("mean cycles", "flash") for each in of))
    return f"""# Costs of early exits, predicted and measured

Made by `{result["command"]}`. Random and trained trees of classes whose int8 code in straight
style looks for an exit, none of which set a constant of the cost model, on {ROWS} normal rows each; clang, on AVR gcc.
Kendall's correlation is that of mean cycles. The last columns are the shares of trees whose slowest row took more than
1.05 times the cycles that are stated for a row that never stops, and whose RAM was above the bound.

{table((*header, "Kendall", "slowest above, %", "RAM above, %"), lines)}
"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", type=int, default=24, help="of each type of inputs; default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/exit_costs.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    trees, rows, tick = classifiers(JUDGED_SEED, options.trees), [], Console(stderr=True).print
    for core, inputs in product(BUILDS, INPUT_TYPES):
        found = [judged(tree, kind, core) for tree, kind in trees if kind == inputs]
        rows.append({"core": core, "inputs": inputs} | figures(found))
        tick(rows[-1])
    report("exit_costs", {"rows": rows}, page, options.out)


if __name__ == "__main__":
    main()
