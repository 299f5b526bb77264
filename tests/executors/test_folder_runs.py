"""Runs with workers that are processes: they come and go, are killed and stopped, and the front is the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.run import main
from search.worker import main as work
from tests.helpers.executor_runs import files

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def process(log: Path, *arguments: object) -> subprocess.Popen[bytes]:
    """A command of ours, whose messages go to ``log``."""
    with log.open("wb") as file:
        command = [sys.executable, "-m", *map(str, arguments)]
        return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=file)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Workers of the run in ``tmp_path / "run"``, which end with the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for each in started:
        each.kill()
        each.wait()


def test_a_run_without_any_worker_ends_the_same_and_leaves_no_work(config, alone, tmp_path):
    out = tmp_path / "run"
    assert main([str(config), "--out", str(out), "--workers", "folder", "--quiet"]) == 0
    assert files(out) == alone
    assert not (out / "work").exists()


@pytest.mark.rare
def test_workers_that_are_killed_and_stopped_change_nothing(config, alone, tmp_path, workers):
    out, rng = tmp_path / "run", random.Random(0)
    out.mkdir()
    workers += [process(tmp_path / "worker", "search.worker", out, "--threads", 1) for _ in range(2)]
    run = process(
        tmp_path / "log", "search.run", config, "--out", out, "--workers", "folder", "--set", "train.epochs=40"
    )
    while run.poll() is None:
        time.sleep(0.4)
        victim = rng.choice(workers)
        victim.send_signal(rng.choice((signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT)))
        if victim.poll() is not None and len(workers) < 6:
            workers.append(process(tmp_path / "log", "search.worker", out, "--threads", 1))
    assert run.returncode == 0, (tmp_path / "log").read_text()
    longer = tmp_path / "longer"
    assert main([str(config), "--out", str(longer), "--set", "train.epochs=40", "--quiet"]) == 0
    assert files(out) == files(longer)


@pytest.mark.rare
def test_a_search_that_is_killed_goes_on_with_its_workers(config, alone, tmp_path, workers):
    out = tmp_path / "run"
    out.mkdir()
    workers.append(process(tmp_path / "worker", "search.worker", out, "--threads", 1))
    run = process(tmp_path / "log", "search.run", config, "--out", out, "--workers", "folder")
    while not list(out.glob("checkpoint/*")) and run.poll() is None:
        time.sleep(0.05)
    run.kill()
    run.wait()
    assert main([str(out), "--resume", "--workers", "folder", "--quiet"]) == 0
    assert files(out) == alone
    assert workers[0].wait(timeout=60) == 0
    assert "the run is complete" in (tmp_path / "worker").read_text()


def test_a_run_begun_with_workers_can_end_without(config, alone, tmp_path):
    out = tmp_path / "run"
    run = process(tmp_path / "log", "search.run", config, "--out", out, "--workers", "folder")
    while not list(out.glob("checkpoint/*")) and run.poll() is None:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    assert run.wait() in (0, 130)
    assert main([str(out), "--resume", "--quiet"]) == 0
    assert files(out) == alone
    assert not (out / "work").exists()


def test_a_worker_without_a_run_leaves_in_time(tmp_path, capsys):
    assert work([str(tmp_path), "--idle", "0.1"]) == 0
    assert "nothing was to do for 0 s" in capsys.readouterr().err


BAD = {
    "no folder": (["nowhere"], "nowhere is no folder; name the folder of a run, and start the run first"),
    "no threads": ([".", "--threads", "0"], "--threads 0: allowed: 1 or more"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_of_a_worker_are_refused(name, capsys):
    arguments, message = BAD[name]
    assert work(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["fodler", "dask://", "threads:3"])
def test_workers_of_no_kind_are_refused(name, config, tmp_path, capsys):
    assert main([str(config), "--out", str(tmp_path / "run"), "--workers", name]) == 2
    assert f"--workers {name}: no such workers; allowed: threads" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
