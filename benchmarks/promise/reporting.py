"""The end of a benchmark: its result as JSON, and as a page that is printed too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.machine import facts
from neuraltree.storing import store

PACKAGES = ("neuraltree", "numpy", "scikit-learn", "deap", "moocore")


def report(name: str, found: dict[str, Any], page: Callable[[dict[str, Any]], str], out: Path) -> None:
    """Write what ``python -m benchmarks.run NAME`` found, with its command and versions, and ``page`` of it."""
    result = {"command": f"python -m benchmarks.run {name}", **facts(PACKAGES), **found}
    text = page(result)
    store({out: json.dumps(result, indent=1) + "\n", out.with_suffix(".md"): text})
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
