"""Markdown text: pages, tables and code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

NOTICE = "<!-- Written by python -m tools.docs from the tables in the code; changes made here are lost. -->"
_SPECIAL = re.compile(r"[\\`*_\[\]~$#]")


def page(title: str, *parts: str) -> str:
    """A page: a title, a notice, then the parts, with blank lines between them."""
    return "\n\n".join([f"# {title}", NOTICE, *parts]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(header), ["-"] * len(header), *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def literal(text: object) -> str:
    """A text from outside in one line, none of whose characters is Markdown or HTML; cells escape their bars."""
    line = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return _SPECIAL.sub(r"\\\g<0>", escape(line, quote=False))


def code(text: str) -> str:
    """Inline code; an empty text stays empty."""
    return f"`{text}`" if text else ""
