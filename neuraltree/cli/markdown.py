"""Text as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written by python -m tools.docs from the tables in the code; changes made here are lost. -->"


def page(title: str, *parts: str) -> str:
    """Parts below a title, a blank line between each."""
    return "\n\n".join([f"# {title}", NOTICE, *parts]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(header), ["-"] * len(header), *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Verbatim in a line; nothing for an empty text."""
    return f"`{text}`" if text else ""
