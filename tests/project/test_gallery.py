"""The gallery: what it shows was drawn by the lines it shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import matplotlib.image
import matplotlib.pyplot as plt
import pytest

from search.run import main as run
from tools.gallery.__main__ import main
from tools.gallery.draw import page
from tools.gallery.gallery_entries import ENTRIES
from tools.gallery.gallery_searches import SEARCHES

DOCS = Path(__file__).parents[2] / "docs"
LARGEST = 150_000  # bytes


def searched(folder: Path, data: str, *more: str) -> Path:
    settings = ("search.population=12", "search.generations=3", "space.max_nodes=20", "train.epochs=4", *more)
    config = folder / "c.toml"
    config.write_text(f'data.source = "{data}"')
    assert run([str(config), "--out", str(folder / data), "--quiet", *(f"--set={line}" for line in settings)]) == 0
    return folder / data


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wanted = 'search.objectives=["log_loss", "latency_s", "flash_bytes"]'
    return searched(tmp_path_factory.mktemp("run"), "iris", wanted, 'hardware.device="cortex-m4f"')


def test_every_picture_of_a_run_is_drawn_and_on_the_page(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(finished), "--out", str(tmp_path / "own")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.count("\n") == len(ENTRIES) + 1
    assert {path.stem for path in (tmp_path / "own").iterdir()} == {entry.name for entry in ENTRIES}
    text = (tmp_path / "own.md").read_text()
    assert text == page("own", ENTRIES)
    assert re.findall(r"!\[(.+)\]\((.+)\)", text) == [(entry.alt, f"own/{entry.name}.png") for entry in ENTRIES]
    for path in (tmp_path / "own").iterdir():
        height, width, _ = matplotlib.image.imread(path).shape
        assert 300 < height < 1000
        assert 450 < width < 2100
    assert plt.get_fignums() == []


def test_what_a_run_has_no_data_for_is_left_out_and_why_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = searched(tmp_path, "diabetes")
    assert main([str(folder), "--out", str(tmp_path / "g")]) == 0
    said = capsys.readouterr().out
    assert "front_3d left out: " in said
    assert "no member of the front has 'latency_s'" in said
    assert "learnability left out: " in said
    assert "learnability needs classes" in said
    text = (tmp_path / "g.md").read_text()
    assert "g/tree.png" in text
    assert "front_3d" not in text
    assert not (tmp_path / "g" / "front_3d.png").exists()


@pytest.mark.parametrize("bad", ["absent", "."])
def test_a_folder_that_is_no_run_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([bad, "--out", "g"]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"error: .* holds no front\.csv; name the folder of a finished run\n", said)
    assert list(tmp_path.iterdir()) == []


def test_a_place_without_a_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", "/"]) == 2
    assert capsys.readouterr().err.startswith("error: --out names no folder")


def test_the_page_in_the_docs_is_what_the_command_writes() -> None:
    assert (DOCS / "gallery.md").read_text() == page("gallery", ENTRIES), "run: python -m tools.gallery"
    assert {path.name for path in (DOCS / "gallery").iterdir()} == {f"{entry.name}.png" for entry in ENTRIES}
    for path in (DOCS / "gallery").iterdir():
        assert path.stat().st_size < LARGEST


def test_every_entry_is_whole() -> None:
    assert {entry.search for entry in ENTRIES} == set(SEARCHES)
    for entry in ENTRIES:
        assert 20 < len(entry.alt) < 130
        assert entry.reading.count(". ") == 0  # one sentence
        assert entry.reading.endswith(".")
        assert entry.code.strip().split("\n")[-1].startswith("ax = ")


@pytest.mark.parametrize("there", ["pictures/front.png", "pictures.md"])
def test_what_is_no_gallery_is_not_replaced(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], there: str
) -> None:
    kept = tmp_path / there
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    assert main([str(finished), "--out", str(tmp_path / "pictures")]) == 2
    assert "is there already and no gallery" in capsys.readouterr().err
    assert kept.read_text() == "mine"
    assert len(list(tmp_path.rglob("*.*"))) == 1


def test_a_gallery_is_replaced_and_its_name_may_have_blanks(finished: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert main([str(finished), "--out", str(tmp_path / "my (own)")]) == 0
    assert "](my%20%28own%29/front.png)" in (tmp_path / "my (own).md").read_text()


def test_a_damaged_front_and_a_place_that_cannot_be_are_one_line(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "front.csv").write_text("id,status\n1,ok\n")
    (tmp_path / "file").write_text("")
    for folder, out in (("run", "g"), (finished, "file/g")):
        assert main([str(tmp_path / folder), "--out", str(tmp_path / out)]) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert said.count("\n") == 1


def test_a_reader_that_has_gone_is_left_to_the_command(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*unused: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("tools.gallery.__main__._say", gone)
    with pytest.raises(BrokenPipeError):
        main([str(finished), "--out", str(tmp_path / "g")])
