"""What an experiment is: units of work that each give a few rows of one CSV file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Row = dict[str, Any]  # by column


class Unit(NamedTuple):
    """The smallest piece of work that is saved: one ``job`` (a model or a method) on one ``table`` with one seed.

    What trains many seeds in one program takes ``count`` of them, from ``seed`` on; its rows say which is whose.
    """

    table: str
    job: str
    seed: int
    count: int = 1  # type: ignore[assignment]  # of seeds; nothing asks this tuple for its own count


@dataclass(frozen=True)
class Experiment:
    """One CSV file of results, and how each of its rows comes about.

    ``units(seeds, quick)`` in the order in which they are worth running. ``run(unit, quick)`` gives the unit's rows,
    each with a value for every name in ``columns``; it runs alone in a process of its own, on one thread, and all that
    is random in it follows from the unit. ``settings(unit, quick)`` is everything besides code that the rows depend
    on, as plain JSON values: its hash goes into every row, and rows of another hash are never mixed with them.
    ``quick``: the smallest version that still does everything once; its rows go to a file of their own.
    """

    name: str
    doc: str
    seeds: int  # by default
    columns: tuple[str, ...]
    units: Callable[[int, bool], Sequence[Unit]]
    run: Callable[[Unit, bool], list[Row]]
    settings: Callable[[Unit, bool], dict[str, Any]]
