"""How a population evolved: who descends from whom, the front of every generation, the activations in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES
from neuraltree.tree.nodes import join
from search.errors import DamagedError, InputError
from search.folder.history_table import table_rows
from search.folder.npz_streams import Stream, concatenated, layout_of, whole
from search.folder.records import RunFolder
from search.folder.tree_arrays import Arrays, columns_from_arrays, columns_to_arrays
from search.reading import mapped_npz
from search.strict import one_line

if TYPE_CHECKING:
    from search.engine.evolution_step import Info, State

EVOLUTION = "evolution.npz"
KIND_NODES = "activation_nodes"
ROW = "row"  # in a part: the line of history.csv


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
    } | columns_to_arrays(evaluated.columns)


def joined(parts: Sequence[Mapping[str, NDArray]]) -> Arrays:
    """The history of all generations: the content of evolution.npz."""
    return {name: stream.array() for name, stream in streams(parts).items()}


def streams(parts: Sequence[Mapping[str, NDArray]]) -> dict[str, Stream]:
    """``joined`` array by array and part by part, for a history larger than memory."""
    sizes = [layout_of(part)["front"][1][0] for part in parts]
    names = [name for name in layout_of(parts[0]) if name not in (KIND_NODES, ROW)]
    return concatenated(parts, names) | {
        KIND_NODES: Stream(np.dtype(np.int64), (len(parts), len(NAMES)), lambda: map(_counted, parts)),
        "front_starts": whole(np.cumsum([0, *sizes])),
        "activations": whole(np.array(NAMES)),
    }


def _counted(part: Mapping[str, NDArray]) -> NDArray[np.int64]:
    """(1, activations); a part may be older than the last activations of the table: it has 0 nodes with these."""
    counted = part[KIND_NODES]
    return np.pad(counted, ((0, 0), (0, len(NAMES) - counted.shape[1])))


def parts_of(history: Mapping[str, NDArray]) -> Iterator[Arrays]:
    """The parts of which ``joined`` made the history, generation by generation."""
    starts, generation = history["front_starts"], history["generation"]
    born = np.searchsorted(generation, np.arange(len(starts)))  # ids count the trees in the order of generations

    def part(name: str, g: int) -> NDArray:
        if name == KIND_NODES:
            return history[name][g : g + 1]
        where = starts if name == "front" else born
        return history[name][where[g] : where[g + 1]]

    names = [name for name in history if name not in ("front_starts", "activations")]
    return ({name: part(name, g) for name in names} for g in range(len(starts) - 1))


def history_of(arrays: Mapping[str, NDArray], objectives: Sequence[str], rows: list[dict[str, float]]) -> History:
    """The history in the arrays of ``joined``."""
    starts = arrays["front_starts"]
    return History(
        **{name: arrays[name] for name in ("parents", "operator", "generation", "ok", "feasible", "activation_nodes")},
        columns=columns_from_arrays(arrays),
        fronts=np.split(arrays["front"], starts[1:-1]),
        activations=tuple(arrays["activations"].tolist()),
        objectives=tuple(objectives),
        rows=rows,
    )


def lines_of_history(run: RunFolder) -> Iterator[str]:
    """The lines of history.csv as the log of the history has them, until one is damaged."""
    with suppress(InputError), run.parts("history") as parts:
        for part in parts:
            if ROW in part:
                yield str(part[ROW][0])


def load_history(folder: str | Path) -> History:
    """The history of a run, finished or under way; the arrays of a finished one stay in its file.

    Raises ``InputError`` if it is missing or damaged.
    """
    run = RunFolder(Path(folder))
    finished = run.path / EVOLUTION
    if not finished.is_file() and run.last_generation() is None:
        raise InputError(f"{folder} holds no {EVOLUTION}; name the folder of a run that has reached its first front")
    rows = table_rows(run.path)
    objectives = run.read_manifest().get("objectives", ())
    try:
        if finished.is_file():
            return history_of(mapped_npz(finished), objectives, rows)
        with run.parts("history") as parts:
            return history_of(joined(parts), objectives, rows)
    except InputError:
        raise
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DamagedError(f"the history in {folder} is damaged: {type(error).__name__}: {one_line(error)}") from None
