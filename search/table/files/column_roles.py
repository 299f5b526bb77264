"""What each column of a table is for: the target, the features, and columns with a role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import check_known, listed, shown

# The keys of [data] that name a column which is neither feature nor target, and what the column holds.
ROLES = {"weight": "weights", "group": "groups", "time": "times", "split": "parts", "fairness_group": "fairness groups"}
SHARED = {"group", "fairness_group"}  # roles that one column may have together


def choose_columns(names: Sequence[str], data: DataConfig, source: str) -> tuple[int, list[int], dict[str, int]]:
    """The positions of the columns that ``data`` asks for: target, features, and those with a role by the role.

    ``InputError`` with everything that does not fit.
    """
    if unknown := [*_unknown(names, data, source)]:
        raise InputError(*unknown)
    roles = {role: names.index(name) for role in ROLES if (name := getattr(data, role))}
    kept = [i for i, name in enumerate(names) if name not in data.drop]
    target = _choose_target(names, data, [i for i in kept if i not in roles.values()])
    features = [i for i in kept if i != target and i not in roles.values()]
    if target not in kept:
        raise InputError(f"{source}: the target {shown(names[target])} is among data.drop; name another data.target")
    for role, i in roles.items():
        others = [
            f"the {ROLES[other]}" for other, j in roles.items() if j == i and other != role and {other, role} != SHARED
        ]
        others += ["the target"] * (i == target) + ["among data.drop"] * (i not in kept)
        if others:
            raise InputError(f"{source}: the {ROLES[role]} {shown(names[i])} are {others[0]}; name another data.{role}")
    if not features:
        raise InputError(
            f"{source}: no column is left to predict from; there are {len(names)}, and data.drop leaves out "
            f"{len(data.drop)} (columns are split at comma, semicolon or tab)"
        )
    return target, features, roles


def _unknown(names: Sequence[str], data: DataConfig, source: str) -> Iterator[str]:
    """What is wrong with each name of a column in ``data``, and with the number of the target."""
    asked = [("target", data.target, " to predict")] if data.target and isinstance(data.target, str) else []
    asked += [(role, name, f" of {what}") for role, what in ROLES.items() if (name := getattr(data, role))]
    asked += [("drop", name, " to leave out") for name in data.drop]
    asked += [("columns", name, "") for name in data.columns]
    for key, name, purpose in asked:
        try:
            check_known(str(name), names, f"{source}: data.{key} has no column {shown(name)}{purpose}")
        except InputError as error:
            yield str(error)
    if isinstance(data.target, int) and not -len(names) <= data.target < len(names):
        yield f"{source}: data.target = {data.target}; allowed: a column from 0 to {len(names) - 1}"


def _choose_target(names: Sequence[str], data: DataConfig, candidates: Sequence[int]) -> int:
    """The position of the target: given by name or number, else the last candidate."""
    if isinstance(data.target, int):
        return data.target % len(names)
    if data.target:
        return names.index(data.target)
    return candidates[-1] if candidates else 0


def numbered(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names, of which a repeated one gets a number, as in name, name_2; and those that were repeated."""
    found: list[str] = []
    for name in names:
        new, number = name, 1
        while new in found:
            number += 1
            new = f"{name}_{number}"
        found.append(new)
    return found, [name for name, count in Counter(names).items() if count > 1]


def told_names(names: Sequence[str], most: int = 5) -> str:
    """Columns for a note."""
    return listed([repr(name) for name in names], most)
