"""Fine-tuning for integers: further training of a front's trees with integer rounding in the forward pass.

The integers and their scales are made anew from the weights at every step (quantisation-aware training). For 8 bits the
targets are the outputs of the float tree, not those of the rows (distillation, Hinton et al. 2015): with the rows'
targets, trees trained on small tables lost more on held-out rows than rounding costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import about_middle, input_range, quantize_tree, scaler_of
from neuraltree.compress.int8.integers import quantize
from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.compress.int8.stages import InputStage
from neuraltree.compress.int8.straight_through import (
    SUM_LOSSES,
    CodedRows,
    Level,
    SumLoss,
    gradient,
    integer_sums,
    levels,
)
from neuraltree.compress.weights.snapping import Snaps, stochastic_binary
from neuraltree.compress.weights.weight_formats import code_snaps
from neuraltree.tree.folding import fold_inputs
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.prediction import evaluate
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree

STREAM = 1  # of the random rounding of weights


class _Problem(NamedTuple):
    """Trees laid end to end, the range of their inputs, the loss of their integers, and the rounding of weights."""

    nodes: Nodes
    network: list[Level]
    reach: FloatArray
    loss: SumLoss
    snaps: Snaps


class _State(NamedTuple):
    """The state that a step changes: weights and biases ``theta`` (2, nodes), Adam's two moments, and its steps."""

    theta: FloatArray
    mean: FloatArray
    square: FloatArray
    steps: int


@np.errstate(all="ignore")  # a tree whose sums are too large for integers stays as it is
def finetune(
    trees: Sequence[Tree],
    X: ArrayLike,
    *,
    epochs: int,
    learning_rate: float = 0.002,
    batch_size: int = 64,
    seed: int = 0,
    weight: ArrayLike | None = None,
    targets: FloatArray | None = None,
    weights: str = "int8",
    stochastic: bool = False,
) -> list[Tree]:
    """The trees of a front with weights whose integer models come closer to the given float trees.

    The trees may differ in their nodes, thresholds and bands only. ``X`` (rows, features) raw training inputs;
    ``weight`` (rows,) weights of the rows. ``targets`` (rows, outputs) as in training, see ``tasks.task.encode``; by
    default the outputs of the given trees. ``weights``: the format of the integers, as for ``quantize_tree``; the
    gradient is that at the weights that they stand for, and the weights returned are those before rounding.
    ``stochastic``: weights are rounded to -1 or 1 at random in each step, see ``stochastic_binary``. The optimiser is
    Adam, with a rate that falls to 0 as a cosine. Each tree keeps the weights of the epoch, start included, at which
    its integer model has the least loss. ``ValueError`` if the trees differ in more than that, or if the output of a
    regression is not linear or there are several.
    """
    if not trees or not epochs:
        return list(trees)
    _check_alike(trees)
    given, trees = trees, [about_middle(tree) for tree in trees]
    X = np.asarray(X)
    rows, loss = _rows(trees, X, weight, targets), SUM_LOSSES[trees[0].kind, trees[0].output_activation]
    least = [_integer_loss(tree, tree.nodes, weights, X, rows, i) for i, tree in enumerate(trees)]
    nodes, starts = join([tree.nodes for tree in trees])
    reach = input_range(trees[0])
    snaps = code_snaps(weights)
    if stochastic:
        snaps = snaps._replace(hidden=stochastic_binary(np.random.default_rng((seed, STREAM))))
    problem = _Problem(nodes, levels(nodes), reach, loss, snaps)
    best: dict[int, Nodes] = {}
    theta = np.stack([nodes["weight"][:, 0], nodes["bias"][:, 0]])
    state, rng = _State(theta, np.zeros_like(theta), np.zeros_like(theta), 0), np.random.default_rng(seed)
    steps = -(-len(X) // batch_size)
    for epoch in range(epochs):
        order = rng.permutation(len(X))
        for step in range(steps):
            part = rows.take(order[step * batch_size : (step + 1) * batch_size])
            rate = learning_rate * (1 + np.cos(np.pi * (epoch * steps + step) / (epochs * steps))) / 2
            state = _step(problem, state, part, rate)
        for i, moved in enumerate(np.split(_with(nodes, state.theta), starts[1:-1])):
            found = _integer_loss(trees[i], moved, weights, X, rows, i)
            if found < least[i]:
                best[i], least[i] = moved, found
    back = np.zeros(len(reach)) if given[0].input_middle is None else given[0].input_middle
    return [
        replace(tree, nodes=fold_inputs(best[i], Scaler(back, np.ones(len(back)))), int8_loss=None)
        if i in best
        else tree
        for i, tree in enumerate(given)
    ]


def integer_outputs(tree: Tree, X: ArrayLike, weights: str = "int8") -> FloatArray:
    """(rows, outputs) the tree's integer model for raw inputs: the target in its own units, or logits.

    ``weights``: as for ``quantize_tree``.
    """
    model = quantize_tree(tree, weights=weights)
    return model.outputs.values(model.scores(model.quantize(X))).astype(np.float64)


def _integer_loss(tree: Tree, nodes: Nodes, weights: str, X: NDArray, rows: CodedRows, i: int) -> float:
    """Mean loss of the integer model of tree ``i`` with other nodes; infinite if it has no integer model."""
    try:
        outputs = integer_outputs(replace(tree, nodes=nodes), X, weights)
    except ValueError:
        return inf
    if tree.target_scaler is not None:
        outputs = tree.target_scaler.transform(outputs)
    loss = SUM_LOSSES[tree.kind, tree.output_activation]
    return float(np.mean(loss.value(outputs.T, rows.targets[i]) * rows.weight))


def _check_alike(trees: Sequence[Tree]) -> None:
    first = trees[0]
    refuse_several_targets(first.kind, first.num_outputs, "fine-tuning for int8")
    output = first.output_activation
    alike = (replace(tree, nodes=first.nodes, threshold=first.threshold, band=first.band) == first for tree in trees)
    if not all(alike) or any(tree.output_activation != output for tree in trees):
        raise ValueError(
            "these trees differ in more than their nodes, thresholds and bands; fine-tune the trees of one front "
            "together"
        )
    if (first.kind, output) not in SUM_LOSSES:
        raise ValueError(f"a {first.kind} tree with a {output} output cannot be fine-tuned; the output must be linear")


def _rows(trees: Sequence[Tree], X: NDArray, weight: ArrayLike | None, targets: FloatArray | None) -> CodedRows:
    """The rows as training sees them: without ``targets`` these are the predictions of the float trees."""
    first, reach = trees[0], input_range(trees[0])
    scaler = scaler_of(first)
    codes = InputStage.make(np.arange(len(reach)), scaler.mean, scaler.scale, reach)(X).T
    if targets is None:
        outputs = np.stack([evaluate(tree.nodes, scaler.transform(X)).T for tree in trees])
        expected = SUM_LOSSES[first.kind, first.output_activation].loss.expected(outputs)
    else:
        expected = np.repeat(targets.T[None], len(trees), axis=0)
    counts = np.ones(len(X)) if weight is None else np.asarray(weight, dtype=np.float64)
    return CodedRows(codes, codes * (reach / UNIT)[:, None], expected, counts / counts.mean())


def _with(nodes: Nodes, theta: FloatArray) -> Nodes:
    """The nodes with other weights and biases, (2, nodes)."""
    nodes = nodes.copy()
    nodes["weight"][:, 0], nodes["bias"][:, 0] = theta
    return nodes


def _step(problem: _Problem, state: _State, batch: CodedRows, rate: float) -> _State:
    """The state after one update of Adam (Kingma & Ba 2015), with the gradient that passes through the rounding."""
    now = _with(problem.nodes, state.theta)
    numbers = quantize(now, problem.reach, snaps=problem.snaps)
    sums = integer_sums(problem.network, now, numbers, batch.codes)
    now["weight"][:, 0] = numbers.edge
    slope = gradient(problem.network, now, sums, batch, problem.loss)
    steps = state.steps + 1
    mean, square = 0.9 * state.mean + 0.1 * slope, 0.999 * state.square + 0.001 * slope**2
    direction = mean / (1 - 0.9**steps) / (np.sqrt(square / (1 - 0.999**steps)) + 1e-8)
    return _State(state.theta - rate * direction, mean, square, steps)
