"""The error and the size of a large tree by the number format of its weights, and what the formats cost small trees.

``python -m benchmarks.run formats`` needs MNIST beside the papers' tables and the extra ``[measure]``. The tree of
10,000 weights is that of the study of MNIST; training in a format goes on over its training rows, shifted at random as
they were. Test rows choose nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.promise.reporting import report
from experiments.common.images import SIDE
from experiments.frame.experiment import Unit
from experiments.growth.pixels import shifted
from experiments.studies.mnist.run import grown_tree
from neuraltree.cli.markdown import table
from neuraltree.compress import WEIGHT_FORMATS, IntegerTree, quantize_tree, weight_bits, with_weight_format
from neuraltree.compress.formats import HALVES, NARROW
from neuraltree.compress.narrow.coded_edges import coded_edges
from neuraltree.compress.narrow.format_training import finetune_format
from neuraltree.export import export_c
from neuraltree.hardware.measure.calls import Call
from neuraltree.hardware.measure.measured import measure
from neuraltree.tree.generate import random_tree
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree

CODES = ("int8", *NARROW)
TRAINED = ("int4", "int3", "ternary", "binary")
EPOCHS, RATE = 1, 0.001  # chosen by the error on the study's validation rows
CORES = ("cortex-m0plus", "cortex-m4f")
ROWS = 3
SMALL = 60  # weights, as in members of fronts


def large(seed: int, trained: Sequence[str], epochs: int, tick: Any) -> dict[str, Any]:
    """Test errors, and sizes on a core, of the tree of one seed in each format."""
    tree, train, (X, y) = grown_tree(Unit("mnist", "grow_10k", seed), False)
    moved = shifted(train[0].reshape(-1, SIDE, SIDE), 1, np.random.default_rng([seed, 2]))
    again = moved.reshape(train[0].shape), train[1]
    rows: dict[str, dict[str, Any]] = {"float": {"error": wrong(tree.predict(X), y), "bits": 32 * edges(tree)}}
    for name in WEIGHT_FORMATS:
        made = with_weight_format(tree, name)
        rows[name] = {"error": wrong(made.predict(X), y), "bits": weight_bits(made, name)}
        rows[name] |= coded(tree, name, X, y) if name in CODES else {}
        tick(f"seed {seed}: {name} {rows[name]}")
    for name in trained:
        tuned = finetune_format(tree, *again, name, epochs=epochs, learning_rate=RATE, seed=seed)
        rows[name]["trained"] = coded(tuned, name, X, y)
        tick(f"seed {seed}: {name} trained {rows[name]['trained']}")
    return rows


def edges(tree: Tree | IntegerTree) -> int:
    return int(np.count_nonzero(tree.nodes["depth"] > 0))


def wrong(found: NDArray, y: NDArray) -> float:
    """The error in %."""
    return float(100 * np.mean(found != y))


def coded(tree: Tree, name: str, X: NDArray, y: NDArray) -> dict[str, Any]:
    """The error of the code of a tree, its bytes and its cycles on a core, and the bytes of edges in Huffman codes."""
    integers = quantize_tree(tree, weights=name)
    found = on_core(tree, name, "table", CORES[0], X[:1])
    return {
        "code_error": wrong(integers.predict(X), y),
        "huffman_bytes": sum(part.size for part in coded_edges(integers)),
        **found,
    }


def on_core(tree: Tree, name: str, style: str, core: str, X: NDArray) -> dict[str, Any]:
    """Bytes of constants and of the whole image, and cycles from integers to the result."""
    model = quantize_tree(tree, weights=name)
    q = model.quantize(X)
    files = {file: text for file, text in export_c(tree, "m", precision=name, style=style).items() if "/" not in file}
    call = Call("m_predict_q", [(row,) for row in q], "int32" if tree.classes is None else "int")
    whole = Call("m_predict", [(row.astype(np.float32),) for row in X], "float32" if tree.classes is None else "int")
    taken = measure(files, [call, whole], core)
    results = taken.costs[0].results
    assert results is not None
    assert np.array_equal(results, model.predict_q(q))
    cycles = [float(np.mean(cost.cycles_hi)) for cost in taken.costs]
    sizes = {"rodata_bytes": taken.rodata_bytes, "flash_bytes": taken.flash_bytes, "edges": edges(model)}
    return sizes | {"cycles": cycles[0], "whole_cycles": cycles[1]}


def floats_on_core(tree: Tree, name: str, core: str, X: NDArray) -> dict[str, Any]:
    """``on_core`` of table code in floats, whose inputs need no conversion."""
    files = {file: text for file, text in export_c(tree, "m", precision=name, style="table").items() if "/" not in file}
    taken = measure(files, [Call("m_predict", [(row.astype(np.float32),) for row in X], "float32")], core)
    cycles = float(np.mean(taken.costs[0].cycles_hi))
    sizes = {"rodata_bytes": taken.rodata_bytes, "flash_bytes": taken.flash_bytes, "edges": edges(tree)}
    return sizes | {"cycles": None, "whole_cycles": cycles}


def small() -> list[dict[str, Any]]:
    """The costs of a tree of ``SMALL`` weights in each format, style and core; its weights are random."""
    rng = np.random.default_rng(0)
    space = Space(27, 1, ("tanh",), max_nodes=2 * SMALL, max_depth=4, max_arity=9)
    drawn = (random_tree(rng, space) for _ in range(10_000))
    trees = (Tree(nodes, "regression", tuple(f"x{i}" for i in range(27))) for nodes in drawn)
    tree = next(tree for tree in trees if tree.num_weights == SMALL)
    X = rng.normal(size=(ROWS, 27))
    rows = []
    for core in CORES:
        for style, name in product(("straight", "table"), ("int8", "int4", "power_of_two", "ternary")):
            rows.append({"core": core, "style": style, "format": name} | on_core(tree, name, style, core, X))
        for name in ("float32", *HALVES):
            rows.append({"core": core, "style": "table", "format": name} | floats_on_core(tree, name, core, X))
    return rows


def page(result: dict[str, Any]) -> str:
    seeds = result["large"]
    first = seeds[0]
    header = ("format", "weights KB", "error %", "code's error %", "trained", "constants B", "flash B", "kcycles")
    lines = [_line(name, seeds) for name in first]
    about = f"""Made by `{result["command"]}`. The tree of 10,000 weights of the study of MNIST; test errors are means
over {len(seeds)} seeds. *Weights*: their bits alone. *Error*: of the float tree whose weights take only the format's
values (edges into outputs: 8 bits). *Code*: `export_c(tree, precision=FORMAT, style="table")`, bit for bit as on the
device. *Trained*: that error on the first seed, before and after training in the format (epochs: {result["epochs"]}).
*Constants*, *flash* and thousands of cycles of `predict_q` are those of the first seed on a Cortex-M0+ (clang -O2)."""
    coding = ", ".join(
        f"{name} {_best(first[name])['huffman_bytes']:,} B" for name in CODES if "huffman_bytes" in first[name]
    )
    costs = ("core", "style", "format", "edges left", "flash B", "cycles of predict_q", "cycles of predict")
    rows = [
        [row["core"], row["style"], row["format"], str(row["edges"]), f"{row['flash_bytes']:,}"]
        + ["" if row[key] is None else f"{row[key]:,.0f}" for key in ("cycles", "whole_cycles")]
        for row in result["small"]
    ]
    return f"""# Number formats of weights

{about}

{table(header, lines)}

Huffman codes of weights and gaps, which `--style coded` has, take {coding} on the first seed.

## A small tree

A random tree of {SMALL} weights, tanh and 27 inputs: what the formats cost, not how exact they are. Edges whose
weight becomes 0 are left out of the code: most of the gain of four bits, and a part of that of ternary weights.

{table(costs, rows)}
"""


def _best(row: dict[str, Any]) -> dict[str, Any]:
    return row.get("trained", row)


def _line(name: str, seeds: list[dict[str, Any]]) -> list[str]:
    rows = [seed[name] for seed in seeds]
    cells = [name, f"{np.mean([row['bits'] for row in rows]) / 8000:.1f}", f"{_mean(rows, 'error'):.2f}"]
    if "code_error" not in rows[0]:
        return [*cells, *[""] * 5]
    best = [_best(rows[0])]
    sizes = [f"{_mean(best, 'rodata_bytes'):,.0f}", f"{_mean(best, 'flash_bytes'):,.0f}"]
    trained = [f"{row['code_error']:.2f} → {row['trained']['code_error']:.2f}" for row in rows if "trained" in row]
    errors = [f"{_mean(rows, 'code_error'):.2f}", *(trained or [""])]
    return [*cells, *errors, *sizes, f"{_mean(best, 'cycles') / 1000:,.0f}"]


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of training in a format; default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/formats.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    tick = Console(stderr=True).print
    rows = [large(seed, TRAINED if seed == 0 else (), options.epochs, tick) for seed in range(options.seeds)]
    report("formats", {"epochs": options.epochs, "large": rows, "small": small()}, page, options.out)


if __name__ == "__main__":
    main()
