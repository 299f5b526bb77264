"""Writing files whole or not at all, and reading files up to a size."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

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
        with suppress(OSError):  # not every system can open a folder, and the files are there already
            _sync(folder, os.O_RDONLY)


@contextmanager
def replacing(target: Path) -> Iterator[TextIO]:
    """A new text file, which replaces ``target`` at the end; after an error the old file is as it was.

    ``OSError`` names the target.
    """
    beside = target.with_name(_name_beside(target.name, alone=False))
    try:
        with beside.open("w", newline="", encoding="utf-8") as file:
            yield file
        _sync(beside, os.O_RDWR)
        beside.replace(target)
    except OSError as error:
        _remove([beside])
        raise OSError(error.errno, error.strerror or str(error), str(target)) from None
    except (Exception, KeyboardInterrupt):
        _remove([beside])
        raise


def _name_beside(name: str, alone: bool) -> str:
    return f"{name}.part" if alone else f".{name}.{secrets.token_hex(4)}"


def _sync(path: Path, flags: int) -> None:
    """Wait until the disk has the content; otherwise a power cut can leave a renamed file empty."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
