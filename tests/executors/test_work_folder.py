"""The folder through which a run and its workers talk: whole files, one taker, nothing from outside."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from search.errors import InputError
from search.executors import folder_pool, folder_worker
from search.executors.folder_pool import FolderPool
from search.executors.folder_worker import FolderWorker
from search.executors.joining import Invitation
from search.executors.wire import WireError, digest, pack, unpack
from search.executors.work_folder import DONE, TAKEN, TODO, WORKERS, Beat, WorkFolder, read

NAME = "0123456789abcdef" * 2
OTHER = "f" * 32


@pytest.fixture
def folder(tmp_path):
    made = WorkFolder(tmp_path)
    made.make()
    return made


def test_only_one_of_many_takes_a_chunk(folder):
    with ThreadPoolExecutor(8) as threads:
        for _ in range(30):
            folder.put(TODO, {f"{NAME}.msg": b"x"})
            (entry,) = folder.entries(TODO)
            taken = [*threads.map(lambda i, entry=entry: folder.take(entry, f"w{i}"), range(8))]
            (mine,) = [each for each in taken if each]
            assert folder.entries(TODO) == []
            assert read(mine.path) == b"x"
            mine.path.unlink()


def test_a_chunk_given_back_can_be_taken_again(folder):
    folder.put(TODO, {f"{NAME}.msg": b"x"})
    mine = folder.take(folder.entries(TODO)[0], "a")
    folder.give_back(mine)
    assert [entry.chunk for entry in folder.entries(TODO)] == [NAME]
    assert folder.entries(TAKEN) == []


@pytest.mark.parametrize(
    "name", ["x.msg", f"{NAME}.npy", f"{NAME}@a.msg", f"../{NAME}.msg", f".{NAME}.msg.part", "..."]
)
def test_other_names_are_ignored(folder, name):
    (folder.path / TODO / name).write_bytes(b"x")
    assert folder.entries(TODO) == []


def test_a_link_is_not_followed(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (folder.path / TODO / f"{NAME}.msg").symlink_to(secret)
    assert folder.entries(TODO) == []
    with pytest.raises(WireError, match="is a link"):
        read(folder.path / TODO / f"{NAME}.msg")


@pytest.mark.parametrize("name", [TODO, DONE])
def test_a_folder_that_is_a_link_is_refused(folder, tmp_path, name):
    (folder.path / name).rmdir()
    (folder.path / name).symlink_to(tmp_path)
    with pytest.raises(InputError, match=f"{name} is a link or a file"):
        folder.make()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "work").write_text("x")
    with pytest.raises(InputError, match="work is a link or a file"):
        WorkFolder(tmp_path).make()


def test_a_pipe_and_a_large_file_are_refused(folder):
    os.mkfifo(folder.path / TODO / f"{NAME}.msg")
    with pytest.raises(WireError, match="no file of at most"):
        read(folder.path / TODO / f"{NAME}.msg")
    (folder.path / "large").write_bytes(b"x" * 11)
    with pytest.raises(WireError, match="no file of at most 10 bytes"):
        read(folder.path / "large", most=10)


def test_heartbeats_that_are_damaged_are_none(folder):
    folder.beat("a", Beat(3, 2))
    (folder.path / WORKERS / "b.json").write_text("{")
    (folder.path / WORKERS / "c.json").write_text('{"count": 1, "threads": 1, "run": "code"}')
    assert folder.beats() == {"a": Beat(3, 2)}


def test_what_is_removed_leaves_the_run_alone(folder, tmp_path):
    (tmp_path / "front.csv").write_text("x")
    folder.put(TODO, {f"{NAME}.msg": b"x"})
    folder.beat("a", Beat(1, 1))
    folder.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["front.csv"]
    folder.remove()


class Pools:
    """A pool, the clock that it sees, and what it says."""

    def __init__(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(folder_pool.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(folder_pool.time, "sleep", self.wait)
        self.said: list[str] = []
        self.pool = FolderPool(run, Invitation(b"message", b"table", OTHER), self.said.append)
        self.folder = WorkFolder(run)

    def wait(self, seconds: float) -> None:
        self.now += max(seconds, 0.1)

    def look(self):
        self.now += 2
        return self.pool.answers(0.0)


@pytest.fixture
def pools(tmp_path, monkeypatch):
    return Pools(tmp_path, monkeypatch)


def test_the_chunks_of_a_silent_worker_go_to_others_and_then_are_cut(pools):
    pools.pool.offer({NAME: b"chunk"})
    for worker, left in (("a", True), ("b", False)):
        pools.folder.beat(worker, Beat(1, 1))
        assert pools.look() == []
        pools.folder.take(pools.folder.entries(TODO)[0], worker)
        pools.now += 25
        assert pools.look() == []  # not yet
        pools.now += 25
        found = pools.look()
        assert [entry.chunk for entry in pools.folder.entries(TODO)] == [NAME] * left
        assert f"worker {worker} has been silent for 30 s; others do its work" in pools.said
    assert [(answer.name, answer.problem) for answer in found] == [(NAME, "2 workers died over it")]


def test_a_worker_that_beats_keeps_its_chunks(pools):
    pools.pool.offer({NAME: b"chunk"})
    pools.folder.beat("a", Beat(1, 1))
    pools.folder.take(pools.folder.entries(TODO)[0], "a")
    for count in range(2, 40):
        pools.folder.beat("a", Beat(count, 1))
        assert pools.look() == []
    assert pools.folder.entries(TODO) == []
    assert pools.pool.slots() == 1
    assert pools.pool.all_begun()


def test_a_refusal_is_told_once_and_counts_no_threads(pools):
    for count in range(3):
        pools.folder.beat("a", Beat(count, 0, "it computes other bits"))
        pools.look()
    assert pools.said == ["it computes other bits"]
    assert pools.pool.slots() == 0


def test_folders_with_the_names_of_files_are_ignored(pools, tmp_path):
    for name, file in ((TODO, f"{OTHER}.msg"), (TAKEN, f"{OTHER}@a.msg"), (DONE, f"{NAME}@a.msg"), (WORKERS, "a.json")):
        (pools.folder.path / name / file).mkdir()
    pools.pool.offer({NAME: b"chunk"})
    assert pools.look() == []
    assert pools.pool.claim() == NAME
    FolderPool(tmp_path, Invitation(b"message", b"table", OTHER), print)


def test_answers_are_read_once_and_damaged_ones_are_problems(pools):
    pools.pool.offer({NAME: b"chunk", OTHER: b"chunk"})
    good = pack({"seconds": 0.5, "problem": ""}, {})
    pools.folder.put(DONE, {f"{NAME}@a.msg": good, f"{OTHER}@a.msg": good[:40]})
    found = {answer.name: answer for answer in pools.look()}
    assert found[NAME].result == {}
    assert found[NAME].seconds == 0.5
    assert found[OTHER].result is None
    assert "its answer is damaged" in found[OTHER].problem
    assert pools.look() == []


def test_results_of_a_search_that_was_killed_are_used_and_those_of_another_run_are_not(pools, tmp_path):
    good = pack({"seconds": 0.5, "problem": ""}, {})
    pools.folder.put(DONE, {f"{NAME}@a.msg": good})
    again = FolderPool(tmp_path, Invitation(b"message", b"table", OTHER), print)
    again.offer({NAME: b"chunk"})
    assert pools.folder.entries(TODO) == []
    assert [answer.name for answer in again.answers(0.0)] == [NAME]
    pools.folder.put(DONE, {f"{NAME}@a.msg": good})
    other = FolderPool(tmp_path, Invitation(b"changed", b"table", OTHER), print)
    other.offer({NAME: b"chunk"})
    assert [entry.chunk for entry in pools.folder.entries(TODO)] == [NAME]


@pytest.mark.parametrize("ended", [True, False])
def test_a_heartbeat_fails_aloud_unless_the_run_has_ended(folder, ended):
    """The search removes its folder of work at its end. Another error, as of a file in the way, is told."""
    (folder.path / WORKERS).rmdir()
    if not ended:
        (folder.path / WORKERS).write_bytes(b"")

    class Once(threading.Event):
        def wait(self, timeout=None):
            del timeout
            self.set()
            return True

    said: list[str] = []
    FolderWorker(folder.path.parent, 1, said.append)._beat(Once())
    assert len(said) == (not ended)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_chunk_whose_content_is_not_that_of_its_name_is_not_computed(folder, monkeypatch, damaged):
    """A whole chunk in the place of another would be trained as that other."""
    computed = []

    class Trees:
        trees = (1, 2)

    monkeypatch.setattr(folder_worker, "chunk_of", lambda message: Trees)
    monkeypatch.setattr(folder_worker, "run_chunk", lambda context, chunk: computed.append(chunk) or {})
    name = digest(b"one chunk")
    folder.put(TODO, {f"{name}.msg": b"another chunk" if damaged else b"one chunk"})
    worker = FolderWorker(folder.path.parent, 1, print)
    assert worker._answered(None, worker._taken(), threading.Event())
    assert len(computed) == (not damaged)
    (answer,) = folder.entries(DONE)
    problem = unpack(read(answer.path))[0]["problem"]
    assert answer.chunk == name
    assert problem == ("WireError: the chunk is damaged: its content is not that of its name" if damaged else "")
