"""Predicted and measured costs side by side: models compiled for a device's core and run on it in an emulator."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from neuraltree.cli.command import plain
from neuraltree.compress.formats import InputSpec, c_format, only_floats
from neuraltree.hardware.measure.cores import CORES, MeasureError
from neuraltree.hardware.measure.toolchains import check
from neuraltree.hardware.measured_costs import Measured
from neuraltree.hardware.measured_models import ModelMeasurement, measure_model
from neuraltree.hardware.model.cost import WORST, fits
from neuraltree.hardware.predict import FITS, SCALES, Prediction
from neuraltree.hardware.profile.devices import Code, CycleDevice, Device
from neuraltree.tree.model_files import load
from neuraltree.tree.tree import Tree

COMPARED = ("latency_s", "flash_bytes", "ram_bytes", WORST)


def check_measurable(device: Device, compiler: str) -> None:
    """``MeasureError`` unless the device's core can be emulated and the compiler for it is installed."""
    if not isinstance(device, CycleDevice) or device.core not in CORES:
        raise MeasureError(
            f"device {device.name} cannot be measured: its core {device.core} is not emulated; allowed: "
            f"{', '.join(CORES)}, and boards with one of them"
        )
    check(CORES[device.core], device.build(compiler))


def measure_tree(
    tree: Tree, device: Device, code: Code, inputs: InputSpec = "float32", *, early_exit: bool = False
) -> Measured:
    """The costs of one tree, measured. Latency is the middle of the cycle bounds, times the wait states that the device
    states, at its clock. The device must pass ``check_measurable``. ``early_exit``: of code that exits early, whose
    time is not measured, since it depends on the rows."""
    found, seconds = _measured(tree, device, code, "predict", inputs, early_exit=early_exit)
    worst = seconds * found.worst_cycles / found.cycles
    costs = {"flash_bytes": float(found.flash_bytes), "ram_bytes": float(found.ram_bytes)}
    costs |= {} if early_exit else {"latency_s": seconds, WORST: worst}
    room = fits({name: np.array([value]) for name, value in costs.items()}, device)
    stated = device.flash_bytes or device.sram_bytes
    return Measured(costs, found.agrees, bool(room[0]) if stated else None)


def _measured(
    tree: Tree, device: Device, code: Code, function: str, inputs: InputSpec = "float32", *, early_exit: bool = False
) -> tuple[ModelMeasurement, float]:
    """The measurement of a function, and its latency in seconds."""
    assert isinstance(device, CycleDevice)
    found = measure_model(
        tree,
        device.core,
        device.build(code.compiler),
        precision=code.precision,
        style=code.style,
        function=function,
        inputs=inputs,
        early_exit=early_exit,
    )
    return found, device.seconds(found.cycles, "mid")


def _with_inner(tree: Tree, device: Device, code: Code, inputs: InputSpec) -> Measured:
    """``measure_tree``, for int8 from floats with the latency of ``predict_q``."""
    found = measure_tree(tree, device, code, inputs)
    if not c_format(code.precision).is_integer or not only_floats(inputs):
        return found
    inner, seconds = _measured(tree, device, code, "predict_q")
    return found._replace(inner_latency_s=seconds, agrees=found.agrees and inner.agrees)


def measure_files(
    paths: Sequence[Path], device: Device, codes: Sequence[Code], inputs: InputSpec = "float32"
) -> list[Measured]:
    """The measured costs of each model file in its code; progress is shown on a terminal."""
    for compiler in {code.compiler for code in codes}:
        check_measurable(device, compiler)
    pairs = list(zip(paths, codes, strict=True))
    shown = track(pairs, "measuring", console=Console(stderr=True), disable=plain(sys.stderr), transient=True)
    return [_with_inner(load(path), device, code, inputs) for path, code in shown]


def comparison_table(predictions: Sequence[Prediction], measured: Sequence[Measured], title: str) -> Table:
    """A table with the predicted cost, the measured cost and the error of the prediction in percent; of the slowest
    prediction only what was measured, since the table is wide."""
    table = Table("model", title=f"{title}, predicted and measured on the emulated core")
    compared = [cost for cost in COMPARED if cost != WORST]
    headings = [heading for cost in compared for heading in (SCALES[cost][1], "measured", "off %")]
    inner = ["predict_q µs"] * any(found.inner_latency_s is not None for found in measured)
    for heading in ("weights", *headings, SCALES[WORST][1], *inner, "fits", "agrees"):
        table.add_column(heading, justify="right")
    for row, found in zip(predictions, measured, strict=True):
        cells = [cell for cost in compared for cell in _cells(row.costs[cost], found.costs[cost], SCALES[cost][0])]
        slowest = f"{found.costs[WORST] * SCALES[WORST][0]:.4g}"
        alone = ["" if found.inner_latency_s is None else f"{found.inner_latency_s * 1e6:.4g}"] * len(inner)
        table.add_row(
            row.name, str(row.weights), *cells, slowest, *alone, FITS[found.fits], "yes" if found.agrees else "NO"
        )
    return table


def _cells(predicted: float, measured: float, scale: float) -> list[str]:
    return [f"{predicted * scale:.4g}", f"{measured * scale:.4g}", f"{100 * (predicted / measured - 1):+.1f}"]
