"""A model of normal samples alone: a front end, and how far its features may be from those that were learned from."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from msgspec import Struct, ValidationError, to_builtins

from neuraltree.signals.event_rule import EventRule
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.rejection import Distance
from neuraltree.signals.sample_integers import LARGEST
from neuraltree.storing import read
from neuraltree.structs import to_struct
from neuraltree.tree.model_files import FileError
from neuraltree.tree.nodes import IntArray

FORMAT = "neuraltree-one-class-v1"
NEARLY_EQUAL = 0.7  # |correlation| from which two features tell the same
FEWEST_VALUES = 16  # that a feature must take on training windows


@dataclass(frozen=True)
class OneClassModel:
    """``distance`` looks at all features of ``front_end``, in their order. ``normal``: the name of class 0; any other
    window is unknown, and an event is a change between the two. ``ValueError`` if the parts do not fit together."""

    front_end: FrontEnd
    distance: Distance
    normal: str = "normal"

    def __post_init__(self) -> None:
        if self.distance.places != tuple(range(len(self.front_end.features))):
            raise ValueError(
                f"the distance looks at {len(self.distance.places)} features of a front end that makes "
                f"{len(self.front_end.features)}; it must look at all of them, in their order"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        return (self.normal,)

    @property
    def events(self) -> EventRule:
        """Each change is an event."""
        return EventRule()

    def scores(self, features: IntArray) -> IntArray:
        """(windows,) by how much the distance of each is below the threshold, within 16 bits; below 0 if unknown."""
        found: IntArray = np.clip(self.distance.threshold - self.distance.score(features), -LARGEST, LARGEST)
        return found


def steady_features(X: IntArray, most: int) -> list[int]:
    """The columns to watch, the best first, by normal windows (windows, features) alone.

    A feature is the better the less it varies, over all windows of all machines, for its size: standard deviation by
    mean. A fault that multiplies it is then many deviations away. Features of a few values are left out, and so are
    those correlated with a better one.
    """
    values = X.astype(np.float64)
    spread = (values.std(axis=0) + 0.5) / np.maximum(np.abs(values.mean(axis=0)), 1.0)
    passed = np.array([len(np.unique(column)) < min(FEWEST_VALUES, len(X) // 4) for column in X.T])
    scaled = values - values.mean(axis=0)
    scaled /= np.maximum(np.sqrt((scaled**2).sum(axis=0)), 1e-9)
    kept: list[int] = []
    for place in np.argsort(spread, kind="stable").tolist():
        if len(kept) < most and not passed[place]:
            kept.append(place)
            passed |= np.abs(scaled.T @ scaled[:, place]) >= NEARLY_EQUAL
    return kept


class _OneClassFile(Struct, forbid_unknown_fields=True):
    format: Literal["neuraltree-one-class-v1"]
    channels: list[str]
    rate_hz: float
    hop: int
    features: list[str]
    groups: dict[str, list[str]]
    counts_per_unit: list[float]
    normal: str
    distance: Distance


def dumps_one_class(model: OneClassModel) -> str:
    """The model as JSON text, the same for the same model."""
    front = model.front_end
    data = {
        "format": FORMAT,
        "channels": front.channels,
        "rate_hz": front.rate_hz,
        "hop": front.hop,
        "features": front.features,
        "groups": front.groups,
        "counts_per_unit": front.counts_per_unit,
        "normal": model.normal,
        "distance": to_builtins(model.distance),
    }
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in data.items()) + "\n}\n"


def loads_one_class(text: str) -> OneClassModel:
    """Read the model in a JSON text; ``FileError`` says what is wrong."""
    try:
        data: Any = json.loads(text)
        file = to_struct(data, _OneClassFile)
        groups = {name: tuple(channels) for name, channels in file.groups.items()}
        counts = tuple(file.counts_per_unit)
        front = FrontEnd(tuple(file.channels), file.rate_hz, file.hop, tuple(file.features), groups, counts)
        return OneClassModel(front, file.distance, file.normal)
    except (ValidationError, TypeError, ValueError, RecursionError) as error:
        raise FileError(str(error)) from None


def is_one_class(path: str | os.PathLike[str]) -> bool:
    """Whether a file says that it holds such a model; ``FileError`` if it cannot be read."""
    try:
        return f'"{FORMAT}"' in read(Path(path)).decode(errors="replace")[:200]
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None


def load_one_class(path: str | os.PathLike[str]) -> OneClassModel:
    """Read the model in a file; ``FileError`` if it is none."""
    try:
        return loads_one_class(read(Path(path)).decode())
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None
