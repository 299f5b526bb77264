"""The training of one tree by an estimator: it reports the loss of every epoch, can stop, and can resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.engine.forest import load_params, pack, store_params
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Course, Settings, make_data, shuffled
from neuraltree.tree.nodes import Nodes, join

CALL_WORK = 100_000_000  # parameters x rows of a call, of one epoch at least; Ctrl-C works between calls
MOST_DRAWN = 2_000_000  # row numbers that one call holds


class Trained(NamedTuple):
    """The tree, the mean training loss of each epoch (epochs,), the optimiser's state, and whether Ctrl-C ended it."""

    nodes: Nodes
    losses: NDArray[np.float64]
    moments: list[NDArray]
    interrupted: bool


def train_epochs(
    tree: Nodes,
    settings: Settings,
    *,
    inputs: NDArray,
    targets: NDArray,
    weight: NDArray | None,
    rates: Sequence[float],
    rng: np.random.Generator,
    moments: Sequence[NDArray] = (),
    after: Callable[[int, float], None] = lambda epoch, loss: None,
) -> Trained:
    """Train a tree for one epoch per entry of ``rates``, the learning rates.

    ``inputs`` (rows, features) are scaled, ``targets`` (rows, outputs) encoded; ``weight`` (rows,) is the weight of
    each row. ``moments`` is an earlier state of the optimiser to resume. ``after`` is called with the number of epochs
    done and the loss. ``KeyboardInterrupt`` ends the training early, with the tree trained so far.
    """
    nodes, starts = join([tree])
    packed = pack(nodes, starts, inputs.shape[1])
    data = make_data(inputs, targets, weight, settings.precision)
    params, state = load_params(packed, nodes, settings.precision)[0], list(moments)
    losses: list[NDArray] = []
    interrupted = False
    rows, steps = len(inputs), -(-len(inputs) // settings.batch_size)
    call = max(1, min(CALL_WORK // (len(params) * rows), MOST_DRAWN // rows))
    try:
        for start in range(0, len(rates), call):
            part = np.asarray(rates[start : start + call], dtype=np.float64)
            order = shuffled(np.arange(rows), settings, len(part), rng)
            course = Course(order, np.repeat(part, steps), np.zeros(0, np.int32), len(part))
            limit = np.array([len(part)])
            found = lowering().train(packed.forest, settings, data, course, params, limit, moments=state, losses=True)
            params, state = found.last, found.moments
            losses.append(found.losses[:, 0])
            after(start + len(part), float(losses[-1][-1]))
    except KeyboardInterrupt:
        if not losses:
            raise
        interrupted = True
    return Trained(store_params(packed, nodes, params[None]), np.concatenate(losses), state, interrupted)
