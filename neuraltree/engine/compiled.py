"""Programs compiled once for their shapes and settings, and kept: in this process, and on the disk for the next."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

if TYPE_CHECKING:
    from neuraltree.engine.packing import Shape
    from neuraltree.engine.train import Settings

# Bins run in threads of their own, so a program that also cut its own operations over threads would only
# pay for the cutting: measured, 1.5 times slower. Wider vectors are 10-20 % faster where the machine has them.
COMPILER_OPTIONS: dict[str, Any] = {
    "xla_cpu_multi_thread_eigen": False,
    "xla_cpu_prefer_vector_width": 512,
    "xla_disable_hlo_passes": "cpu-parallel-task-assigner",
}

_programs: dict[tuple, Any] = {}
_compiling = threading.Lock()


def compilations() -> int:
    """How many programs of the engine this process has compiled."""
    return len(_programs)


def keep_programs() -> None:
    """Compiled programs are kept between processes, unless the user has said where or that they are not."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        jax.config.update("jax_compilation_cache_dir", str(home / "neuraltree"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def run_program(function: Any, shape: Shape, settings: Settings, *arguments: Any) -> Any:
    """Call the program compiled for these shapes; threads that want the same one wait for one compilation."""
    with jax.enable_x64(settings.precision == "float64"):
        sizes = tuple((np.shape(leaf), str(leaf.dtype)) for leaf in jax.tree.leaves(arguments))
        key = (function.__name__, shape, settings, sizes)
        with _compiling:
            if key not in _programs:
                jitted = jax.jit(function, static_argnums=(0, 1))
                lowered = jitted.lower(shape, settings, *arguments)
                _programs[key] = lowered.compile(compiler_options=COMPILER_OPTIONS)
        return _programs[key](*arguments)
