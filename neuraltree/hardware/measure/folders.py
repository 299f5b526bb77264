"""Where measurements and the compiler's own library are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(part: str) -> Path:
    """A folder of this package in the user's cache directory (``$XDG_CACHE_HOME``, or ``~/.cache``)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "neuraltree" / part
