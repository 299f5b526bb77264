"""A worker ends with one line about an invitation that is none, and reads nothing outside the folder."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from search.executors import folder_worker
from search.executors.folder_worker import FolderWorker
from search.executors.wire import digest, pack
from search.worker import main as work

TABLE = pack({}, {})
TOLD = {"protocol": 1, "table": digest(TABLE), "config": "", "machine": {}}
INVITATIONS: dict[str, tuple[bytes, str]] = {
    "no message": (b"x", "no message of a search"),
    "no table": (pack({"protocol": 1}, {}), "it names no table"),
    "a table elsewhere": (pack(TOLD | {"table": "../../secret"}, {}), "it names no table"),
    "no config": (pack(TOLD | {"config": "= ="}, {}), "it tells no run"),
    "a config that is no text": (pack(TOLD | {"config": 3}, {}), "it tells no run"),
    "nested brackets": (pack(TOLD | {"config": "a = " + "[" * 9999}, {}), "it tells no run"),
    "no canary": (pack(TOLD | {"config": "[data]\nsource = 'iris'"}, {}), "it tells no run"),
    "another version": (pack({"protocol": 0}, {}), "another version of neuraltree"),
}


@pytest.mark.parametrize("name", INVITATIONS)
def test_a_damaged_invitation_is_said(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, said = INVITATIONS[name]
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "run.msg").write_bytes(content)
    (tmp_path / "work" / f"table-{digest(TABLE)}.msg").write_bytes(TABLE)
    assert work([str(tmp_path), "--threads", "1"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("made", [lambda path: path.mkdir(), lambda path: path.symlink_to("/etc/passwd")])
def test_an_invitation_that_is_no_file_is_said(made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "work").mkdir()
    made(tmp_path / "work" / "run.msg")
    assert work([str(tmp_path), "--threads", "1"]) == 2
    assert "run.msg" in (said := capsys.readouterr().err)
    assert "remove it" in said


def test_a_worker_that_computes_is_not_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk may take longer than a worker waits for one."""
    monkeypatch.setattr(folder_worker, "BEAT_S", 0.01)
    begun, go_on = threading.Event(), threading.Event()

    def slow(context: object, chunk: object) -> dict[str, Any]:
        begun.set()
        assert go_on.wait(60)
        return {}

    class Empty:
        trees = ()

    monkeypatch.setattr(folder_worker, "join", lambda *_: None)
    monkeypatch.setattr(folder_worker, "chunk_of", lambda _: Empty)
    monkeypatch.setattr(folder_worker, "run_chunk", slow)
    worker = FolderWorker(tmp_path, 1, print)
    for name in ("todo", "taken", "done", "workers"):
        (tmp_path / "work" / name).mkdir(parents=True)
    (tmp_path / "work" / "run.msg").write_bytes(pack(TOLD, {}))
    (tmp_path / "work" / f"table-{digest(TABLE)}.msg").write_bytes(TABLE)
    (tmp_path / "work" / "todo" / f"{digest(b'x')}.msg").write_bytes(b"x")
    threading.Thread(target=lambda: begun.wait(60) and (time.sleep(0.5), go_on.set()), daemon=True).start()
    assert worker.work(0.1, lambda: False) == "nothing was to do for 0 s"
    assert worker.chunks == 1
