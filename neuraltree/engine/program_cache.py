"""Compiled programs kept on the disk for the next process, by JAX's own cache and without a change to its settings.

``jax.config.update`` would change them for the whole process, and for the user's own programs. The context managers
that JAX has for every setting, though it publishes few of them, change them for one thread and one compilation.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import jax
from jax._src import config as contexts
from jax.experimental.compilation_cache.compilation_cache import reset_cache

from neuraltree.caches import writable_folder

LEAST_S = 0.2  # what compiles faster is not kept


def compile_kept(lowered: jax.stages.Lowered, options: dict[str, Any]) -> jax.stages.Compiled:
    """The program, from the disk if an earlier process has compiled it; from the user's own cache if there is one."""
    compiled = partial(lowered.compile, compiler_options=options)
    return _in_users_cache(compiled) if _is_set_by_user() else _in_own_cache(compiled)


def _is_set_by_user() -> bool:
    config: Any = jax.config
    named = config.jax_compilation_cache_dir is not None or "JAX_COMPILATION_CACHE_DIR" in os.environ
    return named or not config.jax_enable_compilation_cache


def _in_own_cache(compiled: Callable[[], jax.stages.Compiled]) -> jax.stages.Compiled:
    try:
        folder = writable_folder("programs")
    except OSError:
        return compiled()
    try:
        with _settings(
            compilation_cache_dir=str(folder),
            persistent_cache_min_compile_time_secs=LEAST_S,
            raise_persistent_cache_errors=True,
        ):
            return compiled()
    except Exception:  # a damaged file, a full disk; what is wrong with the program itself is raised once more
        # JAX neither says which file is damaged nor replaces it: the next process begins a new folder.
        shutil.rmtree(folder, ignore_errors=True)
        return compiled()


def _in_users_cache(compiled: Callable[[], jax.stages.Compiled]) -> jax.stages.Compiled:
    config: Any = jax.config
    try:
        with contexts.raise_persistent_cache_errors(True):
            return compiled()
    except Exception as error:
        if config.jax_raise_persistent_cache_errors:
            raise
        with _settings(enable_compilation_cache=False):
            program = compiled()
        warnings.warn(
            f"JAX's compilation cache in {config.jax_compilation_cache_dir} cannot be used, so programs are compiled "
            f"anew: {' '.join(str(error).split())}",
            stacklevel=2,
        )
        return program


@contextmanager
def _settings(**values: Any) -> Iterator[None]:
    """JAX's cache with these settings, in this thread; JAX opens its cache once, so it is closed before and after."""
    with ExitStack() as stack:
        for name, value in values.items():
            stack.enter_context(getattr(contexts, name)(value))
        reset_cache()
        stack.callback(reset_cache)
        yield
