"""The plain formulation of a forest: gather the sources of every node of a level, multiply and add, differentiate.

Level by level, ``source`` (nodes, K) indexes [inputs | nodes of the level below], where K is the widest arity.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.jax_loop import compile_loop, threaded
from benchmarks.peers.workload import Contender, Workload
from neuraltree.activations import ACTIVATIONS
from neuraltree.tree.nodes import IntArray, join, parents


class Level(NamedTuple):
    """The structure of one level; ``mask`` is 0 where ``source`` is padding."""

    source: IntArray  # (nodes, K)
    mask: NDArray[np.float32]  # (nodes, K)
    kind: IntArray  # (nodes,)


class Weights(NamedTuple):
    weight: NDArray[np.float32]  # (nodes, K)
    bias: NDArray[np.float32]  # (nodes,)


def levels(work: Workload, trees: slice) -> tuple[list[Level], list[Weights]]:
    """Levels exactly as wide as these trees need, the outputs first."""
    nodes, _ = join(work.trees[trees])
    depth, op, parent = nodes["depth"], nodes["op"], parents(nodes["depth"])
    place = np.zeros(len(nodes), dtype=np.int64)
    structures, params = [], []
    for d in range(depth.max()):
        function, children = np.flatnonzero((op < 0) & (depth == d)), np.flatnonzero(depth == d + 1)
        if not len(function):
            break
        place[function] = np.arange(len(function))
        below = children[op[children] < 0]
        place[below] = np.arange(len(below))
        row = place[parent[children]]
        slot = np.arange(len(row)) - np.searchsorted(row, row)  # prefix order keeps siblings' rows together
        shape = (len(function), int(slot.max()) + 1)
        source, mask, weight = np.zeros(shape, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        source[row, slot] = np.where(op[children] < 0, work.space.n_features + place[children], op[children])
        mask[row, slot] = 1
        weight[row, slot] = nodes["weight"][children, 0]
        structures.append(Level(source, mask, ~op[function]))
        params.append(Weights(weight, nodes["bias"][function, 0].astype(np.float32)))
    return structures, params


def gather(work: Workload, threads: int) -> Contender:
    """The trees in one forest per thread."""

    def network(structure: list[Level], params: list[Weights], inputs: jax.Array) -> jax.Array:
        values = jnp.zeros((0, len(inputs)), inputs.dtype)
        for d in range(len(structure) - 1, -1, -1):
            level, own = structure[d], params[d]
            sources = jnp.concatenate([inputs.T, values])[level.source]
            total = jnp.einsum("nk,nkb->nb", own.weight * level.mask, sources) + own.bias[:, None]
            kinds = work.space.codes if d else (work.space.output_code,)
            chosen = [level.kind[:, None] == code for code in kinds]
            values = jnp.select(chosen, [ACTIVATIONS[code].value(total, jnp) for code in kinds])
        return values

    cuts = np.linspace(0, len(work.trees), threads + 1).astype(int)
    parts = [levels(work, slice(start, stop)) for start, stop in itertools.pairwise(cuts)]
    return threaded([compile_loop(network, work, *part, 32) for part in parts], threads, work.weights, work)
