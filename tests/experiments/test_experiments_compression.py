"""The experiments on trees from pixels in few bits, and on depth: bytes, lines in place of nodes, rows and pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.frame.experiment import Unit
from experiments.studies.deep_compression import page as bits_page
from experiments.studies.deep_compression import run as bits
from experiments.studies.deep_compression.edge_bytes import dense_bytes, float_bytes, gaps_of, shared_bytes
from experiments.studies.depth import page as depth_page
from experiments.studies.depth import run as depth
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.tree.tree import Tree
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.plain_tree import evaluate
from tests.helpers.random_models import IDENTITY, RELU, record
from tests.helpers.study_pages import rendered

FEATURES = 40


@pytest.fixture(scope="module")
def tree() -> Tree:
    """Two outputs; the hidden node of one reads inputs 3, 30 and 4, that of the other input 0 only."""
    rows = [
        (0, IDENTITY, 0.0, 0.5),
        *[(1, RELU, 0.7, 0.1), (2, 3, 1.0, 0.0), (2, 30, -2.0, 0.0), (2, 4, 1.0, 0.0)],
        (0, IDENTITY, 0.0, 0.5),
        *[(1, RELU, 0.2, 0.1), (2, 0, 4.0, 0.0)],
    ]
    return Tree(record(rows), "multiclass", tuple(f"x{i}" for i in range(FEATURES)), (0, 1))


def test_gaps_begin_at_the_first_input_of_each_node(tree: Tree) -> None:
    assert gaps_of(tree).tolist() == [3, 1, 26, 0]


def test_bytes_count_weights_positions_and_fillers(tree: Tree) -> None:
    others = 4 * (2 + 4) + 2 * 4  # edges of two hidden nodes, biases and counts of four function nodes
    assert dense_bytes(tree).fixed == others + 4 * 4
    # A gap of 26 takes 5 bits; in 4 bits it needs a filler, of 4 bytes and more.
    assert float_bytes(tree).fixed == others + -(-4 * (32 + 5) // 8)
    # Three values, 2 bits each: 4 x (5 + 2) bits, or with a filler 5 x (4 + 2).
    assert shared_bytes(tree, 4).fixed == others + 4 * 3 + -(-28 // 8)
    # Gaps in four codes of 2 bits and weights in codes of 1, 2 and 2 bits, each symbol with 2 bytes of table.
    assert float_bytes(tree).huffman == others + 16 + 1 + 2 * 4
    assert shared_bytes(tree, 4).huffman == others + 12 + (1 + 2 * 4) + (1 + 2 * 3)


def test_hidden_nodes_below_a_depth_become_lines(tree: Tree) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, FEATURES))
    lesson = lesson_of(tree, X, rng.integers(0, 2, 300))
    flat = depth.shallower(tree.nodes, 1, lesson)
    assert flat["depth"].max() == 1
    sums = np.stack([0.1 + X[:, 3] - 2 * X[:, 30] + X[:, 4], 0.1 + 4 * X[:, 0]])
    lines = [np.polyval(np.polyfit(each, np.maximum(each, 0), 1), each) for each in sums]
    wanted = np.stack([0.5 + 0.7 * lines[0], 0.5 + 0.2 * lines[1]], axis=1)
    np.testing.assert_allclose(evaluate(flat, X).T, wanted, atol=1e-10)
    np.testing.assert_array_equal(depth.shallower(tree.nodes, 2, lesson), tree.nodes)


@pytest.mark.parametrize("experiment", [bits.EXPERIMENT, depth.EXPERIMENT], ids=lambda each: each.name)
def test_units_are_distinct_and_have_settings_of_their_own(experiment: depth.Experiment) -> None:
    units = list(experiment.units(3, False))
    assert len(set(units)) == len(units)
    assert len({str(experiment.settings(unit, False)) for unit in units if unit.seed == 0}) > 1
    assert len(experiment.units(3, True)) < len(units)


def test_a_unit_has_a_row_for_each_depth_and_way(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: found)
    rows = depth.run(Unit("iris", depth.LINES, 0), True)
    assert len(rows) == 1 + 3 * len(depth.DEPTHS)
    assert all(set(row) == set(depth.COLUMNS) for row in rows)
    for level in depth.DEPTHS:
        plain, trained, _ = (row for row in rows[1:] if row["depth"] == level)
        assert plain["weights"] == trained["weights"] <= rows[0]["weights"]
    assert rows[-2]["hidden"] == 0  # of depth 1
    assert rows == depth.run(Unit("iris", depth.LINES, 0), True)


def as_text(rows: list[dict]) -> list[dict[str, str]]:
    return [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]


def test_the_page_of_depth_is_made_of_rows_alone(tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(0), []
    ways = [
        ("whole", 5, 0),
        *((way, d, e) for d in depth.DEPTHS for way, e in (("lines", 0), ("lines", 25), ("ablation", 25))),
    ]
    for table, seed, (way, level, epochs) in ((t, s, w) for t in ("iris", "friedman") for s in range(3) for w in ways):
        about = {"table": table, "job": depth.LINES, "seed": seed, "way": way, "depth": level, "epochs": epochs}
        rows.append(about | {"weights": 10 * level, "hidden": level, "test_score": rng.random()})
    pixels = {"table": "mnist", "job": depth.PIXELS, "seed": 0, "way": "grown", "epochs": 0, "weights": 9, "hidden": 3}
    rows += [pixels | {"depth": level, "test_score": 0.9} for level in (2, 3)]
    text = rendered(depth_page, as_text(rows), tmp_path, "depth")
    assert "| 3 | 3 | 9 | 10.00 |" in text
    wanted = np.mean([row["test_score"] for row in rows if (row["table"], row["way"]) == ("iris", "whole")])
    found = depth_page.mean(depth_page.at(as_text(rows), "accuracy", ("lines", "0"), 5), "test_score")
    assert found == pytest.approx(wanted)


def test_the_page_of_few_bits_is_made_of_rows_alone(tmp_path: Path) -> None:
    rows = []
    for seed in range(2):
        about = dict.fromkeys(bits.COLUMNS) | {"table": "mnist", "seed": seed, "weights": 100, "hidden": 10}
        for job in bits.MODELS:
            named = {"stages": ("dense", "pruned", *bits.SHARED), "entropy": bits.WAYS}
            formats = ("float", *bits.WEIGHT_FORMATS)
            for place, name in enumerate(named.get(job, formats)):
                each = about | {"job": job, "name": name, "bytes": 4000 // (place + 1), "huffman_bytes": 1000}
                if job != "entropy":
                    rows.append(each | {"test_error": 0.01 * (seed + 1)})
                    continue
                rows += [each | {"round": r, "entropy": 0.5, "test_error": 0.1} for r in range(bits.ROUNDS + 1)]
    text = rendered(bits_page, as_text(rows), tmp_path, "deep_compression")
    assert "| dense | 100 | 1.50 ± .71 | 4.0 | 1.0 | 1.0 | 4.0 |" in text
    assert "| taylor, round 4 | 100 | 10 | .50 | 10.00 ± .00 |" in text
