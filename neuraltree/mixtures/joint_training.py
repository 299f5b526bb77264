"""Trunk and heads of a multitask model trained together, by the kernel as a function of JAX.

The loss is the sum of the heads' mean losses. The derivative by a trunk's output is the sum over the leaves that read
it in all heads, which the derivative of a forest by its inputs holds in the trunk's columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.lesson import Lesson, lesson_of
from neuraltree.engine.forest import Packed, load_params, pack, store_params
from neuraltree.engine.optimizers import SCHEDULES, SECOND_DECAY
from neuraltree.mixtures.multitask import Multitask
from neuraltree.mixtures.table_rows import all_features
from neuraltree.option_values import check_above_zero, check_whole
from neuraltree.tasks.losses import LOSSES, loss_and_level
from neuraltree.tree.nodes import join
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Inputs, Tree

Loss = Callable[[list[Any], Any], Any]


class Plan(NamedTuple):
    """Steps of Adam on batches of rows; the learning rate falls along half a cosine."""

    epochs: int = 100
    batch: int = 64
    learning_rate: float = 0.01


class Learned(NamedTuple):
    """The model, and the sum of the tasks' mean losses in each epoch (epochs,)."""

    model: Multitask
    losses: FloatArray


def fit_together(model: Multitask, X: Inputs, targets: Mapping[str, ArrayLike], plan: Plan, seed: int) -> Learned:
    """Train all trees on raw inputs ``X`` (rows, features) and the ``targets`` (rows,) of each head.

    ``ValueError`` unless every head has targets, for a plan that cannot be, or if the training diverged. Raises as
    ``lesson_of`` for targets that do not fit a head.
    """
    for field in ("epochs", "batch"):
        check_whole(field, getattr(plan, field))
    check_above_zero("learning_rate", plan.learning_rate)
    if set(targets) != set(model.heads):
        raise ValueError(f"there are targets of {sorted(targets)}; the model has the heads {sorted(model.heads)}")
    rows, names = all_features(model.trunk, X).astype(np.float64), list(model.heads)
    trees = [model.trunk, *(model.heads[name] for name in names)]
    packed = [_packed(tree) for tree in trees]
    start = [load_params(each, tree.nodes, "float32")[0] for each, tree in zip(packed, trees, strict=True)]
    lessons = [lesson_of(model.heads[name], model.inputs(rows), np.asarray(targets[name])) for name in names]
    loss = _summed_loss(trees, packed, rows, lessons)
    found, losses = _descend(loss, start, *_course(len(rows), plan, seed))
    if not all(np.isfinite(params).all() for params in found):
        raise ValueError(f"the training diverged with learning_rate={plan.learning_rate!r}; give a smaller one")
    trained = zip(packed, trees, found, strict=True)
    trunk, *heads = [_with_params(each, tree, params) for each, tree, params in trained]
    return Learned(Multitask(trunk, dict(zip(names, heads, strict=True))), losses)


def _packed(tree: Tree) -> Packed:
    nodes, starts = join([tree.nodes])
    return pack(nodes, starts, len(tree.features))


def _with_params(packed: Packed, tree: Tree, params: NDArray) -> Tree:
    nodes = store_params(packed, tree.nodes, np.asarray(params, np.float64)[None])
    return replace(tree, nodes=nodes, int8_loss=None, band=None)


def _scaler(tree: Tree) -> Scaler:
    width = len(tree.features)
    return tree.scaler or Scaler(np.zeros(width), np.ones(width))


def _summed_loss(trees: Sequence[Tree], packed: Sequence[Packed], raw: FloatArray, lessons: Sequence[Lesson]) -> Loss:
    """The loss of the parameters of each tree, the trunk's first, on some rows."""
    import jax.numpy as jnp

    from neuraltree.engine.primitive import forest_outputs

    width, scalers = raw.shape[1], [_scaler(tree) for tree in trees]

    def of_inputs(scaler: Scaler) -> Any:  # raw inputs in a tree's own scaling, once
        return jnp.asarray((raw - scaler.mean[:width]) / scaler.scale[:width], jnp.float32)

    inputs, *own = map(of_inputs, scalers)
    tails = [[jnp.asarray(part[width:], jnp.float32) for part in (s.mean, s.scale)] for s in scalers[1:]]
    goals = [jnp.asarray(lesson.targets.T, jnp.float32) for lesson in lessons]
    names = [loss_and_level(lesson.loss) for lesson in lessons]

    def loss(params: list[Any], rows: Any) -> Any:
        shared = forest_outputs(packed[0].forest, params[0], inputs[rows])[0].T
        total = jnp.zeros(())
        for i, ((name, level), (mean, scale)) in enumerate(zip(names, tails, strict=True)):
            seen = jnp.concatenate([own[i][rows], (shared - mean) / scale], axis=1)
            outputs = forest_outputs(packed[i + 1].forest, params[i + 1], seen)[0]
            total = total + LOSSES[name].value(outputs, goals[i][:, rows], level).mean()
        return total

    return loss


def _course(rows: int, plan: Plan, seed: int) -> tuple[NDArray, FloatArray]:
    """(epochs, steps, batch) rows in random orders, without those that fill no batch, and the rates (epochs, steps)."""
    batch = min(plan.batch, rows)
    steps, rng = rows // batch, np.random.default_rng(seed)
    order = np.stack([rng.permutation(rows)[: steps * batch] for _ in range(plan.epochs)])
    share = SCHEDULES["cosine"].share(np.arange(plan.epochs * steps) / (plan.epochs * steps))
    return order.reshape(plan.epochs, steps, batch), (plan.learning_rate * share).reshape(plan.epochs, steps)


def _descend(loss: Loss, start: list[NDArray], order: NDArray, rates: FloatArray) -> tuple[list[NDArray], FloatArray]:
    """The parameters after all steps of Adam, and the mean loss of each epoch."""
    import jax
    import jax.numpy as jnp
    import optax

    method = optax.scale_by_adam(b2=SECOND_DECAY)

    def step(carry: Any, given: Any) -> Any:
        params, state = carry
        rows, rate = given
        value, slope = jax.value_and_grad(loss)(params, rows)
        update, state = method.update(slope, state)
        return (jax.tree.map(lambda p, u: p - rate * u, params, update), state), value

    @jax.jit
    def run(params: Any, rows: Any, rates: Any) -> Any:
        return jax.lax.scan(step, (params, method.init(params)), (rows, rates))

    rows = jnp.asarray(order.reshape(-1, order.shape[2]))
    (last, _), values = run([jnp.asarray(each) for each in start], rows, jnp.asarray(rates.ravel(), jnp.float32))
    return [np.asarray(each) for each in last], np.asarray(values, np.float64).reshape(rates.shape).mean(axis=1)
