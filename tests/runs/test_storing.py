"""The one writer of files: what it writes is on the disk before anything points to it; and the reader's bounds."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments.frame.provenance import COLUMNS
from experiments.frame.row_store import Store
from neuraltree import Tree, save
from neuraltree.export.writing import write as export
from neuraltree.storing import LARGEST, read, store
from neuraltree.tree.nodes import node_dtype
from search.folder.baselines_csv import write_baselines
from search.folder.npz_streams import whole, write_streams
from search.folder.records import RunFolder, write_csv, write_json, write_npz, write_text
from search.pictures.run_pictures import save as save_picture
from search.report.pages.write import _write as write_page

ROOT = Path(__file__).parents[2]
LEAF = np.array([(0, ~5, 0.0, 0.5), (1, 0, 0.25, 0.0)], dtype=node_dtype())

WRITERS: dict[str, Callable[[Path], object]] = {
    "a model": lambda path: save(Tree(LEAF, "regression", ("a",)), path),
    "an export": lambda path: export(path.parent, {path.name: "int f(void);"}),
    "a picture": lambda path: save_picture(Figure(), path),
    "a page": lambda path: write_page(path, "<html>"),
    "a text": lambda path: write_text(path, "x"),
    "a table": lambda path: write_csv(path, ["x"], [[1]]),
    "an object": lambda path: write_json(path, {}),
    "arrays": lambda path: write_npz(path, {"x": np.arange(3)}),
    "baselines": lambda path: write_baselines(path.parent, []),
    "a checkpoint": lambda path: RunFolder(path.parent.parent).save_checkpoint(0, {"x": np.arange(3)}, {}),
    "streamed arrays": lambda path: write_streams(path, {"x": whole(np.arange(3))}),
    "an experiment": lambda path: _experiment(path),
}


def _experiment(path: Path) -> None:
    with Store(path, COLUMNS) as held:
        held.begin([], {}, fresh=False)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs to see which file a descriptor is of")
@pytest.mark.parametrize("what", WRITERS)
def test_content_is_on_the_disk_before_its_name_is_and_then_its_name(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the first a power cut can leave an empty file under a good name, without the second the old one."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    events: list[tuple[str, str]] = []
    rename = os.replace

    def synced(descriptor: int) -> None:
        events.append(("synced", str(Path(f"/proc/self/fd/{descriptor}").readlink())))

    def renamed(source: str, target: str) -> None:
        events.append(("renamed", str(source)))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    WRITERS[what](folder / "file")
    sources = [name for event, name in events if event == "renamed"]
    assert sources, "the file is put into its place in one step"
    for source in sources:
        assert events.index(("synced", source)) < events.index(("renamed", source))
    homes = {str(Path(source).parent) for source in sources}
    assert homes <= {name for event, name in events[events.index(("renamed", sources[-1])) :] if event == "synced"}
    assert [path.name for path in tmp_path.rglob("*.part")] == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs to see which file a descriptor is of")
def test_logs_are_on_the_disk_before_the_checkpoint_that_relies_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    rename, folder = os.replace, RunFolder(tmp_path)

    def synced(descriptor: int) -> None:
        events.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    def renamed(source: str, target: str) -> None:
        events.append(Path(target).name)
        rename(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    for generation in (0, 1):
        folder.save_parts(generation, {"x": np.arange(3)}, {"x": np.arange(3)})
        folder.save_checkpoint(generation, {"x": np.arange(3)}, {})
    new = ["archive-000000.log", "checkpoint", "history-000000.log", "checkpoint"]  # their names too
    assert events[:4] == new
    first = events.index("state-000000.json")
    assert events[first + 1 :][:3] == ["checkpoint", "archive-000000.log", "history-000000.log"]
    assert events.count("archive-000000.log") == events.count("history-000000.log") == 2


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_of_several_files_none_is_replaced_unless_all_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, alone: bool
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    store({first: "old", second: b"old"})
    write = Path.write_bytes

    def fail(self: Path, content: bytes) -> int:
        if "b" in self.name.split("."):
            raise error
        return write(self, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fail)
        with pytest.raises((KeyboardInterrupt, OSError)) as failed:
            store({first: "new", second: b"new"}, alone=alone)
    assert getattr(failed.value, "filename", str(second)) == str(second)
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["old", "old"]


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, which opens no folder."""
    opened = os.open

    def no_folders(path: Path, flags: int) -> int:
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied")
        return opened(path, flags)

    monkeypatch.setattr(os, "open", no_folders)
    store({tmp_path / "a": "x"})
    assert (tmp_path / "a").read_text() == "x"


# By file name: these fill a temporary folder for another program; all else goes through ``store``.
OTHERS = {
    "storing.py", "toolchains.py", "host.py", "gallery_searches.py", "correctness.py", "judging_trees.py",
    "int8_accuracy.py", "search_speed.py", "kernel_build.py", "search_rate.py", "memory.py", "machines.py",
    "faults.py", "worker_scaling.py", "same_front.py", "exit_search_speed.py", "replay.py",
}  # fmt: skip


def test_no_module_has_a_writer_of_its_own() -> None:
    found = set()
    for package in ("neuraltree", "search", "experiments", "benchmarks", "tools"):
        for path in (ROOT / package).rglob("*.py"):
            calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
            if any(isinstance(node.func, ast.Attribute) and node.func.attr in METHODS for node in calls):
                found.add(path.name)
    assert found == OTHERS


METHODS = ("write_text", "write_bytes")  # that write a file in its place


def test_reading_ends(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than 0 MiB") as failed:
        read(path, 4)
    assert failed.value.filename == str(path)
    with pytest.raises(OSError, match=f"larger than {LARGEST >> 20} MiB"):
        read(Path("/dev/zero"))


def test_the_largest_tree_allowed_is_far_below_the_limit(tmp_path: Path) -> None:
    nodes = np.array([(0, ~5, 0.0, 0.5), *[(1, 0, -1 / 3 * 1e-300, 0.0)] * 9_999], dtype=node_dtype())
    save(Tree(nodes, "regression", ("a",)), tmp_path / "a.json")
    assert len(read(tmp_path / "a.json")) * 20 < LARGEST
