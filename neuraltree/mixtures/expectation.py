"""The training of a mixture by expectation and maximisation (Jordan & Jacobs 1994, *Hierarchical Mixtures of Experts
and the EM Algorithm*).

E step: the responsibility of expert e for row n is r_ne ~ g_e(x_n) exp(-loss(f_e(x_n), y_n)); g is the softmax of
the gate's outputs. M step: a few epochs of each expert with the row weights r_ne, and of the gate by cross-entropy on
r. Squared errors are divided by the mixture's own mean squared error, as for Gaussian noise of one variance.

Balance: r_ne is divided by (the share of expert e)^``balance`` before it is normalised, so that an expert with few rows
gets more: experts without rows are the usual failure. That is ours; the auxiliary loss of Fedus et al. 2022 (*Switch
Transformers*, section 2.2) acts on the gate's gradient, and here the gate has targets that can be balanced themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax, softmax
from sklearn.cluster import KMeans

from neuraltree.arrays import FloatArray
from neuraltree.compress.node_values import forward
from neuraltree.compress.pruning.lesson import Lesson, lesson_of
from neuraltree.engine.epochs import train_epochs
from neuraltree.engine.optimizers import SCHEDULES
from neuraltree.engine.training import Settings
from neuraltree.mixtures.mixture import Mixture
from neuraltree.mixtures.table_rows import all_features
from neuraltree.option_values import check_above_zero, check_whole, is_finite, is_whole
from neuraltree.tasks.losses import LOSSES, loss_and_level
from neuraltree.tree.generate import wide_tree
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Inputs, Tree

LEAST_SHARE = 0.01  # of an expert, in the balance; and of a row, in an expert's row weights
LEAST_VARIANCE = 1e-6  # of scaled targets
FIRST = 0.9  # the responsibility of an expert for the rows of its cluster, at the start
BATCH = 64


class Plan(NamedTuple):
    """``rounds`` of both steps with ``epochs`` each; the learning rate falls along half a cosine. Of ``starts`` from
    different responsibilities the one with the lowest training loss of routed rows is kept: each ends in an optimum of
    its own."""

    rounds: int = 20
    epochs: int = 5
    learning_rate: float = 0.01
    balance: float = 0.5
    starts: int = 4


USUAL = Plan()


class Learned(NamedTuple):
    """The mixture, and its mean loss of all experts by their responsibilities after each round (rounds,)."""

    mixture: Mixture
    losses: FloatArray


def fit_mixture(
    experts: Sequence[Tree],
    X: Inputs,
    y: ArrayLike,
    *,
    plan: Plan = USUAL,
    gate: Tree | None = None,
    weight: ArrayLike | None = None,
    loss: str = "auto",
    seed: int = 0,
) -> Learned:
    """Train ``experts``, trees of one task that may begin equal, and a gate on raw inputs (rows, features).

    The first responsibilities are by clusters of the scaled inputs, those of further starts by random directions.
    ``gate``: see ``Mixture``; by default one that reads all inputs linearly. ``loss``: as of ``lesson_of``.
    ``ValueError`` as ``check_mixture`` and ``lesson_of``, or if the training of all starts diverged.
    """
    check_mixture(plan, len(experts), len(np.asarray(y)))
    mixture = Mixture(gate or linear_gate(experts[0], len(experts), seed), tuple(experts))
    lesson = lesson_of(experts[0], all_features(experts[0], X), y, weight, loss)
    found = [_from_start(mixture, lesson, plan, (seed, number)) for number in range(plan.starts)]
    learned = [each for each in found if each is not None]
    if not learned:
        raise ValueError(
            f"the training of all {plan.starts} starts diverged with learning_rate={plan.learning_rate!r}; give a "
            "smaller one"
        )
    return min(learned, key=lambda each: _routed_loss(each.mixture, lesson))


def check_mixture(plan: Plan, experts: int, rows: int) -> None:
    """``ValueError`` for a plan that cannot be, fewer than two experts, or more of them than rows."""
    for name in ("rounds", "epochs", "starts"):
        check_whole(name, getattr(plan, name))
    check_above_zero("learning_rate", plan.learning_rate)
    if not is_finite(plan.balance) or plan.balance < 0:
        raise ValueError(f"balance={plan.balance!r}; it must be a number of 0 or more")
    if not is_whole(experts, 2):
        raise ValueError(f"experts={experts!r}; a mixture needs a whole number of 2 or more")
    if experts > rows:
        raise ValueError(f"{experts} experts for {rows} different rows; give more rows, or fewer experts")


@np.errstate(all="ignore")  # a training that diverges is left out
def _from_start(mixture: Mixture, lesson: Lesson, plan: Plan, seed: tuple[int, int]) -> Learned | None:
    """None if the training diverged."""
    experts = mixture.experts
    first = by_direction if seed[1] else by_cluster
    r = first_responsibilities(first(lesson.inputs, len(experts), seed), len(experts))
    trees = [mixture.gate.nodes, *(tree.nodes for tree in experts)]
    moments: list[list[NDArray]] = [[] for _ in trees]
    share = SCHEDULES["cosine"].share(np.arange(plan.rounds * plan.epochs) / (plan.rounds * plan.epochs))
    rates = (plan.learning_rate * share).reshape(plan.rounds, plan.epochs)
    rng, losses = np.random.default_rng(seed), []
    for number in range(plan.rounds):
        lessons = [_of_gate(lesson, r), *(_of_expert(lesson, part) for part in r.T)]
        for i, each in enumerate(lessons):
            trees[i], moments[i] = _trained(trees[i], each, rates[number].tolist(), rng, moments[i])
        by_expert = _row_losses(lesson, trees[1:])
        r = responsibilities(_gate_logits(trees[0], lesson), _scaled(by_expert, r, lesson), plan.balance)
        losses.append(float(np.average((r * by_expert).sum(axis=1), weights=lesson.weight)))
    if not all(np.isfinite(nodes[name]).all() for nodes in trees for name in ("weight", "bias")):
        return None
    pairs = zip(experts, trees[1:], strict=True)
    found = [replace(tree, nodes=nodes, int8_loss=None, band=None) for tree, nodes in pairs]
    return Learned(Mixture(replace(mixture.gate, nodes=trees[0]), tuple(found)), np.array(losses))


def _routed_loss(mixture: Mixture, lesson: Lesson) -> float:
    """The mean loss of the experts that answer; infinite if a training diverged."""
    by_expert = _row_losses(lesson, [tree.nodes for tree in mixture.experts])
    routes = _gate_logits(mixture.gate.nodes, lesson).argmax(axis=1)
    mean = float(np.average(by_expert[np.arange(len(routes)), routes], weights=lesson.weight))
    return mean if np.isfinite(mean) else np.inf


def linear_gate(tree: Tree, experts: int, seed: int) -> Tree:
    """An untrained gate that reads all inputs of a tree, scaled as that tree scales them."""
    width, outputs = len(tree.features), experts if experts > 2 else 1
    space = Space(width, outputs, max_nodes=outputs * (1 + width), max_depth=1, max_arity=width, min_arity=width)
    nodes = wide_tree(np.random.default_rng([seed, 1]), space)
    nodes["weight"] = nodes["bias"] = 0.0
    kind = "multiclass" if outputs > 1 else "binary"
    return Tree(
        nodes, kind, tree.features, tuple(range(experts)), tree.scaler, None, tree.input_range, tree.input_middle
    )


def by_cluster(inputs: FloatArray, experts: int, seed: tuple[int, int]) -> NDArray[np.integer]:
    """(rows,) an expert for each row: its cluster."""
    found: NDArray[np.integer] = KMeans(experts, n_init=4, random_state=seed[0]).fit_predict(inputs)
    return found


def by_direction(inputs: FloatArray, experts: int, seed: tuple[int, int]) -> NDArray[np.integer]:
    """(rows,) an expert for each row, by its place along a random direction; all have as many rows."""
    along = inputs @ np.random.default_rng(seed).standard_normal(inputs.shape[1])
    return np.argsort(np.argsort(along)) * experts // len(along)


def first_responsibilities(own: NDArray[np.integer], experts: int) -> FloatArray:
    """(rows, experts) most for each row's own expert."""
    return np.where(np.eye(experts, dtype=bool)[own], FIRST, (1 - FIRST) / (experts - 1))


def responsibilities(gate: FloatArray, losses: FloatArray, balance: float = 0.0) -> FloatArray:
    """(rows, experts) of the gate's outputs and each expert's loss, both (rows, experts); each row adds up to 1."""
    plain = log_softmax(gate, axis=1) - losses
    if not balance:
        return softmax(plain, axis=1)
    share = np.maximum(softmax(plain, axis=1).mean(axis=0), LEAST_SHARE)
    return softmax(plain - balance * np.log(share), axis=1)


def _scaled(losses: FloatArray, r: FloatArray, lesson: Lesson) -> FloatArray:
    """Losses as minus logarithms of likelihoods."""
    if lesson.loss != "squared":
        return losses
    mean = np.average((r * losses).sum(axis=1), weights=lesson.weight)  # half the variance, summed over targets
    return losses / max(2 * mean / lesson.targets.shape[1], LEAST_VARIANCE)


def _outputs(nodes: Nodes, lesson: Lesson) -> FloatArray:
    return forward(nodes, lesson.inputs)[1][nodes["depth"] == 0].T


def _row_losses(lesson: Lesson, experts: Sequence[Nodes]) -> FloatArray:
    """(rows, experts)."""
    name, level = loss_and_level(lesson.loss)
    each = [LOSSES[name].value(_outputs(nodes, lesson).T, lesson.targets.T, level) for nodes in experts]
    return np.column_stack(each)


def _gate_logits(nodes: Nodes, lesson: Lesson) -> FloatArray:
    """(rows, experts); with two experts the only output is that of the second, and the first has 0."""
    outputs = _outputs(nodes, lesson)
    return np.hstack([np.zeros_like(outputs), outputs]) if outputs.shape[1] == 1 else outputs


def _of_gate(lesson: Lesson, r: FloatArray) -> Lesson:
    two = r.shape[1] == 2
    return replace(lesson, targets=r[:, 1:] if two else r, loss="logistic" if two else "softmax")


def _of_expert(lesson: Lesson, r: FloatArray) -> Lesson:
    return replace(lesson, weight=lesson.weight * np.maximum(r, LEAST_SHARE))


def _trained(
    nodes: Nodes, lesson: Lesson, rates: list[float], rng: np.random.Generator, moments: list[NDArray]
) -> tuple[Nodes, list[NDArray]]:
    settings = Settings(lesson.loss, "adamw", batch_size=BATCH, precision="float64")
    found = train_epochs(
        nodes,
        settings,
        inputs=lesson.inputs,
        targets=lesson.targets,
        weight=lesson.weight,
        rates=rates,
        rng=rng,
        moments=moments,
    )
    return found.nodes, found.moments
