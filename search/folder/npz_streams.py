"""Npz files larger than memory: each array is written chunk after chunk."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.storing import replacing_bytes
from search.folder.logs import Layout, Record


class Stream(NamedTuple):
    """An array of which ``chunks()`` are the rows, in order."""

    dtype: np.dtype
    shape: tuple[int, ...]
    chunks: Callable[[], Iterable[NDArray]]

    def array(self) -> NDArray:
        chunks = [np.asarray(chunk, self.dtype) for chunk in self.chunks()]
        return np.concatenate(chunks) if chunks else np.zeros(self.shape, self.dtype)


def whole(array: NDArray) -> Stream:
    return Stream(array.dtype, array.shape, lambda: [array])


def layout_of(part: Mapping[str, NDArray]) -> Mapping[str, Layout]:
    """The type and shape of each array of a part; of a record no array is read."""
    return (
        part.layout if isinstance(part, Record) else {name: (array.dtype, array.shape) for name, array in part.items()}
    )


def concatenated(parts: Sequence[Mapping[str, NDArray]], names: Iterable[str]) -> dict[str, Stream]:
    """By name the arrays of all parts, one after another."""
    names = list(names)
    kinds: dict[str, np.dtype] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for part in parts:
        layout = layout_of(part)
        for name in names:
            kind, shape = layout[name]
            # Texts of parts have different lengths.
            kinds[name] = np.promote_types(kinds[name], kind) if name in kinds else kind
            rows = shapes[name][0] if name in shapes else 0
            shapes[name] = (rows + shape[0], *shape[1:])
    return {name: Stream(kinds[name], shapes[name], _each(parts, name)) for name in names}


def _each(parts: Sequence[Mapping[str, NDArray]], name: str) -> Callable[[], Iterator[NDArray]]:
    return lambda: (part[name] for part in parts)


def write_streams(path: Path, streams: Mapping[str, Stream]) -> None:
    """Write an npz file, byte for byte like ``write_npz``. ``ValueError`` if rows do not fit the shape."""
    with replacing_bytes(path, alone=True) as file, zipfile.ZipFile(file, "w") as stored:
        for name, stream in streams.items():
            with stored.open(name + ".npy", "w", force_zip64=True) as member:
                header: dict[str, Any] = {
                    "descr": np.lib.format.dtype_to_descr(stream.dtype),
                    "fortran_order": False,
                    "shape": stream.shape,
                }
                np.lib.format.write_array_header_1_0(member, header)
                rows = 0
                for chunk in stream.chunks():
                    if chunk.shape[1:] != stream.shape[1:]:
                        raise ValueError(f"{name} has rows of {chunk.shape[1:]} and of {stream.shape[1:]} numbers")
                    rows += len(chunk)
                    member.write(chunk.astype(stream.dtype, copy=False).tobytes())
                if rows != stream.shape[0]:
                    raise ValueError(f"{name} has {rows} rows instead of {stream.shape[0]}")
