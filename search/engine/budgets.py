"""The budgets of a run: the constraints of its config, and the flash and RAM of its device."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.space import Space
from search.config.config import Config
from search.engine.evaluate import Problem, costs
from search.errors import InputError
from search.objectives import COST_NAMES, SIZE_NAMES, columns_of
from search.table.data import Table
from search.variation.genes import FORMAT

Budgets = dict[str, float]


def budgets(config: Config, table: Table, problem: Problem) -> Budgets:
    """The largest allowed value of each column. ``InputError`` for a bound that no tree can keep."""
    for name in config.constraints:
        if name not in (*SIZE_NAMES, *config.search.objectives):
            raise InputError(
                f"constraints.{name}: an error can be bounded only if it is an objective; add {name!r} to "
                "search.objectives"
            )
    found = {c: bound for name, bound in config.constraints.items() for c in columns_of(name, table.classes)}
    found |= problem.rule.limits
    _check_room(found, problem, config)
    return found


def _check_room(found: Budgets, problem: Problem, config: Config) -> None:
    """``InputError`` unless the smallest tree keeps every bound."""
    smallest = _smallest(problem.space, len(problem.folds))
    places = np.arange(max(len(problem.formats), 1))  # it has the least costs in one of the formats
    found_in = costs(problem, [smallest] * len(places), {FORMAT: places.astype(np.float64)})
    least = {name: values.min(keepdims=True) for name, values in found_in.items()}
    for name, bound in found.items():
        if name in least and least[name][0] > bound:
            on = f" as {' '.join(problem.code)} on {config.hardware.device}" if name in COST_NAMES else ""
            given = bound == config.constraints.get(name)
            what = f"constraints.{name} = {bound:g}" if given else f"the {name} = {bound:g} of {config.hardware.device}"
            raise InputError(
                f"{what} leaves no room: the smallest tree, one input for each of {problem.space.n_outputs} outputs, "
                f"takes {least[name][0]:.4g}{on}; {'raise it, or ' if given else ''}choose another device, precision "
                "or style"
            )


def _smallest(space: Space, folds: int) -> Nodes:
    nodes = np.zeros(2 * space.n_outputs, dtype=node_dtype(folds))
    nodes["depth"], nodes["op"] = [0, 1] * space.n_outputs, [~space.output_code, 0] * space.n_outputs
    nodes["weight"] = 1.0
    return nodes


def within(found: Budgets, values: dict[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Mask of the rows of ``values`` (columns of counts and costs) that keep every budget with a column there."""
    rows = len(next(iter(values.values())))
    kept = [values[name] <= bound for name, bound in found.items() if name in values]
    return np.logical_and.reduce(kept) if kept else np.ones(rows, dtype=bool)
