"""Measurement of a whole model: its exported code is compiled for a core, run on it, and compared with the tree."""

from __future__ import annotations

from dataclasses import dataclass

from neuraltree.compress.formats import InputSpec
from neuraltree.export.c.library import export_c
from neuraltree.hardware.measure.measured import measure
from neuraltree.hardware.measured_functions import FUNCTIONS, NAME, USUAL, measurable, model_of
from neuraltree.tree.tree import Tree

ALWAYS = "predict"  # what every program calls


@dataclass(frozen=True)
class ModelMeasurement:
    """Costs of one function on the inputs of 8 rows, the mean over them. Flash is that of a program that calls
    ``predict`` and this function. ``worst_*``, and RAM: on the costliest of these and three more inputs.

    ``agrees``: on these and three more inputs the core gave the same results as the tree in Python, bit for bit for
    int8, and within the rounding of single floats for float32 and for probabilities. ``instructions`` is None where the
    simulator counts none.
    """

    instructions: float | None
    cycles_lo: float
    cycles_hi: float
    worst_cycles_lo: float
    worst_cycles_hi: float
    flash_bytes: int
    ram_bytes: int
    agrees: bool
    compiler: str

    @property
    def cycles(self) -> float:
        """The middle of the bounds."""
        return (self.cycles_lo + self.cycles_hi) / 2

    @property
    def worst_cycles(self) -> float:
        """The middle of the bounds."""
        return (self.worst_cycles_lo + self.worst_cycles_hi) / 2


def measure_model(
    tree: Tree,
    core: str,
    compiler: str = "clang",
    *,
    precision: str,
    style: str,
    fine: bool = False,
    function: str = ALWAYS,
    inputs: InputSpec = "float32",
    early_exit: bool = False,
) -> ModelMeasurement:
    """Measure a function of a tree's code, a key of ``FUNCTIONS``: ``predict``; ``probabilities``, of classifiers;
    ``predict_q``, int8 from floats only; ``predict_fixed`` and ``confidence``, int8 only. ``inputs`` and
    ``early_exit``: as for ``export_c``.

    What a function adds to flash is its figure less that of ``predict``. Flash holds code, constants and the parts of
    the compiler's library that they need, but no start-up code; RAM holds the variables and the function's deepest
    stack. ``MeasureError`` if the compiler or the emulator is missing, ``ValueError`` if the tree cannot be exported or
    has no such function.
    """
    files = export_c(tree, NAME, precision=precision, style=style, fine=fine, inputs=inputs, early_exit=early_exit)
    model = model_of(tree, precision, fine=fine, inputs=inputs)
    row = measurable(function, model)
    calls = [FUNCTIONS[name].call(model) for name in dict.fromkeys((function, ALWAYS))]
    found = measure({name: files[name] for name in (f"{NAME}.c", f"{NAME}.h")}, calls, core, compiler)
    cost = found.costs[0]
    return ModelMeasurement(
        instructions=None if cost.instructions is None else float(cost.instructions[USUAL].mean()),
        cycles_lo=float(cost.cycles_lo[USUAL].mean()),
        cycles_hi=float(cost.cycles_hi[USUAL].mean()),
        worst_cycles_lo=float(cost.cycles_lo.max()),
        worst_cycles_hi=float(cost.cycles_hi.max()),
        flash_bytes=found.flash_bytes,
        ram_bytes=found.static_ram_bytes + int(cost.stack_bytes.max()),
        agrees=row.agrees(model, cost),
        compiler=found.compiler,
    )
