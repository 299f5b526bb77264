"""The run folder: its files, its lock, and how it survives a kill at any moment.

Every file is written under a temporary name in the same folder and then renamed. A checkpoint is an npz of arrays
and a JSON of the same generation. The JSON is written last: if it exists, the checkpoint is whole.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from neuraltree.storing import store
from neuraltree.structs import to_struct
from search.errors import DamagedError, InputError, LockedError
from search.folder.end_log import EndLog
from search.folder.logs import Log, Parts, numbered
from search.interrupts import resume_command, uninterrupted
from search.reading import read_json, read_npz, reason
from search.strict import shown

CONFIG, MANIFEST, LOCK = "config.toml", "manifest.json", ".lock"
SIGNALS = "signals"  # the folder of models that are fed samples
ONE_CLASS_TABLE, RECOMMENDED = "one_class.csv", "recommended"  # of a run on normal windows alone; a key of its manifest
# The only files of a run that was killed before its config was written: there is nothing to resume.
STARTING = {LOCK, CONFIG + ".part"}
KEPT_CHECKPOINTS = 2
PARTS = ("archive", "history")  # each generation adds to a log of each kind, until the run is complete
# The keys of the manifest that are read back, with their types.
FACTS: dict[str, Any] = {
    "status": str,
    "seed": int,
    "evaluations": int,
    "generations": int,
    "timed_from": int,
    "search_ended": int | None,
    "data_hash": str,
    "config_hash": str,
    "objectives": list[str],
    "reference_point": list[float] | None,
    "versions": dict[str, str],
    "machine": dict,
    "engine": str,
    "git_commit": str | None,
    "target": str,
    "train_rows": int,
    "test_rows": int,
    "class_rows": dict[str, list[int]] | None,
    "split": str,
    "notes": list[str],
    "compressed": bool,
    "cpu_seconds": float,
    "energy_kwh_estimated": float,
    "co2_g_estimated": float,
    "energy_assumptions": list[dict],
}


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step with ``store``; no other process may write it."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    store({path: content}, alone=True)


def write_json(path: Path, value: Any) -> None:
    write_text(path, _json(value))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    write_text(path, csv_lines([header, *rows]))


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """Floats are written by ``repr``, so that they read back exactly; ``None`` is an empty cell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def write_npz(path: Path, arrays: Mapping[str, NDArray]) -> None:
    write_bytes(path, npz_bytes(arrays))


def npz_bytes(arrays: Mapping[str, NDArray]) -> bytes:
    """The same arrays give the same bytes; arrays of Python objects are refused."""
    content = io.BytesIO()
    # np.savez of NumPy 2.0 and 2.1 cannot refuse pickles: they store ``allow_pickle`` as one more array.
    with zipfile.ZipFile(content, "w") as stored:
        for name, array in arrays.items():
            with stored.open(name + ".npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    return content.getvalue()


class RunFolder:
    """The files of a run, held by one process at a time: from ``create`` or ``reopen`` to the end of the context."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None
        self._made: list[Path] = []  # the folders that ``create`` made: the run folder and its parents
        self._logs = {kind: Log(self.checkpoints, kind) for kind in PARTS}
        self.end = EndLog(self.checkpoints)
        self._running = False  # the status that this process last wrote to the manifest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        """Mark a run that is still called running as interrupted: no process works on it any more."""
        try:
            if self._running:
                with uninterrupted(), suppress(InputError, OSError):
                    self.update_manifest(status="interrupted")
        finally:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoint"

    def create(self) -> None:
        """Make a new folder and lock it; a folder that is not empty is refused."""
        self.check_free()
        self._made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make {self.path}: {reason(error)}; name another folder with --out") from None
        self._hold()
        if not self._is_free():  # another run has started in it since
            raise self._occupied()

    def check_free(self) -> None:
        """Raises ``InputError`` if the path cannot be a folder, or is one that is not empty; makes nothing."""
        try:
            if self._is_free():
                return
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            if isinstance(error, NotADirectoryError) and self.path.is_file():
                raise InputError(f"{self.path} is a file; name a new folder with --out") from None
            raise InputError(f"cannot make {self.path}: {reason(error)}; name another folder with --out") from None
        # A foreign folder gets no lock file. If a run is under way in this one, ``_hold`` says so.
        if (self.path / LOCK).exists():
            with self:
                self._hold()
        raise self._occupied()

    def _is_free(self) -> bool:
        return all(path.name in STARTING for path in self.path.iterdir())

    def _occupied(self) -> InputError:
        can_go_on = (self.path / CONFIG).is_file() and not self.was_compressed
        hint = f", or resume the run in it: {resume_command(self.path)}" * can_go_on
        return InputError(f"{self.path} is not empty; name another folder with --out{hint}")

    @property
    def was_compressed(self) -> bool:
        """Whether the folder holds the front of ``neuraltree compress``, which ran no search."""
        try:
            return bool(self.read_manifest().get("compressed", False))
        except (OSError, ValueError):
            return False

    def reopen(self) -> dict[str, Any]:
        """Lock the folder of an existing run; returns its manifest, {} if a kill came before it was written."""
        try:
            found = self.path.is_dir(), (self.path / CONFIG).is_file()
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {reason(error)}") from None
        if not all(found):
            lack = f"it has no {CONFIG}" if found[0] else "there is no such folder"
            raise InputError(
                f"{self.path} is not a run folder: {lack}; start a run with: python -m search.run CONFIG --out FOLDER"
            )
        self._hold()
        return self.read_manifest()

    def _hold(self) -> None:
        """Lock the folder for this process; the system releases the lock when the process ends, however it ends."""
        try:
            handle = (self.path / LOCK).open("a")
        except OSError as error:
            raise InputError(f"cannot write to {self.path}: {reason(error)}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise LockedError(f"{self.path} is in use by another process; wait for it, or stop it first") from None
        self._lock = handle

    def discard(self) -> None:
        """Undo ``create`` for a run that never began; a run that did begin is kept."""
        if self.checkpoints.exists():
            return
        self._running = False
        for path in self.path.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)  # such as ``work``; the folder was empty when this run took it
            else:
                path.unlink()
        with suppress(OSError):  # another run has started in a parent folder
            for folder in self._made:
                folder.rmdir()

    def read_manifest(self) -> dict[str, Any]:
        """{} if there is none."""
        path = self.path / MANIFEST
        try:
            facts = read_json(path) if path.exists() else {}
            for name in facts.keys() & FACTS.keys():
                _check_fact(path, name, facts[name])
        except DamagedError as error:
            raise DamagedError(
                f"{error}; restore it, or move it away: then the hashes of data and config are not checked"
            ) from None
        return facts

    def update_manifest(self, **changes: Any) -> None:
        write_json(self.path / MANIFEST, self.read_manifest() | changes)
        self._running = changes.get("status", "running" * self._running) == "running"

    def save_checkpoint(self, generation: int, arrays: Mapping[str, NDArray], facts: Mapping[str, Any]) -> None:
        """Save a checkpoint. Only the newest ``KEPT_CHECKPOINTS`` are kept; leftovers of killed writes are deleted."""
        self.checkpoints.mkdir(exist_ok=True)
        state, about = self._checkpoint(generation, "npz"), self._checkpoint(generation, "json")
        store({state: npz_bytes(arrays), about: _json(facts)}, alone=True)
        kept = self._generations()[-KEPT_CHECKPOINTS:]
        for path in self.checkpoints.glob("state-*"):
            if not any(path.name.startswith(self._checkpoint(other, "").name) for other in kept):
                path.unlink()

    def load_checkpoint(self) -> tuple[dict[str, NDArray], dict[str, Any]] | None:
        """The newest whole checkpoint, if any. Raises ``InputError`` if all are damaged or one cannot be read now."""
        damage = []
        for generation in reversed(self._generations()):
            try:
                return read_npz(self._checkpoint(generation, "npz")), read_json(self._checkpoint(generation, "json"))
            except DamagedError as error:
                damage.append(error)
        if damage:
            raise DamagedError(
                f"{damage[0]}; no checkpoint is whole: restore one from a copy; "
                f"to begin the run again, move or delete {self.checkpoints}"
            )
        return None

    def last_generation(self) -> int | None:
        """The generation of the newest checkpoint; None if there is none yet."""
        return max(self._generations(), default=None)

    def _checkpoint(self, generation: int, suffix: str) -> Path:
        return self.checkpoints / f"state-{generation:06d}.{suffix}"

    def _generations(self) -> list[int]:
        return list(numbered(self.checkpoints, "state", "json"))

    def save_parts(
        self, generation: int, archive: Mapping[str, NDArray], history: Mapping[str, NDArray], *, lasting: bool = True
    ) -> None:
        """Save what one generation adds to the archive and to the history; ``lasting``: wait for the disk."""
        self.checkpoints.mkdir(exist_ok=True)
        for kind, arrays in zip(PARTS, (archive, history), strict=True):
            self._logs[kind].append(generation, arrays, lasting=lasting)

    def sync_parts(self) -> None:
        """Wait until the disk has all parts."""
        for log in self._logs.values():
            log.sync()

    def parts(self, kind: str) -> Parts:
        """Those of each generation to that of the newest checkpoint; ``DamagedError`` if one is missing."""
        last = self.last_generation()
        return self._logs[kind].parts(-1 if last is None else last)

    def has_parts(self) -> bool:
        return any(log.files() for log in self._logs.values())

    def clear_parts(self, kinds: Iterable[str] = PARTS) -> None:
        for kind in kinds:
            self._logs[kind].clear()


def _check_fact(path: Path, name: str, value: Any) -> None:
    try:
        to_struct(value, FACTS[name])
    except msgspec.ValidationError:
        raise DamagedError(f"{path} is damaged: {name} is {shown(value)}") from None
