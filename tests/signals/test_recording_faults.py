"""What is wrong with recordings is told in one ValueError that names the file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuraltree.signals.recordings.reading_options import ReadingOptions
from neuraltree.signals.recordings.reading_recordings import read_recordings
from neuraltree.signals.recordings.sources import recording_files
from tests.signals.tiny_recordings import ROWS, TINY, acquisition, csv_text, write

SAMPLES = TINY[0].samples


def changed(**payload: Any) -> bytes:
    stored = acquisition(SAMPLES)
    stored["payload"].update(payload)
    return json.dumps(stored).encode()


def npz(folder: Path, **arrays: Any) -> None:
    np.savez(folder / "a.npz", **({"samples": SAMPLES, "rate": 50} | arrays))


def two_channels_and_one(folder: Path) -> None:
    write(folder / "a.json", json.dumps(acquisition(SAMPLES)))
    write(folder / "b.json", json.dumps(acquisition(SAMPLES[:, :1])))


def archive(folder: Path, *members: tuple[str, bytes]) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members:
            made.writestr(name, content)


def times(*seconds: Any, header: str = "t") -> Callable[[Path], None]:
    return lambda folder: write(folder / "a.csv", csv_text((header, "x"), [(t, i) for i, t in enumerate(seconds)]))


def file(name: str, content: bytes | str) -> Callable[[Path], None]:
    return lambda folder: write(folder / name, content)


HEAD = acquisition(SAMPLES)
GOOD = changed()
LISTED = "recording,start,end,label\n"
FAULTS: list[tuple[str, Callable[[Path], None], str]] = [
    ("nothing", lambda folder: None, "no recordings; read are files that end in .cbor, .csv, .json"),
    ("other files", file("a.png", b"\0"), "no recordings"),
    ("broken JSON", file("a.json", GOOD[:-9]), r"a\.json: Expecting value"),
    ("JSON of bytes", file("a.json", b"\xff\xfe\0"), r"a\.json: .*codec"),
    ("other JSON", file("a.json", "[1, 2]"), "the file holds .*not a recording in Edge Impulse's acquisition format"),
    ("deep JSON", file("a.json", "[" * 200_000), "nested too deeply"),
    ("a signature of a wrong type", file("a.json", json.dumps(HEAD | {"signature": 3})), "'signature' is 3, and must"),
    ("no payload", file("a.json", json.dumps({**HEAD, "payload": None})), "'payload' is None"),
    ("no sensors", file("a.json", changed(sensors=[])), r"'sensors' is \[\]"),
    ("a sensor without a name", file("a.json", changed(sensors=[{}, {}])), "the 'name' of a sensor is None"),
    ("no samples", file("a.json", changed(values=[])), r"'values' is \[\]"),
    ("ragged samples", file("a.json", changed(values=[[1, 2], [1]])), "sample 2 has 1 values, and there are 2 sensors"),
    ("texts as samples", file("a.json", changed(values=[["1", 2]])), "sample 1 holds .* must hold numbers"),
    ("flags as samples", file("a.json", changed(values=[[True, 2]])), "must hold numbers"),
    ("only missing samples", file("a.json", changed(values=[[None, 2]] * 9)), "no two samples in a row are left"),
    ("an interval of a wrong type", file("a.json", changed(interval_ms="20")), "'interval_ms' is '20'"),
    ("an interval below 0", file("a.json", changed(interval_ms=-1)), "'interval_ms' is -1"),
    ("no interval", file("a.json", changed(interval_ms=0)), "states no sampling rate.*rate_hz=50.0"),
    ("a huge interval", file("a.json", changed(interval_ms=1e12)), r"the rate is 1e-09 Hz; rates are 0\.001"),
    ("an infinite interval", file("a.json", changed(interval_ms=float("inf"))), "'interval_ms' is inf"),
    ("other channels", two_channels_and_one, r"b\.json: its channels are accx, and those of a\.json are accx, accy"),
    ("other units", lambda folder: [
        write(folder / f"{unit}.json", json.dumps(acquisition(SAMPLES, units=unit))) for unit in "ab"
    ], r"b\.json: its units are b, b, and those of a\.json are a, a"),
    ("channels of one name", file("a.csv", "t,x,x\n0,1,2\n1,2,3\n"), r"a\.csv: two channels have one name: x, x"),
    ("recordings of one name", lambda folder: [
        write(folder / f"a.{ending}", f"t{by}x\n0{by}1\n1{by}2") for ending, by in (("csv", ","), ("tsv", "\t"))
    ], r"2 recordings are named 'a', in a\.csv, a\.tsv"),
    ("an empty CSV file", file("a.csv", ""), r"a\.csv: the file is empty"),
    ("a header alone", file("a.csv", "t,x\n"), "a header and no rows"),
    ("a CSV file of bytes", file("a.csv", b"a,b\n\0\1"), "not a text file"),
    ("ragged lines", file("a.csv", "t,x,y\n0,1,2\n1,2\n"), r"a\.csv: row 2 has 2 cells, and the first line has 3"),
    ("texts in a channel", file("a.csv", "t,x,y\n0,1,2\n1,2,abc\n"), "row 2 of column 'y' holds 'abc'.*columns="),
    ("no channels", file("a.csv", "t,label\n0,a\n1,b\n"), "no channels; its columns are t, label"),
    ("one sample", times(0), "one sample has no rate"),
    ("times that go back", times(0, 0.1, 0.2, 0.15, 0.3), r"times go back or are missing at sample 4: 0\.15.* 0\.2"),
    ("times that repeat", times(0, 0, 0, 1, 1, 1), "most times repeat"),
    ("a time that is missing", times(0, 0.1, "", 0.3), "times go back or are missing at sample 3"),
    ("times of no form", times("now", "then", header="time"), "'now' is neither a number nor a time; times are"),
    ("times of two forms", times("2026-11-30T08:15", *["2026-11-30T08:16"] * 99, "soon"), "a time is 'soon'"),
    ("days and months", times("01/02/2026", "02/02/2026"), "day and month cannot be told apart, as in '01/02/2026'"),
    ("times of many forms", times("2026-11-30", "soon", "2026-12-01"), "'soon' is no time like '2026-11-30'"),
    ("half of UTF-16", file("a.csv", b"\xff\xfea"), "its mark says UTF-16, which it is not"),
    ("a recording in two places", file("a.csv", "x,session\n1,a\n2,b\n3,a\n"), "not one after another.*sample 3"),
    ("an unknown part", file("a.csv", "x,t,split\n1,0,some\n2,1,some\n"), "the part is 'some'; parts are training"),
    ("levels of folders", lambda folder: [
        write(folder / f"{name}/b/c.csv", "t,x\n0,1\n1,2") for name in "ad"
    ], r'2 levels of folders, a / b.*folders=\("class", "subject"\)'),
    ("an .npz file without samples", lambda folder: np.savez(folder / "a.npz", y=[1]), "no array named samples or X"),
    ("objects in an .npz file", lambda folder: npz(folder, label=np.array([{}], dtype=object)), "a.npz: .*[Oo]bject"),
    ("labels for other samples", lambda folder: npz(folder, label=[1, 2]), r"label has the shape \(2,\), and there"),
    ("labels between numbers", lambda folder: npz(folder, label=[0.5] * 40), "label must hold whole numbers or texts"),
    ("labels without a name", lambda folder: npz(folder, label=[2] * 40, classes=["a", "b"]), "label holds '2', and"),
    ("samples in a cube", lambda folder: npz(folder, samples=np.zeros((2, 3, 4))), r"must be numbers \(samples, chan"),
    ("two rates", lambda folder: npz(folder, rate=[1, 2]), "rate_hz must be one number"),
    ("one thing twice", lambda folder: npz(folder, X=SAMPLES), "both samples and X; keep one"),
    ("a damaged .npz file", file("a.npz", b"PK\3\4" + bytes(99)), r"a\.npz: cannot be read"),
    ("a damaged .wav file", file("a.wav", b"RIFF\0\0\0\0WAVE"), r"a\.wav: "),
    ("a damaged .wav header", file("a.wav", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0"), r"a\.wav: "),
    ("an archive in the folder", file("a/b.zip", b""), "holds another archive, a/b.zip; unpack it first"),
    ("stretches of no recording", lambda folder: (
        write(folder / "a.json", GOOD), write(folder / "labels.csv", f"{LISTED}b,0,1,c\n")
    ), r"labels\.csv: line 2 names 'b', and there is no such recording"),
    ("stretches that overlap", lambda folder: (
        write(folder / "a.json", GOOD), write(folder / "labels.csv", f"{LISTED}a,0,.5,c\na,.4,.6,d\n")
    ), r"a\.json: stretches of 'c' and 'd' overlap"),
    ("stretches beyond the end", lambda folder: (
        write(folder / "a.json", GOOD), write(folder / "labels.csv", f"{LISTED}a,7,8,c\n")
    ), "from 7 on begins after the last sample"),
    ("stretches that end before they start", lambda folder: (
        write(folder / "a.json", GOOD), write(folder / "labels.csv", f"{LISTED}a,2,1,c\n")
    ), "line 2 goes from 2 to 1 s"),
    ("stretches in words", lambda folder: (
        write(folder / "a.json", GOOD), write(folder / "labels.csv", f"{LISTED}a,soon,1,c\n")
    ), "line 2 has 'soon' in the place of seconds"),
    ("a list of other columns", lambda folder: (
        write(folder / "a.json", GOOD), write(folder / "labels.csv", "a,b\n")
    ), "its columns are a, b, and must be recording, start, end, label"),
    ("a list of labels that is damaged", lambda folder: (
        write(folder / "a.json", GOOD), write(folder / "info.labels", "{")
    ), r"info\.labels: "),
    ("a list of labels of other types", lambda folder: (
        write(folder / "a.json", GOOD), write(folder / "info.labels", '{"files": [{"path": 3}]}')
    ), r"info\.labels: path is 3, and must be of the type str"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "told"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_fault_is_told(make: Callable[[Path], Any], told: str, tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(ValueError, match=told):
        read_recordings(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xa1", r"a\.cbor: "),
        (b"\x9b" + b"\xff" * 8, r"a\.cbor: "),
        (b"\x83\1\2\3", "must hold an object"),
        (b"", "a"),
    ],
)
def test_a_fault_of_cbor_is_told(content: bytes, told: str, tmp_path: Path) -> None:
    pytest.importorskip("cbor2", reason="reading CBOR needs cbor2")
    write(tmp_path / "a.cbor", content)
    with pytest.raises(ValueError, match=told):
        read_recordings(tmp_path)


BAD_ARCHIVES: list[tuple[str, Callable[[Path], None], str]] = [
    ("no archive", file("a.zip", b"no"), "not a whole .zip archive"),
    ("an empty one", archive, "no recordings"),
    ("one that leads outside", lambda folder: archive(folder, ("../a.json", GOOD)), r"'\.\./a\.json' leads outside"),
    ("one from the root", lambda folder: archive(folder, ("/a.json", GOOD)), "leads outside"),
    ("a bomb", lambda folder: archive(folder, ("a.csv", b"1\n" * 4_000_000)), "packed more than 900-fold"),
    ("one in another", lambda folder: archive(folder, ("b.zip", b"")), r"holds another archive, b\.zip"),
    ("a damaged one", lambda folder: (
        archive(folder, ("a.json", GOOD)),
        write(folder / "a.zip", (folder / "a.zip").read_bytes().replace(b"a.json", b"a.json", 1)[:60] + b"xxxx"
              + (folder / "a.zip").read_bytes()[64:]),
    ), r"'a\.json' cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "told"), [row[1:] for row in BAD_ARCHIVES], ids=[row[0] for row in BAD_ARCHIVES])
def test_a_bad_archive_is_refused(
    make: Callable[[Path], Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_files, "MOST_PACKED", 900)  # zlib cannot pack much more
    make(tmp_path)
    with pytest.raises(ValueError, match=told):
        read_recordings(tmp_path / "a.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_an_archive_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_files, "MOST_BYTES", 1000)
    archive(tmp_path, ("a.json", GOOD), ("b.json", GOOD))
    with pytest.raises(ValueError, match=r"a\.zip: its files have more than"):
        read_recordings(tmp_path / "a.zip")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere: no such file or folder"):
        read_recordings(tmp_path / "nowhere")


def test_a_file_of_no_known_format(tmp_path: Path) -> None:
    write(tmp_path / "a.mp3", b"\0")
    with pytest.raises(ValueError, match=r"a\.mp3: no recordings; read are files that end in"):
        read_recordings(tmp_path / "a.mp3")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"channels": ("z",)}, "no column is named 'z'; there are t, x, kind"),
        ({"columns": {"label": "z"}}, "no such column; there are t, x, kind"),
        ({"columns": {"label": "kind"}, "classes": {"z": "y"}}, "classes renames 'z', and the labels are a"),
        ({"subject_piece": 4, "columns": {"label": "kind"}}, "subject_piece=4, and its name has 1 pieces"),
    ],
)
def test_an_option_that_fits_no_file_is_told(options: dict[str, Any], told: str, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "t,x,kind\n0,1,a\n1,2,a\n")
    with pytest.raises(ValueError, match=told):
        read_recordings(tmp_path, ReadingOptions(**options))


@pytest.mark.parametrize(
    "options",
    [
        {"rate_hz": -1.0},
        {"rate_hz": float("nan")},
        {"channels": ("a", "a")},
        {"folders": ("class", "class")},
        {"folders": ("klass",)},
        {"subject_piece": -1},
        {"columns": {"y": "a"}},
        {"time_unit": "min"},
        {"longest_gap": 1.0},
        {"most_jitter": -0.1},
    ],
)
def test_an_option_that_is_not_allowed_is_told(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))}=.*it must be"):
        ReadingOptions(**options)


@pytest.mark.parametrize("name", ROWS)
def test_a_damaged_file_is_read_or_refused(name: str, tmp_path: Path) -> None:
    """Any other error fails, and so does a warning."""
    if name == "cbor":
        pytest.importorskip("cbor2", reason="reading CBOR needs cbor2")
    rng = np.random.default_rng(17)
    path, options = ROWS[name].write(tmp_path)
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    refused = 0
    for _ in range(8):
        damaged = files[rng.integers(len(files))]
        whole = damaged.read_bytes()
        begin, end = sorted(rng.integers(len(whole), size=2).tolist())
        changes = (whole[:end], whole[:begin] + whole[end:], whole[:begin] + rng.bytes(5) + whole[begin:])
        damaged.write_bytes(changes[rng.integers(3)])
        try:
            read_recordings(path, options)
        except ValueError:
            refused += 1
        damaged.write_bytes(whole)
    assert refused
