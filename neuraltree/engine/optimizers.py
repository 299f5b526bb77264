"""The optimisers and learning-rate schedules, as tables.

An optimiser stands here twice: in optax, for the lowering to XLA and as oracle in tests, and in C, for the kernel. A
config needs the names alone, so JAX and optax are imported when a row is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.engine.learned_rates import LearnedRate

if TYPE_CHECKING:
    import optax

# beta2 = 0.99: a tree is trained for a few hundred steps; 0.999 would average over a thousand.
FIRST_DECAY, SECOND_DECAY = 0.9, 0.99
ADAM = "m = R(0.9) * m + R(0.1) * g; v = R(0.99) * v + R(0.01) * g * g;"
ADAM_RATIO = "m / first_left / (sqrtf(v / second_left) + R(1e-8))"
LAST_RATIO = ADAM_RATIO.replace("_left", "_before")


class Optimizer(NamedTuple):
    """``make(optax, decay)`` returns the method at a learning rate of one; only AdamW uses the weight decay.

    The training loop multiplies every update by the rate and its schedule: all updates are linear in the rate.
    ``c_update`` does the same in C: it changes the parameter ``w`` and the moments ``m`` and ``v``, which begin with 0,
    by the gradient ``g``. ``R(x)`` is a constant, ``first_left`` and ``second_left`` are 1 - FIRST_DECAY^t and
    1 - SECOND_DECAY^t at step t. With ``learned`` the rate is that of the tree, times the schedule.
    """

    doc: str
    make: Callable[[Any, float], optax.GradientTransformation]
    c_update: str
    learned: LearnedRate | None = None

    def __call__(self, decay: float) -> optax.GradientTransformation:
        import optax

        return self.make(optax, decay)


def _last_gradient(state: Any) -> Any:
    return state


def _last_of_adam(state: Any) -> Any:
    """Adam's direction at the step before, from optax's state; 0 if there was none."""
    import jax.numpy as jnp

    count, m, v = state[0]
    first, second = (
        jnp.where(count > 0, 1 - jnp.asarray(decay, m.dtype) ** count, 1) for decay in (FIRST_DECAY, SECOND_DECAY)
    )
    return m / first / (jnp.sqrt(v / second) + 1e-8)


def _keep_gradient(optax: Any, decay: float) -> optax.GradientTransformation:
    """Gradient descent whose state is the last gradient."""
    del decay
    return optax.GradientTransformation(lambda w: 0 * w, lambda g, state, params=None: (-g, g))


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer("gradient descent", lambda optax, decay: optax.sgd(1.0), "w -= rate * g;"),
    "momentum": Optimizer(
        "gradient descent with momentum 0.9",
        lambda optax, decay: optax.sgd(1.0, momentum=0.9),
        "m = R(0.9) * m + g; w -= rate * m;",
    ),
    "nesterov": Optimizer(
        "gradient descent with Nesterov's momentum 0.9",
        lambda optax, decay: optax.sgd(1.0, momentum=0.9, nesterov=True),
        "m = R(0.9) * m + g; w -= rate * (R(0.9) * m + g);",
    ),
    "adagrad": Optimizer(
        "gradient descent with steps divided by the root of the sum of all squared gradients so far",
        lambda optax, decay: optax.adagrad(1.0),
        "v += g * g; w -= rate * g / sqrtf(v + R(0.1) + R(1e-7));",
    ),
    "rmsprop": Optimizer(
        "gradient descent with steps divided by the root of a running mean of squared gradients",
        lambda optax, decay: optax.rmsprop(1.0),
        "v = R(0.9) * v + R(0.1) * g * g; w -= rate * g / sqrtf(v + R(1e-8));",
    ),
    "adam": Optimizer(
        "Adam with decays 0.9 and 0.99",
        lambda optax, decay: optax.adam(1.0, b1=FIRST_DECAY, b2=SECOND_DECAY),
        f"{ADAM} w -= rate * ({ADAM_RATIO});",
    ),
    "adamw": Optimizer(
        "Adam with decoupled weight decay, `train.weight_decay`",
        lambda optax, decay: optax.adamw(1.0, b1=FIRST_DECAY, b2=SECOND_DECAY, weight_decay=decay),
        f"{ADAM} w -= rate * ({ADAM_RATIO} + decay * w);",
    ),
    # The reference's forms (BNeuralT) if they differ from optax's: its rate is 0.1, and epsilon is in the root.
    "reference_adagrad": Optimizer(
        "AdaGrad as in BNeuralT: no initial accumulator, epsilon 1e-10",
        lambda optax, decay: optax.adagrad(1.0, initial_accumulator_value=0.0, eps=1e-10),
        "v += g * g; w -= rate * g / sqrtf(v + R(1e-10));",
    ),
    "reference_rmsprop": Optimizer(
        "RMSprop as in BNeuralT: decay 0.9, epsilon 1e-10 inside the root",
        lambda optax, decay: optax.rmsprop(1.0, decay=0.9, eps=1e-10, eps_in_sqrt=True),
        "v = R(0.9) * v + R(0.1) * g * g; w -= rate * g / sqrtf(v + R(1e-10));",
    ),
    "reference_adam": Optimizer(
        "Adam as in BNeuralT: both decays 0.9, the bias correction of the first step in every step",
        lambda optax, decay: optax.GradientTransformation(lambda w: (0 * w, 0 * w), _reference_adam),
        "m = R(0.9) * m + R(0.1) * g; v = R(0.9) * v + R(0.1) * g * g;"
        " w -= rate * (m / R(0.1)) / sqrtf(v / R(0.1) + R(1e-10));",
    ),
    "learned_sgd": Optimizer(
        "gradient descent at a rate that each tree learns, from `train.learning_rate` on",
        _keep_gradient,
        "m = g; w -= rate * g;",
        LearnedRate("m", _last_gradient, kappa=0.1),
    ),
    "stacked_sgd": Optimizer(
        "learned_sgd whose step of the learned rate is learned too",
        _keep_gradient,
        "m = g; w -= rate * g;",
        LearnedRate("m", _last_gradient, kappa=0.1, kappa_step=0.01),
    ),
    "learned_adam": Optimizer(
        "Adam at a rate that each tree learns, from `train.learning_rate` on",
        lambda optax, decay: optax.adam(1.0, b1=FIRST_DECAY, b2=SECOND_DECAY),
        f"{ADAM} w -= rate * ({ADAM_RATIO});",
        LearnedRate(LAST_RATIO, _last_of_adam, kappa=3e-3),
    ),
}


def _reference_adam(g: Any, state: tuple[Any, Any], params: Any = None) -> tuple[Any, tuple[Any, Any]]:
    del params
    m, v = 0.9 * state[0] + 0.1 * g, 0.9 * state[1] + 0.1 * g * g
    return -(m / 0.1) / (v / 0.1 + 1e-10) ** 0.5, (m, v)


class Schedule(NamedTuple):
    """The share of the learning rate that is left after a ``fraction`` (0 to 1) of the training, elementwise."""

    doc: str
    share: Callable[[FloatArray], FloatArray]


def _half_cosine(fraction: FloatArray) -> FloatArray:
    """(1 + cos(pi x fraction)) / 2 within 1e-15, by a series: the bits of NumPy's cosine depend on the processor."""
    turn = np.pi * (0.5 - fraction)  # its sine is the cosine
    square, term = turn * turn, turn
    total = term
    for n in range(2, 22, 2):
        term = term * square / -(n * (n + 1))
        total = total + term
    return 0.5 + 0.5 * total


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule("the learning rate stays as given", np.ones_like),
    "cosine": Schedule("the learning rate falls to 0 along half a cosine", _half_cosine),
    "linear": Schedule("the learning rate falls to 0 along a straight line", lambda fraction: 1.0 - fraction),
}
