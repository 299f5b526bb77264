"""Where the compiler's own library is kept between runs."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from neuraltree.caches import writable_folder


@cache
def compiler_folder() -> Path:
    """Where the compiler keeps its library; where the user's cache cannot be written to, one of this process.

    zig tries for ever to make a folder that cannot be.
    """
    try:
        return writable_folder("zig")
    except OSError:
        made = tempfile.TemporaryDirectory(prefix="neuraltree-zig-")
        _KEPT.append(made)
        return Path(made.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []  # removed when the process ends
