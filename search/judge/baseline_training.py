"""Training a run's baselines: on its rows, in its folds, scored by its metrics."""

from __future__ import annotations

import math
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from neuraltree.arrays import FloatArray
from neuraltree.cli.patience import patience
from neuraltree.tasks.metrics import Truth, metric_named
from neuraltree.tasks.task import Task, make_task
from search.baselines.baseline_models import Model, Sample
from search.baselines.baseline_table import BY_NAME, Row
from search.baselines.make import Made
from search.engine.evaluate import Fold
from search.engine.problem import Setup, natural_truth
from search.errors import DamagedError
from search.folder.baselines_csv import Baseline, load_baselines, write_baselines
from search.folder.columns import told_tests
from search.folder.records import RunFolder
from search.judge.honest import FOLDS, judging_folds, parts_of_error, standard_error
from search.strict import one_line
from search.table.data import Table

PROBED_ROWS = 1000  # most rows of the fit that predicts the seconds of all


class Trained(NamedTuple):
    """The baselines of one row of the table, and the number of fits with a warning, by category of warning."""

    baselines: list[Baseline]
    warned: Counter[str]
    fits: int


def affordable(
    models: Sequence[str], setup: Setup, table: Table, say: Callable[[str], None], limit_s: float
) -> dict[str, float]:
    """The models that take no more than ``limit_s`` together, the quickest first, with their predicted seconds."""
    with patience(say, "predicting the time of baselines"):
        predicted = {name: _predicted_s(BY_NAME[name], setup, table) for name in models}
    found: dict[str, float] = {}
    for name in sorted(models, key=lambda name: predicted[name]):
        if sum(found.values()) + predicted[name] <= limit_s:
            found[name] = predicted[name]
        else:
            say(f"{BY_NAME[name].label} is left out: it takes about {predicted[name]:.0f} s, too much of the time")
    return found


def _predicted_s(row: Row, setup: Setup, table: Table) -> float:
    """The seconds of all fits of a baseline, by a fit to some of the rows; infinite if it fails."""
    sample, folds = _sample(setup, table), len(setup.problem.folds)
    some = np.arange(len(sample.y))[:: -(-len(sample.y) // PROBED_ROWS)]
    make = _Fits(row, setup.problem.seed, lambda: False)
    try:
        make(sample.take(some), row.penalties[0])  # the first fit of a process imports scikit-learn
        begun = time.perf_counter()
        make(sample.take(some), row.penalties[-1])
    except ValueError:
        return math.inf
    fits = len(row.penalties) * folds + 2 * (1 + FOLDS)
    return (time.perf_counter() - begun) * fits * len(sample.y) / len(some)


def train_baselines(
    models: Sequence[str],
    setup: Setup,
    table: Table,
    folder: RunFolder,
    beside: FloatArray,
    say: Callable[[str], None],
    stopping: Callable[[], bool],
) -> None:
    """Write ``baselines.csv`` for ``models``; those already in it are kept.

    ``beside`` (folds,): the parts of the honest error of the member to compare them with.
    Raises ``KeyboardInterrupt`` when ``stopping()`` is true; models finished by then are in the file.
    """
    wanted = [BY_NAME[name] for name in models]
    try:
        # Those of an older version have not been judged.
        found = {row.name: row for row in load_baselines(folder.path) if "honest_difference" in row.values}
    except DamagedError as error:
        say(f"{error}; the baselines are trained again")
        found = {}
    missing = [row for row in wanted if not found.keys() & set(row.names.values())]
    if missing:
        say(f"training {', '.join(row.label for row in missing)} on the same rows, for comparison")
    order = [name for row in wanted for name in row.names.values()]
    for row in missing:
        if stopping():
            raise KeyboardInterrupt
        begun = time.perf_counter()
        try:
            with patience(say, f"training {row.label}") as note:
                trained = train_row(row, setup, table, beside, stopping, note)
        except ValueError as error:  # the optimiser diverged, or scikit-learn refuses the table
            say(f"  {row.label} could not be trained: {one_line(error)}")
            continue
        seconds = time.perf_counter() - begun
        found |= {made.name: _timed(made, seconds) for made in trained.baselines}
        write_baselines(folder.path, [found[name] for name in order if name in found])
        for line in _lines(trained, seconds):
            say(line)


def train_row(
    row: Row,
    setup: Setup,
    table: Table,
    beside: FloatArray | None = None,
    stopping: Callable[[], bool] = lambda: False,
    note: Callable[[str], None] = lambda far: None,
) -> Trained:
    """Choose each size's penalty by its error in the run's folds, fit to all training rows, score on the test rows.

    ``beside`` (folds,): the parts of the honest error of a member to compare them with; test scores need test rows.
    ``val_error`` was therefore used for selection, as it was for the trees. ``note`` is told how far the fits are.
    Raises ``ValueError`` if a fit fails.
    """
    fits, sample = _Fits(row, setup.problem.seed, stopping, note), _sample(setup, table)
    errors = {penalty: _fold_errors(fits, penalty, sample, setup, table) for penalty in row.penalties}
    sizes = list(errors[row.penalties[0]])
    chosen = {size: min(row.penalties, key=lambda penalty: errors[penalty][size]) for size in sizes}
    everything = np.arange(len(sample.y))
    final = {penalty: fits(sample.take(everything), penalty) for penalty in set(chosen.values())}
    anew = judging_folds(setup, table, 0)
    honest = {penalty: _honest(fits, penalty, sample, setup, table, anew, beside) for penalty in final}
    made = []
    for size, penalty in chosen.items():
        model = final[penalty][size]
        values = {"val_error": errors[penalty][size]}
        values |= _test_scores(model, setup, table) if len(setup.test_rows) else {}
        values |= honest[penalty][size]
        values |= {"weights": float(model.weights), "macs": float(model.macs)}
        values |= row.cost(setup.problem, table.kind, model)
        made.append(Baseline(row.names[size], row.labelled(size), values))
    return Trained(made, fits.warned, fits.number)


class _Fits:
    """Fits of one row, on one thread so that the number of cores does not change results; warnings are counted."""

    def __init__(
        self, row: Row, seed: int, stopping: Callable[[], bool], note: Callable[[str], None] = lambda far: None
    ) -> None:
        self.row, self.seed, self.stopping, self.note = row, seed, stopping, note
        self.warned: Counter[str] = Counter()
        self.number = 0

    def __call__(self, sample: Sample, penalty: float) -> Made:
        with warnings.catch_warnings(record=True) as caught, threadpool_limits(1):
            warnings.simplefilter("always")
            made = self.row.make(sample, penalty, self.seed)
        if self.stopping():
            raise KeyboardInterrupt
        self.warned.update({warning.category.__name__ for warning in caught})
        self.number += 1
        self.note(f"{self.number} fits done")
        return made


def _sample(setup: Setup, table: Table) -> Sample:
    """All training rows, scaled and weighted as for the trees."""
    weight = setup.problem.data.weight[: len(setup.train_rows)].astype(np.float64)
    X = setup.scaler.transform(table.X[setup.train_rows])
    return Sample(X, setup.problem.truth.target, weight, table.kind)


def _task(table: Table) -> Task:
    """The task of the baselines: they give logits, whatever loss the trees are trained with."""
    return make_task(table.kind, len(table.classes or ()))


def _honest(
    fits: _Fits,
    penalty: float,
    sample: Sample,
    setup: Setup,
    table: Table,
    folds: Sequence[Fold],
    beside: FloatArray | None,
) -> dict[int, dict[str, float]]:
    """By size, the honest error, in the ``folds`` of the first repeat in which the front was judged, and how much it is
    above that of ``beside`` there."""
    problem = setup.problem
    truth = problem.truth._replace(task=_task(table))
    found = {}
    for size, outputs in _held_out(fits, penalty, sample, folds).items():
        parts = parts_of_error(problem.metrics["val_error"], truth, folds, _finite(outputs).T[None])
        found[size] = _mean("honest_error", parts, folds)
        found[size] |= {} if beside is None else _mean("honest_difference", parts - beside, folds)
    return found


def _mean(name: str, parts: FloatArray, folds: Sequence[Fold]) -> dict[str, float]:
    return {name: float(parts.mean()), f"{name}_se": float(standard_error(parts, folds)[0])}


def _held_out(fits: _Fits, penalty: float, sample: Sample, folds: Sequence[Fold]) -> dict[int, FloatArray]:
    """By size, (rows, outputs) for all validation rows, each by the model that was not fitted to it."""
    parts: dict[int, list[FloatArray]] = {}
    for fit, held in folds:
        for size, model in fits(sample.take(fit), penalty).items():
            parts.setdefault(size, []).append(model.outputs(sample.X[held]))
    return {size: np.concatenate(found) for size, found in parts.items()}


def _fold_errors(fits: _Fits, penalty: float, sample: Sample, setup: Setup, table: Table) -> dict[int, float]:
    """By size, the error over all validation rows together, each predicted by the model that was not fitted to it."""
    problem = setup.problem
    truth = problem.validation_truth._replace(task=_task(table))
    held_out = _held_out(fits, penalty, sample, problem.folds)
    return {size: _score(problem.metrics["val_error"], truth, outputs) for size, outputs in held_out.items()}


def _test_scores(model: Model, setup: Setup, table: Table) -> dict[str, float]:
    """Error by the metric of ``val_error``, and R² or accuracy, on the test rows, in natural units."""
    outputs = model.outputs(setup.scaler.transform(table.X[setup.test_rows]))
    if setup.target_scaler is not None:
        outputs = setup.target_scaler.inverse(outputs)
    truth = natural_truth(setup, table, _task(table))
    usual = "one_minus_r2" if table.kind == "regression" else "error_rate"
    error = _score(setup.problem.metrics["val_error"], truth, outputs)
    return {"test_error": error, "test_score": 1.0 - _score(usual, truth, outputs)}


def _score(metric: str, truth: Truth, outputs: FloatArray) -> float:
    return float(metric_named(metric)(truth, _finite(outputs).T[None])[0])


def _finite(outputs: FloatArray) -> FloatArray:
    if not np.isfinite(outputs).all():
        raise ValueError("its outputs are not finite")
    return outputs


def _timed(made: Baseline, seconds: float) -> Baseline:
    return Baseline(made.name, made.label, {**made.values, "seconds": seconds})


def _lines(trained: Trained, seconds: float) -> list[str]:
    """The lines that report a finished row of the table."""
    notes = "".join(f"; {name} in {count} of {trained.fits} fits" for name, count in sorted(trained.warned.items()))
    ends = [""] * (len(trained.baselines) - 1) + [f" ({seconds:.1f} s{notes})"]
    return [
        f"  {made.label}: {made.values['weights']:.0f} weights, validation error {made.values['val_error']:.4f}, "
        f"{told_tests(made.values)}{end}"
        for made, end in zip(trained.baselines, ends, strict=True)
    ]
