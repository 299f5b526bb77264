"""In words: how the features of columns come from the cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neuraltree.inputs.encoders import Column, Flag, Number, Ordinal, Time
from neuraltree.inputs.features import Feature
from neuraltree.inputs.times import moment

Name = Callable[[str], str]  # how a language writes the name of a column or a level


def meaning(column: Column, feature: Feature, name: Name) -> str:
    """How a feature comes from its column; "" for a number that is the feature itself."""
    return MEANINGS[feature.rule](column, feature, name)


def _value(column: Column, feature: Feature, name: Name) -> str:
    return VALUES[type(column)](column, name)


def _filled(column: Column, feature: Feature, name: Name) -> str:
    value = VALUES[type(column)](column, name) or "the number"
    return f"{value}, or {feature.numbers[0]:g} if {name(column.name)} is missing"


def _level(column: Any, feature: Feature, name: Name) -> str:
    return f"1 if {name(column.name)} is {name(column.levels[int(feature.numbers[0])])}, else 0"


def _hole(column: Column, feature: Feature, name: Name) -> str:
    return f"1 if {name(column.name)} is missing, else 0"


def _cycle(column: Any, feature: Feature, name: Name) -> str:
    period, offset, quarter = feature.numbers
    wave, time = "cos" if quarter else "sin", f"(t + {offset:.0f})" if offset else "t"
    missing = f", or 0 if {name(column.name)} is missing" if column.takes_holes else ""
    return f"{wave}(2 pi {time} / {period:.0f}), where t is {_seconds(column, name)} of {name(column.name)}{missing}"


def _levels(column: Any, name: Name) -> str:
    return ", ".join(f"{place} for {name(level)}" for place, level in enumerate(column.levels))


def _seconds(column: Any, name: Name) -> str:
    return f"the seconds since {moment(column.start)}"


# By encoder: what the number of a cell is; a category has levels instead.
VALUES: dict[type[Column], Callable[[Any, Name], str]] = {
    Number: lambda column, name: "",
    Flag: lambda column, name: "1 for true, 0 for false",
    Ordinal: _levels,
    Time: _seconds,
}

MEANINGS: dict[str, Callable[[Any, Feature, Name], str]] = {
    "value": _value,
    "filled": _filled,
    "level": _level,
    "hole": _hole,
    "cycle": _cycle,
}
