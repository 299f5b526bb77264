"""Exports on disk: checks of what may be replaced, and writing all files or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from neuraltree.export.names import MARK
from neuraltree.storing import store

HEAD = 4096  # bytes at the start of a file, which contain its mark if it has one


def check_folder(folder: Path, headers: tuple[str, ...]) -> None:
    """``ValueError`` unless the folder is new or empty, or holds an export of the same name."""
    if not folder.is_dir():
        if folder.exists():
            raise ValueError(f"{folder} is not a folder; give --out a new one")
        return
    old = [path.read_text("utf-8", errors="replace") for path in map(folder.joinpath, headers) if path.is_file()]
    if any(folder.iterdir()) and not any(MARK in text for text in old):
        raise ValueError(
            f"{folder} is not empty and holds no earlier export ({' or '.join(headers)} by neuraltree); give --out a "
            "new folder, or --name the earlier name"
        )


def check_file(path: Path, content: str | bytes, *, marked: bool) -> None:
    """``ValueError`` unless the file is new, an earlier export, or the same as ``content``.

    ``marked``: exports in this format carry a mark. Without a mark an earlier export cannot be told from the only file
    of a model.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give --out the name of a file")
    if not path.exists():
        return
    old = path.read_bytes()
    if not (marked and MARK.encode() in old[:HEAD]) and old != _bytes(content):
        why = "" if marked else " (a model file does not count as one)"
        raise ValueError(f"{path} exists and is no earlier export{why}; give --out another name, or delete it first")


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files into a folder, all or none."""
    contents = {folder / name: content for name, content in files.items()}
    for path in contents:
        path.parent.mkdir(parents=True, exist_ok=True)
    store(contents)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
