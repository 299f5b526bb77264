"""Programs compiled once for their sizes and settings, and kept in this process; and the flags of JAX for them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import jax
import numpy as np

from neuraltree.engine.xla.forks import check_fork

# Parts of a forest run in threads of their own, so splitting the operations of a program over threads as well only
# costs time (measured: 1.5 times slower). Wider vectors are 10-20 % faster if the machine has them.
COMPILER_OPTIONS: dict[str, Any] = {
    "xla_cpu_multi_thread_eigen": False,
    "xla_cpu_prefer_vector_width": 512,
    "xla_disable_hlo_passes": "cpu-parallel-task-assigner",
}

_programs: dict[tuple, Any] = {}
_compiling = threading.Lock()
_calls = itertools.count()
_thread = threading.local()  # the device of the call of the engine that runs in a thread


def compilations() -> int:
    """The number of engine programs that this process has compiled."""
    return len(_programs)


@contextmanager
def engine_flags(precision: str) -> Iterator[None]:
    """JAX's flags as the engine needs them, for this thread: "float64" or "float32", and no checks at run time.

    The parts of a forest are trained by calls of their own, and each call gets the next of JAX's devices: so a
    population is spread over all of them. A device that the user has chosen for JAX is kept.

    Users may set other flags for their own programs. The engine's programs are compiled ahead of time, take NumPy
    arrays, and treat NaN as a value that marks a tree whose training diverged. The checks of ranks and types while
    tracing may stay on.
    """
    check_fork()  # before the lock, which a fork may leave held
    devices = jax.local_devices()
    chosen = jax.config.jax_default_device  # type: ignore[attr-defined]  # JAX makes its options when it starts
    _thread.device = chosen or devices[next(_calls) % len(devices)]
    with (
        jax.default_device(_thread.device),
        jax.enable_x64(precision == "float64"),
        jax.disable_jit(False),
        jax.transfer_guard("allow"),
        jax.debug_nans(False),
        jax.debug_infs(False),
    ):
        yield


def run_program(function: Any, fixed: tuple, *arguments: Any) -> Any:
    """``function(*fixed, *arguments)``, compiled for these fixed values and sizes; the results stay on the device.

    The program is one for the device of ``engine_flags``. Threads that need the same program wait for one compilation.
    Call it under ``engine_flags``.
    """
    key = (_thread.device, function, fixed, *((np.shape(leaf), leaf.dtype) for leaf in jax.tree.leaves(arguments)))
    with _compiling:
        if key not in _programs:
            lowered = jax.jit(partial(function, *fixed)).lower(*arguments)
            _programs[key] = lowered.compile(compiler_options=COMPILER_OPTIONS)
    return _programs[key](*arguments)
