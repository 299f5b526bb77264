"""The optimisers and learning-rate schedules: tables over optax."""

from __future__ import annotations

from collections.abc import Callable

import jax
import optax

# Each row is built with a learning rate of one: the training loop multiplies every update by the rate and
# its schedule, to which all of these are linear. The argument is the weight decay (AdamW alone uses it).
OPTIMIZERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "sgd": lambda decay: optax.sgd(1.0),
    "momentum": lambda decay: optax.sgd(1.0, momentum=0.9),
    "nesterov": lambda decay: optax.sgd(1.0, momentum=0.9, nesterov=True),
    "adagrad": lambda decay: optax.adagrad(1.0),
    "rmsprop": lambda decay: optax.rmsprop(1.0),
    # beta2 of .99: a tree is trained for a few hundred steps, too few for a memory of a thousand.
    "adam": lambda decay: optax.adam(1.0, b1=0.9, b2=0.99),
    "adamw": lambda decay: optax.adamw(1.0, b1=0.9, b2=0.99, weight_decay=decay),
}

# Share of the learning rate left when a fraction (0 to 1) of the training is done.
SCHEDULES: dict[str, Callable[[jax.Array], jax.Array]] = {
    "constant": optax.constant_schedule(1.0),
    "cosine": optax.cosine_decay_schedule(1.0, 1),
    "linear": optax.linear_schedule(1.0, 0.0, 1),
}
