"""A config and a table turned into the engine's input: the split, the scaling, the space, the reference point."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from neuraltree import hardware
from neuraltree.compress.int8.ranges import fit_input_range
from neuraltree.engine.training import Settings, make_data
from neuraltree.hardware.signals.front_costs import FrontCosts
from neuraltree.tasks.metrics import Truth
from neuraltree.tasks.task import Task, encode, make_task
from neuraltree.tree.folding import far
from neuraltree.tree.generate import reference_tree, varied_tree
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space, TreeError, check
from search.config.code_rule import code_of, codes_of, rule_of
from search.config.config import Config
from search.config.settings import SignalConfig
from search.engine.budgets import budgets
from search.engine.evaluate import Problem
from search.engine.evolution_step import Strategy
from search.engine.reference_point import scale_of
from search.engine.row_samples import first_rows
from search.engine.typed_inputs import typed_inputs
from search.errors import InputError
from search.objectives import KINDS, NAMES, ROBUST, columns_of, first_metric, metric_of, rows_of
from search.selection.survivors import check_method
from search.strict import shown
from search.table.data import Table
from search.table.signals.holding import fronts_of, holders, positions_of
from search.table.split_checks import checked_parts
from search.table.splits import RowIndices, positions
from search.variation.choice_genes import choice_gene
from search.variation.genes import FORMAT, HOP, SHRINKING, Gene
from search.variation.operators import make_toolbox
from search.variation.shrinkage import rate_gene

# The default weight decay is their quotient by the number of training rows, but no more than the second: the more rows,
# the less a tree overfits them, and the more steps of an epoch decay its weights. `benchmarks.run decay` has the
# evidence.
DECAYED_ROWS, MOST_DECAY = 120, 0.3


@dataclass(frozen=True)
class Setup:
    """A run that is ready to begin. ``test_rows`` are read once, when the final front is scored."""

    problem: Problem
    strategy: Strategy
    train_rows: NDArray[np.int64]
    test_rows: NDArray[np.int64]
    scaler: Scaler
    target_scaler: Scaler | None
    finetune_epochs: int  # epochs of fine-tuning the final front as 8-bit models
    tuned: bool = False  # whether the thresholds of two classes are chosen out of fold
    last_epochs: int = 0  # epochs of the final refit; 0: as many as in a generation
    cutting: str = "none"  # the criterion by which the front's trees are cut, see ``cut_finalists``
    stream_settings: Settings | None = None  # of the refit, if its rows come in blocks
    signal: SignalConfig | None = None  # what is said of recordings, if the rows are made of them
    stream_rows: int = 0  # training rows of the refit, if they come in blocks


def set_up(config: Config, table: Table, *, all_rows: bool = False, workers: int = 0) -> Setup:
    """A run of a config on a table. ``all_rows``: no test rows are set apart. ``workers``: threads, 0 for all cores.

    Raises ``InputError`` if config and table do not fit together.
    """
    task = _task(config, table)
    device = _device(config, table)
    whole = table.whole
    test_fraction = 0.0 if all_rows else config.data.test_fraction
    train_rows, test_rows, folds = checked_parts(table, config.search.folds, test_fraction, config.run.seed)
    scaler = whole.scaler if whole else Scaler.fit(table.X[train_rows])
    inputs = scaler.transform(table.X[train_rows])
    regression = table.kind == "regression"
    target = table.y[train_rows]
    columns = target.reshape(len(target), -1)
    target_scaler = (whole.target_scaler if whole else Scaler.fit(columns)) if regression else None
    scaled = target_scaler.transform(columns).reshape(target.shape) if target_scaler else target
    space = _space(config, table, task)
    if whole:
        _check_streamed(config)
    settings = _settings(config, task, len(train_rows))
    weight = _row_weight(config, table, train_rows)
    problem = Problem(
        space=space,
        task=task,
        settings=settings,
        data=make_data(inputs, encode(task, scaled), weight, settings.precision),
        truth=Truth(task, scaled, target_scaler.scale if target_scaler else 1.0, group=_groups(table, train_rows)),
        folds=tuple(positions(folds, train_rows)),
        whole=np.arange(len(train_rows)),
        metrics=_metrics(config, table),
        classes=tuple(map(str, table.classes or ())) if "class_errors" in config.search.objectives else (),
        epochs=config.train.epochs,
        patience=config.train.patience,
        seed=config.run.seed,
        device=device,
        code=code_of(config, device),
        rule=rule_of(config, device),
        inputs=typed_inputs(config.hardware.input, table, train_rows, scaler, fit_input_range(inputs)),
        far=far(scaler),
        workers=workers or os.cpu_count() or 1,
        early_exit=_exits_early(config, table),
        formats=config.hardware.formats,
        robust_radius=config.search.robust_radius if ROBUST in config.search.objectives else 0.0,
        fronts=_front_costs(config, table, device),
        holders=positions_of(holders(table.moments, table.hops), train_rows) if table.moments is not None else None,
        first_rows=_first_rows(table, train_rows) if config.search.rows == "auto" else 0,
    )
    strategy = _evolution(config, table, problem)
    epochs = config.hardware.finetune_epochs
    return Setup(
        *(problem, strategy, train_rows, test_rows, scaler, target_scaler, epochs, _tuned(config, task)),
        cutting=config.compress.prune,
        signal=config.signal if config.signal.is_used else None,
        stream_settings=_settings(config, task, whole.train_rows) if whole else None,
        stream_rows=whole.train_rows if whole else 0,
    )


def _check_streamed(config: Config) -> None:
    """``InputError`` for what a table that is read in blocks cannot have."""
    if config.train.teachers:
        raise InputError(
            "train.teachers: teachers learn from a table in memory, and this one is read in blocks; leave them out, "
            "or read the table whole: sample_rows = 0"
        )


def _exits_early(config: Config, table: Table) -> bool:
    if config.compress.early_exit and table.classes is None:
        raise InputError(
            f"compress.early_exit: a class can be certain before all is computed, but {config.data.source!r} is a "
            f"{table.kind} task; leave it out"
        )
    if config.compress.early_exit and table.front is not None:
        raise InputError("compress.early_exit: code that is fed samples computes everything; leave it out")
    return config.compress.early_exit


def _first_rows(table: Table, rows: RowIndices) -> int:
    counted = rows if table.weight is None else rows[table.weight[rows] > 0]
    return first_rows(table.y[counted], len(table.classes or ()))


def natural_truth(setup: Setup, table: Table, task: Task) -> Truth:
    """The targets of the test rows in natural units."""
    deviation = setup.target_scaler.scale if setup.target_scaler else 1.0
    return Truth(task, table.y[setup.test_rows], deviation=deviation, group=_groups(table, setup.test_rows))


def _groups(table: Table, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    return None if table.fairness is None else table.fairness.codes[rows]


def _tuned(config: Config, task: Task) -> bool:
    if config.search.threshold == "tuned" and (task.kind, task.output_activation) != ("binary", "identity"):
        raise InputError(
            f'search.threshold = "tuned" is for two classes and the loss of logits, but {config.data.source!r} is a '
            f'{task.kind} task with the loss {task.loss!r}; set it to "default"'
        )
    return config.search.threshold == "tuned"


def _task(config: Config, table: Table) -> Task:
    for row in rows_of(config.search.objectives):
        if table.kind not in KINDS[row.tasks]:
            suited = [other.name for other in rows_of(NAMES) if table.kind in KINDS[other.tasks]]
            raise InputError(
                f"search.objectives: {row.name!r} is for {row.tasks}, but {config.data.source!r} is a {table.kind} "
                f"task; allowed here: {', '.join(suited)}"
            )
    if "worst_group_error" in config.search.objectives and table.fairness is None:
        raise InputError(
            "search.objectives: 'worst_group_error' compares the groups of data.fairness_group; name their column"
        )
    try:
        return make_task(table.kind, len(table.classes or ()), config.task.loss, table.targets)
    except ValueError as error:
        raise InputError(f"task.loss: {error}") from None


def _front_costs(config: Config, table: Table, device: hardware.Device | None) -> tuple[FrontCosts, ...]:
    """The costs of features of windows for each hop, if the columns of the table are such features."""
    if table.front is None or device is None:
        return ()
    code, classes = code_of(config, device), len(table.classes or ())
    try:
        return tuple(
            FrontCosts(front, device, code.compiler, classes=classes, precision=config.hardware.first_format)
            for front in fronts_of(table.front, table.hops)
        )
    except ValueError as error:
        raise InputError(str(error)) from None


def _device(config: Config, table: Table) -> hardware.Device | None:
    precision = config.hardware.precision
    if config.hardware.finetune_epochs and precision != "int8":
        named = f'"{precision}"' if isinstance(precision, str) else shown([*precision])
        raise InputError(
            f"hardware.finetune_epochs = {config.hardware.finetune_epochs} fine-tunes 8-bit models, but "
            f'hardware.precision = {named}; set it to "int8", or finetune_epochs to 0'
        )
    if not config.hardware.device:
        return None
    if table.targets > 1:
        raise InputError(
            f"the cost on a device is that of a model of one target; there are {table.targets}: leave out the "
            "device, or search for one model per target"
        )
    try:
        device = hardware.load_device(config.hardware.device)
        codes = codes_of(config, device)
    except ValueError as error:
        raise InputError(f"hardware: {error}") from None
    unknown = [" ".join(code) for code in codes if not hardware.has_worst(device, *code)]
    if unknown and hardware.WORST in (*config.search.objectives, *config.constraints):
        raise InputError(
            f"{hardware.WORST}: {config.hardware.device} has no figures for the slowest prediction of "
            f"{unknown[0]}; leave it out, or give the profile entries.worst_cycles"
        )
    return device


def _space(config: Config, table: Table, task: Task) -> Space:
    least = 2 * task.n_outputs
    if config.space.max_nodes < least:
        raise InputError(
            f"space.max_nodes = {config.space.max_nodes} has no room for {task.n_outputs} outputs with an input each; "
            f"at least {least} are needed for {config.data.source!r}"
        )
    return Space(
        n_features=table.X.shape[1],
        n_outputs=task.n_outputs,
        activations=config.space.activations,
        output_activation=task.output_activation,
        max_nodes=config.space.max_nodes,
        max_depth=config.space.max_depth,
        max_arity=config.space.max_arity,
    )


def _settings(config: Config, task: Task, rows: int) -> Settings:
    train = config.train
    # The lesson of a teacher has too many rows to overfit.
    usual = 0.0 if train.teachers else min(MOST_DECAY, DECAYED_ROWS / rows)
    decay = usual if train.weight_decay == "auto" else train.weight_decay
    return Settings(
        loss=task.loss,
        optimizer=train.optimizer,
        learning_rate=train.learning_rate,
        schedule=train.schedule,
        batch_size=min(train.batch_size, rows),
        precision=train.precision,
        weight_decay=decay,
    )


def _row_weight(config: Config, table: Table, rows: RowIndices) -> NDArray[np.float64] | None:
    """The weight of each training row, None if all are 1.

    "balanced" divides each weight by the number of training rows of its class.
    """
    if table.weight is None and config.task.class_weight == "none":
        return None
    # Largest first: sums of the tiniest doubles have no reciprocal.
    weight = np.ones(len(rows)) if table.weight is None else table.weight[rows] / table.weight[rows].max()
    if config.task.class_weight == "balanced":
        weight = weight / np.bincount(table.y[rows])[table.y[rows]]
    return weight


def _metrics(config: Config, table: Table) -> dict[str, str]:
    """The metric in each column; ``val_error`` holds the first metric among the objectives, or the default."""
    rows = [row for row in rows_of(config.search.objectives) if row.source == "metric" and row.name != "class_errors"]
    first = first_metric(config.search.objectives)
    return {"val_error": metric_of(first, table.kind)} | {row.column: metric_of(row, table.kind) for row in rows}


def _evolution(config: Config, table: Table, problem: Problem) -> Strategy:
    columns: list[str] = []
    reference: list[float] = []
    scale = scale_of(problem)
    for row in rows_of(config.search.objectives):
        value = config.reference.get(row.name, row.reference(scale))
        for column in columns_of(row.name, table.classes):
            columns.append(column)
            reference.append(value)
    check_method(config.search.selection, len(columns))
    return Strategy(
        population=config.search.population,
        method=config.search.selection,
        inherit=config.search.inherit,
        retrain_survivors=config.search.retrain_survivors,
        toolbox=make_toolbox(problem.space, config.variation),
        objectives=tuple(columns),
        reference=np.array(reference),
        bounds=budgets(config, table, problem),
        new_tree=_generator(config, problem.space, len(problem.folds)),
        pruned=_pruned(config, problem.task),
        genes=_genes(config),
    )


def _genes(config: Config) -> tuple[Gene, ...]:
    """What each tree has beside its nodes."""
    rates, formats = {name: getattr(config.train, name) for name in SHRINKING}, config.hardware.formats
    shrinking = [rate_gene(name, rate) for name, rate in rates.items() if rate]
    hops = config.signal.hops if config.signal.is_used else ()
    chosen = [choice_gene(FORMAT, len(formats))] * bool(formats) + [choice_gene(HOP, len(hops))] * (len(hops) > 1)
    return (*shrinking, *chosen)


def _pruned(config: Config, task: Task) -> int:
    """For two classes or numbers pruned trees were no better than others, and worse with many inputs."""
    if task.kind != "multiclass" or not config.search.inherit or config.space.generator != "ours":
        return 0
    return int(config.search.pruned_share * config.search.population)


def _generator(config: Config, space: Space, folds: int) -> Callable[[np.random.Generator], Nodes]:
    if config.space.generator == "ours":
        return partial(varied_tree, space=space, folds=folds)
    rng = np.random.default_rng(0)
    legal = sum(_reference_like(rng, space, folds) is not None for _ in range(100))
    if legal < 10:
        raise InputError(
            "space.generator = 'reference' makes trees of sigmoid nodes with up to 4 children, depth 6 and about 130 "
            f"nodes; of 100 only {legal} fit max_nodes = {space.max_nodes}, max_depth = {space.max_depth}, max_arity = "
            f"{space.max_arity}, activations {', '.join(space.activations)}; raise the limits, or use 'ours'"
        )
    return partial(_reference_tree, space=space, folds=folds)


def _reference_tree(rng: np.random.Generator, space: Space, folds: int) -> Nodes:
    while (tree := _reference_like(rng, space, folds)) is None:
        pass  # ends: at least one in ten fits, else the config was refused
    return tree


def _reference_like(rng: np.random.Generator, space: Space, folds: int) -> Nodes | None:
    """A tree from the generator of BNeuralT, with the outputs of the task; None if it does not fit the space."""
    tree = reference_tree(rng, space.n_features, space.n_outputs, folds=folds)
    tree["op"][tree["depth"] == 0] = ~space.output_code
    with suppress(TreeError):
        check(tree, space)
        return tree
    return None
