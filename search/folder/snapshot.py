"""A search state as arrays and plain facts, and back, bit for bit; and the archive of all evaluated trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.evolution_step import State
from search.engine.population import Members, structure_key
from search.folder.npz_streams import Stream, concatenated, layout_of, whole
from search.folder.tree_arrays import (
    COLUMN,
    Arrays,
    columns_from_arrays,
    columns_to_arrays,
    trees_from_arrays,
    trees_to_arrays,
)
from search.variation.genes import CHOICES


def members_to_arrays(members: Members) -> Arrays:
    fixed = trees_to_arrays(members.trees) | {"ids": members.ids, "ok": members.ok}
    return fixed | columns_to_arrays(members.columns)


def members_from_arrays(arrays: Mapping[str, NDArray]) -> Members:
    return Members(trees_from_arrays(arrays), arrays["ids"], columns_from_arrays(arrays), arrays["ok"])


def state_to_parts(state: State) -> tuple[Arrays, dict[str, Any]]:
    facts = {"generation": state.generation, "evaluations": state.evaluations}
    return members_to_arrays(state.members) | {"rank": state.rank}, facts


def state_from_parts(arrays: Mapping[str, NDArray], facts: Mapping[str, Any]) -> State:
    members = members_from_arrays(arrays)
    return State(facts["generation"], facts["evaluations"], members, arrays["rank"])


def archive_parts(joined: Mapping[str, NDArray], generation: NDArray[np.int64]) -> Iterator[Arrays]:
    """An archive by generation: parts that ``archive`` joins again; ``generation`` (trees,) is that of each id.

    A part needs a tree: a generation that has none left gets the first of all, of which joining keeps one. Of
    ``joined`` one generation is in memory at a time.
    """
    starts = joined["starts"]
    made = generation[joined["ids"]]
    first = np.searchsorted(made, np.arange(int(generation.max()) + 2))  # an archive is in order of evaluation
    for begin, end in pairwise(first.tolist()):
        some = slice(begin, end) if begin < end else slice(0, 1)
        own = starts[some.start : some.stop + 1]
        yield {
            "nodes": np.array(joined["nodes"][own[0] : own[-1]]),
            "starts": np.array(own - own[0]),
            **{name: np.array(values[some]) for name, values in joined.items() if name not in ("nodes", "starts")},
        }


def archive(parts: Sequence[Mapping[str, NDArray]]) -> dict[str, Stream]:
    """All parts joined: the best tree of each structure, in order of evaluation.

    Of every tree only a hash of its structure, its error and its place are in memory, 50 bytes.
    """
    found = [_judged(part, i) for i, part in enumerate(parts)]
    trees = np.concatenate(found) if found else np.zeros(0, TREE)
    order = np.lexsort(
        (trees["id"], trees["val_error"], ~trees["ok"], trees["structure"][:, 1], trees["structure"][:, 0])
    )
    structures = trees["structure"][order]
    first = np.ones(len(order), bool)
    first[1:] = (structures[1:] != structures[:-1]).any(axis=1)
    kept = np.sort(order[first])
    trees = trees[kept[np.argsort(trees["id"][kept], kind="stable")]]
    kinds = {name: stream.dtype for name, stream in concatenated(parts, layout_of(parts[0])).items()}
    starts = np.concatenate([[0], np.cumsum(trees["nodes"])]).astype(np.int64)
    nodes = Stream(kinds["nodes"], (int(starts[-1]),), lambda: _nodes(parts, trees))
    return {"nodes": nodes, "starts": whole(starts)} | {
        name: Stream(kind, (len(trees),), _rows(parts, trees, name))
        for name, kind in kinds.items()
        if name not in ("nodes", "starts")
    }


# A tree in memory while an archive is joined: its structure (two hashes), its place, and what ranks it.
TREE = np.dtype(
    [
        *(("structure", np.uint64, (2,)), ("part", np.int64), ("row", np.int32), ("nodes", np.int32)),
        *(("ok", np.bool_), ("val_error", np.float64), ("id", np.int64)),
    ]
)


def _judged(part: Mapping[str, NDArray], place: int) -> NDArray:
    """(trees,) of ``TREE``."""
    starts = part["starts"]
    found = np.zeros(len(starts) - 1, TREE)
    chosen = [part[COLUMN + name] for name in CHOICES if COLUMN + name in part]
    for i, tree in enumerate(trees_from_arrays(part)):
        key = b" ".join([*(float(values[i]).hex().encode() for values in chosen), structure_key(tree)])
        found["structure"][i] = np.frombuffer(blake2b(key, digest_size=16).digest(), np.uint64)
    found["part"], found["row"], found["nodes"] = place, np.arange(len(found)), np.diff(starts)
    found["ok"], found["val_error"], found["id"] = part["ok"], part[COLUMN + "val_error"], part["ids"]
    return found


def _by_part(trees: NDArray) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """The parts that trees come from, in their order, and the trees' rows there."""
    changes = np.flatnonzero(np.diff(trees["part"])) + 1
    for rows in np.split(trees, changes) if len(trees) else []:
        yield int(rows["part"][0]), rows["row"]


def _rows(parts: Sequence[Mapping[str, NDArray]], trees: NDArray, name: str) -> Callable[[], Iterator[NDArray]]:
    return lambda: (parts[place][name][rows] for place, rows in _by_part(trees))


def _nodes(parts: Sequence[Mapping[str, NDArray]], trees: NDArray) -> Iterator[NDArray]:
    for place, rows in _by_part(trees):
        part = parts[place]
        nodes, starts = part["nodes"], part["starts"]
        for row in rows.tolist():
            yield nodes[starts[row] : starts[row + 1]]
