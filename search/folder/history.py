"""How a population evolved: who descends from whom, the front of every generation, the activations in use."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES
from neuraltree.tree.nodes import join
from search.errors import DamagedError, InputError
from search.folder.records import RunFolder
from search.reading import read_npz, read_rows
from search.strict import one_line

if TYPE_CHECKING:
    from search.engine.evolution_step import Info, State

Arrays = dict[str, NDArray]
EVOLUTION = "evolution.npz"
COLUMN = "column "
KIND_NODES = "activation_nodes"


@dataclass(frozen=True)
class History:
    """All trees that the run evaluated, by id: row ``i`` of an array is the ``i``-th tree that the run made.

    ``parents`` (trees, 2) ids, -1 for none; ``operator`` (trees,) names, "random" or "pruned" in the first population
    and "retrained" for a survivor that was trained further; ``feasible``: training did not diverge and the constraints
    are kept; ``columns``: validation scores and counts. ``fronts``: by generation, the ids of the population's
    front; ``activation_nodes`` (generations, activations): the number of hidden nodes with each activation in the
    population; ``rows``: the rows of history.csv.
    """

    parents: NDArray[np.int64]
    operator: NDArray[np.str_]
    generation: NDArray[np.int64]
    ok: NDArray[np.bool_]
    feasible: NDArray[np.bool_]
    columns: dict[str, NDArray[np.float64]]
    fronts: list[NDArray[np.int64]]
    activation_nodes: NDArray[np.int64]
    activations: tuple[str, ...]
    objectives: tuple[str, ...]
    rows: list[dict[str, float]]


def of_generation(state: State, info: Info) -> Arrays:
    """The part of the history that one generation adds."""
    nodes, _ = join(state.members.trees)
    hidden = ~nodes["op"][(nodes["op"] < 0) & (nodes["depth"] > 0)]
    evaluated = info.evaluated
    return {
        "parents": info.origin.parents,
        "operator": np.array(info.origin.operators),
        "generation": np.full(len(evaluated.ids), state.generation),
        "ok": evaluated.ok,
        "feasible": info.feasible,
        "front": state.members.ids[info.front],
        KIND_NODES: np.bincount(hidden, minlength=len(NAMES))[None],
    } | {COLUMN + name: values for name, values in evaluated.columns.items()}


def joined(parts: Sequence[Mapping[str, NDArray]]) -> Arrays:
    """The history of all generations: the content of evolution.npz."""
    sizes = [len(part["front"]) for part in parts]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name != KIND_NODES}
    # A part may be older than the last activations of the table: it has 0 nodes with these.
    counted = [np.pad(part[KIND_NODES], ((0, 0), (0, len(NAMES) - part[KIND_NODES].shape[1]))) for part in parts]
    return whole | {
        KIND_NODES: np.concatenate(counted),
        "front_starts": np.cumsum([0, *sizes]),
        "activations": np.array(NAMES),
    }


def parts_of(whole: Mapping[str, NDArray]) -> list[Arrays]:
    """The parts of which ``joined`` made the history, generation by generation."""
    starts, generation = whole["front_starts"], whole["generation"]

    def part(name: str, g: int) -> NDArray:
        if name == KIND_NODES:
            return whole[name][g : g + 1]
        return whole[name][starts[g] : starts[g + 1]] if name == "front" else whole[name][generation == g]

    names = [name for name in whole if name not in ("front_starts", "activations")]
    return [{name: part(name, g) for name in names} for g in range(len(starts) - 1)]


def history_of(arrays: Mapping[str, NDArray], objectives: Sequence[str], rows: list[dict[str, float]]) -> History:
    """The history in the arrays of ``joined``."""
    starts = arrays["front_starts"]
    return History(
        **{name: arrays[name] for name in ("parents", "operator", "generation", "ok", "feasible", "activation_nodes")},
        columns={n.removeprefix(COLUMN): values for n, values in arrays.items() if n.startswith(COLUMN)},
        fronts=np.split(arrays["front"], starts[1:-1]),
        activations=tuple(arrays["activations"].tolist()),
        objectives=tuple(objectives),
        rows=rows,
    )


def load_history(folder: str | Path) -> History:
    """The history of a run, finished or under way. Raises ``InputError`` if it is missing or damaged."""
    run = RunFolder(Path(folder))
    finished, table = run.path / EVOLUTION, run.path / "history.csv"
    if not finished.is_file():
        run.check_parts("history")
        if not run.has_parts():
            raise InputError(
                f"{folder} holds no {EVOLUTION}; name the folder of a run that has reached its first front"
            )
    rows = read_rows(table, _numbers) if table.is_file() else []
    objectives = run.read_manifest().get("objectives", ())
    found = [read_npz(finished)] if finished.is_file() else run.history_parts()
    try:
        return history_of(found[0] if finished.is_file() else joined(found), objectives, rows)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DamagedError(f"the history in {folder} is damaged: {type(error).__name__}: {one_line(error)}") from None


def _numbers(row: dict[str, str]) -> dict[str, float]:
    return {name: float(text) if text else math.nan for name, text in row.items()}
