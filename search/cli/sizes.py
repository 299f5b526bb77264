"""Budgets as people write them: 4k, 1.5M, 200us, 2ms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from neuraltree.cli.amounts import BYTES, amount

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
JOULES = {"j": 1.0, "mj": 1e-3, "uj": 1e-6, "µj": 1e-6, "nj": 1e-9}


class Budget(NamedTuple):
    """An option for a limit: the column of the front that it limits, its units, and an example."""

    column: str
    units: Mapping[str, float]
    example: str
    help: str


BUDGETS = {
    "flash": Budget("flash_bytes", BYTES, "4k", "the most flash, in bytes, k or M"),
    "ram": Budget("ram_bytes", BYTES, "2k", "the most RAM, in bytes, k or M"),
    "latency": Budget("latency_s", SECONDS, "200us", "the longest time of a prediction, in s, ms or us"),
    "energy": Budget("energy_j", JOULES, "5uJ", "the most energy of a prediction, in J, mJ, uJ or nJ"),
    "weights": Budget("weights", {"": 1.0}, "60", "the most weights"),
}


def amount_of(option: str, text: str) -> float:
    """The number in the column's unit; ``ValueError`` if the text is no amount above 0."""
    budget = BUDGETS[option]
    value = amount(text, budget.units)
    if value is None:
        raise ValueError(f"--{option} {text}: not an amount; write a number above 0, as in --{option} {budget.example}")
    return value
