"""Samples in one long table: which of them make a recording, by columns that say so for each sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from neuraltree.tree.nodes import IntArray

KEYS = ("subject", "recording", "part")


class Coded(NamedTuple):
    """A column of texts: ``places`` (samples,) in ``texts``, below 0 for none."""

    places: IntArray
    texts: tuple[str, ...]


class Group(NamedTuple):
    """The ``rows`` of a recording, in their order."""

    rows: slice | IntArray
    subject: str = ""
    recording: str = ""
    part: str = ""

    @property
    def name(self) -> str:
        """Of the recording in its file."""
        return "/".join(filter(None, (self.subject, self.recording)))


def groups_of(keys: Mapping[str, Coded], has_times: bool) -> list[Group]:
    """A recording is what has the same in all columns ``keys`` (by their names in ``KEYS``), in the order of first
    rows.

    ``ValueError`` if its rows are not one after another, and no times say how long it was interrupted.
    """
    if not keys:
        return [Group(slice(None))]
    together = np.stack([coded.places for coded in keys.values()], axis=1)
    changes = np.flatnonzero((np.diff(together, axis=0) != 0).any(axis=1)) + 1
    begins, ends = np.r_[0, changes], np.r_[changes, len(together)]
    runs: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        runs.setdefault(tuple(together[begin].tolist()), []).append((begin, end))
    found = []
    for places, own in runs.items():
        texts = {name: coded.texts[i] if i >= 0 else "" for (name, coded), i in zip(keys.items(), places, strict=True)}
        if len(own) > 1 and not has_times:
            raise ValueError(
                f"the samples of one recording ({', '.join(filter(None, texts.values()))}) are not one after another: "
                f"it goes on at sample {own[1][0] + 1}; without times nothing says how long it was interrupted"
            )
        rows = slice(*own[0]) if len(own) == 1 else np.concatenate([np.arange(*each) for each in own])
        found.append(Group(rows, **texts))
    return found
