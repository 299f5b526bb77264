"""The study of weights: statistics against formulas written out, the trees, the groups, wide outputs, and the page."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.common.images import CLASSES, SIDE, Images
from experiments.frame.experiment import Unit
from experiments.frame.working import checked_rows
from experiments.studies.weights import page, run, trained_trees
from experiments.studies.weights.run import BIRTH, EXPERIMENT, GROUPS, POPULATION, SHARES, SIZES, TABLES, grouped
from experiments.studies.weights.trained_trees import Course, Trained, edge_params, of_images, of_table, trained
from experiments.studies.weights.weight_statistics import (
    apart,
    by_chance,
    distance,
    normal_p,
    shape,
    shuffled,
    standardised,
    transport,
)
from experiments.studies.weights.wide_sums import sums
from neuraltree.engine.forest import load_params, pack
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.space import Space
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.study_pages import rendered

SOME = np.array([-2.0, -0.5, 0.1, 0.4, 1.0, 3.0])


# --- statistics


def test_moments_are_those_of_the_formulas() -> None:
    found, centred = shape(SOME), SOME - SOME.mean()
    spread = np.sqrt(np.mean(centred**2))
    assert found.mean == pytest.approx(np.mean(SOME))
    assert found.sd == pytest.approx(spread)
    assert found.skewness == pytest.approx(np.mean(centred**3) / spread**3)
    assert found.kurtosis == pytest.approx(np.mean(centred**4) / spread**4 - 3)


def gap(first: np.ndarray, second: np.ndarray) -> float:
    """The largest gap of two empirical distributions, at every value that either has."""
    at = np.concatenate([first, second])[:, None]
    return float(np.abs((first <= at).mean(axis=1) - (second <= at).mean(axis=1)).max())


def test_distances_are_the_gap_and_the_mean_shift_of_sorted_values() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(30), 0.5 + rng.standard_normal(30)
    assert distance(a, b) == pytest.approx(gap(a, b))
    assert transport(a, b) == pytest.approx(np.abs(np.sort(a) - np.sort(b)).mean() / b.std())
    np.testing.assert_allclose(standardised(a), standardised(3 * a + 7))
    assert standardised(b).std() == pytest.approx(1)


def test_the_distance_to_a_normal_is_that_of_many_normal_numbers() -> None:
    many = np.random.default_rng(1).normal(SOME.mean(), SOME.std(), 200_000)
    assert shape(SOME).ks_normal == pytest.approx(gap(SOME, many[:20_000]), abs=0.01)


def test_models_of_one_distribution_are_apart_by_chance_alone() -> None:
    rng = np.random.default_rng(2)
    alike = [rng.standard_normal(200) for _ in range(12)]
    differing = [rng.standard_normal(200) * scale for scale in np.geomspace(0.3, 3, 12)]
    assert apart(alike, rng) == pytest.approx(apart(shuffled(alike, rng), rng), rel=0.15)
    assert apart(differing, rng) > 2 * apart(shuffled(differing, rng), rng)
    assert by_chance(differing, 3, rng) > by_chance(alike, 3, rng)
    assert sorted(np.concatenate(shuffled(alike, rng))) == sorted(np.concatenate(alike))


def test_p_tells_a_normal_from_another_distribution() -> None:
    rng = np.random.default_rng(3)
    assert normal_p(rng.standard_normal(200)) > 0.05
    assert normal_p(rng.exponential(size=200)) < 0.01


# --- trees


@pytest.mark.parametrize("seed", range(3))
def test_weights_of_edges_are_those_of_the_records(seed: int) -> None:
    rng, space = np.random.default_rng(seed), Space(4, 2, max_nodes=60)
    nodes, starts = join([random_tree(rng, space) for _ in range(3)])
    packed = pack(nodes, starts, 4)
    params = load_params(packed, nodes, "float64")[0]
    given = Trained(packed.forest, params[None], np.zeros(3))
    for tree, (start, end) in enumerate(pairwise(starts)):
        mine = nodes[start:end]
        assert sorted(given.weights()[tree]) == sorted(mine["weight"][mine["depth"] > 0, 0])
    assert edge_params(packed.forest).sum() == np.count_nonzero(nodes["depth"])


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, table = np.random.default_rng(4), made_up()
    X, y = rng.integers(0, 256, (600, SIDE * SIDE)).astype(np.uint8), rng.integers(0, CLASSES, 600)
    monkeypatch.setattr(paper_tables, "table", lambda name: table)
    monkeypatch.setattr(trained_trees, "images", lambda name: Images(X, y, X[:0], y[:0]))
    monkeypatch.setattr(run, "PIXEL_ROWS", (300, 100))


def test_a_training_in_stretches_lowers_the_loss_and_keeps_its_path(data: None) -> None:
    given = of_table("glass", 0, 8, 40)
    begun, found = (trained(given, Course(stretches, 5, 0.01, 16)) for stretches in (0, 6))
    assert found.path.shape == (7, len(given.params))
    np.testing.assert_array_equal(found.path[0], given.params)
    assert np.median(found.loss) < np.median(begun.loss)
    pixels = of_images("mnist", 0, 3, 500, 4, (300, 100))
    assert (len(pixels.fit), len(pixels.held)) == (300, 100)
    assert [len(each) for each in trained(pixels, Course(1, 1, 0.01, 64)).weights()] == [440] * 3


def test_groups_are_thirds_by_loss_without_trees_that_diverged() -> None:
    loss = np.array([3.0, 1.0, np.inf, 2.0, 5.0, 4.0, 6.0])
    found = grouped(Trained(None, np.zeros((1, 1)), loss))  # type: ignore[arg-type]
    assert found == {"successful": [1, 3], "suboptimal": [0, 5], "failed": [4, 6]}


def test_a_wide_output_is_normal_and_a_narrow_one_is_not() -> None:
    narrow, wide = (shape(sums(width, 300, 0)) for width in (1, 2_000))
    assert narrow.kurtosis > 3
    assert abs(wide.kurtosis) < 1
    assert normal_p(sums(2_000, 300, 0)) > 0.05


# --- the study


@pytest.mark.parametrize("table", ["glass", "mnist"])
def test_a_unit_has_rows_for_every_size(table: str, data: None) -> None:
    rows = checked_rows(EXPERIMENT, True, Unit(table, POPULATION, 0))
    parts = [row["part"] for row in rows]
    assert [parts.count(part) for part in ("birth", "group", "path", "sizes")] == [2, 6, 6 * len(SHARES), 1]
    losses = [[row["val_loss"] for row in rows if row["part"] == "group" and row["group"] == group] for group in GROUPS]
    assert (np.diff(losses, axis=0) >= 0).all()
    starts = [row["left"] for row in rows if row["part"] == "path" and row["level"] == 0]
    assert starts == [1.0] * 6
    assert rows == checked_rows(EXPERIMENT, True, Unit(table, POPULATION, 0))


def test_units_and_settings() -> None:
    units = EXPERIMENT.units(5, False)
    assert len(set(units)) == len(units) == 5 * len(TABLES) + 1
    hashes = {str(EXPERIMENT.settings(unit, False)) for unit in units if unit.seed == 0}
    assert len(hashes) == len(TABLES) + 1


def made_up_rows() -> list[dict[str, str]]:
    rows = []
    empty = dict.fromkeys(EXPERIMENT.columns, "")

    def add(table: str, job: str, seed: int, **values: object) -> None:
        rows.append(empty | {"table": table, "job": job, "seed": str(seed)} | {k: str(v) for k, v in values.items()})

    for seed in range(3):
        for size in SIZES:
            moments = {
                "weights": 0.7 * size,
                "mean": 0.0,
                "sd": 1.5,
                "skewness": 0.1,
                "ks_normal": 0.05,
                "ks_chance": 0.04,
            }
            add("glass", POPULATION, seed, part="birth", size=size, kurtosis=0.9, **moments)
            for place, group in enumerate(GROUPS):
                far = {
                    "val_loss": 0.5 + place,
                    "apart": 0.1 + 0.01 * place,
                    "apart_chance": 0.1,
                    "ks_best": 0.03 * place,
                }
                far |= {"ks_best_chance": 0.02, "transport_best": 0.1, "ks_shape": 0.01}
                add("glass", POPULATION, seed, part="group", size=size, group=group, kurtosis=0.2, **moments, **far)
                for share in SHARES:
                    add("glass", POPULATION, seed, part="path", size=size, group=group, level=share, left=1 - share)
        for first, second in ((50, 150), (150, 500)):
            far = {"ks_best": 0.07, "transport_best": 0.2, "ks_shape": 0.03, "ks_best_chance": 0.02}
            add("glass", POPULATION, seed, part="sizes", size=first, level=second, **far)
    for width in (1, 100):
        add(
            "none",
            BIRTH,
            0,
            part="wide",
            size=width,
            kurtosis=9 / width,
            ks_normal=0.2,
            ks_chance=0.03,
            p=0.001 * width,
        )
    return rows


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    text = rendered(page, made_up_rows(), tmp_path, "weights")
    assert "- Failed from successful trees: KS .060, random thirds .020 (p = 0.0039 over 9 cases)." in text
    assert "- Failed trees are .120 apart from each other, successful ones .100 (p = 0.0039)." in text
    assert "- Successful trees of two sizes: KS .070; once both have equal moments .030." in text
    assert "- Excess kurtosis +.90 at birth and +.20 after training." in text
    assert "| failed | 100 | 90 | 75 | 50 | 25 | 10 |" in text
    assert "| glass | 50 and 150 | .070 | .200 | .030 | .020 |" in text
    assert "| 100 | .090 | .200 | .030 | .100 |" in text
