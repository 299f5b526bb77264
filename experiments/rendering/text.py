"""Formatting of results: numbers and Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from neuraltree.cli.markdown import table

NONE = "–"


def figure(value: float | None, digits: int = 3) -> str:
    """As in ``.891``, ``−.060``, ``1.000``."""
    if value is None or math.isnan(value):
        return NONE
    text = f"{abs(value):.{digits}f}"
    sign = "−" if value < 0 and float(text) else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def signed(value: float, digits: int = 3) -> str:
    """As in ``+.012``, ``−.003``, ``.000``."""
    text = figure(value, digits)
    return f"+{text}" if value > 0 and float(text) else text


def whole(value: float | None) -> str:
    """As in ``1,969``."""
    return NONE if value is None else f"{value:,.0f}"


def page(title: str, *parts: str | None) -> str:
    """Parts below a title, a blank line between each; those that are None or empty are left out."""
    notice = "<!-- Written by python -m experiments.render from CSV files; changes made here are lost. -->"
    return "\n\n".join([f"# {title}", notice, *(part for part in parts if part)]) + "\n"


def right(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table whose columns, except the first ``left``, are aligned to the right."""
    lines = table(header, rows).split("\n")
    lines[1] = "| " + " | ".join("-" if i < left else "-:" for i in range(len(header))) + " |"
    return "\n".join(lines)
