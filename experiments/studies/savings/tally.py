"""The operations that each lane spends in a training, the papers' way and in full."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.studies.savings.hyper_gradient import MACS
from experiments.studies.savings.methods import Lane
from neuraltree.arrays import FloatArray
from neuraltree.updating.operations import Mask, Wiring, moving, nominal_share, operations

COMPARED = 3  # operations of a value that is compared with that of the epoch before: its mean, its square, the product


class Saved(NamedTuple):
    """(lanes,) shares of the operations of a training that updates every neuron in all epochs.

    ``nominal``: as the papers count, of the back-propagation alone. ``honest``: of all operations. ``kept``: if values
    that do not change from one epoch to the next are kept; ``values``: the most values that this keeps of a row.
    ``woken``: of the neurons that were frozen, the share that was updated in the next epoch.
    """

    nominal: FloatArray
    honest: FloatArray
    kept: FloatArray
    values: FloatArray
    woken: FloatArray


class Tally:
    """Adds up epochs. ``watched``: the rows on which neurons are compared after each epoch."""

    def __init__(self, wiring: Wiring, lanes: list[Lane], watched: int) -> None:
        neurons, count = len(wiring.fan_in), len(lanes)
        self.wiring, self.full = wiring, operations(wiring, np.zeros(neurons, bool))
        # By what a lane's choice needs of each row that is watched.
        costs = {"velocity": self.full.forward + COMPARED * neurons, "gradient": self.full.total}
        self.watching = watched * np.array([costs.get(lane.method.score, 0) for lane in lanes])
        self.learning = np.array([MACS[lane.method.learned] for lane in lanes])
        self.epochs = 0
        self.nominal, self.spent, self.spent_kept, self.possible = np.zeros((4, count))
        self.values, self.slept, self.woken = np.zeros((3, count))
        self.still = self.frozen = np.zeros((count, neurons), bool)

    def add(self, frozen: Mask, rows: int, steps: int, running: NDArray[np.bool_]) -> None:
        """An epoch without updates of ``frozen`` (lanes, neurons), of the lanes that are ``running`` (lanes,)."""
        each, kept = operations(self.wiring, frozen), operations(self.wiring, frozen, self.still)
        updated = ~frozen @ (self.wiring.fan_in + 1)
        beside = self.watching + steps * self.learning * updated
        self.nominal += nominal_share(self.wiring, frozen)
        self.spent += running * (rows * each.total + beside)
        self.spent_kept += running * (rows * kept.total + beside)
        self.possible += rows * self.full.total
        self.slept += self.frozen.sum(axis=1) * running
        self.woken += (self.frozen & ~frozen).sum(axis=1) * running
        self.still, self.frozen = ~moving(self.wiring, frozen), frozen
        self.values = np.maximum(self.values, self.still.sum(axis=1) * running)
        self.epochs += 1

    def saved(self) -> Saved:
        return Saved(
            self.nominal / self.epochs,
            1 - self.spent / self.possible,
            1 - self.spent_kept / self.possible,
            self.values,
            self.woken / np.maximum(self.slept, 1),
        )
