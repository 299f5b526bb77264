"""Markdown text: pages, tables and code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written by python -m tools.docs from the tables in the code; changes made here are lost. -->"


def page(title: str, *parts: str) -> str:
    """A page: a title, a notice, then the parts, with blank lines between them."""
    return "\n\n".join([f"# {title}", NOTICE, *parts]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(header), ["-"] * len(header), *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Inline code; an empty text stays empty."""
    return f"`{text}`" if text else ""
