"""Networks of ordinary layers, with branches: the counts of each layer and of the whole, and the peak of memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from neuraltree.hardware.model.layers import Layer, Shape


@dataclass(frozen=True)
class Branches:
    """Paths of layers from one input, computed in their order, whose results are joined; an empty path is the input.

    ``join``: "add" the results, in place; "concat" their channels, each written to its place; or "scale" the first, in
    place, by the second, which has a number for each channel.
    """

    paths: tuple[tuple[Layer | Branches, ...], ...]
    join: str


class Row(NamedTuple):
    """Counts of one layer, whose input is (channels, height, width); of a join that computes, ``layer`` is None.
    ``in_out``: the activations that are live while it runs: its input and output, and what other branches have left or
    still need."""

    layer: Layer | None
    input: Shape
    output: Shape
    parameters: int
    activations: int
    in_out: int
    macs: int


@dataclass(frozen=True)
class Network:
    input_shape: Shape
    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        return sum(row.parameters for row in self.rows)

    @property
    def macs(self) -> int:
        return sum(row.macs for row in self.rows)

    @property
    def flops(self) -> int:
        return 2 * self.macs

    @property
    def total_activations(self) -> int:
        """The activations of all layers and the values of the input."""
        return prod(self.input_shape) + sum(row.activations for row in self.rows)

    @property
    def peak_activations(self) -> int:
        return max(row.in_out for row in self.rows)

    def size_bytes(self, bits: int) -> float:
        """The size of the parameters."""
        return self.parameters * bits / 8


def network(layers: Sequence[Layer | Branches], input_shape: Shape) -> Network:
    """The counts of a sequence of layers; ``ValueError`` names the layer that does not fit.

    The layers of branches have a row each. A join that computes has one too, an addition in place has none.
    """
    return Network(input_shape, tuple(_rows(layers, input_shape, 0)[0]))


def _rows(
    layers: Sequence[Layer | Branches], shape: Shape, elsewhere: int, *, held: bool = False
) -> tuple[list[Row], Shape]:
    """The rows of a path and the shape of its output.

    ``elsewhere``: live activations besides those of the path. ``held``: the input of the path is live to its end.
    """
    rows: list[Row] = []
    kept = held * prod(shape)
    for i, layer in enumerate(layers):
        others = elsewhere + kept * (i > 0)  # the first layer reads the input, which is among its own activations
        try:
            if isinstance(layer, Branches):
                found, shape = _branch_rows(layer, shape, others, held=held and i == 0)
            else:
                found, shape = _row(layer, shape, others)
        except ValueError as error:
            raise ValueError(f"layer {i} ({type(layer).__name__}): {error}") from None
        rows += found
    return rows, shape


def _row(layer: Layer, shape: Shape, elsewhere: int) -> tuple[list[Row], Shape]:
    after = layer.output(shape)
    inside, outside = prod(shape), prod(after)
    live = elsewhere + inside + outside
    return [Row(layer, shape, after, layer.parameters(shape), outside, live, layer.macs(shape))], after


def _branch_rows(block: Branches, shape: Shape, elsewhere: int, *, held: bool) -> tuple[list[Row], Shape]:
    """The input of the block is live until the last path has read it, and to the end if it is a result itself."""
    rows: list[Row] = []
    shapes: list[Shape] = []
    done = 0  # activations of the results so far, without the input
    for i, path in enumerate(block.paths):
        needed = held or not all(block.paths) or any(block.paths[i + 1 :])
        found, after = _rows(path, shape, elsewhere + done, held=needed)
        rows += found
        shapes.append(after)
        done += prod(after) * bool(path)
    joined, macs = JOINS[block.join](shapes)
    if macs:
        rows.append(Row(None, joined, joined, 0, 0, elsewhere + sum(map(prod, shapes)), macs))
    return rows, joined


def _added(shapes: Sequence[Shape]) -> tuple[Shape, int]:
    if len(set(shapes)) > 1:
        raise ValueError(f"only results of one shape are added, got {' and '.join(map(str, shapes))}")
    return shapes[0], 0


def _concatenated(shapes: Sequence[Shape]) -> tuple[Shape, int]:
    if len({shape[1:] for shape in shapes}) > 1:
        raise ValueError(f"only results of one height and width are joined, got {' and '.join(map(str, shapes))}")
    return (sum(shape[0] for shape in shapes), *shapes[0][1:]), 0


def _scaled(shapes: Sequence[Shape]) -> tuple[Shape, int]:
    if len(shapes) != 2 or shapes[1] != shapes[0][:1]:
        raise ValueError(f"a result is scaled by a number for each channel, got {' and '.join(map(str, shapes))}")
    return shapes[0], prod(shapes[0])


# From the shapes of the results, that of their join, and its MACs.
JOINS: dict[str, Callable[[Sequence[Shape]], tuple[Shape, int]]] = {
    "add": _added,
    "concat": _concatenated,
    "scale": _scaled,
}
