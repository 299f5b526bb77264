"""Measurement of a whole model that is fed samples: its C on an emulated core, push after push."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.formats import c_format
from neuraltree.export.signals.signal_layout import layout_of
from neuraltree.export.signals.signal_library import computed, export_signal
from neuraltree.export.signals.state_fields import state_bytes, state_fields
from neuraltree.export.signals.twin import stream
from neuraltree.hardware.measure.cores import MeasureError
from neuraltree.hardware.measured_costs import Measured
from neuraltree.hardware.model.cost import fits
from neuraltree.hardware.profile.devices import Code, CycleDevice, Device
from neuraltree.hardware.signals.pushed import NAME, Pushed, built_model, check_core, pushed
from neuraltree.signals.event_rule import NONE
from neuraltree.signals.signal_model import SignalModel, reduced

HOPS = 4  # after the first decision


def measure_signal(
    model: SignalModel, device: Device, code: Code, samples: NDArray[np.int16] | None = None
) -> Measured:
    """The costs of a model, measured: latency is that of the costliest push, RAM that of a state and of the deepest
    stack. ``samples`` (samples, channels): a stretch of a recording, by default one of a sensor that rests and shakes,
    until a few decisions are made. ``agrees``: the events of integer code are those of Python; of float code that it
    decides at the same samples.

    ``MeasureError`` if the core is not emulated or the compiler is missing, ``ValueError`` if the model has no C.
    """
    if not isinstance(device, CycleDevice):
        raise MeasureError(f"device {device.name} cannot be measured: it runs no code that is emulated")
    found, state = push_all(model, device.core, device.build(code.compiler), code, samples)
    costs = {
        "latency_s": device.seconds(float(found.cycles.max()), "mid"),
        "flash_bytes": float(found.built.flash_bytes),
        "ram_bytes": float(state + found.built.static_ram_bytes + found.stack_bytes.max()),
    }
    room = fits({name: np.array([value]) for name, value in costs.items()}, device)
    stated = device.flash_bytes or device.sram_bytes
    given = usual(model) if samples is None else samples
    return Measured(costs, _agrees(model, code, given, found), bool(room[0]) if stated else None)


def push_all(
    model: SignalModel,
    core: str,
    compiler: str,
    code: Code,
    samples: NDArray[np.int16] | None = None,
    counted: NDArray[np.bool_] | None = None,
) -> tuple[Pushed, int]:
    """All pushes of a stretch of samples, and the bytes of a state. ``counted``: see ``pushed``."""
    target = check_core(core, compiler)
    model = reduced(model)
    layout = layout_of(model.front_end, computed(model, code.precision))
    size = state_bytes(state_fields(layout, model.events, len(model.tree.classes or ())))
    built = built_model(export_signal(model, NAME, precision=code.precision, style=code.style), target, compiler)
    return pushed(model, built, target, size, usual(model) if samples is None else samples, None, counted), size


def usual(model: SignalModel) -> NDArray[np.int16]:
    """Samples until some decisions are made."""
    from neuraltree.hardware.signals.calibration.signal_samples import usual_samples

    front = reduced(model).front_end
    return usual_samples(int(front.ends(2 * front.longest + front.hop)[0]) + HOPS * front.hop, 0, len(front.channels))


def _agrees(model: SignalModel, code: Code, samples: NDArray[np.int16], found: Pushed) -> bool:
    wanted = stream(model, samples, code.precision)
    at = wanted.ends - 1
    silent = np.delete(found.results, at)
    if not bool((silent == NONE).all()):
        return False
    exact = c_format(code.precision).is_integer and model.tree.classes is not None
    return not exact or np.array_equal(found.results[at], wanted.events)
