"""A stretch of a recording through the code on an emulated core: its events, and the cycles of each push."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.export.signals.twin import stream
from neuraltree.hardware.measure.cores import MeasureError
from neuraltree.hardware.profile.devices import Code, CycleDevice
from neuraltree.hardware.profile.load import load_device
from neuraltree.hardware.signals.measured_signal import push_all
from neuraltree.signals.event_rule import NONE
from neuraltree.signals.signal_model import SignalModel


class Emulated(NamedTuple):
    """``cycles``: (pushes,) on the core, without wait states of a board. ``wrong``: decisions at which the core returns
    another event than Python. ``median_s``, ``worst_s``: of a push, by the board's clock. ``load``: the share of the
    time in which the processor is busy."""

    device: str
    clock_mhz: float
    cycles: NDArray[np.float64]
    decisions: int
    events: int
    wrong: int
    median_s: float
    worst_s: float
    load: float

    def lines(self) -> str:
        """The figures in words."""
        same = f"{self.events} events at {self.decisions} decisions, as in Python"
        other = f"{self.wrong} of {self.decisions} decisions return another event than Python"
        return (
            f"{self.device}, emulated: {len(self.cycles)} samples, {other if self.wrong else same}\n"
            f"a push takes {np.median(self.cycles):.0f} cycles (median), {self.cycles.max():.0f} at worst: "
            f"{1e6 * self.median_s:.1f} µs and {1e6 * self.worst_s:.1f} µs at {self.clock_mhz:g} MHz; "
            f"load {100 * self.load:.2f} %"
        )


def emulated(model: SignalModel, name: str, code: Code, samples: NDArray[np.int16]) -> Emulated:
    """``samples`` (samples, channels), from a reset on, pushed on the core of the device of that name.

    ``MeasureError`` if its core is not emulated or there is no compiler; ``ValueError`` for an unknown device.
    """
    device = load_device(name)
    if not isinstance(device, CycleDevice):
        raise MeasureError(f"device {device.name} runs no code that is emulated; name one of a microcontroller")
    if not len(samples):
        raise MeasureError("there is no sample to push")
    found, _ = push_all(model, device.core, device.build(code.compiler), code, samples)
    wanted = np.full(len(samples), NONE)
    twin = stream(model, samples, code.precision)
    wanted[twin.ends - 1] = twin.events
    usual, worst = (device.seconds(float(cycles), "mid") for cycles in (np.median(found.cycles), found.cycles.max()))
    busy = device.seconds(float(found.cycles.sum()), "mid") * model.front_end.rate_hz / len(samples)
    decided, wrong = int((wanted != NONE).sum()), int((found.results != wanted).sum())
    clock = float(device.clock.value)
    return Emulated(device.name, clock, found.cycles, len(twin.ends), decided, wrong, usual, worst, busy)
