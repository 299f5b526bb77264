"""The definition of an experiment: units of work that each make a few rows of one CSV file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Row = dict[str, Any]  # by column


class Unit(NamedTuple):
    """The smallest piece of work that is saved: one ``job`` (a model or a method) on one ``table`` with one seed.

    A method that trains many seeds in one program takes ``count`` seeds, starting at ``seed``; each row names its seed.
    """

    table: str
    job: str
    seed: int
    count: int = 1  # type: ignore[assignment]  # of seeds; nothing asks this tuple for its own count


@dataclass(frozen=True)
class Experiment:
    """One CSV file of results, and the functions that make its rows.

    ``units(seeds, quick)`` returns the most useful units first. ``run(unit, quick)`` returns the unit's rows, each with
    a value for every name in ``columns``; it runs in its own process on one thread, and the unit determines all
    randomness. ``settings(unit, quick)`` is everything besides code that the rows depend
    on, as plain JSON values: its hash goes into every row, and rows with different hashes are never mixed.
    ``quick``: the smallest version that still does everything once; its rows go to a file of their own.
    """

    name: str
    doc: str
    seeds: int  # by default
    columns: tuple[str, ...]
    units: Callable[[int, bool], Sequence[Unit]]
    run: Callable[[Unit, bool], list[Row]]
    settings: Callable[[Unit, bool], dict[str, Any]]
