"""The page of a study, made of rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def rendered(page: Any, rows: Sequence[dict[str, str]], folder: Path, name: str) -> str:
    """The text of the page that the module ``page`` writes, which has a picture, a headline and no missing number."""
    page.render(rows, folder)
    text = (folder / f"{name}.md").read_text()
    assert " nan" not in text
    assert (folder / f"{name}.png").stat().st_size > 5000
    assert page.headline(rows).startswith(f"## {page.TITLE}\n")
    return text
