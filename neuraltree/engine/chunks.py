"""Outputs and slopes of the trees of a bin for many rows, without training, in chunks of one shape."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.engine.compiled import run_program
from neuraltree.engine.forest import Params, backward, forward, outputs
from neuraltree.engine.packing import Forest, Shape
from neuraltree.engine.training_step import CHUNK_ROWS, Data, Settings
from neuraltree.tasks.losses import LOSSES


def predict(shape: Shape, settings: Settings, forest: Forest, params: Params, inputs: NDArray) -> NDArray:
    """(trees, outputs, rows) outputs for the engine's ``inputs`` (rows, columns), in chunks of one shape."""
    idle = Data(inputs, np.zeros((len(inputs), shape.outputs), inputs.dtype), np.zeros(len(inputs), inputs.dtype))
    return np.concatenate([found for found, _ in _by_chunk(shape, settings, forest, params, idle)], axis=2)


def leaf_slopes(shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data) -> FloatArray:
    """(rows of the bin, columns) derivative of each tree's mean loss by every leaf weight and bias.

    Absent leaves count too, as leaves of weight 0: the derivatives are the product of node deltas and inputs over all
    rows. ``data`` holds the rows of the mean, none of them padding. The compiled program is that of ``predict``.
    """
    slopes = (slope for _, slope in _by_chunk(shape, settings, forest, params, data))
    return sum(slopes, start=np.zeros((shape.rows, shape.columns))) / len(data.weight)


def _by_chunk(
    shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data
) -> Iterator[tuple[NDArray, NDArray]]:
    for start in range(0, len(data.weight), CHUNK_ROWS):
        chunk = Data(*(part[start : start + CHUNK_ROWS] for part in data))
        rows = len(chunk.weight)
        short = CHUNK_ROWS - rows
        padded = Data(*(np.pad(part, ((0, short), *[(0, 0)] * (part.ndim - 1))) for part in chunk))
        found, slopes = run_program(_outputs_and_slopes, shape, settings, forest, params, padded)
        yield np.asarray(found)[:, :, :rows], np.asarray(slopes)


def _outputs_and_slopes(
    shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data
) -> tuple[jax.Array, jax.Array]:
    """Outputs, and the summed gradient by all leaf weights, absent ones too; 0 if all rows have weight 0."""
    inputs = jnp.asarray(data.inputs)
    states = forward(shape, forest, params, inputs)
    found = outputs(forest, states)
    every = forest._replace(leaf_mask=jnp.ones_like(forest.leaf_mask))

    def slopes() -> jax.Array:
        by_output = LOSSES[settings.loss].gradient(found, data.targets.T[None]) * data.weight[None, None]
        return backward(shape, every, params, inputs, states, by_output).leaf

    return found, lax.cond(data.weight.any(), slopes, lambda: jnp.zeros_like(params.leaf))
