"""RAM, flash, instructions and energy of a training step on emulated cores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from experiments.frame.experiment import Row
from neuraltree.arrays import FloatArray
from neuraltree.export.c.training.on_device import export_training
from neuraltree.hardware.measure import Call, measure
from neuraltree.hardware.profile.devices import CycleDevice
from neuraltree.hardware.profile.load import load_device
from neuraltree.tree.tree import Tree
from neuraltree.updating.training_state import Live

CORES = ("cortex-m0plus", "cortex-m4f")
RATE = 0.01
COST_COLUMNS = ("core", "static_bytes", "stack_bytes", "flash_bytes", "instructions", "forward", "energy_uj")


def cost_rows(tree: Tree, live: Live, row: FloatArray, target: float) -> Iterator[Row]:
    """For each core: the program that trains these nodes, and one step of it; ``forward``: instructions of a
    prediction by the same program."""
    files = {name: text for name, text in export_training(tree, "pot", live).items() if not name.startswith("test/")}
    x, is_number = row.astype(np.float32), tree.classes is None
    calls = [
        Call("pot_reset", [()]),
        Call("pot_trained_predict", [(x,)], "float32" if is_number else "int"),
        Call("pot_train", [(x, float(target) if is_number else int(target), RATE)], "float32"),
    ]
    for core in CORES:
        taken = measure(files, calls, core)
        _, forward, step = taken.costs
        assert step.results is not None
        assert step.results[0] >= 0  # the step was made
        assert step.instructions is not None
        assert forward.instructions is not None
        cycles = (step.cycles_lo[0] + step.cycles_hi[0]) / 2
        yield {
            "core": core,
            "static_bytes": taken.static_ram_bytes,
            "stack_bytes": int(step.stack_bytes[0]),
            "flash_bytes": taken.flash_bytes,
            "instructions": int(step.instructions[0]),
            "forward": int(forward.instructions[0]),
            "energy_uj": round(cycles * joules_per_cycle(core) * 1e6, 3),
        }


def joules_per_cycle(core: str) -> float:
    """Of the whole board, as the cost model has it."""
    device = load_device(core)
    assert isinstance(device, CycleDevice)
    return float(device.board_cycles("mid") * device.energy.value.at("mid") * 1e-12)
