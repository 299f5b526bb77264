"""The engine in use: the compiled kernel, or, where there is none, programs of XLA. Both mean the same."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

from neuraltree.engine.kernel.binding import VARIABLE, Kernel, Missing, load
from neuraltree.engine.kernel.kernel_lowering import KernelLowering
from neuraltree.engine.xla.forks import check_fork

if TYPE_CHECKING:
    from neuraltree.engine.xla.xla_lowering import XlaLowering


@cache
def lowering() -> KernelLowering | XlaLowering:
    """The engine of this process: ``$NEURALTREE_ENGINE`` is "xla", the name of a variant of the kernel, or unset."""
    kernel = kernel_in_use()
    if isinstance(kernel, Kernel):
        return KernelLowering(kernel)
    check_fork()
    from neuraltree.engine.xla.xla_lowering import XlaLowering  # imports JAX

    return XlaLowering()


def engine_name() -> str:
    """The engine in use, such as "kernel avx2", or "XLA"."""
    kernel = kernel_in_use()
    return f"kernel {kernel.variant}" if isinstance(kernel, Kernel) else "XLA"


def what_is_missing() -> str:
    """Why the fast engine is not in use, and what that costs; "" if it is, or if XLA was asked for."""
    kernel = kernel_in_use()
    if isinstance(kernel, Kernel) or not kernel.reason:
        return ""
    return f"{kernel.reason}, so XLA trains the trees, which takes ten times as long or more; see docs/engine.md"


@cache
def kernel_in_use() -> Kernel | Missing:
    """The kernel; or ``Missing``, without a reason if XLA was asked for."""
    return Missing("") if os.environ.get(VARIABLE) == "xla" else load()


def compilations() -> int:
    """The number of programs that this process has compiled for its engine: none, unless XLA is in use."""
    programs = sys.modules.get("neuraltree.engine.xla.compiled")
    return 0 if programs is None else programs.compilations()
