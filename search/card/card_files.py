"""Cards on disk: Markdown for people and JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neuraltree.storing import store
from search.card.card_facts import card_of
from search.card.card_markdown import card_text
from search.front import Member

OF_RUN = {".md": "card.md", ".json": "card.json"}  # the files in a run folder by their endings


def write_card(folder: str | Path, member: Member | None, out: Path, name: str) -> tuple[Path, Path]:
    """Write ``NAME_card.md`` and ``NAME_card.json`` into the folder ``out``, which is made if need be.

    For a member of the run in ``folder``, by default the recommended one. Files of these names are replaced. Returns
    their paths; raises ``InputError`` as ``card_of`` does.
    """
    contents = _contents(card_of(folder, member))
    out.mkdir(parents=True, exist_ok=True)
    files = {out / f"{name}_card{ending}": content for ending, content in contents.items()}
    store(files)
    text, data = files
    return text, data


def write_run_card(folder: Path) -> None:
    """Write ``card.md`` and ``card.json`` of the recommended member into the run folder, which this process holds."""
    contents = _contents(card_of(folder))
    store({folder / OF_RUN[ending]: content for ending, content in contents.items()}, alone=True)


def _contents(card: dict[str, Any]) -> dict[str, str]:
    """The contents of a card's files by their endings."""
    return {".md": card_text(card), ".json": json.dumps(card, indent=2, allow_nan=False) + "\n"}
