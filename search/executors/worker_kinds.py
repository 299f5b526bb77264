"""The kinds of workers that a run may have, a row each in ``KINDS``; and the work of a run given to them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from search.config.settings import Config
from search.engine.problem import Setup
from search.executors.folder_pool import FolderPool
from search.executors.jobs import Context
from search.executors.joining import Invitation, invitation
from search.executors.named_workers import DASK, FOLDER, THREADS
from search.executors.pool import Pool
from search.executors.shipped_table import table_message
from search.executors.spread import Spread
from search.table.data import Table

Say = Callable[[str], None]
Make = Callable[[str, Path, Invitation, Say], Pool]


def _folder(name: str, run: Path, invited: Invitation, say: Say) -> Pool:
    del name
    say(f"more workers may join: python -m search.worker {shlex.quote(str(run))}")
    return FolderPool(run, invited, say)


def _dask(name: str, run: Path, invited: Invitation, say: Say) -> Pool:
    from search.executors.dask_pool import DaskPool

    del run
    return DaskPool(name.removeprefix(DASK), invited, say)


# By the beginning of what --workers says.
KINDS: dict[str, Make] = {FOLDER: _folder, DASK: _dask}


@contextmanager
def spread(
    workers: str, config: Config, table: Table, taught: tuple[Setup, Setup | None], run: Path, say: Say
) -> Iterator[tuple[Setup, Setup | None]]:
    """A run, and the same for its judgement if it learns from teachers, whose work is given to workers."""
    if workers == THREADS:
        yield taught
        return
    setup, lesson = taught
    context = Context(setup, table, lesson)
    invited = invitation(config, context, table_message(table))
    pool = next(make for name, make in KINDS.items() if workers.startswith(name))(workers, run, invited, say)
    try:
        work = Spread(context, pool, say)
        yield _given(setup, work), lesson and _given(lesson, work)
    finally:
        pool.close()


def _given(setup: Setup, work: Spread) -> Setup:
    return replace(setup, problem=replace(setup.problem, work=work))
