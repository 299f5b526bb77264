"""The problems: small training samples of large tables, with all other rows to test; and the papers' 14 tables."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.promise.driver import error
from experiments.common.images import images
from experiments.common.paper_tables import TABLES
from experiments.common.paper_tables import table as paper_table
from experiments.frame.data_places import table_folders
from neuraltree.tree.nodes import Nodes
from search.config.config import config_of
from search.engine.evolution_step import State
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.evolution import room
from search.front import Front, Member
from search.judge.finish import finalists, judged_front, last_front
from search.table import split
from search.table.data import Table

COMPONENTS = 12  # principal components of the images
MOST_TEST = 5000  # test rows
TEST_FRACTION = 0.2  # of the 14 tables
LARGEST_SHARE = 0.7  # of a table's rows in a training sample
DEVELOPMENT = ("mnist2", "mnist10", "fashion2", "fashion10", "elevators", "gas", "segment", "credit-g")
TOPS = (0, 2, 4, 6)  # the classes of Fashion-MNIST that cover the upper body


class Sample(NamedTuple):
    """Training and test rows; ``classes``: 0 for a regression."""

    X: NDArray[np.float64]
    y: NDArray
    test_X: NDArray[np.float64]
    test_y: NDArray
    classes: int


def sample(name: str, rows: int, seed: int) -> Sample:
    """``rows`` random training rows of a development problem; of one of the 14 tables, hold-out ``seed``."""
    if name in TABLES:
        found = paper_table(name)
        train, test = split(found, TEST_FRACTION, seed)
        return Sample(found.X[train], found.y[train], found.X[test], found.y[test], len(found.classes or ()))
    X, y, classes = _development(name)
    order = np.random.default_rng((seed, rows)).permutation(len(X))
    rows = min(rows, int(LARGEST_SHARE * len(X)))
    train, test = order[:rows], order[rows : rows + MOST_TEST]
    return Sample(X[train], y[train], X[test], y[test], classes)


@cache
def _development(name: str) -> tuple[NDArray[np.float64], NDArray, int]:
    """(rows, features) inputs, targets and the number of classes."""
    if name in ("mnist2", "mnist10"):
        X, y = _components("mnist")
        return (X, y % 2, 2) if name == "mnist2" else (X, y, 10)
    if name in ("fashion2", "fashion10"):
        X, y = _components("fashion-mnist")
        return (X, np.isin(y, TOPS).astype(np.int64), 2) if name == "fashion2" else (X, y, 10)
    return numbers(name) if name in ("elevators", "gas") else mixed(name)


@cache
def _components(name: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    found = images(name)
    X = found.X / 255.0
    X -= X.mean(axis=0)
    _, axes = np.linalg.eigh(X.T @ X)
    return X @ axes[:, : -COMPONENTS - 1 : -1], found.y


def hold_outs(name: str) -> list[NDArray[np.bool_]]:
    """The test rows (rows,) of every fixed hold-out of a table."""
    with gzip.open(uci_folder() / f"{name}.csv.gz", "rt") as file:
        header = file.readline().strip().split(",")
        masks = np.loadtxt(file, delimiter=",", usecols=range(header.index("target") + 1, len(header)))
    return list(masks.T.astype(bool))


def numbers(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """A table of numbers alone, with a target to regress."""
    with gzip.open(uci_folder() / f"{name}.csv.gz", "rt") as file:
        target = file.readline().strip().split(",").index("target")
        rows = np.loadtxt(file, delimiter=",", usecols=range(target + 1))
    return rows[:, :target], rows[:, target], 0


def mixed(name: str) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Columns of texts become a column for each value; the last column holds the classes."""
    with (uci_folder() / f"{name}.csv").open(newline="") as file:
        columns = list(zip(*list(csv.reader(file))[1:], strict=True))
    parts = []
    for column in columns[:-1]:
        try:
            parts.append(np.array(column, dtype=np.float64)[:, None])
        except ValueError:
            parts.append(np.equal.outer(np.array(column), np.unique(column)).astype(np.float64))
    X, (labels, y) = np.hstack(parts), np.unique(columns[-1], return_inverse=True)
    return X[:, np.ptp(X, axis=0) > 0], y.astype(np.int64), len(labels)


def uci_folder() -> Path:
    for folder in table_folders():
        if (found := folder.parent / "uci").is_dir():
            return found
    raise InputError("there is no folder uci beside the folder of the papers' tables; set NEURALTREE_DATA")


def prepared(
    name: str, data: Sample, seed: int, measure: str, sections: Mapping[str, dict[str, Any]] = MappingProxyType({})
) -> tuple[Setup, Table]:
    """A search on the training rows that minimises ``measure`` and weights, in one thread.

    ``sections`` are more of its config.
    """
    kind = "regression" if not data.classes else "binary" if data.classes == 2 else "multiclass"
    classes = tuple(map(str, range(data.classes))) or None
    features = tuple(f"x{i}" for i in range(data.X.shape[1]))
    table = Table(data.X, data.y, features, "y", classes, kind, digest="")
    raw = {
        "data": {"source": name},
        "run": {"seed": seed},
        "space": {"max_nodes": room(data.classes)},
        "train": sections.get("train", {}),
        "hardware": sections.get("hardware", {}),
        "compress": sections.get("compress", {}),
        "search": {"objectives": [measure, "weights"], **sections.get("search", {})},
    }
    return set_up(config_of(raw, "the benchmark"), table, workers=1, all_rows=True), table


def last_of(setup: Setup, table: Table, state: State, lesson: Setup | None = None) -> Front:
    """The front of a state of a search, judged and refitted; ``lesson``: see ``judge``."""
    return last_with_folds(setup, table, state, lesson)[0]


def last_with_folds(setup: Setup, table: Table, state: State, lesson: Setup | None = None) -> tuple[Front, list[Nodes]]:
    """``last_of``, and the members with the weights of all folds, from which they were refitted."""
    how: Any = (lambda text: None, lambda: False)  # nothing is said, and nothing stops it
    front, _ = judged_front(setup, table, finalists(setup, state), *how, lesson=lesson, evaluations=state.evaluations)
    members = last_front(setup, table, front, *how, evaluations=state.evaluations)
    found = Front(tuple(Member("ok", each.values, model=each.tree) for each in members), setup.strategy.objectives)
    return found, [front.trees[each.place] for each in members]


def error_of(member: Member, data: Sample, measure: str) -> float:
    """The error of a member of a front on the test rows, whose classes are numbers."""
    tree = member.tree()
    classes = None if tree.classes is None else tuple(map(int, tree.classes))
    return error(replace(tree, classes=classes), data.test_X, data.test_y, measure)
