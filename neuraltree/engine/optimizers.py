"""The optimisers and learning-rate schedules, as tables over optax, and the update of the weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

REFERENCE_EPSILON = 1e-10

# Each row has a learning rate of one: the training loop multiplies every update by the rate and its schedule,
# because all updates are linear in the rate. The argument is the weight decay, which only AdamW uses.
OPTIMIZERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "sgd": lambda decay: optax.sgd(1.0),
    "momentum": lambda decay: optax.sgd(1.0, momentum=0.9),
    "nesterov": lambda decay: optax.sgd(1.0, momentum=0.9, nesterov=True),
    "adagrad": lambda decay: optax.adagrad(1.0),
    "rmsprop": lambda decay: optax.rmsprop(1.0),
    # beta2 = 0.99: a tree is trained for a few hundred steps; 0.999 would average over a thousand.
    "adam": lambda decay: _promoting(optax.adam(1.0, b1=0.9, b2=0.99)),
    "adamw": lambda decay: _promoting(optax.adamw(1.0, b1=0.9, b2=0.99, weight_decay=decay)),
    # The reference's forms (BNeuralT) if they differ from optax's: its rate is 0.1, and epsilon is in the root.
    "reference_adagrad": lambda decay: optax.adagrad(1.0, initial_accumulator_value=0.0, eps=REFERENCE_EPSILON),
    "reference_rmsprop": lambda decay: optax.rmsprop(1.0, decay=0.9, eps=REFERENCE_EPSILON, eps_in_sqrt=True),
    "reference_adam": lambda decay: _reference_adam(),
}


def _promoting(method: optax.GradientTransformation) -> optax.GradientTransformation:
    """Allow mixed types: optax raises a float to an integer power, which JAX's strict promotion refuses."""

    def update(
        gradient: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        with jax.numpy_dtype_promotion("standard"):
            return method.update(gradient, state, params)

    return optax.GradientTransformation(method.init, update)


def _reference_adam() -> optax.GradientTransformation:
    """The reference's Adam: both decays are 0.9, and every step uses the bias correction of the first."""
    decay = 0.9

    def init(params: optax.Params) -> tuple[optax.Updates, optax.Updates]:
        zeros = jax.tree.map(jnp.zeros_like, params)
        return zeros, zeros

    def update(
        gradient: optax.Updates, state: tuple[optax.Updates, optax.Updates], params: optax.Params | None = None
    ) -> tuple[optax.Updates, tuple[optax.Updates, optax.Updates]]:
        del params
        first = jax.tree.map(lambda m, g: decay * m + (1 - decay) * g, state[0], gradient)
        second = jax.tree.map(lambda v, g: decay * v + (1 - decay) * g * g, state[1], gradient)
        step = jax.tree.map(
            lambda m, v: -m / (1 - decay) / jnp.sqrt(v / (1 - decay) + REFERENCE_EPSILON), first, second
        )
        return step, (first, second)

    return optax.GradientTransformation(init, update)


class TrainingState(NamedTuple):
    """The parameters, and the state that the optimiser keeps between steps."""

    params: Any
    moments: Any


def descend(optimizer: optax.GradientTransformation, state: TrainingState, slope: Any, rates: Any) -> TrainingState:
    """The state after one update; ``rates`` are learning rates for each array of ``state.params``."""
    updates, moments = optimizer.update(slope, state.moments, state.params)
    return TrainingState(jax.tree.map(lambda w, r, u: w + r * u, state.params, rates, updates), moments)


# The share of the learning rate that is left after a fraction (0 to 1) of the training.
SCHEDULES: dict[str, Callable[[jax.Array], jax.Array]] = {
    "constant": optax.constant_schedule(1.0),
    "cosine": optax.cosine_decay_schedule(1.0, 1),
    "linear": optax.linear_schedule(1.0, 0.0, 1),
}
