"""Arrays as bytes: a header in JSON that says what they are, and their contents. Nothing in it can be executed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray


class Entry(msgspec.Struct, array_like=True):
    """An array in a header; ``kind`` as in the npy format, ``crc``: the CRC-32 of its content."""

    name: str
    kind: Any
    shape: tuple[int, ...]
    crc: int

    @property
    def dtype(self) -> np.dtype:
        return _dtype(msgspec.json.encode(self.kind))

    @property
    def bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape)

    def array(self, content: bytearray) -> NDArray:
        """The array, which shares the memory of ``content``; ``ValueError`` for another content."""
        if crc32(content) != self.crc:
            raise ValueError(f"the checksum of {self.name} is wrong")
        return np.frombuffer(content, self.dtype).reshape(self.shape)


_HEADER = msgspec.json.Decoder(list[Entry])


def packed(arrays: Mapping[str, NDArray]) -> tuple[bytes, list[bytes]]:
    """The header and the contents, in order; ``ValueError`` for arrays of Python objects."""
    entries, contents = [], []
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"{name} holds Python objects, which are never saved or sent")
        content = array.tobytes()
        entries.append(Entry(name, np.lib.format.dtype_to_descr(array.dtype), array.shape, crc32(content)))
        contents.append(content)
    return msgspec.json.encode(entries), contents


def entries_in(header: bytes) -> list[Entry]:
    """``ValueError`` for bytes that are no header, or one of arrays that cannot be."""
    found = _HEADER.decode(header)
    if any(each.dtype.hasobject or min(each.shape, default=0) < 0 for each in found):
        raise ValueError("an array is not plain")
    return found


@lru_cache(maxsize=256)
def _dtype(kind: bytes) -> np.dtype:
    """The type of an array from the JSON of its description."""
    found = msgspec.json.decode(kind)
    if isinstance(found, str):
        return np.dtype(found)
    return np.dtype([(name, inner, *(tuple(size) for size in shape)) for name, inner, *shape in found])
