"""Messages between a search and its workers: plain arrays and a few words about them.

A message is a line, three numbers, the words and the header of the arrays in JSON, and the arrays one after another.
The numbers are the CRC-32 and the lengths of words and header. Nothing in a message can be executed when it is read,
and it cannot ask for more memory than it has bytes. An npz would do as well, but writing and reading it takes seven
times as long, longer than a small chunk takes to compute.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from search.plain_arrays import entries_in, packed
from search.strict import one_line

LINE = b"neuraltree message 1\n"
NUMBERS = struct.Struct("<IQQ")  # the CRC-32 of words and header, and their lengths
LARGEST = 2**36  # bytes of a message
Arrays = dict[str, NDArray]


class WireError(ValueError):
    """Bytes that are no message."""


def pack(about: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> bytes:
    """The same words and arrays give the same bytes. ``ValueError`` for arrays of Python objects."""
    words = json.dumps(dict(about), sort_keys=True, allow_nan=False).encode()
    header, contents = packed(arrays)
    numbers = NUMBERS.pack(zlib.crc32(words + header), len(words), len(header))
    return b"".join([LINE, numbers, words, header, *contents])


def unpack(message: bytes) -> tuple[dict[str, Any], Arrays]:
    """The words and arrays of a message; ``WireError`` if it is none."""
    try:
        return _unpacked(message)
    except Exception as error:  # damaged bytes can raise any error: KeyError, TypeError, RecursionError, ...
        raise WireError(f"no message of a search: {one_line(error)}") from None


def _unpacked(message: bytes) -> tuple[dict[str, Any], Arrays]:
    if not message.startswith(LINE):
        raise ValueError("it does not begin as one")
    checksum, *lengths = NUMBERS.unpack_from(message, len(LINE))
    begin = len(LINE) + NUMBERS.size
    middle, place = begin + lengths[0], begin + sum(lengths)
    if zlib.crc32(message[begin:place]) != checksum:
        raise ValueError("its checksum is wrong")
    entries = entries_in(message[middle:place])
    if place + sum(entry.bytes for entry in entries) != len(message):
        raise ValueError("its length is wrong")
    arrays: Arrays = {}
    for entry in entries:
        arrays[entry.name] = entry.array(bytearray(message[place : place + entry.bytes]))
        place += entry.bytes
    return dict(json.loads(message[begin:middle])), arrays


def digest(message: bytes) -> str:
    """The name of a message, by which equal ones are known."""
    return hashlib.sha256(message).hexdigest()[:32]


def is_digest(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch("[0-9a-f]{32}", name) is not None
