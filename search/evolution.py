"""The search as a parameter of an estimator: ``NeuralTreeClassifier(search=Evolution(...))``."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from neuraltree.metrics import probabilities
from neuraltree.options import Options
from neuraltree.samples import Sample
from neuraltree.train import keep_programs
from search.config import config_of
from search.data import Table
from search.engine import State, begin, step
from search.errors import InputError
from search.evaluate import validation_outputs
from search.finish import finished, live_front
from search.front import Front, Member
from search.history import History, history_of, joined, of_generation
from search.indicators import row_of, speed_of
from search.interrupts import interrupts
from search.problem import Setup, set_up
from search.progress import Phases, Reporter, reporter

SOURCE = "the rows given to fit"


class Found(NamedTuple):
    """What a search found: its front, how it evolved, and what each member predicted for rows its folds left out.

    ``validation`` (members, outputs, rows) are values in natural units, or class probabilities; ``rows`` says which
    rows of the sample.
    """

    front: Front
    history: History
    validation: NDArray[np.float64]
    rows: NDArray[np.int64]


class Evolution(BaseEstimator):
    """Evolve trees and return the whole trade-off; for the ``search`` of an estimator.

    Parameters
    ----------
    population, generations : trees, and how often they have as many children.
    objectives : what is minimised, e.g. ("error", "latency_s", "flash_bytes"); the rows of docs/tables.md.
    folds : of cross-validation on the rows given to ``fit``; 1 is one hold-out of a quarter of them.
    selection : "hypervolume" (exact), "nsga2" or "nsga3".
    device : a name of ``python -m neuraltree.hardware --list`` or a profile of yours; needed for latency, flash, RAM
        and energy. With an emulated core and the extra ``[measure]`` the final front is measured.
    precision, style, compiler : the code whose cost counts, as in a config's [hardware].
    constraints : by objective, the most a member may cost.
    reference : by objective, the reference point of the hypervolume; by default what a useless or the largest tree has.
    variation : by operator, relative probabilities; 0 switches one off.

    Raises ``ValueError`` in ``fit`` for values and rows that a search cannot work with.
    """

    def __init__(
        self,
        population: int = 100,
        generations: int = 30,
        *,
        objectives: Sequence[str] = ("error", "weights"),
        folds: int = 4,
        selection: str = "hypervolume",
        device: str | None = None,
        precision: str = "float32",
        style: str = "straight",
        compiler: str = "clang",
        constraints: Mapping[str, float] | None = None,
        reference: Mapping[str, float] | None = None,
        variation: Mapping[str, float] | None = None,
    ) -> None:
        self.population = population
        self.generations = generations
        self.objectives = objectives
        self.folds = folds
        self.selection = selection
        self.device = device
        self.precision = precision
        self.style = style
        self.compiler = compiler
        self.constraints = constraints
        self.reference = reference
        self.variation = variation

    def evolve(self, sample: Sample, options: Options, *, seed: int, n_jobs: int | None, verbose: int) -> Found:
        """Search on a sample. Ctrl-C ends the search after its generation, with the front it has by then, and a
        warning says so."""
        keep_programs()
        config = config_of(self._tables(options, seed), "Evolution")
        table = Table(
            sample.X, sample.y, sample.features, "y", sample.classes, sample.kind, digest="", weight=sample.weight
        )
        setup = set_up(config, table, all_rows=True, workers=effective_n_jobs(n_jobs))
        say = reporter(quiet=not verbose, as_json=False)
        with _stoppable(say.message) as stopping:
            state, parts, rows = _evolved(setup, self.generations, say, stopping)
            ended = len(rows) <= self.generations
            front = live_front(setup, state)
            members = finished(setup, table, front, state.shape, say.message, lambda: False)
        if ended:
            warnings.warn(
                f"the search was interrupted after generation {state.generation} of {self.generations}",
                ConvergenceWarning,
                stacklevel=4,
            )
        if not members:
            raise InputError("no tree met the constraints; loosen them or search longer")
        kept = np.array([member.place for member in members])
        outputs = validation_outputs(setup.problem, state.shape, [front.trees[i] for i in kept])
        found = Front(tuple(Member(m.status, m.values, model=m.tree) for m in members), setup.strategy.objectives)
        held = np.concatenate([rows for _, rows in setup.problem.folds])
        history = history_of(joined(parts), setup.strategy.objectives, rows)
        return Found(found, history, _natural(setup, outputs), held)

    def _tables(self, options: Options, seed: int) -> dict[str, Any]:
        """The config of this search and of an estimator's options, as parsed TOML would be."""

        def of(source: object, *names: str) -> dict[str, Any]:
            values = {name: getattr(source, name) for name in names}
            return {name: value for name, value in values.items() if value is not None}  # None: the default

        return {
            "data": {"source": SOURCE},
            "run": {"seed": seed},
            "search": of(self, "population", "generations", "selection", "folds")
            | {"objectives": list(self.objectives)},
            "space": of(options, "max_nodes", "max_depth", "max_arity") | {"activations": list(options.activations)},
            "train": of(options, "optimizer", "learning_rate", "weight_decay", "epochs", "batch_size"),
            "hardware": of(self, "device", "precision", "style", "compiler"),
            "constraints": dict(self.constraints or {}),
            "reference": dict(self.reference or {}),
            "variation": dict(self.variation or {}),
        }


def _evolved(
    setup: Setup, generations: int, say: Reporter, stopping: Callable[[], bool]
) -> tuple[State, list[dict[str, NDArray]], list[dict[str, Any]]]:
    """The last state, the history's parts and the rows of history.csv, generation by generation."""
    phases = Phases()
    say.begin(f"{setup.strategy.population} trees, {generations} generations", generations, 0)
    try:
        state, info = begin(setup.problem, setup.strategy, phases)
        parts, rows = [], []
        while True:
            parts.append(of_generation(state, info))
            seconds = phases.take()
            rows.append(row_of(state, info, seconds))
            say.generation(rows[-1] | speed_of(setup, info, seconds))
            if state.generation == generations or stopping():
                return state, parts, rows
            state, info = step(setup.problem, setup.strategy, state, phases)
    finally:
        say.close()


def _natural(setup: Setup, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values in the target's units, or class probabilities."""
    if setup.target_scaler is None:
        return probabilities(setup.problem.task, outputs)
    return outputs * setup.target_scaler.scale[:, None] + setup.target_scaler.mean[:, None]


@contextmanager
def _stoppable(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Ctrl-C as a wish to stop; only Python's main thread hears of signals."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    with interrupts(say) as stopping:
        yield stopping
