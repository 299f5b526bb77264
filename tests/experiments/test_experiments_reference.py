"""Training with a look at the test rows after every update, against a plain recursion."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.common.paper_tables import CLASSIFICATION, check_found
from experiments.studies.reference import page as rendering
from experiments.studies.reference import run as reference
from experiments.studies.reference.peeking import Run, train_peeking
from experiments.studies.reference.run import EXPERIMENT
from neuraltree.engine.training import Settings
from neuraltree.tree.generate import random_tree, reference_tree
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.space import Space
from search.errors import InputError

EXACT = Settings("squared", "reference_rmsprop", 0.1, "constant", 1, "float64")

# By activation code: sigmoid, tanh, Gaussian, ReLU, sine, identity. Value, and slope from the sum and the value.
FUNCTIONS: list[tuple[Any, Any]] = [
    (lambda s: 1 / (1 + math.exp(-s)), lambda s, h: h * (1 - h)),
    (math.tanh, lambda s, h: 1 - h * h),
    (lambda s: math.exp(-s * s), lambda s, h: -2 * s * h),
    (lambda s: max(s, 0.0), lambda s, h: float(s > 0)),
    (math.sin, lambda s, h: math.cos(s)),
    (lambda s: s, lambda s, h: 1.0),
]


class Plain:
    """A tree trained by recursion: a weight per node, and a bias beside it."""

    def __init__(self, nodes: Nodes) -> None:
        self.depth, self.op = nodes["depth"].tolist(), nodes["op"].tolist()
        self.theta = np.stack([nodes["weight"][:, 0], nodes["bias"][:, 0]], axis=1)
        self.roots = [i for i, depth in enumerate(self.depth) if depth == 0]

    def children(self, i: int) -> list[int]:
        found, at = [], i + 1
        while at < len(self.depth) and self.depth[at] > self.depth[i]:
            found += [at] * (self.depth[at] == self.depth[i] + 1)
            at += 1
        return found

    def value(self, i: int, x: Any, total: dict[int, float], value: dict[int, float]) -> float:
        if self.op[i] >= 0:
            value[i] = float(x[self.op[i]])
            return value[i]
        total[i] = self.theta[i, 1] + sum(self.theta[c, 0] * self.value(c, x, total, value) for c in self.children(i))
        value[i] = FUNCTIONS[~self.op[i]][0](total[i])
        return value[i]

    def outputs(self, x: Any) -> list[float]:
        return [self.value(i, x, {}, {}) for i in self.roots]

    def gradient(self, x: Any, by_output: Any) -> Any:
        total: dict[int, float] = {}
        value: dict[int, float] = {}
        found = np.zeros_like(self.theta)
        outputs = [self.value(i, x, total, value) for i in self.roots]

        def down(i: int, arriving: float) -> None:
            if self.op[i] < 0:
                delta = arriving * FUNCTIONS[~self.op[i]][1](total[i], value[i])
                found[i, 1] = delta
                for child in self.children(i):
                    found[child, 0] = delta * value[child]
                    down(child, delta * self.theta[child, 0])

        for i, slope in zip(self.roots, by_output(np.array(outputs)), strict=True):
            down(i, slope)
        return found

    def score(self, inputs: Any, truth: Any) -> float:
        found = np.array([self.outputs(x) for x in inputs])
        if truth.dtype.kind == "i":
            codes = found.argmax(axis=1) if found.shape[1] > 1 else (found[:, 0] > 0).astype(int)
            return float(np.mean(codes == truth))
        return float(1 - np.sum((found[:, 0] - truth) ** 2) / np.sum((truth - truth.mean()) ** 2))


def rmsprop(g: Any, state: Any, step: int) -> tuple[Any, Any]:
    del step
    v = 0.9 * state + 0.1 * g * g
    return 0.1 * g / np.sqrt(v + 1e-10), v


def adam(g: Any, state: Any, step: int) -> tuple[Any, Any]:
    m, v = (0, 0) if step == 0 else state
    m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
    first, second = m / (1 - 0.9 ** (step + 1)), v / (1 - 0.99 ** (step + 1))
    return 0.02 * first / (np.sqrt(second) + 1e-8), (m, v)


def squared(z: Any, y: Any) -> Any:
    return z - y


def softmax(z: Any, y: Any) -> Any:
    return np.exp(z) / np.exp(z).sum() - y


def trained_plainly(run: Run, epochs: int, batch: int, slope: Any, rule: Any) -> tuple[float, float, Plain, Any]:
    tree, rng, state, step, best = Plain(run.nodes), np.random.default_rng(run.seed), 0.0, 0, -math.inf
    for _ in range(epochs):
        order = rng.permutation(len(run.inputs))
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            g = np.mean([tree.gradient(run.inputs[r], lambda z, r=r: slope(z, run.targets[r])) for r in rows], axis=0)
            change, state = rule(g, state, step)
            tree.theta, step = tree.theta - change, step + 1
            last = tree.score(run.test_inputs, run.truth)
            if last > best:
                best, at_best = last, tree.theta
    return best, last, tree, at_best


def made_run(nodes: Nodes, seed: int, classes: int, rows: int = 25, tested: int = 9) -> Run:
    rng = np.random.default_rng(seed)
    inputs = rng.random((rows + tested, 4))
    value = np.sin(3 * inputs[:, 0]) * inputs[:, 1] + 0.3 * inputs[:, 2]
    truth = np.digitize(value, np.quantile(value, np.arange(1, classes) / classes)) if classes > 1 else value / 1.3
    targets = np.eye(classes)[truth] if classes > 1 else truth[:, None]
    return Run(nodes, inputs[:rows], targets[:rows], inputs[rows:], truth[rows:], seed)


def check(run: Run, peeked: Any, plain: tuple[float, float, Plain, Any]) -> None:
    best, last, tree, at_best = plain
    assert peeked.best_test_score == pytest.approx(best, abs=1e-5)
    assert peeked.last_test_score == pytest.approx(last, abs=1e-5)
    assert best > last or best > tree.score(run.test_inputs, run.truth) - 1e-9
    function = run.nodes["op"] < 0
    inner = run.nodes["depth"] > 0
    np.testing.assert_allclose(peeked.nodes["weight"][inner, 0], at_best[inner, 0], atol=1e-5)
    np.testing.assert_allclose(peeked.nodes["bias"][function, 0], at_best[function, 1], atol=1e-5)
    assert (peeked.nodes["op"] == run.nodes["op"]).all()


def two_runs(classes: int) -> list[Run]:
    trees = [
        reference_tree(np.random.default_rng(seed), 4, classes, max_depth=2, max_children=4, leaf_probability=0.5)
        for seed in (1, 2)
    ]
    assert len(trees[0]) != len(trees[1])
    return [made_run(tree, seed, classes) for seed, tree in enumerate(trees)]


@pytest.mark.parametrize("classes", [1, 3])
def test_runs_are_those_of_a_recursion(classes: int) -> None:
    runs = two_runs(classes)
    for run, peeked in zip(runs, train_peeking(runs, EXACT, epochs=12), strict=True):
        check(run, peeked, trained_plainly(run, 12, 1, squared, rmsprop))


@pytest.mark.parametrize(("classes", "loss", "slope"), [(3, "softmax", softmax), (1, "squared", squared)])
def test_a_tree_of_ours_is_refitted_in_batches(classes: int, loss: str, slope: Any) -> None:
    space = Space(4, classes, ("sigmoid", "tanh", "gaussian", "relu", "sine"), max_nodes=40)
    run = made_run(random_tree(np.random.default_rng(3), space), 5, classes)
    settings = Settings(loss, "adam", 0.02, "constant", 8)
    (peeked,) = train_peeking([run], settings, epochs=50)
    check(run, peeked, trained_plainly(run, 50, 8, slope, adam))


@pytest.mark.parametrize("classes", [1, 3])
def test_training_rows_choose_the_weights_of_a_recursion(classes: int) -> None:
    run = two_runs(classes)[0]
    truth = run.targets.argmax(axis=1) if classes > 1 else run.targets[:, 0]
    judged = run._replace(test_inputs=run.inputs, truth=truth)
    trained = train_peeking([reference._judged_by_training(run)], EXACT, epochs=12)[0]
    plain = trained_plainly(judged, 12, 1, squared, rmsprop)
    check(judged, trained, plain)
    kind = "multiclass" if classes > 1 else "regression"
    row = reference._trained_row(kind, run, trained)
    best = plain[2]
    best.theta = plain[3]
    assert row["best_on_train"] == pytest.approx(best.score(run.test_inputs, run.truth), abs=1e-5)
    assert row["train_score"] == pytest.approx(plain[0], abs=1e-5)
    assert row["peeking"] is row["at_end"] is None


@pytest.mark.parametrize("classes", [1, 3])
def test_trees_trained_side_by_side_do_not_touch_each_other(classes: int) -> None:
    runs = two_runs(classes)
    broken = runs[0].nodes.copy()
    broken["bias"][broken["depth"] == 0] = np.nan
    found = train_peeking([runs[0]._replace(nodes=broken), runs[1]], EXACT, epochs=2)
    sound = train_peeking(runs, EXACT, epochs=2)
    assert found[0].best_test_score == (0 if classes > 1 else -np.inf)
    assert found[1][:2] == sound[1][:2]
    np.testing.assert_array_equal(found[1].nodes["weight"], sound[1].nodes["weight"])


def rows_of(score: float, tables: tuple[str, ...], job: str) -> list[dict[str, str]]:
    made = []
    for table in tables:
        for seed in range(10):
            values = {"peeking": score + 0.03 * (seed - 4.5), "at_end": 0.5, "train_score": 0.6}
            sizes = {"weights": 100, "published_weights": 102, "nodes": 80}
            key = {"table": table, "job": job, "seed": seed, "protocol": "reference"}
            made.append({name: str(value) for name, value in (key | values | sizes).items()})
    return made


def test_the_page_sets_our_means_beside_the_published(tmp_path: Path) -> None:
    rendering.render(rows_of(0.9007, CLASSIFICATION, "p4") + rows_of(0.9, CLASSIFICATION[:1], "p5"), tmp_path)
    text = (tmp_path / "reference.md").read_text()
    (mean,) = [line for line in text.split("\n") if "accuracy, 9 tables" in line]
    # Our sd over ten seeds is .0908; the published ones are in the facts: the mean of nine has an SE of .00997.
    assert [cell.strip() for cell in mean.split("|")][1:] == [
        "leaf probability .4, reference protocol: weights chosen by the test rows",
        "accuracy, 9 tables", ".9007", ".8907", "+.010", ".020", "yes", "100", "102", "261", "",
    ]  # fmt: skip
    (iris,) = [line for line in text.split("\n") if line.startswith("| iris")]
    assert [cell.strip() for cell in iris.split("|")][2:8] == [
        "10",
        ".901 ± .091",
        ".992 ± .014",
        "−.091",
        ".058",
        "no",
    ]
    assert "reference.md" in rendering.headline(rows_of(0.9, CLASSIFICATION, "p4"))


def test_a_unit_gives_a_row_for_each_of_its_seeds() -> None:
    try:
        check_found(["mpg6"])
    except InputError as error:
        pytest.skip(str(error))
    units = {unit.job: unit for unit in EXPERIMENT.units(2, True) if unit.table == "mpg6"}
    unit = units["p4"]
    rows = EXPERIMENT.run(unit, True)
    assert [row["seed"] for row in rows] == [0, 1]
    assert all(set(row) == {"seed", *EXPERIMENT.columns} for row in rows)
    assert all(row["at_end"] <= row["peeking"] <= 1 for row in rows)
    assert all(row["published_weights"] == row["weights"] + 1 for row in rows)
    assert rows == EXPERIMENT.run(unit, True)
    chosen = EXPERIMENT.run(units["p5_train"], True)
    peeked = EXPERIMENT.run(units["p5"], True)
    assert all(set(row) == {"seed", *EXPERIMENT.columns} for row in chosen)
    assert all(mine["train_score"] >= theirs["train_score"] for mine, theirs in zip(chosen, peeked, strict=True))
    assert all(mine["best_on_train"] <= theirs["peeking"] for mine, theirs in zip(chosen, peeked, strict=True))
