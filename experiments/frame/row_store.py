"""The CSV file of an experiment: units are appended whole, so a run killed by ``kill -9`` can resume."""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from experiments.frame.experiment import Row, Unit
from experiments.frame.provenance import COLUMNS as PROVENANCE
from search.errors import InputError, LockedError
from search.folder.records import write_text

KEY = ("table", "job", "seed")
Key = tuple[str, str, str]  # the texts of the cells


def keys(unit: Unit) -> set[Key]:
    """The keys of the rows that the unit makes."""
    return {(unit.table, unit.job, str(seed)) for seed in range(unit.seed, unit.seed + unit.count)}


def key(row: Mapping[str, Any]) -> Key:
    return row["table"], row["job"], str(row["seed"])


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of all complete seeds, with cells as text; [] if there is no file.

    ``InputError`` if the file cannot be read or is damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    whole = text[: text.rfind("\n") + 1]
    rows = list(csv.DictReader(io.StringIO(whole)))
    for i, row in enumerate(rows):
        if None in row or None in row.values() or not {*KEY, *PROVENANCE} <= row.keys():
            raise InputError(
                f"{path} is damaged: row {i + 1} has more or fewer cells than the header, or the header lacks one; "
                "restore the file from a copy, or move the row to another file: its unit is then run again"
            )
    counts = Counter(map(key, rows))
    return [row for row in rows if str(counts[key(row)]) == row["rows"]]


class Store:
    """The rows of one experiment, as a context manager; only one process can hold it at a time."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.header = (*KEY, *columns, *PROVENANCE)
        self.rows: list[dict[str, str]] = []
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self.path.with_name(f".{self.path.stem}.lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise LockedError(f"{self.path} is in use by another process; wait for it, or stop it first") from None
        self.rows = read_rows(self.path)
        return self

    def __exit__(self, *failure: object) -> None:
        if self._lock is not None:
            self._lock.close()

    def begin(self, units: Iterable[Unit], configs: Mapping[Unit, str], *, fresh: bool) -> list[Unit]:
        """The ``units`` still to run. Rows of unfinished units are removed, and with ``fresh`` those of other settings.

        ``InputError`` if rows of a unit were made with other settings than ``configs`` without ``fresh``, or if the
        file has columns that the experiment does not make.
        """
        units = list(units)
        wanted = {name: configs[unit] for unit in units for name in keys(unit)}
        other = [row for row in self.rows if row["config"] != wanted.get(key(row), row["config"])]
        if other and not fresh:
            raise self._mixed(other, wanted[key(other[0])])
        self._check_header()
        kept = [row for row in self.rows if row["config"] == wanted.get(key(row), row["config"])]
        there = {key(row) for row in kept}
        missing = [unit for unit in units if not keys(unit) <= there]
        gone = {name for unit in missing for name in keys(unit)}
        self.rows = [row for row in kept if key(row) not in gone]
        write_text(self.path, _lines([dict(zip(self.header, self.header, strict=True)), *self.rows], self.header))
        return missing

    def _mixed(self, other: list[dict[str, str]], wanted: str) -> InputError:
        first = other[0]
        return InputError(
            f"{self.path}: {len(other)} rows, the first of {first['table']}/{first['job']} seed {first['seed']}, were "
            f"made with the settings {first['config']}, which are {wanted} now; --fresh drops and runs them again, "
            "--only runs others"
        )

    def _check_header(self) -> None:
        unknown = [name for name in (self.rows or [{}])[0] if name not in self.header]
        if unknown:
            raise InputError(f"{self.path} has columns no longer given: {', '.join(unknown)}; move the file away")

    def append(self, rows: Sequence[Row]) -> None:
        """Write all rows of a unit at once; they are on the disk when this returns."""
        counts = Counter(map(key, rows))
        cells = [{name: _cell(value) for name, value in {**row, "rows": counts[key(row)]}.items()} for row in rows]
        content = _lines(cells, self.header).encode()
        with self.path.open("ab", buffering=0) as file:
            if file.write(content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fsync(file.fileno())
        self.rows += cells


def _cell(value: Any) -> str:
    """Floats by ``repr``, so that they read back exactly; ``None`` as an empty cell."""
    if value is None:
        return ""
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def _lines(rows: Iterable[Mapping[str, str]], header: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([row.get(name, "") for name in header] for row in rows)
    return text.getvalue()
