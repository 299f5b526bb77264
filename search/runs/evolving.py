"""The search behind ``Evolution``: on the rows that an estimator was given."""

from __future__ import annotations

import re
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from neuraltree.arrays import FloatArray
from neuraltree.engine.lowering import what_is_missing
from neuraltree.estimators.samples import Sample
from neuraltree.tasks.metrics import probabilities
from search.baselines.baseline_table import BY_NAME
from search.config.config import config_of
from search.config.settings import Config
from search.engine.evaluate import validation_outputs
from search.engine.evolution_step import State, generations
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.folder.baselines_csv import Baseline
from search.folder.history import History, history_of, joined, of_generation
from search.front import Front, Member
from search.interrupts import interrupts
from search.judge.baseline_training import affordable, train_row
from search.judge.finish import Finished, finalists, judged_front, last_front
from search.judge.notices import at_end, at_start
from search.runs.ending import Ending, length_of
from search.runs.indicators import row_of, speed_of
from search.runs.progress import Phases, Reporter, reporter
from search.strict import one_line
from search.table.data import Table
from search.table.split_columns import Rules
from search.teachers.teaching import lessons

# Keys of a config, and the parameters of Evolution and of estimators that they stand for.
KEYS = (
    (r" or data\.test_fraction\b", ""),
    (r"\bdata\.group\b", "groups"),
    (r"of data\.fairness_group; name their column", "of rows, which only the config of a run can name"),
    (r"\brun\.seed\b", "random_state"),
    (r"\bdata\.weight\b", "sample_weight"),
    (r"\bbaselines\.models\b", "baselines"),
    *(
        (rf"\b{section}\.(?=({'|'.join(get_type_hints(Config)[section].__struct_fields__)})\b)", "")
        for section in ("search", "space", "task", "train", "hardware")
    ),
)


class Found(NamedTuple):
    """The result of a search: its front, its history, and each member's predictions for the validation rows.

    ``validation`` (members, outputs, rows): values in natural units, or class probabilities. ``rows``: the positions
    of these rows in the sample.
    """

    front: Front
    history: History
    validation: NDArray[np.float64]
    rows: NDArray[np.int64]


def evolve(
    tables: dict[str, Any], sample: Sample, teachers: Sequence[BaseEstimator], *, n_jobs: int | None, verbose: int
) -> Found:
    """Search as the ``tables`` of a config say. Ctrl-C ends the search after the current generation, with a warning.

    Raises ``InputError`` for bad input; the message names parameters, not keys of a config.
    """
    begun = time.perf_counter()
    try:
        config = config_of(tables, "Evolution")
        table = Table(
            sample.X,
            sample.y,
            sample.features,
            "y",
            sample.classes,
            sample.kind,
            digest="",
            weight=sample.weight,
            rules=Rules(group=sample.groups),
            columns=sample.columns,
        )
        plain = set_up(config, table, all_rows=True, workers=effective_n_jobs(n_jobs))
        say, ending = reporter(quiet=not verbose, as_json=False), Ending(config.search, begun=begun)
        setup, lesson = lessons(plain, table, teachers, say.message)
    except InputError as error:
        raise InputError(in_parameters(str(error))) from None
    with _stoppable(say.message) as stopping:
        predict = partial(affordable, config.baselines.models, plain, table, say.message)
        models = ending.afford(config.baselines.models, predict)
        state, parts, rows, why = _evolved(setup, table, ending, length_of(config.search), say, stopping)
        candidates, judged = judged_front(
            setup,
            table,
            finalists(setup, state),
            say.message,
            stopping,
            lesson=lesson,
            evaluations=state.evaluations,
        )
        members = last_front(setup, table, candidates, say.message, lambda: False, evaluations=state.evaluations)
        front = Front(
            tuple(_member(m) for m in members),
            setup.strategy.objectives,
            max_nodes=config.space.max_nodes,
        )
        judged = judged.take([member.place for member in members])
        if members and judged.held_out:
            problem, outputs = judged.held_out[0], validation_outputs(*judged.held_out)
            if not stopping():
                chosen = front.members.index(front.recommended())
                beside = judged.parts[chosen]
                front = replace(front, baselines=_baselines(models, plain, table, beside, say.message, stopping))
                for line in at_end(table, problem, outputs, judged.thresholds, chosen):
                    say.message(in_parameters(line))
    if not why:
        of = "" if ending.generations is None else f" of {ending.generations}"
        warnings.warn(
            f"the search was interrupted after generation {state.generation}{of}",
            ConvergenceWarning,
            stacklevel=5,
        )
    if not members or judged.held_out is None:
        raise InputError("no tree met the constraints; loosen them or search longer")
    return Found(
        front=front,
        history=history_of(joined(parts), setup.strategy.objectives, rows),
        validation=_natural(setup, outputs),
        rows=problem.validation_rows,
    )


def _member(done: Finished) -> Member:
    code = done.texts
    return Member("ok", done.values, model=done.tree, precision=code.get("precision", ""), style=code.get("style", ""))


def _baselines(
    models: Sequence[str],
    setup: Setup,
    table: Table,
    beside: FloatArray,
    say: Callable[[str], None],
    stopping: Callable[[], bool],
) -> tuple[Baseline, ...]:
    """The baselines that can be trained on this table; those that are done when the search is stopped."""
    found: list[Baseline] = []
    with suppress(KeyboardInterrupt):
        for name in models:
            try:
                found += train_row(BY_NAME[name], setup, table, beside, stopping).baselines
            except ValueError as error:
                say(f"  {BY_NAME[name].label} could not be trained: {one_line(error)}")
    return tuple(found)


def in_parameters(message: str) -> str:
    """The message with each key of a config replaced by the parameter that it comes from."""
    for key, parameter in KEYS:
        message = re.sub(key, parameter, message)
    return message


def _evolved(
    setup: Setup, table: Table, ending: Ending, length: str, say: Reporter, stopping: Callable[[], bool]
) -> tuple[State, list[dict[str, NDArray]], list[dict[str, Any]], str]:
    """The last state, by generation the parts of the history and the rows of history.csv, and why the search ended; ""
    if it was asked to stop."""
    phases = Phases()
    for line in (what_is_missing(), *at_start(table, setup)):
        if line:
            say.message(in_parameters(line))
    say.begin(f"{setup.strategy.population} trees, {length}", ending.generations, 0)
    try:
        parts, rows = [], []
        for state, info in generations(setup.problem, setup.strategy, phases):
            parts.append(of_generation(state, info))
            seconds = phases.take()
            row = row_of(state, info, seconds)
            rows.append({name: np.nan if value is None else value for name, value in row.items()})
            say.generation(row | speed_of(setup, state, info, seconds))
            ending.note(setup, state, info, seconds)
            if (why := ending.why(state.generation)) or stopping():
                break
        return state, parts, rows, why
    finally:
        say.close()


def _natural(setup: Setup, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values in the target's units, or class probabilities."""
    if setup.target_scaler is None:
        return probabilities(setup.problem.task, outputs)
    return outputs * setup.target_scaler.scale[:, None] + setup.target_scaler.mean[:, None]


@contextmanager
def _stoppable(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C into a request to stop, but only in the main thread and if the user has no handler of their own."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not ours or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    with interrupts(say, (signal.SIGINT,)) as stopping:
        yield stopping
