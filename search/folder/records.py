"""The run folder: what is in it, who may write to it, and how it survives a kill at any moment.

Every file is written beside its place and renamed into it. A checkpoint is an npz of arrays and, written
last, a JSON of the same generation: where the JSON is, the checkpoint is whole.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from search.errors import InputError, LockedError
from search.strict import one_line, shown

CONFIG, MANIFEST, LOCK = "config.toml", "manifest.json", ".lock"
# All that a start leaves which was killed before its config was written: there is nothing to go on with.
STARTING = {LOCK, CONFIG + ".part"}
KEPT_CHECKPOINTS = 2
# Of the manifest, what is read again.
FACTS: dict[str, Any] = {
    "status": str,
    "seed": int,
    "evaluations": int,
    "data_hash": str,
    "config_hash": str,
    "objectives": list[str],
    "reference_point": list[float] | None,
    "versions": dict[str, str],
    "machine": dict,
}


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step: a reader, or a kill, sees the old one or the new one."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        # The system names the file beside, or none where the disk is full.
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Floats by ``repr``, so that they read back exactly; ``None`` as an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    write_text(path, text.getvalue())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def write_npz(path: Path, arrays: Mapping[str, NDArray]) -> None:
    """The same bytes for the same arrays; one of Python objects is refused."""
    content = io.BytesIO()
    # np.savez of NumPy 2.0 and 2.1 cannot refuse pickles: it stores that wish as one more array.
    with zipfile.ZipFile(content, "w") as stored:
        for name, array in arrays.items():
            with stored.open(name + ".npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    write_bytes(path, content.getvalue())


def read_npz(path: Path) -> dict[str, NDArray]:
    """Raises ``InputError`` where the file is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except Exception as error:  # what a damaged archive raises is no list: OverflowError, TokenError, MemoryError, ...
        raise InputError(f"{path} is damaged: {one_line(error)}") from None


def _reason(error: Exception) -> str:
    """Without the path, which the message has already."""
    return (isinstance(error, OSError) and error.strerror) or one_line(error)


def read_json(path: Path) -> dict[str, Any]:
    """Raises ``InputError`` where the file is damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {one_line(error)}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path} is damaged: it holds {shown(value)}, not an object")
    return value


class RunFolder:
    """The files of a run, held by one process at a time: from ``create`` or ``reopen`` to the end of the context."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None
        self._made: list[Path] = []  # by ``create``: the folder, and those above it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
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
        """Make a new folder and hold it; one that has anything in it is refused."""
        self.check_free()
        self._made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make {self.path}: {_reason(error)}; name another folder with --out") from None
        self._hold()
        if not self._is_free():  # another run has begun since
            raise self._occupied()

    def check_free(self) -> None:
        """``InputError`` for a path no folder can have and for a folder with anything in it; makes nothing."""
        try:
            if self._is_free():
                return
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            if isinstance(error, NotADirectoryError) and self.path.is_file():
                raise InputError(f"{self.path} is a file; name a new folder with --out") from None
            raise InputError(f"cannot make {self.path}: {_reason(error)}; name another folder with --out") from None
        # Nothing is written into a folder of somebody else's, but one that a run is under way in is said to be.
        if (self.path / LOCK).exists():
            with self:
                self._hold()
        raise self._occupied()

    def _is_free(self) -> bool:
        return all(path.name in STARTING for path in self.path.iterdir())

    def _occupied(self) -> InputError:
        hint = f", or go on with the run in it: python -m search.run {self.path} --resume"
        return InputError(
            f"{self.path} is not empty; name another folder with --out{hint if (self.path / CONFIG).is_file() else ''}"
        )

    def reopen(self) -> dict[str, Any]:
        """Hold a folder that has a run in it; returns its manifest, {} where a kill came before it was written."""
        try:
            found = self.path.is_dir(), (self.path / CONFIG).is_file()
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {_reason(error)}") from None
        if not all(found):
            reason = f"it has no {CONFIG}" if found[0] else "there is no such folder"
            raise InputError(
                f"{self.path} is not a run folder: {reason}; start a run with: python -m search.run CONFIG --out FOLDER"
            )
        self._hold()
        return self.read_manifest()

    def _hold(self) -> None:
        """Lock the folder for this process; the lock goes when the process does, however it ends."""
        try:
            handle = (self.path / LOCK).open("a")
        except OSError as error:
            raise InputError(f"cannot write to {self.path}: {_reason(error)}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise LockedError(f"{self.path} is in use by another process; wait for it, or stop it first") from None
        self._lock = handle

    def discard(self) -> None:
        """Undo ``create`` for a run that never began; one that did is kept."""
        if self.checkpoints.exists():
            return
        for path in self.path.iterdir():
            path.unlink()
        with suppress(OSError):  # another run has begun beside it
            for folder in self._made:
                folder.rmdir()

    def read_manifest(self) -> dict[str, Any]:
        """{} where there is none."""
        path = self.path / MANIFEST
        facts = read_json(path) if path.exists() else {}
        for name in facts.keys() & FACTS.keys():
            try:
                msgspec.convert(facts[name], FACTS[name])
            except msgspec.ValidationError:
                raise InputError(f"{path} is damaged: {name} is {shown(facts[name])}") from None
        return facts

    def update_manifest(self, **changes: Any) -> None:
        write_json(self.path / MANIFEST, self.read_manifest() | changes)

    def save_checkpoint(self, generation: int, arrays: Mapping[str, NDArray], facts: Mapping[str, Any]) -> None:
        """Older ones but the last go; so does what a kill left of them."""
        self.checkpoints.mkdir(exist_ok=True)
        write_npz(self._checkpoint(generation, "npz"), arrays)
        write_json(self._checkpoint(generation, "json"), facts)
        kept = self._generations()[-KEPT_CHECKPOINTS:]
        for path in self.checkpoints.glob("state-*"):
            if not any(path.name.startswith(self._checkpoint(other, "").name) for other in kept):
                path.unlink()

    def load_checkpoint(self) -> tuple[dict[str, NDArray], dict[str, Any]] | None:
        """The newest whole checkpoint, or none; ``InputError`` where all are damaged."""
        damage = []
        for generation in reversed(self._generations()):
            try:
                return read_npz(self._checkpoint(generation, "npz")), read_json(self._checkpoint(generation, "json"))
            except InputError as error:
                damage.append(error)
        if damage:
            raise InputError(f"{damage[0]}; no checkpoint is whole: delete {self.checkpoints} to begin the run again")
        return None

    def _checkpoint(self, generation: int, suffix: str) -> Path:
        return self.checkpoints / f"state-{generation:06d}.{suffix}"

    def _generations(self) -> list[int]:
        numbers = (path.stem.removeprefix("state-") for path in self.checkpoints.glob("state-*.json"))
        return sorted(int(number) for number in numbers if number.isdecimal())

    def save_parts(self, generation: int, archive: Mapping[str, NDArray], history: Mapping[str, NDArray]) -> None:
        """What a generation adds to the archive and to the history, until the run is complete."""
        self.checkpoints.mkdir(exist_ok=True)
        for kind, arrays in (("archive", archive), ("history", history)):
            write_npz(self.checkpoints / f"{kind}-{generation:06d}.npz", arrays)

    def archive_parts(self) -> list[dict[str, NDArray]]:
        return self._parts("archive")

    def history_parts(self) -> list[dict[str, NDArray]]:
        return self._parts("history")

    def _parts(self, kind: str) -> list[dict[str, NDArray]]:
        return [read_npz(path) for path in sorted(self.checkpoints.glob(f"{kind}-*.npz"))]

    def clear_parts(self) -> None:
        for kind in ("archive", "history"):
            for path in self.checkpoints.glob(f"{kind}-*.npz"):
                path.unlink()
