"""What the server of live pages spends on one client, and that no folder sends it to the network."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sklearn.datasets

from search.folder.records import write_text
from search.report.__main__ import main
from search.report.facts.read import read_run
from search.report.live import serve
from search.report.live.serve import Server, listen
from tests.helpers.report_runs import write_run
from tests.report.test_report import data_of

pytest.importorskip("plotly", reason="the page needs plotly: pip install 'neuraltree[report]'")

REQUEST_S, THREADS = 0.5, 3
GET = b"GET /rows HTTP/1.0\r\nHost: localhost:%d\r\n\r\n"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(serve, "REQUEST_S", REQUEST_S)
    monkeypatch.setattr(serve, "ANSWER_S", REQUEST_S)
    monkeypatch.setattr(serve, "THREADS", THREADS)
    write_run(tmp_path / "done")
    with listen(tmp_path, 0) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server_port), timeout=20)


def closed_after(connection: socket.socket) -> float:
    """Seconds until the server has closed it."""
    begun = time.monotonic()
    while connection.recv(4096):
        pass
    return time.monotonic() - begun


def busy() -> int:
    """Threads that have a connection."""
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


def answered(server: Server) -> bool:
    with connect(server) as connection:
        connection.sendall(GET % server.server_port)
        return connection.recv(4096).startswith(b"HTTP/1.0 200")


@pytest.mark.parametrize("start", [b"", b"GET / HT", GET[:-2] % 1])
def test_a_client_that_does_not_go_on_is_left(server: Server, start: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(start)
        assert 0.5 * REQUEST_S < closed_after(connection) < 10 * REQUEST_S


def test_a_byte_now_and_then_does_not_prolong_it(server: Server) -> None:
    begun, sent = time.monotonic(), 0
    with connect(server) as connection, suppress(ConnectionError):
        while time.monotonic() - begun < 20:
            connection.sendall(b"x")
            sent += 1
            time.sleep(REQUEST_S / 10)
    assert sent < 100
    assert time.monotonic() - begun < 10


def test_a_client_that_does_not_take_its_answer_is_left(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer larger than what the system keeps for it."""
    monkeypatch.setattr(serve, "answer", lambda *_: serve.Answer(200, "text/plain", "x" * 50_000_000))
    with connect(server) as connection:
        connection.sendall(GET % server.server_port)
        time.sleep(REQUEST_S / 2)
        assert busy() == 1
        deadline = time.monotonic() + 20
        while busy():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_clients_are_served_by_so_many_threads_and_others_wait(server: Server) -> None:
    slow = [connect(server) for _ in range(20)]
    most = 0
    begun = time.monotonic()
    for connection in slow[:5]:
        connection.sendall(b"GET")
    while time.monotonic() - begun < REQUEST_S / 2:
        most = max(most, busy())
        time.sleep(0.01)
    assert most == THREADS
    assert answered(server), "it waits for those before it, and they do not wait for ever"
    assert time.monotonic() - begun < 20 * REQUEST_S
    for connection in slow:
        connection.close()
    for _ in range(3 * THREADS):
        assert answered(server), "a place that was taken is free again"


def test_a_client_that_has_gone_leaves_its_place(server: Server) -> None:
    for _ in range(3 * THREADS):
        connect(server).close()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", "/run/done/data.json")
    assert json.loads(connection.getresponse().read())["status"] == "complete"


def test_a_report_fetches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever made the folder could otherwise see who looks at it."""
    asked: list[object] = []
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **options: asked.append(options))
    run = write_run(tmp_path / "r")
    text = (run / "config.toml").read_text()
    line = next(line for line in text.splitlines() if line.startswith("source = "))
    write_text(run / "config.toml", text.replace(line, 'source = "openml:61"'))
    config = read_run(run).config
    assert config is not None
    assert config.data.source == "openml:61"
    assert main([str(run)]) == 0
    found = data_of((run / "report.html").read_text())
    assert "openml:61 is on the network, and a report reads only what is on this computer" in found["test"]["missing"]
    assert asked == []


def test_data_that_the_memory_is_too_small_for_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as /proc/kcore, a regular file of 128 TiB by its own account."""

    def too_large(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("search.report.facts.tested.load_table", too_large)
    run = write_run(tmp_path / "r")
    assert main([str(run)]) == 0
    assert "not enough memory" in data_of((run / "report.html").read_text())["test"]["missing"]
