"""A run folder as a page needs it: a missing or damaged file becomes a note, not an error."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from neuraltree.storing import check_regular
from search.baselines import Baseline, load_baselines
from search.config.config import Config, load_config
from search.errors import InputError
from search.folder.records import CONFIG, RunFolder
from search.front import Front, Member, load_front
from search.reading import read_file, read_rows
from search.strict import one_line

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """``path`` is as the user named it. ``front`` is final, or the front so far if ``final`` is false.

    ``history``: the columns of history.csv. ``notes``: a sentence for each file that is missing or damaged.
    ``saved``: when the history was last written, in seconds since 1970; an old time is the only sign of a killed run.
    """

    path: Path
    name: str
    manifest: dict[str, Any]
    config: Config | None
    config_text: str
    front: Front
    final: bool
    history: dict[str, list[float | None]]
    baselines: tuple[Baseline, ...]
    notes: tuple[str, ...]
    saved: float | None = None

    @property
    def status(self) -> str:
        return str(self.manifest.get("status", "unknown"))


def is_run(path: Path) -> bool:
    return (path / CONFIG).is_file() or (path / "manifest.json").is_file() or (path / "front.csv").is_file()


def read_run(path: Path) -> Run:
    """Raises ``InputError`` if the path is not a run folder."""
    try:
        found = path.is_dir(), is_run(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {one_line(error)}") from None
    if not found[0]:
        raise InputError(f"{path}: there is no such folder; name the folder of a run")
    if not found[1]:
        raise InputError(f"{path} is not a run folder: it has no {CONFIG}, manifest.json or front.csv")
    notes: list[str] = []
    manifest: dict[str, Any] = _or(notes, {}, RunFolder(path).read_manifest)
    if manifest.get("compressed"):
        raise InputError(f"{path} holds models of neuraltree compress, without a search to report: see neuraltree show")
    final = (path / "front.csv").is_file()
    if not final:
        notes.append(UNFINISHED)
    return Run(
        path=path,
        name=path.resolve().name,
        manifest=manifest,
        config=_or(notes, None, lambda: _config(path / CONFIG)),
        config_text=_or(notes, "", lambda: _text(path / CONFIG)) if (path / CONFIG).is_file() else "",
        front=_or(notes, Front((), ()), lambda: _checked(load_front(path) if final else _live_front(path, manifest))),
        final=final,
        history=_or(notes, {}, lambda: _columns(path / "history.csv")),
        baselines=_or(notes, (), lambda: load_baselines(path)),
        notes=tuple(notes),
        saved=_modified(path / "history.csv"),
    )


UNFINISHED = (
    "The run is not complete: this is its front so far, with validation errors only. "
    "No model has been trained on all rows, tested or saved yet."
)


def _or(notes: list[str], otherwise: T, read: Callable[[], T]) -> T:
    """The result of ``read``; ``otherwise``, and a note, if it fails."""
    try:
        return read()
    except (OSError, ValueError, KeyError, TypeError) as error:
        notes.append(one_line(error))
        return otherwise


def _config(path: Path) -> Config:
    if path.exists():
        check_regular(path)
    return load_config(path)


def _modified(path: Path) -> float | None:
    return path.stat().st_mtime if path.is_file() else None


def _text(path: Path) -> str:
    return read_file(path).decode(errors="replace")


def _checked(front: Front) -> Front:
    """Raises ``InputError`` for a member without a number that every member has."""
    for i, member in enumerate(front):
        for name in ("id", "val_error"):
            if not math.isfinite(member.values.get(name, math.nan)):
                raise InputError(f"The front is damaged: member {i} has no {name}.")
    return front


def _live_front(path: Path, manifest: dict[str, Any]) -> Front:
    rows = _rows(path / "live.csv")
    members = [
        Member(row["status"], {name: float(text) for name, text in row.items() if text and name not in TEXTS})
        for row in rows
    ]
    return Front(tuple(members), tuple(manifest.get("objectives", ())))


TEXTS = ("status", "model", "precision", "style")


def _rows(path: Path, *, growing: bool = False) -> list[dict[str, str]]:
    if not path.is_file():
        raise InputError(f"There is no {path.name} in the run folder.")
    return read_rows(path, dict, growing=growing)


def _columns(path: Path) -> dict[str, list[float | None]]:
    """A table of numbers by column; None for an empty cell."""
    rows = _rows(path, growing=True)
    names = [name for name in (rows[0] if rows else {}) if name]
    return {name: [float(row[name]) if row[name] else None for row in rows] for name in names}
