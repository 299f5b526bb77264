"""Which channels are the axes of one sensor, by their names."""

from __future__ import annotations

from collections.abc import Sequence

AXES = ("x", "y", "z", "w")


def axis_groups(channels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The channels of each group, by its name: accx, accy and accz are ``acc``, and so are acc_x, acc_y and acc_z; a
    group has two axes or more. x, y and z alone are ``axes``."""
    found: dict[str, list[str]] = {}
    for name in channels:
        if name[-1:].lower() in AXES:
            found.setdefault(name[:-1].rstrip("_- ") or "axes", []).append(name)
    return {name: tuple(axes) for name, axes in found.items() if len(axes) > 1 and name not in channels}
