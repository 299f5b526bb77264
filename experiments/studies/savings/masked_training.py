"""The training of all lanes at once, which differ in the neurons that they update and in their learning rates.

Stochastic gradient descent with momentum and weight decay, as in the sources. A frozen neuron has neither: its weights
stay as they are. Lanes begin with the same weights and see the same batches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from experiments.studies.savings.freezing import Choice, Watched, choose
from experiments.studies.savings.hyper_gradient import RULES
from experiments.studies.savings.levelled import Floats, Levelled, forward, slopes
from experiments.studies.savings.methods import Lane
from experiments.studies.savings.tally import Tally
from neuraltree.arrays import FloatArray
from neuraltree.engine.optimizers import SCHEDULES
from neuraltree.tasks.losses import LOSSES
from neuraltree.updating.equilibrium import at_rest, moved, similarity
from neuraltree.updating.operations import Mask

MOMENTUM, DECAY, BATCH = 0.9, 1e-4, 32


class Data(NamedTuple):
    """``inputs`` (features + 1, rows), the last of them 1, and ``targets`` (outputs, rows); the rows ``watch`` of the
    validation rows are those whose values are compared after each epoch."""

    inputs: Floats
    targets: Floats
    watch: Floats
    watch_targets: Floats
    loss: str


class State(NamedTuple):
    """``weights`` and ``direction``, the running sum of gradients (lanes, weights); ``rate`` (lanes,)."""

    weights: Floats
    direction: Floats
    rate: FloatArray


class Trained(NamedTuple):
    """``weights`` (lanes, weights), ``rate`` (lanes,) at the end."""

    weights: Floats
    rate: FloatArray
    tally: Tally


def train(
    net: Levelled, start: Floats, lanes: list[Lane], data: Data, *, epochs: int, rate: float, seed: int
) -> Trained:
    """``start`` (weights,). ``seed``: of batches and of random choices."""
    batches, chance = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    weights = np.repeat(start[None], len(lanes), axis=0)
    begun = rate * np.array([lane.method.start for lane in lanes])
    lengths = np.array([round((1 - lane.share) * epochs) if lane.method.shorter else epochs for lane in lanes])
    state, tally = State(weights, np.zeros_like(weights), begun.copy()), Tally(net.wiring, lanes, data.watch.shape[1])
    watcher = Watcher(net, lanes, data, weights)
    choices: list[Choice | None] = [watcher.at_start(place, chance) for place in range(len(lanes))]
    learned = np.array([bool(lane.method.learned) for lane in lanes])
    for epoch in range(epochs):
        frozen = np.stack([_frozen(choice, net.neurons) for choice in choices])
        frozen[lengths <= epoch] = True
        falling = begun * SCHEDULES["cosine"].share(np.minimum(epoch / np.maximum(lengths, 1), 1.0))
        state = state._replace(rate=np.where(learned, state.rate, falling))
        order = batches.permutation(data.inputs.shape[1])
        steps = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
        tally.add(frozen, len(order), len(steps), lengths > epoch)
        for rows in steps:
            state = _stepped(net, lanes, state, data.inputs[:, rows], data.targets[:, rows], data.loss, frozen)
        choices = watcher.after(state, state.rate / begun, choices, chance)
    return Trained(state.weights, state.rate, tally)


def _frozen(choice: Choice | None, neurons: int) -> Mask:
    return choice.frozen if choice else np.zeros(neurons, bool)


@np.errstate(all="ignore")
def _stepped(
    net: Levelled, lanes: list[Lane], state: State, inputs: Floats, targets: Floats, loss: str, frozen: Mask
) -> State:
    live = ~frozen[:, net.owner]
    gradient = (mean_slopes(net, state.weights, inputs, targets, loss) + DECAY * state.weights) * live
    rate = state.rate.copy()
    for name, rule in RULES.items():
        own = [place for place, lane in enumerate(lanes) if lane.method.learned == name]
        rate[own] = rule(rate[own], gradient[own], (state.direction * live)[own])
    direction = (MOMENTUM * state.direction + gradient).astype(np.float32)
    weights = state.weights - (rate[:, None] * direction * live).astype(np.float32)
    return State(weights, direction, rate)


def mean_slopes(net: Levelled, weights: Floats, inputs: Floats, targets: Floats, loss: str) -> Floats:
    """(lanes, weights) the derivatives of the mean loss of these rows."""
    passed = forward(net, weights, inputs)
    deltas = LOSSES[loss].gradient(passed.values[:, : net.outputs], targets)
    return slopes(net, passed, inputs, deltas / inputs.shape[1])


class Watcher:
    """Compares the values of all neurons from one epoch to the next on the rows that are watched."""

    def __init__(self, net: Levelled, lanes: list[Lane], data: Data, weights: Floats) -> None:
        self.net, self.lanes, self.data, self.wiring = net, lanes, data, net.wiring
        # The first change is that from a similarity of 1, as in the program (src/neq.py of EIDOSLAB/NEq).
        still = at_rest(net.neurons)._replace(similarity=np.ones(net.neurons))
        self.motions = [still] * len(lanes)
        self.values = self._values(weights)
        self.members = (net.owner[:, None] == np.arange(net.neurons)).astype(np.float64)

    def _values(self, weights: Floats) -> FloatArray:
        return forward(self.net, weights, self.data.watch).values.astype(np.float64)

    def at_start(self, place: int, chance: np.random.Generator) -> Choice | None:
        """What a lane freezes before its first epoch: all others have one to warm up."""
        if self.lanes[place].method.score != "depth":
            return None
        return self._choice(place, np.zeros(self.net.neurons), 1.0, None, chance)

    @np.errstate(all="ignore")
    def after(
        self, state: State, rate: FloatArray, choices: list[Choice | None], chance: np.random.Generator
    ) -> list[Choice | None]:
        """The choices for the next epoch; ``rate`` (lanes,) is beside that of the start."""
        before, self.values = self.values, self._values(state.weights)
        alike = {centred: self._similarity(before, centred) for centred in (True, False)}
        gradients = self._gradients(state.weights)
        found: list[Choice | None] = []
        for place, lane in enumerate(self.lanes):
            method = lane.method
            self.motions[place] = moved(self.motions[place], alike[method.centred][place], form=method.form)
            found.append(self._choice(place, gradients[place], float(rate[place]), choices[place], chance))
        return found

    def _gradients(self, weights: Floats) -> FloatArray:
        """(lanes, neurons) the root mean square of the derivatives by the weights of each neuron; 0 for lanes that do
        not choose by it."""
        own = [place for place, lane in enumerate(self.lanes) if lane.method.score == "gradient"]
        data, found = self.data, np.zeros((len(weights), self.net.neurons))
        if not own:
            return found
        by_weight = mean_slopes(self.net, weights[own], data.watch, data.watch_targets, data.loss)
        found[own] = np.sqrt(np.square(by_weight) @ self.members / self.members.sum(axis=0))
        return found

    def _similarity(self, before: FloatArray, centred: bool) -> FloatArray:
        rows = before.shape[-1]
        found = similarity(self.values.reshape(-1, rows), before.reshape(-1, rows), centred=centred)
        return found.reshape(before.shape[:2])

    def _choice(
        self, place: int, gradient: FloatArray, rate: float, before: Choice | None, chance: np.random.Generator
    ) -> Choice | None:
        lane = self.lanes[place]
        if not lane.method.score or (before and lane.method.score == "depth"):
            return before
        watched = Watched(self.motions[place], gradient, self.net.depth, rate)
        return choose(lane, watched, before, self.wiring, self.net.outputs, chance)
