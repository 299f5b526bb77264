"""Small run folders written by hand, for tests of the pages that show runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuraltree.tree.model_files import save
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.tree import Tree
from search.config.config import load_config
from search.folder.records import RunFolder
from search.table.loading import load_table

IMG = "</script><img src=x onerror=alert(1)>"
HOSTILE = (IMG, "\"><b onclick='alert(2)'>{{data}}&amp;")  # of features
HOSTILE_CLASSES = ("</title><svg onload=alert(4)>", "<script>alert(3)</script>")
ROWS = 40
IDENTITY, TANH = -6, -2  # as op
HISTORY = "generation,evaluations,hypervolume,front_size,best_error,seconds_vary,seconds_train,seconds_cost,seconds_select,seconds_save,compilations"  # noqa: E501
COSTS = ("latency_s", "flash_bytes", "ram_bytes", "energy_j", "measured_latency_s")


def table_rows(labels: Sequence[str] | None) -> list[tuple[float, float, object]]:
    """(x0, x1, target): the class goes by the sign of x1, or the target is 3 x1 + 1."""
    x = [(i - ROWS / 2 + 0.5, (i * 7 % ROWS) - ROWS / 2 + 0.5) for i in range(ROWS)]
    return [(a, b, 3 * b + 1 if labels is None else labels[int(b > 0)]) for a, b in x]


def tree_of(leaves: int, features: Sequence[str], labels: Sequence[str] | None) -> Tree:
    """output = x1 + 6 for one leaf; with more, a tanh of as many less one, each weighing nothing, is added."""
    rows = [(0, IDENTITY, 0.0, 6.0), (1, 1, 1.0, 0.0)]
    if leaves > 1:
        rows += [(1, TANH, -0.0, 0.25), *((2, i % len(features), 0.5 - i, 0.0) for i in range(leaves - 1))]
    nodes = np.array([(depth, op, [weight], [bias]) for depth, op, weight, bias in rows], dtype=node_dtype())
    return Tree(nodes, "regression" if labels is None else "binary", tuple(features), labels and tuple(labels))


def write_run(
    folder: Path,
    *,
    members: int = 4,
    features: Sequence[str] = ("x0", "x1"),
    labels: Sequence[str] | None = ("no", "yes"),
    device: str = "",
    final: bool = True,
    generations: int = 3,
    config: str = "",
    table: str = "t.csv",
    reference: Sequence[float] = (1.0, 100.0),
) -> Path:
    """A run of objectives error and weights, its members lowest error first; with ``final`` refitted and tested."""
    (folder / "models").mkdir(parents=True)
    path = (folder.parent / table).resolve()
    if not path.exists():
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([[*features, "target"], *table_rows(labels)])
    hardware = f'[hardware]\ndevice = "{device}"\n' if device else ""
    text = f"[data]\nsource = {json.dumps(str(path))}\ntest_fraction = 0.25\n{hardware}{config}"
    (folder / "config.toml").write_text(text)
    loaded = load_config(folder / "config.toml")
    manifest = {
        "status": "complete" if final else "running",
        "seed": 0,
        "data_hash": load_table(loaded).digest,
        "objectives": ["error", "weights"],
        "reference_point": list(reference),
        "versions": {"neuraltree": "0.0.1"},
        "machine": {"system": "Linux", "architecture": "x86_64", "cores": 2},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write_members(folder, members, features, labels, costs=bool(device), final=final)
    write_history(folder, generations)
    return folder


def error_of(i: int, members: int) -> float:
    return 0.5 * (i + 1) / members


def write_members(
    folder: Path, members: int, features: Sequence[str], labels: Sequence[str] | None, *, costs: bool, final: bool
) -> None:
    """front.csv and the models, or live.csv."""
    names = ("id", "status", "val_error", "test_error", "test_score", "weights", "nodes", "depth")
    rows: list[list[object]] = []
    for i in range(members):
        tree = tree_of(1 + (members - 1 - i) % 40, features, labels)
        tests = (0.3, 0.7) if final else ("", "")
        row: list[object] = [100 + i, "ok" if final else "evolving", error_of(i, members), *tests]
        row += [tree.num_weights, tree.num_nodes, tree.depth]
        row += [(members - i) * unit for unit in (1e-6, 100, 8, 1e-9, 1.1e-6)] if costs else []
        rows.append([*row, f"models/{i:03d}.json" if final else ""])
        if final:
            save(tree, folder / f"models/{i:03d}.json")
    part = folder / "part"
    with part.open("w", newline="") as file:
        csv.writer(file).writerows([[*names, *(COSTS if costs else ()), "model"], *rows])
    part.replace(folder / ("front.csv" if final else "live.csv"))


def write_history(folder: Path, generations: int) -> None:
    rows = [f"{g},{100 * (g + 1)},{50 + g},{3 + g},0.2,0.25,1.0,0.0,0.0,0.0,2" for g in range(generations)]
    part = folder / "part"
    part.write_text("\n".join([HISTORY, *rows]) + "\n")
    part.replace(folder / "history.csv")


def write_baselines(folder: Path, rows: Sequence[tuple[str, float, float]]) -> None:
    """(label, validation error, weights)."""
    header = "name,label,val_error,test_error,test_score,weights,macs,latency_s,flash_bytes,ram_bytes,energy_j,seconds"
    with (folder / "baselines.csv").open("w", newline="") as file:
        written = [["m", label, error, 0.3, 0.7, weights, 5, "", "", "", "", 0.1] for label, error, weights in rows]
        csv.writer(file).writerows([header.split(","), *written])


def write_checkpoint(folder: Path, ids: Sequence[int], leaves: Sequence[int]) -> None:
    """A checkpoint with a population of two folds, the second of which has the first one's weights negated."""
    trees = []
    for count in leaves:
        one = tree_of(count, ("x0", "x1"), ("no", "yes")).nodes
        both = np.zeros(len(one), dtype=node_dtype(2))
        both["depth"], both["op"] = one["depth"], one["op"]
        for name in ("weight", "bias"):
            both[name] = np.concatenate([one[name], -one[name]], axis=1)
        trees.append(both)
    starts = np.cumsum([0, *map(len, trees)])
    arrays = {"ids": np.array(ids), "nodes": np.concatenate(trees), "starts": starts}
    RunFolder(folder).save_checkpoint(0, arrays, {"generation": 0})
