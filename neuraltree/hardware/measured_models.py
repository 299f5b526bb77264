"""Measurement of a whole model: its exported code is compiled for a core, run on it, and compared with the tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.formats import InputSpec, number_format
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.export.c.argument import Argument, argument_of, narrowed, sources_of
from neuraltree.export.c.columns.column_vectors import features
from neuraltree.export.c.integer_vectors import HIGHEST, LOWEST, ZERO, arrays
from neuraltree.export.c.library import export_c
from neuraltree.export.c.self_test import expected, vectors
from neuraltree.export.needed import needed, reads
from neuraltree.hardware.measure.calls import Call
from neuraltree.hardware.measure.measured import Cost, measure
from neuraltree.tree.tree import Tree

NAME = "model"
# The usual inputs among the test vectors; those before them are the mean and far outside on both sides.
USUAL = slice(3, 11)
# The same of vectors of integers, some of which are the edges of their types: these come before the usual ones.
USUAL_INTEGERS = [LOWEST, HIGHEST, ZERO, *range(9, 17)]


@dataclass(frozen=True)
class ModelMeasurement:
    """Costs of ``predict`` on raw inputs, the mean over 8 of them; ``core_*``: ``predict_q`` alone, int8 from floats.

    ``agrees``: on these and three more inputs the core gave the same results as the tree in Python, bit for bit for
    int8 and within the rounding of single floats for float32.
    """

    instructions: float
    cycles_lo: float
    cycles_hi: float
    core_instructions: float | None
    core_cycles_lo: float | None
    core_cycles_hi: float | None
    flash_bytes: int
    ram_bytes: int
    agrees: bool
    compiler: str

    @property
    def cycles(self) -> float:
        """The middle of the bounds."""
        return (self.cycles_lo + self.cycles_hi) / 2

    @property
    def core_cycles(self) -> float | None:
        """The middle of the bounds of ``predict_q``."""
        if self.core_cycles_lo is None or self.core_cycles_hi is None:
            return None
        return (self.core_cycles_lo + self.core_cycles_hi) / 2


def measure_model(
    tree: Tree,
    core: str,
    compiler: str = "clang",
    *,
    precision: str,
    style: str,
    fine: bool = False,
    inputs: InputSpec = "float32",
) -> ModelMeasurement:
    """Measure a tree; ``inputs`` as for ``export_c``. ``MeasureError`` if the compiler or the emulator is missing,
    ``ValueError`` if the tree cannot be exported.

    Flash holds code, constants and the parts of the compiler's library that they need, but no start-up code; RAM holds
    the variables and the deepest stack.
    """
    files = export_c(tree, NAME, precision=precision, style=style, fine=fine, inputs=inputs)
    inputs = narrowed(tree, inputs)
    tree = needed(tree)
    alone, read = (tree, ()) if tree.columns is None else reads(tree)
    argument = argument_of(tree, NAME, inputs)
    sources = sources_of(argument, read)
    integers = quantize_tree(alone, fine=fine, sources=sources) if number_format(precision).is_integer else None
    X = vectors(tree, integers, argument)
    X = X[: USUAL.stop] if argument.is_float else X[USUAL_INTEGERS]
    rows = [(row,) for row in arrays(argument, X)]
    calls = [Call(f"{NAME}_predict", rows, "float32" if tree.kind == "regression" else "int32")]
    if integers is not None and len(integers.inputs.features) and argument.is_float:
        values = features(read, X)[0] if read else X
        calls.append(Call(f"{NAME}_predict_q", [(row,) for row in integers.quantize(values)], "int32"))
    found = measure({name: files[name] for name in (f"{NAME}.c", f"{NAME}.h")}, calls, core, compiler)
    whole = found.costs[0]
    inner = found.costs[1] if len(calls) > 1 else None
    instructions, lo, hi = _means(whole)
    core_instructions, core_lo, core_hi = _means(inner) if inner else (None, None, None)
    return ModelMeasurement(
        instructions=instructions,
        cycles_lo=lo,
        cycles_hi=hi,
        core_instructions=core_instructions,
        core_cycles_lo=core_lo,
        core_cycles_hi=core_hi,
        flash_bytes=found.flash_bytes,
        ram_bytes=found.static_ram_bytes + int(whole.stack_bytes.max()),
        agrees=_agrees(tree, integers, X, argument, whole),
        compiler=found.compiler,
    )


def _means(cost: Cost) -> tuple[float, float, float]:
    instructions, lo, hi = (float(each[USUAL].mean()) for each in (cost.instructions, cost.cycles_lo, cost.cycles_hi))
    return instructions, lo, hi


def _agrees(tree: Tree, integers: IntegerTree | None, X: NDArray[np.floating], argument: Argument, cost: Cost) -> bool:
    wanted, tolerance = expected(tree, integers, X, argument)
    return cost.results is not None and bool((np.abs(cost.results - wanted) <= tolerance).all())
