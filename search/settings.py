"""A run's settings: frozen structs with their defaults and ranges; the keys of a config file."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from msgspec import Meta, Struct

INT_MAX = 2**31 - 1
# Far enough below the largest float32, 3.4e38, for sums and products; it refuses inf.
FLOAT_MAX = 1e30
Count = Annotated[int, Meta(ge=1, le=INT_MAX)]
CountOrNone = Annotated[int, Meta(ge=0, le=INT_MAX)]
Positive = Annotated[float, Meta(gt=0, le=FLOAT_MAX)]
NonNegative = Annotated[float, Meta(ge=0, le=FLOAT_MAX)]


class RunConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``out``: the run folder, "" for ``results/<name of the config file>``; relative to the current directory."""

    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    out: str = ""


class DataConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``source``: see ``search.sources``. ``target``: a column by name or by number from 0; "" is the last one.

    ``weight``: the column, or the array of an .npz file, of what each row counts in training; "" is none.
    """

    source: str
    target: str | int = ""
    header: bool | Literal["auto"] = "auto"
    test_fraction: Annotated[float, Meta(gt=0, lt=0.9)] = 0.2
    drop: tuple[str, ...] = ()
    weight: str = ""


class TaskConfig(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["auto", "regression", "classification"] = "auto"
    loss: Literal["auto", "squared", "cross_entropy"] = "auto"
    class_weight: Literal["none", "balanced"] = "none"


class SpaceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    activations: tuple[str, ...] = ("sigmoid", "tanh", "gaussian", "relu")
    max_nodes: Annotated[int, Meta(ge=2, le=10_000)] = 60
    max_depth: Annotated[int, Meta(ge=1, le=30)] = 5
    max_arity: Annotated[int, Meta(ge=1, le=64)] = 5
    generator: Literal["ours", "reference"] = "ours"


class SearchConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``folds``: of cross-validation; 1 is one hold-out of the training rows."""

    population: Annotated[int, Meta(ge=4, le=1_000_000)] = 100
    generations: CountOrNone = 30
    selection: Literal["hypervolume", "nsga2", "nsga3"] = "hypervolume"
    objectives: tuple[str, ...] = ("error", "weights")
    folds: Annotated[int, Meta(ge=1, le=20)] = 4
    inherit: bool = True
    retrain_survivors: bool = False


# fmt: off
Optimizer = Literal[
    "adam", "adamw", "sgd", "momentum", "nesterov", "adagrad", "rmsprop",
    "reference_adagrad", "reference_rmsprop", "reference_adam",
]
# fmt: on


class TrainConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``patience``: epochs without progress before a tree stops; 0 never stops early."""

    optimizer: Optimizer = "adam"
    learning_rate: Positive = 0.01
    schedule: Literal["cosine", "constant", "linear"] = "cosine"
    epochs: Annotated[int, Meta(ge=0, le=100_000)] = 20
    batch_size: Count = 64
    patience: CountOrNone = 0
    precision: Literal["float32", "float64"] = "float32"
    weight_decay: NonNegative = 0.0


class HardwareConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``device``: the name of a device profile, or of a file of one; "" is none. ``compiler``: whose code is costed.

    ``finetune_epochs``: of fine-tuning the final front as 8-bit models, where ``precision`` is "int8"; 0 is none.
    """

    device: str = ""
    precision: Literal["float32", "int8"] = "float32"
    style: Literal["straight", "table"] = "straight"
    compiler: Literal["clang", "gcc"] = "clang"
    finetune_epochs: Annotated[int, Meta(ge=0, le=100_000)] = 0


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run. ``reference`` and ``constraints`` are by objective, ``variation`` is by operator.

    Operators left out of ``variation`` keep their default probability; 0 switches one off.
    """

    data: DataConfig
    run: RunConfig = RunConfig()
    task: TaskConfig = TaskConfig()
    space: SpaceConfig = SpaceConfig()
    search: SearchConfig = SearchConfig()
    reference: dict[str, Positive] = {}
    variation: dict[str, NonNegative] = {}
    train: TrainConfig = TrainConfig()
    hardware: HardwareConfig = HardwareConfig()
    constraints: dict[str, NonNegative] = {}


def is_path(source: str) -> bool:
    """Whether a ``data.source`` names a file; otherwise it is a table known by name."""
    return not source.startswith("openml:") and (
        "/" in source or os.sep in source or source.lower().endswith((".csv", ".tsv", ".txt", ".npz"))
    )
