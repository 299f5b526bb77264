"""The files of a folder or a .zip archive by their paths in it. Nothing is ever unpacked to the disk."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from neuraltree.signals.recordings.raw_recording import natural
from neuraltree.storing import check_regular, read

MOST_FILES = 100_000
MOST_BYTES = 2**31  # of one file, and of all files of an archive together
MOST_PACKED = 1000  # bytes of a file for each byte in the archive; sensors' text packs to a tenth
SMALL = 2**20  # bytes of a file that may be packed more than that
JUNK = ("__macosx", "thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class SourceFile:
    """``name``: the path in the folder or archive, with "/". ``load()``: its bytes, or ``ValueError``."""

    name: str
    load: Callable[[], bytes]

    @property
    def ending(self) -> str:
        """In lower case, with its point."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def folder(self) -> str:
        """The path of the folder, "." for the outermost."""
        return str(PurePosixPath(self.name).parent)


@contextmanager
def opened_files(path: Path) -> Iterator[list[SourceFile]]:
    """The files in a natural order, without hidden ones and those that systems add; a single file as it is.

    ``ValueError`` if there is no such path, and for an archive that is damaged, encrypted, too large or has paths that
    lead outside.
    """
    if path.is_dir():
        yield _kept(path, _of_folder(path))
    elif path.suffix.lower() == ".zip" and path.is_file():
        with _opened(path) as archive:
            yield _kept(path, _of_archive(path, archive))
    elif path.exists():
        yield [SourceFile(path.name, partial(_load, path))]
    else:
        raise ValueError(f"{path}: no such file or folder")


def _kept(path: Path, found: Iterator[SourceFile]) -> list[SourceFile]:
    kept = []
    for one in found:
        if not _is_junk(one.name):
            kept.append(one)
        if len(kept) > MOST_FILES:
            raise ValueError(f"{path}: more than {MOST_FILES} files; is this the folder of the recordings?")
    return sorted(kept, key=lambda one: (natural(one.name), one.name))


def _is_junk(name: str) -> bool:
    return any(part.startswith(".") or part.lower() in JUNK for part in PurePosixPath(name).parts)


def _of_folder(path: Path) -> Iterator[SourceFile]:
    for folder, _, names in os.walk(path, onerror=_refuse):
        for name in names:
            file = Path(folder) / name
            yield SourceFile(file.relative_to(path).as_posix(), partial(_load, file))


def _refuse(error: OSError) -> None:
    raise ValueError(f"{error.filename}: cannot be read: {error.strerror}") from None


def _load(path: Path) -> bytes:
    try:
        check_regular(path)
        return read(path, MOST_BYTES)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Exception as error:  # a damaged archive can raise any error
        raise ValueError(f"{path}: not a whole .zip archive: {error}") from None


def _of_archive(path: Path, archive: zipfile.ZipFile) -> Iterator[SourceFile]:
    members = [one for one in archive.infolist() if not one.is_dir()]
    if sum(one.file_size for one in members) > MOST_BYTES:
        raise ValueError(f"{path}: its files have more than {MOST_BYTES >> 30} GiB; unpack it, and name the folder")
    names: set[str] = set()
    for one in members:
        _check_member(path, one)
        if one.filename in names:
            raise ValueError(f"{path}: two files are named {one.filename!r}")
        names.add(one.filename)
        yield SourceFile(one.filename, partial(_unpacked, path, archive, one))


def _check_member(path: Path, one: zipfile.ZipInfo) -> None:
    name = PurePosixPath(one.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in one.filename or ":" in name.parts[0]:
        raise ValueError(f"{path}: {one.filename!r} leads outside of the archive; archives of this kind are not read")
    if one.flag_bits & 1:
        raise ValueError(f"{path}: {one.filename!r} is encrypted; unpack the archive, and name the folder")
    if one.file_size > max(SMALL, MOST_PACKED * one.compress_size):
        raise ValueError(f"{path}: {one.filename!r} is packed more than {MOST_PACKED}-fold, as in a zip bomb")


def _unpacked(path: Path, archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    """Not more than the size that was promised."""
    try:
        with archive.open(one) as file:
            return file.read(one.file_size + 1)
    except Exception as error:  # as above
        raise ValueError(f"{path}: {one.filename!r} cannot be read: {error}") from None
