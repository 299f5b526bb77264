"""The costs of front ends: what each feature of a set adds, what several share counted once.

The cost of a set is the sum over its items, see ``front_items``: which feature has which item is a matrix of booleans,
so that the costs of a population are found in milliseconds.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import AUTO, c_format
from neuraltree.export.signals.signal_layout import layout_of
from neuraltree.hardware.model.cost import WORST
from neuraltree.hardware.model.cost_names import LOAD
from neuraltree.hardware.profile.devices import CycleDevice, Device
from neuraltree.hardware.signals.front_items import Items, items_of
from neuraltree.hardware.signals.item_costs import ItemCost, cost_of, model_cost, state_bytes_of, with_library
from neuraltree.hardware.signals.signal_figures import SignalFigures, figures_for
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.tree.nodes import IntArray, Nodes

LEAST_ALIGN = {False: 4, True: 2}  # bytes, of the state of a regression and of classes


class FrontCost(NamedTuple):
    """Of a set of features, without the tree: see ``ItemCost``. ``state_bytes``: exact. ``stack_bytes``: of the push
    that computes them. ``frame_bytes``: the stack below the tree's."""

    cycles: ItemCost
    state_bytes: int
    stack_bytes: float
    frame_bytes: float


class _Table(NamedTuple):
    """``reads`` (features, items); ``costs`` (items, figures of ``ItemCost``); of each item ``align`` and the
    ``arrays`` on the stack of its ``window``, 0 for none; of each feature its ``stack`` and its window, ``of``."""

    reads: NDArray[np.bool_]
    costs: FloatArray
    align: IntArray
    arrays: FloatArray
    window: IntArray
    stack: FloatArray
    of: IntArray


class FrontCosts:
    """The costs of the features of ``front`` on a device, in a model of so many ``classes`` (0: a regression) without
    smoothing of scores, whose tree has numbers of ``precision``.

    ``figures``: by default those of the package. ``ValueError`` if there are none for the device and the compiler.
    """

    def __init__(
        self,
        front: FrontEnd,
        device: Device,
        compiler: str = "clang",
        *,
        classes: int = 3,
        precision: str = "int8",
        figures: SignalFigures | None = None,
    ) -> None:
        self._figures = figures or figures_for(device, compiler)
        assert isinstance(device, CycleDevice)
        self._front, self._device, self._classes = front, device, classes
        is_integer = precision == AUTO or c_format(precision).is_integer
        self._model = model_cost(self._figures, classes, "int8" if is_integer else "float32")

    @property
    def front_end(self) -> FrontEnd:
        """The front end that has all features."""
        return self._front

    @property
    def features(self) -> int:
        """How many features there are."""
        return len(self._front.features)

    def seconds(self, cycles: float) -> float:
        """The time of so many cycles on the device."""
        return self._device.seconds(cycles, "mid")

    @cached_property
    def _table(self) -> _Table:
        windows = sorted({one.window for one in self._front.wanted})
        own = [
            with_library(items_of(layout_of(self._front, [i]), windows), self._figures) for i in range(self.features)
        ]
        every: Items = {key: item for items in own for key, item in items.items()}
        places = {key: i for i, key in enumerate(every)}
        reads = np.zeros((len(own), len(every)), dtype=bool)
        for i, items in enumerate(own):
            reads[i, [places[key] for key in items]] = True
        names: list[Hashable] = [None, *dict.fromkeys((one.stream, one.window) for one in self._front.wanted)]
        return _Table(
            reads,
            np.array([cost_of(item, self._figures) for item in every.values()]),
            np.array([item.align for item in every.values()]),
            np.array([item.array_bytes for item in every.values()], dtype=np.float64),
            np.array([names.index(item.window) for item in every.values()]),
            np.array([self._figures.stack_bytes[one.feature.name] for one in self._front.wanted]),
            np.array([names.index((one.stream, one.window)) for one in self._front.wanted]),
        )

    def figures(self, features: Sequence[int]) -> FrontCost:
        """Of a set of features, by their places in the front end."""
        table, chosen = self._table, list(features)
        there = np.flatnonzero(table.reads[chosen].any(axis=0))
        cost = ItemCost(*(np.array(self._model) + table.costs[there].sum(axis=0)).tolist())
        align = max(LEAST_ALIGN[self._classes > 0], int(table.align[there].max(initial=1)))
        arrays = np.bincount(table.window[there], weights=table.arrays[there], minlength=int(table.of.max()) + 1)
        deepest = float((arrays[table.of[chosen]] + table.stack[chosen]).max(initial=0.0)) + cost.stack_bytes
        frame = self._figures.frame_bytes + cost.stack_bytes
        return FrontCost(cost, state_bytes_of(cost.ram_bytes, align), deepest, frame)

    def with_front(self, columns: dict[str, FloatArray], used: Sequence[Sequence[int]]) -> dict[str, FloatArray]:
        """Costs (models,) of trees and of the front ends that they read, which ``used`` says.

        Latency is that of the sample that ends a hop: features and tree; energy that of a second; ``cpu_load`` the
        share of the time in which the processor is busy. The worst latency is a bound, see ``docs/hardware.md``.
        """
        found = [self.figures(one) for one in used]
        costs = np.array([one.cycles for one in found]).reshape(len(found), -1)
        state, stack, frame = np.array([one[1:] for one in found]).reshape(len(found), -1).T
        device, hop, rate_hz = self._device, self._front.hop, self._front.rate_hz
        seconds = device.seconds(1, "mid")
        samples, decisions, worst_samples, worst_decisions, flash, *_ = (costs * [*[seconds] * 4, 1, 1, 1]).T
        energy = device.board_cycles("mid") * device.energy.value.at("mid") * 1e-12
        tree = columns["latency_s"]
        more = {
            "latency_s": tree + samples + decisions,
            "flash_bytes": columns["flash_bytes"] + np.rint(flash),
            "ram_bytes": np.rint(state + np.maximum(columns["ram_bytes"] + frame, stack)),
            "energy_j": rate_hz * (energy * costs[:, 0] + (energy * costs[:, 1] + columns["energy_j"]) / hop),
            LOAD: (samples + (decisions + tree) / hop) * rate_hz,
        }
        if WORST in columns:
            more[WORST] = self._figures.worst_margin * (columns[WORST] + worst_samples + worst_decisions)
        return columns | more


def features_used(trees: Sequence[Nodes]) -> list[list[int]]:
    """For each tree the places of the features that it reads."""
    return [np.unique(tree["op"][tree["op"] >= 0]).tolist() for tree in trees]
