"""An entry of one core derived from the entry of another: its cycles times a factor."""

from __future__ import annotations

from typing import Any

from neuraltree.hardware.profile.places import Raw
from neuraltree.hardware.profile.profile_schema import Bound, Figure, Scaling
from neuraltree.structs import to_struct

ENTRY_KEY = ("precision", "style", "compiler")
SCALED = ("cycles", "worst_cycles")
KEPT = ("flash", "ram", "ram_integers")
ADDED = ("probabilities", "narrow")  # with cycles and flash of their own


def scaled_entry(entry: Raw, rule: Scaling) -> Raw:
    """The entry with scaled cycles and unchanged flash and RAM; residuals and instructions are left out, because they
    do not hold for the other core."""
    key = {name: entry[name] for name in ENTRY_KEY} | ({"compiler": "any"} if rule.compiler else {})
    blocks = {name: _restated(entry[name], rule) for name in (*SCALED, *KEPT, *ADDED) if name in entry}
    blocks |= {name: _scaled(blocks[name], rule.factor) for name in SCALED if name in blocks}
    for name in filter(blocks.__contains__, ADDED):
        blocks[name]["cycles"] = _scaled(blocks[name]["cycles"], rule.factor)
    return key | blocks


def _scaled(value: Any, factor: Figure) -> Any:
    """Every figure times the factor, lower end by lower end and upper end by upper end."""
    if isinstance(value, dict) and "lo" in value:
        figure = to_struct(value, Figure)
        ends: tuple[Bound, Bound] = ("lo", "hi")
        return {end: figure.at(end) * factor.at(end) for end in ends}
    return {key: _scaled(item, factor) for key, item in value.items()} if isinstance(value, dict) else value


def _restated(block: Raw, rule: Scaling) -> Raw:
    """A block with the rule's certainty and source in place of its own and its figures'."""
    return _unsourced(block) | {"certainty": rule.certainty, "source": f"{rule.core}: {rule.source}"}


def _unsourced(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _unsourced(item) for key, item in value.items() if key not in ("certainty", "source")}
