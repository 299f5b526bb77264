"""What a measurement of a model finds."""

from __future__ import annotations

from typing import NamedTuple


class Measured(NamedTuple):
    """``costs``: of ``compare.COMPARED``. ``agrees``: the emulated core gave the results of the model in Python.
    ``fits``: if the model fits on the device, None if the profile states no capacity. ``inner_latency_s``: the latency
    of ``predict_q``, the part of int8 code that starts from integers."""

    costs: dict[str, float]
    agrees: bool
    fits: bool | None = None
    inner_latency_s: float | None = None
