"""How the trees of an estimator look and learn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How trees look and learn. ``None`` is what suits a single tree, or a search."""

    activations: tuple[str, ...]
    max_nodes: int | None
    max_depth: int
    max_arity: int | None
    optimizer: str
    learning_rate: float
    weight_decay: float
    epochs: int | None
    batch_size: int | None
