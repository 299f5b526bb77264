"""The logs of a run: what each generation adds to the archive and to the history, one record after another.

A record is a prefix, a header and the bytes of its arrays. The prefix holds the magic bytes, the generation, the bytes
of the header and of the arrays, and a CRC-32 of these numbers and the header. The header is JSON: name, type, shape and
CRC-32 of each array. Saving appends, so it costs the same after any number of generations. A record is on the disk
before the checkpoint that relies on it, and a resumed run cuts off what follows the generation of its checkpoint: a
record that a kill left unfinished does no harm.

A log is one file, named by its first generation. If it turns out to be damaged when a run is resumed, it is left as it
is for a copy to replace it, and the next generations begin another file. Versions before logs wrote an npz file for
each generation; these are read too.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from neuraltree.storing import LARGEST, append, check_regular, cut, sync
from search.errors import DamagedError
from search.plain_arrays import Entry, entries_in, packed
from search.reading import read_npz, unreadable

MAGIC = b"NTL1"
NUMBERS = struct.Struct("<QIQ")  # the generation, the bytes of the header, the bytes of the arrays
CHECK = struct.Struct("<I")
PREFIX_BYTES = len(MAGIC) + NUMBERS.size + CHECK.size
Layout = tuple[np.dtype, tuple[int, ...]]


class Place(NamedTuple):
    """Where a generation is stored. ``begin`` and ``end``: bytes of a log; ``begin`` is None for an npz file."""

    path: Path
    begin: int | None = None
    end: int = 0


def encoded(generation: int, arrays: Mapping[str, NDArray]) -> bytes:
    """The record of a generation; ``ValueError`` for arrays of Python objects."""
    header, contents = packed(arrays)
    numbers = NUMBERS.pack(generation, len(header), sum(map(len, contents)))
    return b"".join([MAGIC, numbers, CHECK.pack(crc32(header, crc32(numbers))), header, *contents])


class Record(Mapping[str, NDArray]):
    """The arrays of a generation, each read from the open ``file`` when it is asked for."""

    def __init__(self, file: io.BufferedReader, place: Place) -> None:
        _, header, data = _header(file, place.begin or 0)
        self._file, self._place, self.layout = file, place, dict[str, Layout]()
        self._found: dict[str, tuple[int, Entry]] = {}  # the first byte of each array, and what it is
        for entry in entries_in(header):
            self.layout[entry.name] = entry.dtype, entry.shape
            self._found[entry.name] = data, entry
            data += entry.bytes

    def __getitem__(self, name: str) -> NDArray:
        begin, entry = self._found[name]
        try:
            self._file.seek(begin)
            content = bytearray(entry.bytes)
            self._file.readinto(content)  # a file that is too short leaves zeros, and a wrong checksum
            return entry.array(content)
        except Exception as error:
            raise unreadable(self._place.path, error) from None

    def __contains__(self, name: object) -> bool:
        return name in self.layout

    def __iter__(self) -> Iterator[str]:
        return iter(self.layout)

    def __len__(self) -> int:
        return len(self.layout)


class Parts(Sequence[Mapping[str, NDArray]]):
    """What each generation added, in order; of a log only what is asked for is in memory.

    Raises ``InputError`` for what cannot be read now, ``DamagedError`` for what is damaged or missing.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._files: dict[Path, io.BufferedReader] = {}
        self._loaded: dict[Path, Mapping[str, NDArray]] = {}

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *failure: object) -> None:
        for file in self._files.values():
            file.close()

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = self._places[index]
        if place.begin is not None:
            try:
                return Record(self._opened(place.path), place)
            except Exception as error:
                raise unreadable(place.path, error) from None
        if place.path not in self._loaded:
            self._loaded[place.path] = read_npz(place.path)
        return self._loaded[place.path]

    def _opened(self, path: Path) -> io.BufferedReader:
        if path not in self._files:
            self._files[path] = path.open("rb")
        return self._files[path]


class Log:
    """What the generations of a run add of one kind; one process writes it."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder, self._kind = folder, kind
        self._file: Path | None = None  # to which this process appends

    def append(self, generation: int, arrays: Mapping[str, NDArray], *, lasting: bool = True) -> None:
        """Add the next generation; ``lasting``: wait for the disk. What an earlier process left from there on goes."""
        if self._file is None:
            self._file = self._cut(generation - 1)
        append(self._file, encoded(generation, arrays), lasting=lasting)

    def sync(self) -> None:
        for path in self.files():
            sync(path)

    def _cut(self, last: int) -> Path:
        """Remove all after generation ``last``; returns the file to which the next one belongs."""
        files = self._logs()
        for first, path in files.items():
            if first > last:
                path.unlink()
        kept = [path for first, path in files.items() if first <= last]
        found = walk(kept[-1]) if kept else {}
        if last not in found:
            return self.file(last + 1)
        cut(kept[-1], found[last].end)
        return kept[-1]

    def file(self, first: int, suffix: str = "log") -> Path:
        return self._folder / f"{self._kind}-{first:06d}.{suffix}"

    def files(self) -> list[Path]:
        return [*self._numbered("npz").values(), *self._logs().values()]

    def parts(self, last: int) -> Parts:
        """Of generations 0 to ``last``; ``DamagedError`` if one is missing."""
        logs, old = self._logs(), self._numbered("npz")
        places = {generation: Place(path) for generation, path in old.items()}
        for path in logs.values():
            places |= walk(path)
        missing = [generation for generation in range(last + 1) if generation not in places]
        if missing:
            others = len(missing) - 1
            more = f", as {'are' if others > 1 else 'is'} {others} more" if others else ""
            before = [path for first, path in logs.items() if first <= missing[0]]
            if before:
                raise DamagedError(f"{before[-1]} is damaged: generation {missing[0]} is missing{more}")
            raise DamagedError(f"{self.file(missing[0], 'npz' if old else 'log')} is missing{more}")
        return Parts([places[generation] for generation in range(last + 1)])

    def clear(self) -> None:
        for path in self.files():
            path.unlink()
        self._file = None

    def _logs(self) -> dict[int, Path]:
        return self._numbered("log")

    def _numbered(self, suffix: str) -> dict[int, Path]:
        return numbered(self._folder, self._kind, suffix)


def numbered(folder: Path, kind: str, suffix: str) -> dict[int, Path]:
    """The files of one kind by generation, in ascending order."""
    found = {path.stem.removeprefix(f"{kind}-"): path for path in folder.glob(f"{kind}-*.{suffix}")}
    return dict(sorted((int(number), path) for number, path in found.items() if number.isdecimal()))


def walk(path: Path) -> dict[int, Place]:
    """The whole records at the beginning of a log, by generation; of their arrays nothing is read.

    Raises ``InputError`` if it cannot be read now, ``DamagedError`` if it is no file.
    """
    found: dict[int, Place] = {}
    try:
        check_regular(path)
        with path.open("rb") as file, suppress(ValueError):  # the file ends, or is damaged from here
            size, end = os.fstat(file.fileno()).st_size, 0
            while end < size:
                begin, (numbers, _, data) = end, _header(file, end)
                generation, _, length = numbers
                if data + length > size:
                    break
                end = data + length
                found[generation] = Place(path, begin, end)
    except Exception as error:
        raise unreadable(path, error) from None
    return found


def _header(file: io.BufferedReader, begin: int) -> tuple[tuple[int, int, int], bytes, int]:
    """The numbers of a record's prefix, its header, and where its arrays begin; ``ValueError`` if they are damaged."""
    file.seek(begin)
    prefix = file.read(PREFIX_BYTES)
    if len(prefix) < PREFIX_BYTES or not prefix.startswith(MAGIC):
        raise ValueError(f"no record begins at byte {begin}")
    numbers = prefix[len(MAGIC) : -CHECK.size]
    generation, length, data = NUMBERS.unpack(numbers)
    header = file.read(min(length, LARGEST))  # a damaged length may be anything
    if (crc32(header, crc32(numbers)),) != CHECK.unpack(prefix[-CHECK.size :]):
        raise ValueError(f"the checksum of the record at byte {begin} is wrong")
    return (generation, length, data), header, begin + PREFIX_BYTES + length
