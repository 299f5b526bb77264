"""What ``neuraltree inspect`` says of recordings: how much there is of each class, and whether windows fit."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from search.config.config import config_from
from search.errors import InputError

if TYPE_CHECKING:
    from neuraltree.signals.recordings.recording import Recordings
    from neuraltree.signals.recordings.summary.describing import ClassRow
    from neuraltree.signals.recordings.summary.lost_windows import WindowCheck
    from search.config.settings import SignalConfig

ENDINGS = (".zip", ".json", ".cbor", ".wav")  # of files that are no tables


def are_recordings(table: str) -> bool:
    """Whether it is a folder, an archive, or a file of samples: an .npz file that has no table."""
    from neuraltree.signals.recordings.formats.signal_npz import has_recordings

    path = Path(table)
    if path.suffix.lower() == ".npz" and path.is_file():
        try:
            with zipfile.ZipFile(path) as stored:
                return has_recordings(frozenset(name.removesuffix(".npy") for name in stored.namelist()))
        except (OSError, zipfile.BadZipFile):
            return False
    return path.is_dir() or (path.suffix.lower() in ENDINGS and path.is_file())


def inspect_recordings(table: str, overrides: Sequence[str], console: Console) -> str:
    """Prints what is in them; the TOML of a config to start from. ``InputError`` if they cannot be used."""
    from neuraltree.signals.recordings.summary.describing import describe
    from neuraltree.signals.recordings.summary.lost_windows import windows_lost
    from search.table.signals.chosen_recordings import chosen_recordings
    from search.table.signals.signal_table import hop_of, with_windows

    asked = {"data": {"source": str(Path(table).absolute())}, "signal": {"windows": "auto"}}
    config = config_from(asked, overrides, "neuraltree inspect")
    try:
        recordings = chosen_recordings(config)
    except InputError as error:
        hint = ", here with --set signal.rate_hz=50" if "rate_hz=" in str(error) else ""
        raise InputError(f"{error}{hint}") from None
    signal = with_windows(config.signal, recordings)
    console.print(escape(f"{table}: {_told(recordings)}"), highlight=False, soft_wrap=True)
    console.print(_classes(describe(recordings)))
    if recordings.classes:
        told = _windows(windows_lost(recordings, max(map(int, signal.windows)), hop_of(signal)), recordings.rate_hz)
        console.print(escape(told), highlight=False, soft_wrap=True)
    for line in recordings.notes:
        console.print(f"note: {escape(line)}", highlight=False, soft_wrap=True)
    return _config(config.data.source, signal)


def _told(recordings: Recordings) -> str:
    names = {one.source or one.name: one.part for one in recordings.recordings}
    parts = ", ".join(
        f"{count} {part}" for part, count in sorted(Counter(names.values()).items(), reverse=True) if part
    )
    channels = ", ".join(
        f"{name} [{unit}]" if unit else name for name, unit in zip(recordings.channels, recordings.units, strict=True)
    )
    subjects = len({one.subject for one in recordings.recordings} - {""})
    return (
        f"{len(names)} recordings{f' ({parts})' if parts else ''}"
        f"{f' of {subjects} subjects' if subjects else ''}, {recordings.seconds:.5g} s at {recordings.rate_hz:g} Hz, "
        f"channels {channels}"
    )


def _classes(rows: Sequence[ClassRow]) -> Table:
    made = Table("class", "recordings", "subjects", "seconds", "share")
    for row in rows:
        cells = str(row.recordings), str(row.subjects or ""), f"{row.seconds:.5g}", f"{100 * row.share:.1f} %"
        made.add_row(escape(row.label or "(no label)"), *cells)
    return made


def _windows(check: WindowCheck, rate_hz: float) -> str:
    """The verdict on the longest windows of the config, and what would lose less."""
    lost = ", ".join(f"{row.label} {row.too_short} of {row.stretches}" for row in check.classes if row.too_short)
    told = f"windows of {check.window} samples ({check.window / rate_hz:.2f} s): {check.verdict}"
    if not lost:
        return f"{told}; they fit into every stretch of one label"
    return f"{told}; stretches of one label that are shorter: {lost}; none is shorter than {check.shortest} samples"


def _config(source: str, signal: SignalConfig) -> str:
    given = {"windows": list(signal.windows), "rate_hz": signal.rate_hz}
    given |= {"channels": list(signal.channels), "classes": list(signal.classes)}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in given.items() if value]
    head = ["[data]", f"source = {json.dumps(source, ensure_ascii=False)}", "", "[signal]"]
    return "\n".join([*head, *lines, "", "[search]", 'time = "60s"', ""])
