"""The end of a run: judge the front, refit it on all training rows, remove dominated members, test once and save."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree import hardware
from neuraltree.cli.patience import patience
from neuraltree.compress.formats import NARROW, c_format
from neuraltree.compress.int8.clipping import fit_ranges
from neuraltree.compress.int8.finetune import finetune
from neuraltree.compress.int8.losing import LARGE_LOSS, int8_loss, loses_much
from neuraltree.compress.narrow.with_format import with_weight_format
from neuraltree.hardware.choice import Decision, decide
from neuraltree.hardware.choice_words import word_of_codes
from neuraltree.hardware.exiting import costs_with_exits
from neuraltree.hardware.model.cost_names import LOAD, MEAN
from neuraltree.signals.signal_model import SignalModel, reduced
from neuraltree.tree.model_files import dumps
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree
from search.engine.budgets import within
from search.engine.cut_finalists import with_cuts
from search.engine.evaluate import COUNTS, Columns, Problem, costs, refit, trained, with_fronts
from search.engine.evolution_step import State, front_of
from search.engine.population import Members, objectives, violation
from search.engine.problem import Setup, natural_truth
from search.folder.records import RunFolder, write_csv, write_text
from search.judge.answers import held_out_answers, write_answers
from search.judge.honest import Judged, judge, refit_course
from search.judge.measured_front import MEASURED, measure_front
from search.judge.signals.held_out_rejections import fitted_rejections
from search.judge.signals.signal_models import held_out_rules, write_signal_models
from search.judge.streamed_refit import trained_on_stream
from search.judge.test_scores import FLOATS, Tested, test_scores
from search.judge.units import Kept, Units
from search.objectives import HONEST_MEAN, ROBUST_SCORE, USUAL_COSTS, beside_honest, named_columns
from search.selection.dominance import undominated
from search.table.data import Table
from search.table.signals.holding import fronts_of
from search.variation.genes import FORMAT, HOP, Genes, genes_of

SCORES = ("test_error", "test_score", "int8_test_score")  # the last one only for models whose code is int8
HEADER = ("id", "status", "val_error", *SCORES, *COUNTS, *USUAL_COSTS, *MEASURED, "model")
HONEST = ("honest_error", "honest_error_se")
THRESHOLD = "threshold"  # the column of tuned thresholds
BAND = "band"  # the column of ``Tree.band``
CODE = ("precision", "style")  # the columns of codes that were chosen for each member


def live_front(setup: Setup, state: State) -> Members:
    """The population's front, lowest validation error first."""
    points = objectives(state.members, setup.strategy.objectives, setup.strategy.reference)
    excess = violation(state.members, setup.strategy.bounds)
    return state.members.take(front_of(state.members, points, state.rank, excess))


def finalists(setup: Setup, state: State) -> Members:
    """The population's front; if the run prunes its models, that of what is cut out of them as well."""
    front = live_front(setup, state)
    if setup.cutting == "none":
        return front
    return with_cuts(setup.problem, setup.strategy, front, state.members, setup.cutting, state.evaluations)


def write_live(folder: RunFolder, setup: Setup, front: Members) -> None:
    """Write ``live.csv``: the front so far in the columns of ``front.csv``; nothing is refitted or tested yet."""
    ids, formats = front.ids.tolist(), formats_of(setup, front.columns)
    values: list[dict[str, Any]] = [{"id": float(ids[i])} | _values(front.columns, i) for i in range(len(ids))]
    values = [row | {CODE[0]: name} for row, name in zip(values, formats or [""] * len(ids), strict=True)]
    rows = [_row(setup, row, "evolving", {}, None) for row in values]
    write_csv(folder.path / "live.csv", _header(setup), rows)


class Finished(NamedTuple):
    """A member of the final front: its place in the population's front, its model, and the columns of its row.

    ``code``: that of the model. ``decision``: why it has this code, of a run that chooses one for each member.
    """

    place: int
    tree: Tree
    values: dict[str, float]
    code: hardware.Code
    decision: Decision | None = None

    @property
    def texts(self) -> dict[str, str]:
        """The columns of its row that hold texts."""
        return {} if self.decision is None else {name: getattr(self.code, name) for name in CODE}


def write_front(
    folder: RunFolder,
    setup: Setup,
    table: Table,
    state: State,
    say: Callable[[str], None],
    stopping: Callable[[], bool],
    lesson: Setup | None = None,
) -> Judged:
    """Finish the front, score it on the test rows and save it; returns the judgement of its members.

    ``lesson``: see ``judge``.
    """
    front, judged = judged_front(
        setup,
        table,
        finalists(setup, state),
        say,
        stopping,
        kept=folder.end,
        lesson=lesson,
        evaluations=state.evaluations,
    )
    members = last_front(setup, table, front, say, stopping, kept=folder.end, evaluations=state.evaluations)
    judged = judged.take([member.place for member in members])
    if members and setup.problem.task.kind != "regression":
        trees = [front.trees[member.place] for member in members]
        with patience(say, "answering held-out rows"):
            write_answers(folder, held_out_answers(setup.problem, trees, judged.thresholds))
    with patience(say, "scoring models on the test rows"):
        write_members(folder, setup, table, members)
    if table.front and setup.signal and judged.held_out:
        with patience(say, "choosing rules of events"):
            hops = [int(member.values.get(HOP, 0)) for member in members]
            fronts = [fronts_of(table.front, table.hops)[hop] for hop in hops]
            rules = held_out_rules(judged.held_out, table, setup.train_rows, setup.signal, fronts)
            parts = zip(fronts, members, rules, strict=True)
            models = [reduced(SignalModel(front, member.tree, rule)) for front, member, rule in parts]
            rejections = fitted_rejections(models, table, setup.train_rows, setup.signal)
            models = [replace(one, rejection=each) for one, each in zip(models, rejections, strict=True)]
            write_signal_models(folder, models)
    return judged


def write_members(folder: RunFolder, setup: Setup, table: Table, members: list[Finished]) -> None:
    """Score the members on the test rows, and write ``front.csv`` and the models."""
    folder.models.mkdir(exist_ok=True)
    rows: list[list[Any]] = []
    truth = natural_truth(setup, table, setup.problem.task)
    for member, scores in zip(members, test_scores(setup, table, truth, [*map(_tested, members)]), strict=True):
        model = f"models/{len(rows):03d}.json"
        write_text(folder.path / model, dumps(member.tree))
        rows.append(_row(setup, member.values | member.texts, "ok", scores, model))
    for left in set(folder.models.glob("*.json")) - {folder.models / f"{i:03d}.json" for i in range(len(rows))}:
        left.unlink()  # left by an earlier end of this run that was interrupted
    write_csv(folder.path / "front.csv", _header(setup), rows)


def judged_front(
    setup: Setup,
    table: Table,
    front: Members,
    say: Callable[[str], None],
    stopping: Callable[[], bool],
    *,
    kept: Kept | None = None,
    lesson: Setup | None = None,
    evaluations: int = 0,
) -> tuple[Members, Judged]:
    """The members that no other dominates by honest error and predicted costs, lowest honest error first.

    With their honest errors as columns; and the judgement, with their trees in the same order.
    """
    if not front.trees:
        nothing = np.zeros(0)
        return front, Judged(nothing, nothing, np.zeros((0, 1)), nothing, nothing, nothing, None)
    judged = judge(setup, table, front.trees, say, stopping, kept, lesson, evaluations, genes_of(front.columns))
    found = dict(zip(HONEST, judged[:2], strict=True)) | {BAND: judged.bands}
    found |= {THRESHOLD: judged.probabilities()} if setup.tuned else {}
    found |= {HONEST_MEAN: judged.latency} if setup.problem.early_exit else {}
    front = replace(front, columns=front.columns | found)
    order = np.lexsort((front.ids, front.columns["weights"], judged.error))
    rows = [_values(front.columns, i) for i in order.tolist()]
    order = order[_undominated(setup, rows, "honest error and predicted costs", say)]
    return front.take(order), judged.take(order.tolist())


def last_front(
    setup: Setup,
    table: Table,
    front: Members,
    say: Callable[[str], None],
    stopping: Callable[[], bool],
    *,
    kept: Kept | None = None,
    evaluations: int,
) -> list[Finished]:
    """The finished members of a judged front that no other finished member dominates in the run's objectives."""
    members = finished(setup, table, front, say, stopping, kept=kept, evaluations=evaluations)
    return undominated_members(setup, members, say)


def undominated_members(setup: Setup, members: list[Finished], say: Callable[[str], None]) -> list[Finished]:
    """The members that no other dominates in the run's objectives; says which code was chosen for them."""
    kept = _undominated(setup, [member.values for member in members], "the final costs", say)
    left = [members[i] for i in kept.tolist()]
    if decisions := [member.decision for member in left if member.decision]:
        say(word_of_codes(decisions))
    return left


def _undominated(setup: Setup, rows: list[dict[str, float]], by: str, say: Callable[[str], None]) -> NDArray[np.int64]:
    """The positions of the rows that no other dominates in the objectives of the run, with the honest error."""
    names = named_columns(setup.strategy.objectives, HONEST[0])
    kept = undominated(rows, beside_honest(names, rows[0]) if rows else names)
    if left_out := len(rows) - len(kept):
        say(f"{left_out} of {len(rows)} models left out: by {by} another model is at least as good in every objective")
    return kept


def finished(
    setup: Setup,
    table: Table,
    front: Members,
    say: Callable[[str], None],
    stopping: Callable[[], bool],
    *,
    kept: Kept | None = None,
    evaluations: int,
) -> list[Finished]:
    """A front refitted on all training rows, fine-tuned for 8 bits if asked to, and measured; see ``finished_trees``.

    ``evaluations``: the number of trees that the search has trained.
    """
    if not front.trees:
        return []
    with patience(say, "refitting") as note:
        refitted = _refitted(setup, table, front, say, stopping, Units(kept, stopping, note), evaluations)
    trees = [to_tree(setup, table, nodes) for nodes in refitted]
    columns = {"id": front.ids.astype(np.float64)} | front.columns
    return finished_trees(setup, table, trees, columns, say, stopping, kept=kept)


def _refitted(
    setup: Setup,
    table: Table,
    front: Members,
    say: Callable[[str], None],
    stopping: Callable[[], bool],
    units: Units,
    evaluations: int,
) -> list[Nodes]:
    """The trees of a front, trained on all training rows."""
    epochs, faster = refit_course(setup, evaluations)
    problem, train = replace(setup.problem, epochs=epochs), trained
    if table.stream and setup.stream_settings:
        problem = replace(problem, settings=setup.stream_settings)
        train = partial(trained_on_stream, table.stream, say, stopping, note=units.note)

    def in_units(whole: Problem, trees: list[Nodes], stream: int, *, genes: Genes, **course: Any) -> list[Nodes]:
        def fitted(some: list[Nodes], own: Genes) -> list[Nodes]:
            return train(whole, some, stream, genes=own, **course)

        # A stream is read once for all trees.
        once = table.stream is not None
        return units.trained(f"refit {stream} {faster}", whole, trees, genes, epochs, fitted, once=once)

    return refit(problem, front.trees, faster=faster, genes=genes_of(front.columns), train=in_units)


def finished_trees(
    setup: Setup,
    table: Table,
    trees: list[Tree],
    columns: Columns,
    say: Callable[[str], None],
    stopping: Callable[[], bool],
    *,
    ranged: bool = False,
    kept: Kept | None = None,
) -> list[Finished]:
    """Models of a front in the code of the run, with the ``columns`` that are known of them and their costs.

    Thresholds and bands among the columns go into the models, and each is stored in its number format if it has one.
    ``ranged``: the trees have the input ranges of their integers already.
    A model is left out if it breaks a constraint: by its measured costs, or by predicted ones if it has no others.
    """
    constants = {name: columns[name] for name in (THRESHOLD, BAND) if name in columns}
    known: list[dict[str, Any]] = [_values(constants, i) for i in range(len(trees))]
    formats = formats_of(setup, columns) or [None] * len(trees)
    trees = [replace(tree, **each) for tree, each in zip(trees, known, strict=True)]
    if not ranged:
        X, weight = table.X[setup.train_rows], setup.problem.data.weight
        trees = [fit_ranges(tree, X, weight[: len(X)]) for tree in trees]
    trees = _tuned(setup, table, trees, say, Units(kept, stopping))
    with patience(say, "scoring models in integers"):
        trees = _in_integers(setup, table, trees, formats)
    if setup.problem.in_integers:
        _tell_of_losses(trees, say)
    decisions = _decided(setup, trees, formats)
    codes = [setup.problem.rule.codes[0] if each is None else each.code for each in decisions]
    columns = columns | _costs(setup, table, trees, decisions, genes_of(columns))
    hops = columns.get(HOP, np.zeros(len(trees))).astype(np.int64).tolist()
    measured = measure_front(setup.problem, list(zip(trees, codes, hops, strict=True)), say, stopping)
    columns |= {f"measured_{name}": values for name, values in measured.items()}
    held_to = columns | {name: np.where(np.isnan(v), columns.get(name, v), v) for name, v in measured.items()}
    fitting = within(setup.strategy.bounds, held_to)
    if not fitting.all():
        say(
            f"{np.count_nonzero(~fitting)} of {len(trees)} models left out: trained on all rows they break a constraint"
        )
    told = decisions if setup.problem.chooses_code else [None] * len(trees)
    return [Finished(i, trees[i], _values(columns, i), codes[i], told[i]) for i in np.flatnonzero(fitting).tolist()]


def formats_of(setup: Setup, columns: Columns) -> list[str | None]:
    """The number format of each member, if each has its own; else none."""
    return [setup.problem.formats[place] for place in columns.get(FORMAT, np.zeros(0)).astype(np.int64).tolist()]


def _values(columns: Columns, i: int) -> dict[str, float]:
    """The known numbers of one member."""
    return {name: float(values[i]) for name, values in columns.items() if not np.isnan(values[i])}


def to_tree(setup: Setup, table: Table, nodes: Nodes) -> Tree:
    """A genome with the names, classes and scaling that make it a model of the table."""
    return Tree(
        nodes=nodes,
        kind=setup.problem.task.kind,
        features=table.features,
        classes=table.classes,
        scaler=setup.scaler,
        target_scaler=setup.target_scaler,
        input_range=setup.problem.input_range,
        columns=table.columns,
    )


def _tuned(setup: Setup, table: Table, trees: list[Tree], say: Callable[[str], None], units: Units) -> list[Tree]:
    """The trees fine-tuned for 8 bits, if the run asks for it."""
    X, epochs, seed = table.X[setup.train_rows], setup.finetune_epochs, setup.problem.seed
    if not epochs:
        return trees
    weight, found = setup.problem.data.weight[: len(X)], list[Tree]()
    with patience(say, "fine-tuning in 8 bits") as note:
        for tree in trees:
            note(f"{len(found)} of {len(trees)} models")

            def tune(tree: Tree = tree) -> list[Nodes]:
                return [finetune([tree], X, epochs=epochs, seed=seed, weight=weight)[0].nodes]

            nodes = units.done(f"fine-tuning {epochs} {seed}", [tree.nodes], tune)[0]
            found.append(replace(tree, nodes=nodes))
    return found


def _in_integers(setup: Setup, table: Table, trees: list[Tree], formats: Sequence[str | None]) -> list[Tree]:
    """The trees with the weights of their formats below 8 bits, and with what they lose as integers."""
    X, y = table.X[setup.train_rows], table.y[setup.train_rows]
    weight = setup.problem.data.weight[: len(X)]
    stored = [_in_format(tree, name) for tree, name in zip(trees, formats, strict=True)]
    losses = (int8_loss(tree, X, y, weight, weights) for tree, weights in stored)
    return [replace(tree, int8_loss=loss) for (tree, _), loss in zip(stored, losses, strict=True)]


def _in_format(tree: Tree, name: str | None) -> tuple[Tree, str]:
    """The tree with weights of a format below 8 bits, and the format of its integers; without integers as it is."""
    if name not in NARROW:
        return tree, "int8"
    with suppress(ValueError):  # the sums of this tree do not fit the integers
        return replace(with_weight_format(tree, name), band=tree.band), name
    return tree, name


def _tell_of_losses(trees: list[Tree], say: Callable[[str], None]) -> None:
    count = sum(map(loses_much, trees))
    if count:
        worst = max(tree.int8_loss or 0 for tree in trees)
        say(
            f"{count} of {len(trees)} models lose more than {100 * LARGE_LOSS:.0f} % of their score on training rows "
            f"in 8 bits, {100 * worst:.0f} % at worst: compare int8_test_score with test_score in front.csv"
        )


def _decided(setup: Setup, trees: list[Tree], formats: Sequence[str | None]) -> list[Decision | None]:
    """The code of each finished tree, by the costs with its own input ranges and by its loss; None without a device."""
    problem = setup.problem
    if problem.device is None:
        return [None] * len(trees)
    rules = [problem.rule if name is None else problem.rule_of(name) for name in formats]
    about = problem.device, problem.inputs.spec
    return [decide([tree], about[0], rule, about[1])[0] for tree, rule in zip(trees, rules, strict=True)]


def _costs(setup: Setup, table: Table, trees: list[Tree], decisions: list[Decision | None], genes: Genes) -> Columns:
    """Counts and costs of finished trees, each in its own code; of code that exits early on the training rows."""
    problem = setup.problem
    columns = costs(replace(problem, device=None), [tree.nodes for tree in trees])
    if problem.early_exit and problem.device is not None and trees:
        X, inputs = table.X[setup.train_rows], problem.inputs.spec
        return columns | costs_with_exits(trees, X, problem.device, problem.code, inputs)
    own = [each.costs[each.code] for each in decisions if each is not None]
    columns |= {name: np.array([row[name] for row in own]) for name in (own[0] if own else ())}
    return with_fronts(problem, columns, [tree.nodes for tree in trees], genes)


def _tested(member: Finished) -> Tested:
    row = c_format(member.code.precision)
    return Tested(member.tree, row.weights if row.is_integer else FLOATS, int(member.values.get(HOP, 0)))


def _header(setup: Setup) -> list[str]:
    """The columns of ``HEADER``, then those of further errors among the objectives."""
    further = [name for name in named_columns(setup.strategy.objectives) if name not in HEADER]
    further = [name for name in further if name not in (MEAN, LOAD)]
    further = [*[MEAN] * setup.problem.early_exit, *[LOAD] * bool(setup.problem.fronts), *further]
    own = [*CODE * setup.problem.chooses_code, *[HONEST_MEAN] * setup.problem.early_exit]
    own += [ROBUST_SCORE] * bool(setup.problem.robust_radius)
    return [*HEADER, *further, *HONEST, *[THRESHOLD] * setup.tuned, BAND, *own]


def _row(
    setup: Setup, values: Mapping[str, Any], status: str, scores: Mapping[str, float], model: str | None
) -> list[Any]:
    """The row in the columns of ``_header``; the cell of an unknown number is empty."""
    found: dict[str, Any] = {**values, **scores, "status": status, "model": model}
    return [int(found[name]) if name in ("id", *COUNTS) else found.get(name) for name in _header(setup)]
