"""The server of live pages: what it answers, to whom, and that nothing else can be had from it."""

from __future__ import annotations

import html
import http.client
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from search.errors import InputError
from search.report.__main__ import main
from search.report.facts.read import Run
from search.report.live.serve import Server, listen, serve
from search.report.live.site import answer, discover
from tests.helpers.report_runs import IMG, write_history, write_members, write_run
from tests.report.test_report import check_harmless, data_of

pytest.importorskip("plotly", reason="the page needs plotly: pip install 'neuraltree[report]'")

HOST, PORT = "127.0.0.1:8765", 8765


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder of a finished run, one that goes on in a folder below, and other things."""
    root = tmp_path / "results"
    write_run(root / "done")
    write_run(root / "deep" / "er" / "going on", final=False)
    (root / "empty").mkdir()
    (root / "note.txt").write_text("secret")
    write_run(tmp_path / "outside")
    (root / "link").symlink_to(tmp_path / "outside")
    return root


def get(root: Path, target: str) -> tuple[int, str]:
    found = answer(root, target, HOST, PORT)
    return found.status, found.body


def test_runs_are_found_below_the_folder_and_links_are_not_followed(results: Path) -> None:
    assert list(discover(results)) == ["deep/er/going on", "done"]
    assert list(discover(results / "done")) == ["done"]
    assert discover(results / "empty") == {}


def test_the_index_lists_every_run_with_its_state(results: Path) -> None:
    status, text = get(results, "/")
    assert status == 200
    assert '<a href="/run/done/">done</a>' in text
    assert '<a href="/run/deep%2Fer%2Fgoing%20on/">deep/er/going on</a>' in text
    assert "complete" in text
    assert "running" in text
    assert get(results, "/rows")[1] in text
    assert get(results / "empty", "/rows")[1].count("<tr>") == 1


def test_the_index_says_which_error_is_the_best(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", members=5)
    assert '<td class="number">0.1</td>' in get(tmp_path, "/rows")[1]
    manifest = json.loads((run / "manifest.json").read_text()) | {"objectives": ["balanced_error", "weights"]}
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert '<td class="number">0.1 (balanced error)</td>' in get(tmp_path, "/rows")[1]
    assert "Best validation error" in get(tmp_path, "/")[1]


@pytest.mark.parametrize("target", ["/run/deep%2Fer%2Fgoing%20on/", "/run/deep/er/going%20on/", "/run/done/?x=1#y"])
def test_a_run_has_a_page(results: Path, target: str) -> None:
    status, text = get(results, target)
    assert status == 200
    found = data_of(text)
    assert found["live"]
    assert found["members"]["id"] == [100, 101, 102, 103]
    assert "connect-src 'self'" in text


def test_what_changes_is_read_again_every_time(results: Path) -> None:
    run = results / "deep" / "er" / "going on"
    before = json.loads(get(results, f"/run/{quote('deep/er/going on', safe='')}/data.json")[1])
    write_members(run, 7, ("x0", "x1"), ("no", "yes"), costs=False, final=False)
    write_history(run, 9)
    after = json.loads(get(results, f"/run/{quote('deep/er/going on', safe='')}/data.json")[1])
    assert [len(found["members"]["id"]) for found in (before, after)] == [4, 7]
    assert [len(found["history"]["generation"]) for found in (before, after)] == [3, 9]
    assert not before["final"]
    assert after["status"] == "running"


def test_a_page_follows_its_files(results: Path) -> None:
    assert len(data_of(get(results, "/run/done/")[1])["history"]["generation"]) == 3
    write_history(results / "done", 4)
    assert len(data_of(get(results, "/run/done/")[1])["history"]["generation"]) == 4


@pytest.mark.parametrize(
    "target",
    [
        "/run/../outside/", "/run/..%2Foutside/", "/run/%2e%2e/outside/", "/run/%2e%2e%2foutside/data.json",
        "/run/..%252Foutside/", "/run/done/../../outside/", "/run/done/config.toml", "/run/done/../done/front.csv",
        "/run/link/", "/run/empty/", "/run//etc/passwd", "/run/%2Fetc/", "/run/", "/run", "/note.txt", "/../note.txt",
        "//etc/passwd", "/etc/passwd", "/run/done", "/run/done/data.json/", "/run/done%00/", "/run/./done/", "",
        "http://example.org/run/x/", "/run/done\\/", "/static/style.css", "/run/deep/",
    ],
)  # fmt: skip
def test_nothing_else_can_be_had(results: Path, target: str) -> None:
    status, text = get(results, target)
    assert status == 404
    assert text == "There is no such page; the list of runs is at /"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "", None, "0.0.0.0:8765"]
)
def test_other_hosts_are_not_answered(results: Path, host: str | None) -> None:
    found = answer(results, "/", host, PORT)
    assert found.status == 421
    assert "done" not in found.body


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765"])
def test_this_computer_is_answered(results: Path, host: str) -> None:
    assert answer(results, "/", host, PORT).status == 200


def test_hostile_names_are_harmless_in_the_list(tmp_path: Path) -> None:
    name = IMG.replace("/", "")
    write_run(tmp_path / name)
    status, text = get(tmp_path, "/")
    assert status == 200
    check_harmless(text)
    assert get(tmp_path, f"/run/{quote(name, safe='')}/")[0] == 200


def test_a_damaged_run_is_listed_and_the_others_are_served(results: Path) -> None:
    (results / "done" / "manifest.json").write_text("[")
    status, text = get(results, "/")
    assert status == 200
    assert "unknown" in text
    assert get(results, "/run/done/")[0] == 200


def test_what_a_manifest_or_an_error_says_is_harmless(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (results / "done" / "manifest.json").write_text(json.dumps({"status": IMG}))
    text = get(results, "/")[1]
    assert html.escape(IMG) in text
    check_harmless(text)

    def gone(path: Path) -> Run:
        raise InputError(IMG)

    monkeypatch.setattr("search.report.live.site.read_run", gone)
    text = get(results, "/")[1]
    assert text.count(html.escape(IMG)) == 2
    check_harmless(text)


def test_runs_far_below_are_not_looked_for(results: Path) -> None:
    write_run(results / "a" / "b" / "c" / "last")
    write_run(results / "a" / "b" / "c" / "d" / "too far")
    assert list(discover(results)) == ["a/b/c/last", "deep/er/going on", "done"]


# Through a socket.


@pytest.fixture
def server(results: Path) -> Iterator[Server]:
    with listen(results, 0) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(server: Server, method: str, target: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, target, headers=headers)
    answered = connection.getresponse()
    answered.body = answered.read()  # type: ignore[attr-defined]
    connection.close()
    return answered


def test_a_browser_is_told_to_keep_it_to_itself(server: Server) -> None:
    found = ask(server, "GET", "/run/done/data.json")
    assert found.status == 200
    assert found.getheader("Content-Type") == "application/json"
    assert found.getheader("X-Content-Type-Options") == "nosniff"
    assert found.getheader("Cache-Control") == "no-store"
    assert found.getheader("Cross-Origin-Resource-Policy") == "same-origin"
    assert "frame-ancestors 'none'" in str(found.getheader("Content-Security-Policy"))
    assert found.getheader("Access-Control-Allow-Origin") is None
    assert found.getheader("Server") == "neuraltree"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_only_get_is_answered(server: Server, method: str) -> None:
    found = ask(server, method, "/")
    assert (found.status, found.getheader("Allow")) == (405, "GET")


def test_a_name_that_points_here_is_refused(server: Server) -> None:
    assert ask(server, "GET", "/", Host=f"evil.example:{server.server_port}").status == 421


def test_it_listens_to_this_computer_only(server: Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_a_port_in_use_is_refused_or_the_next_one_taken(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {taken} is in use"):
            listen(results, taken)
        monkeypatch.setattr("search.report.live.serve.PORT", taken)
        with listen(results) as found:
            assert found.server_port > taken


def test_ctrl_c_ends_it_with_code_0(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(self: Server) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", interrupted)
    assert serve(results, 0) == 0
    assert main(["--serve", str(results), "--port", "0"]) == 0
    output, errors = capsys.readouterr()
    assert output.count("http://127.0.0.1:") == 2
    assert errors == ""


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")
def test_a_name_that_is_no_text_is_served_beside_the_others(results: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    write_run(results / name)
    status, text = get(results, "/")
    assert status == 200
    assert 'href="/run/caf%E9/"' in text
    assert get(results, "/run/caf%E9/")[0] == 200
    assert main([str(results / name), "--out", str(results / "page.html")]) == 0
    assert data_of((results / "page.html").read_text())["name"] == "caf?"


def test_a_name_that_is_no_text_goes_through_a_socket(server: Server, results: Path) -> None:
    write_run(results / os.fsdecode(b"caf\xe9"))
    assert [ask(server, "GET", target).status for target in ("/", "/run/caf%E9/")] == [200, 200]


def test_a_folder_that_goes_away_meanwhile_hides_no_other(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def gone(folder: Path) -> object:
        if folder.name == "deep":
            raise FileNotFoundError(folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", gone)
    assert list(discover(results)) == ["done"]
