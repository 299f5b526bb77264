"""Files of a run that are lost: it goes on without, says so, and is never silently wrong; and how a run is stopped."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import search.runs.loop
from neuraltree.hardware.measure.cores import MeasureError
from search import load_history, pictures
from search.errors import InputError
from search.folder import records
from search.folder.logs import walk
from search.run import main
from tests.helpers.writes import at_writes

ROOT = Path(__file__).parents[2]
GENERATIONS, POPULATION = 3, 8
CONFIG = f"""
[data]
source = "iris"
[space]
max_nodes = 15
[search]
population = {POPULATION}
generations = {GENERATIONS}
folds = 2
objectives = ["error", "weights"]
[train]
epochs = 2
[baselines]
models = ["linear"]
"""


class Killed(BaseException):
    """Ends a run where a kill would."""


def at_file(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], None]) -> None:
    """Calls ``act`` before a file of that name is put into its place or appended to."""
    at_writes(monkeypatch, lambda path: act() if path.name == name else None)


def kill() -> None:
    raise Killed


def status(out: Path) -> str:
    return str(json.loads((out / "manifest.json").read_text())["status"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, Path]]:
    """A config; the folder of a run that is complete; that of the same run, killed before its front was written."""
    folder = tmp_path_factory.mktemp("lost")
    config, whole, killed = folder / "tiny.toml", folder / "whole", folder / "killed"
    config.write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("draw_front", "draw_hypervolume"):
            patch.setattr(pictures, name, lambda path, *_: records.write_bytes(path, b""))
        assert main([str(config), "--out", str(whole), "--quiet"]) == 0
        with patch.context() as killing:
            at_file(killing, "000.json", kill)
            with pytest.raises(Killed):
                main([str(config), "--out", str(killed), "--quiet"])
        yield config, whole, killed


@pytest.fixture
def whole(made: tuple[Path, Path, Path]) -> Path:
    return made[1]


@pytest.fixture
def run(made: tuple[Path, Path, Path], tmp_path: Path) -> Path:
    """The folder of a run that has all its generations and no front."""
    return shutil.copytree(made[2], tmp_path / "run")


def changed(path: Path) -> None:
    """A bit in the last column of the second generation; the line of history.csv, 4 bytes a letter, comes after it."""
    content, end = bytearray(path.read_bytes()), walk(path)[1].end
    row = content.find("1,16,".encode("utf-32-le"), 0, end)
    content[(row if row > 0 else end) - 5] ^= 1
    path.write_bytes(content)


LOST: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "cut": lambda path: path.write_bytes(path.read_bytes()[: walk(path)[1].end - 5]),
    "empty": lambda path: path.write_bytes(b""),
    "changed": changed,
    "of something else": lambda path: records.write_npz(path, {"x": np.arange(3)}),
}
KINDS = {"history": ("evolution.npz", "archive.npz"), "archive": ("archive.npz", "evolution.npz")}


@pytest.mark.parametrize(("how", "options"), [*((how, []) for how in LOST), ("cut", ["--quiet"])])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_completes_without_a_log_that_is_lost(
    run: Path, whole: Path, capsys: pytest.CaptureFixture[str], kind: str, how: str, options: list[str]
) -> None:
    lacking, other = KINDS[kind]
    log = run / "checkpoint" / f"{kind}-000000.log"
    kept = log.read_bytes()
    LOST[how](log)
    assert main([str(run), "--resume", *options]) == 0
    said = capsys.readouterr().err
    assert status(run) == "complete"
    (line,) = [line for line in said.splitlines() if lacking in line]
    assert "restore this part and run again with --resume" in line
    assert log.name in line
    assert not (run / lacking).exists()
    for name in (other, "front.csv"):
        assert (run / name).read_bytes() == (whole / name).read_bytes()
    assert {path.name for path in (run / "checkpoint").glob("[ah]*.*")} | {log.name} == {log.name}
    log.write_bytes(kept)
    assert main([str(run), "--resume", *options]) == 0
    assert (run / lacking).read_bytes() == (whole / lacking).read_bytes()
    assert not list((run / "checkpoint").glob("[ah]*.*"))


@pytest.mark.parametrize("how", ["missing", "cut"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_was_lost_under_way_can_be_restored(
    made: tuple[Path, Path, Path], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, how: str
) -> None:
    """The generations that followed are in a file of their own."""
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        at_file(patch, "state-000002.json", kill)
        with pytest.raises(Killed):
            main([str(made[0]), "--out", str(out), "--quiet"])
    log = out / "checkpoint" / f"{kind}-000000.log"
    kept = log.read_bytes()
    LOST[how](log)
    assert main([str(out), "--resume", "--quiet"]) == 0
    assert not (out / KINDS[kind][0]).exists()
    assert (out / "checkpoint" / f"{kind}-000002.log").exists()
    log.write_bytes(kept)
    assert main([str(out), "--resume", "--quiet"]) == 0
    for name in KINDS[kind]:
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert not list((out / "checkpoint").glob("[ah]*.*"))


@pytest.mark.parametrize("generation", [0, 1, GENERATIONS])
def test_a_history_under_way_with_a_generation_missing_is_refused(run: Path, generation: int) -> None:
    """The rows of an array would not be the trees of those ids any more."""
    assert len(load_history(run).parents) == POPULATION * (GENERATIONS + 1)
    log = run / "checkpoint" / "history-000000.log"
    content, place = log.read_bytes(), walk(log)[generation]
    log.write_bytes(content[: place.begin] + content[place.end :])
    with pytest.raises(InputError, match=rf"history-000000\.log is damaged: generation {generation} is missing$"):
        load_history(run)


def test_several_missing_generations_are_counted(run: Path) -> None:
    log = run / "checkpoint" / "history-000000.log"
    log.write_bytes(log.read_bytes()[:-5])
    with pytest.raises(InputError, match=rf"log is damaged: generation {GENERATIONS} is missing$"):
        load_history(run)
    log.unlink()
    with pytest.raises(InputError, match=rf"history-000000\.log is missing, as are {GENERATIONS} more$"):
        load_history(run)


def test_rows_of_the_history_that_are_lost_come_back_or_are_counted(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = run / "history.csv"
    lines = table.read_text().splitlines(keepends=True)
    kept, log = "".join([lines[0], *lines[2:]]), run / "checkpoint" / "history-000000.log"
    again = shutil.copytree(run, run.with_name("again"))
    table.write_text(kept)
    (again / table.name).write_text(kept)
    (again / log.relative_to(run)).unlink()
    for out in (run, again):
        assert main([str(out), "--resume", "--quiet"]) == 0
    assert table.read_text() == "".join(lines)
    assert (again / table.name).read_text() == kept
    assert f"1 of {GENERATIONS + 1} rows of {again / table.name} are lost" in capsys.readouterr().err


@pytest.mark.parametrize("allowed", [0, 1])
def test_the_logs_left_by_a_kill_after_completion_go(
    run: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], allowed: int
) -> None:
    """Whether it came before the first was removed or after it."""
    unlink, gone = Path.unlink, []

    def die(self: Path, missing_ok: bool = False) -> None:
        if self.name.startswith(("archive-", "history-")):
            if len(gone) == allowed:
                raise Killed
            gone.append(self)
        unlink(self, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", die)
        with pytest.raises(Killed):
            main([str(run), "--resume", "--quiet"])
    assert status(run) == "complete"
    assert len(list((run / "checkpoint").glob("[ah]*.log"))) == 2 - allowed
    capsys.readouterr()
    assert main([str(run), "--resume"]) == 0
    assert capsys.readouterr().err == f"the run in {run} is complete; its front is {run / 'front.csv'}\n"
    assert not list((run / "checkpoint").glob("[ah]*.log"))
    for name in ("archive.npz", "evolution.npz"):
        assert (run / name).read_bytes() == (whole / name).read_bytes()


def test_a_checkpoint_of_other_contents_is_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (run / "checkpoint").glob("state-*.json"):
        path.write_text("{}")
    assert main([str(run), "--resume", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"error: the last checkpoint in .* is damaged: KeyError: 'generation'; move .*\n", said)


def test_damaged_baselines_are_trained_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They were written by a run that was then killed; without them it could not be completed."""
    (run / "baselines.csv").write_text("name\nx\n")
    assert main([str(run), "--resume"]) == 0
    assert "baselines.csv is damaged" in capsys.readouterr().err
    assert "linear" in (run / "baselines.csv").read_text()


def test_a_disk_that_cannot_be_read_just_now_stops_a_resumed_run_and_nothing_else(
    run: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened, before = Path.open, {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}

    def fail(self: Path, mode: str = "r", *more: Any, **keywords: Any) -> Any:
        if self.name == f"state-00000{GENERATIONS}.npz" and "r" in mode:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))
        return opened(self, mode, *more, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", fail)
        assert main([str(run), "--resume", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"error: .*\.npz cannot be read: Input/output error; it may be whole, .*\n", said)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert main([str(run), "--resume", "--quiet"]) == 0
    assert (run / "front.csv").read_bytes() == (whole / "front.csv").read_bytes()


# How a run is stopped, and what its manifest says then.


def interrupt_twice() -> None:
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)


def fail() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(("act", "code"), [(interrupt_twice, 130), (fail, 2)], ids=["two signals", "a full disk"])
@pytest.mark.parametrize(
    "name", ["archive-000000.log", "state-000002.json", "history.csv", "000.json", "front.csv", "archive.npz"]
)
def test_a_run_that_has_stopped_is_not_said_to_be_running(
    made: tuple[Path, Path, Path],
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[], None],
    code: int,
    name: str,
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        at_file(patch, name, act)
        assert main([str(made[0]), "--out", str(out), "--quiet"]) == code
    assert status(out) == "interrupted"
    assert not list(out.rglob("*.part"))
    assert main([str(out), "--resume", "--quiet"]) == 0
    assert (out / "front.csv").read_bytes() == (whole / "front.csv").read_bytes()


def test_two_signals_before_the_search_has_begun(
    made: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.runs.loop, "evolve", lambda *_: interrupt_twice())
    out = tmp_path / "out"
    assert main([str(made[0]), "--out", str(out), "--quiet"]) == 130
    assert status(out) == "interrupted"


def test_a_signal_while_the_baselines_are_trained(run: Path, monkeypatch: pytest.MonkeyPatch, whole: Path) -> None:
    """It stops the run after the fit under way, before the manifest says that it is complete."""
    with monkeypatch.context() as patch:
        at_file(patch, "front.csv", lambda: os.kill(os.getpid(), signal.SIGTERM))
        assert main([str(run), "--resume", "--quiet"]) == 130
    assert status(run) == "interrupted"
    assert main([str(run), "--resume", "--quiet"]) == 0


def test_signals_do_not_cut_off_what_the_manifest_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third and a fourth, while the second stops the run."""
    count: list[int] = []

    def hammer() -> None:
        count.append(1)
        if len(count) > 1:  # the first time it says that the run goes on
            interrupt_twice()

    with monkeypatch.context() as patch:
        at_file(patch, "front.csv", interrupt_twice)
        at_file(patch, "manifest.json", hammer)
        assert main([str(run), "--resume", "--quiet"]) == 130
    assert len(count) == 2
    assert status(run) == "interrupted"


def test_a_folder_that_was_only_looked_at_is_as_it_was(run: Path, made: tuple[Path, Path, Path]) -> None:
    """The run in it was killed by force, which no manifest can tell."""
    text = (run / "manifest.json").read_text().replace("interrupted", "running")
    (run / "manifest.json").write_text(text)
    assert main([str(made[0]), "--out", str(run), "--quiet"]) == 2
    assert (run / "manifest.json").read_text() == text


# Streams that the shell has closed, or that cannot be written.

# What a buffer still holds at the end of a process is written then, and may fail only then.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_run_does_not_need_a_place_to_say_things(
    made: tuple[Path, Path, Path], tmp_path: Path, closed: str, options: list[str]
) -> None:
    out = tmp_path / "out"
    changes = ["--set", "search.generations=1", "--set", "baselines.models=[]"]
    command = [sys.executable, "-m", "search.run", str(made[0]), "--out", str(out), *changes, *options]
    script = 'exec "$@" ' + closed
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert status(out) == "complete"
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    notes = events.index("begin") if events else 0  # on the table
    assert events[notes:] == (
        ["begin", "generation", "generation", "message", "message", "end"] if options and ">&- 2" not in closed else []
    )


def test_an_error_needs_no_place_either(tmp_path: Path) -> None:
    for closed in ("2>&-", "2>/dev/full"):
        command = f'"{sys.executable}" -m search.run {tmp_path}/none.toml {closed}'
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=BUFFERED, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")


@pytest.mark.parametrize("command", ["neuraltree.hardware --list", "search.run --version"])
def test_results_that_cannot_be_written_are_one_line(command: str) -> None:
    line = f'"{sys.executable}" -m {command} >/dev/full'
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "error: No space left on device\n")


# What cannot be measured.


def test_a_front_of_which_nothing_could_be_measured_says_so_even_quietly(
    made: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise MeasureError("zig crashed")

    monkeypatch.setattr("search.judge.measured_front.check_measurable", lambda *_: None)
    monkeypatch.setattr("search.judge.measured_front.measure_tree", fails)
    changes = ["--set", "hardware.device=cortex-m4f", "--set", "search.generations=0"]
    assert main([str(made[0]), "--out", str(tmp_path / "out"), "--quiet", *changes]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("no model could be measured, so all costs are predicted; see why with: python -m neural")
