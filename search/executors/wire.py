"""Messages between a search and its workers: plain arrays and a few words about them, as the bytes of an npz.

Nothing in a message can be executed when it is read. Its entries are not compressed, so that it cannot unfold into more
bytes than it has.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.folder.records import npz_bytes
from search.strict import one_line

ABOUT = "about"  # the array that holds the words, as the bytes of JSON
LARGEST = 2**36  # bytes of a message
Arrays = dict[str, NDArray]


class WireError(ValueError):
    """Bytes that are no message."""


def pack(about: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> bytes:
    """The same words and arrays give the same bytes."""
    words = json.dumps(about, sort_keys=True, allow_nan=False).encode()
    return npz_bytes({ABOUT: np.frombuffer(words, np.uint8), **arrays})


def unpack(content: bytes) -> tuple[dict[str, Any], Arrays]:
    """The words and arrays of a message; ``WireError`` if it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as stored:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in stored.infolist()):
                raise ValueError("it is compressed")
        with np.load(io.BytesIO(content), allow_pickle=False) as opened:
            arrays = {name: opened[name] for name in opened.files}
        about = json.loads(arrays.pop(ABOUT).tobytes())
        if not isinstance(about, dict):
            raise ValueError("it says nothing about its arrays")
    except Exception as error:  # damaged bytes can raise any error: BadZipFile, OverflowError, TokenError, ...
        raise WireError(f"no message of a search: {one_line(error)}") from None
    return about, arrays


def digest(content: bytes) -> str:
    """The name of a message, by which equal ones are known."""
    return hashlib.sha256(content).hexdigest()[:32]


def is_digest(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch("[0-9a-f]{32}", name) is not None
