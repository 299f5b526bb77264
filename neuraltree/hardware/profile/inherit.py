"""Profiles that extend others: their tables are merged, and the entries of one core are scaled to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from neuraltree.compress.builds import BUILDS
from neuraltree.hardware.profile.known_keys import convert
from neuraltree.hardware.profile.places import Place, ProfileError, Raw, find
from neuraltree.hardware.profile.profile_schema import Entry, Scaling
from neuraltree.hardware.profile.scaling import ENTRY_KEY, scaled_entry
from neuraltree.structs import to_struct

Chain = tuple[Place, ...]


def resolve(place: Place, above: Chain = ()) -> Raw:
    """The tables of a profile, including all that it takes from others; ``above``: the chain of profiles that led
    here."""
    chain = (*above, place)
    if place in above:
        names = " takes from ".join(each.name for each in chain)
        raise ProfileError(f"{above[0].label}: a profile cannot extend or scale itself: {names}")
    own = {"name": place.name} | place.read()
    base = _other(own.pop("extends"), "extends", chain) if "extends" in own else {}
    derived = [row for rule in _rules(own.pop("scaled_from", []), place) for row in _derived(rule, chain)]
    return merge(merge(base, {"entries": derived} if derived else {}), own)


def merge(base: Raw, own: Raw) -> Raw:
    """``base`` updated with ``own``; entries are matched by precision, style and compiler.

    A block that gives a number (``value``) or a range (``lo``) is replaced as a whole, so that no number keeps the
    source of another number.
    """
    merged = dict(base)
    for key, value in own.items():
        old = base.get(key)
        if key == "entries" and _are_tables(old) and _are_tables(value):
            merged[key] = _merge_entries(old, value)
        elif isinstance(old, dict) and isinstance(value, dict) and not {"value", "lo"} & set(value):
            merged[key] = merge(old, value)
        else:
            merged[key] = value
    return merged


def _merge_entries(base: list[Raw], own: list[Raw]) -> list[Raw]:
    rows = list(base)
    for row in own:
        same = [i for i, old in enumerate(base) if _key(old) == _key(row)]
        if same:
            rows[same[0]] = merge(base[same[0]], row)
        else:
            rows.append(row)
    return rows


def _key(entry: Raw) -> tuple[Any, ...]:
    return tuple(entry.get(name) for name in ENTRY_KEY)


def _are_tables(value: Any) -> TypeGuard[list[Raw]]:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _other(wanted: Any, key: str, chain: Chain) -> Raw:
    label = chain[-1].label
    if not isinstance(wanted, str):
        raise ProfileError(f"{label}: {key} = {wanted!r}; it must be the name of a device or of a file ending in .toml")
    try:
        place = find(wanted, chain[-1].folder)
    except ProfileError as error:
        raise ProfileError(f"{label}: {key}: {error}") from None
    return resolve(place, chain)


def _rules(given: Any, place: Place) -> list[Scaling]:
    if not _are_tables(given):
        raise ProfileError(f"{place.label}: scaled_from must be tables, each headed [[scaled_from]]")
    rules = []
    for i, table in enumerate(given):
        try:
            rules.append(convert(table, Scaling))
        except ValueError as error:
            raise ProfileError(f"{place.label}: scaled_from[{i}]: {error}") from None
    return rules


def _derived(rule: Scaling, chain: Chain) -> Iterator[Raw]:
    """The scaled entries that a rule makes from the matching entries of its core."""
    wanted = {"precision": rule.precision, "style": rule.style}
    compilers = (rule.compiler, "any") if rule.compiler else (*BUILDS, "any")
    rows = _other(rule.core, "scaled_from.core", chain).get("entries", [])
    try:
        to_struct(rows, list[Entry])
    except ValueError as error:
        raise ProfileError(f"{chain[-1].label}: scaled_from.core = {rule.core!r}: {error}") from None
    for row in rows:
        matches = all(value in (None, row.get(name)) for name, value in wanted.items())
        if matches and row.get("compiler") in compilers:
            yield scaled_entry(row, rule)
