"""Progress reports of a run: a live bar, plain lines, JSON lines, or nothing. One row each in ``REPORTERS``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from neuraltree.cli.command import plain, say
from search.folder.run_energy import cpu_seconds


class Phases:
    """Seconds spent by phase since the last ``take``, and in total; and the CPU seconds of the run."""

    def __init__(self) -> None:
        self.now: dict[str, float] = {}
        self.total: dict[str, float] = {}
        self._cpu_begun_s = cpu_seconds()

    @property
    def cpu_s(self) -> float:
        """Of all phases of this process, of what is between them, and of earlier processes."""
        return cpu_seconds() - self._cpu_begun_s

    def go_on(self, cpu_s: float) -> None:
        """Count the CPU seconds of earlier processes too."""
        self._cpu_begun_s -= cpu_s

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            for record in (self.now, self.total):
                record[name] = record.get(name, 0.0) + spent

    def take(self) -> dict[str, float]:
        taken, self.now = self.now, {}
        return taken


class Reporter(Protocol):
    """``begin`` gets the last generation, if it is known. ``generation`` gets the row of history.csv and
    ``trees_per_s``, ``weight_samples_per_s``."""

    def begin(self, text: str, generations: int | None, done: int) -> None: ...
    def generation(self, row: dict[str, Any]) -> None: ...
    def message(self, text: str) -> None: ...
    def warning(self, text: str) -> None:
        """Report a loss; even the quiet reporter prints it."""

    def end(self, text: str, phases: dict[str, float]) -> None: ...
    def close(self) -> None:
        """Called last, however the run ended."""


def _figures(row: dict[str, Any]) -> str:
    best = "none" if row["best_error"] is None else f"{row['best_error']:.4g}"
    return (
        f"hypervolume {row['hypervolume']:.4g}  best error {best}  front {row['front_size']}  "
        f"{row['trees_per_s']:,.0f} trees/s  {row['weight_samples_per_s'] / 1e6:,.0f} M weight·samples/s"
    )


class Bar:
    """For a terminal: the bar in one line, the figures below it."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        columns = (
            TextColumn("generation"),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self.progress = Progress(*columns, console=self.console)
        self.figures = Text("training the first population")
        self.live = Live(Group(self.progress, self.figures), console=self.console, refresh_per_second=5)

    def begin(self, text: str, generations: int | None, done: int) -> None:
        self.message(text)
        self.task = self.progress.add_task("", total=generations, completed=done)
        self.live.start(refresh=True)

    def generation(self, row: dict[str, Any]) -> None:
        self.progress.update(self.task, completed=row["generation"])
        self.figures.plain = _figures(row)

    def message(self, text: str) -> None:
        # Names of files and classes may hold text that rich would read as markup.
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def warning(self, text: str) -> None:
        self.message(text)

    def end(self, text: str, phases: dict[str, float]) -> None:
        self.close()
        whole = sum(phases.values()) or 1.0
        table = Table("phase", "seconds", "share", title="where the time went")
        for name, seconds in phases.items():
            table.add_row(name, f"{seconds:.2f}", f"{seconds / whole:.0%}")
        self.console.print(table)
        self.message(text)

    def close(self) -> None:
        self.live.stop()


class Lines:
    """For a log file or a pipe: a line every few seconds; no line overwrites another."""

    every_s = 5.0

    def begin(self, text: str, generations: int | None, done: int) -> None:
        self.last, self.total = float("-inf"), generations
        self.message(text)

    def generation(self, row: dict[str, Any]) -> None:
        now = time.monotonic()
        if now - self.last >= self.every_s or row["generation"] == self.total:
            self.last = now
            of = "" if self.total is None else f"/{self.total}"
            self.message(f"generation {row['generation']}{of}  {_figures(row)}")

    def message(self, text: str) -> None:
        say(text)

    def warning(self, text: str) -> None:
        say(text)

    def end(self, text: str, phases: dict[str, float]) -> None:
        whole = sum(phases.values())
        if whole:
            shares = (f"{name} {s:.2f} s ({s / whole:.0%})" for name, s in phases.items())
            self.message(f"time: {', '.join(shares)}")
        self.message(text)

    def close(self) -> None: ...


class Json:
    """For programs: one JSON object a line on standard output."""

    def begin(self, text: str, generations: int | None, done: int) -> None:
        self._say(event="begin", text=text, generations=generations, done=done)

    def generation(self, row: dict[str, Any]) -> None:
        self._say(event="generation", **row)

    def message(self, text: str) -> None:
        self._say(event="message", text=text)

    def warning(self, text: str) -> None:
        self.message(text)

    def end(self, text: str, phases: dict[str, float]) -> None:
        self._say(event="end", text=text, phases=phases)

    def close(self) -> None: ...

    def _say(self, **fields: Any) -> None:
        print(json.dumps(fields) + "\n", end="", flush=True)  # in one piece: another thread may say something too


class Quiet:
    """Nothing but errors and warnings of losses."""

    def begin(self, text: str, generations: int | None, done: int) -> None: ...
    def generation(self, row: dict[str, Any]) -> None: ...
    def message(self, text: str) -> None: ...
    def warning(self, text: str) -> None:
        say(text)

    def end(self, text: str, phases: dict[str, float]) -> None: ...
    def close(self) -> None: ...


REPORTERS: dict[str, Callable[[], Reporter]] = {"bar": Bar, "lines": Lines, "json": Json, "quiet": Quiet}


def reporter(quiet: bool, as_json: bool) -> Reporter:
    """The reporter for the options and the kind of standard error."""
    name = "quiet" if quiet else "json" if as_json else "lines" if plain(sys.stderr) else "bar"
    return REPORTERS[name]()
