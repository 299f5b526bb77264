"""Training of an estimator without a search: fit one random tree to a table, or train a tree further."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.clipping import with_integers
from neuraltree.engine.epochs import Trained, train_epochs
from neuraltree.engine.optimizers import SCHEDULES
from neuraltree.engine.training import Settings
from neuraltree.estimators.options import Options
from neuraltree.estimators.samples import Sample, merged
from neuraltree.estimators.starting import check_options, columns, new_tree, task_of
from neuraltree.tasks import losses
from neuraltree.tasks.task import LOSS_OF, Task, encode, make_task
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

ATTEMPTS = 3  # the most trees tried until one ends better than a constant
STEPS, LEAST_EPOCHS = 1500, 50  # the default number of epochs makes at least so many steps
BATCH = 200
EVERY_S = 2.0
Say = Callable[[int, float], None]


class Learned(NamedTuple):
    """A fitted tree, the mean training loss of every epoch, the optimiser's state, and how the training ended."""

    tree: Tree
    losses: FloatArray
    moments: list[NDArray]
    interrupted: bool  # by Ctrl-C
    diverged: bool


def fit_random_tree(sample: Sample, options: Options, rng: np.random.Generator, say: Say) -> Learned:
    """Train a random tree that reads every input. If it ends worse than a constant, try another, at most twice.

    Raises ``ValueError`` if the training of all diverged.
    """
    sample = _as_one_batch(sample, options)
    attempts: list[Learned] = []
    while len(attempts) < ATTEMPTS:
        attempts.append(go_on(new_tree(sample, options, rng), sample, options, rng, epochs=options.epochs, say=say))
        if attempts[-1].losses[-1] <= constant_loss(sample, options) or attempts[-1].interrupted:
            break
    best = min(attempts, key=lambda learned: np.inf if learned.diverged else learned.losses[-1])
    if not best.diverged:
        return best
    raise ValueError(
        f"training diverged with learning_rate={options.learning_rate:g} and optimizer={options.optimizer!r}; "
        "lower the learning rate"
    )


def go_on(
    tree: Tree,
    sample: Sample,
    options: Options,
    rng: np.random.Generator,
    *,
    epochs: int | None,
    say: Say,
    moments: Sequence[NDArray] = (),
    decay: bool = True,
) -> Learned:
    """Train a tree further on a sample, with the tree's own scaling. If that diverges, the tree stays as it is.

    With ``decay`` the learning rate falls to 0 along a cosine, else it is constant. ``moments`` is the state of the
    optimiser after an earlier call, if there was one.
    """
    check_options(options, tree.kind)
    sample = _as_one_batch(sample, options)
    inputs = sample.X if tree.scaler is None else tree.scaler.transform(sample.X)
    y = sample.y if tree.target_scaler is None else tree.target_scaler.transform(columns(sample.y))
    task = _task_of(tree, options)
    batch = options.batch_size or BATCH
    count = _epochs(len(inputs), batch) if epochs is None else epochs
    share = SCHEDULES["cosine" if decay else "constant"].share(np.arange(count) / max(count, 1))
    trained = train_epochs(
        tree.nodes,
        # Doubles, so that rounding does not make a row of weight 2 differ from two rows; one tree takes little time.
        Settings(
            task.loss,
            options.optimizer,
            options.learning_rate,
            batch_size=batch,
            precision="float64",
            weight_decay=options.weight_decay or 0.0,
        ),
        inputs=inputs,
        targets=encode(task, y),
        weight=sample.weight,
        rates=(options.learning_rate * share).tolist(),
        rng=rng,
        moments=moments,
        after=say,
    )
    if trained.interrupted:
        warnings.warn(
            f"the training was interrupted after {len(trained.losses)} of {count} epochs",
            ConvergenceWarning,
            stacklevel=5,
        )
    if _diverged(trained):
        return Learned(tree, trained.losses, list(moments), trained.interrupted, diverged=True)
    learned = replace(tree, nodes=trained.nodes, int8_loss=None, band=None)
    if decay:  # a call of fit: these are all training rows
        learned = with_integers(learned, sample.X, sample.y, sample.weight)
    return Learned(learned, trained.losses, trained.moments, trained.interrupted, diverged=False)


def _diverged(trained: Trained) -> bool:
    """Whether a loss, a weight or a moment is not finite.

    The loss predates the last step, which may be the one that diverged.
    """
    numbers = (trained.losses[-1], trained.nodes["weight"], trained.nodes["bias"], *trained.moments)
    return not all(np.isfinite(part).all() for part in numbers)


def _as_one_batch(sample: Sample, options: Options) -> Sample:
    """The sample with equal rows merged, if its rows fit one batch; else the sample itself."""
    return merged(sample) if len(sample.X) <= (options.batch_size or BATCH) else sample


def telling(verbose: int) -> Say:
    """A function to call after epochs, which writes a line every few seconds to standard error if ``verbose``."""
    last = time.monotonic()

    def say(epoch: int, loss: float) -> None:
        nonlocal last
        if verbose and time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            print(f"epoch {epoch}  loss {loss:.5f}", file=sys.stderr, flush=True)

    return say


def _task_of(tree: Tree, options: Options) -> Task:
    """The task of a tree, which may come from the reference (BNeuralT) and have sigmoid outputs."""
    if tree.classes is None:
        return make_task("regression", loss=options.loss, n_targets=tree.num_outputs)
    return Task(tree.kind, tree.num_outputs, tree.output_activation, LOSS_OF[tree.kind, tree.output_activation])


def constant_loss(sample: Sample, options: Options) -> float:
    """The mean training loss of the best constant, of scaled targets or of classes."""
    weight = np.ones(len(sample.X)) if sample.weight is None else sample.weight
    task, y = task_of(sample, options.loss), sample.y
    if sample.classes is None:
        y = Scaler.fit(columns(y), weight).transform(columns(y))
    return losses.constant_loss(task.loss, encode(task, y), weight)


def _epochs(rows: int, batch: int) -> int:
    return max(LEAST_EPOCHS, math.ceil(STEPS / math.ceil(rows / batch)))
