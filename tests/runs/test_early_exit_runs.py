"""Runs whose models' code exits early: their costs, what is exported, and what is refused."""

from __future__ import annotations

import csv
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import search.engine.evaluate
import search.judge.honest
from neuraltree import load
from neuraltree.compress import early_exit_of, quantize_tree
from neuraltree.compress.exits import forest_exits
from neuraltree.engine.kernel.binding import Missing
from neuraltree.export import export_c
from neuraltree.hardware import Code, laid_out, load_device
from neuraltree.hardware import costs as costs_of
from neuraltree.hardware.exiting import costs_with_exits
from neuraltree.tree.nodes import one_set
from search import load_front
from search.cli.neuraltree_command import main as neuraltree
from search.config.config import config_hash, config_of, load_config
from search.engine.evaluate import costs
from search.engine.integer_scores import Ranges
from search.engine.problem import set_up
from search.errors import InputError
from search.judge.exit_latency import mean_latencies, rules_of_table
from search.judge.finish import to_tree
from search.report.__main__ import main as report
from search.run import main
from search.table import load_table, split

CONFIG = """
[data]
source = "wine"
[search]
population = 16
generations = 2
folds = 2
objectives = ["error", "mean_latency_s", "flash_bytes"]
[train]
epochs = 4
[hardware]
device = "cortex-m0plus"
precision = "int8"
[compress]
early_exit = true
[baselines]
models = []
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("early")
    (folder / "early.toml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search.judge.honest, "REPEATS", 1)
        assert main([str(folder / "early.toml"), "--out", str(folder / "run"), "--quiet"]) == 0
    return folder / "run"


def test_the_front_has_both_latencies(run: Path) -> None:
    """Those of the models with an early exit, on the training rows."""
    config = load_config(run / "config.toml")
    table, front = load_table(config), load_front(run)
    with (run / "front.csv").open() as file:
        assert "mean_latency_s" in next(csv.reader(file))
    trees = [member.tree() for member in front]
    X = table.X[split(table, config.data.test_fraction, config.run.seed)[0]]
    wanted = costs_with_exits(trees, X, load_device("cortex-m0plus"), Code("int8", "straight", "clang"))
    for i, member in enumerate(front):
        for name in ("latency_s", "mean_latency_s", "flash_bytes", "ram_bytes", "energy_j"):
            assert member.values[name] == pytest.approx(wanted[name][i], rel=1e-12)
        looks = early_exit_of(quantize_tree(trees[i])).looks
        assert (member.mean_latency_s < member.latency_s) == (looks > 0)
        assert "measured_latency_s" not in member.values
    assert any(member.mean_latency_s < 0.95 * member.latency_s for member in front)


def test_the_latency_beside_an_honest_error_is_that_of_its_weights(run: Path) -> None:
    front = load_front(run)
    assert front.objective_columns() == ("honest_error", "honest_mean_latency_s", "flash_bytes")
    points = np.array([[member.values[name] for name in front.objective_columns()] for member in front])
    assert not any(((points <= point).all(axis=1) & (points < point).any(axis=1)).any() for point in points)
    for member in front:
        assert 0 < member.honest_mean_latency_s < 1.5 * member.latency_s
        assert member.honest_mean_latency_s != member.mean_latency_s  # other weights, and other rows
    older = replace(front, members=tuple(replace(each, values=_older(each.values)) for each in front))
    assert older.objective_columns() == ("honest_error", "mean_latency_s", "flash_bytes")


def _older(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name != "honest_mean_latency_s"}


@pytest.mark.parametrize("source", ["wine", "breast_cancer"])
def test_honest_latencies_are_those_of_the_models_of_the_folds(source: str) -> None:
    """One model at a time, from raw rows."""
    config = config_of(raw() | {"data": {"source": source}}, "test")
    table = load_table(config)
    setup = set_up(config, table)
    problem, rng = setup.problem, np.random.default_rng(3)
    nodes = [setup.strategy.new_tree(rng) for _ in range(4)]
    ranges = [
        Ranges(problem.input_range * rng.uniform(0.5, 1.5), rng.normal(size=len(table.features)) * 0.3) for _ in nodes
    ]
    thresholds = [0.5, 0.5, 0.4, 0.9] if source == "breast_cancer" else [0.5] * 4
    rules = rules_of_table(problem, table)
    found = mean_latencies(problem, rules, nodes, ranges, thresholds)
    X, count = table.X[setup.train_rows], 0
    wanted = np.zeros(len(nodes))
    for k, (_, held) in enumerate(problem.folds):
        count += len(held)
        for i, each in enumerate(nodes):
            tree = to_tree(setup, table, one_set(each, each["weight"][:, k], each["bias"][:, k]))
            tree = replace(tree, input_range=ranges[i].reach, input_middle=ranges[i].middle, threshold=thresholds[i])
            costed = costs_with_exits([tree], X[held], load_device("cortex-m0plus"), problem.code)
            wanted[i] += len(held) * costed["mean_latency_s"][0]
    assert found == pytest.approx(wanted / count, rel=0.005)


def test_a_report_says_of_which_code_the_parts_are(run: Path, tmp_path: Path) -> None:
    assert report([str(run), "--out", str(tmp_path / "page.html")]) == 0
    assert "The code of this run exits early: its own latencies" in (tmp_path / "page.html").read_text()


def test_the_table_says_which_costs_are_predicted(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = shutil.copytree(run, tmp_path / "run")
    rows = list(csv.reader((run / "front.csv").read_text().splitlines()))
    place = rows[0].index("measured_flash_bytes")
    for row in rows[1:]:
        row[place] = "1234.0"
    with (copied / "front.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    assert neuraltree(["show", str(copied)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "costs are those measured on the emulated core; predicted: honest mean latency" in said


def test_an_export_exits_early_unless_other_code_is_asked_for(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = load(run / "models" / "000.json")
    assert early_exit_of(quantize_tree(tree)).looks
    for more, options in (
        ([], {"precision": "int8", "early_exit": True}),
        (["--no-early-exit"], {"precision": "int8"}),
        (["--style", "table"], {"precision": "int8", "style": "table"}),
        (["--precision", "float32"], {"precision": "float32"}),
    ):
        out = tmp_path / "".join(["m", *more]).replace("-", "")
        given = ["export", str(run / "models" / "000.json"), "--to", "c", "--name", "m", "--out", str(out)]
        assert neuraltree([*given, *more]) == 0
        assert (out / "m.c").read_text() == export_c(tree, "m", **options)["m.c"]
        assert ("MACs on average" in capsys.readouterr().out) == ("early_exit" in options)


def test_a_cascade_is_costed_on_the_device(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The mean of small and large by the rows that are passed on; the large one stops early, as the run asks."""
    front = load_front(run)
    order = sorted(range(len(front)), key=lambda i: front[i].weights)
    given = ["export", str(run), "--to", "c", "--cascade", f"{order[0]},{order[-1]}", "--out", str(tmp_path / "two")]
    assert neuraltree(given) == 0
    said = capsys.readouterr().out
    found = re.search(r"predicted on cortex-m0plus: ([\d.]+) µs on average, at most ([\d.]+) µs", said)
    asked = re.search(r"on \d+ training rows the large model is asked for ([\d.]+)%", said)
    assert found
    assert asked
    device, code = load_device("cortex-m0plus"), Code("int8", "straight", "clang")
    plain = costs_of(*laid_out([front[order[0]].tree()])[:2], device, *code, kind="multiclass")["latency_s"][0] * 1e6
    most = plain + front[order[-1]].latency_s * 1e6
    assert float(found[2]) == pytest.approx(most, rel=1e-3)
    assert plain <= float(found[1]) * 1.001
    assert float(found[1]) <= plain + float(asked[1]) / 100 * front[order[-1]].latency_s * 1e6 + 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hardware": {"device": "cortex-m0plus", "precision": "float32"}}, 'set hardware.precision to "int8"'),
        ({"hardware": {"device": "cortex-m0plus", "precision": "int8", "style": "table"}}, 'style to "straight"'),
        ({"hardware": {"device": "cortex-m0plus", "precision": "auto", "style": "auto"}}, "not 'auto' and 'auto'"),
        ({"compress": {"early_exit": False}}, "set compress.early_exit to true"),
        ({"hardware": {"precision": "int8"}}, "mean_latency_s, flash_bytes needs a device"),
    ],
)
def test_what_cannot_exit_early_is_refused(changes: dict[str, dict[str, object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        config_of(raw() | changes, "test")


def raw() -> dict[str, dict[str, object]]:
    return tomllib.loads(CONFIG)


def test_a_regression_is_refused() -> None:
    config = config_of(
        raw() | {"data": {"source": "diabetes"}, "search": {"objectives": ["error", "latency_s"]}}, "test"
    )
    with pytest.raises(InputError, match="'diabetes' is a regression task"):
        set_up(config, load_table(config))


def test_the_hash_of_a_config_without_the_key_stays() -> None:
    plain = raw() | {"search": {"objectives": ["error", "latency_s"]}}
    without = {name: part for name, part in plain.items() if name != "compress"}
    assert config_hash(config_of(without, "test")) == config_hash(
        config_of(plain | {"compress": {"early_exit": False}}, "test")
    )
    assert config_hash(config_of(without, "test")) != config_hash(config_of(plain, "test"))


@pytest.mark.parametrize("inputs", ["float32", {"default": "float32", "alcohol": "int16/100"}])
def test_a_generation_costs_trees_as_the_end_does(inputs: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees with the weights of one fold, and ranges of all training rows."""
    changed = raw() | {"hardware": {"device": "cortex-m0plus", "precision": "int8", "input": inputs}}
    config = config_of(changed, "test")
    table = load_table(config)
    setup = set_up(config, table)
    rng = np.random.default_rng(2)
    nodes = [setup.strategy.new_tree(rng) for _ in range(8)]
    found = costs(setup.problem, nodes)
    trees = [to_tree(setup, table, one_set(each, each["weight"][:, 0], each["bias"][:, 0])) for each in nodes]
    X = table.X[setup.train_rows]
    spec = setup.problem.inputs.spec
    wanted = costs_with_exits(trees, X, load_device("cortex-m0plus"), setup.problem.code, spec)
    assert (wanted["mean_latency_s"] < wanted["latency_s"]).any()
    for name in ("mean_latency_s", "latency_s", "flash_bytes"):
        assert found[name] == pytest.approx(wanted[name], rel=0.02)
    for module in (search.engine.evaluate, forest_exits):
        monkeypatch.setattr(module, "kernel_in_use", lambda: Missing(""))
    plain = costs(setup.problem, nodes)
    assert all(np.array_equal(plain[name], values) for name, values in found.items())  # one tree at a time
