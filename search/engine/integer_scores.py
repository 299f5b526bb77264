"""The outputs of trees as 8-bit integers: what a search for int8 models scores and judges.

The generations share one range for each input. A judgement fits the ranges to each tree, as the end of a run does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import FloatArray
from neuraltree.compress.byte_inputs import ByteStage
from neuraltree.compress.exits.integer_forest import IntegerForest
from neuraltree.compress.exits.output_terms import read_costs
from neuraltree.compress.formats import RAW
from neuraltree.compress.int8.clipping import fit_ranges
from neuraltree.compress.int8.integer_tree import IntegerTree, input_range, integer_threshold
from neuraltree.compress.int8.integers import Integers, quantize, rescaling
from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.compress.int8.stages import InputStage, IntegerStage, MixedStage, OutputStage, score_gain
from neuraltree.compress.kernel_sums import output_sums
from neuraltree.compress.weights.weight_formats import code_snaps
from neuraltree.engine.forest import Indices
from neuraltree.engine.training import NEVER
from neuraltree.tree.folding import fold_inputs
from neuraltree.tree.nodes import IntArray, Nodes, join, one_set
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

if TYPE_CHECKING:
    from search.engine.evaluate import Problem


class Ranges(NamedTuple):
    """The standardised inputs that 8 bits represent: ``middle`` ± ``reach``, each (features,)."""

    reach: FloatArray
    middle: FloatArray


def integer_outputs(
    problem: Problem,
    trees: Sequence[Nodes],
    ranges: Sequence[Ranges] = (),
    stop: Indices = NEVER,
    weights: str = "int8",
) -> FloatArray:
    """(trees, outputs, rows) the outputs with each fold's weights on its validation rows, fold after fold.

    ``ranges``: those of each tree; by default those of the problem for all. ``weights``: their format. Weights that
    are not finite count as 0.
    """
    if not ranges:
        shared = Ranges(problem.input_range, np.zeros(problem.space.n_features))
        return _outputs(problem, trees, shared, stop, weights)
    found = [_outputs(problem, [tree], own, stop, weights) for tree, own in zip(trees, ranges, strict=True)]
    return np.concatenate(found)


def _outputs(problem: Problem, trees: Sequence[Nodes], ranges: Ranges, stop: Indices, weights: str) -> FloatArray:
    nodes, _ = join(list(trees))
    with np.errstate(all="ignore"):  # a weight of a tree that diverged
        by_fold = [_centred(nodes, k, ranges.middle) for k in range(len(problem.folds))]
        # Of all folds at once: it costs little more than one.
        numbers = quantize(np.concatenate(by_fold), ranges.reach, snaps=code_snaps(weights))
    count, inputs = len(nodes), problem.data.inputs
    found = []
    for k, (_, held) in enumerate(problem.folds):
        own = Integers._make(part[k * count : (k + 1) * count] for part in numbers)
        found.append(output_sums(by_fold[k], own, _codes(inputs[held], ranges), stop))
    output = ACTIVATIONS[~int(nodes["op"][0])]
    return np.asarray(output.value(np.concatenate(found, axis=1).reshape(len(trees), problem.task.n_outputs, -1)))


def _centred(nodes: Nodes, fold: int, middle: FloatArray) -> Nodes:
    """The nodes with the weights of one fold, as a function of inputs from which ``middle`` was subtracted."""
    weight, bias = (np.nan_to_num(nodes[name][:, fold], posinf=0, neginf=0) for name in ("weight", "bias"))
    single = one_set(nodes, weight, bias)
    return fold_inputs(single, Scaler(-middle, np.ones(len(middle)))) if middle.any() else single


def _codes(inputs: NDArray, ranges: Ranges) -> NDArray[np.int8]:
    """(features, rows) of standardised rows (rows, features)."""
    width = inputs.shape[1]
    stage = InputStage.make(np.arange(width), ranges.middle, np.ones(width), ranges.reach)
    return np.ascontiguousarray(stage(inputs).T)


def of_fold(
    problem: Problem, trees: Sequence[Nodes], fold: int = 0, ranges: Ranges | None = None, threshold: float = 0.5
) -> list[IntegerTree]:
    """Trees of classes with the weights of a fold in integers; their inputs are standardised. Quantised together, as
    that takes most of the time for one. ``ranges``: of the inputs, by default those of the problem; ``threshold``: of
    the second of two classes."""
    forest, source = forest_of_fold(problem, trees, fold, ranges), _as_tree(problem, trees[0])
    source = replace(source, input_range=forest.reach, threshold=threshold)
    source = replace(source, input_middle=forest.middle) if forest.middle.any() else source
    found = []
    for i in range(len(trees)):
        nodes, _, kept, *_ = forest.part(i, i + 1)
        used, top = np.unique(nodes["op"][nodes["op"] >= 0]).astype(np.int64), nodes["depth"] == 0
        outputs = OutputStage.make(kept.unit[top], kept.reach[top], 1, 0.0, 1.0)  # scores do not depend on the largest
        found.append(IntegerTree(source, nodes, kept, False, "int8", _stage(problem, used), outputs))
    return found


def forest_of_fold(
    problem: Problem, trees: Sequence[Nodes], fold: int = 0, ranges: Ranges | None = None, threshold: float = 0.5
) -> IntegerForest:
    """The trees of ``of_fold``, laid end to end; a ``threshold`` is that of a single one."""
    nodes, starts = join(list(trees))
    reach, middle = ranges or Ranges(problem.input_range, np.zeros(problem.space.n_features))
    with np.errstate(all="ignore"):
        nodes = _centred(nodes, fold, middle)
        numbers = quantize(nodes, reach)
    kept = np.concatenate([[0], np.cumsum(numbers.keep)])
    nodes, numbers = nodes[numbers.keep], Integers._make(part[numbers.keep] for part in numbers)
    top = nodes["depth"] == 0
    unit, largest = (part[top].reshape(len(trees), -1) for part in (numbers.unit, numbers.reach))
    scores = rescaling(unit * score_gain(largest))
    cost = read_costs(_stage(problem, np.arange(len(reach))))
    stage = OutputStage.make(unit[0], largest[0], 1, 0.0, 1.0)
    return IntegerForest(
        nodes, kept[starts], numbers, *scores, reach, middle, cost, integer_threshold(threshold, stage)
    )


def _stage(problem: Problem, used: IntArray) -> InputStage | MixedStage | ByteStage:
    """The stage of the inputs ``used``, by the types of the code's inputs."""
    if problem.inputs.kinds is not None and (problem.inputs.kinds == RAW).any():
        return ByteStage(used)
    nothing, reach = np.zeros(len(used)), problem.input_range[used]
    is_integer = np.zeros(len(used), bool) if problem.inputs.kinds is None else problem.inputs.kinds[used] >= 0
    floats, integers = used[~is_integer], used[is_integer]
    stage = InputStage.make(floats, nothing[~is_integer], nothing[~is_integer] + 1, reach[~is_integer])
    if not len(integers):
        return stage
    ends = np.full(len(integers), -UNIT), np.full(len(integers), UNIT)
    return MixedStage(used, stage, IntegerStage.make(integers, ends, nothing[is_integer], np.full(len(integers), UNIT)))


def row_codes(problem: Problem, rows: IntArray, ranges: Ranges | None = None) -> NDArray[np.int8]:
    """(features, rows) of training rows, with the ranges of the problem by default."""
    return _codes(problem.data.inputs[rows], ranges or Ranges(problem.input_range, np.zeros(problem.space.n_features)))


def fitted_ranges(problem: Problem, trees: Sequence[Nodes]) -> list[Ranges]:
    """The ranges that change the outputs of each tree least, for the weights and the fitted rows of fold 0."""
    fit = problem.folds[0][0]
    found = []
    for nodes in trees:
        tree = fit_ranges(_as_tree(problem, nodes), problem.data.inputs[fit], problem.data.weight[fit])
        middle = np.zeros(len(tree.features)) if tree.input_middle is None else tree.input_middle
        found.append(Ranges(input_range(tree), middle))
    return found


def _as_tree(problem: Problem, nodes: Nodes) -> Tree:
    """The tree of fold 0, for standardised inputs."""
    kind, outputs = problem.task.kind, problem.task.n_outputs
    classes = None if kind == "regression" else tuple(range(max(2, outputs)))
    names = tuple(f"x{i}" for i in range(problem.space.n_features))
    single = _centred(nodes, 0, np.zeros(len(names)))
    return Tree(single, kind, names, classes, input_range=problem.input_range)
