"""Types of arrays, one meaning each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
EngineArray = Any  # NumPy's outside a compiled program, JAX's inside one
