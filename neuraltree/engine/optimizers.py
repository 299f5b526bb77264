"""The optimisers and learning-rate schedules, as tables over optax, and the update of the weights.

A config needs the names alone, so JAX and optax are imported when a row is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import jax
    import optax

REFERENCE_EPSILON = 1e-10


class Optimizer(NamedTuple):
    """``make(optax, decay)`` returns the method at a learning rate of one; only AdamW uses the weight decay.

    The training loop multiplies every update by the rate and its schedule: all updates are linear in the rate.
    """

    doc: str
    make: Callable[[Any, float], optax.GradientTransformation]

    def __call__(self, decay: float) -> optax.GradientTransformation:
        import optax

        return self.make(optax, decay)


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer("gradient descent", lambda optax, decay: optax.sgd(1.0)),
    "momentum": Optimizer("gradient descent with momentum 0.9", lambda optax, decay: optax.sgd(1.0, momentum=0.9)),
    "nesterov": Optimizer(
        "gradient descent with Nesterov's momentum 0.9",
        lambda optax, decay: optax.sgd(1.0, momentum=0.9, nesterov=True),
    ),
    "adagrad": Optimizer(
        "gradient descent with steps divided by the root of the sum of all squared gradients so far",
        lambda optax, decay: optax.adagrad(1.0),
    ),
    "rmsprop": Optimizer(
        "gradient descent with steps divided by the root of a running mean of squared gradients",
        lambda optax, decay: optax.rmsprop(1.0),
    ),
    # beta2 = 0.99: a tree is trained for a few hundred steps; 0.999 would average over a thousand.
    "adam": Optimizer(
        "Adam with decays 0.9 and 0.99", lambda optax, decay: _promoting(optax.adam(1.0, b1=0.9, b2=0.99))
    ),
    "adamw": Optimizer(
        "Adam with decoupled weight decay, `train.weight_decay`",
        lambda optax, decay: _promoting(optax.adamw(1.0, b1=0.9, b2=0.99, weight_decay=decay)),
    ),
    # The reference's forms (BNeuralT) if they differ from optax's: its rate is 0.1, and epsilon is in the root.
    "reference_adagrad": Optimizer(
        "AdaGrad as in BNeuralT: no initial accumulator, epsilon 1e-10",
        lambda optax, decay: optax.adagrad(1.0, initial_accumulator_value=0.0, eps=REFERENCE_EPSILON),
    ),
    "reference_rmsprop": Optimizer(
        "RMSprop as in BNeuralT: decay 0.9, epsilon 1e-10 inside the root",
        lambda optax, decay: optax.rmsprop(1.0, decay=0.9, eps=REFERENCE_EPSILON, eps_in_sqrt=True),
    ),
    "reference_adam": Optimizer(
        "Adam as in BNeuralT: both decays 0.9, the bias correction of the first step in every step",
        lambda optax, decay: _reference_adam(),
    ),
}


def _promoting(method: optax.GradientTransformation) -> optax.GradientTransformation:
    """Allow mixed types: optax raises a float to an integer power, which JAX's strict promotion refuses."""
    import jax
    import optax

    def update(
        gradient: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        with jax.numpy_dtype_promotion("standard"):
            return method.update(gradient, state, params)

    return optax.GradientTransformation(method.init, update)


def _reference_adam() -> optax.GradientTransformation:
    """The reference's Adam: both decays are 0.9, and every step uses the bias correction of the first."""
    import jax
    import jax.numpy as jnp
    import optax

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
    import jax

    updates, moments = optimizer.update(slope, state.moments, state.params)
    return TrainingState(jax.tree.map(lambda w, r, u: w + r * u, state.params, rates, updates), moments)


class Schedule(NamedTuple):
    """The share of the learning rate that is left after a fraction (0 to 1) of the training."""

    doc: str
    make: Callable[[Any], Callable[[jax.Array], jax.Array]]  # of optax

    def __call__(self, fraction: jax.Array) -> jax.Array:
        import optax

        return self.make(optax)(fraction)


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule("the learning rate stays as given", lambda optax: optax.constant_schedule(1.0)),
    "cosine": Schedule(
        "the learning rate falls to 0 along half a cosine", lambda optax: optax.cosine_decay_schedule(1.0, 1)
    ),
    "linear": Schedule(
        "the learning rate falls to 0 along a straight line", lambda optax: optax.linear_schedule(1.0, 0.0, 1)
    ),
}
