"""The options of an estimator for its trees and their training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The limits of trees and the settings of their training. ``None`` is the default of a single tree or a search."""

    activations: tuple[str, ...]
    max_nodes: int | None
    max_depth: int
    max_arity: int | None
    optimizer: str
    learning_rate: float
    weight_decay: float | None
    epochs: int | None
    batch_size: int | None
    loss: str = "auto"
