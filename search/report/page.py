"""The pages: template, style, scripts and data as one HTML text."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from search.report.embed import as_json, fill, plotly, static

MARK = "<!-- neuraltree report -->"  # in the head of every page: what may be replaced by the next one

COMMON = ("base.js", "plots.js")
SCRIPTS: dict[str, tuple[str, ...]] = {
    "run": (
        *COMMON,
        "choice.js",
        "front.js",
        "tree.js",
        "member.js",
        "parallel.js",
        "facts.js",
        "history.js",
        "run.js",
    ),
    "comparison": (*COMMON, "history.js", "comparison.js"),
}
# Without a server a page may fetch nothing at all.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src {connect}; base-uri 'none'; form-action 'none'"
)


def render(kind: str, data: Mapping[str, Any]) -> str:
    """The page ``kind``, "run" or "comparison", that shows ``data``; live where ``data["live"]``."""
    policy = POLICY.format(connect="'self'" if data.get("live") else "'none'")
    shared = {
        "mark": MARK,
        "policy": policy,
        "title": html.escape(str(data["title"])),
        "style": static("style.css"),
        "data": as_json(data),
        "plotly": plotly(),
        "script": "\n".join(static(name) for name in SCRIPTS[kind]),
    }
    return fill(static("page.html"), shared | {"main": static(f"{kind}.html")})


def render_index(title: str, rows: str) -> str:
    """The list of runs that the server opens with; ``rows`` is HTML."""
    style, script = static("style.css"), static("index.js")
    return fill(static("index.html"), {"title": html.escape(title), "rows": rows, "style": style, "script": script})
