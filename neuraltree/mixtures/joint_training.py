"""Trunk and heads of a multitask model trained together, by the kernel as a function of JAX.

The loss is the sum of the heads' mean losses. The derivative by a trunk's output is the sum over the leaves that read
it in all heads, which the derivative of a forest by its inputs holds in the trunk's columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.lesson import Lesson, lesson_of
from neuraltree.engine.forest import Packed, load_params, pack, store_params
from neuraltree.engine.optimizers import SCHEDULES
from neuraltree.mixtures.multitask import Multitask
from neuraltree.tasks.losses import LOSSES, loss_and_level
from neuraltree.tree.nodes import join
from neuraltree.tree.tree import Tree


class Plan(NamedTuple):
    """Steps of Adam on batches of rows; the learning rate falls along half a cosine."""

    epochs: int = 100
    batch: int = 64
    learning_rate: float = 0.01


class Learned(NamedTuple):
    """The model, and the sum of the tasks' mean losses in each epoch (epochs,)."""

    model: Multitask
    losses: FloatArray


def fit_together(model: Multitask, X: ArrayLike, targets: Mapping[str, ArrayLike], plan: Plan, seed: int) -> Learned:
    """Train all trees on raw inputs ``X`` (rows, features) and the ``targets`` (rows,) of each head.

    ``ValueError`` unless every head has targets. Raises as ``lesson_of`` for targets that do not fit a head.
    """
    if set(targets) != set(model.heads):
        raise ValueError(f"there are targets of {sorted(targets)}; the model has the heads {sorted(model.heads)}")
    rows, names = np.asarray(X, dtype=np.float64), list(model.heads)
    trees = [model.trunk, *(model.heads[name] for name in names)]
    packed = [_packed(tree) for tree in trees]
    start = [load_params(each, tree.nodes, "float32")[0] for each, tree in zip(packed, trees, strict=True)]
    lessons = [lesson_of(model.heads[name], model.inputs(rows), np.asarray(targets[name])) for name in names]
    scaled = rows if model.trunk.scaler is None else model.trunk.scaler.transform(rows)
    found, losses = _descend(packed, start, _shifts(trees), scaled, rows, lessons, plan, seed)
    trained = zip(packed, trees, found, strict=True)
    trunk, *heads = [_with_params(each, tree, params) for each, tree, params in trained]
    return Learned(Multitask(trunk, dict(zip(names, heads, strict=True))), losses)


def _packed(tree: Tree) -> Packed:
    nodes, starts = join([tree.nodes])
    return pack(nodes, starts, len(tree.features))


def _with_params(packed: Packed, tree: Tree, params: NDArray) -> Tree:
    nodes = store_params(packed, tree.nodes, np.asarray(params, np.float64)[None])
    return replace(tree, nodes=nodes, int8_loss=None, band=None)


def _shifts(trees: Sequence[Tree]) -> list[tuple[FloatArray, FloatArray]]:
    """The mean and the scale of the features of each head."""
    none = [(np.zeros(len(tree.features)), np.ones(len(tree.features))) for tree in trees]
    return [(t.scaler.mean, t.scaler.scale) if t.scaler else no for t, no in zip(trees, none, strict=True)][1:]


def _descend(
    packed: Sequence[Packed],
    start: list[NDArray],
    shifts: list[tuple[FloatArray, FloatArray]],
    scaled: FloatArray,
    raw: FloatArray,
    lessons: Sequence[Lesson],
    plan: Plan,
    seed: int,
) -> tuple[list[NDArray], FloatArray]:
    import jax
    import jax.numpy as jnp
    import optax

    from neuraltree.engine.primitive import forest_outputs

    width = raw.shape[1]
    # Raw inputs in a head's own scaling, once; the trunk's outputs are scaled within the program.
    own = [jnp.asarray((raw - mean[:width]) / scale[:width], jnp.float32) for mean, scale in shifts]
    tail = [(jnp.asarray(m[width:], jnp.float32), jnp.asarray(s[width:], jnp.float32)) for m, s in shifts]
    goals = [jnp.asarray(lesson.targets.T, jnp.float32) for lesson in lessons]
    names = [loss_and_level(lesson.loss) for lesson in lessons]
    inputs = jnp.asarray(scaled, jnp.float32)

    def loss(params: list[Any], rows: Any) -> Any:
        shared = forest_outputs(packed[0].forest, params[0], inputs[rows])[0].T
        total = jnp.zeros(())
        for i, (name, level) in enumerate(names):
            seen = jnp.concatenate([own[i][rows], (shared - tail[i][0]) / tail[i][1]], axis=1)
            outputs = forest_outputs(packed[i + 1].forest, params[i + 1], seen)[0]
            total = total + LOSSES[name].value(outputs, goals[i][:, rows], level).mean()
        return total

    batch = min(plan.batch, len(raw))
    per_epoch = len(raw) // batch
    rng = np.random.default_rng(seed)
    order = np.stack([rng.permutation(len(raw))[: per_epoch * batch] for _ in range(plan.epochs)])
    steps = plan.epochs * per_epoch
    rates = plan.learning_rate * SCHEDULES["cosine"].share(np.arange(steps) / steps)
    method = optax.scale_by_adam(b2=0.99)

    def step(carry: Any, given: Any) -> Any:
        params, state = carry
        rows, rate = given
        value, slope = jax.value_and_grad(loss)(params, rows)
        update, state = method.update(slope, state)
        params = jax.tree.map(lambda p, u: p - rate * u, params, update)
        return (params, state), value

    @jax.jit
    def run(params: Any, rows: Any, rates: Any) -> Any:
        return jax.lax.scan(step, (params, method.init(params)), (rows, rates))

    first = [jnp.asarray(each) for each in start]
    (last, _), values = run(first, jnp.asarray(order.reshape(steps, batch)), jnp.asarray(rates, jnp.float32))
    return [np.asarray(each) for each in last], np.asarray(values, np.float64).reshape(plan.epochs, -1).mean(axis=1)
