"""Compiled programs kept on disk for the next process, in JAX's own cache, without changing the user's settings.

``jax.config.update`` would change the settings for the whole process, and so for the user's own programs. JAX also has
a context manager for every setting, though few are public. These change a setting for one thread and one compilation.
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

_one_at_a_time = threading.Lock()  # a process can have only one cache of JAX open
Result = TypeVar("Result")
LEAST_S = 0.2  # programs that compile faster are not kept


def with_cache(compiling: Callable[[], Result]) -> Result:
    """The result of ``compiling``, a function that compiles programs, or loads those that an earlier process compiled.

    A cache that the user has set is used as it is. If the cache fails, ``compiling`` is called again without a cache.
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
    except Exception:  # a damaged file, a full disk; a fault of the program itself is raised again below
        # JAX neither names nor replaces a damaged file, so the next process starts with a new folder.
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
            stacklevel=1,  # always this line, so that Python shows the warning once
        )
        return result


@contextmanager
def _settings(**values: Any) -> Iterator[None]:
    """Use JAX's cache with these settings in this thread. JAX opens its cache once, so close it before and after."""
    with ExitStack() as stack:
        for name, value in values.items():
            stack.enter_context(getattr(contexts, name)(value))
        reset_cache()
        stack.callback(reset_cache)
        yield
