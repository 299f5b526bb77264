"""The bytes of a text file as text, a piece at a time: its encoding, and gzip."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from search.errors import InputError
from search.strict import one_line

BLOCK = 1 << 20  # bytes
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_NOT_OF_WINDOWS = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
_OF_WINDOWS = {*range(0x80, 0xA0)} - _NOT_OF_WINDOWS
OLDER = {"latin-1": "Latin-1", "cp1252": "Windows-1252"}  # names of encodings by which what is no UTF-8 is read
_ALLOWED = (
    "allowed: CSV in UTF-8, in UTF-16 with a mark or in Latin-1, a .parquet, .arrow or .npy file of columns, or an "
    ".npz file of arrays"
)


def check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is not a file; name the table in it")


def encoding_of(path: Path) -> str:
    """The encoding by which a whole file can be read: that of its mark, else UTF-8, else Latin-1 or Windows-1252.

    ``InputError`` for a file that is empty or no text.
    """
    check_file(path)
    with _bytes(path) as file:
        head = file.read(3)
        found = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")
        file.seek(0)
        decoder, blank = codecs.getincrementaldecoder(found)(), True
        try:
            for block in iter(lambda: file.read(BLOCK), b""):
                text = decoder.decode(block)
                if "\0" in text:
                    raise InputError(f"{path}: not a text file; {_ALLOWED}")
                blank = blank and not text.strip()
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _older(path, file, found)
    if blank:
        raise InputError(f"{path}: the file is empty")
    return found


def _older(path: Path, file: IO[bytes], tried: str) -> str:
    """An encoding of one byte a letter, unless another was promised, or there are bytes that no text has.

    Windows-1252 has letters where Latin-1 has none, such as the euro sign.
    """
    file.seek(0)
    blocks = iter(lambda: file.read(BLOCK), b"") if tried == "utf-8" else [b"\0"]
    seen: set[int] = set()
    for block in blocks:
        if _CONTROL.search(block):
            raise InputError(f"{path}: not a text file in UTF-8; {_ALLOWED}")
        seen |= {*block}
    return "latin-1" if seen & _NOT_OF_WINDOWS or not seen & _OF_WINDOWS else "cp1252"


@contextmanager
def opened_text(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    """The text, whose lines end as on any system."""
    with _bytes(path) as file, io.TextIOWrapper(file, encoding, newline=None) as text:
        yield text


@contextmanager
def _bytes(path: Path) -> Iterator[IO[bytes]]:
    try:
        with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as file:
            yield cast(IO[bytes], file)
    except (OSError, EOFError, zlib.error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or one_line(error)
        raise InputError(f"{path}: cannot be read: {reason}") from None
