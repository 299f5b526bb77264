"""Exact counts of ordinary layers, by the rules of the sources: parameters without biases, activations, and MACs.

Shapes are (channels, height, width) or (features,); batch size 1. A multiply-accumulate is two FLOP; pooling has no
parameters and no MACs. Normalisation is folded into convolutions, and activations are computed in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Protocol

Shape = tuple[int, ...]


class Layer(Protocol):
    def output(self, shape: Shape) -> Shape:
        """The output's shape for an input of ``shape``; ``ValueError`` if the layer does not take this shape."""

    def parameters(self, shape: Shape) -> int: ...

    def macs(self, shape: Shape) -> int: ...


@dataclass(frozen=True)
class Linear:
    """A dense layer; it flattens its input."""

    outputs: int

    def output(self, shape: Shape) -> Shape:
        return (self.outputs,)

    def parameters(self, shape: Shape) -> int:
        return self.outputs * prod(shape)

    def macs(self, shape: Shape) -> int:
        return self.parameters(shape)


@dataclass(frozen=True)
class Convolution:
    """``channels``: of the output; ``kernel``: side of a square; ``groups`` of channels are convolved separately."""

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1

    def output(self, shape: Shape) -> Shape:
        if shape[0] % self.groups or self.channels % self.groups:
            raise ValueError(
                f"{self.groups} groups must divide both the {shape[0]} channels in and the {self.channels} out"
            )
        return (self.channels, *_slide(self.kernel, self.stride, self.padding, shape))

    def parameters(self, shape: Shape) -> int:
        return self.channels * (shape[0] // self.groups) * self.kernel**2

    def macs(self, shape: Shape) -> int:
        return self.parameters(shape) * prod(self.output(shape)[1:])


@dataclass(frozen=True)
class Depthwise:
    """A convolution with a separate kernel for each channel."""

    kernel: int
    stride: int = 1
    padding: int = 0

    def output(self, shape: Shape) -> Shape:
        return self._grouped(shape).output(shape)

    def parameters(self, shape: Shape) -> int:
        return self._grouped(shape).parameters(shape)

    def macs(self, shape: Shape) -> int:
        return self._grouped(shape).macs(shape)

    def _grouped(self, shape: Shape) -> Convolution:
        return Convolution(shape[0], self.kernel, self.stride, self.padding, groups=shape[0])


@dataclass(frozen=True)
class Pooling:
    """``ceil``: a window that reaches beyond the padding counts too."""

    kernel: int
    stride: int = 1
    padding: int = 0
    ceil: bool = False

    def output(self, shape: Shape) -> Shape:
        return (shape[0], *_slide(self.kernel, self.stride, self.padding, shape, ceil=self.ceil))

    def parameters(self, shape: Shape) -> int:
        return 0

    def macs(self, shape: Shape) -> int:
        return 0


@dataclass(frozen=True)
class GlobalPooling:
    """The mean over height and width."""

    def output(self, shape: Shape) -> Shape:
        return shape[:1]

    def parameters(self, shape: Shape) -> int:
        return 0

    def macs(self, shape: Shape) -> int:
        return 0


def macs_left(macs: float, sparsity: float) -> float:
    """Multiply-accumulates if the share ``sparsity`` of the weights is zero and zeros are really skipped."""
    return macs * (1 - sparsity)


def _slide(kernel: int, stride: int, padding: int, shape: Shape, *, ceil: bool = False) -> Shape:
    """Height and width of the result of sliding a window over (channels, height, width)."""
    if len(shape) != 3:
        raise ValueError(f"it needs (channels, height, width), got {shape}")
    more = stride - 1 if ceil else 0
    sides = tuple((side + 2 * padding - kernel + more) // stride + 1 for side in shape[1:])
    if min(sides) < 1:
        raise ValueError(f"a kernel of {kernel} does not fit into {shape[1]} x {shape[2]} with padding {padding}")
    return sides
