"""Both lowerings, for every test that takes an ``engine``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import pytest

from neuraltree.engine.kernel.binding import Missing, load
from neuraltree.engine.kernel.kernel_lowering import KernelLowering
from neuraltree.engine.xla import compiled
from neuraltree.engine.xla.xla_lowering import XlaLowering

QUICK: dict[Any, Any] = {}  # programs that were compiled quickly


@pytest.fixture(params=["kernel", "xla"])
def engine(request: Any) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def kernel() -> KernelLowering:
    found = load()
    if isinstance(found, Missing):
        pytest.skip(f"{found.reason}; build it with python -m tools.kernel_build")
    return KernelLowering(found)


@pytest.fixture
def xla() -> XlaLowering:
    return XlaLowering()


@pytest.fixture(scope="module")
def quick_compiler() -> Iterator[None]:
    """For programs that run once or twice, so that XLA need not make them fast."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    others, compiled._programs = compiled._programs, QUICK  # another test's results come from usual programs
    yield
    compiled._programs = others
    jax.config.update("jax_disable_most_optimizations", before)
