"""The end of a run: the front refitted on all training rows, scored once on the test rows, and written out."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from neuraltree.files import dumps
from neuraltree.metrics import METRICS, Truth
from neuraltree.model import Tree
from neuraltree.tree import Nodes
from search.data import Table
from search.engine import State, front_of
from search.evaluate import COUNTS, Columns, costs, refit
from search.objectives import COST_NAMES
from search.population import Members, objectives, violation
from search.problem import Setup
from search.records import RunFolder, write_csv, write_text

MEASURED = ("measured_latency_s", "measured_flash_bytes", "measured_ram_bytes")
HEADER = ("id", "status", "val_error", "test_error", "test_score", *COUNTS, *COST_NAMES, *MEASURED, "model")


def live_front(setup: Setup, state: State) -> Members:
    """The population's front, lowest validation error first."""
    points = objectives(state.members, setup.evolution.objectives, setup.evolution.reference)
    excess = violation(state.members, setup.evolution.bounds)
    return state.members.take(front_of(state.members, points, state.rank, excess))


def write_live(folder: RunFolder, setup: Setup, front: Members) -> None:
    """``live.csv``: the front so far, in the columns of ``front.csv``; nothing is refitted or tested yet."""
    rows = [_row(setup, front, i, "evolving", {}, None) for i in range(len(front.trees))]
    write_csv(folder.path / "live.csv", _header(setup), rows)


def write_front(folder: RunFolder, setup: Setup, table: Table, state: State) -> int:
    """Refit, score and save the final front; returns how many members it has."""
    folder.models.mkdir(exist_ok=True)
    front = live_front(setup, state)
    if not front.trees:
        write_csv(folder.path / "front.csv", _header(setup), [])
        return 0
    trees, sound = refit(setup.problem, state.shape, front.trees, front.best_epoch)
    final = Members(trees, front.ids, front.columns | costs(setup.problem, trees), front.best_epoch, front.ok)
    rows = []
    for i, nodes in enumerate(trees):
        tree = to_tree(setup, table, nodes)
        model = f"models/{i:03d}.json"
        write_text(folder.path / model, dumps(tree))
        # The folds were best untrained, or training on all rows only raised the loss: fold 0's weights stay.
        status = "ok" if sound[i] and front.best_epoch[i] > 0 else "not_refitted"
        rows.append(_row(setup, final, i, status, _test_scores(setup, table, tree), model))
    write_csv(folder.path / "front.csv", _header(setup), rows)
    return len(rows)


def to_tree(setup: Setup, table: Table, nodes: Nodes) -> Tree:
    """A genome with the names, classes and scaling that make it a model of the table."""
    return Tree(
        nodes=nodes,
        kind=setup.problem.task.kind,
        features=table.features,
        classes=table.classes,
        scaler=setup.scaler,
        target_scaler=setup.target_scaler,
    )


def _test_scores(setup: Setup, table: Table, tree: Tree) -> dict[str, float]:
    """Error by the metric of ``val_error``, and R² or accuracy, on the test rows."""
    outputs = tree.outputs(table.X[setup.test_rows]).T[None]
    target: NDArray = table.y[setup.test_rows]
    truth = Truth(setup.problem.task, target)  # outputs are in natural units here
    error = METRICS[setup.problem.metrics["val_error"]](truth, outputs)[0]
    usual = "one_minus_r2" if table.kind == "regression" else "error_rate"
    return {"test_error": float(error), "test_score": 1.0 - float(METRICS[usual](truth, outputs)[0])}


def _header(setup: Setup) -> list[str]:
    return [*HEADER, *(f"error_class_{label}" for label in setup.problem.classes)]


def _row(setup: Setup, front: Members, i: int, status: str, scores: dict[str, float], model: str | None) -> list[Any]:
    values: Columns = front.columns
    costs_of = [float(values[name][i]) if name in values else None for name in COST_NAMES]
    classes = [float(values[f"error_class_{label}"][i]) for label in setup.problem.classes]
    return [
        int(front.ids[i]),
        status,
        float(values["val_error"][i]),
        scores.get("test_error"),
        scores.get("test_score"),
        *(int(values[name][i]) for name in COUNTS),
        *costs_of,
        *(None for _ in MEASURED),
        model,
        *classes,
    ]
