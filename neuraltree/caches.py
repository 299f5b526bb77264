"""The user's cache directory: what is kept in it saves time in another process, and may be deleted at any time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cache_folder(part: str) -> Path:
    """A folder of this package in the user's cache directory (``$XDG_CACHE_HOME``, or ``~/.cache``).

    ``OSError`` if the user has no such directory, as a user without a home.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The specification ignores a relative path; taken literally, an empty one would be the current directory.
    if not base.is_absolute():
        base = _home() / ".cache"
    return base / "neuraltree" / part


def writable_folder(part: str) -> Path:
    """``cache_folder``, made if it is missing; ``OSError`` if it cannot be written to."""
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
        raise FileNotFoundError(f"HOME is {str(home)!r}, which is no absolute path")
    return home
