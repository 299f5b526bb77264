"""Trees of MNIST as C that takes raw pixels: the error of the integer code, and all of its bytes.

The trees are trained as in the study of MNIST. Sizes, number formats and styles were chosen by the error on its validation
rows; the test rows are scored once, by the integers that the C gives bit for bit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.mnist import run as mnist
from experiments.studies.mnist_c.machines import host_classes, on_chip
from neuraltree.compress.input_types import sources
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.export import export_c
from neuraltree.hardware.measure.calls import Call
from neuraltree.hardware.measure.measured import measure
from neuraltree.tree.tree import Tree

INPUT, CORE = "uint8", "cortex-m0plus"
BASE = "grow_10k"  # the job of the study whose images and random numbers a seed has
EMULATED, ON_CHIP = 2, 12  # images
COLUMNS = (
    *("weights", "precision", "style", "float_error", "val_error", "test_error", "constants", "flash", "cycles"),
    *("stack", "chip_flash", "chip_ram", "chip_cycles", "host_images", "chip_images"),
)


class Code(NamedTuple):
    precision: str
    style: str


class Size(NamedTuple):
    """``trained``: the number format in which the last quarter of the training goes on; None: floats to the end."""

    weights: int
    children: int
    codes: tuple[Code, ...]
    trained: str | None = None


JOBS = {
    "10k": Size(10_000, 20, (Code("int4", "coded"), Code("int4", "table"), Code("int3", "coded"))),
    "15k": Size(15_000, 30, (Code("int4", "coded"),)),
    "8k_in_int3": Size(8_000, 20, (Code("int3", "coded"), Code("int3", "table")), "int3"),
}


def units(seeds: int, quick: bool) -> list[Unit]:
    """Training in a format, which takes longest, comes last."""
    plain = [job for job, size in JOBS.items() if size.trained is None]
    slow = [job for job in JOBS if job not in plain]
    return [Unit("mnist", job, seed) for jobs in (plain, slow) for seed in range(1 if quick else seeds) for job in jobs]


def model_of(unit: Unit, quick: bool) -> mnist.Model:
    size, model = JOBS[unit.job], mnist.model_of(BASE, quick)
    return model if quick else model._replace(weights=size.weights, children=(size.children,))


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    size, model = JOBS[unit.job], model_of(unit, quick)
    there = mnist.settings(unit._replace(job=BASE), quick)
    return there | {"weights": model.weights, "children": model.children, "trained": size.trained, "codes": size.codes}


def run(unit: Unit, quick: bool) -> list[Row]:
    parts, pixels, rng = mnist.begun(unit, quick)
    tree = mnist.grown(model_of(unit, quick), pixels, rng, JOBS[unit.job].trained)
    flat = [(X.reshape(len(X), -1), y) for X, y in (parts.validation, parts.test)]
    return [_row(tree, code, *flat) for code in JOBS[unit.job].codes]


def _row(tree: Tree, code: Code, validation: tuple[NDArray, NDArray], test: tuple[NDArray, NDArray]) -> Row:
    """The errors of a code and its costs; ``RuntimeError`` if the C gives another class than the integers in Python."""
    integers = quantize_tree(tree, weights=code.precision, sources=sources(tree, INPUT))
    made = export_c(tree, "m", precision=code.precision, style=code.style, inputs=INPUT)
    files = {name: text for name, text in made.items() if "/" not in name}
    found = integers.predict(test[0])
    return {
        "weights": tree.num_weights,
        **code._asdict(),
        "float_error": wrong(tree.predict(test[0]), test[1]),
        "val_error": wrong(integers.predict(validation[0]), validation[1]),
        "test_error": wrong(found, test[1]),
        **_costs(files, integers, test[0]),
    }


def _costs(files: dict[str, str], integers: IntegerTree, X: NDArray[np.uint8]) -> Row:
    classes = integers.predict_q(integers.quantize(X))
    call = Call("m_predict", [(row,) for row in X[:EMULATED]], "int")
    core, avr = measure(files, [call], CORE), measure(files, [call], "avr", "gcc-Os")
    chip = on_chip(files, X[:ON_CHIP])
    given = {"host": host_classes(files, X), "chip": chip.classes}
    given |= {name: np.asarray(taken.costs[0].results) for name, taken in (("core", core), ("avr", avr))}
    for name, those in given.items():
        if not np.array_equal(those, classes[: len(those)]):
            raise RuntimeError(f"the C gives other classes than Python on {name}: {those}")
    return {
        "constants": core.rodata_bytes,
        "flash": core.flash_bytes,
        "cycles": round(float(core.costs[0].cycles_hi.mean())),
        "stack": int(core.costs[0].stack_bytes.max()),
        "chip_flash": chip.flash,
        "chip_ram": chip.ram,
        "chip_cycles": round(float(avr.costs[0].cycles_hi.mean())),
        "host_images": len(given["host"]),
        "chip_images": len(chip.classes),
    }


def wrong(found: NDArray, y: NDArray) -> float:
    return float(np.mean(found != y))


EXPERIMENT = Experiment("mnist_c", "C of MNIST's trees from raw pixels", 10, COLUMNS, units, run, settings)
