"""Training at a learned rate by plain recursion, for one tree: a second implementation of the rule, in NumPy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tests.helpers.plain_tree import gradient


class Rule(NamedTuple):
    kappa: float
    kappa_step: float
    adam: bool


RULES = {
    "learned_sgd": Rule(0.1, 0.0, adam=False),
    "stacked_sgd": Rule(0.1, 0.01, adam=False),
    "learned_adam": Rule(0.003, 0.0, adam=True),
}


def near(wanted: float, now: float) -> float:
    """At most twice and at least two thirds of what there is."""
    return min(max(wanted, now / 1.5), now * 2)


class Descent:
    """The rate, its step, and the direction of the last step of one tree."""

    def __init__(self, rule: Rule, rate: float) -> None:
        self.rule, self.rate, self.kappa, self.before = rule, rate, rule.kappa, 0.0
        self.m = self.v = self.last = 0.0
        self.steps = 0

    def step(self, g: Any, share: float = 1.0) -> Any:
        """The change of the parameters whose gradient is ``g``; the schedule's ``share`` multiplies the rate."""
        found = float(np.sum(g * self.last))
        self.kappa = near(self.kappa + self.rule.kappa_step * found * self.before, self.kappa)
        self.rate = near(self.rate + self.kappa * found, self.rate)
        self.before, self.last = found, self.direction(g)
        return -share * self.rate * self.last

    def direction(self, g: Any) -> Any:
        if not self.rule.adam:
            return g
        self.steps += 1
        self.m, self.v = 0.9 * self.m + 0.1 * g, 0.99 * self.v + 0.01 * g * g
        return self.m / (1 - 0.9**self.steps) / (np.sqrt(self.v / (1 - 0.99**self.steps)) + 1e-8)


class Learned(NamedTuple):
    weight: np.ndarray  # (nodes,)
    bias: np.ndarray  # (nodes,)
    state: list[float]  # the rate, its step, and the last slope
    rates: list[float]  # after every step


def train(name: str, tree: Any, case: Any, course: Any, epochs: int, l1: float = 0.0) -> Learned:
    """A tree trained alone. ``case`` has the data and the settings; every epoch takes the next order of the rows."""
    start, size = case.settings.learning_rate, case.settings.batch_size
    descent, rates, moved = Descent(RULES[name], start), [], tree.copy()
    steps = iter(course.rates)
    for epoch in range(epochs):
        order = course.order[epoch % len(course.order)]
        for first in range(0, len(order), size):
            rows, share = order[first : first + size], next(steps) / start
            slope = np.stack(gradient(moved, *(part[rows] for part in case.data[:3]))[:2])
            change = descent.step(slope, share)
            by = share * descent.rate * l1
            weight = moved["weight"][:, 0] + change[0]
            moved["weight"][:, 0] = np.sign(weight) * np.maximum(np.abs(weight) - by, 0)
            moved["bias"][:, 0] += change[1]
            rates.append(descent.rate)
    return Learned(moved["weight"][:, 0], moved["bias"][:, 0], [descent.rate, descent.kappa, descent.before], rates)
