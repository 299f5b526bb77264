"""Targets from a teacher for every place that an image can be moved to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from experiments.growth.dense import Dense, forward_dense
from experiments.growth.pixels import Floats, Pixels, moved, places_of, scaled
from experiments.growth.rewiring import SETTINGS, State
from experiments.growth.skeleton import Skeleton, forest_of
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import make_data
from neuraltree.tasks.links import LINKS
from neuraltree.tasks.softening import soft_targets

ROWS = 4_096  # that are predicted at once
Predict = Callable[[Floats], Floats]  # probabilities (rows, classes) for scaled inputs (rows, features)


def tree_teacher(skeleton: Skeleton, state: State) -> Predict:
    """A trained tree as a teacher."""
    forest = forest_of(skeleton, state.mask)

    def predict(inputs: Floats) -> Floats:
        data = make_data(inputs, np.zeros((len(inputs), forest.outputs)), None, SETTINGS.precision)
        rows = np.arange(len(inputs), dtype=np.int32)
        return _probabilities(lowering().predict(forest, SETTINGS, data, rows, state.params)[0])

    return predict


def networks_teacher(networks: Sequence[Dense]) -> Predict:
    """The mean probabilities of networks."""

    def predict(inputs: Floats) -> Floats:
        found = [_probabilities(np.asarray(forward_dense(each.layers, inputs))) for each in networks]
        return np.mean(found, axis=0)

    return predict


def _probabilities(outputs: Floats) -> Floats:
    """(rows, classes) of outputs (classes, rows)."""
    return LINKS["identity"].rows(outputs.T)


def everywhere(predict: Predict, pixels: Pixels, shift: int) -> Floats:
    """(places, rows, classes) what a teacher says of all images, moved to each place."""
    count = len(pixels.images)

    def part(place: int, start: int) -> Floats:
        some = pixels.images[start : start + ROWS]
        return predict(scaled(moved(some, shift, np.full(len(some), place)), pixels.scaler))

    places = range(places_of(shift))
    return np.stack([np.concatenate([part(place, start) for start in range(0, count, ROWS)]) for place in places])


def with_teacher(pixels: Pixels, said: Floats, share: float, temperature: float) -> Pixels:
    """The pixels, with targets of which a teacher's probabilities ``said`` (places, rows, classes) have a share."""
    targets = [soft_targets(pixels.targets, each, share, temperature).astype(np.float32) for each in said]
    return pixels._replace(taught=np.stack(targets), soft=share, temperature=temperature)


def unmoved(said: Floats) -> Floats:
    """What a teacher says of images at their own place, for every place."""
    return np.broadcast_to(said[len(said) // 2], said.shape)
