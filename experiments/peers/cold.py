"""A program that has compiled nothing yet: equal CPU time is to hold what each search has to compile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache

from neuraltree.engine import compiled


@contextmanager
def cold_start() -> Iterator[None]:
    """Forget the programs of this process, and do without those kept on the disk."""
    config: Any = jax.config
    kept = config.jax_enable_compilation_cache
    compiled._programs.clear()
    jax.clear_caches()
    _keep_on_disk(False)
    try:
        yield
    finally:
        _keep_on_disk(kept)


def _keep_on_disk(kept: bool) -> None:
    jax.config.update("jax_enable_compilation_cache", kept)
    compilation_cache.reset_cache()  # it asks once for all whether it is wanted
