"""A multilayer perceptron of one hidden layer, trained as the trees are: what they are compared with."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from experiments.growth.course import Course
from experiments.growth.pixels import Bytes, Pixels, scaled, shifted
from neuraltree.optimizers import OPTIMIZERS
from neuraltree.tasks import LOSSES


class Layers(NamedTuple):
    """``first`` (hidden, features + 1) and ``last`` (outputs, hidden + 1), biases last in a row."""

    first: Any
    last: Any

    @property
    def weights(self) -> int:
        return int(self.first.size + self.last.size)


def width_of(weights: int, features: int, outputs: int) -> int:
    """The widest hidden layer that ``weights`` allow."""
    return (weights - outputs) // (features + 1 + outputs)


def train_dense(pixels: Pixels, width: int, course: Course, rng: np.random.Generator) -> Layers:
    features, outputs = len(pixels.spread), pixels.targets.shape[1]
    first = rng.normal(size=(width, features + 1)) * np.sqrt(2 / features)
    last = rng.normal(size=(outputs, width + 1)) / np.sqrt(width)
    first[:, -1], last[:, -1] = 0, 0
    layers = Layers(first.astype(np.float32), last.astype(np.float32))
    optimizer = OPTIMIZERS["adam"](0.0)
    moments = optimizer.init(layers)
    steps = len(pixels.images) // course.batch
    for epoch in range(course.epochs):
        rows = rng.permutation(len(pixels.images))[: steps * course.batch]
        drawn = shifted(pixels.images[rows], course.shift, rng), pixels.targets[rows]
        images, targets = (part.reshape(steps, course.batch, -1) for part in drawn)
        rates = course.rates((epoch + np.arange(steps) / steps) / course.epochs)
        layers, moments = _train_epoch(layers, moments, pixels.scaling, images, targets, rates)
    return Layers(*map(np.asarray, layers))


@jax.jit
def _train_epoch(layers: Layers, moments: Any, scaling: Any, images: Any, targets: Any, rates: Any) -> Any:
    optimizer = OPTIMIZERS["adam"](0.0)
    mean, scale = scaling

    def loss(layers: Layers, inputs: jax.Array, targets: jax.Array) -> jax.Array:
        return jnp.mean(LOSSES["softmax"].value(forward_dense(layers, inputs)[None], targets.T))

    def step(carry: tuple, batch: tuple) -> tuple:
        layers, moments = carry
        image, target, rate = batch
        inputs = jnp.pad((image - mean) / scale, ((0, 0), (0, 1)), constant_values=1.0)
        updates, moments = optimizer.update(jax.grad(loss)(layers, inputs, target), moments, layers)
        return (jax.tree.map(lambda w, u: w + rate * u, layers, updates), moments), None

    return lax.scan(step, (layers, moments), (images, targets, rates))[0]


def forward_dense(layers: Layers, inputs: Any) -> jax.Array:
    """(outputs, rows) for inputs (rows, features + 1)."""
    hidden = jnp.maximum(layers.first @ inputs.T, 0)
    return layers.last[:, :-1] @ hidden + layers.last[:, -1:]


def dense_error(layers: Layers, pixels: Pixels, images: Bytes, classes: NDArray) -> float:
    found = np.asarray(forward_dense(layers, scaled(images, pixels.scaler)))
    return float(np.mean(found.argmax(axis=0) != classes))
