"""Reference networks as tables of their layers; weights without biases and normalisation, as the sources count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from neuraltree.hardware.model.layer_network import Network, network
from neuraltree.hardware.model.layers import Convolution, GlobalPooling, Linear, Pooling, Shape
from neuraltree.hardware.nets.blocks import BLOCKS, WIDENING, Part, Parts, conv, fire, inverted

IMAGE: Shape = (3, 224, 224)
CLASSES = 1000

# (channels, stride): Howard et al. 2017, table 1.
MOBILENET_V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
# (expansion, channels, blocks, stride of the first): Sandler et al. 2018, table 2.
MOBILENET_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# (width, blocks): He et al. 2016, table 1.
RESNET_18 = ((64, 2), (128, 2), (256, 2), (512, 2))
RESNET_50 = ((64, 3), (128, 4), (256, 6), (512, 3))
# Channels of the squeezing layer, or 0 for a pooling: Iandola et al. 2016, table 1, and version 1.1 of its program.
SQUEEZENET_1_0 = (0, 16, 16, 32, 0, 32, 48, 48, 64, 0, 64)
SQUEEZENET_1_1 = (0, 16, 16, 0, 32, 32, 0, 48, 48, 64, 64)
# Channels, or 0 for a pooling: Simonyan and Zisserman 2015, table 1, column D.
VGG_16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)


class ReferenceNet(NamedTuple):
    """``classifier``: how many of the last layers make classes of features."""

    layers: Callable[[], Parts]
    classifier: int
    input_shape: Shape = IMAGE

    def counts(self, *, classifier: bool = True) -> Network:
        layers = self.layers()
        return network(layers if classifier else layers[: len(layers) - self.classifier], self.input_shape)


def _lenet() -> Parts:
    """LeCun et al. 1998, figure 2, with every map of C3 connected to every one of S2."""
    pool = Pooling(2, 2)
    return (Convolution(6, 5), pool, Convolution(16, 5), pool, Linear(120), Linear(84), Linear(10))


def _mobilenet_v1() -> Parts:
    return (conv(32, 3, 2), *_stages(MOBILENET_V1, "separable", 32), GlobalPooling(), Linear(CLASSES))


def _mobilenet_v2() -> Parts:
    layers: list[Part] = [conv(32, 3, 2)]
    channels = 32
    for expansion, outputs, blocks, stride in MOBILENET_V2:
        for i in range(blocks):
            layers += inverted(channels, outputs, 1 if i else stride, expansion)
            channels = outputs
    return (*layers, conv(1280, 1), GlobalPooling(), Linear(CLASSES))


def _resnet(stages: Sequence[tuple[int, int]], block: str) -> Parts:
    rows = [(width, 2 if i == 0 and width > 64 else 1) for width, blocks in stages for i in range(blocks)]
    stem = (Convolution(64, 7, 2, 3), Pooling(3, 2, 1))
    return (*stem, *_stages(rows, block, 64), GlobalPooling(), Linear(CLASSES))


def _stages(rows: Sequence[tuple[int, int]], block: str, channels: int) -> Iterator[Part]:
    """Blocks of (width, stride) one after the other, on ``channels`` channels."""
    for width, stride in rows:
        yield from BLOCKS[block](channels, width, stride)
        channels = WIDENING[block] * width


def _squeezenet(first: Convolution, rows: Sequence[int]) -> Parts:
    layers: list[Part] = [first]
    for squeezed in rows:
        layers += fire(squeezed, 4 * squeezed, 4 * squeezed) if squeezed else (Pooling(3, 2, ceil=True),)
    return (*layers, conv(CLASSES, 1), GlobalPooling())


def _vgg() -> Parts:
    layers = (conv(channels, 3) if channels else Pooling(2, 2) for channels in VGG_16)
    return (*layers, Linear(4096), Linear(4096), Linear(CLASSES))


NETS: dict[str, ReferenceNet] = {
    "lenet-5": ReferenceNet(_lenet, 3, (1, 32, 32)),
    "squeezenet-1.0": ReferenceNet(lambda: _squeezenet(Convolution(96, 7, 2), SQUEEZENET_1_0), 2),
    "squeezenet-1.1": ReferenceNet(lambda: _squeezenet(Convolution(64, 3, 2), SQUEEZENET_1_1), 2),
    "mobilenet-v1": ReferenceNet(_mobilenet_v1, 1),
    "mobilenet-v2": ReferenceNet(_mobilenet_v2, 1),
    "resnet-18": ReferenceNet(lambda: _resnet(RESNET_18, "basic"), 1),
    "resnet-50": ReferenceNet(lambda: _resnet(RESNET_50, "bottleneck"), 1),
    "vgg-16": ReferenceNet(_vgg, 3),
}
