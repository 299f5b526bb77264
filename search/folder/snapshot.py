"""A search state as arrays and plain facts, and back, bit for bit; and the archive of all evaluated trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import join
from search.engine.evolution_step import State
from search.engine.population import Members, best_of_each_structure, merge

Arrays = dict[str, NDArray]


def members_to_arrays(members: Members) -> Arrays:
    nodes, starts = join(members.trees)
    fixed = {"nodes": nodes, "starts": starts, "ids": members.ids, "ok": members.ok}
    return fixed | {f"column {name}": values for name, values in members.columns.items()}


def members_from_arrays(arrays: Mapping[str, NDArray]) -> Members:
    columns = {name.removeprefix("column "): values for name, values in arrays.items() if name.startswith("column ")}
    trees = np.split(arrays["nodes"], arrays["starts"][1:-1])
    return Members(trees, arrays["ids"], columns, arrays["ok"])


def state_to_parts(state: State) -> tuple[Arrays, dict[str, Any]]:
    facts = {"generation": state.generation, "evaluations": state.evaluations}
    return members_to_arrays(state.members) | {"rank": state.rank}, facts


def state_from_parts(arrays: Mapping[str, NDArray], facts: Mapping[str, Any]) -> State:
    members = members_from_arrays(arrays)
    return State(facts["generation"], facts["evaluations"], members, arrays["rank"])


def archive_parts(whole: Mapping[str, NDArray], generation: NDArray[np.int64]) -> list[Arrays]:
    """An archive by generation: parts that ``archive`` joins again; ``generation`` (trees,) is that of each id.

    A part needs a tree: a generation that has none left gets the first of all, of which joining keeps one.
    """
    members = members_from_arrays(whole)
    made = generation[members.ids]
    own = [np.flatnonzero(made == g) for g in range(int(generation.max()) + 1)]
    return [members_to_arrays(members.take(some if len(some) else np.zeros(1, np.int64))) for some in own]


def archive(parts: Sequence[Mapping[str, NDArray]]) -> Arrays:
    """All parts joined: the best tree of each structure, in order of evaluation."""
    everyone = merge([members_from_arrays(part) for part in parts])
    order = np.lexsort((everyone.ids, everyone.columns["val_error"], ~everyone.ok))
    kept = best_of_each_structure(everyone, order)
    return members_to_arrays(everyone.take(kept[np.argsort(everyone.ids[kept], kind="stable")]))
