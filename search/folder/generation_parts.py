"""archive.npz and evolution.npz, joined from the parts of all generations when the run is complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from numpy.typing import NDArray

from search.errors import DamagedError, InputError
from search.folder.history import EVOLUTION, parts_of, streams
from search.folder.npz_streams import Stream, write_streams
from search.folder.records import RunFolder
from search.folder.snapshot import archive, archive_parts
from search.reading import mapped_npz

ARCHIVE = "archive.npz"
Parts = Sequence[Mapping[str, NDArray]]
# By kind: the file made of the parts, and the function that joins them.
JOINED: dict[str, tuple[str, Callable[[Parts], dict[str, Stream]]]] = {
    "archive": (ARCHIVE, archive),
    "history": (EVOLUTION, streams),
}


def split_parts(folder: RunFolder) -> None:
    """Make the parts of all generations again, so that a run that is complete can go on; the joined files go.

    Nothing is to do if all parts are there: the process was killed before it removed them, or after it made them.
    ``DamagedError`` if one of them is missing or damaged.
    """
    if _has_all_parts(folder):
        return
    lost = [name for name, _ in JOINED.values() if not (folder.path / name).is_file()]
    if lost:
        raise DamagedError(f"{folder.path / lost[0]} is missing, so the run cannot go on; restore the file")
    history, trees = (mapped_npz(folder.path / name) for name in (EVOLUTION, ARCHIVE))
    folder.clear_parts()  # those of a process that was killed here
    try:
        parts = zip(archive_parts(trees, history["generation"]), parts_of(history), strict=True)
        for generation, (archived, happened) in enumerate(parts):
            folder.save_parts(generation, archived, happened, lasting=False)
        folder.sync_parts()
    except (KeyError, IndexError, TypeError, ValueError) as error:
        folder.clear_parts()
        raise DamagedError(f"{folder.path / EVOLUTION} and {ARCHIVE} do not fit together: {error!r}") from None
    for name, _ in JOINED.values():
        (folder.path / name).unlink()


def _has_all_parts(folder: RunFolder) -> bool:
    try:
        for kind in JOINED:
            folder.parts(kind)
    except DamagedError:
        return False
    return folder.has_parts()


def join_parts(folder: RunFolder, warn: Callable[[str], None]) -> list[str]:
    """Write each file if all its parts exist; returns the kinds whose parts are no longer needed.

    A file is written whole or not at all: if a part is lost, ``warn`` gets a message and the other parts are kept.
    """
    done = []
    for kind, (name, join) in JOINED.items():
        try:
            with folder.parts(kind) as parts:
                write_streams(folder.path / name, join(parts))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            if not (folder.path / name).is_file():  # it exists if a kill came while its parts were being removed
                reason = (
                    error if isinstance(error, InputError) else f"the parts of {name} do not fit together: {error!r}"
                )
                warn(
                    f"{reason}; {name} cannot be written; the rest of the run is complete. All other parts are in "
                    f"{folder.checkpoints}: to get the file, restore this part and run again with --resume"
                )
                continue
        done.append(kind)
    return done
