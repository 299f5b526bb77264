"""The cost of a whole model that is fed samples: its tree and its front end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.export.signals.signal_library import computed
from neuraltree.export.signals.twin import linear_topped_classes
from neuraltree.hardware.model.cost import WORST, costs, laid_out
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.hardware.signals.front_costs import FrontCosts
from neuraltree.hardware.signals.signal_figures import SignalFigures
from neuraltree.signals.signal_model import SignalModel, reduced
from neuraltree.tree.tree import Tree


class WholeCost(NamedTuple):
    """``sample_latency_s``: of a push that ends no hop. ``latency_s``: of one that decides, and ``worst_latency_s`` its
    bound for all samples, None if the device has no such figures."""

    sample_latency_s: float
    latency_s: float
    worst_latency_s: float | None
    flash_bytes: float
    ram_bytes: float
    energy_j: float
    cpu_load: float


def tree_costs(tree: Tree, device: Device, code: Code) -> dict[str, float]:
    """Those of the tree of a model of signals alone, whose inputs are integers of 16 bits."""
    nodes, starts, about = laid_out([linear_topped_classes(tree)], "int16")
    return {name: float(values[0]) for name, values in costs(nodes, starts, device, *code, **about).items()}


def whole_cost(model: SignalModel, device: Device, code: Code, figures: SignalFigures | None = None) -> WholeCost:
    """``figures``: of streaming code, by default those of the package.

    ``ValueError`` if the device has no figures for the code, or none for windows of samples."""
    model = reduced(model)
    classes = len(model.tree.classes or ())
    front = FrontCosts(
        model.front_end, device, code.compiler, classes=classes, precision=code.precision, figures=figures
    )
    own = {name: np.array([value]) for name, value in tree_costs(model.tree, device, code).items()}
    read = computed(model, code.precision)
    found = {name: float(values[0]) for name, values in front.with_front(own, [read]).items()}
    return WholeCost(
        front.seconds(front.figures(read).cycles.sample_cycles),
        *(found["latency_s"], found.get(WORST), found["flash_bytes"], found["ram_bytes"]),
        *(found["energy_j"], found["cpu_load"]),
    )
