"""What a run says while it works: a live bar, plain lines, JSON lines, or nothing. One row each in ``REPORTERS``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table


class Phases:
    """Seconds spent by phase since the last ``take``, and altogether."""

    def __init__(self) -> None:
        self.now: dict[str, float] = {}
        self.total: dict[str, float] = {}

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
    """``generation`` gets the row of history.csv and ``trees_per_s``, ``weight_samples_per_s``."""

    def begin(self, text: str, generations: int, done: int) -> None: ...
    def generation(self, row: dict[str, Any]) -> None: ...
    def message(self, text: str) -> None: ...
    def end(self, text: str, phases: dict[str, float]) -> None: ...


def _figures(row: dict[str, Any]) -> str:
    return (
        f"hypervolume {row['hypervolume']:.4g}  best error {row['best_error']:.4g}  front {row['front_size']}  "
        f"{row['trees_per_s']:,.0f} trees/s  {row['weight_samples_per_s'] / 1e6:,.0f} M weight·samples/s"
    )


class Bar:
    """For a terminal."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)

    def begin(self, text: str, generations: int, done: int) -> None:
        self.console.print(text, highlight=False)
        columns = (
            TextColumn("generation"),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
        )
        self.progress = Progress(*columns, console=self.console)
        figures = "compiling the engine and training the first population"
        self.task = self.progress.add_task("", total=generations, completed=done, figures=figures)
        self.progress.start()

    def generation(self, row: dict[str, Any]) -> None:
        self.progress.update(self.task, completed=row["generation"], figures=_figures(row))

    def message(self, text: str) -> None:
        self.progress.console.print(text, highlight=False)

    def end(self, text: str, phases: dict[str, float]) -> None:
        self.progress.stop()
        whole = sum(phases.values()) or 1.0
        table = Table("phase", "seconds", "share", title="where the time went")
        for name, seconds in phases.items():
            table.add_row(name, f"{seconds:.2f}", f"{seconds / whole:.0%}")
        self.console.print(table)
        self.console.print(text, highlight=False, soft_wrap=True)


class Lines:
    """For a log file or a pipe: a line every few seconds, none that overwrites another."""

    every_s = 5.0

    def begin(self, text: str, generations: int, done: int) -> None:
        self.last, self.total = float("-inf"), generations
        self.message(text)

    def generation(self, row: dict[str, Any]) -> None:
        now = time.monotonic()
        if now - self.last >= self.every_s or row["generation"] == self.total:
            self.last = now
            self.message(f"generation {row['generation']}/{self.total}  {_figures(row)}")

    def message(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def end(self, text: str, phases: dict[str, float]) -> None:
        whole = sum(phases.values()) or 1.0
        self.message("time: " + ", ".join(f"{name} {s:.2f} s ({s / whole:.0%})" for name, s in phases.items()))
        self.message(text)


class Json:
    """For programs: one JSON object a line on standard output."""

    def begin(self, text: str, generations: int, done: int) -> None:
        self._say(event="begin", text=text, generations=generations, done=done)

    def generation(self, row: dict[str, Any]) -> None:
        self._say(event="generation", **row)

    def message(self, text: str) -> None:
        self._say(event="message", text=text)

    def end(self, text: str, phases: dict[str, float]) -> None:
        self._say(event="end", text=text, phases=phases)

    def _say(self, **fields: Any) -> None:
        print(json.dumps(fields), flush=True)


class Quiet:
    """Nothing but errors."""

    def begin(self, text: str, generations: int, done: int) -> None: ...
    def generation(self, row: dict[str, Any]) -> None: ...
    def message(self, text: str) -> None: ...
    def end(self, text: str, phases: dict[str, float]) -> None: ...


REPORTERS: dict[str, Callable[[], Reporter]] = {"bar": Bar, "lines": Lines, "json": Json, "quiet": Quiet}


def reporter(quiet: bool, as_json: bool) -> Reporter:
    """The one that suits the options and where standard error goes."""
    name = "quiet" if quiet else "json" if as_json else "bar" if sys.stderr.isatty() else "lines"
    return REPORTERS[name]()
