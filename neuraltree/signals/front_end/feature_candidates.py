"""The features that are worth trying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neuraltree.signals.features.feature_table import FEATURES


def axis_groups(channels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The groups of axes among channels whose names differ in a last x, y or z."""
    found: dict[str, list[str]] = {}
    for name in channels:
        if name[-1:].lower() in tuple("xyz"):
            found.setdefault(name[:-1].rstrip("_"), []).append(name)
    return {stem: tuple(names) for stem, names in found.items() if len(names) > 1}


def candidates(
    channels: Sequence[str], groups: Mapping[str, tuple[str, ...]], rate_hz: float, windows: Sequence[int]
) -> tuple[str, ...]:
    """The names of all features of the windows."""
    streams = [f"{name}{step}" for name in channels for step in ("", ".delta")]
    streams += [f"{name}.norm{step}" for name in groups for step in ("", ".delta")]
    return tuple(f"{stream}.{feature}@{window}" for window in windows for stream in streams for feature in FEATURES)
