"""Trees measured on a core in every precision and style."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.measured_models import ModelMeasurement, measure_model
from neuraltree.hardware.model.cost import counted, laid_out
from neuraltree.hardware.model.linear_model import design
from neuraltree.hardware.profile.devices import Code
from neuraltree.tree.tree import Tree

FIGURES = (
    *("instructions", "cycles_lo", "cycles_hi", "cycles", "worst_cycles_lo", "worst_cycles_hi", "worst_cycles"),
    *("flash_bytes", "ram_bytes"),
)


CLASSIFIERS = 40  # whose probabilities are measured: their cost has few terms


class Sample(NamedTuple):
    """The rows of one tree in the designs, per node and per tree, and its measurement; of some classifiers also the
    measurement of their probabilities."""

    each: NDArray[np.float64]
    once: NDArray[np.float64]
    measured: ModelMeasurement
    probabilities: ModelMeasurement | None = None


def measure_trees(
    trees: Sequence[tuple[Tree, str]],
    core: str,
    code: Code,
    tick: Callable[[], None] = lambda: None,
) -> list[Sample]:
    """One sample per tree, with the type of its inputs. A tree whose int8 form is a constant is left out, because its
    code computes nothing.

    ``tick`` is called after each tree.
    """

    classifiers = [i for i, (tree, _) in enumerate(trees) if tree.kind != "regression"]
    with_probabilities = set(classifiers[:CLASSIFIERS])

    def one(i: int, pair: tuple[Tree, str]) -> Sample | None:
        tree, inputs = pair
        nodes, starts, about = laid_out([tree], inputs)
        about.pop("kind")
        counts = counted(nodes, starts, code.precision, **about)
        if counts.leaf_edges[0] == 0:
            tick()
            return None
        how: dict[str, Any] = {"precision": code.precision, "style": code.style, "inputs": inputs}
        found = measure_model(tree, core, code.compiler, **how)
        shares = None
        if i in with_probabilities:
            shares = measure_model(tree, core, code.compiler, **how, function="probabilities")
        rows = [design(counts, tree.kind, once=once, style=code.style)[0] for once in (False, True)]
        tick()
        return Sample(rows[0], rows[1], found, shares)

    # Each compiler runs as a separate process, so threads keep all cores busy.
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        return [sample for sample in threads.map(one, range(len(trees)), trees) if sample is not None]


def columns(samples: Sequence[Sample]) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, NDArray]]:
    """The designs (trees, terms), per node and per tree, and each measured figure (trees,); no figure that was
    not counted."""
    each, once = (np.stack([getattr(sample, name) for sample in samples]) for name in ("each", "once"))
    rows = {name: [getattr(sample.measured, name) for sample in samples] for name in FIGURES}
    return each, once, {name: np.array(row, dtype=float) for name, row in rows.items() if None not in row}
