"""Searches at equal training, their fronts tested once, and the pages written of them; on a small made-up table."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from experiments.common import fronts, paper_tables, searching, volumes
from experiments.common.holdout import holdout
from experiments.common.searching import QUICK, Moment, Search
from experiments.frame.experiment import Unit
from experiments.frame.working import checked_rows
from experiments.rendering import searches
from experiments.studies.ablation import run as ablation
from experiments.studies.activations import run as activations
from experiments.studies.multi_output import class_objectives, heterogeneous
from experiments.studies.multi_output import run as multi_output
from experiments.studies.selection import run as selection
from experiments.studies.stochasticity import run as stochasticity
from search.table.data import Table
from tests.helpers.study_pages import rendered

SIZE = QUICK
ROWS = 90


def made_up(seed: int = 0) -> Table:
    """Three classes that two of four columns tell apart, but for noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((ROWS, 4))
    y = np.digitize(X[:, 0] + 0.7 * X[:, 1] + 0.3 * rng.standard_normal(ROWS), [-0.5, 0.5]).astype(np.int64)
    return Table(X, y, ("a", "b", "c", "d"), "y", ("low", "middle", "top"), "multiclass", digest="")


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """In place of every one of the 14 tables."""
    found = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: found)
    return found


def found(table: Table, config: searching.Tables | None = None) -> tuple[Search, list[Moment]]:
    search = searching.prepare("iris", 0, SIZE, config or {})
    return search, searching.run(search)


def bits(moment: Moment) -> list[bytes]:
    return [tree.tobytes() for tree in moment.state.members.trees]


def dominated(point: np.ndarray, others: np.ndarray) -> bool:
    return any((other <= point).all() and (other < point).any() for other in others)


def staircase(points: np.ndarray, corner: np.ndarray) -> float:
    """The area that (points, 2) dominate up to ``corner``, strip by strip."""
    inside = sorted((x, y) for x, y in points.tolist() if x < corner[0] and y < corner[1])
    edges = [x for x, _ in inside] + [float(corner[0])]
    area = 0.0
    for i, (left, right) in enumerate(pairwise(edges)):
        area += (right - left) * (corner[1] - min(y for _, y in inside[: i + 1]))
    return area


def test_a_search_is_stopped_by_the_training_it_has_had(table: Table) -> None:
    search, moments = found(table)
    fit_rows = sum(len(fit) for fit, _ in search.setup.problem.folds)
    each = [moment.evaluated.columns["weights"].sum() * fit_rows * SIZE.epochs for moment in moments]
    assert [moment.spent for moment in moments] == pytest.approx(np.cumsum(each))
    assert moments[-2].spent < search.budget <= moments[-1].spent
    weights = {None: 20, 2: 20, 3: 30}[table.classes and len(table.classes)]
    assert search.budget == SIZE.trees * weights * fit_rows * SIZE.epochs
    assert searching.within(search, moments) in (len(moments) - 1, len(moments))
    assert searching.within(search, moments, share=0.0) == 0
    longer = searching.run(search, least_trees=moments[-1].state.evaluations + 1)
    assert len(longer) == len(moments) + 1


def test_one_hold_out_trains_more_trees_for_the_same_budget(table: Table) -> None:
    four, one = found(table), found(table, ablation.VARIANTS[ablation.ONE_HOLD_OUT])
    assert four[0].budget == one[0].budget
    assert one[1][-1].state.evaluations > 2 * four[1][-1].state.evaluations


def test_test_rows_are_those_of_the_hold_out_and_choose_nothing(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    search, moments = found(table)
    np.testing.assert_array_equal(search.setup.test_rows, holdout(table, 0)[1])
    X = table.X.copy()
    X[search.setup.test_rows] = 99.0
    monkeypatch.setattr(paper_tables, "table", lambda name: replace(table, X=X))
    again = searching.run(searching.prepare("iris", 0, SIZE, {}))
    for moment, other in zip(moments, again, strict=True):
        assert [tree.tobytes() for tree in moment.state.members.trees] == [
            t.tobytes() for t in other.state.members.trees
        ]


def test_children_of_random_search_forget_their_parents(table: Table) -> None:
    search = selection.at_random(searching.prepare("iris", 0, SIZE, {}))
    toolbox, new_tree = search.setup.strategy.toolbox, search.setup.strategy.new_tree
    parents = [new_tree(np.random.default_rng(seed)) for seed in (1, 2)]
    name = toolbox.draw(np.random.default_rng(0))
    children = [getattr(toolbox, name)(np.random.default_rng(5), parent) for parent in parents]
    for child in children:
        np.testing.assert_array_equal(child, new_tree(np.random.default_rng(5)))


def test_the_archive_holds_what_nothing_dominates(table: Table) -> None:
    search, moments = found(table)
    archives = fronts.archives(moments)
    corner = fronts.reference(search)
    seen = np.empty((0, 2))
    for moment, archive in zip(moments, archives, strict=True):
        columns = moment.evaluated.columns
        seen = np.vstack([seen, np.column_stack([columns["val_error"], columns["weights"]])])
        best = {tuple(point) for point in seen.tolist() if not dominated(np.array(point), seen)}
        assert {tuple(point) for point in archive.tolist()} == best
        assert fronts.percent(archive, corner) == pytest.approx(100 * staircase(seen, corner) / corner.prod())
    most = 3 * 35  # nodes for each class
    assert corner.tolist() == [1 - np.bincount(table.y).max() / ROWS, 2.0 * most]
    assert fronts.reference(search, "nodes")[1] == most + 1


def test_the_outcome_is_of_the_front_tested_once(table: Table) -> None:
    search, moments = found(table)
    last = moments[searching.last_within(search, moments)]
    outcome = fronts.outcome(search, moments)
    members = fronts.front(last.state.members)
    points = np.column_stack([members.columns["val_error"], members.columns["weights"]])
    assert len(members.trees) == outcome["members"]
    assert not any(dominated(point, points) for point in points)
    best = fronts.tested(search, last.state, members)[0]
    labels = np.array(table.classes)[table.y[search.setup.test_rows]]
    assert outcome["test_score"] == pytest.approx(np.mean(best.tree.predict(table.X[search.setup.test_rows]) == labels))
    assert outcome["val_error"] == last.state.members.columns["val_error"].min()
    assert outcome["trees"] == last.state.evaluations
    assert set(outcome) == set(fronts.OUTCOME)


def served(members: list[tuple[float, float, float]], corner: tuple[float, float], steps: int) -> float:
    """Brute force: at so many sizes, what a user meets who takes the best of (validation, test, size) that fits."""
    worst, largest = corner
    gains = []
    for size in (np.arange(steps) + 0.5) / steps * largest:
        fitting = [member for member in members if member[2] <= size]
        gains.append(max(0.0, worst - min(fitting)[1]) if fitting else 0.0)
    return 100 * float(np.mean(gains)) / worst


@pytest.mark.parametrize("seed", range(5))
def test_a_tested_volume_is_what_a_user_meets_at_each_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = (0.8, 100.0)
    members = [(rng.random(), rng.random(), float(rng.integers(130))) for _ in range(seed * 4)]
    validation, test, sizes = ([member[i] for member in members] for i in range(3))
    found = volumes.tested_volume(validation, test, sizes, corner)
    assert found == pytest.approx(served(members, corner, 10_000), abs=0.1)


def test_test_rows_do_not_choose_in_a_tested_volume() -> None:
    """The larger model is better on validation rows and worse on test rows: it counts as it tests."""
    assert volumes.tested_volume([0.4, 0.2], [0.1, 0.6], [0, 50], (1.0, 100.0)) == pytest.approx(50 * 0.9 + 50 * 0.4)


def test_an_ensemble_errs_no_more_than_its_best_member_where_it_was_chosen(table: Table) -> None:
    search, moments = found(table)
    state = moments[-1].state
    members = fronts.front(state.members)
    chosen = heterogeneous.choose(search, state, members)
    assert chosen.shares.sum() == pytest.approx(1)
    assert chosen.shares.min() > 0
    assert 1 <= len(chosen.places) <= heterogeneous.MEMBERS
    alone = heterogeneous.choose(search, state, members.take(np.array(chosen.places[:1])))
    assert alone.places == [0]
    assert alone.shares.tolist() == [1.0]


@pytest.mark.parametrize("count", [1, 2, 12, 13, 60])
def test_members_are_spread_over_a_front(count: int) -> None:
    places = class_objectives.spread(count)
    assert places[0] == 0
    assert places[-1] == count - 1
    assert len(places) == min(count, class_objectives.MEMBERS)


EXPERIMENTS = (selection, ablation, activations, stochasticity, multi_output)


@pytest.mark.parametrize("module", EXPERIMENTS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_units_differ_and_say_what_they_depend_on(module: ModuleType) -> None:
    experiment = module.EXPERIMENT
    units = list(experiment.units(2, False))
    assert len(set(units)) == len(units) == 2 * len({unit[:2] for unit in units})
    assert units[-1].seed == 1  # seeds outermost
    assert {unit.seed for unit in units} == {0, 1}
    assert set(experiment.units(1, True)) <= set(units)
    settings = {repr(experiment.settings(unit, False)) for unit in units if unit.table == units[0].table}
    assert len(settings) >= len({unit.job for unit in units if unit.table == units[0].table}) - 2


# One compiled program serves them all.
UNITS = (
    (selection, Unit("dee", "nsga3", 0)),
    (selection, Unit("dee", selection.RANDOM, 0)),
    (ablation, Unit("glass", "no crossover", 1)),
    (activations, Unit("iris", activations.MIXED, 0)),
    (stochasticity, Unit("iris", stochasticity.EVOLVED, 0)),
    (multi_output, Unit("iris", "gp", 0)),
    (multi_output, Unit("heart", multi_output.ENSEMBLE, 0)),
    (multi_output, Unit("vehicle", "class_errors", 0)),
)


@pytest.mark.parametrize(("module", "unit"), UNITS, ids=[f"{unit.table}-{unit.job}" for _, unit in UNITS])
def test_a_unit_gives_the_rows_promised(table: Table, module: ModuleType, unit: Unit) -> None:
    rows = checked_rows(module.EXPERIMENT, True, unit)
    numbers = [value for row in rows for value in row.values() if isinstance(value, float)]
    assert np.isfinite(numbers).all()
    scores = [row["test_score"] for row in rows if row["test_score"] is not None]
    assert scores
    assert all(0 <= score <= 1 for score in scores)


def test_a_trade_off_grows_with_the_training(table: Table) -> None:
    rows = checked_rows(selection.EXPERIMENT, True, Unit("dee", "nsga2", 0))
    for column in ("hypervolume", "hypervolume_by_trees"):
        values = [row[column] for row in rows]
        assert values == sorted(values)
    assert [row["share"] for row in rows] == list(selection.SHARES)


def test_random_trees_are_of_all_sizes(table: Table) -> None:
    space = replace(searching.prepare("iris", 0, SIZE, {}).setup.problem.space, max_nodes=stochasticity.MOST_NODES)
    rng = np.random.default_rng(0)
    sizes = [len(stochasticity.any_size(rng, space, folds=1)) for _ in range(300)]
    assert min(sizes) <= 10
    assert max(sizes) > 100


def made_up_rows(module: ModuleType) -> list[dict[str, str]]:
    """A row with a random number in every cell for two seeds of all units, but for names and places."""
    rng, columns = np.random.default_rng(0), module.EXPERIMENT.columns
    rows: list[dict[str, str]] = []
    for unit in module.EXPERIMENT.units(2, False):
        cells = {name: repr(float(number)) for name, number in zip(columns, rng.random(len(columns)), strict=True)}
        names = {"table": unit.table, "job": unit.job, "seed": str(unit.seed)}
        for share, label in (("0.5", "bus"), ("1.0", "van")):
            rows.append(cells | names | {"share": share, "class": label, "member": "0", "weights": str(40 + len(rows))})
    return rows


@pytest.mark.parametrize("module", EXPERIMENTS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_pages_are_made_of_rows_alone(tmp_path: Path, module: ModuleType) -> None:
    name = module.EXPERIMENT.name
    renderer = import_module(f"experiments.studies.{name}.page")
    rows = made_up_rows(module)
    text = rendered(renderer, rows, tmp_path, name)
    shown = rows if name != "multi_output" else [row for row in rows if row["job"] in multi_output.METHODS]
    assert all(row["table"] in text and row["job"].replace("_", " ") in text.replace("_", " ") for row in shown)


def made_rows() -> list[dict[str, str]]:
    values = {
        ("one", "ours"): [0.9, 0.8, 0.7],
        ("one", "theirs"): [0.8, 0.6, 0.65],
        ("two", "ours"): [0.5, 0.6],
        ("two", "theirs"): [0.6, 0.6, 0.9],
    }
    return [
        {"table": table, "job": job, "seed": str(seed), "score": repr(value)}
        for (table, job), scores in values.items()
        for seed, value in enumerate(scores)
    ]


def test_differences_are_of_the_seeds_that_both_have() -> None:
    rows, measure = made_rows(), searches.Measure("score", "score", 2)
    assert not searches.differences(rows, "one", ["ours"], "theirs", measure._replace(apart=("ours",)))
    one = searches.differences(rows, "one", ["ours", "theirs"], "theirs", measure)["ours"]
    assert one.mean == pytest.approx((0.1 + 0.2 + 0.05) / 3)
    assert (one.p, one.seeds) == (0.25, 3)  # of three pairs all one way: 2 of 8 signs
    assert 0.049 < one.low < one.mean < one.high < 0.201
    assert searches.least_p({"ours": one, "others": one}) == 0.5  # corrected for two tests
    two = searches.differences(rows, "two", ["ours", "theirs"], "theirs", measure)["ours"]
    assert (two.mean, two.seeds) == (pytest.approx(-0.05), 2)
    assert searches.by_seed(rows, searches.ALL, "ours", "score") == {0: pytest.approx(0.7), 1: pytest.approx(0.7)}
    assert searches.present(["two", "three", "one"], rows, "table") == ["two", "one"]
    assert searches.gains(rows, ["ours", "theirs"], "theirs", measure).split("\n")[2:] == [
        "| ours | +.05 [.00, +.10] | 1.000 |"
    ]
    assert searches.spread([1.0, 2.0, 3.0], 1) == "2.0 [1.5, 2.5]"
    assert searches.seeds_of(rows) == "2 to 3 hold-outs"
