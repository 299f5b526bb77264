"""The answers of the server: pages of the runs below one folder, and nothing else. No sockets here."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from search.errors import InputError
from search.objectives import metric_label, metric_names
from search.report.facts.read import Run, is_run, read_run
from search.report.facts.run_facts import changing, run_page
from search.report.pages.embed import as_json
from search.report.pages.page import render, render_index

DEEPEST = 4  # folders between the one that is served and a run
HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
NOT_FOUND = "There is no such page; the list of runs is at /"


class Answer(NamedTuple):
    status: int
    kind: str
    body: str


def discover(root: Path) -> dict[str, Path]:
    """The run folders in and below ``root`` by name: their path from it. Links are not followed."""
    if is_run(root):
        return {root.resolve().name: root}
    return {path.relative_to(root).as_posix(): path for path in sorted(_below(root, DEEPEST))}


def _below(folder: Path, depth: int) -> Iterator[Path]:
    inner: list[Path] = []
    with suppress(OSError), os.scandir(folder) as entries:  # the folder cannot be read, or was just removed
        inner = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    for path in inner:
        if not os.access(path, os.R_OK | os.X_OK):
            continue
        if is_run(path):
            yield path
        elif depth > 1:
            yield from _below(path, depth - 1)


def answer(root: Path, target: str, host: str | None, port: int) -> Answer:
    """The answer to GET ``target``. A request is answered only if its host is a name of this computer.

    This stops DNS rebinding: a foreign site whose name is made to point here sends its own name as the host.
    """
    if host not in (f"127.0.0.1:{port}", f"localhost:{port}"):
        return Answer(421, TEXT, f"Use http://127.0.0.1:{port}/")
    try:
        return _page(root, urlsplit(target).path)
    except (ValueError, OSError) as error:
        return Answer(500, TEXT, " ".join(str(error).split()))


def _page(root: Path, path: str) -> Answer:
    if path in ("/", "/rows"):
        rows = _rows(discover(root))
        return Answer(200, HTML, rows if path == "/rows" else render_index(root.resolve().name, rows))
    start, name, page = (*path.rsplit("/", 2), "", "")[:3]
    kind, _, quoted = f"{start}/{name}".removeprefix("/").partition("/")
    # A name is looked up among the runs that are there; it never becomes a path.
    found = discover(root).get(unquote(quoted, errors="surrogateescape")) if kind == "run" else None
    if found is None or page not in ("", "data.json"):
        return Answer(404, TEXT, NOT_FOUND)
    if page == "data.json":
        return Answer(200, JSON, as_json(changing(read_run(found))))
    return Answer(200, HTML, _run_page(found, _stamp(found)))


def _stamp(path: Path) -> tuple[int, ...]:
    """A value that changes when a file of the page does."""
    names = ("front.csv", "live.csv", "history.csv", "manifest.json", "baselines.csv")
    return tuple((path / name).stat().st_mtime_ns if (path / name).is_file() else 0 for name in names)


@lru_cache(maxsize=4)
def _run_page(path: Path, stamp: tuple[int, ...]) -> str:
    del stamp
    return render("run", run_page(read_run(path), live=True))


def _rows(runs: dict[str, Path]) -> str:
    if not runs:
        return '<tr><td colspan="6">There is no run here yet.</td></tr>'
    return "".join(_row(name, path) for name, path in runs.items())


def _row(name: str, path: Path) -> str:
    link = f'<a href="/run/{quote(os.fsencode(name), safe="")}/">{html.escape(name)}</a>'
    try:
        run = read_run(path)
    except InputError as error:
        return f'<tr><th scope="row" class="name">{link}</th><td colspan="5">{html.escape(str(error))}</td></tr>'
    numbers = "".join(f'<td class="number">{text}</td>' for text in _progress(run))
    return f'<tr><th scope="row" class="name">{link}</th><td>{html.escape(run.status)}</td>{numbers}</tr>'


def _progress(run: Run) -> tuple[str, ...]:
    """Generation, evaluations, size and best error of the front, with its metric; "–" if there is none yet."""
    last = [(run.history.get(name) or [None])[-1] for name in ("generation", "evaluations")]
    best = run.front[0].values.get(run.front.error) if len(run.front) else None
    counts = (*("–" if value is None else f"{value:,.0f}" for value in last), f"{len(run.front):,}")
    metric = metric_label((metric_names(run.front.objectives) or [""])[0])
    return (*counts, "–" if best is None else f"{best:.4g}" + (f" ({metric})" if metric else ""))
