"""The costs of front ends: what each feature of a set adds, what several share counted once.

The cost of a set is the sum over its *items*: a filter of a stream, a block or a buffer of samples, a part of a window,
the text of a function. Features that read the same item pay for it once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.hardware.model.cost import WORST
from neuraltree.hardware.model.cost_names import LOAD
from neuraltree.hardware.profile.devices import CycleDevice, Device
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.front_end.feature_names import Wanted
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.parts.part_table import PARTS
from neuraltree.tree.nodes import Nodes


class Item(NamedTuple):
    """``sample_cycles``: of each sample; ``decision_cycles``: of each decision."""

    sample_cycles: float = 0.0
    decision_cycles: float = 0.0
    flash_bytes: float = 0.0
    ram_bytes: float = 0.0


class FrontCosts:
    """The costs of the features of ``front`` on a device."""

    def __init__(self, front: FrontEnd, device: Device) -> None:
        if not isinstance(device, CycleDevice):
            raise ValueError(f"device {device.name} has no figures for features of windows; choose a microcontroller")
        self._front, self._device = front, device

    @property
    def features(self) -> int:
        """How many features there are."""
        return len(self._front.features)

    @cached_property
    def _table(self) -> tuple[NDArray[np.bool_], FloatArray]:
        """(features, items) which item each feature reads, and (items, figures of ``Item``)."""
        items: dict[Hashable, Item] = {}
        read = []
        for one in self._front.wanted:
            own = dict(_items(one, self._front))
            items |= own
            read.append(own)
        places = {key: i for i, key in enumerate(items)}
        reads = np.zeros((len(read), len(items)), dtype=bool)
        for i, own in enumerate(read):
            reads[i, [places[key] for key in own]] = True
        return reads, np.array([*items.values()])

    def figures(self, features: Sequence[int]) -> Item:
        """Of a set of features, by their places in the front end."""
        reads, items = self._table
        return Item(*(CALL + items[reads[list(features)].any(axis=0)].sum(axis=0)).tolist())

    def with_front(self, columns: dict[str, FloatArray], used: Sequence[Sequence[int]]) -> dict[str, FloatArray]:
        """Costs (models,) of trees and of the front ends that they read, which ``used`` says.

        Latency is that of the sample that ends a hop: features and tree; energy that of a hop; ``cpu_load`` the share
        of the time in which the processor is busy.
        """
        found = np.array([self.figures(one) for one in used])
        device, hop = self._device, self._front.hop
        samples, decisions = (found[:, i] * device.seconds(1, "mid") for i in (0, 1))
        energy = device.board_cycles("mid") * device.energy.value.at("mid") * 1e-12
        tree = columns["latency_s"]
        more = {
            "latency_s": tree + samples + decisions,
            "flash_bytes": columns["flash_bytes"] + np.rint(found[:, 2]),
            "ram_bytes": columns["ram_bytes"] + np.rint(found[:, 3]),
            "energy_j": columns["energy_j"] + energy * (hop * found[:, 0] + found[:, 1]),
            LOAD: (samples + (decisions + tree) / hop) * self._front.rate_hz,
        }
        if WORST in columns:
            more[WORST] = columns[WORST] + samples + decisions
        return columns | more


def features_used(trees: Sequence[Nodes]) -> list[list[int]]:
    """For each tree the places of the features that it reads."""
    return [np.unique(tree["op"][tree["op"] >= 0]).tolist() for tree in trees]


CALL = np.array(Item(20, 60, 120, 16))


def _items(one: Wanted, front: FrontEnd) -> Iterator[tuple[Hashable, Item]]:
    stream, window, feature = one.stream.name, one.window, FEATURES[one.feature.name]
    for i, step in enumerate(one.stream.filters):
        yield ("filter", one.stream.source, one.stream.filters[: i + 1]), Item(20, 0, 12, 4)
        yield ("code", "filter", step.name), Item(0, 0, 50, 0)
    for name in feature.reads:
        part = PARTS[name.rpartition(".")[2]]
        if part.block:
            yield ("block", stream, name), Item(6, 10 * window / front.hop, 16, 8 * window / front.hop)
        else:
            yield ("buffer", stream, window), Item(6, 2 * window, 12, 2 * window)
            yield ("part", stream, name, window), Item(0, 10 * window, 12, 0)
            yield ("code", "part", name), Item(0, 0, 60, 0)
    yield ("feature", one.name), Item(0, 150, 16, 2)
    yield ("code", "feature", feature.name), Item(0, 0, 40, 0)
