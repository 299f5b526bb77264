"""The pages: template, style, scripts and data as one HTML text."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from search.report.pages.embed import as_json, fill, plotly, static

MARK = "<!-- neuraltree report -->"  # in the head of every page: a file with this mark may be replaced by a new page

COMMON = ("scroll.js", "base.js", "plots.js")
SCRIPTS: dict[str, tuple[str, ...]] = {
    "run": (
        *COMMON,
        "choice.js",
        "labels.js",
        "front.js",
        "tree.js",
        "member.js",
        "parallel.js",
        "facts.js",
        "history.js",
        "run.js",
    ),
    "comparison": (*COMMON, "history.js", "comparison.js"),
    "playback": (*COMMON, "facts.js", "playback.js"),
}
# Only these scripts run, even if a name contains one; without a server a page may fetch nothing at all.
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src {connect}; base-uri 'none'; form-action 'none'"
)


SCRIPT = '(() => {{\n"use strict";\n{}\n}})();'  # the function keeps its names apart from Plotly's


def render(kind: str, data: Mapping[str, Any]) -> str:
    """The page ``kind``, one of ``SCRIPTS``, that shows ``data``; live if ``data["live"]``."""
    script = SCRIPT.format("\n".join(static(name) for name in SCRIPTS[kind]))
    shared = {
        "mark": MARK,
        "policy": _policy((plotly(), script), live=bool(data.get("live"))),
        "title": html.escape(str(data["title"])),
        "style": static("style.css"),
        "data": as_json(data),
        "plotly": plotly(),
        "script": script,
    }
    return fill(static("page.html"), shared | {"main": static(f"{kind}.html")})


def render_index(title: str, rows: str) -> str:
    """The list of runs that the server opens with; ``rows`` is HTML."""
    style, script = static("style.css"), static("index.js") + static("scroll.js")
    parts = {"title": html.escape(title), "rows": rows, "style": style, "script": script}
    return fill(static("index.html"), parts | {"policy": _policy((script,), live=True)})


def _policy(scripts: Sequence[str], *, live: bool) -> str:
    return POLICY.format(scripts=" ".join(map(_digest, scripts)), connect="'self'" if live else "'none'")


@lru_cache(maxsize=8)
def _digest(script: str) -> str:
    """How a policy names a script (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
