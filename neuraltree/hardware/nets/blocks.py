"""The blocks that reference networks repeat, from their numbers of channels."""

from __future__ import annotations

from collections.abc import Callable

from neuraltree.hardware.model.layer_network import Branches
from neuraltree.hardware.model.layers import Convolution, Depthwise, GlobalPooling, Layer, Linear

Part = Layer | Branches
Parts = tuple[Part, ...]


def conv(channels: int, kernel: int, stride: int = 1, groups: int = 1) -> Convolution:
    """A convolution that keeps height and width but for its stride."""
    return Convolution(channels, kernel, stride, kernel // 2, groups)


def separable(inputs: int, outputs: int, stride: int) -> Parts:
    """Howard et al. 2017, MobileNets, section 3.1."""
    del inputs
    return (Depthwise(3, stride, 1), conv(outputs, 1))


def inverted(inputs: int, outputs: int, stride: int, expansion: int) -> Parts:
    """Sandler et al. 2018, MobileNetV2, section 3.4; the input is added if its shape is that of the output."""
    wide = () if expansion == 1 else (conv(expansion * inputs, 1),)
    path: Parts = (*wide, Depthwise(3, stride, 1), conv(outputs, 1))
    return (Branches((path, ()), "add"),) if stride == 1 and inputs == outputs else path


def basic(inputs: int, width: int, stride: int) -> Parts:
    """He et al. 2016, Deep Residual Learning, figure 5, left."""
    return _residual((conv(width, 3, stride), conv(width, 3)), inputs, width, stride)


def bottleneck(inputs: int, width: int, stride: int) -> Parts:
    """He et al. 2016, figure 5, right; the stride is in the 3 x 3 convolution, as in the programs of today."""
    return _residual((conv(width, 1), conv(width, 3, stride), conv(4 * width, 1)), inputs, 4 * width, stride)


def _residual(path: Parts, inputs: int, outputs: int, stride: int) -> Parts:
    shortcut: Parts = () if stride == 1 and inputs == outputs else (Convolution(outputs, 1, stride),)
    return (Branches((path, shortcut), "add"),)


def fire(squeezed: int, small: int, large: int) -> Parts:
    """Iandola et al. 2016, SqueezeNet, section 3.2: ``small`` channels by 1 x 1 and ``large`` by 3 x 3."""
    return (conv(squeezed, 1), Branches(((conv(small, 1),), (conv(large, 3),)), "concat"))


def squeeze_excite(channels: int, reduction: int) -> Parts:
    """Hu et al. 2018, Squeeze-and-Excitation Networks, section 3; a product for each activation counts as a MAC."""
    gate: Parts = (GlobalPooling(), Linear(channels // reduction), Linear(channels))
    return (Branches(((), gate), "scale"),)


BLOCKS: dict[str, Callable[..., Parts]] = {"separable": separable, "basic": basic, "bottleneck": bottleneck}
WIDENING = {"separable": 1, "basic": 1, "bottleneck": 4}  # channels out of a block in units of its width
