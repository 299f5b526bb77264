"""The one recording that a picture or an emulation is about."""

from __future__ import annotations

from collections.abc import Sequence

from search.errors import InputError
from search.playback.played import Played
from search.playback.timeline import wrong_windows

MOST_NAMES = 5  # in an error


def chosen_play(plays: Sequence[Played], name: str | None) -> tuple[Played, str]:
    """The recording of that name, or else the first with the most wrong windows; and which it is, in words.

    ``InputError`` for a name that no recording has.
    """
    if name is None:
        worst = max(plays, key=wrong_windows)
        return worst, f"recording {worst.recording.name}: {wrong_windows(worst)} wrong windows, the most of all"
    for one in plays:
        if one.recording.name == name:
            return one, f"recording {name}: {wrong_windows(one)} wrong windows"
    there = [one.recording.name for one in plays]
    more = f" and {len(there) - MOST_NAMES} more" if len(there) > MOST_NAMES else ""
    raise InputError(f"no recording is named {name!r}; there are {', '.join(there[:MOST_NAMES])}{more}")
