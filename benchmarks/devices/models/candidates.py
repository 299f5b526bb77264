"""A model as C that a core runs, with what Python says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Candidate:
    """C files with ``int predict(const TYPE *x)``, or ``float predict`` for a regression.

    ``promised``: its score by cross-validation on the training rows. ``answers``: what Python gives for the test rows.
    ``library``: it needs functions of <math.h>. ``function``: its name in the C files.
    """

    family: str
    name: str
    promised: float
    answers: NDArray
    files: Mapping[str, str]
    dtype: type = np.float32
    library: bool = False
    function: str = "predict"

    @property
    def inputs(self) -> str:
        return "int16" if self.dtype is np.int16 else "float32"


COUNTS = "const int16_t *x"
STDINT = "#include <stdint.h>\n"


def entry(body: str, classes: int, argument: str = "const float *x") -> str:
    """The function ``predict`` around statements that end in a ``return``."""
    kind = "int" if classes else "float"
    return f"{kind} predict({argument});\n{kind} predict({argument})\n{{\n{body}}}\n"


def array(values: NDArray) -> str:
    """The initialiser of a C array: integers, or single floats with all their digits."""
    flat = np.ravel(values)
    return "{" + ", ".join(number(value) for value in flat) + "}"


def number(value: float) -> str:
    """A literal: an integer, or a single float with all its digits."""
    return str(int(value)) if isinstance(value, np.integer) else f"{np.float32(value):.9e}f"


def first_largest(name: str, classes: int) -> str:
    """Statements that return the position of the largest value; of one value, whether it is above 0."""
    if classes == 2:
        return f"    return {name}[0] > 0;\n"
    return (
        f"    int best = 0;\n    for (int k = 1; k < {classes}; ++k) {{\n"
        f"        best = {name}[k] > {name}[best] ? k : best;\n    }}\n    return best;\n"
    )
