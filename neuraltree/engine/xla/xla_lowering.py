"""The lowering to XLA: the loops over epochs, batches and chunks of rows; ``passes`` has the functions they call.

Nodes, parameters and trees are padded to powers of two and rows to chunks, so the programs of a run are few and its
generations share them. Memory does not grow with the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import EngineArray, FloatArray
from neuraltree.engine.forest import Forest, Indices
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.engine.training import NEVER, Course, Data, Fitted, Settings, learned_rate, shares
from neuraltree.engine.xla import passes
from neuraltree.engine.xla.compiled import engine_flags, run_program
from neuraltree.engine.xla.network import Network, make_network, power_of_two
from neuraltree.tasks.losses import LOSSES, loss_and_level
from neuraltree.tasks.softening import soft_loss
from neuraltree.tree.nodes import parents

CHUNK_ROWS, LEAST_ROWS = 256, 8  # most rows whose values are in memory at a time, and fewest


class XlaLowering(NamedTuple):
    """The engine by programs of XLA; the functions mean the same as those of ``KernelLowering``."""

    def train(
        self,
        forest: Forest,
        settings: Settings,
        data: Data,
        course: Course,
        params: NDArray,
        limit: NDArray,
        *,
        l1: FloatArray | None = None,
        group_l1: FloatArray | None = None,
        moments: Sequence[NDArray] = (),
        losses: bool = False,
        stop: Indices = NEVER,
    ) -> Fitted:
        sizes, keep_last = np.diff(forest.first_tree_param), not len(course.validation)
        active, by_epoch = np.ones(forest.trees, bool), np.zeros((course.epochs if losses else 0, forest.trees))
        best, best_loss, best_epoch = np.array(params), np.full(forest.trees, np.inf), np.zeros(forest.trees, np.int32)
        with engine_flags(settings.precision):
            run = _Run(forest, settings, data, jax.device_put(make_network(forest)[0]))
            state, shrinking = run.begin(params, moments), run.shrinking(l1, group_l1)
            for epoch in range(course.epochs + 1):
                if epoch:
                    moving = run.pad(np.repeat(active, sizes))
                    state, trained = run.train(state, course, epoch - 1, moving, shrinking, stop)
                    by_epoch[epoch - 1 : epoch] = np.where(active, trained, 0)
                loss = run.validate(state.params, course)
                better = active & np.isfinite(loss) & ((loss < best_loss) | (epoch == 0) | keep_last)
                best_loss[better], best_epoch[better] = loss[better], epoch
                np.copyto(best, run.cut(state.params), where=np.repeat(better, sizes))
                active &= epoch < limit
                active &= (course.patience == 0) | (epoch - best_epoch < course.patience)
                if stop[0] or not active.any():
                    break
            last, *kept = (run.cut(part) for part in jax.tree.leaves(state))
        return Fitted(best, best_loss, best_epoch, last, by_epoch, kept)

    def predict(
        self, forest: Forest, settings: Settings, data: Data, rows: Indices, params: NDArray, stop: Indices = NEVER
    ) -> NDArray:
        del stop
        with engine_flags(settings.precision):
            run = _Run(forest, settings, data, make_network(forest)[0])
            found = [values for _, values in run.outputs(run.pad(params), rows)]
        return np.concatenate([np.zeros((forest.trees, forest.outputs, 0), settings.precision), *found], axis=2)

    def slopes(
        self, forest: Forest, settings: Settings, data: Data, rows: Indices, params: NDArray, stop: Indices = NEVER
    ) -> FloatArray:
        del stop
        if not len(rows):
            return np.zeros((forest.nodes, forest.features))
        network, index = make_network(forest)
        with engine_flags(settings.precision):
            run = _Run(forest, settings, data, network)
            found, _ = run.gradient(run.pad(params), rows, CHUNK_ROWS)
            return np.asarray(found, np.float64)[index, : forest.features]


class _Run(NamedTuple):
    """What all calls about a forest and its data share. All parts of a state are padded."""

    forest: Forest
    settings: Settings
    data: Data
    network: Network

    def pad(self, part: EngineArray) -> NDArray:
        """An array of all parameters, or of all trees (trees, STATE), padded with zeros."""
        size = len(self.network.output) if np.ndim(part) == 2 else len(self.network.place)
        return np.pad(part, [(0, size - len(part)), (0, 0)][: np.ndim(part)]) if np.ndim(part) else np.asarray(part)

    def cut(self, part: EngineArray) -> NDArray:
        size = self.forest.trees if np.ndim(part) == 2 else self.forest.params
        return np.asarray(part)[:size] if np.ndim(part) else np.asarray(part)

    def begin(self, params: NDArray, moments: Sequence[NDArray]) -> passes.State:
        """The state with these moments if they fit the forest, else with new ones."""
        learning = learned_rate(self.settings)
        fresh = passes.State(
            params,
            OPTIMIZERS[self.settings.optimizer](self.settings.weight_decay).init(params),
            learning.begin(self.forest.trees, self.settings.learning_rate, params.dtype) if learning else None,
        )
        (_, *leaves), form = jax.tree.flatten(fresh)
        if [np.shape(part) for part in moments] == [leaf.shape for leaf in leaves]:
            leaves = [np.asarray(part, leaf.dtype) for part, leaf in zip(moments, leaves, strict=True)]
        state: passes.State = jax.tree.map(self.pad, jax.tree.unflatten(form, [params, *leaves]))
        return state

    def shrinking(self, l1: FloatArray | None, group_l1: FloatArray | None) -> passes.Shrinking:
        """The rate of the L1 norm for every parameter, and of the groups if there are any: 0 for biases."""
        alone = self._by_param(l1, self.forest.first_param[:-1])
        if group_l1 is None:
            return passes.Shrinking(alone, None, None)
        group = groups(self.forest)
        by_group = self._by_param(group_l1, np.flatnonzero(group == self.forest.params))
        return passes.Shrinking(alone, by_group, self.pad(group))

    def _by_param(self, rates: FloatArray | None, without: NDArray) -> NDArray:
        sizes = np.diff(self.forest.first_tree_param)
        found = np.repeat(np.zeros(self.forest.trees) if rates is None else rates, sizes)
        found[without] = 0
        return self.pad(found.astype(self.settings.precision))

    def train(
        self,
        state: passes.State,
        course: Course,
        epoch: int,
        moving: NDArray,
        shrinking: passes.Shrinking,
        stop: Indices,
    ) -> tuple[passes.State, FloatArray]:
        """The state after an epoch in which parameters ``moving`` change, and the mean losses (trees,) in it."""
        method, size = (self.settings.optimizer, self.settings.weight_decay), self.settings.batch_size
        order = course.order[epoch % len(course.order)]
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        rates = shares(course, self.settings)[epoch * len(batches) :].astype(self.settings.precision)
        losses = [np.zeros(len(self.network.output))]
        for rows, rate in zip(batches, rates, strict=False):
            slope, loss = self.gradient(state.params, rows, size)
            place = self.network.place, self.network.tree
            state = run_program(passes.update, method, *place, state, slope, rate, moving, shrinking)
            losses.append(loss)
            if stop[0]:
                break
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.sum(np.array(losses, np.float64), axis=0)[: self.forest.trees]
            return state, total / max(len(batches), 1)

    def gradient(self, params: EngineArray, rows: Indices, most: int) -> Any:
        """The gradient of the mean loss of ``rows``, ``most`` at most, as a matrix; and the mean losses (trees,)."""
        size, found = min(CHUNK_ROWS, power_of_two(most, LEAST_ROWS)), None
        for part, index in _chunks(rows, size):
            share = np.zeros(size, params.dtype)
            share[: len(part)] = self.data.weight[part] / len(rows)
            chunk = self.data.inputs[index], self.data.targets[index], share, *self._soft(index)
            how = self.settings.loss, self.settings.temperature
            found = run_program(passes.gradient, how, self.network, params, found, chunk)
        return found

    def outputs(self, params: EngineArray, rows: Indices) -> Iterator[tuple[Indices, NDArray]]:
        """Rows, chunk by chunk, and their outputs (trees, outputs, rows)."""
        for part, index in _chunks(rows, CHUNK_ROWS):
            found = run_program(passes.predict, (), self.network, params, self.data.inputs[index])
            yield part, np.asarray(found)[: self.forest.trees, :, : len(part)]

    def validate(self, params: EngineArray, course: Course) -> FloatArray:
        """(trees,) mean losses, or the shares of wrong classes; infinite if a weight is not finite."""
        measure = _wrong if course.judge == "error_rate" else self._losses
        weights = self.data.weight[course.validation].sum(dtype=np.float64)
        starts, total = self.forest.first_tree_param[:-1], np.zeros(self.forest.trees)
        with np.errstate(all="ignore"):  # of trees that diverge
            for part, found in self.outputs(params, course.validation):
                total += measure(found, self.data.targets[part].T[None], *self._soft(part)) @ self.data.weight[part]
        finite = np.logical_and.reduceat(np.isfinite(self.cut(params)), starts)
        return np.where(finite, total / (weights if weights > 0 else 1), np.inf)

    def _soft(self, rows: Indices) -> tuple[NDArray, ...]:
        return () if self.data.soft is None else (self.data.soft[rows],)

    def _losses(self, outputs: NDArray, targets: NDArray, *soft: NDArray) -> EngineArray:
        if soft:
            return soft_loss(self.settings.loss, outputs, targets, soft[0], self.settings.temperature)
        loss, level = loss_and_level(self.settings.loss)
        return LOSSES[loss].value(outputs, targets, level)


def groups(forest: Forest) -> NDArray[np.int32]:
    """(params,) the number of the node that each weight leads into; biases and the unused edges of outputs have that of
    none, the number of all parameters."""
    found = np.repeat(np.arange(forest.nodes), np.diff(forest.first_param))
    depth, bias = forest.depth, forest.first_param[:-1]
    found[bias] = forest.params
    found[bias + 1] = np.where(depth > 0, parents(depth), forest.params)
    return found.astype(np.int32)


def _chunks(rows: Indices, size: int) -> Iterator[tuple[Indices, Indices]]:
    """The rows in parts, and each part with its rows again and again up to ``size``."""
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        yield part, np.resize(part, size)


def _wrong(outputs: NDArray, targets: NDArray, *soft: NDArray) -> NDArray:
    """(trees, rows) whether the class is wrong. Of equal outputs the first is chosen; one not finite is wrong."""
    del soft
    if outputs.shape[1] == 1:  # of two classes the first has the output 0
        outputs, targets = (np.concatenate([np.zeros_like(part), part], axis=1) for part in (outputs, targets))
    right = outputs.argmax(axis=1) == targets.argmax(axis=1)
    return ~(right & np.isfinite(outputs).all(axis=1))
