"""Whether a tree that teaches its cuts makes them better.

``python -m benchmarks.run taught_cuts`` cuts the trees of the experiment pruning, of about 250 weights on each of the
papers' tables, with and without ``teach``, and scores them on test rows.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from benchmarks.compression.over_tables import over_tables
from benchmarks.promise.driver import error
from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.common.statistics import signed_rank_p
from experiments.studies.pruning.run import WEIGHTS, grown
from neuraltree.cli.markdown import table as markdown
from neuraltree.compress import prune_path
from neuraltree.tree.tree import Tree

SHARES = (0.5, 0.7)
ABOUT = """Trees of about {weights} weights on the papers' 14 tables, {seeds} hold-outs each, are trained, cut by exact
ablation, and trained for 25 epochs in all after the cuts; taught: half of what they learn then is what the whole tree
says of a row. Test errors: log loss, or 1 - R² of a regression; the change is that of its logarithm, medians and means
over tables and hold-outs. p: Wilcoxon's signed-rank test over all pairs."""


def errors_of(name: str, seed: int) -> list[dict[str, Any]]:
    """The test errors of the whole tree of a hold-out, and of its cuts in both ways."""
    table = paper_tables.table(name)
    rows, test = holdout(table, seed)
    tree = grown(table, rows, seed, WEIGHTS)

    def row(model: Tree, share: float, teach: bool) -> dict[str, Any]:
        lost = error(model, table.X[test], table.labels[test], "log_loss")
        return {"table": name, "seed": seed, "share": share, "taught": teach, "error": lost}

    found = [row(tree, 0.0, False)]
    for teach in (False, True):
        cuts = prune_path(tree, table.X[rows], table.labels[rows], SHARES, seed=seed, teach=teach)
        found += [row(model, share, teach) for model, share in zip(cuts, SHARES, strict=True)]
    return found


def page(result: dict[str, Any]) -> str:
    by_key = {(row["table"], row["seed"], row["share"], row["taught"]): row["error"] for row in result["rows"]}
    pairs = sorted({key[:2] for key in by_key})
    kinds = {
        "all": pairs,
        "classes": [pair for pair in pairs if pair[0] in paper_tables.CLASSIFICATION],
        "values": [pair for pair in pairs if pair[0] in paper_tables.REGRESSION],
    }
    lines = []
    for (kind, some), share in product(kinds.items(), SHARES):
        alone, taught = (np.log([by_key[*pair, share, teach] for pair in some]) for teach in (False, True))
        change = taught - alone
        lines.append(
            [
                f"{kind}, {100 * share:g} % cut",
                f"{np.count_nonzero(change < 0)} of {len(change)}",
                f"{100 * np.median(change):+.1f}",
                f"{100 * change.mean():+.1f}",
                f"{signed_rank_p(taught, alone):.2g}",
            ]
        )
    about = ABOUT.format(weights=WEIGHTS, seeds=result["seeds"])
    header = ("", "lower in", "median change, %", "mean, %", "p")
    return f"# Trees that teach their cuts\n\nMade by `{result['command']}`. {about}\n\n{markdown(header, lines)}\n"


def main() -> None:
    over_tables("taught_cuts", __doc__, 5, errors_of, page)


if __name__ == "__main__":
    main()
