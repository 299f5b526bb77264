"""Learning rates that a training learns itself: one rate for each tree, by the slope of the loss by the rate.

A step w_i = w_(i-1) - a_i u_(i-1) along the direction u ends at the gradient g(w_i). So the loss after it falls by
h_i = g(w_i) . u_(i-1) for each unit by which a_i had been larger, and the next rate is a_(i+1) = a_i + kappa h_i
(Baydin et al. 2018, "Online learning rate adaptation with hypergradient descent", equations 4 and 5). The slope of the
loss by kappa is -h_i h_(i-1) in the same way, so kappa can be learned too (Chandra et al. 2022, "Gradient descent: the
ultimate optimizer", section 2.2). The direction of the last step follows from the moments before they are updated, so
the only further state is three numbers for each tree.

Ours: in a step a rate, and kappa, can become ``MOST_RISE`` times as large or ``MOST_FALL`` times as small, within
``LEAST`` and ``MOST``. So both stay positive and finite, and a rate that is far too small or too large is mended in a
few steps. Falls are smaller than rises: with 2 for both, rates sank to ``LEAST`` under noisy slopes and stayed there
(on friedman). Larger rises diverge: in batches of 4 rows of noise, 16 of 60 trees with large weights with limits of
1000 and 100, 1 to 5 with 3 and 2, 0 to 2 with these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

STATE = 3  # numbers of a tree: the rate, kappa, and the last h
MOST_RISE, MOST_FALL, LEAST, MOST = 2.0, 1.5, 1e-9, 1e3


class LearnedRate(NamedTuple):
    """How an optimiser learns the rate of each tree.

    ``c_last`` is the direction of the last step in C, from the moments ``m`` and ``v`` before they are updated;
    ``first_before`` and ``second_before`` are 1 - FIRST_DECAY^t and 1 - SECOND_DECAY^t of that step, or 1 if there was
    none. ``last`` is the same from optax's state. ``kappa`` is the step of the rates at first; that of kappa itself is
    ``kappa_step``.
    """

    c_last: str
    last: Callable[[Any], Any]
    kappa: float
    kappa_step: float = 0.0

    def begin(self, trees: int, rate: float, dtype: Any) -> NDArray:
        """(trees, STATE) the state before the first step."""
        return np.tile(np.array([rate, self.kappa, 0.0], dtype), (trees, 1))

    def next(self, state: Any, slope: Any) -> Any:
        """The state (trees, STATE) after ``slope`` (trees,), the h of this step, as arrays of JAX."""
        import jax.numpy as jnp

        rate, kappa, before = state[:, 0], state[:, 1], state[:, 2]
        kappa = _near(kappa + self.kappa_step * slope * before, kappa)
        return jnp.stack([_near(rate + kappa * slope, rate), kappa, slope], axis=1)


def _near(wanted: Any, now: Any) -> Any:
    """What is wanted, or the nearest that is allowed; a slope that is no number, of a lost tree, changes nothing."""
    import jax.numpy as jnp

    near = jnp.clip(wanted, now / MOST_FALL, now * MOST_RISE)
    return jnp.clip(jnp.where(jnp.isnan(wanted), now, near), LEAST, MOST)
