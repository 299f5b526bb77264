"""What training in a number format brings: signs that are rounded at random, and the values that weights share.

``python -m benchmarks.run format_training`` takes the trees of the experiment pruning, of about 250 weights on each of
the papers' tables, and scores them on test rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.compression.over_tables import over_tables
from benchmarks.promise.driver import error
from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.common.statistics import signed_rank_p
from experiments.studies.pruning.run import WEIGHTS, grown
from neuraltree.cli.markdown import table as markdown
from neuraltree.compress import finetune_format
from neuraltree.tree.tree import Tree

EPOCHS = 10
# By name: the format and its training. The first of each format is compared with the others.
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "binary, trained": ("binary", {"epochs": EPOCHS}),
    "binary, trained with random signs": ("binary", {"epochs": EPOCHS, "stochastic": True}),
    "shared2": ("shared2", {"epochs": 0}),
    "shared2, trained": ("shared2", {"epochs": EPOCHS}),
    "shared3": ("shared3", {"epochs": 0}),
    "shared3, trained": ("shared3", {"epochs": EPOCHS}),
}
ABOUT = """Trees of about {weights} weights on the papers' 14 tables, {seeds} hold-outs each, in number formats, after
{epochs} epochs of training in them. Test errors: log loss, or 1 - R² of a regression; medians over tables and
hold-outs. The change is that of its logarithm from the first way of the format, the median. p: Wilcoxon's signed-rank
test over all pairs."""


def errors_of(name: str, seed: int) -> list[dict[str, Any]]:
    """The test errors of the tree of a hold-out as it is, and in every way."""
    table = paper_tables.table(name)
    rows, test = holdout(table, seed)
    tree = grown(table, rows, seed, WEIGHTS)
    X, y = table.X[rows], table.labels[rows]

    def row(way: str, model: Tree) -> dict[str, Any]:
        return {"table": name, "seed": seed, "way": way} | {
            "error": error(model, table.X[test], table.labels[test], "log_loss")
        }

    made = {way: finetune_format(tree, X, y, form, seed=seed, **how) for way, (form, how) in WAYS.items()}
    return [row("float32", tree), *(row(way, model) for way, model in made.items())]


def page(result: dict[str, Any]) -> str:
    by_key = {(row["way"], row["table"], row["seed"]): row["error"] for row in result["rows"]}
    pairs = sorted({key[1:] for key in by_key})
    first = {form: way for way, (form, _) in reversed(WAYS.items())}

    def errors(way: str) -> Any:
        return np.array([by_key[way, *pair] for pair in pairs])

    lines = [["float32", f"{np.median(errors('float32')):.3f}", "", "", ""]]
    for way, (form, _) in WAYS.items():
        line = [way, f"{np.median(errors(way)):.3f}"]
        if way != first[form]:
            change = np.log(errors(way)) - np.log(errors(first[form]))
            p = signed_rank_p(change, np.zeros_like(change))
            count = f"{np.count_nonzero(change < 0)} of {len(change)}"
            line += [count, f"{100 * np.median(change):+.1f}", f"{p:.2g}"]
        lines.append([*line, *[""] * (5 - len(line))])
    about = ABOUT.format(weights=WEIGHTS, seeds=result["seeds"], epochs=EPOCHS)
    header = ("", "test error", "lower in", "change, %", "p")
    return f"# Training in number formats\n\nMade by `{result['command']}`. {about}\n\n{markdown(header, lines)}\n"


def main() -> None:
    over_tables("format_training", __doc__, 2, errors_of, page)


if __name__ == "__main__":
    main()
