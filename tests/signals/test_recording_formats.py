"""The same recordings, written in every format, are read as the same; labels of stretches; data of others."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from neuraltree.signals.recordings.reading_options import ReadingOptions
from neuraltree.signals.recordings.reading_recordings import read_recordings
from neuraltree.signals.recordings.recording import Recordings
from neuraltree.signals.recordings.subsets import of_part, of_subjects, subjects_of
from tests.signals.tiny_recordings import (
    CHANNELS,
    CLASSES,
    LENGTH,
    RATE_HZ,
    ROWS,
    TINY,
    UNITS,
    acquisition,
    csv_text,
    write,
)

DATA = Path(__file__).parents[3] / "shared" / "data" / "signals"
GESTURES, HAPT = DATA / "gestures-edge-impulse-export.zip", DATA / "hapt_raw.npz"


@pytest.mark.parametrize("name", ROWS)
def test_a_format_gives_the_recordings(name: str, tmp_path: Path) -> None:
    if name == "cbor":
        pytest.importorskip("cbor2", reason="reading CBOR needs cbor2")
    row = ROWS[name]
    found = read_recordings(*row.write(tmp_path))
    assert (found.channels, found.rate_hz, found.classes) == (CHANNELS, RATE_HZ, CLASSES)
    assert found.units == (UNITS if row.units else ("", ""))
    own = {(one.part, found.classes[one.labels[0]], one.samples.tobytes()): one for one in found.recordings}
    assert set(own) == {(one.part, one.label, one.samples.tobytes()) for one in TINY}
    for one in TINY:
        read = own[one.part, one.label, one.samples.tobytes()]
        assert one.number in read.name
        assert read.subject == (one.subject if row.subjects else "")
        assert set(read.labels.tolist()) == {CLASSES.index(one.label)}
        assert (read.source, read.samples.dtype, read.labels.dtype.kind) == ("", np.float64, "i")
    assert len({one.name for one in found.recordings}) == len(TINY)
    guessed = [note for note in found.notes if "all of a class" not in note]
    assert guessed == []


def test_names_are_paths_in_their_natural_order(tmp_path: Path) -> None:
    path, options = ROWS["json, class by name"].write(tmp_path)
    calls: list[tuple[int, int]] = []
    found = read_recordings(path, options, lambda done, of: calls.append((done, of)))
    assert [one.name for one in found.recordings] == [
        "testing/idle.3",
        "training/circle.1",
        "training/circle.2",
        "training/idle.10",
    ]
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def labels_of(found: Recordings) -> list[str]:
    return [found.classes[i] if i >= 0 else "" for i in found.recordings[0].labels.tolist()]


SPLIT = ["idle"] * 10 + [""] * 5 + ["circle"] * (LENGTH - 15)
EXPLICIT = [{"startIndex": 0, "endIndex": 9, "label": "idle"}, {"startIndex": 15, "endIndex": 39, "label": "circle"}]
INFO = {"path": "walk.1.json", "category": "testing", "label": {"type": "multi-label", "labels": EXPLICIT}}
SPANS = {
    "labels.csv": "recording,start,end,label\nwalk.1,0,.2,idle\nwalk.1.json,0.3,9,circle\n",
    "info.labels": json.dumps({"version": 1, "files": [INFO]}),
    "structured_labels.labels": json.dumps({"version": 1, "structuredLabels": {"walk.1.json": EXPLICIT}}),
}


@pytest.mark.parametrize("name", SPANS)
def test_stretches_are_labelled_by_a_file_beside(name: str, tmp_path: Path) -> None:
    write(tmp_path / "walk.1.json", json.dumps(acquisition(TINY[0].samples)))
    write(tmp_path / name, SPANS[name])
    found = read_recordings(tmp_path)
    assert found.classes == ("circle", "idle")
    assert labels_of(found) == SPLIT
    assert found.recordings[0].part == ("testing" if name == "info.labels" else "")


@pytest.mark.parametrize("ending", ["csv", "npz"])
def test_samples_are_labelled_one_by_one(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    samples = TINY[0].samples
    if ending == "csv":
        rows = ([i / 50, label, *row] for i, (label, row) in enumerate(zip(SPLIT, samples.tolist(), strict=True)))
        write(path, csv_text(("t", "label", "accx", "accy"), rows))
    else:
        codes = [{"idle": 1, "circle": 0, "": -1}[label] for label in SPLIT]
        np.savez(path, samples=samples, label=codes, classes=["circle", "idle"], rate_hz=50)
    assert labels_of(read_recordings(path)) == SPLIT


def test_a_recording_that_the_list_of_stretches_leaves_out_has_no_class(tmp_path: Path) -> None:
    for i in (1, 2):
        write(tmp_path / f"walk.{i}.json", json.dumps(acquisition(TINY[0].samples)))
    write(tmp_path / "labels.csv", "recording,start,end,label\nwalk.1,0,.2,idle\n")
    found = read_recordings(tmp_path)
    assert found.classes == ("idle",)
    assert (found.recordings[1].labels == -1).all()
    assert any("1 of 2 recordings have no label" in note for note in found.notes)


def test_labels_are_renamed_or_dropped(tmp_path: Path) -> None:
    path, _ = ROWS["json, class by name"].write(tmp_path)
    found = read_recordings(path, ReadingOptions(classes={"circle": "", "idle": "Ruhe"}))
    assert found.classes == ("Ruhe",)
    assert [int(one.labels[0]) for one in found.recordings] == [0, -1, -1, 0]


def test_channels_are_chosen_from_a_csv_file_in_their_order(tmp_path: Path) -> None:
    path, _ = ROWS["csv, long"].write(tmp_path)
    found = read_recordings(path, ReadingOptions(channels=("accy",)))
    assert found.channels == ("accy",)
    assert found.recordings[0].samples.tolist() == TINY[0].samples[:, 1:].tolist()


def test_names_in_any_letters_and_files_of_systems(tmp_path: Path) -> None:
    write(tmp_path / "Füße" / "größe 1.json", json.dumps(acquisition(TINY[0].samples)))
    write(tmp_path / "歩く" / "1.json", json.dumps(acquisition(TINY[1].samples)))
    write(tmp_path / "歩く" / ".DS_Store", b"\0\1")
    write(tmp_path / "README.md", "about")
    write(tmp_path / "photo.png", b"\0")
    found = read_recordings(tmp_path)
    assert found.classes == ("Füße", "歩く")
    assert found.recordings[0].name == "Füße/größe 1"
    assert "files that hold no recordings are ignored: 1 .png" in found.notes


@pytest.mark.parametrize(
    ("files", "classes"),
    [
        (["some/circle.1", "some/idle.2"], ("circle", "idle")),  # named like the archive
        (["top/circle/1", "top/idle/2"], ("circle", "idle")),
        (["top/training/circle.1", "top/testing/idle.2"], ("circle", "idle")),
        (["normal/a1", "normal/a2"], ("normal",)),
        (["circle-1", "idle-2"], ("circle", "idle")),
        (["1", "2"], ()),
    ],
)
def test_a_folder_around_all_others_is_no_class(files: list[str], classes: tuple[str, ...], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for name, one in zip(files, TINY, strict=False):
            archive.writestr(f"{name}.json", json.dumps(acquisition(one.samples)))
    assert read_recordings(tmp_path / "some.zip").classes == classes


def test_subsets(tmp_path: Path) -> None:
    found = read_recordings(*ROWS["json, subject by name"].write(tmp_path))
    assert subjects_of(found) == ["a", "b"]
    assert [one.part for one in of_part(found, "training").recordings] == ["training"] * 3
    assert [one.subject for one in of_subjects(found, ["b"]).recordings] == ["b", "b"]
    with pytest.raises(ValueError, match="no recording is of the part 'validation'"):
        of_part(found, "validation")
    with pytest.raises(ValueError, match="no recording is of 'c'; subjects are a, b"):
        of_subjects(found, ["a", "c"])


@pytest.mark.skipif(not GESTURES.is_file(), reason="the shared data are not here")
def test_the_gestures_of_others() -> None:
    found = read_recordings(GESTURES)
    parts = Counter(one.part for one in found.recordings)
    assert (len(found.recordings), parts) == (96, {"training": 72, "testing": 24})
    assert found.classes == ("circle", "flick", "idle", "updown")
    assert {one.samples.shape for one in found.recordings} == {(1040, 3)}
    assert (found.rate_hz, found.channels, found.units) == (104.0, ("accx", "accy", "accz"), ("m/s2",) * 3)
    assert set(Counter(int(one.labels[0]) for one in found.recordings).values()) == {24}
    assert "19896 samples" in next(note for note in found.notes if "'accy'" in note)


@pytest.mark.skipif(not HAPT.is_file(), reason="the shared data are not here")
def test_the_activities_of_others() -> None:
    with pytest.raises(ValueError, match=r"hapt_raw.npz.*states no sampling rate.*rate_hz=50.0"):
        read_recordings(HAPT)
    found = read_recordings(HAPT, ReadingOptions(rate_hz=50.0, classes={"1": "walking"}))
    assert len(found.recordings) == 61
    assert len(subjects_of(found)) == 30
    assert found.classes == ("2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "walking")
    with np.load(HAPT) as stored:
        assert np.array_equal(np.concatenate([one.samples for one in found.recordings]), stored["X"])
        labels = np.concatenate([one.labels for one in found.recordings])
        assert np.array_equal(labels == 11, stored["label"] == 1)
        assert np.array_equal(labels == -1, stored["label"] == -1)
