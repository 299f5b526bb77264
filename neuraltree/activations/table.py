"""The table of activations."""

from __future__ import annotations

from neuraltree.activations.gaussian import GAUSSIAN
from neuraltree.activations.hard_tanh import HARD_TANH
from neuraltree.activations.identity import IDENTITY
from neuraltree.activations.kind import Activation
from neuraltree.activations.relu import RELU
from neuraltree.activations.sigmoid import SIGMOID
from neuraltree.activations.sign import SIGN
from neuraltree.activations.sine import SINE
from neuraltree.activations.tanh import TANH

# The position of a row is its code in the node record: append, never reorder.
ACTIVATIONS: tuple[Activation, ...] = (SIGMOID, TANH, GAUSSIAN, RELU, SINE, IDENTITY, HARD_TANH, SIGN)
NAMES: tuple[str, ...] = tuple(row.name for row in ACTIVATIONS)
ALIASES: dict[str, str] = {alias: row.name for row in ACTIVATIONS for alias in row.aliases}


def code_of(name: str) -> int:
    """The code of an activation by name or alias; ``ValueError`` lists the allowed names."""
    try:
        return NAMES.index(ALIASES.get(name, name))
    except ValueError:
        allowed = ", ".join((*NAMES, *ALIASES))
        raise ValueError(f"unknown activation {name!r}; allowed: {allowed}") from None
