"""What an estimator without a search does: fit one random tree to a table, or go on training a tree."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from neuraltree.activations import ALIASES, NAMES
from neuraltree.compress.ranges import fit_input_range
from neuraltree.covering import covering_tree
from neuraltree.epochs import shape_for, train_epochs
from neuraltree.model import Tree
from neuraltree.optimizers import OPTIMIZERS
from neuraltree.samples import Options, Sample, merged
from neuraltree.scaler import Scaler
from neuraltree.tasks import Task, encode, make_task
from neuraltree.train import Settings, keep_programs
from neuraltree.tree import Nodes, Space

ATTEMPTS = 3  # trees tried until one ends better than a constant
STEPS, LEAST_EPOCHS = 1500, 50  # by default as many epochs as make so many steps
BATCH = 200
NODES = 60
OUTPUT_NODES = 12  # more for each further output
EVERY_S = 2.0
EXAMPLES = 16  # trees from which the shape of a bin is planned
Array = NDArray[np.float64]
Say = Callable[[int, float], None]


class Learned(NamedTuple):
    """A fitted tree, the mean training loss of every epoch, and the optimiser's state."""

    tree: Tree
    losses: Array
    moments: list[NDArray]


def fit_random_tree(sample: Sample, options: Options, rng: np.random.Generator, say: Say) -> Learned:
    """A random tree that reads every input, trained; another, at most twice, where it ends worse than a constant.

    ``ValueError`` where the training of all diverged.
    """
    attempts: list[Learned] = []
    while len(attempts) < ATTEMPTS:
        attempts.append(go_on(new_tree(sample, options, rng), sample, options, rng, epochs=options.epochs, say=say))
        if attempts[-1].losses[-1] <= constant_loss(sample):
            break
    best = min(attempts, key=lambda learned: np.nan_to_num(learned.losses[-1], nan=np.inf))
    if np.isfinite(best.losses[-1]):
        return best
    raise ValueError(
        f"training diverged with learning_rate={options.learning_rate:g} and optimizer={options.optimizer!r}; "
        "lower the learning rate"
    )


def new_tree(sample: Sample, options: Options, rng: np.random.Generator) -> Tree:
    """An untrained random tree that reads every input, with the scaling of a sample."""
    _check(options)
    sample = _as_one_batch(sample, options)
    scaler = Scaler.fit(sample.X, sample.weight)
    return Tree(
        nodes=covering_tree(rng, _space(sample, options), size=_size(sample, options)),
        kind=sample.kind,
        features=sample.features,
        classes=sample.classes,
        scaler=scaler,
        target_scaler=Scaler.fit(_columns(sample.y), sample.weight) if sample.classes is None else None,
        input_range=fit_input_range(scaler.transform(sample.X)),
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
    """Train a tree further on a sample, in the scaling it has; it stays as it is where that diverges.

    The learning rate falls to 0 along a cosine, or is constant. ``moments`` is the optimiser's state, if any.
    """
    sample = _as_one_batch(sample, options)
    keep_programs()
    inputs = sample.X if tree.scaler is None else tree.scaler.transform(sample.X)
    y = sample.y if tree.target_scaler is None else tree.target_scaler.transform(_columns(sample.y))
    task = _task_of(tree)
    batch = options.batch_size or BATCH
    count = _epochs(len(inputs), batch) if epochs is None else epochs
    share = 0.5 + 0.5 * np.cos(np.pi * np.arange(count) / count) if decay else np.ones(count)
    space = _space(sample, replace(options, activations=_kinds(tree, options)))
    trained = train_epochs(
        tree.nodes,
        shape_for(tree.nodes, space, _examples(space, _size(sample, options))),
        # Doubles, as rounding may not tell a row of weight 2 from two rows; a single tree takes little time.
        Settings(
            task.loss, options.optimizer, batch_size=batch, precision="float64", weight_decay=options.weight_decay
        ),
        inputs=inputs,
        targets=encode(task, y),
        weight=sample.weight,
        rates=(options.learning_rate * share).tolist(),
        rng=rng,
        moments=moments,
        after=say,
    )
    if len(trained.losses) < count:
        warnings.warn(
            f"the training was interrupted after {len(trained.losses)} of {count} epochs",
            ConvergenceWarning,
            stacklevel=5,
        )
    nodes = trained.nodes if np.isfinite(trained.losses[-1]) else tree.nodes
    return Learned(replace(tree, nodes=nodes), trained.losses, trained.moments)


def _as_one_batch(sample: Sample, options: Options) -> Sample:
    """Rows that are few enough for one batch with equal ones merged."""
    return merged(sample) if len(sample.X) <= (options.batch_size or BATCH) else sample


def task_of(sample: Sample) -> Task:
    return make_task(sample.kind, len(sample.classes or ()), n_targets=sample.targets)


def telling(verbose: int) -> Say:
    """What is said after so many epochs: nothing, or a line every few seconds on standard error."""
    last = time.monotonic()

    def say(epoch: int, loss: float) -> None:
        nonlocal last
        if verbose and time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            print(f"epoch {epoch}  loss {loss:.5f}", file=sys.stderr, flush=True)

    return say


def _check(options: Options) -> None:
    """``ValueError`` for what no tree can have and no training can do."""
    kinds = options.activations
    unknown = [name for name in kinds if name not in NAMES and name not in ALIASES]
    rules = (
        (not kinds, "activations is empty; name at least one"),
        (unknown, f"activations has the unknown name {unknown[:1]}; allowed: {', '.join(NAMES)}"),
        (options.optimizer not in OPTIMIZERS, f"optimizer={options.optimizer!r}; allowed: {', '.join(OPTIMIZERS)}"),
        (not 0 < options.learning_rate < np.inf, f"learning_rate={options.learning_rate!r} must be above 0"),
        (not 0 <= options.weight_decay < np.inf, f"weight_decay={options.weight_decay!r} must be 0 or more"),
        (options.max_depth < 1, f"max_depth={options.max_depth!r} must be 1 or more"),
        (options.max_arity < 1, f"max_arity={options.max_arity!r} must be 1 or more"),
        (options.epochs is not None and options.epochs < 1, f"epochs={options.epochs!r} must be 1 or more, or None"),
        (
            options.batch_size is not None and options.batch_size < 1,
            f"batch_size={options.batch_size!r} must be 1 or more",
        ),
    )
    for broken, message in rules:
        if broken:
            raise ValueError(message)


def _columns(y: Array) -> Array:
    return y.reshape(len(y), -1)


def _task_of(tree: Tree) -> Task:
    """The task of a tree, which may be one of the reference's with sigmoid outputs."""
    loss = "squared" if tree.classes is not None and tree.output_activation == "sigmoid" else "auto"
    task = make_task(tree.kind, len(tree.classes or ()), loss, tree.num_outputs)
    return task._replace(output_activation=tree.output_activation)


def _kinds(tree: Tree, options: Options) -> tuple[str, ...]:
    hidden = tree.nodes["op"][(tree.nodes["op"] < 0) & (tree.nodes["depth"] > 0)]
    return tuple(dict.fromkeys([*options.activations, *(NAMES[~op] for op in np.unique(hidden).tolist())]))


@lru_cache(maxsize=64)
def _examples(space: Space, size: int) -> tuple[Nodes, ...]:
    """Trees of a space, the same ones every time: what the shape of a bin is planned from."""
    rng = np.random.default_rng(0)
    return tuple(covering_tree(rng, space, size=size) for _ in range(EXAMPLES))


def constant_loss(sample: Sample) -> float:
    """The mean training loss of the best constant: half the variances of the scaled targets, or the entropy."""
    weight = np.ones(len(sample.X)) if sample.weight is None else sample.weight
    if sample.classes is None:
        return 0.5 * float(np.count_nonzero(np.ptp(_columns(sample.y)[weight > 0], axis=0)))
    shares = np.bincount(sample.y, weight) / weight.sum()
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


def _epochs(rows: int, batch: int) -> int:
    return max(LEAST_EPOCHS, math.ceil(STEPS / math.ceil(rows / batch)))


def _size(sample: Sample, options: Options) -> int:
    size = NODES // 2 + OUTPUT_NODES * (task_of(sample).n_outputs - 1)
    return size if options.max_nodes is None else min(size, options.max_nodes)


def _space(sample: Sample, options: Options) -> Space:
    task, features = task_of(sample), sample.X.shape[1]
    room = _size(sample, options) + 2 * features  # an input is one more leaf, and one more node at most
    return Space(
        n_features=features,
        n_outputs=task.n_outputs,
        activations=options.activations,
        output_activation=task.output_activation,
        max_nodes=max(room, NODES) if options.max_nodes is None else options.max_nodes,
        max_depth=options.max_depth,
        max_arity=options.max_arity,
    )
