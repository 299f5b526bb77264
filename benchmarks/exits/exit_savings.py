"""What an early exit and cascades save: multiply-accumulates (MACs), and instructions on an emulated Cortex-M0+.

``python -m benchmarks.run early_exit`` needs the papers' tables and the extra ``[measure]``. On each hold-out a short
search makes a front. Members stop early on all rows of the table and on random rows; of each front one cascade is made.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.exits.cascade_savings import cascade_row
from benchmarks.promise.problems import last_with_folds, prepared, sample
from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table
from neuraltree.compress import quantize_tree
from neuraltree.compress.exits.cascade import macs
from neuraltree.compress.exits.early_exit import early_exit_of
from neuraltree.export import export_c
from neuraltree.hardware import Code, load_device
from neuraltree.hardware.exiting import costs_with_exits
from neuraltree.hardware.measure import Call, measure
from neuraltree.hardware.model.cost_names import MEAN
from neuraltree.tree.tree import Tree
from search.engine.evolution_step import generations
from search.front import Front
from search.judge.answers import Answers, held_out_answers
from search.runs.progress import Phases

POPULATION, GENERATIONS = 60, 14
TABLES = ("pima", "wdbc", "australian", "vehicle", "glass")
DEVICE, CODE = load_device("cortex-m0plus"), Code("int8", "straight", "clang")
MEMBERS = 4  # of a front, evenly by weights
LEAST_WEIGHTS = 8
RANDOM_ROWS, MEASURED_ROWS = 10_000, 100


def front_of(name: str, seed: int) -> tuple[Front, Answers]:
    """The front of a short search on the training rows of a hold-out, and its answers for the rows of its folds."""
    sections: dict[str, dict[str, Any]] = {
        "search": {"objectives": ["error", "log_loss", "weights"], "population": POPULATION}
    }
    setup, rows = prepared(name, sample(name, 0, seed), seed, "error", sections)
    for state, _ in generations(setup.problem, setup.strategy, Phases()):
        if state.generation == GENERATIONS:
            break
    front, trees = last_with_folds(setup, rows, state)
    return front, held_out_answers(setup.problem, trees, np.zeros(len(trees)))


def chosen(front: Front) -> list[Tree]:
    """Members of different sizes."""
    trees = sorted((member.tree() for member in front), key=lambda tree: tree.num_weights)
    trees = [tree for tree in trees if tree.num_weights >= LEAST_WEIGHTS]
    places = np.unique(np.linspace(0, len(trees) - 1, MEMBERS).round().astype(int))
    return [trees[i] for i in places.tolist()]


def random_rows(tree: Tree, seed: int) -> NDArray[np.float32]:
    """(10,000, features) near to the mean and far from it; some cells are no numbers, or infinite."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(RANDOM_ROWS, len(tree.features))) * rng.choice([0.5, 1, 3, 100], size=(RANDOM_ROWS, 1))
    X = (Z if tree.scaler is None else tree.scaler.inverse(Z)).astype(np.float32)
    return np.where(rng.random(X.shape) < 0.01, rng.choice([np.nan, np.inf, -np.inf], size=X.shape), X)


def exit_row(tree: Tree, X: NDArray[np.float32], seed: int) -> dict[str, Any]:
    """What stopping early saves for a member on rows ``X`` (rows, features)."""
    integers = quantize_tree(tree)
    exits = early_exit_of(integers)
    q = integers.quantize(np.concatenate([X, random_rows(tree, seed)]))
    found = exits(q)
    stops, longest = found.terms[: len(X)], np.array([[len(part.terms) for part in exits.parts]])
    costs = {early: _measured(tree, X[:MEASURED_ROWS], early=early) for early in (False, True)}
    predicted = costs_with_exits([tree], X[:MEASURED_ROWS], DEVICE, CODE)
    cycle = DEVICE.seconds(1, "mid")
    return {
        "weights": tree.num_weights,
        "macs": macs(integers),
        "checks": exits.looks,
        "same": bool((found.codes == integers.predict_q(q)).all()),
        "macs_share": float(exits.macs(stops).mean() / exits.most_macs),
        "inputs_share": float(exits.inputs_read(stops).mean() / exits.inputs_read(longest)[0]),
        "mean": [costs[early].mean for early in (False, True)],
        "worst": [costs[early].most for early in (False, True)],
        "flash_bytes": [costs[early].flash_bytes for early in (False, True)],
        "predicted_mean": float(predicted[MEAN][0]) / cycle / costs[True].cycles,
        "predicted_most": float(predicted["latency_s"][0]) / cycle / costs[True].most_cycles,
        "predicted_flash": float(predicted["flash_bytes"][0]) / costs[True].flash_bytes,
    }


class Found(NamedTuple):
    """Mean and most instructions and cycles of ``predict``, and flash."""

    mean: float
    most: int
    cycles: float
    most_cycles: float
    flash_bytes: int


def _measured(tree: Tree, X: NDArray[np.float32], *, early: bool) -> Found:
    """The costs of ``predict`` on rows (rows, features); its classes are checked."""
    files = export_c(tree, "model", precision="int8", early_exit=early)
    files = {name: text for name, text in files.items() if name.startswith("model.")}
    found = measure(files, [Call("model_predict", [(row,) for row in X], "int")], "cortex-m0plus")
    (cost,) = found.costs
    integers = quantize_tree(tree)
    assert cost.instructions is not None
    assert cost.results is not None
    if not np.array_equal(cost.results, integers.predict_q(integers.quantize(X))):
        raise SystemExit("the emulated core gave another class than Python")
    cycles = (cost.cycles_lo + cost.cycles_hi) / 2
    instructions = float(cost.instructions.mean()), int(cost.instructions.max())
    return Found(*instructions, float(cycles.mean()), float(cycles.max()), found.flash_bytes)


def page(result: dict[str, Any]) -> str:
    exits, cascades = result["exits"], result["cascades"]
    same = "the same class on every one" if all(row["same"] for row in exits) else "**another class on some**"
    about = f"""Made by `{result["command"]}`. Searches of {GENERATIONS} generations and {POPULATION} trees on the
training rows of {result["seeds"]} hold-outs; int8 C in straight style, clang, emulated Cortex-M0+, float inputs."""
    of_exits = f"""`neuraltree export ... --to c --early-exit`. {len(exits)} members of {LEAST_WEIGHTS} weights or more
stopped early on all rows of the table and {RANDOM_ROWS:,} random ones: {same}. Nothing was chosen on these rows: the
order and the checks come from normal noise. MACs, and inputs that are read, are shares of the whole member's, on all
rows of the table; instructions of `predict` on its first {MEASURED_ROWS} rows, "worst" the most on one of these, and
flash are shares of those without an early exit. "Unchanged": members in which looking for an exit would cost more than
it saves."""
    head = ("table", "members", "unchanged", "MACs", "inputs read", "instructions", "worst", "flash")
    lines = [_exit_line(name, [row for row in exits if row["table"] == name]) for name in result["tables"]]
    lines.append(_exit_line("all", exits))
    of_model = f"""What the cost model says of the code with an early exit, over what was measured on the same
{MEASURED_ROWS} rows: mean cycles, the most cycles (predicted for a row that never stops, of which there may be none),
and flash. Mean over the members, least and greatest."""
    checked = [
        _checked_line(name, [row for row in exits if name in (row["table"], "all")])
        for name in (*result["tables"], "all")
    ]
    of_two = f"""The large model is the one of the lowest error by validation. The small one, and the margin below which
the large one is asked, are those of the fewest MACs on the held-out rows of the search's folds, each answered with
weights that were not fitted to it, among cascades that, less one standard error, lose at most {result["max_loss"]} of
the large model's accuracy there. All figures are on test rows, means over {result["cascade_seeds"]} hold-outs; MACs are
shares of the large model's. "Early": the large model stops early as well."""
    parts = (
        "# Early exit and cascades",
        _filled(about),
        "## Early exit",
        _filled(of_exits),
        table(head, lines),
        "## Predicted and measured",
        _filled(of_model),
        table(("table", "mean cycles", "most cycles", "flash"), checked),
        "## Cascades",
        _filled(of_two),
        table(CASCADE_HEAD, _cascade_lines(result["tables"], cascades)),
    )
    return "\n\n".join(parts) + "\n"


def _filled(text: str) -> str:
    return fill(" ".join(text.split()), 120, break_on_hyphens=False)


def _exit_line(name: str, rows: list[dict[str, Any]]) -> list[str]:
    shares = [f"{np.mean([row[key] for row in rows]):.2f}" for key in ("macs_share", "inputs_share")]
    ratios = [f"{np.mean([row[key][1] / row[key][0] for row in rows]):.2f}" for key in ("mean", "worst", "flash_bytes")]
    return [name, str(len(rows)), str(sum(not row["checks"] for row in rows)), *shares, *ratios]


def _checked_line(name: str, rows: list[dict[str, Any]]) -> list[str]:
    found = [[row[f"predicted_{key}"] for row in rows] for key in ("mean", "most", "flash")]
    return [name, *(f"{np.mean(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})" for ratios in found)]


CASCADE_HEAD = (
    *("table", "weights", "passed on", "MACs", "accuracy: cascade", "large", "small", "small alone: MACs"),
    "early: MACs",
)


def _cascade_lines(tables: Sequence[str], rows: list[dict[str, Any]]) -> list[list[str]]:
    found = []
    for name in (*tables, "all"):
        own = [row for row in rows if name in (row["table"], "all")]
        means = {key: float(np.mean([row[key] for row in own])) for key in own[0] if key != "table"}
        weights = f"{means['small_weights']:.0f} / {means['large_weights']:.0f}"
        scores = [f"{means[key]:.3f}" for key in ("cascade", "large", "small")]
        share = [f"{means['macs_share']:.2f}", *scores, f"{means['small_share']:.2f}", f"{means['early_share']:.2f}"]
        found.append([name, weights, f"{means['passed']:.0%}", *share])
    return found


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(TABLES), help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=3, help="hold-outs of each table; default: %(default)s")
    parser.add_argument("--cascade-seeds", type=int, default=10, help="those of cascades; default: %(default)s")
    parser.add_argument("--max-loss", type=float, default=0.002, help="of a cascade; default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/early_exit.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    console, exits, cascades = Console(stderr=True), [], []
    for name in options.tables:
        for seed in range(max(options.seeds, options.cascade_seeds)):
            (front, answers), data = front_of(name, seed), sample(name, 0, seed)
            X = np.concatenate([data.X, data.test_X]).astype(np.float32)
            about = {"table": name, "seed": seed}
            if seed < options.seeds:
                exits += [about | exit_row(tree, X, seed) for tree in chosen(front)]
            if seed < options.cascade_seeds:
                cascades.append({"table": name} | cascade_row(front, data, options.max_loss, answers))
            console.print(f"{name} {seed}: {len(front)} members")
    settings = {name: getattr(options, name) for name in ("tables", "seeds", "cascade_seeds", "max_loss")}
    report("early_exit", {**settings, "exits": exits, "cascades": cascades}, page, options.out)


if __name__ == "__main__":
    main()
