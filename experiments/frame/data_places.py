"""The folders that hold the experiments' data, and the check of their files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from search.errors import InputError
from search.table.files.sources import FOLDER_VARIABLE

CHECKOUT = Path(__file__).parents[2]
BESIDE = CHECKOUT.parent / "shared" / "data" / "tables"


def table_folders() -> list[Path]:
    """Folders that may hold the tables, in the order of search; images lie in folders next to one of them."""
    named = os.environ.get(FOLDER_VARIABLE)
    return [Path(named).expanduser(), BESIDE] if named else [BESIDE]


def looked_in(folders: Iterable[Path]) -> str:
    """The folders as a message names them."""
    named = f"${FOLDER_VARIABLE}" if os.environ.get(FOLDER_VARIABLE) else f"${FOLDER_VARIABLE} (not set)"
    return f"{named}, {', '.join(os.path.relpath(folder, CHECKOUT) for folder in folders)}"


def check_digest(path: Path, content: bytes, expected: str) -> None:
    """``InputError`` unless the SHA-256 of a file's content is the known one."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise InputError(
            f"{path} is not the file that the results are about: its SHA-256 begins with {found[:12]}, "
            f"not {expected[:12]}; restore it"
        )
