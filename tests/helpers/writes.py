"""Every write of a run, so that a test can end it there: files put into their places, and appending to others."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from neuraltree.storing import append

APPENDING = ("search.folder.logs.append", "search.folder.history_table.append", "search.folder.end_log.append")


def at_writes(monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], object], when: str = "before") -> None:
    """Calls ``act`` with the path of every file written: ``before``, ``within`` (half of what is to be appended is
    there) or ``after`` it."""
    rename = Path.replace

    def replace(self: Path, target: Path) -> None:
        if when != "after":
            act(Path(target))
        rename(self, target)
        if when == "after":
            act(Path(target))

    def appended(target: Path, content: bytes, **how: Any) -> None:
        if when == "within":
            size = target.stat().st_size if target.exists() else 0
            append(target, content[: len(content) // 2], **how)
        if when != "after":
            act(target)
        if when == "within":
            with target.open("rb+") as file:
                file.truncate(size)
        append(target, content, **how)
        if when == "after":
            act(target)

    monkeypatch.setattr(Path, "replace", replace)
    for name in APPENDING:
        monkeypatch.setattr(name, appended)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to let a file grow beyond ``size`` bytes, as it does when a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
