"""The lowering to the kernel: training, outputs and slopes of a forest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.engine.forest import Forest, Indices
from neuraltree.engine.kernel.binding import Job, Kernel, address
from neuraltree.engine.kernel.source import LOSS_CODES, OPTIMIZER_CODES
from neuraltree.engine.training import JUDGES, NEVER, Course, Data, Fitted, Settings, learned_rate, shares
from neuraltree.tasks.losses import loss_and_level


class KernelLowering(NamedTuple):
    """The engine by the compiled kernel. A call may return early, with unfinished results, once ``stop[0]`` is set."""

    kernel: Kernel

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
        """Train every tree from ``params`` (params,) for at most ``limit`` (trees,) epochs; see ``Fitted``.

        ``l1`` (trees,): after each step of the optimiser at a learning rate, the rate times this is taken from the
        absolute value of every edge weight, down to 0: the proximal step of the L1 norm (Parikh & Boyd 2014, "Proximal
        algorithms", section 6.5.2). Biases are left alone.
        ``group_l1`` (trees,): after that, the rate times this is taken from the Euclidean norm of the weights into each
        node, down to 0: the proximal step of the group lasso (Yuan & Lin 2006, "Model selection and estimation in
        regression with grouped variables").
        ``moments`` is an earlier state of the optimiser, used if it fits this forest; it ends with the rates that trees
        have learned, if they do. ``losses``: the training losses are wanted too.
        """
        dtype = np.dtype(settings.precision)
        rates, learning = shares(course, settings), learned_rate(settings)
        count, first, second, *learned = _moments(moments, forest, settings)
        last, best = np.array(params, dtype), np.empty(forest.params, dtype)
        loss, best_epoch = np.empty(forest.trees), np.empty(forest.trees, np.int32)
        by_epoch = np.zeros((course.epochs, forest.trees) if losses else (0, forest.trees))
        limits = np.ascontiguousarray(limit, dtype=np.int32)
        job = _job(forest, settings, data, course.validation, last, stop)
        job.shuffles, job.fit_rows = shape = course.order.shape
        steps = course.epochs * -(-shape[1] // max(settings.batch_size, 1))
        job.order, job.rates = address(course.order, np.int32, *shape), address(rates, np.float64, steps)
        job.limit = address(limits, np.int32, forest.trees)
        for name, by in ("l1", l1), ("group_l1", group_l1):
            setattr(job, name, None if by is None else address(by, np.float64, forest.trees))
        job.epochs, job.patience, job.judge = course.epochs, course.patience, JUDGES.index(course.judge)
        job.first, job.second, job.best = (array.ctypes.data for array in (first, second, best))
        job.best_loss, job.best_epoch = loss.ctypes.data, best_epoch.ctypes.data
        if learning:
            job.learned, job.kappa_step = learned[0].ctypes.data, learning.kappa_step
        job.count, job.losses = int(count), by_epoch.ctypes.data if losses else None
        self.kernel.call("train", settings.precision, job)
        return Fitted(best, loss, best_epoch, last, by_epoch, [np.array(job.count), first, second, *learned])

    def predict(
        self, forest: Forest, settings: Settings, data: Data, rows: Indices, params: NDArray, stop: Indices = NEVER
    ) -> NDArray:
        """(trees, outputs, rows) the outputs for ``rows`` of the data."""
        found = np.empty((forest.trees, forest.outputs, len(rows)), settings.precision)
        job = _job(forest, settings, data, rows, params, stop)
        job.found = found.ctypes.data
        self.kernel.call("predict", settings.precision, job)
        return found

    def slopes(
        self, forest: Forest, settings: Settings, data: Data, rows: Indices, params: NDArray, stop: Indices = NEVER
    ) -> FloatArray:
        """(nodes, features) the derivative of each tree's mean loss over ``rows`` by the weight of an edge from a
        function node to an input, whether the tree has that edge or not."""
        found = np.empty((forest.nodes, forest.features))
        job = _job(forest, settings, data, rows, params, stop)
        job.slopes = found.ctypes.data
        self.kernel.call("slopes", settings.precision, job)
        return found / max(len(rows), 1)


def _moments(given: Sequence[NDArray], forest: Forest, settings: Settings) -> list[NDArray]:
    """Steps done, first and second moments, and learned rates if there are any: copies of the given ones if they fit
    this forest, else those of a beginning."""
    dtype, learning = np.dtype(settings.precision), learned_rate(settings)
    fresh = [np.array(0), np.zeros(forest.params, dtype), np.zeros(forest.params, dtype)]
    fresh += [learning.begin(forest.trees, settings.learning_rate, dtype)] if learning else []
    if [np.shape(part) for part in given] == [part.shape for part in fresh]:
        return [np.array(part, like.dtype) for part, like in zip(given, fresh, strict=True)]
    return fresh


def _job(forest: Forest, settings: Settings, data: Data, rows: Indices, params: NDArray, stop: Indices) -> Job:
    """A job about these rows. The arrays must outlive it; their sizes are checked here, their indices by the kernel."""
    dtype, count = np.dtype(settings.precision), len(data.weight)
    job = Job(forest.trees, forest.nodes, forest.params, forest.features, forest.outputs)
    job.first_node = address(forest.first_node, np.int32, forest.trees + 1)
    job.size, job.kind = (address(part, np.int32, forest.nodes) for part in (forest.size, forest.kind))
    job.first_param = address(forest.first_param, np.int32, forest.nodes + 1)
    job.source = address(forest.source, np.int32, forest.params)
    job.rows, job.validation_rows, job.validation = count, len(rows), address(rows, np.int32, len(rows))
    job.inputs = address(data.inputs, dtype, count, forest.features)
    job.targets = address(data.targets, dtype, count, forest.outputs)
    job.weight, job.param = address(data.weight, dtype, count), address(params, dtype, forest.params)
    job.stop = address(stop, np.int32, 1)
    job.batch, job.decay = settings.batch_size, settings.weight_decay
    job.soft = None if data.soft is None else address(data.soft, dtype, count)
    job.temperature = settings.temperature
    loss, job.level = loss_and_level(settings.loss)
    job.loss = LOSS_CODES[loss]
    job.optimizer = OPTIMIZER_CODES.get(settings.optimizer, -1)
    return job
