"""The table that a command is about: a file, several of them, or a known table."""

from __future__ import annotations

import re
from pathlib import Path

_ODD = re.compile(r"[^\w .-]+")  # letters that names of folders should not have


def source_of(table: str) -> str:
    """The ``data.source`` of a table; an existing file is one whatever its ending is."""
    from search.config.settings import is_path

    is_file = is_path(table) or (Path(table).suffix != "" and Path(table).is_file())
    return str(Path(table).absolute()) if is_file else table


def name_of(table: str) -> str:
    """The name of a table for its run folder: without endings, and without the letters of a pattern."""
    path = Path(re.sub(r"\.gz$", "", table, flags=re.IGNORECASE))
    names = (_ODD.sub("-", name).strip(" .-") for name in (path.stem, path.parent.name))
    return next(filter(None, names), "table")
