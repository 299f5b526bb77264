"""The models of recordings, each with its front end and the rule that makes events of its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.export.c.decisions import score_threshold
from neuraltree.signals.event_choice import Scored, chosen_rule
from neuraltree.signals.event_rule import SCORE_UNIT, EventRule
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.sample_integers import LARGEST
from neuraltree.signals.signal_model import NO_RULE, SignalModel, dumps, reduced
from neuraltree.tree.nodes import IntArray, Nodes
from neuraltree.tree.tree import Tree
from search.config.settings import SignalConfig
from search.engine.evaluate import Problem, validation_outputs
from search.engine.integer_scores import integer_outputs
from search.errors import InputError
from search.folder.records import SIGNALS, RunFolder, write_text
from search.judge.signals.held_out_rejections import fitted_rejections
from search.strict import shown
from search.table.data import Table
from search.table.signals.holding import fronts_of


def background_of(signal: SignalConfig, classes: Sequence[str]) -> int:
    """The place of the class that is no event, -1 for none; ``InputError`` if there is no such class."""
    if not signal.background:
        return -1
    if signal.background not in classes:
        raise InputError(f"signal.background = {shown(signal.background)} is no class; allowed: {', '.join(classes)}")
    return list(classes).index(signal.background)


def signal_models(
    made: Sequence[tuple[Tree, int]],
    held_out: tuple[Problem, list[Nodes]],
    table: Table,
    train_rows: IntArray,
    signal: SignalConfig,
) -> list[SignalModel]:
    """The models of finished trees, each given with the place of its hop; without features that nothing reads.

    ``held_out``: the same trees with weights of folds, and the problem whose rows these were not fitted to.
    """
    assert table.front is not None
    of_hops = fronts_of(table.front, table.hops)
    fronts = [of_hops[hop] for _, hop in made]
    thresholds = [score_threshold(tree) for tree, _ in made]
    rules = held_out_rules(held_out, table, train_rows, signal, fronts, thresholds)
    parts = zip(fronts, [tree for tree, _ in made], rules, strict=True)
    models = [reduced(SignalModel(*each)) for each in parts]
    rejections = fitted_rejections(models, table, train_rows, signal)
    return [replace(model, rejection=each) for model, each in zip(models, rejections, strict=True)]


def held_out_rules(
    held_out: tuple[Problem, list[Nodes]],
    table: Table,
    train_rows: IntArray,
    signal: SignalConfig,
    fronts: Sequence[FrontEnd],
    thresholds: Sequence[int],
) -> list[EventRule]:
    """For each tree the rule that is best on the rows that its weights were not fitted to; of numbers, no rule.
    ``thresholds``: see ``score_threshold``."""
    problem, trees = held_out
    if table.classes is None:
        return [NO_RULE] * len(trees)
    assert table.moments is not None
    background = background_of(signal, [str(label) for label in table.classes or ()])
    rows = train_rows[problem.validation_rows]
    found = []
    for tree, front, threshold in zip(trees, fronts, thresholds, strict=True):
        outputs = (integer_outputs if problem.in_integers else validation_outputs)(problem, [tree])[0]
        scores = scores_of(outputs.T, threshold)
        decides = table.moments[rows, 1] % front.hop == 0
        rule, _ = chosen_rule(
            _in_order(scores[decides], table, rows[decides]),
            background=background,
            hop_s=front.hop / front.rate_hz,
            tolerance=front.longest // front.hop,
            most_alarms_per_hour=signal.false_alarms_per_hour,
        )
        found.append(rule)
    return found


def scores_of(logits: FloatArray, threshold: int = 0) -> IntArray:
    """(rows, classes) as the firmware has them: of two classes 0 and the logit less the ``threshold``, a score."""
    wide = np.clip(np.rint(logits * SCORE_UNIT) - threshold, -LARGEST, LARGEST).astype(np.int64)
    return wide if wide.shape[1] > 1 else np.hstack([np.zeros_like(wide), wide])


def _in_order(scores: IntArray, table: Table, rows: IntArray) -> list[Scored]:
    """The rows of each recording in their order. Decisions without a label are passed over, with what they would have
    reported."""
    assert table.moments is not None
    order = np.lexsort(table.moments[rows].T[::-1])
    parts = np.split(order, np.flatnonzero(np.diff(table.moments[rows[order], 0])) + 1)
    return [Scored(scores[part], table.y[rows[part]]) for part in parts]


def write_signal_models(folder: RunFolder, models: Sequence[SignalModel]) -> None:
    """``signals/000.json`` and on: what firmware is made of, beside the trees alone in ``models``."""
    place = folder.path / SIGNALS
    place.mkdir(exist_ok=True)
    for left in place.glob("*.json"):
        left.unlink()
    for i, model in enumerate(models):
        write_text(place / f"{i:03d}.json", dumps(model))
