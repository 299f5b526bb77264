"""The columns that say how rows may be split: their groups, their times, or the part of each row."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.texts import is_missing, is_number
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import shown
from search.table.files.raw import Raw

Codes = NDArray[np.int64]
TEST, TRAIN = -2, -1  # the parts of test rows and of rows that are fitted in every fold; other parts are folds, from 0
PARTS = {"test": TEST, "train": TRAIN}
MOST_FOLDS = 20
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


@dataclass(frozen=True, eq=False)
class Rules:
    """How the rows of a table may be split; each (rows,), or None.

    ``group``: no group lies in two parts. ``time``: the position of each row's time among all times, equal for equal
    times; rows are fitted before later rows are predicted. ``part``: ``TEST``, ``TRAIN``, or the number of a fold.
    ``known``: the time from which each row's target is known, as in ``time``; a row is not fitted before it, so that
    nothing is learned from the future. None: from its own time on.
    """

    group: Codes | None = None
    time: Codes | None = None
    part: Codes | None = None
    known: Codes | None = None

    @property
    def free(self) -> bool:
        return not self.arrays

    @property
    def arrays(self) -> dict[str, Codes]:
        """The rules that there are, by name."""
        found = {"group": self.group, "time": self.time, "split": self.part}
        return {name: codes for name, codes in found.items() if codes is not None}

    @property
    def given_folds(self) -> int:
        """The number of folds that a column names."""
        return 0 if self.part is None else max(0, int(self.part.max()) + 1)


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of rows that have names: ``codes`` (rows,) are positions in ``names``, which are sorted."""

    names: tuple[str, ...]
    codes: Codes


def read_rules(raw: Raw, data: DataConfig) -> tuple[Rules, Groups | None]:
    """The rules and the fairness groups in the columns that ``data`` names.

    ``InputError`` for cells that are missing or cannot be read.
    """
    for role, cells in raw.roles.items():
        if (row := next((i for i, cell in enumerate(cells) if is_missing(cell)), None)) is not None:
            _refuse(raw, data, role, row, "the cell is missing; fill it in, or delete the row")
    codes = {role: _READERS[role](raw, data, cells) for role, cells in raw.roles.items() if role in _READERS}
    rules = Rules(codes.get("group"), codes.get("time"), codes.get("split"))
    _check_whole_groups(raw, data, rules)
    named = raw.roles.get("fairness_group")
    if named is None:
        return rules, None
    groups = Groups(tuple(sorted(set(named))), _groups(raw, data, named))
    if len(groups.names) == 1:
        fault = f"every row is in the group {shown(groups.names[0])}"
        raise InputError(f"{raw.source}: data.fairness_group = {shown(data.fairness_group)}: {fault}; leave it out")
    return rules, groups


def _refuse(raw: Raw, data: DataConfig, role: str, row: int, fault: str) -> None:
    raise InputError(f"{raw.source}: {raw.place(row)}, data.{role} = {shown(getattr(data, role))}: {fault}")


def _groups(raw: Raw, data: DataConfig, cells: Sequence[str]) -> Codes:
    del raw, data
    return np.unique(np.array(cells, dtype=object), return_inverse=True)[1].astype(np.int64)


def _times(raw: Raw, data: DataConfig, cells: Sequence[str]) -> Codes:
    """Numbers, or dates and times in ISO 8601, as positions in their order."""
    read = _number if all(map(is_number, cells)) else _instant
    found = [read(cell) for cell in cells]
    if None in found:
        row = found.index(None)
        fault = f"{shown(cells[row])} is no time; allowed: finite numbers, or dates and times as 2024-05-31 or "
        _refuse(raw, data, "time", row, f"{fault}2024-05-31T13:05:00 in every row")
    zoned = [isinstance(time, datetime) and time.utcoffset() is not None for time in found]
    if len(set(zoned)) == 2:
        row = zoned.index(not zoned[0])
        _refuse(
            raw, data, "time", row, f"only some times have a time zone, {shown(cells[row])} and not all; give all one"
        )
    order = {time: place for place, time in enumerate(sorted(set(found)))}  # type: ignore[type-var]
    return np.array([order[time] for time in found], dtype=np.int64)


def _number(cell: str) -> float | None:
    number = float(cell)
    return number if np.isfinite(number) else None


def _instant(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{cell}-01" if _MONTH.fullmatch(cell) else cell)
    except ValueError:
        return None


def _given(raw: Raw, data: DataConfig, cells: Sequence[str]) -> Codes:
    """``TEST``, ``TRAIN`` or the number of a fold, in the order of the folds' names."""
    names = sorted({cell for cell in cells if cell.lower() not in PARTS})
    numbers = {name: number for number, name in enumerate(names)}
    codes = np.array([PARTS.get(cell.lower(), numbers.get(cell)) for cell in cells], dtype=np.int64)
    what = f"{raw.source}: data.split = {shown(data.split)}"
    advice = "write test, train (fitted in every fold), or the name of a fold in each row"
    if not (codes == TEST).any():
        raise InputError(f"{what}: no row says test, so that no rows are left to test on; {advice}")
    if len(names) > MOST_FOLDS:
        raise InputError(f"{what} names {len(names)} folds; allowed: at most {MOST_FOLDS}; {advice}")
    if len(names) == 1 and not (codes == TRAIN).any():
        raise InputError(f"{what} names one fold, {shown(names[0])}, and leaves no rows to fit; {advice}")
    return codes


def _check_whole_groups(raw: Raw, data: DataConfig, rules: Rules) -> None:
    """``InputError`` if a group lies in two of the given parts."""
    if rules.group is None or rules.part is None:
        return
    _, first, group = np.unique(rules.group, return_index=True, return_inverse=True)
    beside = np.flatnonzero(rules.part != rules.part[first][group])
    if len(beside):
        row, cells = int(beside[0]), raw.roles["split"]
        other = int(first[group[row]])
        fault = f"{shown(cells[row])}, but its group {shown(raw.roles['group'][row])} is in {shown(cells[other])} too"
        _refuse(raw, data, "split", row, f"{fault}, {raw.place(other)}; put each group into one part")


_READERS: dict[str, Callable[[Raw, DataConfig, Sequence[str]], Codes]] = {
    "group": _groups,
    "time": _times,
    "split": _given,
}
