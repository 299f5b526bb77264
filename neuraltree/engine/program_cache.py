"""Compiled programs kept on the disk for the next process, by JAX's own cache and without a change to its settings.

``jax.config.update`` would change them for the whole process, and for the user's own programs. The context managers
that JAX has for every setting, though it publishes few of them, change them for one thread and one compilation.
"""

from __future__ import annotations

import os
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import jax
from jax._src import config as contexts
from jax.experimental.compilation_cache.compilation_cache import reset_cache

from neuraltree.caches import writable_folder

_one_at_a_time = threading.Lock()  # JAX has one cache open in a process
Result = TypeVar("Result")
LEAST_S = 0.2  # what compiles faster is not kept


def with_cache(compiling: Callable[[], Result]) -> Result:
    """The result of what compiles programs, which come from the disk if an earlier process has compiled them.

    A cache that the user has set is used as it is. ``compiling`` is called again, without a cache, if the cache fails.
    """
    with _one_at_a_time:
        return _in_users_cache(compiling) if _is_set_by_user() else _in_own_cache(compiling)


def _is_set_by_user() -> bool:
    config: Any = jax.config
    named = config.jax_compilation_cache_dir is not None or "JAX_COMPILATION_CACHE_DIR" in os.environ
    return named or not config.jax_enable_compilation_cache


def _in_own_cache(compiling: Callable[[], Result]) -> Result:
    try:
        folder = writable_folder("programs")
    except OSError:
        return compiling()
    try:
        with _settings(
            compilation_cache_dir=str(folder),
            persistent_cache_min_compile_time_secs=LEAST_S,
            raise_persistent_cache_errors=True,
        ):
            return compiling()
    except Exception:  # a damaged file, a full disk; what is wrong with the program itself is raised once more
        # JAX neither says which file is damaged nor replaces it: the next process begins a new folder.
        shutil.rmtree(folder, ignore_errors=True)
        return compiling()


def _in_users_cache(compiling: Callable[[], Result]) -> Result:
    config: Any = jax.config
    try:
        with contexts.raise_persistent_cache_errors(True):
            return compiling()
    except Exception as error:
        if config.jax_raise_persistent_cache_errors:
            raise
        with _settings(enable_compilation_cache=False):
            result = compiling()
        warnings.warn(
            f"JAX's compilation cache in {config.jax_compilation_cache_dir} cannot be used, so programs are compiled "
            f"anew: {' '.join(str(error).split())}",
            stacklevel=1,  # always of this line, so that Python says it once
        )
        return result


@contextmanager
def _settings(**values: Any) -> Iterator[None]:
    """JAX's cache with these settings, in this thread; JAX opens its cache once, so it is closed before and after."""
    with ExitStack() as stack:
        for name, value in values.items():
            stack.enter_context(getattr(contexts, name)(value))
        reset_cache()
        stack.callback(reset_cache)
        yield
