"""Programs compiled once for their shapes and settings: kept in this process, and on disk for the next one."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from neuraltree.engine.flags import engine_flags
from neuraltree.engine.forks import check_fork
from neuraltree.engine.program_cache import with_cache

if TYPE_CHECKING:
    from neuraltree.engine.packing import Shape
    from neuraltree.engine.training_step import Settings

# Each bin runs in its own thread, so splitting the operations of a program over threads as well only costs time
# (measured: 1.5 times slower). Wider vectors are 10-20 % faster if the machine has them.
COMPILER_OPTIONS: dict[str, Any] = {
    "xla_cpu_multi_thread_eigen": False,
    "xla_cpu_prefer_vector_width": 512,
    "xla_disable_hlo_passes": "cpu-parallel-task-assigner",
}

_programs: dict[tuple, Any] = {}
_compiling = threading.Lock()


def compilations() -> int:
    """The number of engine programs that this process has compiled."""
    return len(_programs)


def run_program(function: Any, shape: Shape, settings: Settings, *arguments: Any) -> Any:
    """Call the program compiled for these shapes. Threads that need the same program wait for one compilation."""
    check_fork()  # before the lock, which a fork may leave held
    with engine_flags(settings.precision):
        sizes = tuple((np.shape(leaf), str(leaf.dtype)) for leaf in jax.tree.leaves(arguments))
        key = (function.__name__, shape, settings, sizes)
        with _compiling:
            if key not in _programs:
                jitted = jax.jit(function, static_argnums=(0, 1))
                lowered = jitted.lower(shape, settings, *arguments)
                _programs[key] = with_cache(partial(lowered.compile, compiler_options=COMPILER_OPTIONS))
        return _programs[key](*arguments)
