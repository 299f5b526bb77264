"""A recording as its file has it, before anything is checked or mended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import IntArray


@dataclass(frozen=True, eq=False)
class RawRecording:
    """``name``: within its file, "" if the file is one recording. ``samples`` (samples, channels): not finite where
    missing. ``rate_hz``: 0 if the file states none. ``times`` (samples,) in s, if the file has them. ``labels``
    (samples,): places in ``label_names``, below 0 for none; None if the file has no labels. ``subject`` and ``part``:
    "" if the file does not say. ``file``: for messages. ``notes``: what had to be guessed.
    """

    file: str
    name: str
    samples: FloatArray
    channels: tuple[str, ...]
    units: tuple[str, ...] = ()
    rate_hz: float = 0.0
    times: FloatArray | None = None
    labels: IntArray | None = None
    label_names: tuple[str, ...] = ()
    subject: str = ""
    part: str = ""
    notes: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The file and the recording in it, for messages."""
        return self.file if not self.name or self.file.startswith(self.name) else f"{self.file}, {self.name}"

    def has(self, label: str) -> tuple[IntArray, tuple[str, ...]]:
        """The labels and their names if all samples have one label; "" is none."""
        return np.full(len(self.samples), 0 if label else -1), (label,) if label else ()


def numbered_channels(count: int) -> tuple[str, ...]:
    """The names of channels that have none."""
    return tuple(f"ch{i + 1}" for i in range(count))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key by which texts are in the order that people expect: 2 before 10."""
    pieces: list[tuple[int, int, str]] = []
    digits = ""
    for letter in f"{text}\0":
        if letter.isdecimal():
            digits += letter
            continue
        if digits:
            pieces.append((0, int(digits), digits))
            digits = ""
        pieces.append((1, 0, letter))
    return tuple(pieces)
