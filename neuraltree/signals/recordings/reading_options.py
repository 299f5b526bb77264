"""How recordings are read, where files cannot say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from neuraltree.option_values import is_finite, is_whole

LEVELS = ("class", "subject", "")
ROLES = ("time", "label", "recording", "subject", "part")
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class ReadingOptions:
    """``rate_hz``: the rate of files that state none, and the rate to which all others are brought; 0: as they are.
    ``channels``: the channels to read, in their order, or the names of channels that have none. ``classes``: other
    names for labels of the files; a label that is renamed to "" counts as none. ``folders``: what the levels of folders
    mean, from the outermost: "class", "subject" or "" for nothing. ``subject_piece``: which piece of a file's name, cut
    at ``.``, ``_`` and ``-`` and counted from 1, is the subject; 0: none. ``columns``: the columns of a CSV file by
    what they hold (``ROLES``); "" for none. ``time_unit``: of the times in files, "" if they say it. ``longest_gap``:
    sampling intervals between two samples beyond which samples are missing. ``most_jitter``: the share of an interval
    by which steps may vary before samples are put on an even grid.
    """

    rate_hz: float = 0.0
    channels: tuple[str, ...] = ()
    classes: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ("class",)
    subject_piece: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    time_unit: str = ""
    longest_gap: float = 1.5
    most_jitter: float = 0.1

    def __post_init__(self) -> None:
        """``ValueError`` for values that are not allowed."""
        for name, given, is_right, rule in (
            ("rate_hz", self.rate_hz, is_finite(self.rate_hz) and self.rate_hz >= 0, "a number of Hz, or 0"),
            ("channels", self.channels, len(set(self.channels)) == len(self.channels), "names that differ"),
            ("folders", self.folders, _are_levels(self.folders), f"levels of {LEVELS}, one of them for the class"),
            ("subject_piece", self.subject_piece, is_whole(self.subject_piece, 0), "a whole number of 0 or more"),
            ("columns", self.columns, set(self.columns) <= set(ROLES), f"names of columns for some of {ROLES}"),
            ("time_unit", self.time_unit, self.time_unit in ("", *TIME_UNITS), f'"" or one of {tuple(TIME_UNITS)}'),
            ("longest_gap", self.longest_gap, is_finite(self.longest_gap) and self.longest_gap > 1, "a number above 1"),
            ("most_jitter", self.most_jitter, is_finite(self.most_jitter) and self.most_jitter >= 0, "0 or more"),
        ):
            if not is_right:
                raise ValueError(f"{name}={given!r}; it must be {rule}")


def _are_levels(folders: tuple[str, ...]) -> bool:
    return set(folders) <= set(LEVELS) and all(folders.count(level) <= 1 for level in LEVELS[:2])


AS_THEY_ARE = ReadingOptions()
