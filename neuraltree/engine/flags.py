"""JAX's flags as the engine needs them, for one thread and the length of a call.

Users set flags for programs of their own, in the environment or in ``jax.config``. The engine's programs are compiled
ahead of time, take NumPy arrays, and treat NaN as a value that marks a tree whose training diverged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax


@contextmanager
def engine_flags(precision: str) -> Iterator[None]:
    """Doubles if ``precision`` is "float64", else single floats, and no checks at run time.

    The checks of ranks and types while tracing stay on if the user wants them: the engine's code passes them.
    """
    with (
        jax.enable_x64(precision == "float64"),
        jax.disable_jit(False),
        jax.transfer_guard("allow"),
        jax.debug_nans(False),
        jax.debug_infs(False),
    ):
        yield
