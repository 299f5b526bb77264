"""The pages of benchmarks in a folder of results, which each benchmark writes itself."""

from __future__ import annotations

import re
from pathlib import Path

from neuraltree.cli.markdown import table

MADE_BY = re.compile(r"\b(?:Made|Written) by `(python -m benchmarks\.[^`]+)`")
HEAD = (
    "## Benchmarks\n\nEach page is written by its command: figures of speed, of exported code, and of choices that the "
    "defaults rest on. `python -m benchmarks.run` lists all benchmarks."
)


def benchmark_pages(results: Path) -> str:
    """The section of the overview that lists them, each with its title and command; "" if there are none."""
    rows = []
    for path in sorted(results.glob("*.md")):
        text = path.read_text("utf-8")
        if found := MADE_BY.search(text):
            title = text.partition("\n")[0].removeprefix("# ")
            rows.append([f"[{title}]({path.name})", f"`{found[1]}`"])
    return f"{HEAD}\n\n{table(['page', 'command'], rows)}" if rows else ""
