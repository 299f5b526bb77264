"""Whether pruning makes models as much cheaper as it makes them smaller: MACs by sparsity, and measured code.

After table 1 of the poster *Towards Efficient AI*: a share s of the weights cut leaves (1 - s) of the MACs. That holds
for time only if code skips what is cut. ``python -m benchmarks.run sparsity_cost`` cuts the trees of the experiment
pruning and measures every size on emulated cores. It needs the papers' tables and the extra ``[measure]``.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.promise.reporting import report
from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.studies.pruning.run import SHARES, WEIGHTS, grown
from neuraltree.cli.markdown import table as markdown
from neuraltree.compress import prune_path
from neuraltree.hardware import Code, count, load_device
from neuraltree.hardware.compare import measure_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.tree import Tree

TABLES = ("wdbc", "vehicle", "friedman", "mpg6")
CORES = ("cortex-m0plus", "cortex-m4f")
CODES = tuple(product(("float32", "int8"), ("straight", "table")))
ABOUT = """Trees of about {weights} weights on four tables ({tables}), cut by exact ablation, without
training after it. Shares of the whole tree's figure, medians over the tables: its MACs, and the measured time and flash
of a prediction in each code (clang -O2)."""


def sizes(name: str) -> list[Tree]:
    """The whole tree of a table, and its cuts."""
    table = paper_tables.table(name)
    rows, _ = holdout(table, 0)
    tree = grown(table, rows, 0, WEIGHTS)
    return [tree, *prune_path(tree, table.X[rows], table.labels[rows], SHARES, epochs=0)]


def measured(name: str, tick: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for share, tree in zip((0.0, *SHARES), sizes(name), strict=True):
        macs = float(count(*join([tree.nodes])).macs[0])
        for core, (precision, style) in product(CORES, CODES):
            found = measure_tree(tree, load_device(core), Code(precision, style, "clang")).costs
            about = {"table": name, "share": share, "macs": macs, "core": core, "code": f"{precision} {style}"}
            rows.append(about | {key: found[key] for key in ("latency_s", "flash_bytes")})
        tick(f"{name}: {100 * share:g} % cut")
    return rows


def page(result: dict[str, Any]) -> str:
    rows, shares = result["rows"], (0.0, *SHARES)
    lines = [["nodes", *(f"{1 - share:.2f}" for share in shares)], ["MACs", *_medians(rows, shares, "macs")]]
    for core, (precision, style) in product(CORES, CODES):
        code = f"{precision} {style}"
        own = [row for row in rows if (row["core"], row["code"]) == (core, code)]
        for key, said in (("latency_s", "time"), ("flash_bytes", "flash")):
            lines.append([f"{said}, {core}, {code}", *_medians(own, shares, key)])
    about = ABOUT.format(weights=WEIGHTS, tables=", ".join(TABLES))
    header = ("share of the whole tree", *(f"{100 * share:g} % cut" for share in shares))
    return f"# Costs by sparsity\n\nMade by `{result['command']}`. {about}\n\n{markdown(header, lines)}\n"


def _medians(rows: list[dict[str, Any]], shares: tuple[float, ...], key: str) -> list[str]:
    whole = {row["table"]: row[key] for row in rows if row["share"] == 0}
    return [
        f"{np.median([row[key] / whole[row['table']] for row in rows if row['share'] == share]):.2f}"
        for share in shares
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/sparsity_cost.json"), help="default: %(default)s")
    options = parser.parse_args()
    console = Console(stderr=True)
    rows = [row for name in TABLES for row in measured(name, console.print)]
    report("sparsity_cost", {"rows": rows}, page, options.out)


if __name__ == "__main__":
    main()
