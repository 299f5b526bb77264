"""A process that has compiled nothing yet, so that equal CPU time includes the compilation of each search.

The kernel compiles nothing; without it, the engine compiles programs of XLA.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache


@contextmanager
def cold_start() -> Iterator[None]:
    """Clear the compiled programs of this process, and ignore those cached on disk."""
    config: Any = jax.config
    kept = config.jax_enable_compilation_cache
    if programs := sys.modules.get("neuraltree.engine.xla.compiled"):
        programs._programs.clear()
    jax.clear_caches()
    _keep_on_disk(False)
    try:
        yield
    finally:
        _keep_on_disk(kept)


def _keep_on_disk(kept: bool) -> None:
    jax.config.update("jax_enable_compilation_cache", kept)
    compilation_cache.reset_cache()  # JAX decides only once whether the cache is used
