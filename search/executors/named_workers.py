"""The names of workers that a run may have, checked before anything slow is imported."""

from __future__ import annotations

from importlib.util import find_spec

from search.errors import InputError

THREADS, FOLDER, DASK = "threads", "folder", "dask://"
ALLOWED = "threads (of this process), folder (processes that see the run folder), dask://HOST:PORT (a Dask scheduler)"


def check_workers(name: str) -> None:
    """``InputError`` for a name of no workers, and for Dask if it is not installed."""
    if name in (THREADS, FOLDER):
        return
    if not name.startswith(DASK) or name == DASK:
        raise InputError(f"--workers {name}: no such workers; allowed: {ALLOWED}")
    if find_spec("distributed") is None:
        raise InputError(f"--workers {name}: Dask is not installed; install it with: pip install 'neuraltree[dask]'")
