"""The run folder: files that are there whole or not at all, checkpoints, and one process at a time."""

from __future__ import annotations

import csv
import errno
import json
import multiprocessing
import os
import signal
import zipfile
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest

from neuraltree.storing import store
from search.errors import InputError, LockedError
from search.executors.work_folder import WorkFolder
from search.folder.records import RunFolder, read_npz, write_bytes, write_csv, write_json, write_npz, write_text


class Killed(BaseException):
    """Ends a test's writing where a kill would."""


def kill_before_rename(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let ``number`` files be written; die when the next one is beside its place but not yet in it."""
    rename = Path.replace
    done: list[Path] = []

    def replace(self: Path, target: Path) -> Path:
        if len(done) == number:
            raise Killed
        done.append(target)
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def started(path: Path) -> RunFolder:
    folder = RunFolder(path)
    folder.create()
    write_text(path / "config.toml", "")
    return folder


# Files.


def test_a_kill_between_write_and_rename_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    write_text(path, "old")
    with monkeypatch.context() as patch:
        kill_before_rename(patch, 0)
        with pytest.raises(Killed):
            write_text(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == {"a.csv", "a.csv.part"}
    write_text(path, "newer")
    assert path.read_text() == "newer"
    assert names(tmp_path) == {"a.csv"}


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_bytes(path, b"old")
    (tmp_path / "a.part").mkdir()  # so that the new content cannot be written
    with pytest.raises(OSError, match=r"/a'"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("write", [write_bytes, lambda path, content: store({path: content})], ids=["records", "store"])
def test_a_full_disk_is_said_of_the_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    path = tmp_path / "a"

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left") as failed:
        write(path, b"new")
    assert (failed.value.errno, failed.value.filename) == (errno.ENOSPC, str(path))
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-300, "1e-300"),
        (-0.0, "-0.0"),
        (np.float64(2 / 3), "0.6666666666666666"),
        (np.float32(0.1), "0.10000000149011612"),
        (5.0, "5.0"),
        (7, "7"),
        (np.int64(7), "7"),
        (None, ""),
        ("models/000.json", "models/000.json"),
    ],
)
def test_a_cell(tmp_path: Path, value: object, cell: str) -> None:
    write_csv(tmp_path / "a.csv", ["x"], [[value, "end"]])
    assert (tmp_path / "a.csv").read_bytes() == f"x\n{cell},end\n".encode()


def test_every_double_reads_back_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2**64, 1000, dtype=np.uint64).view(np.float64)
    values = values[np.isfinite(values)]
    write_csv(tmp_path / "a.csv", ["x"], [[value] for value in values])
    read = np.array([float(line) for line in (tmp_path / "a.csv").read_text().split()[1:]])
    assert read.tobytes() == values.tobytes()


def test_names_with_separators_read_back(tmp_path: Path) -> None:
    header = ['a,b "c"', "d\ne", "ü"]
    write_csv(tmp_path / "a.csv", header, [])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.reader(file)) == header


def test_json_holds_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nan"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not names(tmp_path)


def arrays() -> dict[str, np.ndarray]:
    record = np.zeros(3, dtype=[("op", "i4"), ("weight", "f8", (2,))])
    record["weight"] = np.random.default_rng(0).normal(size=(3, 2))
    return {"record": record, "column a/b": np.array([-0.0, np.nan, 5e-324]), "ok": np.array([True]), "n": np.array(3)}


def test_an_npz_reads_back_bit_for_bit(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", arrays())
    read = read_npz(tmp_path / "a.npz")
    assert list(read) == list(arrays())
    for name, array in arrays().items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        assert read[name].tobytes() == array.tobytes()
    write_npz(tmp_path / "b.npz", arrays())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_no_pickle_is_written_or_read(tmp_path: Path) -> None:
    objects = np.array([{}], dtype=object)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        write_npz(tmp_path / "a.npz", {"x": objects})
    assert not names(tmp_path)
    np.savez(tmp_path / "a.npz", x=objects)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_npz(tmp_path / "a.npz")


# A new folder.


def test_a_folder_is_made_with_its_parents_and_held(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    with RunFolder(path) as folder:
        folder.create()
        assert names(path) == {".lock"}
        with pytest.raises(LockedError, match="in use by another process"):
            RunFolder(path).create()


@pytest.mark.parametrize("left", [(), (".lock",), (".lock", "config.toml.part")])
def test_an_empty_folder_will_do_and_so_will_one_left_by_a_start_that_was_killed(
    tmp_path: Path, left: tuple[str, ...]
) -> None:
    for name in left:
        (tmp_path / name).write_text("")
    with RunFolder(tmp_path) as folder:
        folder.create()


def test_a_folder_of_something_else_is_refused_and_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"is not empty; name another folder with --out$"):
        RunFolder(tmp_path).create()
    with pytest.raises(InputError, match=r"is not a run folder: it has no config\.toml; start a run with"):
        RunFolder(tmp_path).reopen()
    assert names(tmp_path) == {"notes.txt"}


def test_a_folder_with_a_run_in_it_is_refused_with_the_way_to_go_on(tmp_path: Path) -> None:
    with started(tmp_path):
        pass
    with RunFolder(tmp_path) as folder, pytest.raises(InputError, match=r"is not empty; .* --resume"):
        folder.create()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file; name a new folder with --out"):
        RunFolder(tmp_path / "file").create()
    with pytest.raises(InputError, match=r"cannot make .*Not a directory; name another folder with --out"):
        RunFolder(tmp_path / "file" / "out").create()
    with pytest.raises(InputError, match="is not a run folder"):
        RunFolder(tmp_path / "absent").reopen()


def test_a_run_that_never_began_is_undone(tmp_path: Path) -> None:
    with started(tmp_path / "out") as folder:
        folder.update_manifest(status="running")
        WorkFolder(folder.path).make()  # as a run has that ends in its first generation
        folder.discard()
    assert not names(tmp_path)


def test_a_run_that_began_is_not_undone(tmp_path: Path) -> None:
    with started(tmp_path / "out") as folder:
        save(folder, 0)
        folder.discard()
        assert loaded(folder) == 0


# The lock.


def test_the_lock_ends_with_the_context(tmp_path: Path) -> None:
    with started(tmp_path), pytest.raises(LockedError):
        RunFolder(tmp_path).reopen()
    with RunFolder(tmp_path) as folder:
        assert folder.reopen() == {}


def hold_and_wait(path: Path, told: Event) -> None:
    folder = RunFolder(path)
    folder.reopen()
    told.set()
    signal.pause()


def test_the_lock_ends_with_a_killed_process(tmp_path: Path) -> None:
    with started(tmp_path):
        pass
    context = multiprocessing.get_context("spawn")
    told = context.Event()
    holder = context.Process(target=hold_and_wait, args=(tmp_path, told))
    holder.start()
    assert told.wait(30)
    for refused in (RunFolder(tmp_path).reopen, RunFolder(tmp_path).create):
        with pytest.raises(LockedError):
            refused()
    holder.kill()
    holder.join()
    with RunFolder(tmp_path) as folder:
        folder.reopen()


# The manifest.


def test_the_manifest_keeps_what_is_not_changed(tmp_path: Path) -> None:
    with started(tmp_path) as folder:
        folder.update_manifest(status="running", seed=3)
        folder.update_manifest(status="complete")
        assert folder.read_manifest() == {"status": "complete", "seed": 3}


@pytest.mark.parametrize(
    "text",
    ['{"status": ', "", "3", "[1]", '{"objectives": 5}', '{"objectives": [{}]}', '{"reference_point": ["a"]}',
     '{"versions": []}', '{"status": null}', '{"data_hash": 1}', '{"seed": "x"}', '{"machine": 3}'],
)  # fmt: skip
def test_a_damaged_manifest_is_said_to_be(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"manifest\.json is damaged"):
        RunFolder(tmp_path).read_manifest()


# Checkpoints.


def facts(generation: int) -> dict[str, object]:
    return {"generation": generation, "evaluations": 0, "history": []}


def save(folder: RunFolder, generation: int) -> None:
    folder.save_checkpoint(generation, {"x": np.array([generation])}, facts(generation))


def loaded(folder: RunFolder) -> int | None:
    """The generation of the checkpoint found, whose two parts must be of one generation."""
    found = folder.load_checkpoint()
    if found is None:
        return None
    assert found[0]["x"].tolist() == [found[1]["generation"]]
    return found[1]["generation"]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def test_two_checkpoints_are_kept_and_the_newest_is_loaded(folder: RunFolder) -> None:
    assert loaded(folder) is None
    for generation in (0, 1, 2, 10):
        save(folder, generation)
        assert loaded(folder) == generation
    kept = {f"state-{g:06d}.{suffix}" for g in (2, 10) for suffix in ("json", "npz")}
    assert names(folder.checkpoints) == kept


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def scramble(path: Path) -> None:
    path.write_bytes(b"\x00" * 200)


@pytest.mark.parametrize("harm", [cut, scramble, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_a_damaged_checkpoint_is_passed_over(folder: RunFolder, suffix: str, harm: Callable[[Path], object]) -> None:
    save(folder, 1)
    save(folder, 2)
    harm(folder.checkpoints / f"state-000002.{suffix}")
    assert loaded(folder) == 1
    save(folder, 2)
    assert loaded(folder) == 2
    for generation in (1, 2):
        harm(folder.checkpoints / f"state-{generation:06d}.{suffix}")
    with pytest.raises(InputError, match=rf"state-000002\.{suffix} is damaged"):
        folder.load_checkpoint()


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_a_checkpoint_of_one_file_is_passed_over(folder: RunFolder, suffix: str) -> None:
    save(folder, 1)
    save(folder, 2)
    (folder.checkpoints / f"state-000002.{suffix}").unlink()
    assert loaded(folder) == 1


@pytest.mark.parametrize("number", [0, 1])
def test_a_kill_while_saving_leaves_the_checkpoint_before(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    save(folder, 1)
    save(folder, 2)
    with monkeypatch.context() as patch:
        kill_before_rename(patch, number)
        with pytest.raises(Killed):
            save(folder, 3)
    assert loaded(folder) == 2
    for generation in (3, 4, 5):
        save(folder, generation)
    kept = {f"state-{g:06d}.{suffix}" for g in (4, 5) for suffix in ("json", "npz")}
    assert names(folder.checkpoints) == kept


def test_a_kill_while_old_checkpoints_go_leaves_nothing_for_good(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: Path) -> None:
        raise Killed

    save(folder, 1)
    save(folder, 2)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", die)
        with pytest.raises(Killed):
            save(folder, 3)
    assert loaded(folder) == 3
    (folder.checkpoints / "state-000001.json").unlink()  # half of the old one went
    save(folder, 4)
    assert names(folder.checkpoints) == {f"state-{g:06d}.{suffix}" for g in (3, 4) for suffix in ("json", "npz")}


def test_what_is_written_is_what_it_says_it_is(folder: RunFolder) -> None:
    save(folder, 0)
    assert json.loads((folder.checkpoints / "state-000000.json").read_text()) == facts(0)
    assert zipfile.ZipFile(folder.checkpoints / "state-000000.npz").namelist() == ["x.npy"]
