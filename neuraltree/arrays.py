"""Names for array types, each with one meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
EngineArray = Any  # a NumPy array outside a compiled program, a JAX array inside one
