"""JAX's flags as the engine needs them, set for one thread and for the duration of a call.

Users may set flags for their own programs, in the environment or in ``jax.config``. The engine's programs are compiled
ahead of time, take NumPy arrays, and treat NaN as a value that marks a tree whose training diverged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax


@contextmanager
def engine_flags(precision: str) -> Iterator[None]:
    """Doubles if ``precision`` is "float64", else single floats, and no checks at run time.

    If the user has turned on the checks of ranks and types while tracing, they stay on: the engine passes them.
    """
    with (
        jax.enable_x64(precision == "float64"),
        jax.disable_jit(False),
        jax.transfer_guard("allow"),
        jax.debug_nans(False),
        jax.debug_infs(False),
    ):
        yield
