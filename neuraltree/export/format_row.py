"""The type of a row of the table of export formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from neuraltree.compress.formats import C_PRECISIONS, C_STYLES, input_spec

Made = dict[str, str] | str | bytes
# What formats that wrap the C code take; see ``Format.options``.
C_OPTIONS: dict[str, tuple[Any, ...]] = {
    **{"name": (), "precision": C_PRECISIONS, "style": C_STYLES},
    **{"wide": (), "input": ()},
}


class Format(NamedTuple):
    """``make(tree, name, **options)`` returns the content of a file, or the files of a folder by name."""

    make: Callable[..., Made]
    help: str
    options: dict[str, tuple[Any, ...]]  # the options it takes and their allowed values; an empty tuple allows any
    suffixes: tuple[str, ...] = ()  # allowed endings of its file; empty if it writes a folder
    marked: bool = True  # whether its file says that it is an export, so that a new export may replace it
    then: str = ""  # the next step for the user, with the places {folder} {file} {name}
    # Of a folder: the files by which an earlier export is known, with the place {name}.
    heads: tuple[str, ...] = ("{name}.h", "{name}_train.h")
    integers: bool = False  # whether int8 means code in integers, so that what they lose is said


def c_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of the command as those of ``export_c``."""
    found = {{"wide": "fine", "input": "inputs"}.get(name, name): value for name, value in options.items()}
    return found | ({"inputs": input_spec(found["inputs"])} if "inputs" in found else {})
