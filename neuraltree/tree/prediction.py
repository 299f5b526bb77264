"""The forward pass of a finished tree, by one loop for single numbers and for arrays of rows.

The loop goes through the nodes in reverse prefix order. There a node comes right after its subtree, so one running sum
per depth is enough: at a node, the sum of the depth below it holds the weighted values of its children and no others.
The node takes that sum and sets it back to 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import Functions as Elementary
from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.scaler import Scaler

Functions = tuple[Callable[[Any], Any], ...]  # by activation code
CHUNK = 8192  # rows computed at a time, few enough for the processor's cache
FEW = 8  # up to this many rows, computing number by number is faster than with arrays


class Program(NamedTuple):
    """A tree as plain numbers.

    ``inputs``: (feature, mean, scale) of each feature in use. ``steps``: (depth, op, weight, bias) of each node, in
    reverse prefix order; ``op`` is that of the node record, except that a leaf's is a position in ``inputs``.
    ``outputs``: (scale, mean) of each output.
    """

    inputs: tuple[tuple[int, float, float], ...]
    steps: tuple[tuple[int, int, float, float], ...]
    outputs: tuple[tuple[float, float], ...]
    depth: int


def compile_nodes(nodes: Nodes, scaler: Scaler | None, target_scaler: Scaler | None, fold: int = 0) -> Program:
    """The program of nodes whose inputs are scaled by ``scaler`` and whose outputs are scaled back."""
    depth, op = nodes["depth"], nodes["op"]
    used = np.unique(op[op >= 0])
    place = np.where(op >= 0, np.searchsorted(used, op), op)
    parts = depth, place, nodes["weight"][:, fold], nodes["bias"][:, fold]
    count = int(np.count_nonzero(depth == 0))
    inputs, outputs = [(0.0, 1.0)] * len(used), [(1.0, -0.0)] * count  # adding -0 changes nothing, not even -0
    if scaler is not None:
        inputs = _pairs(scaler.mean[used], scaler.scale[used])
    if target_scaler is not None:
        outputs = _pairs(target_scaler.scale, target_scaler.mean)
    return Program(
        inputs=tuple((feature, *pair) for feature, pair in zip(used.tolist(), inputs, strict=True)),
        steps=tuple(zip(*(part.tolist()[::-1] for part in parts), strict=True)),
        outputs=tuple(outputs),
        depth=int(depth.max()),
    )


def _pairs(first: FloatArray, second: FloatArray) -> list[tuple[float, float]]:
    return list(zip(first.tolist(), second.tolist(), strict=True))


def run(program: Program, inputs: Sequence[Any], functions: Functions) -> list[Any]:
    """The value of every output node for the scaled inputs in use, which are numbers or arrays of one shape."""
    sums: list[Any] = [0.0] * (program.depth + 2)
    outputs = []
    for depth, op, weight, bias in program.steps:
        if op >= 0:
            value = inputs[op]
        else:
            value = functions[~op](sums[depth + 1] + bias)
            sums[depth + 1] = 0.0
        if depth:
            sums[depth] += weight * value
        else:
            outputs.append(value)
    return [value * scale + mean for value, (scale, mean) in zip(reversed(outputs), program.outputs, strict=True)]


def run_row(program: Program, x: Sequence[Any], functions: Functions) -> list[float]:
    """The outputs for one row of raw inputs."""
    return run(program, [(float(x[feature]) - mean) / scale for feature, mean, scale in program.inputs], functions)


def _alone(exp: Callable[[float], float], tanh: Callable[[float], float], sin: Callable[[float], float]) -> Functions:
    """The activations of single numbers; none overflows, and NaN stays NaN."""
    return tuple(row.alone(Elementary(exp, tanh, sin)) for row in ACTIVATIONS)


ROWS: Functions = tuple(row.value for row in ACTIVATIONS)
PLAIN = _alone(math.exp, math.tanh, math.sin)
# NumPy's functions differ from the C library's in the last bit. A row must get the same bits alone and in an array.
ALONE = _alone(lambda s: float(np.exp(s)), lambda s: float(np.tanh(s)), lambda s: float(np.sin(s)))


def evaluate(nodes: Nodes, X: ArrayLike, fold: int = 0) -> FloatArray:
    """The values of the output nodes, (rows, outputs), for inputs ``X`` (rows, features), in double precision."""
    return _many(compile_nodes(nodes, None, None, fold), np.asarray(X))


def outputs(program: Program, X: NDArray) -> FloatArray:
    """(rows, outputs) for raw inputs (rows, features), numbers of any type."""
    if len(X) <= FEW:
        return np.array([run_row(program, x, ALONE) for x in X]).reshape(len(X), len(program.outputs))
    return _many(program, X)


@np.errstate(all="ignore")  # infinities and NaN are passed on, as in C
def _many(program: Program, X: NDArray) -> FloatArray:
    columns = [(X[:, feature].astype(np.float64) - mean) / scale for feature, mean, scale in program.inputs]
    result = np.empty((len(X), len(program.outputs)))
    for i, values in enumerate(run(program, columns, ROWS)):
        result[:, i] = values
    return result


def in_chunks(answer: Callable[[NDArray], NDArray], X: NDArray) -> NDArray:
    """``answer(X)``, computed a chunk of rows at a time, so that its working memory does not grow with the rows."""
    first = answer(X[:CHUNK])
    if len(X) <= CHUNK:
        return first
    result = np.empty((len(X), *first.shape[1:]), first.dtype)
    result[:CHUNK] = first
    for start in range(CHUNK, len(X), CHUNK):
        result[start : start + CHUNK] = answer(X[start : start + CHUNK])
    return result
