"""The schedule of training and rewiring: all tunables, and the values they give at each point of a run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Course(NamedTuple):
    """``rounds`` an epoch, between which leaf edges are rewired, until a share ``until`` of all rounds is over.

    Each time a share of the leaf edges, falling from ``exchange`` to zero, is dropped and as many are inserted, by the
    ``gradient`` of absent ones (Evci et al., Rigging the Lottery, 2020, section 3, https://arxiv.org/abs/1911.11134)
    or at ``random`` (Mocanu et al., Sparse evolutionary training, 2018). A ``dense`` tree starts with all possible leaf
    edges, whose number falls to the budget on the path of Zhu & Gupta (To prune, or not to prune, 2017, equation 1);
    with both it is gradual pruning with regeneration (Liu et al., GraNet, 2021).
    """

    epochs: int
    dense: bool = True
    exchange: float = 0.3
    insertion: str = "gradient"
    until: float = 0.75
    rounds: int = 4
    batch: int = 128
    rate: float = 0.006
    shift: int = 1  # pixels, either way

    def wanted(self, budget: int, possible: int, progress: float) -> int:
        """Leaf edges when a share ``progress`` of the rewiring is over."""
        return budget + round((possible - budget) * (1 - progress) ** 3) if self.dense else budget

    def rates(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        """Learning rates, falling to zero on a cosine, when a share ``progress`` of the training is over."""
        return self.rate * (1 + np.cos(np.pi * progress)) / 2

    def exchanged(self, wanted: int, possible: int, progress: float) -> int:
        """The share of the wanted leaf edges or, if fewer, the absent ones: new edges must differ from the old."""
        return int(min(wanted, possible - wanted) * self.exchange * (1 + np.cos(np.pi * progress)) / 2)
