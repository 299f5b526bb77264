"""The compiled kernel as a library of this process: found, checked, and called through ctypes.

A call releases the interpreter lock, so Python's threads run several at once.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neuraltree.engine.kernel.source import FOLDER, LIBRARY, digest

VARIABLE = "NEURALTREE_ENGINE"
FUNCTIONS = ("train", "predict", "slopes", "pullback")  # in the order of ``dispatch.c``
PRECISIONS = ("float32", "float64")
_INT32, _INT64, _ARRAY, _DOUBLE = ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p, ctypes.c_double


class Job(ctypes.Structure):
    """``Job`` of ``kernel.h``."""

    _fields_ = (
        *((name, _INT32) for name in ("trees", "nodes", "params", "features", "outputs")),
        *((name, _ARRAY) for name in ("first_node", "size", "kind", "first_param", "source")),
        ("rows", _INT64),
        *((name, _ARRAY) for name in ("inputs", "targets", "weight", "soft")),
        *((name, _INT64) for name in ("shuffles", "fit_rows", "batch", "validation_rows")),
        *((name, _ARRAY) for name in ("order", "validation", "rates", "limit", "l1", "group_l1")),
        *((name, _INT32) for name in ("epochs", "patience", "loss", "optimizer", "judge")),
        ("decay", _DOUBLE),
        ("level", _DOUBLE),
        ("temperature", _DOUBLE),
        ("kappa_step", _DOUBLE),
        ("count", _INT64),
        *((name, _ARRAY) for name in ("param", "first", "second", "learned")),
        *((name, _ARRAY) for name in ("best", "best_loss", "best_epoch", "losses")),
        *((name, _ARRAY) for name in ("found", "slopes", "by_input", "stop")),
    )


class Integers(ctypes.Structure):
    """``Integers`` of ``kernel.h``."""

    _fields_ = (
        *((name, _INT32) for name in ("nodes", "levels", "features", "outputs", "kinds")),
        ("rows", _INT64),
        *((name, _ARRAY) for name in ("depth", "op", "weight", "bias", "multiplier", "shift")),
        *((name, _ARRAY) for name in ("low", "high", "repeats", "table", "codes", "found", "stop")),
    )


class Exits(ctypes.Structure):
    """``Exits`` of ``kernel.h``."""

    _fields_ = (
        *((name, _INT32) for name in ("trees", "outputs", "terms", "reads", "inputs", "look")),
        *((name, _INT64) for name in ("typical", "rows")),
        *((name, _ARRAY) for name in ("first_term", "low", "high", "cost", "first_read", "read", "first_input")),
        *((name, _ARRAY) for name in ("input_cost", "bias", "multiplier", "shift", "threshold", "added")),
        *((name, _ARRAY) for name in ("part", "order", "passed", "ahead", "stop")),
    )


DONE, STOPPED, MEMORY = range(3)  # the statuses of ``kernel.h`` up to the first error


class Kernel(NamedTuple):
    """A loaded library, and the name of the variant in use, such as ``avx2``."""

    library: Any
    variant: str

    def call(self, function: str, precision: str, job: Job) -> None:
        """Run a function of the kernel. ``ValueError`` for a malformed job."""
        entry = 2 * FUNCTIONS.index(function) + PRECISIONS.index(precision)
        self._check(self.library.nt_call(entry, ctypes.byref(job)))

    def integers(self, job: Integers) -> None:
        """Evaluate trees of integers. ``ValueError`` for a malformed job."""
        self._check(self.library.nt_integers(ctypes.byref(job)))

    def exits(self, job: Exits) -> None:
        """Find the early exits of trees. ``ValueError`` for a malformed job."""
        self._check(self.library.nt_exits(ctypes.byref(job)))

    def _check(self, status: int) -> None:
        if status not in (DONE, STOPPED):
            raise (MemoryError if status == MEMORY else ValueError)(self.library.nt_message(status).decode())


class Missing(NamedTuple):
    """The reason why there is no kernel, as a clause for messages."""

    reason: str


def address(array: np.ndarray, dtype: Any, *shape: int) -> int:
    """Where the numbers of an array begin; ``ValueError`` unless it is contiguous, of this type and of this shape."""
    if array.dtype != dtype or array.shape != shape or not (array.flags.c_contiguous and array.flags.aligned):
        got = f"{array.dtype} and shape {array.shape}" if array.flags.c_contiguous else "one that is not contiguous"
        raise ValueError(f"the kernel needs an array of {np.dtype(dtype)} and shape {shape}; got {got}")
    return array.ctypes.data


@cache
def load() -> Kernel | Missing:
    """The kernel of this process: beside its sources, or in the installed package if this is a checkout."""
    reasons = []
    for place in filter(Path.exists, (FOLDER / LIBRARY, *_installed())):
        found = _open(place)
        if isinstance(found, Kernel):
            return found
        reasons.append(found.reason)
    return Missing("; ".join(dict.fromkeys(reasons)) or "the compiled kernel is missing")


def _installed() -> list[Path]:
    try:
        return [Path(str(distribution("neuraltree").locate_file(f"neuraltree/engine/kernel/{LIBRARY}")))]
    except PackageNotFoundError:
        return []


def _open(place: Path) -> Kernel | Missing:
    try:
        library: Any = ctypes.CDLL(str(place))
    except OSError as error:
        return Missing(f"the compiled kernel cannot be loaded ({error})")
    if _digest(library) != digest():
        return Missing("the compiled kernel was built from other sources than these")
    library.nt_call.argtypes, library.nt_message.restype = (ctypes.c_int, ctypes.POINTER(Job)), ctypes.c_char_p
    library.nt_integers.argtypes = (ctypes.POINTER(Integers),)
    library.nt_exits.argtypes = (ctypes.POINTER(Exits),)
    wanted, names = os.environ.get(VARIABLE, ""), variants(library)
    if wanted and wanted not in names:
        return Missing(f"${VARIABLE} is {wanted!r}, none of xla, {', '.join(names)}")
    if variant := use(library, wanted):
        return Kernel(library, variant)
    lacks = f"this processor cannot run ${VARIABLE}={wanted}" if wanted else ""
    return Missing(lacks or "this processor lacks the instructions that it needs")


def _digest(library: Any) -> str:
    if not hasattr(library, "nt_digest"):
        return ""
    library.nt_digest.restype = ctypes.c_char_p
    return library.nt_digest().decode()


def variants(library: Any) -> list[str]:
    """The names of the variants in a library, the best last."""
    library.nt_variant.restype = ctypes.c_char_p
    names: list[str] = []
    while (found := library.nt_variant(len(names))) is not None:
        names.append(found.decode())
    return names


def use(library: Any, name: str = "") -> str:
    """Choose the variant ``name``, or the best; the one in use, or "" if this processor cannot run it."""
    names = variants(library)
    index = library.nt_use(names.index(name) if name else -1)
    return names[index] if index >= 0 else ""
