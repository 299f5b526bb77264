"""Default reference points: the scores of a useless model and the costs of the largest tree of the space.

They follow from the config and the training targets alone, never from a population.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuraltree import hardware
from neuraltree.activations import NAMES
from neuraltree.hardware.choice import choose
from neuraltree.hardware.signals.front_costs import FrontCosts
from neuraltree.tasks.metrics import METRICS
from neuraltree.tree.nodes import Nodes, join, node_dtype
from neuraltree.tree.space import Space
from search.engine.evaluate import Problem
from search.objectives import Scale

HEADROOM = 1.1  # keeps the largest tree inside the reference point, not on it


def scale_of(problem: Problem) -> Scale:
    truth, constant = problem.truth, np.zeros((1, problem.task.n_outputs, len(problem.truth.target)))
    worst = 0.0 if truth.group is None else METRICS["worst_group_error"](truth, constant)[0]
    return Scale(
        target_deviation=float(np.sqrt(np.mean(np.square(problem.truth.scale)))),
        max_nodes=problem.space.max_nodes,
        kinds=len(problem.space.codes),
        worst_group_error=max(1.0, float(worst)),
        largest_cost={} if problem.device is None else _largest_costs(problem, problem.device),
    )


def _largest_costs(problem: Problem, device: hardware.Device) -> dict[str, float]:
    """Upper bounds on the costs of any tree, in the codes that the costliest trees would have.

    All nodes are of the costliest sort, every activation is in use, and as many values are held at one time as the
    depth and the number of nodes allow: the Strahler number, which grows with the logarithm of the number of nodes.
    """
    space = problem.space
    counts = hardware.count(*join([_most_leaves(space), *(_most_functions(space, code) for code in space.codes)]))
    used = np.isin(np.arange(len(NAMES)), space.codes)
    alive = min(space.max_depth, space.max_nodes.bit_length() - 1)
    features = min(space.n_features, space.max_nodes - space.n_outputs)
    counts = replace(
        counts,
        kinds=np.maximum(counts.kinds, used),
        peak_live=np.full_like(counts.peak_live, alive),
        features_used=np.full_like(counts.features_used, features),
    )
    of_codes = []
    for rule in [problem.rule_of(name) for name in problem.formats] or [problem.rule]:
        found = [hardware.costs_of_counts(counts, device, *code, kind=problem.task.kind) for code in rule.codes]
        of_codes += [found[i] for i in set(choose(rule, found).tolist())]
    largest = {name: HEADROOM * max(float(costs[name].max()) for costs in of_codes) for name in hardware.COSTS}
    each = [_with_front(front, largest, features) for front in problem.fronts] or [largest]
    return {name: max(costs[name] for costs in each) for name in each[0]}


def _with_front(front: FrontCosts, largest: dict[str, float], features: int) -> dict[str, float]:
    """The costs with those of as many features as a tree can read, evenly taken from all."""
    there = front.features
    taken = np.linspace(0, there - 1, min(features, there)).astype(np.int64).tolist()
    columns = front.with_front({name: np.array([cost]) for name, cost in largest.items()}, [taken])
    return {name: float(values[0]) for name, values in columns.items()}


def _most_functions(space: Space, code: int) -> Nodes:
    """A tree with one leaf per output, whose other nodes are a chain of hidden nodes with one activation."""
    hidden = space.max_nodes - 2 * space.n_outputs
    depth = [0, 1] * (space.n_outputs - 1) + list(range(hidden + 2))
    op = [~space.output_code, 0] * (space.n_outputs - 1) + [~space.output_code] + [~code] * hidden + [0]
    return _record(depth, op)


def _most_leaves(space: Space) -> Nodes:
    outputs, leaves = space.n_outputs, space.max_nodes - space.n_outputs
    return _record(
        [0, 1] * outputs + [1] * (leaves - outputs), [~space.output_code, 0] * outputs + [0] * (leaves - outputs)
    )


def _record(depth: list[int], op: list[int]) -> Nodes:
    nodes = np.zeros(len(depth), dtype=node_dtype())
    nodes["depth"], nodes["op"] = depth, op
    return nodes
