"""Messages between a search and its workers: plain arrays and a few words about them.

A message is a line, the CRC-32 of all that follows, the length of a header, the header, and the bytes of the arrays,
one after another. The header is JSON: the words, and the name, type and shape of each array. Nothing in a message can
be executed when it is read, and it cannot ask for more memory than it has bytes. An npz would do as well, but writing
and reading it takes seven times as long, longer than a small chunk takes to compute.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.strict import one_line

LINE = b"neuraltree message 1\n"
NUMBERS = struct.Struct("<IQ")  # the CRC-32, and the length of the header
LARGEST = 2**36  # bytes of a message
Arrays = dict[str, NDArray]


class WireError(ValueError):
    """Bytes that are no message."""


def pack(about: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> bytes:
    """The same words and arrays give the same bytes. ``ValueError`` for arrays of Python objects."""
    plain = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in arrays.items()}
    if any(array.dtype.hasobject for array in plain.values()):
        raise ValueError("arrays of Python objects cannot be sent")
    forms = [[name, np.lib.format.dtype_to_descr(array.dtype), array.shape] for name, array in plain.items()]
    header = json.dumps({"about": dict(about), "arrays": forms}, sort_keys=True, allow_nan=False).encode()
    content = b"".join([header, *(array.tobytes() for array in plain.values())])
    return LINE + NUMBERS.pack(zlib.crc32(content), len(header)) + content


def unpack(message: bytes) -> tuple[dict[str, Any], Arrays]:
    """The words and arrays of a message; ``WireError`` if it is none."""
    try:
        return _unpacked(message)
    except Exception as error:  # damaged bytes can raise any error: KeyError, TypeError, RecursionError, ...
        raise WireError(f"no message of a search: {one_line(error)}") from None


def _unpacked(message: bytes) -> tuple[dict[str, Any], Arrays]:
    if not message.startswith(LINE):
        raise ValueError("it does not begin as one")
    checksum, length = NUMBERS.unpack_from(message, len(LINE))
    begin = len(LINE) + NUMBERS.size
    if zlib.crc32(memoryview(message)[begin:]) != checksum:
        raise ValueError("its checksum is wrong")
    header, place = json.loads(message[begin : begin + length]), begin + length
    arrays: Arrays = {}
    for name, form, shape in header["arrays"]:
        kind = np.lib.format.descr_to_dtype(_tuples(form))
        if kind.hasobject or min(shape, default=0) < 0:
            raise ValueError("an array is not plain")
        count = math.prod(shape)
        # A copy, which may be written to.
        arrays[str(name)] = np.frombuffer(message, kind, count, place).reshape(shape).copy()
        place += count * kind.itemsize
    if place != len(message):
        raise ValueError("its length is wrong")
    return dict(header["about"]), arrays


def _tuples(form: Any) -> Any:
    """The type of an array as NumPy writes it, from JSON, which has no tuples: fields, and shapes within them."""
    if isinstance(form, str):
        return form
    return [(str(field[0]), _tuples(field[1]), *map(tuple, field[2:])) for field in form]


def digest(message: bytes) -> str:
    """The name of a message, by which equal ones are known."""
    return hashlib.sha256(message).hexdigest()[:32]


def is_digest(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch("[0-9a-f]{32}", name) is not None
