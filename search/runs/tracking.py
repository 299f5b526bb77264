"""A reporter that passes on what a run says to experiment trackers, each in a process of its own.

A tracker's package may be slow, take signals, or import modules at any time, and its server may be away. So the run
never waits for it while it searches, for some time only when it ends, and a failure is one warning.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

import msgspec

from search.config.config import Config
from search.config.settings import TrackingConfig
from search.errors import InputError
from search.folder.records import RunFolder
from search.runs.progress import Reporter
from search.runs.tracker_backends import PROBLEM, TRACKERS, figures_of

KEY = "tracking_id"  # in the manifest: by which a resumed run is found in its trackers
RESULTS = ("config.toml", "front.csv", "front.png", "hypervolume.png", "card.md")
PROGRAM = "import sys; from search.runs.tracker_backends import main; sys.exit(main(sys.argv[1]))"
WAIT_S = 60.0  # at the end of a run, for what a tracker has not taken yet; its package alone may take long to start


def trackers_of(tracking: TrackingConfig) -> list[str]:
    """The names of the trackers that a config asks for."""
    return [name for name in TRACKERS if getattr(tracking, name)]


def check_trackers(tracking: TrackingConfig) -> None:
    """``InputError`` for a tracker whose package is not installed."""
    for name in trackers_of(tracking):
        package = TRACKERS[name].package
        if find_spec(package) is None:
            raise InputError(f"tracking.{name} needs the package {package}: pip install 'neuraltree[tracking]'")


class Told:
    """One tracker: a process that reads what it is told, a line of JSON each, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is for the run, which then says that it ends
            text=True,
            encoding="utf-8",
        )
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.feeder = threading.Thread(target=self._feed, daemon=True)  # a full pipe shall not stop the search
        self.feeder.start()

    def tell(self, **call: Any) -> None:
        self.lines.put(json.dumps(call) + "\n")

    @property
    def failed(self) -> bool:
        """Whether it ended before its time."""
        return self.process.poll() not in (None, 0)

    def close(self, until: float) -> str:
        """Wait for its end until a value of ``time.monotonic`` at most; returns what went wrong, or ""."""
        assert self.process.stdout is not None
        self.lines.put("")
        late = f"it has not taken everything within {WAIT_S:g} s"
        try:
            self.process.wait(max(until - time.monotonic(), 0.0))
            late = ""
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.feeder.join()
        with self.process.stdout as stream:
            said = [line for line in stream.read().splitlines() if line.startswith(PROBLEM)] if not late else []
        if late or not self.failed:
            return late
        return said[-1].removeprefix(PROBLEM) if said else f"its process ended with {self.process.returncode}"

    def _feed(self) -> None:
        assert self.process.stdin is not None
        with suppress(OSError), self.process.stdin as stream:  # a process that has ended says why
            while line := self.lines.get():
                stream.write(line)
                stream.flush()


class Tracked:
    """A reporter that also tells trackers: what a run begins with, each generation, and its results at the end."""

    def __init__(self, report: Reporter, config: Config, folder: RunFolder, told: Sequence[Told]) -> None:
        self.report, self.config, self.folder, self.told = report, config, folder, list(told)

    def begin(self, text: str, generations: int | None, done: int) -> None:
        self.report.begin(text, generations, done)
        last = done if (self.folder.path / "history.csv").is_file() else -1
        key, settings = str(self.folder.read_manifest()[KEY]), _flat(msgspec.to_builtins(self.config))
        self._tell(call="begin", folder=str(self.folder.path.absolute()), key=key, done=last, settings=settings)

    def generation(self, row: dict[str, Any]) -> None:
        self.report.generation(row)
        self._tell(call="generation", step=int(row["generation"]), figures=figures_of(row))

    def message(self, text: str) -> None:
        self.report.message(text)

    def warning(self, text: str) -> None:
        self.report.warning(text)

    def end(self, text: str, phases: dict[str, float]) -> None:
        self.report.end(text, phases)
        self._end()

    def close(self) -> None:
        self._end()
        self.report.close()

    def _tell(self, **call: Any) -> None:
        for each in list(self.told):
            if each.failed:
                self._warn(each, each.close(time.monotonic()))
            else:
                each.tell(**call)

    def _end(self) -> None:
        if not self.told:
            return
        complete = self.folder.read_manifest().get("status") == "complete"
        there = [str(path) for name in RESULTS if (path := self.folder.path.absolute() / name).is_file()]
        self._tell(call="end", files=there, complete=complete)
        until = time.monotonic() + WAIT_S
        for each in list(self.told):
            if problem := each.close(until):
                self._warn(each, problem)
        self.told = []

    def _warn(self, told: Told, problem: str) -> None:
        """The one warning of a tracker that failed, which is told no more."""
        self.told = [each for each in self.told if each is not told]
        self.report.warning(f"tracking.{told.name} failed, and the run goes on without it: {problem}")


def tracked(report: Reporter, config: Config, folder: RunFolder) -> Reporter:
    """The reporter, which also tells the trackers that the config asks for."""
    names = trackers_of(config.tracking)
    if not names:
        return report
    if KEY not in folder.read_manifest():
        folder.update_manifest(**{KEY: uuid4().hex[:12]})
    return Tracked(report, config, folder, [Told(name) for name in names])


def _flat(tables: dict[str, Any]) -> dict[str, str]:
    """The settings of a config by ``section.key``, as texts."""
    return {f"{section}.{key}": str(value) for section, table in tables.items() for key, value in table.items()}
