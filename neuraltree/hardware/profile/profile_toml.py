"""Profile tables as TOML text, for files that a command writes; each figure has a line of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator

from neuraltree.hardware.profile.places import Raw


def profile_text(raw: Raw) -> str:
    """TOML that reads back as ``raw``: blocks under headings, figures as inline tables."""
    return "\n".join(_lines(raw, "")).lstrip("\n") + "\n"


def _lines(table: Raw, heading: str) -> Iterator[str]:
    below = {key: value for key, value in table.items() if _is_block(value) or isinstance(value, list)}
    yield from (f"{key} = {_inline(value)}" for key, value in table.items() if key not in below)
    for key, value in below.items():
        name = f"{heading}.{key}" if heading else key
        for row in value if isinstance(value, list) else [value]:
            if isinstance(value, list):
                yield f"\n[[{name}]]"
            elif not all(map(_is_block, row.values())):
                yield f"\n[{name}]"
            yield from _lines(row, name)


def _is_block(value: object) -> bool:
    return isinstance(value, dict) and "lo" not in value


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
