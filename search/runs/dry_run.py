"""``--dry-run``: the size of the search space and the approximate cost of a run, as comments above the config."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from neuraltree.engine.lowering import engine_name
from neuraltree.tree.nodes import count_weights
from neuraltree.tree.space import Space
from search.config.config import Config, to_toml
from search.table.data import Table
from search.table.splits import told

# Measured on two shared x86-64 cores; a rough guess for other machines, and reported as such.
WEIGHT_SAMPLES_PER_S = 1e9
LEAST_GENERATION_S = 0.05
FRONT_SHARE = 0.3  # the trees of a population that are judged and trained on all rows at the end
COUNTED_NODES = 100  # counting takes quadratic time: seconds at twice this


def describe(config: Config, table: Table) -> str:
    """A plan of the run as comments above its config. Input that a run would refuse is refused here too."""
    from search.engine.problem import set_up
    from search.engine.row_samples import rows_trained
    from search.judge.notices import at_start
    from search.runs.ending import finish_s, length_of, validated_rows
    from search.teachers.named_teachers import lesson_rows, told_teachers

    setup = set_up(config, table)
    space, search = setup.problem.space, config.search
    rng = np.random.default_rng(0)
    weights = float(np.mean([count_weights(setup.strategy.new_tree(rng)) for _ in range(100)]))
    generations = search.generations + 1
    teachers = config.train.teachers
    rows = generations * lesson_rows(setup) if teachers else rows_trained(setup.problem, generations)
    passes = rows * config.train.epochs + generations * validated_rows(setup)
    front = np.full(max(1, int(FRONT_SHARE * search.population)), weights)
    length = max(LEAST_GENERATION_S * generations, search.population * weights * passes / WEIGHT_SAMPLES_PER_S)
    length += finish_s(setup, table.stream, front, search.population * generations, WEIGHT_SAMPLES_PER_S)
    trees = f"{search.population * generations:,} trees"
    took = f"about {length:.0f} s on two cores without baselines, a rough guess"
    if search.time:
        trees, took = f"{search.population:,} trees a generation", length_of(search)
    counted = dataclasses.replace(space, max_nodes=min(space.max_nodes, COUNTED_NODES))
    about = "about" if counted == space else "far more than"
    point = ", ".join(
        f"{name} {value:g}" for name, value in zip(setup.strategy.objectives, setup.strategy.reference, strict=True)
    )
    rows_of = table.counted(setup.train_rows, setup.test_rows)
    facts = [
        f"data: {sum(rows_of.values())} rows, {rows_of['test']} of them for the test; {table.X.shape[1]} features; "
        f"{table.kind}",
        f"split: {told(table, config.data, setup.train_rows, setup.test_rows)}",
        f"search space: {about} 10^{log10_structures(counted):.0f} structures of up to {space.max_nodes} nodes",
        f"evaluations: {trees} x {len(setup.problem.folds)} folds",
        f"reference point: {point}",
        f"engine: {engine_name()}",
        f"baselines: {', '.join(config.baselines.models) or 'none'}",
        f"teachers: {told_teachers(setup, table, config.train)}",
        f"time: {took}",
        *at_start(table, setup),
    ]
    return "\n".join([*map(_comment, facts), "", to_toml(config)])


def _comment(text: str) -> str:
    """A TOML comment of one line. Names of classes may hold control characters, which TOML forbids in comments."""
    return "# " + "".join(letter if letter.isprintable() else " " for letter in text)


def log10_structures(space: Space) -> float:
    """Decimal logarithm of the number of legal node records; siblings in another order make another record."""
    size = space.max_nodes + 1
    leaf = np.zeros(size, dtype=object)
    leaf[1] = space.n_features
    subtrees = leaf
    for _ in range(space.max_depth - 1):
        subtrees = leaf + len(space.codes) * _function_nodes(subtrees, space, size)
    outputs = one = _function_nodes(subtrees, space, size)
    for _ in range(space.n_outputs - 1):
        outputs = np.convolve(outputs, one)[:size]
    total = int(outputs.sum())
    return math.log10(total) if total else 0.0


def _function_nodes(children: np.ndarray, space: Space, size: int) -> np.ndarray:
    """(size,) by number of nodes: the ways to give one node ``min_arity`` to ``max_arity`` ordered children."""
    # A geometric series of convolutions, (c^fewest - c^(most + 1)) / (1 - c), whose time does not grow with arity.
    sequences = _power(children, max(1, space.min_arity)) - _power(children, space.max_arity + 1)
    for nodes in range(2, size):
        sequences[nodes] += sequences[1:nodes] @ children[nodes - 1 : 0 : -1]
    ways = np.zeros(size, dtype=object)
    ways[1:] = sequences[:-1]
    return ways


def _power(counts: np.ndarray, times: int) -> np.ndarray:
    """The convolution of ``times`` copies of ``counts``, cut to its length, by repeated squaring."""
    if times == 1:
        return counts
    half = _power(counts, times // 2)
    whole = np.convolve(half, half)[: len(counts)]
    return np.convolve(whole, counts)[: len(counts)] if times % 2 else whole
