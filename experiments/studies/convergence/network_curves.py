"""The curves of networks with a hidden layer of 100, trained row by row; all runs in one program."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from experiments.studies.convergence.training_curves import Curve, score_of
from experiments.studies.convergence.tree_curves import all_targets
from experiments.studies.reference.peeking import Run
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.tasks.losses import LOSSES

HIDDEN = 100
ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}


class Layers(NamedTuple):
    """``first`` (hidden, features + 1) and ``last`` (outputs, hidden + 1), biases last in a row."""

    first: Any
    last: Any


class How(NamedTuple):
    """What a program is compiled for. Classes have cross-entropy, a number has half the squared error of a sigmoid."""

    activation: str
    optimizer: str
    loss: str


def start(rng: np.random.Generator, features: int, outputs: int) -> Layers:
    """Uniform within ±√(6 / (inputs + outputs)) of a layer (Glorot & Bengio 2010, equation 16); biases are 0."""
    shapes = ((HIDDEN, features), (outputs, HIDDEN))
    drawn = [rng.uniform(-1, 1, shape) * np.sqrt(6 / sum(shape)) for shape in shapes]
    return Layers(*(np.pad(each, ((0, 0), (0, 1))).astype(np.float32) for each in drawn))


def network_curves(
    runs: Sequence[Run], activation: str, optimizer: str, rates: Sequence[float], epochs: int
) -> list[list[Curve]]:
    """The curves of all runs for each of the rates. The runs have equally many rows."""
    loss = "squared" if not runs[0].classes else "softmax" if runs[0].targets.shape[1] > 1 else "logistic"
    how, rows = How(activation, optimizer, loss), len(runs[0].inputs)
    starts = [start(np.random.default_rng([run.seed, 1]), run.inputs.shape[1], run.targets.shape[1]) for run in runs]
    layers = Layers(*(np.stack(parts) for parts in zip(*starts, strict=True)))
    inputs = np.stack([np.concatenate([run.inputs, run.test_inputs]) for run in runs]).astype(np.float32)
    targets = np.stack([all_targets(run) for run in runs]).astype(np.float32)
    shuffles = [np.random.default_rng(run.seed) for run in runs]
    orders = np.stack([[rng.permutation(rows) for _ in range(epochs)] for rng in shuffles]).astype(np.int32)
    found = _all_rates(how, layers, inputs, targets, orders, np.array(rates, np.float32))
    losses, said = (np.asarray(part, dtype=np.float64) for part in found)
    wanted = np.swapaxes(targets[:, rows:], 1, 2)[None, :, None].astype(np.float64)
    with np.errstate(all="ignore"):
        scores = score_of(said, np.broadcast_to(wanted, said.shape), runs[0].classes)
    weights = layers.first[0].size + layers.last[0].size
    losses = np.where(np.isfinite(losses), losses, np.inf)
    return [[Curve(weights, losses[i, j], scores[i, j]) for j in range(len(runs))] for i in range(len(rates))]


@partial(jax.jit, static_argnums=0)
def _all_rates(how: How, layers: Layers, inputs: Any, targets: Any, orders: Any, rates: Any) -> tuple[Any, Any]:
    """Losses (rates, runs, epochs), and outputs of the test rows (rates, runs, epochs, outputs, rows)."""
    of_run = partial(_epochs, how)
    of_runs = jax.vmap(of_run, in_axes=(0, 0, 0, 0, None))
    return jax.vmap(of_runs, in_axes=(None, None, None, None, 0))(layers, inputs, targets, orders, rates)


def sums(how: How, layers: Layers, inputs: Any) -> Any:
    """What enters the outputs (outputs, rows), or for a number its sigmoid; ``inputs`` (rows, features)."""
    hidden = ACTIVATIONS[how.activation](layers.first[:, :-1] @ inputs.T + layers.first[:, -1:])
    found = layers.last[:, :-1] @ hidden + layers.last[:, -1:]
    return jax.nn.sigmoid(found) if how.loss == "squared" else found


def mean_loss(how: How, layers: Layers, inputs: Any, targets: Any) -> Any:
    return jnp.mean(LOSSES[how.loss].value(sums(how, layers, inputs), targets.T))


def _epochs(how: How, layers: Layers, inputs: Any, targets: Any, orders: Any, rate: Any) -> tuple[Any, Any]:
    optimizer, rows = OPTIMIZERS[how.optimizer](0.0), orders.shape[1]

    def step(state: tuple[Layers, Any], row: Any) -> tuple[tuple[Layers, Any], None]:
        layers, moments = state
        slope = jax.grad(partial(mean_loss, how))(layers, inputs[row][None], targets[row][None])
        change, moments = optimizer.update(slope, moments, layers)
        return (jax.tree.map(lambda weight, part: weight + rate * part, layers, change), moments), None

    def epoch(state: tuple[Layers, Any], order: Any) -> tuple[tuple[Layers, Any], tuple[Any, Any]]:
        state, _ = lax.scan(step, state, order)
        layers = state[0]
        said = sums(how, layers, inputs[rows:])
        probable = jax.nn.sigmoid(said) if how.loss == "logistic" else said
        return state, (mean_loss(how, layers, inputs[:rows], targets[:rows]), probable)

    return lax.scan(epoch, (layers, optimizer.init(layers)), orders)[1]
