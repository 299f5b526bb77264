"""Arrays kept in the user's cache folder under the hash of everything that they depend on."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.caches import cache_folder
from neuraltree.storing import store

VERSION = 1  # the version of the counting; raise it if measurements change

Arrays = Mapping[str, NDArray[Any]]


def key(*parts: Any) -> str:
    """The hash of nested dicts, lists, tuples, arrays and plain values."""
    digest = hashlib.sha256()
    _feed(digest, (VERSION, *parts))
    return digest.hexdigest()


def _feed(digest: Any, part: Any) -> None:
    if isinstance(part, Mapping):
        part = sorted(part.items())
    if isinstance(part, list | tuple):
        digest.update(b"(%d" % len(part))
        for item in part:
            _feed(digest, item)
        return
    if isinstance(part, np.ndarray):
        digest.update(repr((part.dtype.str, part.shape)).encode())
        part = part.tobytes()
    content = part if isinstance(part, bytes) else f"{type(part).__name__} {part!r}".encode()
    digest.update(b"%d:" % len(content) + content)


def read(name: str) -> Arrays | None:
    """The arrays that were written under the key; None if there are none or they cannot be read."""
    try:
        with np.load(BytesIO(_path(name).read_bytes()), allow_pickle=False) as file:
            return dict(file)
    except Exception:  # any damage to the file is repaired by measuring again
        return None


def write(name: str, arrays: Arrays) -> None:
    """Keep the arrays; a reader sees all of them or none. If the folder is not writable, nothing is kept."""
    content = BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    with contextlib.suppress(OSError):
        _path(name).parent.mkdir(parents=True, exist_ok=True)
        store({_path(name): content.getvalue()})


def _path(name: str) -> Path:
    return cache_folder("measured") / name[:2] / f"{name}.npz"
