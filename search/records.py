"""The run folder: what is in it, who may write to it, and how it survives a kill at any moment.

Every file is written beside its place and renamed into it. A checkpoint is an npz of arrays and, written
last, a JSON of the same generation: where the JSON is, the checkpoint is whole.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from search.errors import InputError, LockedError

HISTORY = (
    *("generation", "evaluations", "hypervolume", "front_size", "best_error"),
    *("seconds_vary", "seconds_train", "seconds_cost", "seconds_select", "seconds_save", "compilations"),
)


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step: a reader, or a kill, sees the old one or the new one."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(content)
    beside.replace(path)


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
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_bytes(path, content.getvalue())


def read_npz(path: Path) -> dict[str, NDArray]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


class RunFolder:
    """The paths of a run, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoint"

    def create(self) -> None:
        """Make a new folder and hold it; one that has anything in it is refused."""
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file; name a new folder with --out")
        if self.path.exists() and any(self.path.iterdir()):
            raise InputError(
                f"{self.path} is not empty; name another folder with --out, or go on with the run in it: "
                f"python -m search.run {self.path} --resume"
            )
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            self.models.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make {self.path}: {error.strerror}; name another folder with --out") from None
        self.hold()

    def hold(self) -> None:
        """Lock the folder for this process; the lock goes when the process does, however it ends."""
        handle = (self.path / ".lock").open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise LockedError(f"{self.path} is in use by another process; wait for it, or stop it first") from None
        self._lock = handle

    def discard(self) -> None:
        """Undo ``create`` for a run that never began."""
        shutil.rmtree(self.path)

    def read_manifest(self) -> dict[str, Any]:
        path = self.path / "manifest.json"
        if not path.is_file():
            raise InputError(f"{self.path} is not a run folder: it has no manifest.json")
        try:
            return dict(json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise InputError(f"{path} is damaged: {error}") from None

    def update_manifest(self, **changes: Any) -> None:
        path = self.path / "manifest.json"
        old = json.loads(path.read_text()) if path.is_file() else {}
        write_json(path, old | changes)

    def save_checkpoint(self, generation: int, arrays: Mapping[str, NDArray], facts: Mapping[str, Any]) -> None:
        write_npz(self._checkpoint(generation, "npz"), arrays)
        write_json(self._checkpoint(generation, "json"), facts)
        for old in self._generations()[:-2]:
            self._checkpoint(old, "json").unlink(missing_ok=True)
            self._checkpoint(old, "npz").unlink(missing_ok=True)

    def load_checkpoint(self) -> tuple[dict[str, NDArray], dict[str, Any]] | None:
        """The newest whole checkpoint, or none."""
        generations = self._generations()
        if not generations:
            return None
        facts = json.loads(self._checkpoint(generations[-1], "json").read_text())
        return read_npz(self._checkpoint(generations[-1], "npz")), facts

    def _checkpoint(self, generation: int, suffix: str) -> Path:
        return self.checkpoints / f"state-{generation:06d}.{suffix}"

    def _generations(self) -> list[int]:
        return sorted(int(path.stem.split("-")[1]) for path in self.checkpoints.glob("state-*.json"))

    def save_archive_part(self, generation: int, arrays: Mapping[str, NDArray]) -> None:
        write_npz(self.checkpoints / f"archive-{generation:06d}.npz", arrays)

    def archive_parts(self) -> list[dict[str, NDArray]]:
        return [read_npz(path) for path in sorted(self.checkpoints.glob("archive-*.npz"))]

    def clear_archive_parts(self) -> None:
        for path in self.checkpoints.glob("archive-*.npz"):
            path.unlink()
