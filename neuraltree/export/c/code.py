"""What a number format contributes to the C files of a tree; the rest of the files is the same for all formats."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """Texts in the order in which they stand in the files.

    ``remark`` and ``constants`` are lines of the header, "" for none. ``declarations``: comment and prototype of each
    public function beyond those that every tree has. ``definitions``: parts of the source up to and including
    ``nt_outputs``. ``entries``: the public functions over ``nt_outputs``.
    """

    remark: str
    constants: str
    declarations: list[tuple[str, str]]
    definitions: list[str]
    entries: list[str]
