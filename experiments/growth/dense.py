"""A multilayer perceptron with one hidden layer, trained like the trees and, if wanted, pruned like them."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from experiments.growth.course import Course
from experiments.growth.pixels import Bytes, Pixels, scaled
from experiments.growth.rewiring import exchange, probe
from experiments.growth.rounds import Round, drawn, rounds
from experiments.growth.skeleton import Mask
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.tasks.losses import LOSSES


class Layers(NamedTuple):
    """``first`` (hidden, features + 1) and ``last`` (outputs, hidden + 1), biases last in a row."""

    first: Any
    last: Any


class Dense(NamedTuple):
    """A trained network; ``kept``: mask of the weights and biases that its first layer has."""

    layers: Layers
    kept: Mask

    @property
    def weights(self) -> int:
        return int(np.count_nonzero(self.kept) + self.layers.last.size)


def width_of(weights: int, features: int, outputs: int) -> int:
    """The widest hidden layer that ``weights`` allow."""
    return (weights - outputs) // (features + 1 + outputs)


def train_dense(
    pixels: Pixels, width: int, course: Course, rng: np.random.Generator, budget: int | None = None
) -> Dense:
    """With a ``budget`` of weights the edges of the first layer are cut to it, and exchanged, as the course says.

    ``ValueError`` for a course that a network cannot follow.
    """
    if not course.dense or course.insertion != "gradient":
        raise ValueError("a network starts with all edges and inserts by gradient")
    layers = start_dense(pixels, width, rng)
    usable = np.tile(pixels.spread > 0, (width, 1))
    kept = np.ones(layers.first.shape, bool)
    moments = OPTIMIZERS["adam"](0.0).init(layers)
    for each in rounds(pixels, course, rng):
        if budget and each.rewired:
            state, edges = (kept, layers, moments), budget - width - layers.last.size
            kept, layers, moments = _rewired(pixels, course, state, usable, edges, each.rewired, rng)
        layers, moments = train_dense_round(layers, moments, kept, batches(pixels, course, each, rng))
    return Dense(Layers(*map(np.asarray, layers)), kept)


def start_dense(pixels: Pixels, width: int, rng: np.random.Generator) -> Layers:
    """Normal weights that keep the spread of values from layer to layer; biases are 0."""
    features, outputs = len(pixels.spread), pixels.targets.shape[1]
    first = rng.normal(size=(width, features + 1)) * np.sqrt(2 / features)
    last = rng.normal(size=(outputs, width + 1)) / np.sqrt(width)
    first[:, -1], last[:, -1] = 0, 0
    return Layers(first.astype(np.float32), last.astype(np.float32))


def _rewired(
    pixels: Pixels,
    course: Course,
    state: tuple[Mask, Layers, Any],
    usable: Mask,
    edges: int,
    progress: float,
    rng: np.random.Generator,
) -> tuple[Mask, Layers, Any]:
    """Rewire the first layer like the leaves of a tree; biases stay."""
    kept, layers, moments = state

    def gain(left: Mask) -> NDArray:
        cut = layers._replace(first=jnp.where(_with_biases(left), layers.first, 0))
        return np.abs(np.asarray(_slopes(cut, *probe(pixels, course, rng)).first)[:, :-1])

    strength = np.abs(np.asarray(layers.first)[:, :-1]) * pixels.spread
    left, mask = exchange(course, kept[:, :-1] & usable, usable, edges, progress, strength, gain)
    alive = _with_biases(left)

    def cleared(part: Any) -> Any:
        return part._replace(first=jnp.where(alive, part.first, 0)) if isinstance(part, Layers) else part

    moments = jax.tree.map(cleared, moments, is_leaf=lambda part: isinstance(part, Layers))
    return _with_biases(mask), cleared(layers), moments


def _with_biases(edges: Mask) -> Mask:
    return np.pad(edges, ((0, 0), (0, 1)), constant_values=True)


def batches(pixels: Pixels, course: Course, each: Round, rng: np.random.Generator) -> tuple[NDArray, ...]:
    """Inputs (steps, batch, features), targets (steps, batch, classes) and learning rates (steps,)."""
    steps = len(each.progress)
    parts = (part.reshape(steps, course.batch, -1) for part in drawn(pixels, course, each.rows, rng))
    return *parts, course.rates(each.progress).astype(np.float32)


def _loss(layers: Layers, inputs: jax.Array, targets: jax.Array) -> jax.Array:
    return jnp.mean(LOSSES["softmax"].value(forward_dense(layers, inputs), targets.T))


_slopes = jax.jit(jax.grad(_loss))


@jax.jit
def train_dense_round(layers: Layers, moments: Any, kept: Any, steps: tuple[Any, ...]) -> tuple[Layers, Any]:
    """A step of Adam for each of the ``batches``; edges of the first layer that are not ``kept`` stay as they are."""
    optimizer = OPTIMIZERS["adam"](0.0)

    def train_batch(state: tuple[Layers, Any], batch: tuple[Any, ...]) -> tuple[tuple[Layers, Any], None]:
        layers, moments = state
        inputs, targets, rate = batch
        slope = jax.grad(_loss)(layers, inputs, targets)
        slope = slope._replace(first=slope.first * kept.astype(slope.first.dtype))
        change, moments = optimizer.update(slope, moments, layers)
        return (jax.tree.map(lambda weight, part: weight + rate * part, layers, change), moments), None

    return lax.scan(train_batch, (layers, moments), steps)[0]


def forward_dense(layers: Layers, inputs: Any) -> jax.Array:
    """(outputs, rows) for inputs (rows, features)."""
    hidden = jnp.maximum(layers.first[:, :-1] @ inputs.T + layers.first[:, -1:], 0)
    return layers.last[:, :-1] @ hidden + layers.last[:, -1:]


def dense_error(network: Dense, pixels: Pixels, images: Bytes, classes: NDArray) -> float:
    found = np.asarray(forward_dense(network.layers, scaled(images, pixels.scaler)))
    return float(np.mean(found.argmax(axis=0) != classes))
