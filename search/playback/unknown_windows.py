"""How many windows of recordings a model of normal samples takes for unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from neuraltree.signals.event_rule import UNKNOWN
from search.playback.played import Played


class UnknownWindows(NamedTuple):
    """Of all recordings of one ``label``: ``windows``, those that are ``unknown``, ``alarms``: changes to unknown, and
    the ``hours``. ``auroc``: of the scores, against windows of the normal label; NaN without any."""

    label: str
    windows: int
    unknown: int
    alarms: int
    hours: float
    auroc: float


def unknown_windows(plays: Sequence[Played], classes: Sequence[str], normal: str, hop_s: float) -> list[UnknownWindows]:
    """By label, those without a label last; the labels of ``plays`` are places in ``classes``."""
    if not plays:
        return []
    labels, scores, found, events = (
        np.concatenate(parts)
        for parts in zip(
            *((p.labels, p.decisions.scores[:, 0], p.decisions.classes, p.course.events) for p in plays), strict=True
        )
    )
    usual = scores[labels == classes.index(normal)] if normal in classes else scores[:0]
    rows = []
    for code, name in [*enumerate(classes), (-1, "(no label)")]:
        own = labels == code
        if own.any():
            unknown, alarms = (int((each[own] == UNKNOWN).sum()) for each in (found, events))
            auroc = float("nan") if name == normal else _auroc(usual, scores[own])
            rows.append(UnknownWindows(name, int(own.sum()), unknown, alarms, own.sum() * hop_s / 3600, auroc))
    return rows


def _auroc(normal: np.ndarray, other: np.ndarray) -> float:
    """How often another window has a lower score than a normal one; ties count half."""
    if not len(normal) or not len(other):
        return float("nan")
    order = np.sort(normal)
    above = len(order) - np.searchsorted(order, other, side="right")
    ties = np.searchsorted(order, other, side="right") - np.searchsorted(order, other, side="left")
    return float(np.mean((above + ties / 2) / len(order)))
