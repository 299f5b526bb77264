"""Readers for the files of a run; their errors tell a damaged file from one that cannot be read at present."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuraltree.storing import LARGEST, check_regular, read
from search.errors import DamagedError, InputError
from search.strict import one_line, shown

T = TypeVar("T")
LOCAL_HEADER = struct.Struct("<26xHH")  # of a member of a zip file: ends in the lengths of its name and of more
GROWN = 2**30  # bytes of history.csv, of millions of generations


def read_npz(path: Path) -> dict[str, NDArray]:
    """Raises ``InputError`` if the file cannot be read now, ``DamagedError`` if it is damaged or missing."""
    try:
        check_regular(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except MemoryError as error:
        raise unreadable(path, ValueError("a checksum is wrong") if _is_broken(path) else error) from None
    except Exception as error:  # a damaged archive can raise any error: OverflowError, TokenError, ...
        raise unreadable(path, error) from None


def mapped_npz(path: Path) -> dict[str, NDArray]:
    """As ``read_npz`` for arrays of any size: they stay in the file, which is mapped into memory and cannot be written.

    All checksums are compared first. An archive that was compressed is read.
    """
    try:
        check_regular(path)
        with path.open("rb") as file:
            with zipfile.ZipFile(file) as stored:
                if stored.testzip() is not None:
                    raise ValueError("a checksum is wrong")
                members = stored.infolist()
            if any(each.compress_type != zipfile.ZIP_STORED for each in members):
                return read_npz(path)
            return {each.filename.removesuffix(".npy"): _mapped(file, path, each.header_offset) for each in members}
    except Exception as error:  # see ``read_npz``
        raise unreadable(path, error) from None


def _mapped(file: IO[bytes], path: Path, begin: int) -> NDArray:
    """The array of the member of an archive whose header is at byte ``begin``."""
    file.seek(begin)
    name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    file.seek(name + extra, os.SEEK_CUR)
    np.lib.format.read_magic(file)
    shape, _, kind = np.lib.format.read_array_header_1_0(file)
    if kind.hasobject:
        raise ValueError("it holds Python objects, which are never read")
    return np.memmap(path, kind, "r", file.tell(), shape) if math.prod(shape) else np.zeros(shape, kind)


def read_file(path: Path, most: int = LARGEST) -> bytes:
    """The bytes of a file named by a run folder; ``OSError`` for a pipe, a device, or a file of more than ``most``
    bytes."""
    check_regular(path)
    return read(path, most)


def read_json(path: Path) -> dict[str, Any]:
    """Raises ``InputError`` if the file cannot be read now, ``DamagedError`` if it is damaged or missing."""
    try:
        value = json.loads(read_file(path).decode())
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise unreadable(path, error) from None
    if not isinstance(value, dict):
        raise DamagedError(f"{path} is damaged: it holds {shown(value)}, not an object")
    return value


def read_rows(path: Path, make: Callable[[dict[str, str]], T], *, growing: bool = False) -> list[T]:
    """``make(row)`` for each row of a CSV table with a header.

    ``growing``: a run appends to the table, so an unfinished last line is left out. A ``KeyError`` of ``make`` is
    reported as a missing column. Raises ``InputError`` if the file cannot be read now, ``DamagedError`` if it is
    damaged or missing.
    """
    try:
        text = read_file(path, GROWN if growing else LARGEST).decode()
        text = text[: text.rfind("\n") + 1] if growing else text
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        if any(None in row or None in row.values() for row in rows):
            raise ValueError("a line has more or fewer cells than the header")
        return [make(row) for row in rows]
    except KeyError as error:
        damage = unreadable(path, ValueError(f"no column {error}"))
    except (OSError, TypeError, ValueError, AttributeError, csv.Error, MemoryError) as error:
        damage = unreadable(path, error)
    if isinstance(damage, DamagedError):
        raise DamagedError(f"{damage}; restore it, or run the search again")
    raise damage


def unreadable(path: Path, error: Exception) -> InputError:
    """The error to raise for a file that could not be read.

    A file that the system refuses to read now may be undamaged.
    """
    if isinstance(error, IsADirectoryError):
        return DamagedError(f"{path} is a folder in the place of a file; move it away")
    if isinstance(error, MemoryError):
        error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    # A damaged archive can hold offsets to which no file can seek: EINVAL.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL, errno.ENOENT):
        return InputError(f"{path} cannot be read: {reason(error)}; it may be whole, so keep it and try again later")
    return DamagedError(f"{path} is damaged: {reason(error)}")


def _is_broken(path: Path) -> bool:
    """Whether checksums say that an archive is damaged: its sizes may then ask for any amount of memory."""
    try:
        with zipfile.ZipFile(path) as stored:
            return stored.testzip() is not None
    except (OSError, MemoryError):
        return False
    except Exception:  # see ``read_npz``
        return True


def reason(error: Exception) -> str:
    """The text of an error without the file's path, which the message has already."""
    return (isinstance(error, OSError) and error.strerror) or one_line(error)
