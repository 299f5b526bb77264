"""Refits and test scores of streamed tables, against those of the same rows in memory."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import search.judge.streamed_refit as streamed_refit
from neuraltree.engine.training import make_data
from neuraltree.tasks.task import encode
from neuraltree.tree.generate import random_tree
from neuraltree.tree.model_files import load
from neuraltree.tree.nodes import Nodes
from search.engine.evaluate import REFIT_STREAM, Problem, trained
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.judge.honest import FASTER, LONGER, refit_course
from search.run import main
from search.table.data import Table
from search.table.loading import load_table
from search.table.streams import stored_rows
from search.table.streams.row_draws import TEST, uniform
from tests.helpers.streamed import cells_of, config_for, small_run, written

ROWS, EPOCHS, WEIGHTS = 1500, 3, ("weight", "bias")
KINDS = ("regression", "binary", "multiclass")


def prepared(folder: Path, kind: str, weighted: bool = False, **sections: Any) -> tuple[Table, Setup, list[Nodes]]:
    """A streamed table all of whose rows are sampled, its setup, and trees of one set of weights."""
    cells = cells_of(kind, ROWS)
    if weighted:
        cells["w"] = np.random.default_rng(3).uniform(0, 2, ROWS)
    options = {"data": {"target": "y", **({"weight": "w"} if weighted else {})}} | sections
    config = config_for(written(folder, cells), ROWS, **options)
    table = load_table(config)
    setup = set_up(config, table, workers=2)
    rng = np.random.default_rng(1)
    return table, setup, [random_tree(rng, setup.problem.space, folds=1) for _ in range(5)]


def streamed(table: Table, problem: Problem, trees: list[Nodes], rows: int = 0) -> list[Nodes]:
    assert table.stream is not None
    return streamed_refit.trained_on_stream(
        table.stream,
        quiet,
        lambda: False,
        problem,
        trees,
        REFIT_STREAM,
        epochs=EPOCHS,
        faster=2.0,
        block_rows=rows,
    )


def same(one: Iterable[Nodes], other: Iterable[Nodes]) -> None:
    for mine, its in zip(one, other, strict=True):
        for name in WEIGHTS:
            assert_array_equal(mine[name], its[name])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_one_block_of_all_rows_is_the_training_in_memory(tmp_path: Path, kind: str, weighted: bool) -> None:
    table, setup, trees = prepared(tmp_path, kind, weighted)
    whole = replace(setup.problem, folds=((setup.problem.whole, setup.problem.whole),))
    found = streamed(table, whole, trees)
    same(found, trained(whole, trees, REFIT_STREAM, epochs=EPOCHS, faster=2.0))
    assert any(not np.array_equal(mine["weight"], its["weight"]) for mine, its in zip(found, trees, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_have_the_same_bits_whatever_is_read_ahead_and_decoded_at_once(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, setup, trees = prepared(tmp_path, kind)
    found = streamed(table, setup.problem, trees, 128)
    one = streamed(table, setup.problem, trees)
    assert any(not np.array_equal(mine["weight"], its["weight"]) for mine, its in zip(found, one, strict=True))
    monkeypatch.setattr(streamed_refit, "ahead", iter)
    same(found, streamed(table, setup.problem, trees, 128))
    monkeypatch.setattr(stored_rows, "BATCH", 37)
    same(found, streamed(table, replace(setup.problem, workers=1), trees, 128))


def test_every_epoch_has_every_training_row_once_in_another_order(tmp_path: Path) -> None:
    table, setup, _ = prepared(tmp_path, "regression")
    stream, problem = table.stream, setup.problem
    assert stream is not None
    blocks = [*streamed_refit.blocks(stream, problem, 1, epochs=2, rows=256)]
    sizes = [len(block.weight) for block in blocks]
    full, left = divmod(stream.train_rows, 256)
    assert sizes == ([256] * full + [left] * bool(left)) * 2
    half = len(blocks) // 2
    first, second = (np.concatenate([block.inputs for block in part]) for part in (blocks[:half], blocks[half:]))
    assert not np.array_equal(first, second)
    columns = table.X[setup.train_rows]
    expected = make_data(setup.scaler.transform(columns), encode(problem.task, columns[:, :1]), None, "float32").inputs
    for found in (first, second):
        assert_array_equal(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)])


def front_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "front.csv").open() as file:
        return [*csv.DictReader(file)]


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_a_run_is_scored_on_all_test_rows(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_rows, "BATCH", 128)
    cells = cells_of(kind, ROWS)
    run = small_run(tmp_path, written(tmp_path, cells, files=2), '"linear"')
    tests = uniform(np.arange(ROWS), 0, TEST) < 0.2
    held = {name: values[tests] for name, values in cells.items() if name != "y"}
    truth = cells["y"][tests]
    for row in front_of(run):
        predicted = load(run / row["model"]).predict(held)
        if kind == "regression":
            expected = 1 - np.mean((predicted - truth) ** 2) / np.var(truth)
        else:
            expected = np.mean(predicted == truth)
        assert float(row["test_score"]) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert main([str(run), "--resume", "--generations", "2", "--quiet"]) == 0
    assert len(front_of(run)) > 0


def test_teachers_need_the_table_in_memory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="teachers learn from a table in memory"):
        prepared(tmp_path, "regression", train={"epochs": 2, "teachers": ["linear"]})


def test_a_refit_ends_between_blocks_if_it_is_asked_to(tmp_path: Path) -> None:
    table, setup, trees = prepared(tmp_path, "regression")
    asked: list[bool] = []

    def stopping() -> bool:
        asked.append(len(asked) == 2)
        return asked[-1]

    assert table.stream is not None
    with pytest.raises(KeyboardInterrupt):
        streamed_refit.trained_on_stream(
            table.stream, quiet, stopping, setup.problem, trees, 1, epochs=2, block_rows=256
        )
    assert asked == [False, False, True]


def quiet(text: str) -> None:
    del text


@pytest.mark.parametrize(("sample_rows", "epochs"), [(ROWS, 10), (300, 3)])
def test_a_refit_on_more_rows_has_fewer_epochs(tmp_path: Path, sample_rows: int, epochs: int) -> None:
    """At least the steps of ``LONGER`` times two epochs of the sample: 0.2 or 0.3 of 10 epochs are 2 or 3."""
    table = load_table(config := config_for(written(tmp_path, cells_of("regression", ROWS)), sample_rows))
    setup = set_up(config, table)
    found, faster = refit_course(setup, 6)
    share = table.stream.sampled / table.stream.train_rows if table.stream else 0.0
    assert found == math.ceil(LONGER * 2 * share) == epochs
    assert faster == FASTER
