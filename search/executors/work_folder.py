"""The folder ``work`` in a run folder, through which a search and its workers exchange chunks without a scheduler.

    run.msg                the invitation, and table-NAME.msg, the table of the run
    todo/CHUNK.msg         a chunk that any worker may take
    taken/CHUNK@WORKER.msg the same, renamed by the worker that took it: only one rename of a file succeeds
    done/CHUNK@WORKER.msg  its result
    workers/WORKER.json    a worker's heartbeat: a number that grows

A chunk is named after its content, so a result stays right when the search is killed and resumed. Files appear under
their names whole, by renaming, and nothing depends on the clocks of machines. Nothing outside the folder is read, no
link is followed, and a name that is none of these is ignored.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from neuraltree.storing import store
from search.errors import InputError
from search.executors.wire import LARGEST, WireError

FOLDER = "work"
TODO, TAKEN, DONE, WORKERS = "todo", "taken", "done", "workers"
INVITATION = "run.msg"
_CHUNK, _WORKER = r"[0-9a-f]{32}", r"[A-Za-z0-9._-]{1,100}"
_NAMES = {
    TODO: re.compile(rf"(?P<chunk>{_CHUNK})(?P<worker>)\.msg"),
    TAKEN: re.compile(rf"(?P<chunk>{_CHUNK})@(?P<worker>{_WORKER})\.msg"),
    DONE: re.compile(rf"(?P<chunk>{_CHUNK})@(?P<worker>{_WORKER})\.msg"),
    WORKERS: re.compile(rf"(?P<chunk>)(?P<worker>{_WORKER})\.json"),
}
LARGEST_BEAT = 10_000  # bytes


class Beat(msgspec.Struct, forbid_unknown_fields=True):
    """A heartbeat: ``count`` grows, ``threads`` compute chunks; ``refused``: why the worker does not take part."""

    count: int
    threads: int
    refused: str = ""


class Entry(NamedTuple):
    """A file of a folder, by what its name says."""

    path: Path
    chunk: str
    worker: str


class WorkFolder:
    """The files of ``work`` in the folder of a run."""

    def __init__(self, run: Path) -> None:
        self.path = run / FOLDER

    def make(self) -> None:
        self.check()
        for name in _NAMES:
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def check(self) -> None:
        """``InputError`` for a link, or a file, in the place of one of the folders."""
        for path in (self.path, *(self.path / name for name in _NAMES)):
            if path.is_symlink() or (path.exists() and not path.is_dir()):
                raise InputError(f"{path} is a link or a file, not the folder of a run; remove it, and resume the run")

    def invitation(self) -> bytes:
        """b"" if there is none; ``InputError`` for a link or a folder."""
        try:
            return read(self.path / INVITATION)
        except FileNotFoundError:
            return b""
        except WireError as error:
            raise InputError(f"{self.path}: {error}; remove it, and resume the run") from None

    def remove(self) -> None:
        """Remove what a finished run leaves behind; a file that a worker adds meanwhile stays."""
        for name in _NAMES:
            for entry in self.entries(name):
                entry.path.unlink(missing_ok=True)
            with suppress(OSError):
                (self.path / name).rmdir()
        for path in self.path.glob("*.msg"):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

    def entries(self, name: str) -> list[Entry]:
        """The files of a folder; none if it is gone."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return list(self._entries(name))
        return []

    def _entries(self, name: str) -> Iterator[Entry]:
        with os.scandir(self.path / name) as found:
            for file in found:
                match = _NAMES[name].fullmatch(file.name)
                if match and file.is_file(follow_symlinks=False):
                    yield Entry(Path(file.path), match["chunk"], match["worker"])

    def put(self, name: str, files: Mapping[str, bytes]) -> None:
        """Files of a folder by name, each whole or not at all."""
        store({self.path / name / file: content for file, content in files.items()}, lasting=False)

    def take(self, entry: Entry, worker: str) -> Entry | None:
        """A chunk of ``todo`` for a worker; None if another was faster."""
        mine = self.path / TAKEN / f"{entry.chunk}@{worker}.msg"
        try:
            entry.path.rename(mine)
        except OSError:
            # On network file systems a rename that was repeated can succeed and still be reported as failed.
            if not mine.exists():
                return None
        return Entry(mine, entry.chunk, worker)

    def give_back(self, entry: Entry) -> None:
        with suppress(OSError):
            entry.path.rename(self.path / TODO / f"{entry.chunk}.msg")

    def beat(self, worker: str, beat: Beat) -> None:
        self.put(WORKERS, {f"{worker}.json": msgspec.json.encode(beat)})

    def beats(self) -> dict[str, Beat]:
        """The heartbeat of each worker."""
        found = {}
        for entry in self.entries(WORKERS):
            with suppress(OSError, WireError, msgspec.DecodeError):
                found[entry.worker] = msgspec.json.decode(read(entry.path, LARGEST_BEAT), type=Beat)
        return found


def read(path: Path, most: int = LARGEST) -> bytes:
    """The content of a file of this folder; ``WireError`` for a link, no plain file, or one that is too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise WireError(f"{path.name} is a link") from None
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size > most:
        os.close(descriptor)
        raise WireError(f"{path.name} is no file of at most {most} bytes")
    with os.fdopen(descriptor, "rb") as file:
        return file.read()
