"""The parameters of one fuzzy node, in one row: how many, where they stand, what they may be, and how they are drawn.

A node of n inputs has two sets for each input and 2^n rules. Its row is

    centre (n, 2), width (n, 2), [blur (n, 2)], coefficient (2^n, n + 1), [spread (2^n, n + 1)]

The parts in brackets are those of an interval type-2 node. Set j of input i is around ``centre`` with ``width``; at
type 2 its centre lies anywhere within ``blur`` widths of it. Rule r takes set 1 of input i if bit n - 1 - i of r is
set, else set 0: the rules of two inputs are 00, 01, 10, 11. Its value is a constant and one coefficient per input, at
type 2 each in an interval of half-width ``spread``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray

SETS = 2  # for each input
TYPES = (1, 2)
# The lowest and highest value of each part. Inputs and targets lie in [0, 1]; a set that is narrower than a twentieth
# of this range holds hardly a row.
LIMITS = {
    "centre": (-0.5, 1.5),
    "width": (0.05, 2.0),
    "blur": (0.0, 1.0),
    "coefficient": (-2.0, 2.0),
    "spread": (0.0, 0.5),
}


class Block(NamedTuple):
    """The parts of the rows of nodes with n inputs, as views; ``blur`` and ``spread`` are None at type 1."""

    centre: FloatArray  # (nodes, n, 2)
    width: FloatArray  # (nodes, n, 2)
    blur: FloatArray | None  # (nodes, n, 2)
    coefficient: FloatArray  # (nodes, 2^n, n + 1)
    spread: FloatArray | None  # (nodes, 2^n, n + 1)


def num_params(inputs: int, fuzzy_type: int) -> int:
    """4n + 2^n (n + 1) at type 1, 6n + 2^(n + 1) (n + 1) at type 2."""
    return sum(rows * columns for rows, columns in _shapes(inputs, fuzzy_type).values())


def parts(rows: FloatArray, inputs: int, fuzzy_type: int) -> Block:
    """Views of ``rows`` (nodes, ``num_params``): what is written into them is written into the rows."""
    found, start = {}, 0
    for name, shape in _shapes(inputs, fuzzy_type).items():
        size = shape[0] * shape[1]
        found[name] = rows[:, start : start + size].reshape(len(rows), *shape)
        start += size
    return Block(**{name: found.get(name) for name in Block._fields})  # type: ignore[arg-type]


def limits(inputs: int, fuzzy_type: int) -> tuple[FloatArray, FloatArray]:
    """(``num_params``,) the lowest and the highest value of each parameter."""
    shapes = _shapes(inputs, fuzzy_type)
    sizes = [rows * columns for rows, columns in shapes.values()]
    low, high = zip(*(LIMITS[name] for name in shapes), strict=True)
    return np.repeat(low, sizes), np.repeat(high, sizes)


def drawn(rng: np.random.Generator, inputs: int, fuzzy_type: int) -> FloatArray:
    """(``num_params``,) a new node: a low and a high set of each input, and rules near the mean of the inputs."""
    row = np.zeros((1, num_params(inputs, fuzzy_type)))
    block = parts(row, inputs, fuzzy_type)
    block.centre[:] = rng.normal([0.2, 0.8], 0.1, block.centre.shape)
    block.width[:] = rng.uniform(0.3, 0.7, block.width.shape)
    block.coefficient[:] = rng.normal(0, 0.1, block.coefficient.shape)
    block.coefficient[..., 1:] += 1 / inputs
    if block.blur is not None and block.spread is not None:
        block.blur[:] = rng.uniform(0, 0.3, block.blur.shape)
        block.spread[:] = rng.uniform(0, 0.05, block.spread.shape)
    return row[0]


def _shapes(inputs: int, fuzzy_type: int) -> dict[str, tuple[int, int]]:
    """The parts in their order."""
    sets, rules = (inputs, SETS), (SETS**inputs, inputs + 1)
    if fuzzy_type == 1:
        return {"centre": sets, "width": sets, "coefficient": rules}
    return {"centre": sets, "width": sets, "blur": sets, "coefficient": rules, "spread": rules}
