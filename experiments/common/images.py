"""MNIST and Fashion-MNIST from their IDX files (http://yann.lecun.com/exdb/mnist)."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.frame.data_places import check_digest, looked_in, table_folders
from search.errors import InputError
from search.strict import check_known

SIDE, CLASSES = 28, 10
TRAIN, TEST = 60_000, 10_000
PARTS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
# SHA-256 of the contents of the four files, in the order of ``PARTS``, independent of their compression.
DIGESTS = {
    "mnist": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion-mnist": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}


@dataclass(frozen=True, eq=False)
class Images:
    """``X`` (60000, 784) and ``test_X`` (10000, 784): brightness from 0 to 255; ``y`` and ``test_y``: class codes."""

    X: NDArray[np.uint8]
    y: NDArray[np.int64]
    test_X: NDArray[np.uint8]
    test_y: NDArray[np.int64]


def images(name: str) -> Images:
    """``InputError`` if the files cannot be found or differ from those distributed."""
    check_known(name, DIGESTS, f"there are no pictures {name!r}")
    folder = folder_of(name)
    shapes = ((TRAIN, SIDE, SIDE), (TRAIN,), (TEST, SIDE, SIDE), (TEST,))
    X, y, test_X, test_y = (
        read_idx(folder / f"{part}-ubyte.gz", digest, shape)
        for part, digest, shape in zip(PARTS, DIGESTS[name], shapes, strict=True)
    )
    return Images(X.reshape(TRAIN, -1), y.astype(np.int64), test_X.reshape(TEST, -1), test_y.astype(np.int64))


def folder_of(name: str) -> Path:
    """The folder of the files of these images; ``InputError`` if there is none."""
    folders = [folder.parent / name for folder in table_folders()]
    folder = next((folder for folder in folders if (folder / f"{PARTS[0]}-ubyte.gz").is_file()), None)
    if folder is None:
        raise InputError(
            f"no {PARTS[0]}-ubyte.gz in the folder {name} beside {looked_in(table_folders())}; "
            f"put the four .gz files of {name} into one of these folders"
        )
    return folder


def read_idx(path: Path, digest: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The bytes of a compressed IDX file: 0, 0, 8 for bytes, the number of axes, the length of each, big-endian."""
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        content = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a gzip file: {error}") from None
    check_digest(path, content, digest)
    start = 4 + 4 * len(shape)
    expected = bytes((0, 0, 8, len(shape))) + np.array(shape, dtype=">u4").tobytes()
    if content[:start] != expected or len(content) != start + int(np.prod(shape)):
        raise InputError(f"{path}: not an IDX file of bytes of the shape {shape}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
