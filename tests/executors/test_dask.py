"""Workers of Dask: the same front, with workers that die, none at all, and a scheduler that goes and comes back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from search.executors.joining import Invitation
from search.executors.wire import digest
from search.run import main
from tests.helpers.executor_runs import files

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'neuraltree[dask]'")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


class Cluster:
    """A scheduler and workers, each a process."""

    def __init__(self) -> None:
        self.port, self.workers = free_port(), list[subprocess.Popen[bytes]]()
        self.start_scheduler()

    @property
    def address(self) -> str:
        return f"dask://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        host = ("--host", "127.0.0.1", "--port", self.port, "--no-dashboard")
        self.scheduler = self._start("scheduler", *host)

    def add_worker(self) -> None:
        options = ("--nthreads", 1, "--no-dashboard", "--no-nanny", "--host", "127.0.0.1")
        self.workers.append(self._start("worker", f"tcp://127.0.0.1:{self.port}", *options))

    def _start(self, *arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *map(str, arguments)]
        return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def wait(self, workers: int) -> None:
        from distributed import Client

        with Client(f"tcp://127.0.0.1:{self.port}", timeout=60, set_as_default=False) as client:
            while len(client.nthreads()) < workers:
                time.sleep(0.05)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.stop()


def test_a_large_table_is_shared_without_a_warning(cluster: Cluster) -> None:
    """Warnings are errors in tests, and Dask's own limit is 10 MB."""
    from search.executors.dask_pool import DaskPool

    said: list[str] = []
    pool = DaskPool(
        cluster.address.removeprefix("dask://"), Invitation(b"run", bytes(12_000_000), "table"), said.append
    )
    pool.close()
    assert said == ["Dask workers: 0; threads: 0"]


def test_the_table_is_in_another_group_than_the_chunks() -> None:
    """Else Dask gives all chunks of a large table to the one worker that has it, and the others stay idle."""
    from distributed.utils import key_split_group

    from search.executors.dask_pool import CHUNK, TABLE

    run, chunk = digest(b"run"), digest(b"chunk")
    assert key_split_group(f"{TABLE}-{run}") == TABLE
    assert key_split_group(f"{CHUNK}-{run}-{chunk}") == CHUNK != TABLE


def test_two_workers_find_the_same_front(config, alone, cluster, tmp_path, capsys):
    cluster.add_worker()
    cluster.add_worker()
    cluster.wait(2)
    assert main([str(config), "--out", str(tmp_path / "run"), "--workers", cluster.address]) == 0
    assert files(tmp_path / "run") == alone
    assert "Dask workers: 2; threads: 2" in capsys.readouterr().err


@pytest.mark.rare
def test_workers_that_die_and_others_that_join_change_nothing(config, alone, cluster, tmp_path):
    cluster.add_worker()
    cluster.wait(1)
    done = threading.Event()

    def trouble() -> None:
        while not done.wait(2.0):
            cluster.workers[-1].kill()
            cluster.add_worker()

    threading.Thread(target=trouble, daemon=True).start()
    code = main([str(config), "--out", str(tmp_path / "run"), "--workers", cluster.address, "--quiet"])
    done.set()
    assert code == 0
    assert files(tmp_path / "run") == alone


def test_without_a_worker_the_run_goes_on_alone(config, alone, cluster, tmp_path):
    cluster.wait(0)
    assert main([str(config), "--out", str(tmp_path / "run"), "--workers", cluster.address, "--quiet"]) == 0
    assert files(tmp_path / "run") == alone


@pytest.mark.rare
def test_a_scheduler_that_dies_does_not_end_the_run(config, alone, cluster, tmp_path):
    cluster.add_worker()
    cluster.wait(1)
    out = tmp_path / "run"
    begun = threading.Event()

    def trouble() -> None:
        while not (out / "checkpoint").exists():
            time.sleep(0.05)
        cluster.scheduler.send_signal(signal.SIGKILL)
        begun.set()

    threading.Thread(target=trouble, daemon=True).start()
    assert main([str(config), "--out", str(out), "--workers", cluster.address, "--quiet"]) == 0
    assert begun.is_set()
    assert files(out) == alone


def test_an_address_without_a_scheduler_is_refused(config, tmp_path, capsys):
    port = free_port()
    assert main([str(config), "--out", str(tmp_path / "run"), "--workers", f"dask://127.0.0.1:{port}"]) == 2
    assert f"--workers dask://127.0.0.1:{port}: no scheduler answers" in capsys.readouterr().err
