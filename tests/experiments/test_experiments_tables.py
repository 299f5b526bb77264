"""The 14 tables: baselines that never see a test row before the end, their sizes, the statistics, the pages."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from numpy.testing import assert_allclose
from scipy.stats import wilcoxon
from sklearn.base import is_regressor
from sklearn.metrics import r2_score
from threadpoolctl import threadpool_limits

from experiments import render
from experiments.catalogue import RESULTS, csv_path
from experiments.common import choosing
from experiments.common.holdout import holdout
from experiments.common.ordinary import ORDINARY
from experiments.common.paper_tables import CLASSIFICATION, REGRESSION, TABLES
from experiments.common.scoring import score
from experiments.common.statistics import holm, interval, paired, ranks, signed_rank_p, summary
from experiments.frame.experiment import Unit
from experiments.frame.provenance import config_hash
from experiments.frame.row_store import read_rows
from experiments.rendering import run_cost
from experiments.rendering.benchmark_pages import benchmark_pages
from experiments.rendering.published_figures import PUBLISHED
from experiments.rendering.scores import BESIDE, LABELS, Entry, means_by_seed, scores_of, shared
from experiments.rendering.text import figure, signed
from experiments.studies.tables import (
    baselines,
    equal_weights,
    lessons_section,
    linear_section,
    page,
    protocols,
    significance,
)
from experiments.studies.tables import run as tables
from experiments.studies.tables.accuracy_weights import draw
from experiments.studies.tables.rows import COLUMNS, honest
from search.errors import InputError
from search.table.data import Table
from tests.helpers.small_tables import KINDS, small_table
from tests.helpers.strategies import steady


@pytest.fixture
def as_table(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a table in the place of all others."""

    def put(table: Table) -> Table:
        for module in (baselines, choosing):
            monkeypatch.setattr(module, "table", lambda name: table)
        return table

    return put


# --- baselines


@pytest.mark.parametrize(
    ("job", "kind"), [*itertools.product(("linear", "cart", "svm"), KINDS), ("random_tree", "multiclass")]
)
def test_test_rows_change_nothing_but_the_score(
    as_table: Any, monkeypatch: pytest.MonkeyPatch, job: str, kind: str
) -> None:
    unit = Unit("wine", job, 1)
    table = as_table(small_table(kind, 60, 10))
    (row,) = baselines.JOBS[job].run(unit, False)
    assert set(row) == set(COLUMNS)
    train, test = holdout(table, unit.seed)
    for module in ("search.table.split_checks", "experiments.common.holdout"):  # it goes by the classes of all rows
        monkeypatch.setattr(f"{module}.split", lambda *given: (train, test))
    y = table.y.copy()
    y[test] = np.roll(y[test], 1)
    X = table.X.copy()
    X[test] *= 1.5
    as_table(replace(table, X=X, y=y))
    (other,) = baselines.JOBS[job].run(unit, False)
    unseen = [name for name in COLUMNS if name != "score"]
    assert {name: row[name] for name in unseen} == {name: other[name] for name in unseen}
    assert row["score"] != other["score"]
    assert row["score"] > (0.0 if kind == "regression" else 0.5)


@pytest.mark.parametrize("job", ["random_forest", "extra_trees", "boosting", "gaussian_process", "pruned_mlp"])
def test_the_other_jobs_give_rows(as_table: Any, monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    monkeypatch.setattr("experiments.common.ordinary.FOREST_TREES", 5)
    monkeypatch.setattr("experiments.common.ordinary.BOOSTING_STEPS", 5)
    as_table(small_table("multiclass", 60, 10))
    rows = baselines.JOBS[job].run(Unit("iris", job, 0), False)
    assert [row["budget"] for row in rows] == ([250, 120, 60, 30] if job == "pruned_mlp" else [None])
    assert all(row["score"] > 0.5 and row["weights"] > 0 and row["protocol"] == "honest" for row in rows)
    assert all((row["val_score"] is None) == (job == "gaussian_process") for row in rows)


def fitted(name: str, kind: str, choice: int = 0) -> tuple[Any, Table]:
    table, row = small_table(kind, 60, 10), ORDINARY[name]
    with threadpool_limits(1):
        return row.make(kind, table.X.shape[1], row.choices[choice], 0).fit(table.X, table.y), table


@pytest.mark.parametrize("name", ["random_forest", "extra_trees"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_of_a_forest(monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    monkeypatch.setattr("experiments.common.ordinary.FOREST_TREES", 3)
    model, table = fitted(name, kind)
    count = 0
    for tree in (one.tree_ for one in model.estimators_):
        inner = int(np.count_nonzero(tree.children_left >= 0))
        count += inner + (tree.node_count - inner) * (len(table.classes or ()) if kind == "multiclass" else 1)
    assert ORDINARY[name].weights(kind, model) == count


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_of_boosting(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A step of so many leaves changes the raw prediction by as many different values; a tree has a split less."""
    monkeypatch.setattr("experiments.common.ordinary.BOOSTING_STEPS", 4)
    model, table = fitted("boosting", kind, -1)
    staged = model.staged_predict if is_regressor(model) else model.staged_decision_function
    outputs = len(table.classes or ()) if kind == "multiclass" else 1
    raw = [np.asarray(values).reshape(len(table.y), -1) for values in staged(table.X)]
    steps = [np.round(after - before, 9) for before, after in itertools.pairwise(raw)]
    leaves = [len(np.unique(step[:, k])) for step in steps for k in range(outputs)]
    first = ORDINARY["boosting"].weights(kind, model) - sum(2 * n - 1 for n in leaves) - outputs  # of the first step
    assert first > 0
    assert (first + outputs) % 2 == 0
    assert first <= outputs * (2 * 12 - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_of_an_svm_are_those_that_predict(kind: str) -> None:
    """The decision function of two classes or of numbers, written out with no other numbers."""
    model, table = fitted("svm", kind)
    used = [model.support_vectors_, model.dual_coef_, model.intercept_]
    assert ORDINARY["svm"].weights(kind, model) == sum(part.size for part in used)
    if kind != "multiclass":
        distance = ((table.X[:, None] - used[0][None]) ** 2).sum(axis=2)
        predict = model.predict if kind == "regression" else model.decision_function
        assert_allclose(np.exp(-model.gamma * distance) @ used[1][0] + used[2][0], predict(table.X))


def test_the_weights_of_a_gaussian_process_are_those_that_predict() -> None:
    table = small_table("regression", 60, 10)
    y = (table.y - table.y.mean()) / table.y.std()
    model = ORDINARY["gaussian_process"].make("regression", 10, {}, 0).fit(table.X, y)
    level, length, _ = np.exp(model.kernel_.theta)
    distance = ((table.X[:, None] - table.X[None]) ** 2).sum(axis=2)
    written_out = level * np.exp(-distance / (2 * length**2)) @ model.alpha_
    assert_allclose(written_out, model.predict(table.X + 0.0), atol=1e-6)
    assert ORDINARY["gaussian_process"].weights("regression", model) == 60 * 10 + 60 + 3


def test_the_weights_of_gaussian_processes_for_classes() -> None:
    for kind, count in (("binary", 60 * 6 + (60 + 2)), ("multiclass", 60 * 4 + 3 * (60 + 2))):
        model, _ = fitted("gaussian_process", kind)
        assert ORDINARY["gaussian_process"].weights(kind, model) == count


def test_scores() -> None:
    assert score("binary", [0, 1, 1, 0], [0, 1, 0, 0]) == 0.75
    rng = np.random.default_rng(0)
    target, predicted = rng.normal(size=(2, 20))
    assert_allclose(score("regression", target, predicted), r2_score(target, predicted))


def test_units_and_settings() -> None:
    units = tables.units(2, False)
    assert len(units) == len(set(units)) == 2 * 14 * len(tables.JOBS)
    first, second, *_ = tables.JOBS
    assert units[: 14 * 2] == [Unit(name, job, 0) for job in (first, second) for name in TABLES]
    assert first == "evolved"
    for unit in units:
        json.dumps(tables.settings(unit, False), allow_nan=False)
    assert {unit.table for unit in tables.units(1, True)} <= set(TABLES)


# --- statistics


def brute_force(first: Sequence[float], second: Sequence[float]) -> float:
    """Over all signs of the ranks, the share whose sum is as far from the middle, both sides."""
    d = np.round(np.subtract(first, second), 12)
    d = d[d != 0]
    size = np.abs(d)
    rank = np.array([(size < s).sum() + ((size == s).sum() + 1) / 2 for s in size])
    sums = [rank[list(signs)].sum() for signs in map(np.array, itertools.product([False, True], repeat=len(d)))]
    far = abs(rank[d > 0].sum() - rank.sum() / 2)
    return float(np.mean(np.abs(np.array(sums) - rank.sum() / 2) >= far - 1e-9)) if len(d) else 1.0


@steady
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=9))
def test_the_signed_rank_test_is_exact_with_ties(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs).T / 10
    assert_allclose(signed_rank_p(first, second), brute_force(first, second))


def test_the_signed_rank_test_is_that_of_scipy_without_ties() -> None:
    first, second = np.random.default_rng(1).normal([[0.3], [0.0]], size=(2, 30))
    assert_allclose(signed_rank_p(first, second), wilcoxon(first, second, method="exact").pvalue)
    assert signed_rank_p(second, first) == signed_rank_p(first, second)


def test_differences_that_rounding_makes_unequal_are_ties() -> None:
    assert 0.9 - 0.8 != 0.8 - 0.7
    assert signed_rank_p([0.9, 0.7], [0.8, 0.8]) == 1.0


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        # 4 x .01 = .04; 3 x .02 = .06; 2 x .03 = .06; 1 x .04 = .04, raised to .06
        ((0.04, 0.01, 0.03, 0.02), (0.06, 0.04, 0.06, 0.06)),
        ((0.5, 0.9), (1.0, 1.0)),
        ((0.01, 0.01), (0.02, 0.02)),
        ((0.2,), (0.2,)),
        ((), ()),
    ],
)
def test_holm(p: tuple[float, ...], adjusted: tuple[float, ...]) -> None:
    assert_allclose(holm(p), adjusted)


def test_ranks_put_what_has_no_score_last() -> None:
    found = ranks([[0.9, np.nan, 0.8, np.nan], [0.1, 0.3, 0.3, 0.2]])
    assert_allclose(found, [[1, 3.5, 2, 3.5], [4, 1.5, 1.5, 3]])


def test_an_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(3, 2, size=200)
    low, high = interval(values)
    width = 1.96 * values.std() / 200**0.5
    assert_allclose((low, high), (values.mean() - width, values.mean() + width), atol=0.03)
    assert interval(values) == (low, high)
    assert interval([2.0, 2.0]) == (2.0, 2.0)


def test_summaries_and_pairs() -> None:
    found = summary([1.0, 2.0, 6.0])
    assert found == (3.0, 7**0.5, 2.0, 3)
    assert np.isnan(summary([1.0]).sd)
    first, second = paired({2: 0.2, 0: 0.0, 5: 0.5}, {0: 1.0, 2: 1.2, 7: 1.7})
    assert (first.tolist(), second.tolist()) == ([0.0, 0.2], [1.0, 1.2])


# --- pages


def made_rows(quality: dict[tuple[str, int | None], float], seeds: int = 8, **cells: Any) -> list[dict[str, str]]:
    """As read from a file: scores of models by (name, budget), each seed and table with a noise of its own."""
    rows = []
    for number, (table, seed) in enumerate(itertools.product(TABLES, range(seeds))):
        noise = (number * 7 % 11) / 1000
        for i, ((model, budget), level) in enumerate(quality.items()):
            row = honest(model, score=level + noise + (number * (i + 3) % 5) / 1e4, weights=budget or 40, budget=budget)
            given = {"table": table, "job": model, "seed": seed, **row, **cells}
            rows.append({name: "" if value is None else str(value) for name, value in given.items()})
    return rows


QUALITY = {("evolved", None): 0.8, ("evolved", 60): 0.79, ("linear", None): 0.7, ("pruned_mlp", 60): 0.75}


def test_means_need_all_tables() -> None:
    rows = made_rows(QUALITY, 2)
    scores = scores_of([row for row in rows if (row["table"], row["seed"]) != ("glass", "1")], "honest")
    assert list(means_by_seed(scores[Entry("linear")], CLASSIFICATION)) == [0]
    assert list(means_by_seed(scores[Entry("linear")], REGRESSION)) == [0, 1]
    assert means_by_seed({}, REGRESSION) == {}


def test_the_headline_model_is_tested_against_each_baseline() -> None:
    scores = scores_of(made_rows(QUALITY), "honest")
    found = significance.of_table(scores, "iris")
    assert set(found) == {Entry("linear"), Entry("pruned_mlp", 60)}
    assert all(test.sign == 1 and test.p == pytest.approx(2 * 2 / 2**8) for test in found.values())
    over = significance.over_tables(scores, CLASSIFICATION)[Entry("linear")]
    assert over.mean == pytest.approx(0.1, abs=1e-3)
    assert over.p == pytest.approx(2 * 2 / 2**8)
    assert significance.section(scores_of(made_rows({("linear", None): 0.7}), "honest")) is None


def test_too_few_hold_outs_for_any_test_are_said() -> None:
    enough, few = (scores_of(made_rows(QUALITY, seeds), "honest") for seeds in (7, 6))
    assert significance.least_pairs(enough) == 7  # two baselines: 2 x 2 / 2^7 < .05 < 2 x 2 / 2^6
    assert "no p can be so small" not in str(significance.section(enough))
    assert "With 6 hold-outs no p can be so small: that takes 7." in str(significance.section(few))


def test_means_are_over_hold_outs_that_all_jobs_have() -> None:
    rows = made_rows(QUALITY, 4)
    missing = [r for r in rows if (r["job"], r["table"]) != ("linear", "iris") or int(r["seed"]) < 2]
    extra = {**rows[0], "job": BESIDE[0], "model": "evolved_alone"}
    peeked = [{**row, "protocol": "reference"} for row in rows if row["job"] == "evolved"]
    kept = shared([*missing, extra, *peeked])
    assert {r["seed"] for r in kept if r["table"] == "iris" and r["protocol"] == "honest"} == {"0", "1"}
    assert {r["seed"] for r in kept if r["table"] == "dee"} == {"0", "1", "2", "3"}
    assert all(row in kept for row in [extra, *peeked])


def test_the_overview_lists_the_pages_of_benchmarks(tmp_path: Path) -> None:
    assert benchmark_pages(tmp_path) == ""
    (tmp_path / "b.md").write_text("# Speed\n\nMade by `python -m benchmarks.run peers --seeds 2`. 100 models.\n")
    (tmp_path / "a.md").write_text("# Costs\n\nWritten by `python -m benchmarks.hardware_model`. Trees.\n")
    (tmp_path / "c.md").write_text("# An experiment\n\n`python -m experiments.run depth`\n")
    (tmp_path / "README.md").write_text(benchmark_pages(tmp_path))
    assert benchmark_pages(tmp_path).splitlines()[-2:] == [
        "| [Costs](a.md) | `python -m benchmarks.hardware_model` |",
        "| [Speed](b.md) | `python -m benchmarks.run peers --seeds 2` |",
    ]


def test_the_overview_names_every_page() -> None:
    pages = {path.name for path in RESULTS.glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\]\((\w+\.md)\)", (RESULTS / "README.md").read_text("utf-8"))) == pages


def test_rows_of_several_settings_are_not_rendered() -> None:
    rows = [{"table": "iris", "job": "svm", "config": config} for config in ("one", "two")]
    render._check_settings("tables/bneuralt", rows[:1])
    with pytest.raises(InputError, match=r"rows of iris/svm were made with several settings; .* --fresh"):
        render._check_settings("tables/bneuralt", rows)


def test_rows_of_other_settings_than_now_are_named() -> None:
    jobs = ("svm", "cart", "no such job")
    settings = [config_hash(tables.settings(Unit("iris", job, 0), False)) for job in jobs[:2]]
    rows = [{"table": "iris", "job": job, "config": config} for job, config in zip(jobs, (*settings, "x"), strict=True)]
    assert render._outdated("tables/bneuralt", rows[:2]) is None
    rows[0]["config"] = "old"
    assert render._outdated("tables/bneuralt", rows) == (
        "Made with other settings than this checkout's: svm, no such job."
    )


def test_ranks_at_equal_weights() -> None:
    scores = scores_of(made_rows(QUALITY), "honest")
    found = equal_weights.mean_ranks(scores, 60)
    assert {model: rank.mean for model, rank in found.items()} == {"evolved": 1.0, "pruned_mlp": 2.0, "linear": 3.0}
    assert found["linear"][1:] == (3.0, 3.0, 1.0)
    assert equal_weights.mean_ranks(scores, 30) == {}  # no evolved tree is so small
    assert equal_weights.score_within(scores, "pruned_mlp", 120, "iris", 0) > 0.7  # the largest that there is
    assert np.isnan(equal_weights.score_within(scores, "linear", 30, "iris", 0))


def test_where_a_linear_model_suffices() -> None:
    better = made_rows(QUALITY, 20)
    text = str(linear_section.section(scores_of(better, "honest")))
    assert "suffices on 0 of 14 tables" in text
    assert line_of(text, "dee")[-2:] == [".000", "tree"]
    worse = [{**row, "score": "0.9"} if row["job"] == "linear" and row["table"] == "dee" else row for row in better]
    text = str(linear_section.section(scores_of(worse, "honest")))
    assert "suffices on 1 of 14 tables" in text
    assert line_of(text, "dee")[1:3] == [".900", "40"]
    assert line_of(text, "dee")[-1] == "linear suffices"
    assert linear_section.section(scores_of(made_rows(QUALITY, 19), "honest")) is None  # too few for an interval


@pytest.mark.parametrize(
    ("difference", "high", "p", "said"),
    [
        (-0.01, 0.009, 0.9, "linear suffices"),
        (0.005, 0.009, 0.01, "linear suffices"),
        (0.005, 0.02, 0.01, "tree"),
        (0.005, 0.02, 0.06, "open"),
        (-0.005, 0.02, 0.01, "open"),
    ],
)
def test_a_difference_below_the_margin_is_none(difference: float, high: float, p: float, said: str) -> None:
    assert linear_section.verdict(difference, high, p) == said


def test_what_teachers_bring_is_compared_on_the_hold_outs_that_all_have() -> None:
    quality = {("evolved", None): 0.8, ("teachers", None): 0.82, ("evolved_alone", None): 0.7}
    sized = {(model, 60): level for model, level in (("evolved", 0.79), ("pruned_taught", 0.75), ("pruned_mlp", 0.6))}
    rows = made_rows({**quality, **sized}, 4)
    fewer = [row for row in rows if row["model"] not in ("teachers", "pruned_taught") or row["seed"] in "01"]
    text = str(lessons_section.section(scores_of(fewer, "honest")))
    assert "### Classification: accuracy, 2 hold-outs" in text
    assert line_of(text, "pruned MLP with teachers, ≤ 60 weights")[2:4] == ["60", "+.040"]
    assert line_of(text, "pruned MLP, ≤ 60 weights")[3] == "+.190"
    assert line_of(text, "the teachers, weighted mean")[3] == "−.020"
    assert line_of(text, "evolved neural tree |")[3] == "–"
    assert line_of(text, "pruned MLP, ≤ 30 weights")[1:] == ["–"] * 4
    assert lessons_section.section(scores_of(made_rows(QUALITY, 2), "honest")) is None
    assert lessons_section.section(scores_of([row for row in rows if row["model"] != "evolved"], "honest")) is None


def test_weights_of_a_budget_are_those_of_the_models_it_has() -> None:
    """At most 250: the one made for 60 is the largest, and of two hold-outs only the first counts."""
    rows = made_rows({("evolved", None): 0.8, ("evolved", 60): 0.8, ("teachers", None): 0.9}, 2)
    rows = [row for row in rows if row["model"] != "teachers" or row["seed"] == "0"]
    heavy = [{**row, "weights": "50"} if row["seed"] == "1" else row for row in rows]
    assert line_of(str(lessons_section.section(scores_of(heavy, "honest"))), "evolved neural tree, ≤ 250")[2] == "60"


def test_controls_are_no_baselines() -> None:
    scores = scores_of(made_rows({**QUALITY, ("teachers", None): 0.9}), "honest")
    assert set(significance.of_table(scores, "iris")) == {Entry("linear"), Entry("pruned_mlp", 60)}
    assert page.strongest(scores) == [Entry("pruned_mlp", 60)]


def test_what_it_took() -> None:
    rows = made_rows(QUALITY, 2, cpu_s=1.5, commit="abc")
    rows[0]["commit"] = "def"
    text = run_cost.section(rows)
    # Two rows of a unit are one: 14 tables, 2 seeds, 1.5 s each.
    assert line_of(text, "evolved")[1:] == ["28", "1.5", "1.5", ".01", "def abc"]


def columns(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def line_of(text: str, start: str) -> list[str]:
    return columns(next(line for line in text.split("\n") if line.startswith(f"| {start}")))


def test_protocols_are_never_in_one_table() -> None:
    rows = made_rows(QUALITY) + made_rows({("evolved", None): 0.95}, protocol="reference")
    honest_part, peeking = (str(protocols.section(rows, name)) for name in ("honest", "reference"))
    assert line_of(honest_part, "evolved neural tree |")[-1].startswith(".80")
    assert line_of(peeking, "evolved neural tree |")[-1].startswith(".95")
    assert "*published: random tree, RMSprop, leaf probability .4*" in peeking
    assert "leaf probability .4" not in honest_part
    assert "best score *on the test rows*" in peeking
    assert protocols.section(made_rows(QUALITY), "reference") is None


def test_published_means_are_those_of_the_published_tables() -> None:
    """They were rounded to three digits, the means were not."""
    for row in PUBLISHED:
        if row.by_table:
            assert np.mean(row.by_table[:9]) == pytest.approx(row.classification, abs=5e-4)
            assert np.mean(row.by_table[9:]) == pytest.approx(row.regression, abs=5e-4)


def test_results_are_rendered_from_the_csv_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = {(name, None): 0.6 for name in LABELS if name != "pruned_mlp"}
    write_results(tmp_path, made_rows({**QUALITY, **others}, cpu_s=1, commit="c"))
    assert render.main(["--results", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("tables/bneuralt: ")
    text, front = (tmp_path / "bneuralt.md").read_text(), (tmp_path / "README.md").read_text()
    for title in ("## Protocol: honest", "## Evolved neural tree against each baseline", "## At equal weights"):
        assert title in text
    assert "## The 14 tables" in front
    assert line_of(front, "strongest baseline: pruned MLP")[1].startswith(".75")
    assert (tmp_path / "bneuralt.png").read_bytes().startswith(b"\x89PNG")


def write_results(folder: Path, rows: Iterable[dict[str, str]]) -> None:
    from experiments.frame.row_store import Store

    with Store(folder / "bneuralt.csv", COLUMNS) as store:
        store.begin([], {}, fresh=False)
        by_key: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for row in rows:
            by_key.setdefault((row["table"], row["job"], row["seed"]), []).append(row)
        store.append([row for some in by_key.values() for row in some])


def test_without_rows_there_is_nothing_to_render(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["--results", str(tmp_path)]) == 2
    assert "holds no rows; run an experiment first" in capsys.readouterr().err


def test_a_headline_of_part_of_the_tables() -> None:
    rows = [row for row in made_rows(QUALITY, 1) if row["table"] in ("iris", "dee")]
    text = page.headline(rows)
    assert line_of(text, "evolved neural tree |")[1:] == ["–", "–", "–", "–"]
    assert "strongest baseline" not in text


@pytest.mark.parametrize(
    ("value", "plain", "with_sign"),
    [(0.8914, ".891", "+.891"), (-0.06, "−.060", "−.060"), (1.0, "1.000", "+1.000"), (-0.0001, ".000", ".000")],
)
def test_figures(value: float, plain: str, with_sign: str) -> None:
    assert (figure(value), signed(value)) == (plain, with_sign)


def test_no_figure_is_a_dash() -> None:
    assert figure(None) == figure(float("nan")) == "–"


def test_an_unknown_experiment_has_no_file() -> None:
    from experiments.catalogue import load

    with pytest.raises(InputError, match="did you mean mnist"):
        load("mnits")


@pytest.mark.rare
def test_the_main_figure_is_not_cut_off(tmp_path: Path) -> None:
    """Of the rows that are kept, with all models in the legend: nothing is drawn at the left and right edge."""
    rows = shared(read_rows(csv_path("tables/bneuralt")))
    draw(scores_of(rows, "honest"), tmp_path / "main.png")
    image = imread(tmp_path / "main.png")[..., :3]
    assert (image[:, [0, 1, -2, -1]] == 1).all()
