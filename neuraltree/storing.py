"""Writing files whole or not at all, and reading files up to a size."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, TextIO, cast

LARGEST = 64 * 2**20  # bytes of a model or table; a tree of 10,000 nodes, the largest allowed, takes 1 MB


def store(files: Mapping[Path, str | bytes], *, alone: bool = False, lasting: bool = True) -> None:
    """Write files so that each holds its old or its new content, never a part, even after a kill or a power cut.

    All contents are written to temporary files first, which then replace the targets in their order. ``alone`` says
    that no other process writes these files: a later call then overwrites a temporary file left by a killed one. Files
    that are not ``lasting`` can be made again, so a power cut may lose them. ``OSError`` names the target.
    """
    contents = {target: text.encode() if isinstance(text, str) else text for target, text in files.items()}
    beside = {target: target.with_name(_name_beside(target.name, alone)) for target in files}
    try:
        for target, content in contents.items():
            beside[target].write_bytes(content)
            if lasting:
                _sync(beside[target], os.O_RDWR)
        for target in files:
            beside[target].replace(target)
    except OSError as error:
        _remove(beside.values())
        # The system names the temporary file, or no file if the disk is full.
        raise OSError(error.errno, error.strerror or str(error), str(target)) from None
    except (Exception, KeyboardInterrupt):
        _remove(beside.values())
        raise
    for folder in {target.parent for target in files if lasting}:
        _sync_folder(folder)


def append(target: Path, content: bytes, *, lasting: bool = True) -> None:
    """Add to the end of a file, or make it; after an error it ends where it did, after a kill anywhere in ``content``.

    ``lasting``: see ``store``. ``OSError`` names the target.
    """
    new = not target.exists()
    try:
        with target.open("ab", buffering=0) as file:  # a buffer would try to write the rest again when it is closed
            begun = file.seek(0, os.SEEK_END)
            try:
                left = memoryview(content)
                while left:
                    left = left[file.write(left) :]
                if lasting:
                    os.fsync(file.fileno())
            except (Exception, KeyboardInterrupt):
                with suppress(OSError):
                    file.truncate(begun)
                raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(target)) from None
    if new and lasting:
        _sync_folder(target.parent)


def cut(target: Path, length: int) -> None:
    """Keep the first ``length`` bytes of a file."""
    with target.open("rb+", buffering=0) as file:
        file.truncate(length)
        os.fsync(file.fileno())


def sync(target: Path) -> None:
    """Wait until the disk has what was added to a file."""
    _sync(target, os.O_RDWR)
    _sync_folder(target.parent)


@contextmanager
def replacing(target: Path) -> Iterator[TextIO]:
    """A new text file, which replaces ``target`` at the end; after an error the old file is as it was.

    ``OSError`` names the target.
    """
    with _replacing(target, alone=False, mode="w", newline="", encoding="utf-8") as file:
        yield cast(TextIO, file)


@contextmanager
def replacing_bytes(target: Path, *, alone: bool = False) -> Iterator[BinaryIO]:
    """Like ``replacing`` for bytes; ``alone``: see ``store``."""
    with _replacing(target, alone=alone, mode="wb") as file:
        yield cast(BinaryIO, file)


@contextmanager
def _replacing(target: Path, *, alone: bool, mode: str, **how: str) -> Iterator[IO]:
    beside = target.with_name(_name_beside(target.name, alone))
    try:
        with beside.open(mode, **how) as file:  # type: ignore[call-overload]
            yield file
        _sync(beside, os.O_RDWR)
        beside.replace(target)
    except OSError as error:
        _remove([beside])
        raise OSError(error.errno, error.strerror or str(error), str(target)) from None
    except (Exception, KeyboardInterrupt):
        _remove([beside])
        raise
    _sync_folder(target.parent)


def _name_beside(name: str, alone: bool) -> str:
    return f"{name}.part" if alone else f".{name}.{secrets.token_hex(4)}"


def _sync(path: Path, flags: int) -> None:
    """Wait until the disk has the content; otherwise a power cut can leave a renamed file empty."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can open a folder, and the files are there already
        _sync(folder, os.O_RDONLY)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def read(path: Path, most: int = LARGEST) -> bytes:
    """The content of a file; ``OSError`` if it has more than ``most`` bytes, as a device without an end has."""
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most >> 20} MiB, the limit for such a file", str(path))
    return content


def check_regular(path: Path) -> None:
    """``OSError`` for a folder, and for a pipe or a device, which may block for ever."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
