"""Files of a run read back: damage is told from what the system refuses now, and no advice loses data."""

from __future__ import annotations

import errno
import json
import os
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from search.errors import DamagedError, InputError
from search.folder.history import load_history
from search.folder.records import RunFolder, read_json, read_npz, write_npz, write_text
from search.front import load_front
from search.reading import mapped_npz
from search.report.facts.member_models import live_nodes
from search.report.facts.read import read_run
from tests.helpers.report_runs import write_checkpoint, write_run

# What the system says of a file that may be whole.
PASSING = (errno.EACCES, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ESTALE)


def refuse(monkeypatch: pytest.MonkeyPatch, suffix: str, error: BaseException) -> None:
    """Files of that name's end cannot be read."""
    opened = Path.open

    def fail(self: Path, mode: str = "r", *more: object, **keywords: object) -> object:
        if self.name.endswith(suffix) and "r" in mode:
            raise error
        return opened(self, mode, *more, **keywords)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", fail)


def system_error(number: int) -> OSError:
    return OSError(number, os.strerror(number), "the file")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """With two checkpoints, a manifest and the parts of two generations."""
    made = RunFolder(tmp_path)
    for generation in (0, 1):
        made.save_parts(generation, {"x": np.arange(3)}, {"x": np.arange(3)})
        made.save_checkpoint(generation, {"x": np.array([generation])}, {"generation": generation})
    made.update_manifest(seed=1)
    return made


READERS: dict[str, tuple[str, Callable[[RunFolder], object]]] = {
    "a checkpoint's arrays": ("state-000001.npz", RunFolder.load_checkpoint),
    "a checkpoint's facts": ("state-000001.json", RunFolder.load_checkpoint),
    "the manifest": ("manifest.json", RunFolder.read_manifest),
    "a log": ("history-000000.log", lambda folder: folder.parts("history")),
}


@pytest.mark.parametrize("number", PASSING)
@pytest.mark.parametrize("what", READERS)
def test_what_cannot_be_read_now_is_not_called_damaged(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    name, read = READERS[what]
    with monkeypatch.context() as patch:
        refuse(patch, name, system_error(number))
        with pytest.raises(InputError) as refused:
            read(folder)
    said = str(refused.value)
    assert os.strerror(number) in said
    assert name in said
    assert not re.search(r"\b(damaged|delete|remove|move)\b", said), said
    assert "\n" not in said
    assert read(folder) is not None


@pytest.mark.parametrize("what", READERS)
def test_too_little_memory_is_not_damage(folder: RunFolder, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    name, read = READERS[what]
    refuse(monkeypatch, name, MemoryError())
    with pytest.raises(InputError, match=f"{name} cannot be read: {os.strerror(errno.ENOMEM)}"):
        read(folder)


def enlarged(content: bytes) -> bytes:
    """The same number of bytes, of which those of an array's header say that it has 2^50 numbers and not 2000."""
    old, shape = b"(2000,), }" + b" " * 20, f"({2**50},), }}".encode()
    assert content.count(old) == 1
    return content.replace(old, shape.ljust(len(old)))


def test_a_damaged_archive_that_asks_for_all_memory_is_damaged(folder: RunFolder) -> None:
    """Its checksum tells; so the checkpoint before it is taken."""
    path = folder.checkpoints / "state-000001.npz"
    write_npz(path, {"x": np.arange(2000)})  # more than is read at once, so that the shape counts before the checksum
    path.write_bytes(enlarged(path.read_bytes()))
    with pytest.raises(InputError, match="is damaged: a checksum is wrong"):
        read_npz(path)
    stored = folder.load_checkpoint()
    assert stored is not None
    assert stored[1]["generation"] == 0


def test_an_archive_whose_checksum_holds_is_not_called_damaged_for_want_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, {"x": np.arange(2000)})
    with zipfile.ZipFile(path) as stored:
        array = enlarged(stored.read("x.npy"))
    with zipfile.ZipFile(path, "w") as changed:
        changed.writestr("x.npy", array)
    with pytest.raises(InputError, match="cannot be read: Cannot allocate memory"):
        read_npz(path)


@pytest.mark.parametrize("at", [0, 4, 10, 20, -22, -10, -6, -3])
def test_whatever_byte_of_an_archive_is_changed_there_is_no_other_error(tmp_path: Path, at: int) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, {"x": np.arange(3)})
    for value in (0, 1, 127, 255):
        content = bytearray(path.read_bytes())
        content[at] = value
        (tmp_path / "b.npz").write_bytes(content)
        with suppress(DamagedError):
            assert read_npz(tmp_path / "b.npz").get("x", np.arange(3)).tolist() == [0, 1, 2]


def test_a_checkpoint_that_is_missing_a_file_is_passed_over(folder: RunFolder) -> None:
    (folder.checkpoints / "state-000001.npz").unlink()
    stored = folder.load_checkpoint()
    assert stored is not None
    assert stored[1]["generation"] == 0


def test_the_advice_for_damage_keeps_what_there_is(folder: RunFolder) -> None:
    for path in folder.checkpoints.glob("state-*.npz"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="restore one from a copy; to begin the run again, move or delete"):
        folder.load_checkpoint()
    write_text(folder.path / "manifest.json", "")
    with pytest.raises(InputError, match="restore it, or move it away"):
        folder.read_manifest()


# Pipes and devices, which never end or never give anything.

FILES = ("manifest.json", "front.csv", "history.csv", "live.csv", "baselines.csv", "config.toml")


@pytest.mark.parametrize(
    "name", ["manifest.json", "front.csv", "history.csv", "live.csv", "baselines.csv", "config.toml"]
)
@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_no_file_of_a_run_folder_can_hold_up_a_reader(tmp_path: Path, name: str, kind: str) -> None:
    write_text(tmp_path / "live.csv", "id,status,val_error\n1,evolving,0.5\n")
    write_text(tmp_path / "config.toml", 'data.source = "iris"')
    (tmp_path / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).symlink_to("/dev/zero")
    if name == "config.toml":
        write_text(tmp_path / "manifest.json", "{}")
    run = read_run(tmp_path)
    assert run.notes


def test_a_live_page_does_without_a_checkpoint_of_other_contents(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", final=False)
    write_checkpoint(run, [100], [2])
    assert [nodes is None for nodes in live_nodes(run, read_run(run).front)] == [False, True, True, True]
    RunFolder(run).save_checkpoint(1, {"x": np.arange(3)}, {"generation": 1})
    assert live_nodes(run, read_run(run).front) == [None] * 4


# The history.


GOOD = "generation,evaluations\n0,8\n"


@pytest.mark.parametrize("text", [b"generation,evaluations\n0,eight\n", b"generation\n\xff\n", b"generation\n0,1,2\n",
                                  b"generation,evaluations\n0\n", b"generation\n%b\n" % (b"1" * 200_000)])  # fmt: skip
def test_a_damaged_table_of_the_history_is_an_input_error(tmp_path: Path, text: bytes) -> None:
    write_npz(tmp_path / "evolution.npz", evolution())
    write_text(tmp_path / "history.csv", GOOD)
    assert load_history(tmp_path).rows == [{"generation": 0.0, "evaluations": 8.0}]
    (tmp_path / "history.csv").write_bytes(text)
    with pytest.raises(InputError, match=r"history\.csv is damaged: .*; restore it"):
        load_history(tmp_path)


def test_a_line_that_is_being_written_is_not_read(tmp_path: Path) -> None:
    write_npz(tmp_path / "evolution.npz", evolution())
    for unfinished in ("1", "1,", "1,1"):
        write_text(tmp_path / "history.csv", GOOD + unfinished)
        assert load_history(tmp_path).rows == [{"generation": 0.0, "evaluations": 8.0}]


@pytest.mark.parametrize("lost", ["parents", "front", "front_starts", "activations", "activation_nodes"])
def test_a_history_without_one_of_its_arrays_is_an_input_error(tmp_path: Path, lost: str) -> None:
    write_npz(tmp_path / "evolution.npz", {name: array for name, array in evolution().items() if name != lost})
    with pytest.raises(InputError, match=r"the history in .* is damaged: KeyError"):
        load_history(tmp_path)


def evolution() -> dict[str, np.ndarray]:
    none = np.zeros(0, np.int64)
    names = ("parents", "operator", "generation", "ok", "feasible", "activation_nodes", "front")
    return dict.fromkeys(names, none) | {"front_starts": np.array([0, 0]), "activations": np.array(["tanh"])}


# What a front names.


FRONT = "id,status,val_error,weights,model\n1,ok,0.5,9,"


@pytest.mark.parametrize(
    "model", ["/dev/zero", "../secret.json", "models/../../secret.json", "/etc/passwd", "models/out"]
)
def test_a_model_outside_the_run_folder_is_refused(tmp_path: Path, model: str) -> None:
    run = tmp_path / "run"
    (run / "models").mkdir(parents=True)
    (tmp_path / "secret.json").write_text("{}")
    (run / "models" / "out").symlink_to(tmp_path / "secret.json")
    write_text(run / "front.csv", FRONT + model + "\n")
    with pytest.raises(InputError, match=r"front\.csv is damaged: the model .* is not in the run folder; restore it"):
        load_front(run)


def test_a_run_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    write_text(tmp_path / "real" / "front.csv", FRONT + "models/000.json\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert load_front(tmp_path / "link")[0].path == tmp_path / "link" / "models" / "000.json"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_model_that_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "models").mkdir()
    make(tmp_path / "models" / "000.json")
    write_text(tmp_path / "front.csv", FRONT + "models/000.json\n")
    with pytest.raises(ValueError, match=r"000\.json: not a regular file"):
        load_front(tmp_path)[0].tree()


def test_json_of_a_run_is_an_object(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", json.dumps([1]))
    with pytest.raises(InputError, match="not an object"):
        read_json(tmp_path / "a.json")


def test_a_mapped_archive_is_that_of_read_npz_and_is_not_in_memory(tmp_path: Path) -> None:
    arrays = {
        "a": np.arange(500_000.0),
        "texts": np.array(["ä", "bc"]),
        "none": np.zeros((0, 3), np.int32),
        "nodes": np.array([(1, 2.5), (3, 4.5)], [("op", np.int32), ("weight", np.float64)]),
        "one": np.array(7),
    }
    write_npz(tmp_path / "a.npz", arrays)
    tracemalloc.start()
    found = mapped_npz(tmp_path / "a.npz")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2_000_000  # "a" alone has 4 MB; the checksums are made of blocks of 1 MiB
    for name, array in read_npz(tmp_path / "a.npz").items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes() == arrays[name].tobytes()
    with pytest.raises(ValueError, match="read-only"):
        found["a"][0] = 1
    np.savez_compressed(tmp_path / "b.npz", **arrays)
    assert mapped_npz(tmp_path / "b.npz")["a"].tobytes() == arrays["a"].tobytes()


def test_a_mapped_archive_with_a_changed_byte_or_with_objects_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npz(path, {"a": np.arange(2000.0), "b": np.arange(5)})
    whole = path.read_bytes()
    for place in range(0, len(whole), 997):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        with suppress(DamagedError):
            found = mapped_npz(path)
            assert found["a"].tobytes() == np.arange(2000.0).tobytes()  # the byte is one of those that nobody needs
    path.write_bytes(whole[:-40])
    with pytest.raises(DamagedError, match="is damaged"):
        mapped_npz(path)
    with pytest.raises(DamagedError, match="is damaged"):
        mapped_npz(tmp_path / "none.npz")
    with zipfile.ZipFile(path, "w") as stored, stored.open("a.npy", "w") as file:
        np.lib.format.write_array(file, np.array([None]), allow_pickle=True)
    with pytest.raises(DamagedError, match="it holds Python objects, which are never read"):
        mapped_npz(path)
