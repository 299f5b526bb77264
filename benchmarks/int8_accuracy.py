"""The accuracy that 8-bit integers lose on the papers' 14 tables, and the part that fine-tuning recovers.

``python -m benchmarks.int8_accuracy`` needs the tables (set NEURALTREE_DATA); it leaves out missing tables. From each
run's front it takes the most accurate member with at most 60 weights and the knee. Test rows choose nothing: the epochs
of fine-tuning were chosen by ``held_out``, the loss on rows of the folds that no training step used.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.metrics import accuracy_score, r2_score

from benchmarks.machine import facts
from neuraltree.compress import quantize_tree
from neuraltree.compress.int8.finetune import finetune, integer_outputs
from neuraltree.compress.int8.straight_through import SUM_LOSSES
from neuraltree.storing import store
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.tree import Tree
from search.config.config import load_config
from search.config.settings import Config, DataConfig, TaskConfig
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.folder.records import RunFolder
from search.folder.snapshot import state_from_parts
from search.front import Member, load_front
from search.judge.finish import live_front, to_tree
from search.table import data, load_table

REGRESSION = ("baseball", "dee", "diabetese", "friedman", "mpg6")
CLASSES = ("australian", "glass", "heart", "ionosphere", "iris", "pima", "vehicle", "wdbc", "wine")
MOST_WEIGHTS = 60
EPOCHS = 2  # of fine-tuning: of those tried, the one with the lowest loss on held-out rows of folds
TRIED_EPOCHS = (0, 2, 5, 10, 20)
PACKAGES = ("neuraltree", "numpy", "jax", "optax", "moocore", "scikit-learn")
# Predictions for raw inputs by a tree and the same tree fine-tuned; "fine": 16-bit values below a regression's output.
VARIANTS: dict[str, Callable[[Tree, Tree, NDArray], NDArray]] = {
    "float": lambda tree, tuned, X: tree.predict(X),
    "int8": lambda tree, tuned, X: quantize_tree(tree).predict(X),
    "int8_tuned": lambda tree, tuned, X: quantize_tree(tuned).predict(X),
    "fine": lambda tree, tuned, X: quantize_tree(tree, fine=True).predict(X),
    "fine_tuned": lambda tree, tuned, X: quantize_tree(tuned, fine=True).predict(X),
}
IN_INTEGERS = tuple(VARIANTS)[1:]


def run(name: str, seed: int, folder: Path, overrides: list[str]) -> Path:
    """The folder of one run in a process of its own, as a user starts it."""
    config, out = folder / f"{name}.toml", folder / f"{name}-{seed}"
    config.write_text(f'data.source = "{name}"\n')
    command = [sys.executable, "-m", "search.run", str(config), "--seed", str(seed), "--out", str(out), "--quiet"]
    code = subprocess.run([*command, *(f"--set={text}" for text in overrides)], check=False).returncode
    if code:
        raise SystemExit(code)  # the run has printed the reason
    return out


def measure(name: str, seed: int, folder: Path, overrides: list[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A row of test scores for each member taken, and one of losses on held-out rows."""
    begun = time.perf_counter()
    out = run(name, seed, folder, overrides)
    seconds = time.perf_counter() - begun
    config = load_config(out / "config.toml")
    table = load_table(config)
    setup = set_up(config, table)
    front = load_front(out)
    members = {int(member.id): member for member in (front.select(weights=MOST_WEIGHTS), front.knee())}
    which = {"table": name, "seed": seed}
    facts_of_run = {"seconds": round(seconds, 1), "config_hash": RunFolder(out).read_manifest()["config_hash"]}
    rows = [{**which, **facts_of_run, **test_scores(setup, table, member)} for member in members.values()]
    return rows, {**which, "loss_by_epochs": held_out(setup, table, out, list(members))}


def test_scores(setup: Setup, table: data.Table, member: Member) -> dict[str, Any]:
    """R² or accuracy of each variant on the test rows, and the seconds of fine-tuning."""
    tree, rows = member.tree(), setup.train_rows
    begun = time.perf_counter()
    (tuned,) = finetune([tree], table.X[rows], epochs=EPOCHS, seed=setup.problem.seed)
    seconds = time.perf_counter() - begun
    X, y = table.X[setup.test_rows], table.y[setup.test_rows]
    truth, score = (y, r2_score) if table.classes is None else (np.array(table.classes)[y], accuracy_score)
    names = [name for name in VARIANTS if table.classes is None or not name.startswith("fine")]
    scores = {name: float(score(truth, VARIANTS[name](tree, tuned, X))) for name in names}
    return {"weights": int(member.weights), "tuning_s": round(seconds, 2), **scores}


def held_out(setup: Setup, table: data.Table, out: Path, ids: list[int]) -> dict[str, float]:
    """For each number of epochs of fine-tuning, the integer loss divided by the float loss, minus 1.

    The loss is on the held-out rows of folds. The trees have the weights of the fold and are tuned on its other rows.
    The result is the mean over folds and trees.
    """
    stored = RunFolder(out).load_checkpoint()
    assert stored, "a finished run keeps its last state"
    front = live_front(setup, state_from_parts(*stored))
    chosen = [nodes for nodes, number in zip(front.trees, front.ids.tolist(), strict=True) if number in ids]
    X, y = table.X[setup.train_rows], table.y[setup.train_rows]
    found: dict[int, list[float]] = {epochs: [] for epochs in TRIED_EPOCHS}
    for k, (fit, held) in enumerate(setup.problem.folds):
        trees = [to_tree(setup, table, of_fold(nodes, k)) for nodes in chosen]
        for epochs, ratios in found.items():
            tuned = finetune(trees, X[fit], epochs=epochs, seed=setup.problem.seed)
            for tree, other in zip(trees, tuned, strict=True):
                before = loss(tree, tree.outputs(X[held]), y[held])
                ratios.append(loss(tree, integer_outputs(other, X[held]), y[held]) / before - 1)
    return {str(epochs): float(np.mean(ratios)) for epochs, ratios in found.items()}


def loss(tree: Tree, outputs: NDArray[np.float64], y: NDArray) -> float:
    """The training loss of outputs (rows, outputs); ``y`` has targets in natural units or class positions."""
    targets = np.eye(tree.num_outputs)[y] if tree.num_outputs > 1 else y[:, None]
    if tree.target_scaler is not None:
        outputs, targets = tree.target_scaler.transform(outputs), tree.target_scaler.transform(targets)
    return float(np.mean(SUM_LOSSES[tree.kind, tree.output_activation].value(outputs.T, targets.T)))


def of_fold(nodes: Nodes, k: int) -> Nodes:
    """The nodes with the weights of fold ``k`` alone."""
    single = np.zeros(len(nodes), dtype=node_dtype(1))
    single["depth"], single["op"] = nodes["depth"], nodes["op"]
    single["weight"][:, 0], single["bias"][:, 0] = nodes["weight"][:, k], nodes["bias"][:, k]
    return single


def lost(rows: list[dict[str, Any]], name: str) -> list[float]:
    """The test scores of the float trees minus those of a variant."""
    return [row["float"] - row[name] for row in rows if name in row]


def by_table(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [row for row in rows if row["table"] == name] for name in dict.fromkeys(row["table"] for row in rows)}


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By variant, the test score lost: over tables (each by the median of its members) and over members."""
    found: dict[str, dict[str, Any]] = {}
    for name in IN_INTEGERS:
        tables = [float(np.median(lost(mine, name))) for mine in by_table(rows).values() if lost(mine, name)]
        for what, values in (("tables", tables), ("members", lost(rows, name))):
            if values:
                figures = {"median": float(np.median(values)), "mean": float(np.mean(values)), "worst": max(values)}
                found.setdefault(name, {})[what] = {"count": len(values), **figures}
    return found


def chosen_epochs(held: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """For each number of epochs of fine-tuning, statistics over tables of the loss in ``held_out``."""
    found = {}
    for epochs in map(str, TRIED_EPOCHS):
        tables = [np.mean([row["loss_by_epochs"][epochs] for row in mine]) for mine in by_table(held).values()]
        found[epochs] = {"median": float(np.median(tables)), "mean": float(np.mean(tables)), "worst": max(tables)}
    return found


def table_of_scores(rows: list[dict[str, Any]]) -> Table:
    shown = Table("table", "weights", "float", *IN_INTEGERS, box=None)
    shown.title = "median R² or accuracy on test rows, and the median (worst) loss of score"
    for name, mine in by_table(rows).items():
        weights, score = (np.median([row[key] for row in mine]) for key in ("weights", "float"))
        losses = (lost(mine, variant) for variant in IN_INTEGERS)
        shown.add_row(name, f"{weights:.0f}", f"{score:.3f}", *(_shown(values) for values in losses))
    return shown


def _shown(values: list[float]) -> str:
    return f"{np.median(values):.3f} ({max(values):.3f})" if values else "-"


def table_of_figures(title: str, figures: dict[str, dict[str, float]]) -> Table:
    shown = Table("", "median", "mean", "worst", box=None, title=title)
    for name, row in figures.items():
        shown.add_row(name, *(f"{row[key]:.5f}" for key in ("median", "mean", "worst")))
    return shown


def present(names: list[str]) -> list[str]:
    """The tables that can be loaded; the others are reported on standard error."""
    found = []
    for name in names:
        try:
            load_table(Config(DataConfig(name), task=TaskConfig()))
        except InputError as error:
            print(f"left out: {error}", file=sys.stderr)
        else:
            found.append(name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("results/int8_accuracy.json"), help="default: %(default)s")
    parser.add_argument("--tables", nargs="+", default=[*REGRESSION, *CLASSES])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE")
    arguments = parser.parse_args()
    names = present(arguments.tables)
    if not names:
        raise SystemExit("no table was found; set NEURALTREE_DATA to the folder of their CSV files")
    with tempfile.TemporaryDirectory() as folder:
        both = [
            measure(name, seed, Path(folder), arguments.overrides) for name in names for seed in range(arguments.seeds)
        ]
    rows, held = [row for found, _ in both for row in found], [row for _, row in both]
    losses, epochs = summary(rows), chosen_epochs(held)
    tables = {name: found["tables"] for name, found in losses.items()}
    Console().print(
        table_of_scores(rows),
        table_of_figures("test score lost, over tables", tables),
        table_of_figures("held-out loss divided by that of the float trees, minus 1, by epochs", epochs),
    )
    result = {
        "command": "python -m benchmarks.int8_accuracy",
        "overrides": arguments.overrides,
        **facts(PACKAGES),
        "epochs": EPOCHS,
        "lost": losses,
        "held_out": epochs,
        "held_out_rows": held,
        "rows": rows,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    store({arguments.out: json.dumps(result, indent=2) + "\n"})


if __name__ == "__main__":
    main()
