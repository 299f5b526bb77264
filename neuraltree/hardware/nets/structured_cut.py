"""Structured pruning of networks with residual blocks, as counts: whole channels inside the blocks are left out.

The channels that enter and leave a block are added to those of its shortcut, so they must stay. Inside a block each
convolution but the last loses the channels of lowest importance; the counts do not depend on which those are.
"""

from __future__ import annotations

from dataclasses import replace

from neuraltree.hardware.model.layer_network import Branches
from neuraltree.hardware.model.layers import Convolution
from neuraltree.hardware.nets.blocks import Part, Parts

SHARES = (0.0, 0.25, 0.5, 0.75)  # that the command shows


def can_be_cut(parts: Parts) -> bool:
    """Whether a network has residual blocks."""
    return any(isinstance(part, Branches) and part.join == "add" for part in parts)


def without_channels(parts: Parts, share: float) -> Parts:
    """The network without a ``share`` of the channels inside its residual blocks; each keeps one channel at least.

    ``ValueError`` for a share that is not in [0, 1), or for a network without residual blocks.
    """
    if not 0 <= share < 1:
        raise ValueError(f"the share of channels to leave out is {share:g}; it must be at least 0 and below 1")
    if not can_be_cut(parts):
        raise ValueError("the network has no residual blocks, so no channels can be left out inside them")
    return tuple(_cut(part, share) for part in parts)


def _cut(part: Part, share: float) -> Part:
    if not (isinstance(part, Branches) and part.join == "add"):
        return part
    path, *others = part.paths
    last = max((i for i, layer in enumerate(path) if isinstance(layer, Convolution)), default=0)
    inner = tuple(_narrow(layer, share) if i < last else layer for i, layer in enumerate(path))
    return replace(part, paths=(inner, *others))


def _narrow(layer: Part, share: float) -> Part:
    if not isinstance(layer, Convolution):
        return layer
    return replace(layer, channels=max(1, layer.channels - round(share * layer.channels)))
