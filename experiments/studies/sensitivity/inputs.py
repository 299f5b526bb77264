"""The settings that are varied, as numbers from 0 to 1, and the trajectories through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from experiments.common.searching import Size, Tables
from neuraltree.arrays import FloatArray

LEVELS = 4  # of each input, evenly spaced from 0 to 1; a step is 2/3


class Input(NamedTuple):
    """Values from ``low`` to ``high`` along a ``log`` or a straight scale; whole numbers unless ``real``."""

    low: float
    high: float
    log: bool = True
    real: bool = False

    def value(self, place: float) -> float:
        """At a place from 0 to 1; rounded if it is a whole number."""
        if self.log:
            found = float(self.low * (self.high / self.low) ** place)
        else:
            found = float(self.low + place * (self.high - self.low))
        return found if self.real else round(found)


CHANCE = "chance"
INPUTS: dict[str, Input] = {
    "learning_rate": Input(0.003, 0.1, real=True),
    "batch_size": Input(16, 128),
    "epochs": Input(5, 40),
    "max_arity": Input(2, 64),
    "max_nodes": Input(30, 120),
    "population": Input(20, 80),
    "generations": Input(5, 20),
    "folds": Input(1, 4, log=False),
    CHANCE: Input(0, 3, log=False),  # the seed of the search alone: what no setting changes
}


class Point(NamedTuple):
    """A search: its size, its other settings, its generations after the first, and what its seed is shifted by."""

    size: Size
    tables: Tables
    generations: int
    shift: int


def point(places: FloatArray) -> Point:
    """The search at places (inputs,) from 0 to 1."""
    found: dict[str, Any] = {name: row.value(place) for (name, row), place in zip(INPUTS.items(), places, strict=True)}
    names = ("population", "epochs", "batch_size", "learning_rate", "folds")
    size = Size(**{name: found[name] for name in names}, trees=found["population"] * (1 + found["generations"]))
    space = {"max_arity": found["max_arity"], "max_nodes": found["max_nodes"]}
    return Point(size, {"space": space}, found["generations"], found[CHANCE])


def problem() -> dict[str, Any]:
    """The inputs as SALib describes them."""
    return {"num_vars": len(INPUTS), "names": list(INPUTS), "bounds": [[0.0, 1.0]] * len(INPUTS)}


def trajectory(seed: int) -> FloatArray:
    """(inputs + 1, inputs) places: each row differs from the one before in one input (Morris 1991)."""
    sample: Callable[..., FloatArray] = _sampler()
    return np.asarray(sample(problem(), 1, num_levels=LEVELS, seed=seed))


def _sampler() -> Any:
    from SALib.sample.morris import sample  # of the extra [studies]

    return sample
