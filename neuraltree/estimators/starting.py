"""The tree that an estimator starts training with, and the check of the options."""

from __future__ import annotations

import numpy as np

from neuraltree.activations import ALIASES, NAMES
from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.ranges import fit_input_range
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.estimators.covering import covering_tree
from neuraltree.estimators.options import Options
from neuraltree.estimators.samples import Sample
from neuraltree.option_values import is_finite, is_whole
from neuraltree.tasks.task import Task, check_loss, make_task
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree

NODES = 60
ARITY = 5
OUTPUT_NODES = 12  # nodes added for each output beyond the first


def new_tree(sample: Sample, options: Options, rng: np.random.Generator) -> Tree:
    """An untrained random tree that reads every input, with scalers fitted to a sample."""
    check_options(options, sample.kind)
    scaler = Scaler.fit(sample.X, sample.weight)
    return Tree(
        nodes=covering_tree(rng, _space(sample, options), size=_size(sample, options)),
        kind=sample.kind,
        features=sample.features,
        classes=sample.classes,
        scaler=scaler,
        target_scaler=Scaler.fit(columns(sample.y), sample.weight) if sample.classes is None else None,
        input_range=fit_input_range(scaler.transform(sample.X)),
        columns=sample.columns,
    )


def task_of(sample: Sample, loss: str = "auto") -> Task:
    return make_task(sample.kind, len(sample.classes or ()), loss, sample.targets)


def columns(y: FloatArray) -> FloatArray:
    return y.reshape(len(y), -1)


def check_options(options: Options, kind: str) -> None:
    """``ValueError`` for an option that no tree or training of this kind can have."""
    kinds, rate, decay = options.activations, options.learning_rate, options.weight_decay
    limits = [("max_depth", options.max_depth)]
    optional = [(name, getattr(options, name)) for name in ("max_nodes", "max_arity", "epochs", "batch_size")]
    whole = "must be a whole number of 1 or more"
    unknown = [name for name in kinds if name not in NAMES and name not in ALIASES]
    rules = (
        (not kinds, "activations is empty; name at least one"),
        (unknown, f"activations has the unknown name {unknown[:1]}; allowed: {', '.join(NAMES)}"),
        (options.optimizer not in OPTIMIZERS, f"optimizer={options.optimizer!r}; allowed: {', '.join(OPTIMIZERS)}"),
        (not is_finite(rate) or rate <= 0, f"learning_rate={rate!r} must be a number above 0"),
        (
            decay is not None and (not is_finite(decay) or decay < 0),
            f"weight_decay={decay!r} must be a number of 0 or more, or None",
        ),
        *((not is_whole(value), f"{name}={value!r} {whole}") for name, value in limits),
        *(
            (value is not None and not is_whole(value), f"{name}={value!r} {whole}, or None")
            for name, value in optional
        ),
    )
    for broken, message in rules:
        if broken:
            raise ValueError(message)
    try:
        check_loss(options.loss, "regression" if kind == "regression" else "classes")
    except ValueError as error:
        raise ValueError(f"loss: {error}") from None


def _size(sample: Sample, options: Options) -> int:
    size = NODES // 2 + OUTPUT_NODES * (task_of(sample).n_outputs - 1)
    return size if options.max_nodes is None else min(size, options.max_nodes)


def _space(sample: Sample, options: Options) -> Space:
    task, features = task_of(sample), sample.X.shape[1]
    room = _size(sample, options) + 2 * features  # a missing input adds a leaf, and at most one function node
    return Space(
        n_features=features,
        n_outputs=task.n_outputs,
        activations=options.activations,
        output_activation=task.output_activation,
        max_nodes=max(room, NODES) if options.max_nodes is None else options.max_nodes,
        max_depth=options.max_depth,
        max_arity=ARITY if options.max_arity is None else options.max_arity,
    )
