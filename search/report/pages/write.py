"""Writing pages to files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neuraltree.storing import store
from search.errors import InputError
from search.report.facts.read import read_run
from search.report.pages.page import MARK, render

HEAD = 400  # the first bytes of a file, which hold the mark of a page


def write_report(runs: Sequence[Path], out: Path | None = None) -> Path:
    """Write the page of one run, by default RUN/report.html; returns its path. Raises ``InputError``."""
    from search.report.facts.run_facts import run_page

    (path,) = runs
    target = _free(out or path / "report.html")
    return _write(target, render("run", run_page(read_run(path))))


def write_comparison(runs: Sequence[Path], out: Path | None = None) -> Path:
    """Write a page that compares runs, by default comparison.html in the folder they share; returns its path."""
    from search.report.facts.comparison import comparison_page

    found = [read_run(path) for path in runs]
    if len({path.resolve() for path in runs}) < len(runs):
        raise InputError("a run is named twice; name each run once")
    shared = Path(os.path.commonpath([path.resolve().parent for path in runs]))
    target = _free(out or _relative(shared) / "comparison.html")
    return _write(target, render("comparison", comparison_page(found)))


def write_playback(data: Mapping[str, Any], out: Path) -> Path:
    """Write the page of played recordings; returns its path. Raises ``InputError``."""
    return _write(_free(out, "--html"), render("playback", data), "--html")


def _relative(path: Path) -> Path:
    """The path relative to the current directory, if it is below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _free(target: Path, option: str = "--out") -> Path:
    """The path, if nothing or an earlier page is there. Raises ``InputError`` otherwise."""
    try:
        if target.is_dir():
            raise InputError(f"{target} is a folder; name a file with {option}")
        if target.exists() and MARK.encode() not in _head(target):
            raise InputError(f"{target} exists and is no report page; name another file with {option}")
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot write {target}: {error}") from None
    return target


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _write(target: Path, text: str, option: str = "--out") -> Path:
    try:
        store({target: text.encode(errors="replace")})  # a folder's name may not be valid text
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}; name another file with {option}") from None
    return target
