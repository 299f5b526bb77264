"""Where measurements and the compiler's own library are kept between runs."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path


def cache_folder(part: str) -> Path:
    """A folder of this package in the user's cache directory (``$XDG_CACHE_HOME``, or ``~/.cache``)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "neuraltree" / part


@cache
def compiler_folder() -> Path:
    """Where the compiler keeps its library; where the user's cache cannot be written to, one of this process.

    zig tries for ever to make a folder that cannot be.
    """
    wanted = cache_folder("zig")
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return wanted
    except OSError:
        made = tempfile.TemporaryDirectory(prefix="neuraltree-zig-")
        _KEPT.append(made)
        return Path(made.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []  # removed when the process ends
