"""A run's settings: frozen structs with their defaults, ranges and meanings; the keys of a config file.

docs/configuration.md is written from them by ``python -m tools.docs``.
"""

from __future__ import annotations

import os
from typing import Annotated, Literal

from msgspec import Meta, Struct

from neuraltree.compress.formats import Precision, Style

INT_MAX = 2**31 - 1
# Far enough below the largest float32, 3.4e38, for sums and products; it refuses inf.
FLOAT_MAX = 1e30
Positive = Annotated[float, Meta(gt=0, le=FLOAT_MAX)]
NonNegative = Annotated[float, Meta(ge=0, le=FLOAT_MAX)]
# fmt: off
Optimizer = Literal[
    "adam", "adamw", "sgd", "momentum", "nesterov", "adagrad", "rmsprop",
    "reference_adagrad", "reference_rmsprop", "reference_adam",
]
# fmt: on


class RunConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Randomness, and where the results go."""

    seed: Annotated[int, Meta(description="of all random numbers; one seed gives one result", ge=0, lt=2**32)] = 0
    out: Annotated[
        str, Meta(description="the run folder, from the current one; empty: `results/` and the config's name")
    ] = ""


class DataConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The table, and what to predict. Missing cells are refused: impute them first."""

    source: Annotated[
        str,
        Meta(description="a `.csv`, `.tsv`, `.txt` or `.npz` file, relative to the config; or a name from tables.md"),
    ]
    target: Annotated[
        str | int, Meta(description="the column to predict, by name or by number from 0; empty: the last one")
    ] = ""
    header: Annotated[
        bool | Literal["auto"],
        Meta(
            description="whether the first line of a text file names the columns; auto: if it has texts on top of "
            "numbers; numbers that may be names (2019,2020,2021) are refused"
        ),
    ] = "auto"
    test_fraction: Annotated[
        float, Meta(description="share of the rows kept for the one test at the end", gt=0, lt=0.9)
    ] = 0.2
    drop: Annotated[tuple[str, ...], Meta(description="columns to leave out")] = ()
    weight: Annotated[
        str,
        Meta(description="the column, or array of an `.npz` file, of what each row counts in training; empty: none"),
    ] = ""


class TaskConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What the target is."""

    kind: Annotated[
        Literal["auto", "regression", "classification"],
        Meta(
            description="auto: texts, whole numbers if some have leading zeros (007), two whole numbers, and at most "
            "20 whole numbers of many rows are classes; a class is the text or the integer as written"
        ),
    ] = "auto"
    loss: Annotated[
        Literal["auto", "squared", "cross_entropy"],
        Meta(description="that training lowers; auto: cross-entropy for classes; squared: a sigmoid output each"),
    ] = "auto"
    class_weight: Annotated[
        Literal["none", "balanced"], Meta(description="balanced: every class counts the same in training, however rare")
    ] = "none"


class SpaceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What a legal tree is."""

    activations: Annotated[tuple[str, ...], Meta(description="that hidden nodes may have; see tables.md")] = (
        *("sigmoid", "tanh", "gaussian", "relu"),
    )
    max_nodes: Annotated[int, Meta(description="function nodes and leaves of a tree together", ge=2, le=10_000)] = 60
    max_depth: Annotated[int, Meta(description="edges from an output to the deepest node", ge=1, le=30)] = 5
    max_arity: Annotated[
        int, Meta(description="children of a node; nodes drawn at random have 5 at most, wide ones grow", ge=1, le=64)
    ] = 64
    generator: Annotated[
        Literal["ours", "reference"], Meta(description="of the first population; reference: that of BNeuralT")
    ] = "ours"


class SearchConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The evolution."""

    population: Annotated[int, Meta(description="trees that survive a generation", ge=4, le=1_000_000)] = 100
    generations: Annotated[
        int, Meta(description="after the first, random one; 0 only trains that one", ge=0, le=INT_MAX)
    ] = 30
    selection: Annotated[
        Literal["hypervolume", "nsga2", "nsga3"],
        Meta(description="of the survivors; hypervolume is exact, up to 5 objectives"),
    ] = "hypervolume"
    objectives: Annotated[tuple[str, ...], Meta(description="to minimise; see tables.md")] = ("error", "weights")
    folds: Annotated[
        int, Meta(description="of cross-validation on the training rows; 1: one hold-out of them", ge=1, le=20)
    ] = 4
    inherit: Annotated[
        bool, Meta(description="children start with their parents' trained weights, otherwise with new ones")
    ] = True
    retrain_survivors: Annotated[bool, Meta(description="train survivors further in every generation")] = False


class TrainConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How every tree is trained in every generation."""

    optimizer: Annotated[Optimizer, Meta(description="see tables.md")] = "adam"
    learning_rate: Annotated[float, Meta(description="at the start", gt=0, le=FLOAT_MAX)] = 0.01
    schedule: Annotated[
        Literal["cosine", "constant", "linear"], Meta(description="of the learning rate: down to 0, or constant")
    ] = "cosine"
    epochs: Annotated[int, Meta(description="passes over the rows in one generation", ge=0, le=100_000)] = 20
    batch_size: Annotated[int, Meta(description="rows of a step; at most all training rows", ge=1, le=INT_MAX)] = 64
    patience: Annotated[
        int, Meta(description="epochs without progress before a tree stops; 0: never early", ge=0, le=INT_MAX)
    ] = 0
    precision: Annotated[Literal["float32", "float64"], Meta(description="of the arithmetic of training")] = "float32"
    weight_decay: Annotated[float, Meta(description="of adamw", ge=0, le=FLOAT_MAX)] = 0.0


class HardwareConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The device whose costs can be objectives, whose flash and RAM bound every model, and the code that is costed."""

    device: Annotated[
        str, Meta(description="a name from tables.md, or a profile file ending in `.toml`; empty: none")
    ] = ""
    precision: Annotated[Precision, Meta(description="of the code")] = "float32"
    style: Annotated[Style, Meta(description="straight-line code, or one interpreter and a table")] = "straight"
    compiler: Annotated[Literal["clang", "gcc"], Meta(description="whose code is costed and measured")] = "clang"
    finetune_epochs: Annotated[
        int, Meta(description="of fine-tuning the final front as 8-bit models; int8 only", ge=0, le=100_000)
    ] = 0


class BaselinesConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Ordinary models trained for comparison, on the run's rows and in its folds."""

    models: Annotated[
        tuple[str, ...], Meta(description='of "linear", "mlp_8", "mlp_100", "pruned_mlp", "cart"; empty: none')
    ] = ()


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run. Operators left out of ``variation`` keep their default probability."""

    data: DataConfig
    run: RunConfig = RunConfig()
    task: TaskConfig = TaskConfig()
    space: SpaceConfig = SpaceConfig()
    search: SearchConfig = SearchConfig()
    reference: Annotated[
        dict[str, Positive],
        Meta(description="By objective: the value that the hypervolume counts from, in the objective's unit."),
    ] = {}
    variation: Annotated[
        dict[str, NonNegative],
        Meta(description="By operator: its relative probability; 0 switches it off. See tables.md."),
    ] = {}
    train: TrainConfig = TrainConfig()
    hardware: HardwareConfig = HardwareConfig()
    constraints: Annotated[
        dict[str, NonNegative],
        Meta(description="By objective: the most a model may have of it, in its unit. An error must be an objective."),
    ] = {}
    baselines: BaselinesConfig = BaselinesConfig()


OPENML = "openml:"  # begins a ``data.source`` that is fetched from the network


def is_path(source: str) -> bool:
    """Whether a ``data.source`` names a file; otherwise it is a table known by name."""
    return not source.startswith(OPENML) and (
        "/" in source or os.sep in source or source.lower().endswith((".csv", ".tsv", ".txt", ".npz"))
    )
