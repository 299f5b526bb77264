"""The head of a node in the tables of exported code: its activation in the low bits, flags above them."""

from __future__ import annotations

from neuraltree.activations import NAMES
from neuraltree.export.order import Step

# As many bits as the table of activations needs, at least 3. With 17 activations or more, heads need more than 8 bits;
# the tables that hold them, which are as wide as their largest entry, then have 16.
KIND_BITS = max(3, (len(NAMES) - 1).bit_length())
KIND = (1 << KIND_BITS) - 1  # mask of the activation
OPENED, FIRST, OUTPUT, FINE_FLAG = (1 << (KIND_BITS + flag) for flag in range(4))


def flags(step: Step) -> int:
    """The head of a node: its kind and flags."""
    return step.code + OPENED * step.opened + FIRST * (step.first and step.slot >= 0) + OUTPUT * (step.slot < 0)
