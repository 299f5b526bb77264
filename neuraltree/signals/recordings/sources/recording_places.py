"""What the path of a file says about its recordings: the part, the class and the subject."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from neuraltree.signals.recordings.reading_options import ReadingOptions

PARTS = {"training": "training", "train": "training", "testing": "testing", "test": "testing"}
_BEGIN = re.compile(r"[^._\d]*")
_PIECES = re.compile(r"[._-]")


@dataclass(frozen=True)
class Place:
    """``name``: the path without its ending. The rest is "" where the path does not say."""

    name: str
    label: str = ""
    subject: str = ""
    part: str = ""


def place_of(name: str, options: ReadingOptions) -> Place:
    """The class is that of the folder, or else the file's name before its first ``.``, ``_`` or digit."""
    path = PurePosixPath(name)
    levels = _levels(path)
    if len(levels) > len(options.folders):
        raise ValueError(
            f"{name}: lies in {len(levels)} levels of folders, {' / '.join(levels)}, and "
            f"folders={options.folders!r} says what {len(options.folders)} mean; "
            'for a class and below it a subject, give folders=("class", "subject")'
        )
    found = dict(zip(options.folders, levels, strict=False))
    part = next((PARTS[level.lower()] for level in path.parts[:-1] if level.lower() in PARTS), "")
    label = found.get("class") or _BEGIN.match(path.stem)[0].strip(" -([{")  # type: ignore[index]
    return Place(str(path.with_suffix("")), label, found.get("subject") or _piece(path, options), part)


def _levels(path: PurePosixPath) -> list[str]:
    """The folders, without those that name a part."""
    return [level for level in path.parts[:-1] if level.lower() not in PARTS]


def _piece(path: PurePosixPath, options: ReadingOptions) -> str:
    pieces = _PIECES.split(path.stem)
    if options.subject_piece > len(pieces):
        raise ValueError(
            f"{path}: subject_piece={options.subject_piece}, and its name has {len(pieces)} pieces: {pieces}"
        )
    return pieces[options.subject_piece - 1] if options.subject_piece else ""


def wrapper(names: Sequence[str], stem: str, options: ReadingOptions) -> str:
    """The outermost folder if it only wraps the others, with its "/": "" otherwise.

    It does if all files are in it and it is named like the archive, holds parts, or makes a level too many.
    """
    paths = [PurePosixPath(name) for name in names]
    tops = {path.parts[0] if len(path.parts) > 1 else "" for path in paths}
    top = next(iter(tops)) if len(tops) == 1 else ""
    if not top or top.lower() in PARTS:
        return ""
    has_parts = any(path.parts[1].lower() in PARTS for path in paths if len(path.parts) > 2)
    is_deep = min(len(_levels(path)) for path in paths) > len(options.folders)
    return f"{top}/" if top == stem or has_parts or is_deep else ""
