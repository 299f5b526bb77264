"""What the generations left in their parts, joined when the run is complete: archive.npz and evolution.npz."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from numpy.typing import NDArray

from search.errors import InputError
from search.folder.history import EVOLUTION, joined
from search.folder.records import RunFolder, write_npz
from search.folder.snapshot import archive

ARCHIVE = "archive.npz"
Parts = Sequence[Mapping[str, NDArray]]
# By kind: the file that the parts become, and how.
JOINED: dict[str, tuple[str, Callable[[Parts], dict[str, NDArray]]]] = {
    "archive": (ARCHIVE, archive),
    "history": (EVOLUTION, joined),
}


def join_parts(folder: RunFolder, warn: Callable[[str], None]) -> list[str]:
    """Write the files whose parts are all there; returns the kinds whose parts are not needed any more.

    A file is written whole or not at all: if a part is lost, that is said and the others stay where they are.
    """
    done = []
    for kind, (name, join) in JOINED.items():
        try:
            folder.check_parts(kind)
            write_npz(folder.path / name, join(folder.parts(kind)))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            if not (folder.path / name).is_file():  # it is, if a kill came while its parts were being removed
                reason = (
                    error if isinstance(error, InputError) else f"the parts of {name} do not fit together: {error!r}"
                )
                warn(
                    f"{reason}; {name} cannot be written, all else is complete. The other parts stay in "
                    f"{folder.checkpoints}: to get it, restore this one and run again with --resume"
                )
                continue
        done.append(kind)
    return done
