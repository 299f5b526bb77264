"""HTML from a template; names that users chose are made harmless."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from search.errors import InputError

SLOT = re.compile(r"\{\{(\w+)\}\}")
# HTML has no entities inside <script>; JSON reads these escapes as the same letters.
IN_SCRIPT = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
MISSING = "the report page needs the package plotly: pip install 'neuraltree[report]'"


def as_json(value: Any) -> str:
    """JSON that can stand inside a script element; a number that is not finite becomes null."""
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(IN_SCRIPT)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value


def fill(template: str, parts: Mapping[str, str]) -> str:
    """The template with every ``{{slot}}`` replaced, in one pass: slots inside the new text stay as they are."""
    return SLOT.sub(lambda match: parts[match[1]], template)


@cache
def static(name: str) -> str:
    """A file that comes with this package."""
    return files("search.report").joinpath("static", name).read_text(encoding="utf-8")


@cache
def plotly() -> str:
    """Plotly's source. Raises ``InputError`` if the package is not installed."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise InputError(MISSING) from None
    return get_plotlyjs()
