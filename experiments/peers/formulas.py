"""The formulas found by symbolic regression programs: validated on held-out rows, refitted and tested.

The search uses the rows that the first fold trains on, three quarters of the training rows. The error on the other
rows chooses a formula, because none of these programs has folds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.peers.arena import Arena, Member, front
from neuraltree.arrays import FloatArray

FUNCTIONS = ("add", "sub", "mul", "aq", "sin", "tanh")  # of all of them; aq(a, b) is a / √(1 + b²)
MOST_NODES = 60  # as of our trees


class Formula(NamedTuple):
    """``leaves``: numbers, and reads of a variable; ``scalars``: numbers that are fitted or drawn."""

    leaves: int
    scalars: int
    nodes: int
    values: Callable[[FloatArray], FloatArray]  # (rows, features) -> (rows,)
    fit_error: float  # by the program's own measure, lower is better
    source: Any


def best_by_size(known: dict[int, Formula], more: Iterable[Formula]) -> None:
    """Keep the formula of the lowest error for each number of leaves: changes ``known``."""
    for formula in more:
        before = known.get(formula.leaves)
        if np.isfinite(formula.fit_error) and (before is None or formula.fit_error < before.fit_error):
            known[formula.leaves] = formula


def keep(formulas: list[Formula]) -> list[Formula]:
    """The refit of programs without one: their numbers are drawn and bred, not fitted."""
    return formulas


def judged(
    arena: Arena, formulas: Sequence[Formula], refit: Callable[[list[Formula]], list[Formula]] = keep
) -> list[Member]:
    """The front by error on the held-out rows; its formulas are refitted to all training rows, then tested."""
    if not formulas:
        return []
    _, held = arena.folds[0]
    errors = _errors(arena, formulas, arena.X[held], arena.y[held])
    best = front(errors, np.array([formula.leaves for formula in formulas]))
    final = refit([formulas[i] for i in best])
    tests = _errors(arena, final, arena.X_test, arena.y_test)
    return [
        Member(float(errors[i]), float(test), formula.leaves, formula.scalars, formula.nodes)
        for i, formula, test in zip(best, final, tests, strict=True)
    ]


def _errors(arena: Arena, formulas: Sequence[Formula], X: FloatArray, y: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        values = [np.broadcast_to(np.asarray(formula.values(X), dtype=np.float64), len(X)) for formula in formulas]
    return arena.errors(np.array(values).reshape(len(values), 1, len(X)), y)
