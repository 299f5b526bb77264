"""What hidden nodes of one bit cost in error, and what they save on a device.

``python -m benchmarks.run sign_nodes`` gives all hidden nodes of the same random trees one activation after the other,
trains them, scores them on test rows and measures their int8 code on an emulated Cortex-M0+. It needs the papers'
tables and the extra ``[measure]``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.promise.driver import error
from benchmarks.promise.reporting import report
from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.common.statistics import signed_rank_p
from experiments.studies.pruning.run import FIRST_EPOCHS, FIRST_RATE, grown
from neuraltree.activations import code_of
from neuraltree.cli.markdown import table as markdown
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.compress.pruning.retraining import retrained
from neuraltree.hardware import Code, load_device
from neuraltree.hardware.compare import measure_tree
from neuraltree.tree.generate import redraw_weights

TABLES = ("pima", "wdbc", "vehicle", "friedman", "mpg6")
KINDS = ("sign", "relu", "hard_tanh", "tanh")
STYLES = ("straight", "table")
CORE, WEIGHTS = "cortex-m0plus", 60
ABOUT = """Random trees of about {weights} weights on {tables}, {seeds} hold-outs each, whose hidden nodes all have the
named activation, trained anew for {epochs} epochs. Test errors: log loss, or 1 - R² of a regression; ratios are medians
over tables and hold-outs, p is Wilcoxon's signed-rank test of the errors' logarithms. Time and flash: of `predict` in
int8 code from floats on a {core}, measured (clang -O2), inputs and library included."""


def rows_of(name: str, seed: int) -> list[dict[str, Any]]:
    """For each activation, the error on the test rows of a hold-out, and the measured costs by style."""
    table, device = paper_tables.table(name), load_device(CORE)
    rows, test = holdout(table, seed)
    start, found = grown(table, rows, seed, WEIGHTS), []
    hidden = (start.nodes["op"] < 0) & (start.nodes["depth"] > 0)
    for kind in KINDS:
        rng = np.random.default_rng(seed)
        nodes = redraw_weights(rng, start.nodes)
        nodes["op"][hidden] = ~code_of(kind)
        lesson = lesson_of(replace(start, nodes=nodes), table.X[rows], table.labels[rows])
        tree = replace(start, nodes=retrained(nodes, lesson, FIRST_EPOCHS, rng, rate=FIRST_RATE))
        row = {"table": name, "seed": seed, "kind": kind}
        row["error"] = error(tree, table.X[test], table.labels[test], "log_loss")
        for style in STYLES:
            costs = measure_tree(tree, device, Code("int8", style, "clang")).costs
            row |= {f"{part} {style}": costs[part] for part in ("latency_s", "flash_bytes")}
        found.append(row)
    return found


def page(result: dict[str, Any]) -> str:
    parts = ["error", *(f"{part} {style}" for style, part in product(STYLES, ("latency_s", "flash_bytes")))]
    by_kind = {kind: {part: [] for part in parts} for kind in KINDS}
    for row in result["rows"]:
        for part in parts:
            by_kind[row["kind"]][part].append(row[part])
    lines = []
    for kind in KINDS[1:]:
        ratios = [np.median(np.divide(by_kind["sign"][part], by_kind[kind][part])) for part in parts]
        p = signed_rank_p(*(np.log(by_kind[each]["error"]) for each in ("sign", kind)))
        lines.append([kind, f"{ratios[0]:.2f}", f"{p:.2g}", *(f"{ratio:.2f}" for ratio in ratios[1:])])
    about = ABOUT.format(
        weights=WEIGHTS, tables=", ".join(TABLES), seeds=result["seeds"], epochs=FIRST_EPOCHS, core=CORE
    )
    costs = [f"{said}, {style}" for style, said in product(STYLES, ("time", "flash"))]
    header = ("sign, as a share of", "test error", "p", *costs)
    return f"# Hidden nodes of one bit\n\nMade by `{result['command']}`. {about}\n\n{markdown(header, lines)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/sign_nodes.json"), help="default: %(default)s")
    options = parser.parse_args()
    console, rows = Console(stderr=True), []
    for seed, name in product(range(options.seeds), TABLES):
        rows += rows_of(name, seed)
        console.print(f"{name}, hold-out {seed}")
    report(f"sign_nodes --seeds {options.seeds}", {"seeds": options.seeds, "rows": rows}, page, options.out)


if __name__ == "__main__":
    main()
