"""The peers' fronts: how they are counted, judged and written down. Where a peer is missing, its test is left out.

kozax itself is not run: it compiles for a minute.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.frame.experiment import Unit
from experiments.frame.row_store import Store, read_rows
from experiments.frame.working import checked_rows
from experiments.peers import arena as arenas
from experiments.peers import formulas, matrices, networks, operon, plain_gp
from experiments.peers.arena import WORST, Arena, first_lap_excess, front, make_arena, volume
from experiments.peers.formulas import Formula
from experiments.studies.search_peers import page as pages
from experiments.studies.search_peers import run as search_peers
from search.table.data import Table


def made_up(kind: str) -> Table:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 4))
    value = X[:, 0] + np.sin(2 * X[:, 1]) + 0.1 * rng.standard_normal(90)
    names = ("a", "b", "c", "d")
    if kind == "regression":
        return Table(3 + 2 * X, 5 * value, names, "y", None, kind, digest="")
    return Table(X, (value > 0).astype(np.int64), names, "y", ("no", "yes"), kind, digest="")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up rows in place of the tables, and hardly any time."""
    monkeypatch.setattr(paper_tables, "table", lambda name: made_up(search_peers.TABLES[name]))
    monkeypatch.setattr(arenas, "QUICK_BUDGET_S", 0.02)


@pytest.fixture
def arena() -> Arena:
    return make_arena("dee", 0, True)


def test_volumes_by_weights_and_by_scalars() -> None:
    """Of one member it is a rectangle, in % of a box up to an error of .8 and, on either axis, from 1 to 250."""
    found = search_peers.volumes([arenas.Member(0.4, 0.5, 25, 5)], 0.8)
    assert list(found) == list(search_peers.VOLUMES)
    log = np.log(250 / 25) / np.log(250)
    wanted = (50 * 225 / 249, 37.5 * 225 / 249, 37.5 * log, 37.5 * 245 / 249)
    assert list(found.values()) == pytest.approx(wanted)


def test_hypervolumes_of_one_point_and_of_two() -> None:
    assert volume([0.5], [1], 1.0) == pytest.approx(50)
    assert volume([0.0], [250], 1.0) == 0
    assert volume([0.2], [25], 0.4) == pytest.approx(50 * 225 / 249)
    assert volume([0.2, 0.6], [126, 1], 1.0) == pytest.approx(80 * 124 / 249 + 40 * 125 / 249, abs=0.1)
    assert volume([3.0, 0.5], [2, 1], 1.0) == pytest.approx(50)  # worse than the worst error that counts
    assert volume([], [], 1.0) == 0


def test_the_worst_error_is_that_of_the_best_constant() -> None:
    assert make_arena("dee", 0, True).worst_error == 1.0
    y = made_up("binary").y
    assert make_arena("vehicle", 0, True).worst_error == min(y.sum(), len(y) - y.sum()) / 90


def test_numbers_that_others_could_take_in_are_no_leaves() -> None:
    """Postfix, the second operand first; V is a variable with its coefficient, C a number."""
    kinds = {"V": ("Variable", 0), "C": ("Constant", 0), "sin": ("Sin", 1)}

    def leaves(text: str) -> int:
        return operon.needed_leaves([operon.Node(*kinds.get(word, (word, 2))) for word in text.split()])

    assert leaves("V C Mul C Add") == 2  # a + b c x
    assert leaves("V V Sub C Mul C Add") == 3
    assert leaves("V sin C Mul C Add") == 3  # a + b sin(c x): none of them can go
    assert leaves("V sin V Mul C Mul") == 2  # b x sin(c x)
    assert leaves("V V Aq C Mul") == 2  # x / sqrt(1 + x²): the numerator takes it in
    assert leaves("V V sin Aq C Mul") == 3  # a sine does not
    assert leaves("C C Mul") == 1
    assert leaves("C V Add") == 2
    assert leaves("V C Add C Mul C Add") == 2  # a + b (c + d x)
    assert leaves("V C Add sin C Add") == 3  # a + sin(b + c x): an addend on either side of the sine
    assert leaves("C C Add V Sub") == 2
    assert leaves("V sin C Mul C Add V Add") == 4


def test_networks_are_as_wide_as_their_weights_allow(arena: Arena) -> None:
    most = networks.widest(arena)
    assert networks.size(arena, (most,)) <= arenas.MOST_WEIGHTS < networks.size(arena, (most + 1,))


def test_the_front_is_what_nothing_beats() -> None:
    rng = np.random.default_rng(1)
    errors, weights = rng.integers(10, size=40) / 10, rng.integers(1, 10, size=40)
    errors[0] = WORST
    found = front(errors, weights)
    pairs = {(errors[i], weights[i]) for i in found}
    assert len(pairs) == len(found)
    assert list(weights[found]) == sorted(weights[found])
    wanted = {
        (e, w)
        for e, w in zip(errors, weights, strict=True)
        if e < WORST and not any((a <= e and b <= w) and (a < e or b < w) for a, b in zip(errors, weights, strict=True))
    }
    assert pairs == wanted


def test_compiling_is_what_the_first_generation_takes_longer() -> None:
    assert first_lap_excess([5.0, 6.0, 7.0, 9.0]) == pytest.approx(4)
    assert first_lap_excess([5.0]) == 0


def test_rows_are_those_of_our_search_and_scaled(arena: Arena) -> None:
    setup = arena.search.setup
    assert len(arena.X) == 72
    assert not set(setup.train_rows) & set(setup.test_rows)
    np.testing.assert_allclose(arena.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(arena.y.std(), 1)
    raw = arena.search.table.y
    np.testing.assert_allclose(
        arena.y_test, (raw[setup.test_rows] - raw[setup.train_rows].mean()) / raw[setup.train_rows].std()
    )


def test_errors_are_one_minus_r2_and_stay_numbers(arena: Arena) -> None:
    guess = arena.y_test + 0.3
    outputs = np.stack([guess, np.full(len(guess), np.nan), np.full(len(guess), 1e30)])[:, None]
    spread = np.mean((arena.y_test - arena.y_test.mean()) ** 2)
    np.testing.assert_allclose(arena.errors(outputs, arena.y_test), [0.09 / spread, WORST, WORST])


def test_formulas_are_chosen_on_rows_held_back_and_tested_once(arena: Arena) -> None:
    """Of two sizes the better; the numbers of the second are changed by the refit, after the choice."""

    def line(slope: float, leaves: int) -> Formula:
        return Formula(leaves, 1, 2 * leaves - 1, lambda X: slope * X[:, 0], 0.0, slope)

    every = [line(0.5, 3), line(0.0, 3), line(0.6, 2)]
    members = formulas.judged(arena, every, lambda kept: [line(each.source + 0.1, each.leaves) for each in kept])
    _, held = arena.folds[0]

    def error(slope: float, X: np.ndarray, y: np.ndarray) -> float:
        return float(np.mean((slope * X[:, 0] - y) ** 2) / np.var(y))

    assert 1 <= len(members) <= 2
    for member in members:
        slope = {3: 0.5, 2: 0.6}[member.weights]
        assert member.val_error == pytest.approx(error(slope, arena.X[held], arena.y[held]))
        assert member.test_error == pytest.approx(error(slope + 0.1, arena.X_test, arena.y_test))


def test_the_best_formula_of_every_size_is_kept() -> None:
    made = [Formula(n, 0, n, np.asarray, error, None) for n, error in ((1, 3.0), (2, 2.0), (1, 1.0), (2, np.nan))]
    known: dict[int, Formula] = {}
    formulas.best_by_size(known, made)
    assert {n: each.fit_error for n, each in known.items()} == {1: 1.0, 2: 2.0}


def test_leaves_of_a_deap_tree() -> None:
    space = plain_gp.primitives(2)
    tree = plain_gp.Individual(plain_gp.gp.PrimitiveTree.from_string("mul(add(ARG0, 0.5), sin(ARG1))", space))
    tree.fitness.values = (1.0,)
    found = plain_gp.formula(tree, space)
    X = np.array([[1.0, 2.0], [3.0, -4.0]])
    assert (found.leaves, found.scalars, found.nodes) == (3, 1, 6)
    np.testing.assert_allclose(found.values(X), (X[:, 0] + 0.5) * np.sin(X[:, 1]))


def test_leaves_of_a_kozax_matrix() -> None:
    """x1 / √(1 + (−0.5)²) + sin(x0): children before parents, the root last, padding first."""
    kinds = {name: 2 + i for i, name in enumerate(matrices.FUNCTIONS)}
    x0 = 2 + len(kinds)
    rows = [
        [0, -1, -1, 0],
        [x0, -1, -1, 0],
        [kinds["sin"], 1, -1, 0],
        [1, -1, -1, -0.5],
        [x0 + 1, -1, -1, 0],
        [kinds["aq"], 4, 3, 0],
        [kinds["+"], 5, 2, 0],
    ]
    found = matrices.formula(np.array([rows], dtype=float), 0.1)
    X = np.array([[1.0, 2.0], [3.0, -4.0]])
    assert (found.leaves, found.scalars, found.nodes) == (3, 1, 6)
    np.testing.assert_allclose(found.values(X), X[:, 1] / np.sqrt(1.25) + np.sin(X[:, 0]))


def test_the_size_of_a_network_is_its_weights(arena: Arena) -> None:
    settings = {"hidden_layer_sizes": (3, 2), "solver": "lbfgs", "max_iter": 5000, "alpha": 1.0}
    model = networks.fitted(arena, settings, np.arange(60))
    weights = sum(part.size for part in (*model.coefs_, *model.intercepts_))
    assert networks.size(arena, (3, 2)) == weights == 4 * 3 + 3 + 3 * 2 + 2 + 2 + 1


NEEDS = {"optuna": "optuna", "pyoperon": "pyoperon", "gplearn": "gplearn"}
RUNS = (
    *(("dee", job) for job in ("evolved", "optuna", "pruned", "pyoperon", "gplearn", "deap")),
    ("australian", "gplearn"),
)


@pytest.mark.filterwarnings("ignore")  # of what others do
@pytest.mark.parametrize(("table", "job"), RUNS)
def test_a_method_gives_a_front(table: str, job: str) -> None:
    if job in NEEDS:
        pytest.importorskip(NEEDS[job])
    (row,) = checked_rows(search_peers.EXPERIMENT, True, Unit(table, job, 1))
    members = [arenas.Member(*member) for member in json.loads(row["front"])]
    assert row["front_size"] == len(members) > 0
    assert row["evaluations"] >= len(members)
    assert 0 <= row["compile_cpu_s"] <= row["search_cpu_s"]
    assert all(member.scalars <= member.weights for member in members)
    for one, other in itertools.pairwise(sorted(members, key=lambda member: member.weights)):
        assert other.val_error <= one.val_error + 1e-5
    best = min(members, key=lambda member: member.val_error)
    assert row["val_error"] == pytest.approx(best.val_error, abs=1e-5)
    assert row["test_score"] == pytest.approx(1 - best.test_error, abs=1e-5)


def test_what_cannot_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = checked_rows(search_peers.EXPERIMENT, True, Unit("vehicle", "pyoperon", 0, 3))
    assert [row["seed"] for row in rows] == [0, 1, 2]
    assert all(row["note"] == "pyoperon has a regressor only" and row["weights"] is None for row in rows)

    def absent(arena: Arena) -> None:
        raise ImportError("no module")

    monkeypatch.setattr(networks, "optuna_nsga2", absent)
    with pytest.raises(ImportError):  # the unit fails, and is tried again once the peer is installed
        search_peers.EXPERIMENT.run(Unit("dee", "optuna", 0), True)


def test_every_table_and_method_has_its_units() -> None:
    units = search_peers.units(3, False)
    seeds = [(unit.table, unit.job, unit.seed + i) for unit in units for i in range(unit.count)]
    assert len(set(seeds)) == len(seeds)
    wanted = set(itertools.product(search_peers.TABLES, search_peers.METHODS, range(3)))
    more = set(seeds) - wanted
    assert set(seeds) >= wanted
    assert {(unit.seed, unit.count) for unit in units if unit.count > 1} == {(0, 10)}
    assert {(job, seed) for _, job, seed in more} == {("kozax", seed) for seed in range(3, 10)}


def test_what_a_method_is_set_to_is_among_its_settings() -> None:
    found = {job: search_peers.settings(Unit("dee", job, 0), False)["constants"] for job in search_peers.METHODS}
    assert found["gplearn"]["experiments.peers.programs.POPULATION"] == 300
    assert found["optuna"]["experiments.peers.networks.POPULATION"] == 16
    assert found["kozax"]["experiments.peers.matrices.FUNCTIONS"] == ["+", "-", "*", "aq", "sin", "tanh"]
    assert found["pruned"]["search.baselines.prune.HIDDEN"] == 32
    assert found["evolved"]["search.evolution.NODES"] == 60
    assert found["evolved"]["search.variation.operators.OPERATORS"][0][:2] == ["crossover", 0.4]


def row_of(rng: np.random.Generator, table: str, job: str) -> dict[str, object]:
    """As a run gives it, of made-up members."""
    errors = np.sort(rng.random((2, 4)))
    members = [arenas.Member(a, b, w, w, None) for a, b, w in zip(*errors[:, ::-1], (3, 9, 30, 90), strict=True)]
    found = arenas.Found(members, 40, 12.0, 3.0)
    return search_peers.row(make_arena(table, 0, True), found)


def test_pages_are_written_from_rows_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    provenance = {"seconds": 1.0, "cpu_s": 1.0, "config": "c", "commit": "d", "versions": "v"}
    with Store(tmp_path / "search_peers.csv", search_peers.COLUMNS) as store:
        store.begin([], {}, fresh=False)
        for table, job, seed in itertools.product(("friedman", "dee", "vehicle"), search_peers.METHODS, range(3)):
            method = search_peers.METHODS[job]
            runs = search_peers.TABLES[table] in method.kinds
            cells = row_of(rng, table, job) if runs else search_peers.said(method.why_not)
            store.append([{"table": table, "job": job, "seed": seed} | cells | provenance])
    rows = read_rows(tmp_path / "search_peers.csv")
    pages.render(rows, tmp_path)
    text = (tmp_path / "search_peers.md").read_text()
    assert "## Regression" in text
    assert "pyoperon has a regressor only" in text
    assert (tmp_path / "search_peers.png").stat().st_size > 0
    everywhere, regression = pages.headline(rows).split("Regression alone:")
    assert "| optuna |" in everywhere
    assert "| pyoperon |" not in everywhere
    assert "| pyoperon |" in regression


def test_the_picture_draws_what_validation_chose() -> None:
    members = [arenas.Member(0.3, 0.5, 2, 2), arenas.Member(0.1, 0.6, 20, 20)]
    assert [pages.chosen(members, most) for most in (1, 10, 250)] == [np.inf, 0.5, 0.6]
