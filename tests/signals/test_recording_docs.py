"""The examples of the documentation are read as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from neuraltree.signals.recordings.reading_options import ReadingOptions
from neuraltree.signals.recordings.reading_recordings import read_recordings
from tests.signals.tiny_recordings import write

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
SECTION = PAGE[PAGE.index("## Recordings of sensors") :]
EXAMPLES = dict(re.findall(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)```", SECTION, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize(
    ("name", "classes", "recordings"),
    [
        ("walking/1.csv", ("walking",), 1),
        ("all.csv", ("sitting", "walking"), 2),
        ("training/circle.1.json", ("circle",), 1),
    ],
)
def test_an_example_is_read(name: str, classes: tuple[str, ...], recordings: int, tmp_path: Path) -> None:
    write(tmp_path / name, EXAMPLES[name])
    found = read_recordings(tmp_path)
    assert (found.rate_hz, found.classes, len(found.recordings)) == (50.0, classes, recordings)


def test_the_example_of_stretches_is_read(tmp_path: Path) -> None:
    write(tmp_path / "labels.csv", EXAMPLES["labels.csv"])
    write(tmp_path / "long_walk.csv", "\n".join(["x", *("0" for _ in range(200))]))
    found = read_recordings(tmp_path, ReadingOptions(rate_hz=10.0))
    counts = [sum(found.recordings[0].labels == i) for i in (0, 1, -1)]
    assert (found.classes, counts) == (("sitting", "walking"), [60, 125, 15])


def test_the_example_of_arrays_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?np\.savez.*?)```", SECTION, re.DOTALL)
    assert code is not None
    exec(code[1], {})
    found = read_recordings(tmp_path / "recordings.npz")
    assert (found.rate_hz, found.classes, len(found.recordings)) == (50.0, ("sitting", "walking"), 4)
