"""Operations of a convolution computed directly, by Winograd's algorithm, and by fast Fourier transforms.

Counts only, to compare with: a tree has no convolution. Transforms of the weights are left out, because they can be
made once. Both algorithms lose exactness in low precision.
"""

from __future__ import annotations

from math import ceil, log2, prod
from typing import NamedTuple

from neuraltree.hardware.model.layer_network import Network, Row
from neuraltree.hardware.model.layers import Convolution, Shape

# By the side m of the outputs of a tile: FLOP of the transform of one line of data, and of one line of results.
# Lavin and Gray 2016, Fast Algorithms for Convolutional Neural Networks, sections 4.1 and 4.2.
WINOGRAD = {2: (4, 4), 4: (13, 10)}
KERNEL = 3


class Operations(NamedTuple):
    """``products``: multiplications of a number of data by one of weights; ``transform_flop``: all other operations."""

    products: int
    transform_flop: float = 0.0

    @property
    def flop(self) -> float:
        """A product and its addition are two."""
        return 2 * self.products + self.transform_flop


def direct(layer: Convolution, shape: Shape) -> Operations:
    """The operations for an input of ``shape`` (channels, height, width)."""
    return Operations(layer.macs(shape))


def winograd(layer: Convolution, shape: Shape, tile: int) -> Operations:
    """The same by F(m x m, 3 x 3) with ``tile`` m: (m + 2)² products for m² results, c_in c_out times.

    Raises ``ValueError`` for a stride, groups, a kernel that is not 3 x 3, or a tile that is not in ``WINOGRAD``.
    """
    if tile not in WINOGRAD:
        raise ValueError(f"there is no tile {tile!r}; there are {', '.join(map(str, WINOGRAD))}")
    if not _is_plain(layer):
        raise ValueError(f"it needs a kernel of 3, a stride of 1 and one group, got {layer}")
    channels, *sides = layer.output(shape)
    tiles = prod(ceil(side / tile) for side in sides)
    side = tile + KERNEL - 1
    data, results = WINOGRAD[tile]
    # A transform works on all lines of a tile, then on all columns of what that gives.
    transforms = shape[0] * data * 2 * side + channels * results * (side + tile)
    return Operations(shape[0] * channels * tiles * side**2, tiles * transforms)


def fast_products(net: Network, tile: int = 4) -> int:
    """The products of a network whose convolutions use Winograd's algorithm wherever it applies."""
    return sum(_products(row, tile) for row in net.rows)


def _products(row: Row, tile: int) -> int:
    if isinstance(row.layer, Convolution) and _is_plain(row.layer):
        return winograd(row.layer, row.input, tile).products
    return row.macs


def _is_plain(layer: Convolution) -> bool:
    return (layer.kernel, layer.stride, layer.groups) == (KERNEL, 1, 1)


def fourier(layer: Convolution, shape: Shape) -> Operations:
    """The same by one transform of each channel, padded to P = side + kernel - 1: 5 P² log2 P² FLOP each.

    The products of two spectra are complex, of 4 multiplications and as many additions; half of them follow from
    symmetry, as the data are real. Raises ``ValueError`` for a stride or groups.
    """
    if (layer.stride, layer.groups) != (1, 1):
        raise ValueError(f"it needs a stride of 1 and one group, got {layer}")
    channels = layer.output(shape)[0]
    points = prod(side + layer.kernel - 1 for side in shape[1:])
    transforms = 5 * points * log2(points) * (shape[0] + channels)
    return Operations(4 * points * shape[0] * channels // 2, transforms)
