"""What the end of a run has done so far, unit after unit, so that a stop loses at most the unit in progress."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from numpy.typing import NDArray

from neuraltree.storing import append, cut
from search.errors import DamagedError
from search.folder.logs import Place, Record, encoded, walk
from search.folder.tree_arrays import Arrays

FILE = "end.log"


class EndLog:
    """A log of records as in ``logs``, each with the number of a unit in place of a generation.

    What is damaged is not found, and is done again.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._places: dict[int, Place] | None = None

    def find(self, unit: int) -> Arrays | None:
        """The arrays of a unit; None if it is not done."""
        place = self._known().get(unit)
        if place is None:
            return None
        try:
            with self.path.open("rb") as file:
                return dict(Record(file, place))
        except (DamagedError, FileNotFoundError):
            return None

    def add(self, unit: int, arrays: Mapping[str, NDArray]) -> None:
        """Keep the arrays of a unit; the disk has them when this returns."""
        places = self._known()
        content = encoded(unit, arrays)
        self.path.parent.mkdir(exist_ok=True)
        begin = max((place.end for place in places.values()), default=0)
        if self.path.exists() and self.path.stat().st_size > begin:
            cut(self.path, begin)  # a kill left a part of a record
        append(self.path, content)
        places[unit] = Place(self.path, begin, begin + len(content))

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)
        self._places = None

    def _known(self) -> dict[int, Place]:
        if self._places is None:
            self._places = walk(self.path) if self.path.exists() else {}
        return self._places
