"""The user's cache directory: its files save time in later processes, and may be deleted at any time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cache_folder(part: str) -> Path:
    """A folder of this package in the user's cache directory (``$XDG_CACHE_HOME``, or ``~/.cache``).

    Raises ``OSError`` if the user has no home directory.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification says to ignore a relative path. An empty one would mean the current directory.
    if not base.is_absolute():
        base = _home() / ".cache"
    return base / "neuraltree" / part


def writable_folder(part: str) -> Path:
    """``cache_folder``, created if it is missing; ``OSError`` if it is not writable."""
    folder = cache_folder(part)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def _home() -> Path:
    try:
        home = Path.home()
    except RuntimeError as error:  # the user is not in the list of users, and HOME is not set
        raise FileNotFoundError(str(error)) from None
    if not home.is_absolute():
        raise FileNotFoundError(f"HOME is {str(home)!r}, which is not an absolute path")
    return home
