"""Four tiny recordings, and writers that put them on disk in every format."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.io import wavfile

from neuraltree.signals.recordings.reading_options import ReadingOptions

RATE_HZ = 50.0
CHANNELS, UNITS = ("accx", "accy"), ("g", "g")
CLASSES = ("circle", "idle")
LENGTH = 40


class Tiny(NamedTuple):
    part: str
    label: str
    number: str
    subject: str
    samples: np.ndarray


def _tiny() -> list[Tiny]:
    rng = np.random.default_rng(1)
    rows = (("testing", "idle", "3", "b"), ("training", "circle", "1", "a"), ("training", "circle", "2", "a"))
    rows += (("training", "idle", "10", "b"),)
    return [Tiny(*row, rng.integers(-900, 900, (LENGTH, 2)).astype(np.float64)) for row in rows]


TINY = _tiny()
Made = tuple[Path, ReadingOptions]


def write(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def acquisition(samples: np.ndarray, interval_ms: Any = 1000 / RATE_HZ, units: str = "g") -> dict[str, Any]:
    """What Edge Impulse stores."""
    sensors = [{"name": name, "units": units} for name in CHANNELS[: samples.shape[1]]]
    payload = {"device_type": "X", "interval_ms": interval_ms, "sensors": sensors, "values": samples.tolist()}
    return {"protected": {"ver": "v1", "alg": "none"}, "signature": "00", "payload": payload}


def csv_text(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([list(header), *rows] if header else rows)
    return text.getvalue()


def _json_names(folder: Path) -> Made:
    for one in TINY:
        write(folder / one.part / f"{one.label}.{one.number}.json", json.dumps(acquisition(one.samples)))
    return folder, ReadingOptions()


def _json_folders(folder: Path) -> Made:
    for one in TINY:
        write(folder / one.part / one.label / f"{one.number}.json", json.dumps(acquisition(one.samples)))
    return folder, ReadingOptions()


def _json_subjects(folder: Path) -> Made:
    for one in TINY:
        place = folder / one.part / one.label / one.subject
        write(place / f"{one.number}.json", json.dumps(acquisition(one.samples)))
    return folder, ReadingOptions(folders=("class", "subject"))


def _json_pieces(folder: Path) -> Made:
    for one in TINY:
        name = f"{one.label}_{one.subject}_{one.number}.json"
        write(folder / one.part / name, json.dumps(acquisition(one.samples)))
    return folder, ReadingOptions(subject_piece=2)


def _zip(folder: Path) -> Made:
    with zipfile.ZipFile(folder / "some.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for one in TINY:
            name = f"export/{one.part}/{one.label}/{one.number}.json"
            archive.writestr(name, json.dumps(acquisition(one.samples)))
        archive.writestr("__MACOSX/._x.json", b"\0")
    return folder / "some.zip", ReadingOptions()


def _cbor(folder: Path) -> Made:
    import cbor2

    for one in TINY:
        padded = cbor2.dumps(acquisition(one.samples)) + b"\xff\xff"
        write(folder / one.part / f"{one.label}.{one.number}.cbor", padded)
    return folder, ReadingOptions()


def _csv_each(folder: Path) -> Made:
    for one in TINY:
        rows = ([f"{i * 20}", *row] for i, row in enumerate(one.samples.tolist()))
        header = ("timestamp_ms", "accx [g]", "accy (g)")
        write(folder / one.part / one.label / f"{one.number}.csv", csv_text(header, rows))
    return folder, ReadingOptions()


def _csv_iso(folder: Path) -> Made:
    for one in TINY:
        moments = np.datetime64("2026-11-30T23:59:59.900") + np.arange(LENGTH) * np.timedelta64(20, "ms")
        rows = ([f"{moment}Z", *row] for moment, row in zip(moments, one.samples.tolist(), strict=True))
        write(folder / one.part / one.label / f"{one.number}.csv", csv_text(("time", "accx [g]", "accy [g]"), rows))
    return folder, ReadingOptions()


def _csv_semicolons(folder: Path) -> Made:
    for one in TINY:
        lines = ["# logger 3", "Zeit;accx [g];accy [g]"]
        lines += [f"{i / 50:.2f};{a:.1f};{b}".replace(".", ",") for i, (a, b) in enumerate(one.samples.tolist())]
        write(folder / one.part / one.label / f"{one.number}.csv", "\r\n".join(lines).encode("utf-16"))
    return folder, ReadingOptions(columns={"time": "Zeit"})


def _csv_bare(folder: Path) -> Made:
    for one in TINY:
        write(folder / one.part / one.label / f"{one.number}.csv", csv_text((), one.samples.tolist()))
    return folder, ReadingOptions(rate_hz=RATE_HZ, channels=CHANNELS)


def _csv_bare_times(folder: Path) -> Made:
    for one in TINY:
        rows = ([i / 50, *row] for i, row in enumerate(one.samples.tolist()))
        write(folder / one.part / one.label / f"{one.number}.tsv", csv_text((), rows).replace(",", "\t"))
    return folder, ReadingOptions(channels=CHANNELS)


def _csv_long(folder: Path) -> Made:
    rows = (
        [one.part, one.number, one.subject, i / 50, *row, one.label]
        for one in TINY
        for i, row in enumerate(one.samples.tolist())
    )
    header = ("split", "session", "user", "seconds_elapsed", "accx [g]", "accy [g]", "activity")
    write(folder / "long.csv", csv_text(header, rows))
    return folder / "long.csv", ReadingOptions()


def _npz(folder: Path, codes: bool) -> Made:
    labels = [CLASSES.index(one.label) + 3 if codes else one.label for one in TINY]
    arrays = {
        "X": np.concatenate([one.samples for one in TINY]).astype(np.float32),
        "label": np.repeat(labels, LENGTH),
        "subject": np.repeat([one.subject for one in TINY], LENGTH),
        "experiment": np.repeat([int(one.number) for one in TINY], LENGTH).astype(np.int8),
        "part": np.repeat([one.part for one in TINY], LENGTH),
        "channels": np.array(CHANNELS),
        "units": np.array(UNITS),
    }
    np.savez(folder / "all.npz", **arrays, **({} if codes else {"rate": np.float32(RATE_HZ)}))
    names = {"3": "circle", "4": "idle"}
    return folder / "all.npz", ReadingOptions(rate_hz=RATE_HZ, classes=names) if codes else ReadingOptions()


def _wav(folder: Path, kind: str) -> Made:
    for one in TINY:
        path = folder / one.part / f"{one.label}.{one.number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = {"int16": one.samples, "int32": one.samples * 65536, "float32": one.samples / 32768}[kind]
        wavfile.write(path, int(RATE_HZ), sound.astype(kind))
    return folder, ReadingOptions(channels=CHANNELS)


class Row(NamedTuple):
    """What the format keeps besides samples, labels and the rate: ``units``, ``subjects``, ``parts``."""

    write: Callable[[Path], Made]
    units: bool = True
    subjects: bool = False


ROWS = {
    "json, class by name": Row(_json_names),
    "json, class by folder": Row(_json_folders),
    "json, subject by folder": Row(_json_subjects, subjects=True),
    "json, subject by name": Row(_json_pieces, subjects=True),
    "zip": Row(_zip),
    "cbor": Row(_cbor),
    "csv, ms": Row(_csv_each),
    "csv, dates": Row(_csv_iso),
    "csv, semicolons and decimal commas": Row(_csv_semicolons),
    "csv, numbers alone": Row(_csv_bare, units=False),
    "csv, times without a name": Row(_csv_bare_times, units=False),
    "csv, long": Row(_csv_long, subjects=True),
    "npz, texts": Row(lambda folder: _npz(folder, codes=False), subjects=True),
    "npz, codes": Row(lambda folder: _npz(folder, codes=True), subjects=True),
    "wav, 16 bits": Row(lambda folder: _wav(folder, "int16"), units=False),
    "wav, 32 bits": Row(lambda folder: _wav(folder, "int32"), units=False),
    "wav, float": Row(lambda folder: _wav(folder, "float32"), units=False),
}
