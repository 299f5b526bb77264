"""Number formats as a gene: errors and costs of each member in its own, inheritance, and runs that are resumed."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuraltree import load
from neuraltree.activations import NAMES
from neuraltree.compress import quantize_tree
from neuraltree.hardware import costs as device_costs
from neuraltree.hardware import load_device
from neuraltree.tree.nodes import Nodes, join, parents
from search.cli.neuraltree_command import main as neuraltree
from search.config.config import config_hash, config_of
from search.engine.cut_finalists import with_cuts
from search.engine.evaluate import Problem, costs, evaluate
from search.engine.population import structure_key
from search.engine.problem import set_up
from search.errors import InputError
from search.folder.snapshot import state_from_parts, state_to_parts
from search.judge.honest import judge
from search.run import main
from search.variation.choice_genes import CHANGED, choice_gene
from search.variation.genes import FORMAT
from search.variation.operators import PARENTS
from tests.helpers.plain_snaps import PLAIN_SNAPS
from tests.search.test_engine import config, evolved, random_trees, regression_table

FORMATS = ("int8", "int4", "ternary")
HARDWARE = {"device": "cortex-m0plus", "precision": FORMATS, "compiler": "gcc"}
VALUES = {"tanh": math.tanh, "sigmoid": lambda s: 1 / (1 + math.exp(-s)), "identity": lambda s: s}


def run_of(**hardware: Any) -> Any:
    search = {"objectives": ("rmse", "latency_s", "flash_bytes")}
    space = {"activations": ("tanh", "sigmoid")}
    return set_up(config(search=search, space=space, hardware=HARDWARE | hardware), regression_table())


# --- errors and costs


def snapped(nodes: Nodes, fold: int, precision: str, reach: np.ndarray) -> list[float]:
    """The weights that a format stores, one node at a time; sigmoid and tanh have the range 1."""
    weight = nodes["weight"][:, fold].tolist()
    if precision == "float32":
        return weight
    parent, depth = parents(nodes["depth"].astype(np.int64)).tolist(), nodes["depth"].tolist()
    ranges = [float(reach[op]) if op >= 0 else 1.0 for op in nodes["op"].tolist()]
    for node in range(len(nodes)):
        children = [i for i in range(len(nodes)) if parent[i] == node]
        if children:
            snap = PLAIN_SNAPS["int8" if depth[node] == 0 else precision]
            integers, scale = snap([weight[i] * ranges[i] for i in children])
            for i, integer in zip(children, integers, strict=True):
                weight[i] = integer * scale / ranges[i]
    return weight


def value(nodes: Nodes, fold: int, weight: list[float], x: np.ndarray) -> float:
    """The output of a tree for standardised inputs, by a recursion over its nodes."""

    def below(i: int) -> tuple[float, int]:
        op, depth = int(nodes["op"][i]), int(nodes["depth"][i])
        if op >= 0:
            return float(x[op]), i + 1
        total, at = float(nodes["bias"][i, fold]), i + 1
        while at < len(nodes) and nodes["depth"][at] > depth:
            child = at
            found, at = below(at)
            total += weight[child] * found
        return VALUES[NAMES[~op]](total), at

    return below(0)[0]


def by_hand(problem: Problem, nodes: Nodes, precision: str) -> float:
    squares = []
    for k, (_, held) in enumerate(problem.folds):
        weight = snapped(nodes, k, precision, problem.input_range)
        for row in held.tolist():
            x = np.clip(problem.data.inputs[row].astype(float), -problem.input_range, problem.input_range)
            squares.append((value(nodes, k, weight, x) - float(problem.data.targets[row, 0])) ** 2)
    return math.sqrt(np.mean(squares))


def test_errors_are_those_of_weights_in_the_format_of_each_member() -> None:
    problem = (setup := run_of(precision=("float32", "int8", "int4", "ternary"))).problem
    tree = max(random_trees(problem, setup.strategy), key=len)
    found = evaluate(problem, [tree] * 4, 0, {FORMAT: np.arange(4.0)})
    errors = found.columns["val_error"]
    scale = by_hand(problem, found.trees[0], "float32") / errors[0]
    expected = [by_hand(problem, found.trees[i], name) / scale for i, name in enumerate(problem.formats)]
    np.testing.assert_allclose(errors, expected, rtol=0.005)  # values and inputs are rounded to 8 bits
    assert abs(errors[3] / errors[0] - 1) > 0.02
    assert len(set(errors.tolist())) == 4
    assert len({tree.tobytes() for tree in found.trees}) == 1  # training is the same


def test_a_member_in_int8_is_scored_as_in_a_search_for_int8() -> None:
    mixed, plain = run_of(), run_of(precision="int8")
    trees = random_trees(mixed.problem, mixed.strategy)
    genes = {FORMAT: np.arange(len(trees)) % 2.0}
    found, alone = evaluate(mixed.problem, trees, 0, genes), evaluate(plain.problem, trees, 0)
    of_int8 = genes[FORMAT] == 0
    for name, values in alone.columns.items():
        np.testing.assert_array_equal(found.columns[name][of_int8], values[of_int8])
    both, without = costs(mixed.problem, found.trees, genes), costs(plain.problem, alone.trees)
    for name, values in without.items():
        np.testing.assert_array_equal(both[name][of_int8], values[of_int8])


def test_costs_are_those_of_each_format() -> None:
    problem = (setup := run_of()).problem
    trees, device = random_trees(problem, setup.strategy), load_device("cortex-m0plus")
    places = np.arange(len(trees)) % 3
    found = costs(problem, trees, {FORMAT: places.astype(float)})
    for i, place in enumerate(places.tolist()):
        nodes, starts = join([trees[i]])
        own = device_costs(nodes, starts, device, FORMATS[place], "straight", "gcc", **problem.about_costs)
        assert [found[name][i] for name in own] == [values[0] for values in own.values()]


def test_a_judgement_is_in_the_format_of_each_member() -> None:
    setup = run_of()
    trees = [max(random_trees(setup.problem, setup.strategy), key=len)] * 3
    found = judge(setup, regression_table(), trees, lambda text: None, genes={FORMAT: np.array([0.0, 2.0, 0.0])})
    assert found.error[0] == found.error[2] < found.error[1]


# --- the gene


def test_first_formats_are_drawn_evenly_and_children_have_one_of_their_parents() -> None:
    gene, rng = choice_gene(FORMAT, 3), np.random.default_rng(0)
    first = gene.first(rng, 6000)
    assert np.unique(first, return_counts=True)[1].min() > 1850
    parents_of = rng.integers(6000, size=(6000, 2))
    children = gene.children(rng, first, parents_of)
    strange = (children[:, None] != first[parents_of]).all(axis=1)
    alike = first[parents_of[:, 0]] == first[parents_of[:, 1]]
    assert strange[alike].mean() == pytest.approx(CHANGED * 2 / 3, abs=0.02)
    heirs = children[~alike] == first[parents_of[~alike, 0]]
    assert heirs.mean() == pytest.approx((1 - CHANGED) / 2 + CHANGED / 3, abs=0.03)


def test_formats_are_inherited_and_copies_in_other_formats_survive() -> None:
    state, infos = evolved(run_of(), 4)
    known: dict[int, float] = {}
    strange = children = 0
    for info in infos:
        made = info.evaluated
        for child, operator, of in zip(made.ids.tolist(), info.origin.operators, info.origin.parents, strict=True):
            known[child] = float(made.columns[FORMAT][made.ids.tolist().index(child)])
            theirs = [known[i] for i in of.tolist() if i >= 0]
            assert len(theirs) == (PARENTS.get(operator, 1) if theirs else 0)
            children += bool(theirs)
            strange += bool(theirs) and known[child] not in theirs
    assert 0 < strange < 2 * CHANGED * children
    keys = [
        (structure_key(tree), place)
        for tree, place in zip(state.members.trees, state.members.columns[FORMAT].tolist(), strict=True)
    ]
    assert len(set(keys)) == len(keys)


def test_a_checkpoint_keeps_the_formats_and_finalists_that_are_cut_too() -> None:
    setup = run_of()
    state, _ = evolved(setup, 1)
    again = state_from_parts(*state_to_parts(state))
    np.testing.assert_array_equal(again.members.columns[FORMAT], state.members.columns[FORMAT])
    front = state.members
    cut = with_cuts(setup.problem, setup.strategy, front, front, "ablation", state.evaluations)
    assert set(cut.columns[FORMAT].tolist()) <= {0.0, 1.0, 2.0}


def test_a_plain_precision_has_no_gene_and_its_hash() -> None:
    plain = run_of(precision="int8")
    assert plain.strategy.genes == ()
    assert FORMAT not in evolved(plain, 0)[0].members.columns
    raw = {"data": {"source": "iris"}, "hardware": {"precision": "int8"}}
    assert config_hash(config_of(raw, "x")) == "2a76ee455f7276f0bc0ebfea27ed79c23475564a3c89dfd2808bc8a1ef4fd14e"


# --- whole runs

CONFIG = """
[data]
source = "iris"
[space]
max_nodes = 15
[search]
population = 12
folds = 2
generations = GENERATIONS
objectives = ["error", "latency_s", "flash_bytes"]
[train]
epochs = 3
[hardware]
device = "cortex-m0plus"
compiler = "gcc"
precision = ["int8", "int4", "ternary"]
[baselines]
models = []
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run, the same again, and one that was resumed."""
    folder = tmp_path_factory.mktemp("formats")
    for name, first in (("whole", 4), ("again", 4), ("parts", 2)):
        path = folder / f"{name}.toml"
        path.write_text(CONFIG.replace("GENERATIONS", str(first)))
        assert main([str(path), "--out", str(folder / name), "--quiet"]) == 0
    assert main([str(folder / "parts"), "--resume", "--generations", "4", "--quiet"]) == 0
    return {name: folder / name for name in ("whole", "again", "parts")}


def test_the_same_seed_gives_the_same_front_and_so_does_a_resumed_run(runs: dict[str, Path]) -> None:
    fronts = [(run / "front.csv").read_bytes() for run in runs.values()]
    assert fronts[0] == fronts[1] == fronts[2]
    genes = []
    for run in runs.values():
        with np.load(run / "evolution.npz") as stored:
            genes.append(stored["column format"].tolist())
    assert genes[0] == genes[1] == genes[2]
    assert len(set(genes[0])) == 3


def test_models_are_stored_and_exported_in_their_format(
    runs: dict[str, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = runs["whole"]
    rows = list(csv.DictReader((run / "front.csv").read_text().splitlines()))
    assert {row["precision"] for row in rows} <= set(FORMATS)
    for i, row in enumerate(rows):
        tree = load(run / row["model"])
        made = quantize_tree(tree, weights=row["precision"])
        if row["precision"] != "int8":  # rounding again changes nothing
            edges = made.nodes["depth"] > 0
            np.testing.assert_allclose(made.numbers.edge[edges], tree.nodes["weight"][tree.nodes["depth"] > 0, 0])
        assert neuraltree(["hardware", str(run / row["model"])]) == 0
        assert f"{float(row['latency_s']) * 1e6:.4g}" in capsys.readouterr().out
        out = tmp_path / str(i)
        assert neuraltree(["export", str(run / row["model"]), "--to", "c", "--out", str(out)]) == 0
        said = capsys.readouterr().out + next(out.glob("*.c")).read_text()
        assert row["precision"] in said
    assert neuraltree(["hardware", str(run / "models")]) == 2
    assert "each model of this run has a number format of its own" in capsys.readouterr().err
    assert neuraltree(["hardware", str(run / "models"), "--precision", "int4"]) == 0
    capsys.readouterr()
    assert neuraltree(["show", str(run)]) == 0
    assert f"{rows[0]['precision']} straight" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('["int8", "int5"]', "int5"),
        ('["int8", "fp16"]', "fp16"),
        ('["int8", "int8"]', "hardware.precision names one twice: int8, int8"),
        ("[]", "hardware.precision is an empty list; name at least one number format"),
        ('["int8", "auto"]', "auto"),
    ],
)
def test_lists_that_are_none_are_refused(
    value: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(CONFIG.replace("GENERATIONS", "1"))
    assert main([str(path), "--set", f"hardware.precision={value}", "--out", str(tmp_path / "out"), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "hardware.precision" in told
    assert "Traceback" not in told


def test_a_device_without_figures_and_a_list_without_a_device_are_refused() -> None:
    with pytest.raises(InputError, match="hardware: device jetson-nano has no figures for int4"):
        run_of(device="jetson-nano")
    raw = {"data": {"source": "iris"}, "hardware": {"precision": ["int8", "int4"]}}
    with pytest.raises(InputError, match=r"names 2 number formats, .* add hardware\.device"):
        config_of(raw, "x")
    with pytest.raises(InputError, match="fine-tunes 8-bit models"):
        run_of(finetune_epochs=3)
