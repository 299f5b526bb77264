"""The keys of a config file: frozen structs that hold each key's default, range and meaning.

``python -m tools.docs`` writes docs/configuration.md from them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from neuraltree.compress.builds import BuildName
from neuraltree.compress.formats import MAX_SCORE_LOSS, NARROW, NarrowPrecision, Precision, Style
from neuraltree.engine.optimizers import OPTIMIZERS, SCHEDULES
from neuraltree.signals.sample_integers import LEAST_SAMPLES, MOST_SAMPLES

INT_MAX = 2**31 - 1
# The largest float in a config; it excludes inf. It leaves room for sums and products below the float32 limit, 3.4e38.
FLOAT_MAX = 1e30
Positive = Annotated[float, Meta(gt=0, le=FLOAT_MAX)]
NonNegative = Annotated[float, Meta(ge=0, le=FLOAT_MAX)]
if TYPE_CHECKING:  # which cannot read the names of a table
    Optimizer = str
    Schedule = str
else:
    Optimizer, Schedule = Literal[tuple(OPTIMIZERS)], Literal[tuple(SCHEDULES)]


class RunConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The random seed and the folder for the results."""

    seed: Annotated[
        int, Meta(description="the seed of all random numbers; equal seeds give equal results", ge=0, lt=2**32)
    ] = 0
    out: Annotated[
        str,
        Meta(
            description="the run folder, relative to the current folder; empty: `results/` followed by the name of the "
            "config"
        ),
    ] = ""


class DataConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The table and the column to predict. What is harmless in a table is mended, and said at the start of a run."""

    source: Annotated[
        str,
        Meta(
            description="the table: a `.csv`, `.tsv`, `.txt` (also with `.gz`), `.parquet`, `.arrow`, `.feather`, "
            "`.npy` or `.npz` file, relative to the config, several of the same columns as in `parts/*.csv`, or a name "
            "from tables.md"
        ),
    ]
    target: Annotated[
        str | int, Meta(description="the column to predict, by name or by number from 0; empty: the last column")
    ] = ""
    header: Annotated[
        bool | Literal["auto"],
        Meta(
            description="whether the first line of a text file names the columns; auto: it does if it has texts above "
            "numbers; a first line of numbers that may be names (2019,2020,2021) is refused"
        ),
    ] = "auto"
    test_fraction: Annotated[
        float,
        Meta(
            description="the share of the rows set apart as test rows, which are scored once, at the end", gt=0, lt=0.9
        ),
    ] = 0.2
    drop: Annotated[tuple[str, ...], Meta(description="the columns to leave out, by name")] = ()
    weight: Annotated[
        str,
        Meta(
            description="the column, or the array of an `.npz` file, that holds each row's weight in training; empty: "
            "all rows count the same"
        ),
    ] = ""
    group: Annotated[
        str,
        Meta(
            description="the column, or the array of an `.npz` file, that names each row's group (subject, machine, "
            "batch): no group lies in two parts, neither of the test and the training nor of folds; not a feature"
        ),
    ] = ""
    time: Annotated[
        str,
        Meta(
            description="the column, or the array, that holds each row's time, as a number or as an ISO date or time: "
            "the test rows are the last ones, and the validation rows of a fold are later than its training rows; not "
            "a feature; excludes `group` and `split`"
        ),
    ] = ""
    split: Annotated[
        str,
        Meta(
            description="the column, or the array, that says each row's part: test, train (in the training rows of "
            "every fold), or the name of the fold whose validation row it is; it replaces `test_fraction`, and "
            "`search.folds` unless all rows are train or test; not a feature"
        ),
    ] = ""
    fairness_group: Annotated[
        str,
        Meta(
            description="the column, or the array, that names each row's group for the objective `worst_group_error` "
            "(sex, site, machine); it may be the column of `group`; not a feature"
        ),
    ] = ""
    missing: Annotated[
        Literal["mean", "median", "refuse"],
        Meta(
            description="what stands in for a missing number (blank, ?, NA or NaN): the mean or the median of the "
            "training rows; a missing category is no level; refuse: missing cells are refused"
        ),
    ] = "mean"
    missing_indicator: Annotated[
        bool, Meta(description="whether each column of numbers with missing cells gets a feature that says so")
    ] = False
    columns: Annotated[
        dict[str, str | tuple[str, ...]],
        Meta(
            description="what columns hold if their cells do not say it: `number`, `boolean`, `category`, `time`, a "
            "time with any of hour, weekday and month as cyclic features (`time hour weekday`), or a list of levels in "
            "their order"
        ),
    ] = {}
    thousands: Annotated[
        str, Meta(description="the mark between thousands in numbers, as in 1,234 or 1'234; empty: there is none")
    ] = ""
    decimal: Annotated[
        Literal["auto", ".", ","],
        Meta(
            description="the decimal mark of a text file; auto: a point, or a comma too if cells are separated by "
            "semicolon or tab"
        ),
    ] = "auto"
    percent: Annotated[bool, Meta(description="whether 12 % is the number 0.12; else it is a text")] = False
    sample_rows: Annotated[
        Literal["auto"] | Annotated[int, Meta(ge=0, le=INT_MAX)],
        Meta(
            description="the training rows that the search and the judgement use of a table that is read in blocks, as "
            "`.parquet`, `.arrow`, `.feather` and `.npy` files can be; auto: 200,000 of files of more than 50 million "
            "cells, and files of fewer are read whole; 0: the table is read whole; see data.md"
        ),
    ] = "auto"


class TaskConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The type of the target and the training loss."""

    kind: Annotated[
        Literal["auto", "regression", "classification"],
        Meta(
            description="the type of the target; auto: classification if the target holds texts, whole numbers some of "
            "which have leading zeros (007), exactly two distinct whole numbers, or at most 20 distinct whole numbers "
            "with ten rows or more each on average; a class keeps the text or the integer as written"
        ),
    ] = "auto"
    loss: Annotated[
        str,
        Meta(
            description="the loss that training minimises; for regression `squared`, `huber` (linear from a standard "
            "deviation of the target on, so that outliers count less) or `pinball_LEVEL` (`pinball_0.9` trains a model "
            "of the 90 % quantile); for classes `cross_entropy` or `squared` (one sigmoid output for each class); "
            "auto: squared for regression, cross-entropy for classes"
        ),
    ] = "auto"
    class_weight: Annotated[
        Literal["none", "balanced"],
        Meta(
            description="how much each class counts in training; none: in proportion to its rows; balanced: all "
            "classes count the same"
        ),
    ] = "none"
    positive: Annotated[
        str | int | float,
        Meta(
            description="the positive class of two, which F1, average precision, recall and precision are about, and "
            "which is predicted above a threshold; empty: the second in sorted order"
        ),
    ] = ""


class SpaceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The trees that a search may make."""

    activations: Annotated[
        tuple[str, ...], Meta(description="the activations that hidden nodes may have; see tables.md")
    ] = (*("sigmoid", "tanh", "gaussian", "relu"),)
    max_nodes: Annotated[
        int,
        Meta(description="the largest number of nodes of a tree, function nodes and leaves together", ge=2, le=10_000),
    ] = 60
    max_depth: Annotated[
        int, Meta(description="the largest number of edges from an output to its deepest node", ge=1, le=30)
    ] = 5
    max_arity: Annotated[
        int,
        Meta(
            description="the largest number of children of a node; random subtrees use at most 5, wide first trees and "
            "added edges use more",
            ge=1,
            le=64,
        ),
    ] = 64
    generator: Annotated[
        Literal["ours", "reference"],
        Meta(description="the generator of the first population; reference: the generator of BNeuralT"),
    ] = "ours"


class SearchConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The evolutionary search."""

    population: Annotated[
        int, Meta(description="the number of trees that survive each generation", ge=4, le=1_000_000)
    ] = 100
    generations: Annotated[
        int,
        Meta(
            description="the number of generations after the first, random population; 0: only that population is "
            "trained",
            ge=0,
            le=INT_MAX,
        ),
    ] = 30
    time: Annotated[
        str,
        Meta(
            description='the time of the whole run, such as "90s", "5m" or "1.5h", instead of a number of generations; '
            "the search also ends if its front no longer gets better; empty: no limit of time"
        ),
    ] = ""
    selection: Annotated[
        Literal["hypervolume", "nsga2", "nsga3"],
        Meta(
            description="the method of survivor selection, see tables.md; hypervolume is exact and takes up to 5 "
            "objectives"
        ),
    ] = "hypervolume"
    objectives: Annotated[tuple[str, ...], Meta(description="the objectives to minimise; see tables.md")] = (
        "error",
        "weights",
    )
    folds: Annotated[
        int,
        Meta(
            description="the number of cross-validation folds on the training rows; 1: one hold-out of a quarter of "
            "them",
            ge=1,
            le=20,
        ),
    ] = 4
    inherit: Annotated[
        bool,
        Meta(description="whether children start with their parents' trained weights; false: with new random weights"),
    ] = True
    rows: Annotated[
        Literal["auto", "all"],
        Meta(
            description="the training rows of a fold; auto: a sample of 2,000 in the first generation, or more if a "
            "class is rare, that doubles every 8 generations up to all rows; all: all rows in every generation; the "
            "judgement and the refit always use all"
        ),
    ] = "auto"
    pruned_share: Annotated[
        float,
        Meta(
            description="the largest share of the first population that is made by training dense trees and pruning "
            "them; only for three or more classes",
            ge=0,
            le=1,
        ),
    ] = 0.25
    threshold: Annotated[
        Literal["default", "tuned"],
        Meta(
            description="the probability from which a model of two classes predicts the second; default: 0.5; tuned: "
            "the best for the first objective, or for F1 if that does not depend on decisions, by rows that the model "
            "was not fitted to"
        ),
    ] = "default"
    robust_radius: Annotated[
        float,
        Meta(
            description="for the objective `robust_error`: by how many standard deviations each input may change",
            gt=0,
            le=100,
        ),
    ] = 0.1
    retrain_survivors: Annotated[
        bool, Meta(description="whether survivors are trained further in every generation")
    ] = False


class TrainConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How every tree is trained in every generation."""

    optimizer: Annotated[
        Optimizer,
        Meta(
            description="the optimiser; see tables.md; learned_sgd, stacked_sgd and learned_adam learn a rate for each "
            "tree, for when no rate was tuned; see estimators.md"
        ),
    ] = "adamw"
    learning_rate: Annotated[
        float,
        Meta(description="the learning rate at the start, also that of rates that are learned", gt=0, le=FLOAT_MAX),
    ] = 0.01
    schedule: Annotated[
        Schedule,
        Meta(
            description="the schedule of the learning rate: it falls to 0 or stays constant; it multiplies learned "
            "rates too; see tables.md"
        ),
    ] = "cosine"
    epochs: Annotated[
        int, Meta(description="the number of passes over a fold's training rows in one generation", ge=0, le=100_000)
    ] = 20
    batch_size: Annotated[
        int, Meta(description="the number of rows in one training step; at most all training rows", ge=1, le=INT_MAX)
    ] = 64
    patience: Annotated[
        int,
        Meta(
            description="the number of epochs without progress after which the training of a tree stops; 0: no early "
            "stopping",
            ge=0,
            le=INT_MAX,
        ),
    ] = 0
    precision: Annotated[
        Literal["float32", "float64"], Meta(description="the precision of the arithmetic used in training")
    ] = "float32"
    weight_decay: Annotated[
        NonNegative | Literal["auto"],
        Meta(
            description="the weight decay of adamw; other optimisers ignore it; auto: 120 divided by the number of "
            "training rows, at most 0.3, or 0 with teachers"
        ),
    ] = "auto"
    l1: Annotated[
        NonNegative | Literal["evolved"],
        Meta(
            description="the rate of the L1 norm of the edge weights, by which training makes weights zero; edges of "
            "weight zero in all folds are removed; evolved: a rate between 0.0001 and 0.1 for each tree, which "
            "children inherit and change; see compression.md"
        ),
    ] = 0.0
    group_l1: Annotated[
        NonNegative | Literal["evolved"],
        Meta(
            description="the rate of the norms of the weights into each node, by which training makes all of them zero "
            "at once, so that nodes leave; evolved: as of l1; see compression.md"
        ),
    ] = 0.0
    teachers: Annotated[
        tuple[str, ...],
        Meta(
            description="models that are fitted first, and whose mean the trees learn on and near the training rows, "
            "besides the targets; see tables.md and compression.md; empty: no teachers"
        ),
    ] = ()
    teacher_share: Annotated[
        float,
        Meta(
            description="how much the teachers count in what a training row teaches; the rest is its own target; rows "
            "near the training rows have no target of their own",
            ge=0,
            le=1,
        ),
    ] = 0.5
    teacher_temperature: Annotated[
        float,
        Meta(
            description="the temperature at which trees learn the teachers' probabilities: above 1 the small ones "
            "count more; for classes only; see compression.md",
            gt=0,
            le=100,
        ),
    ] = 1.0


class HardwareConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The device, and the code whose costs on it can be objectives. Every model must fit the device's flash and RAM."""

    device: Annotated[
        str,
        Meta(description="the device: a name from tables.md, or a profile file ending in `.toml`; empty: no device"),
    ] = ""
    precision: Annotated[
        Literal[Precision, NarrowPrecision, "auto"] | tuple[Literal[Precision, NarrowPrecision], ...],
        Meta(
            description="the number format of the code; auto: for each model float32 or int8, the cheapest that is "
            'exact enough; a list, as in ["int8", "int4", "ternary"]: each model has one of them, which children '
            "inherit and change; see compression.md"
        ),
    ] = "float32"
    style: Annotated[
        Literal[Style, "auto"],
        Meta(
            description="the style of the code; straight: straight-line code; table: an interpreter with a table; "
            "auto: for each model the cheapest"
        ),
    ] = "straight"
    max_score_loss: Annotated[
        float,
        Meta(
            description="for `precision` auto: the largest share of its score (accuracy or R²) on the training rows "
            "that a model may lose in int8; a model that loses more gets float32",
            ge=0,
            le=1,
        ),
    ] = MAX_SCORE_LOSS
    input: Annotated[
        str | dict[str, str],
        Meta(
            description="what goes into the code: `float32`, `int16` or `uint8`, integers with a scale as in "
            "`int16/100` (the integer is 100 times the number); or a table of these by column, with `default` for the "
            "others"
        ),
    ] = "float32"
    compiler: Annotated[
        BuildName,
        Meta(
            description="the compiler whose code is costed and measured, with -O2, or with the optimisation that its "
            "name ends in; on a core that it does not build for, the device's usual one"
        ),
    ] = "clang"
    finetune_epochs: Annotated[
        int,
        Meta(
            description="the number of epochs of fine-tuning the final front as 8-bit models; for int8 only",
            ge=0,
            le=100_000,
        ),
    ] = 0

    @property
    def formats(self) -> tuple[str, ...]:
        """The number formats that models may have, if each has its own: those of a list, or one below 8 bits."""
        if isinstance(self.precision, tuple):
            return self.precision
        return (self.precision,) if self.precision in NARROW else ()

    @property
    def first_format(self) -> str:
        """The number format of code for all models: the first of a list."""
        return self.precision if isinstance(self.precision, str) else self.precision[0]


MOST_HORIZON = 1_000_000  # samples: a day at 10 Hz
Lag = Annotated[int, Meta(ge=0, lt=MOST_SAMPLES)]


class SignalConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Recordings of sensors in place of a table: the windows and the features that models may read; see signals.md."""

    windows: Annotated[
        Literal["auto"] | tuple[Annotated[int, Meta(ge=LEAST_SAMPLES, le=MOST_SAMPLES)], ...],
        Meta(
            description="the lengths of the windows that features may have, in samples, each a multiple of `hop`; "
            "auto: powers of two near 0.6, 1.3 and 2.6 s; empty: `data.source` is a table, unless there are `lags`"
        ),
    ] = ()
    hop: Annotated[
        int,
        Meta(
            description="the samples from one decision to the next; 0: half of the shortest window, 1 with a `target`",
            ge=0,
            le=MOST_SAMPLES,
        ),
    ] = 0
    hops: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=MOST_SAMPLES)], ...],
        Meta(
            description="how many hops lie between the decisions of a model; with several numbers each model has one "
            "of them, which children inherit and change; its last decision holds until the next; windows are multiples "
            "of every such hop",
            min_length=1,
        ),
    ] = (1,)
    channels: Annotated[
        tuple[str, ...],
        Meta(
            description="the channels that features are made of; empty: all, but for a `target` with `horizon` "
            "0, which is never one"
        ),
    ] = ()
    target: Annotated[
        str, Meta(description="the channel whose values are predicted, in its unit; empty: classes are")
    ] = ""
    horizon: Annotated[
        int,
        Meta(
            description="which value of the `target` is predicted: so many samples after the newest that the features "
            "are made of; 0: the one at the same time",
            ge=0,
            le=MOST_HORIZON,
        ),
    ] = 0
    lags: Annotated[
        tuple[Lag, ...] | dict[str, tuple[Lag, ...]],
        Meta(
            description="single samples that are features: how many samples before the newest, of each channel; or a "
            "table of such lists by channel; with a `target` and empty `windows` they are the only features"
        ),
    ] = ()
    classes: Annotated[
        tuple[str, ...], Meta(description="the labels that are classes; samples with others have none; empty: all")
    ] = ()
    label: Annotated[
        Literal["majority", "start", "centre", "end"],
        Meta(
            description="the label of a decision: that of most samples of its shortest window, or of the first, the "
            "middle or the last of them"
        ),
    ] = "majority"
    share: Annotated[
        float,
        Meta(
            description="the least share of the samples of the shortest window that must have the label; decisions "
            "with less are left out",
            gt=0,
            le=1,
        ),
    ] = 0.5
    rate_hz: Annotated[
        NonNegative, Meta(description="the sampling rate, in Hz; 0: that which the recordings state")
    ] = 0.0
    channel_names: Annotated[
        tuple[str, ...],
        Meta(
            description="the names of the channels, for files that name none; those that end in x, y and z are axes of "
            "one sensor, as accx, accy, accz"
        ),
    ] = ()
    folders: Annotated[
        tuple[Literal["class", "subject", ""], ...],
        Meta(
            description="what the levels of folders say, from the outermost, besides `training` and `testing`; empty "
            "text: nothing"
        ),
    ] = ("class",)
    subject_piece: Annotated[
        int,
        Meta(
            description="which piece of a file's name, cut at `.`, `_` and `-`, is the subject, from 1; 0: none",
            ge=0,
            le=100,
        ),
    ] = 0
    test_subjects: Annotated[
        tuple[str, ...],
        Meta(
            description="the subjects, or recordings, whose windows are the test rows; empty: those in a folder "
            "`testing`, or else a share of `data.test_fraction` of the subjects"
        ),
    ] = ()
    background: Annotated[
        str, Meta(description="the class that is no event, such as idle; empty: every class is one")
    ] = ""
    false_alarms_per_hour: Annotated[
        NonNegative,
        Meta(
            description="the most false alarms per hour that the rule of events may have on windows that its model was "
            "not fitted to; of the rules that keep this the one that is right for most of the time is taken"
        ),
    ] = 1.0
    one_class: Annotated[
        bool,
        Meta(
            description="whether there are only normal windows: nothing is searched, and the models say whether a "
            "window is normal or unknown"
        ),
    ] = False
    rejection: Annotated[
        Literal["none", "envelope", "mahalanobis"],
        Meta(
            description="what makes a window unknown, whatever its scores: a feature outside of its envelope, or a "
            "distance from all centres of classes (Mahalanobis', diagonal) above a threshold; of the features that the "
            "tree reads, in 100 B of constants at most"
        ),
    ] = "none"
    rejected_share: Annotated[
        float,
        Meta(
            description="the share of known windows that `rejection` may take for unknown, of subjects or recordings "
            "that it was not fitted to",
            gt=0,
            lt=0.5,
        ),
    ] = 0.01
    counts_per_unit: Annotated[
        dict[str, Positive],
        Meta(
            description="for each channel: the integers that stand for one of its units in what the firmware is fed; "
            "for a channel left out: half of what lets its largest training sample fit 16 bits"
        ),
    ] = {}
    most_features: Annotated[
        int,
        Meta(
            description="how many of the candidate features the search may use: those that tell single classes best "
            "on the training rows, without near copies of others",
            ge=1,
            le=10_000,
        ),
    ] = 200

    @property
    def is_used(self) -> bool:
        """Whether the rows are made of recordings."""
        return bool(self.windows or self.lags)


class CompressConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What makes the models of the front smaller when the search has ended."""

    prune: Annotated[
        Literal["none", "ablation", "taylor", "line"],
        Meta(
            description="the criterion by which edges are cut out of the front's models, step by step; what nothing "
            "dominates joins the front"
        ),
    ] = "none"
    early_exit: Annotated[
        bool,
        Meta(
            description="whether the models' code stops as soon as its class is certain: costs are those of such code, "
            "`mean_latency_s` is known, and `neuraltree export` writes it; for classes in int8 and straight style"
        ),
    ] = False


class BaselinesConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Ordinary models trained for comparison, on the run's rows and in its folds."""

    models: Annotated[
        tuple[str, ...],
        Meta(
            description='the baselines to train, any of "linear", "mlp_8", "mlp_100", "pruned_mlp", "cart"; empty: '
            "no baselines"
        ),
    ] = ("linear", "cart")


class EnergyConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run's energy and CO2 are estimated by, from its CPU seconds. Nothing is assumed if nothing is stated."""

    watts_per_core: Annotated[
        NonNegative,
        Meta(description="the power of a busy processor core, in watts; 0: not stated, so energy is not estimated"),
    ] = 0.0
    watts_source: Annotated[
        str, Meta(description="where this power is from, such as a data sheet or a meter; goes into `manifest.json`")
    ] = ""
    grams_co2_per_kwh: Annotated[
        NonNegative,
        Meta(description="the CO2 of the electricity, in grams per kWh; 0: not stated; needs `watts_per_core`"),
    ] = 0.0
    co2_source: Annotated[
        str, Meta(description="where this intensity is from, with its year; goes into `manifest.json`")
    ] = ""


class TrackingConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Experiment trackers of other projects that are told of the run; see tracking.md. They change no result."""

    mlflow: Annotated[
        str, Meta(description="the URI of an MLflow tracking server or store, as `sqlite:///runs.db`; empty: none")
    ] = ""
    tensorboard: Annotated[
        bool, Meta(description="whether event files for TensorBoard are written to the run's folder `tensorboard`")
    ] = False
    wandb: Annotated[bool, Meta(description="whether Weights & Biases is told, by the account that is logged in")] = (
        False
    )


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The config of a run. Operators left out of ``variation`` keep their default probability."""

    data: DataConfig
    run: RunConfig = RunConfig()
    task: TaskConfig = TaskConfig()
    space: SpaceConfig = SpaceConfig()
    search: SearchConfig = SearchConfig()
    reference: Annotated[
        dict[str, Positive],
        Meta(description="For each objective: its value in the reference point of the hypervolume, in its unit."),
    ] = {}
    variation: Annotated[
        dict[str, NonNegative],
        Meta(description="For each variation operator: its relative probability; 0 switches it off. See tables.md."),
    ] = {}
    train: TrainConfig = TrainConfig()
    hardware: HardwareConfig = HardwareConfig()
    constraints: Annotated[
        dict[str, NonNegative],
        Meta(
            description="For each objective, count or cost: the largest value that a model may have, in its unit. An "
            "error can be limited only if it is in `search.objectives`."
        ),
    ] = {}
    compress: CompressConfig = CompressConfig()
    signal: SignalConfig = SignalConfig()
    baselines: BaselinesConfig = BaselinesConfig()
    energy: EnergyConfig = EnergyConfig()
    tracking: TrackingConfig = TrackingConfig()


ENDINGS = (".csv", ".tsv", ".txt", ".npz", ".parquet", ".arrow", ".feather", ".npy")
OPENML = "openml:"  # the beginning of a ``data.source`` that is fetched from the network


def is_path(source: str) -> bool:
    """Whether a ``data.source`` is the path of a file; otherwise it is the name of a known table."""
    return not source.startswith(OPENML) and (
        "/" in source or os.sep in source or source.lower().removesuffix(".gz").endswith(ENDINGS)
    )
