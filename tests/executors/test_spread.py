"""Whatever workers do, a search whose work is spread has the bits of a search in one process."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from neuraltree.tree.nodes import node_dtype
from search.engine.evaluate import trained
from search.errors import InputError
from search.executors import spread as spread_module
from search.executors.jobs import Context, chunk_of, run_chunk
from search.executors.pool import Answer
from search.executors.spread import Spread
from search.executors.wire import pack, unpack
from search.judge.honest import STREAM, judging_folds
from search.variation.genes import NO_GENES
from tests.helpers.executor_runs import context, same, states, worked

SECTIONS = {
    "iris": {},
    "regression": {"data": {"source": "friedman1"}, "search": {"rows": "auto"}},
    "rates and formats": {
        "train": {"l1": "evolved"},
        "hardware": {"device": "cortex-m0plus", "precision": ["int8", "ternary"]},
        "search": {"objectives": ["error", "flash_bytes"]},
    },
    "early exits": {
        "hardware": {"device": "cortex-m0plus", "precision": "int8"},
        "compress": {"early_exit": True},
        "search": {"objectives": ["error", "mean_latency_s"]},
    },
}


@cache
def run(name: str = "iris") -> Context:
    return context(**SECTIONS[name])


class Unreliable:
    """Workers in one process, which lose, repeat, delay, fail, and reorder as random numbers say."""

    def __init__(self, context: Context, seed: int, faults: float = 0.3, slots: int = 3) -> None:
        self.context, self.random, self.faults, self.count = context, random.Random(seed), faults, slots
        self.todo: dict[str, bytes] = {}
        self.begun: set[str] = set()
        self.kept: list[Answer] = []
        self.computed = 0

    def slots(self):
        return self.count

    def offer(self, chunks):
        self.todo |= chunks

    def claim(self):
        free = [name for name in self.todo if name not in self.begun]
        if free and self.random.random() < 0.2:
            self.begun.add(free[0])
            return free[0]
        return ""

    def all_begun(self):
        return self.todo.keys() <= self.begun

    def answers(self, wait_s):
        del wait_s
        names = self.random.sample(list(self.todo), min(self.count, len(self.todo)))
        found = []
        for name in names:
            self.begun.add(name)
            fate = self.random.random()
            if fate < self.faults / 3:
                continue  # the worker died; another one may take the chunk later
            if fate < 2 * self.faults / 3:
                found.append(Answer(name, "w", problem="MemoryError: "))
                continue
            answer = Answer(name, f"w{self.random.randrange(3)}", 0.01, self.compute(self.todo[name]))
            found.append(answer)
            if self.random.random() < self.faults:
                self.kept.append(answer)  # it comes again, when nobody waits for it
        late = [self.kept.pop()] if self.kept and self.random.random() < 0.5 else []
        return found + late

    def compute(self, message):
        self.computed += 1
        return unpack(pack({}, run_chunk(self.context, chunk_of(message))))[1]

    def withdraw(self, names):
        for name in names:
            self.todo.pop(name, None)
            self.begun.discard(name)

    def close(self):
        pass


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch):
    monkeypatch.setattr(spread_module, "LEAST_S", 1e-9)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_spread_search_has_the_bits_of_one_process(name):
    alone = states(run(name).setup, 3)
    pool = Unreliable(run(name), seed=0, faults=0.0)
    spread = states(worked(run(name).setup, Spread(run(name), pool, lambda _: None)), 3)
    assert pool.computed > 6
    assert all(same(a, b) for a, b in zip(alone, spread, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_faults_of_workers_change_no_bit(seed):
    alone = states(run().setup, 3)
    spread = states(worked(run().setup, Spread(run(), Unreliable(run(), seed), lambda _: None)), 3)
    assert all(same(a, b) for a, b in zip(alone, spread, strict=True))


def test_the_judgement_has_the_bits_of_one_process():
    setup, table = run().setup, run().table
    trees = states(setup, 1)[0].members.trees
    for repeat in (0, 1):
        problem = replace(setup.problem, folds=judging_folds(setup, table, repeat))
        five = [widened(tree, len(problem.folds)) for tree in trees]
        expected = trained(problem, five, STREAM + repeat, epochs=3, faster=2.0)
        found = Spread(run(), Unreliable(run(), repeat), lambda _: None).judge(repeat, five, NO_GENES, 3, 2.0)
        assert [tree.tobytes() for tree in found] == [tree.tobytes() for tree in expected]


def widened(tree, folds):
    """The tree with the weights of its first fold in all folds."""
    wide = np.zeros(len(tree), dtype=node_dtype(folds))
    for name in ("depth", "op"):
        wide[name] = tree[name]
    for name in ("weight", "bias"):
        wide[name] = tree[name][:, :1]
    return wide


DAMAGES = {
    "nothing": lambda found: {},
    "no scores": lambda found: {name: values for name, values in found.items() if not name.startswith("column ")},
    "a tree less": lambda found: found | {"starts": found["starts"][:-1]},
    "a score less": lambda found: found | {"ok": found["ok"][:-1]},
    "numbers for trees": lambda found: found | {"nodes": np.zeros(()), "starts": np.zeros(3)},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_answer_to_other_trees_is_a_problem_of_its_worker(damage):
    class Wrong(Unreliable):
        def answers(self, wait_s):
            found = super().answers(wait_s)
            return [a._replace(result=DAMAGES[damage](a.result)) if a.result else a for a in found]

        def claim(self):
            return ""

    alone, said = states(run().setup, 1)[0], list[str]()
    spread = Spread(run(), Wrong(run(), 0, faults=0.0), said.append)
    assert same(alone, states(worked(run().setup, spread), 1)[0])
    assert any("its answer is not one to these trees" in line for line in said)


def test_two_answers_that_differ_stop_the_run_and_name_both_workers():
    class Liar(Unreliable):
        def answers(self, wait_s):
            found = super().answers(wait_s)
            return found + [
                a._replace(worker="liar", result={**a.result, "ok": ~a.result["ok"]}) for a in found if a.result
            ]

    with pytest.raises(InputError, match=r"w\d and liar trained the same trees and got different weights"):
        states(worked(run().setup, Spread(run(), Liar(run(), 0, faults=0.0), lambda _: None)), 1)


def test_a_tree_that_nobody_can_compute_gets_a_status_and_the_others_their_scores(monkeypatch):
    alone = states(run().setup, 1)[0]
    poison = alone.members.trees[3]["op"].tobytes()
    real = run_chunk

    def fails(context, chunk):
        if any(tree["op"].tobytes() == poison for tree in chunk.trees):
            raise MemoryError("too large")
        return real(context, chunk)

    monkeypatch.setattr(spread_module, "run_chunk", fails)

    class Failing(Unreliable):
        def answers(self, wait_s):
            found = []
            for name, message in self.todo.items():
                self.begun.add(name)
                try:
                    found.append(Answer(name, "w", 0.0, fails(self.context, chunk_of(message))))
                except MemoryError as error:
                    found.append(Answer(name, "w", problem=f"MemoryError: {error}"))
            return found

    said: list[str] = []
    spread = Spread(run(), Failing(run(), 0), said.append)
    drawn = [run().setup.strategy.new_tree(np.random.default_rng(i)) for i in range(6)] + [alone.members.trees[3]]
    found = spread.evaluate(0, drawn, NO_GENES)
    assert found.ok.tolist() == [True] * 6 + [False]
    assert all(np.isfinite(values).all() for values in found.columns.values())
    assert found.columns["val_error"][6] == found.columns["val_error"][:6].max()
    assert any("1 tree could not be trained by this process: MemoryError: too large" in line for line in said)


def test_an_error_that_all_trees_meet_is_raised(monkeypatch):
    def fails(context, chunk):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(spread_module, "run_chunk", fails)

    class Failing(Unreliable):
        def answers(self, wait_s):
            return [Answer(name, "w", problem="ZeroDivisionError: a bug") for name in self.todo]

    with pytest.raises(ZeroDivisionError, match="a bug"):
        states(worked(run().setup, Spread(run(), Failing(run(), 0), lambda _: None)), 1)


def test_equal_trees_in_several_places_are_all_answered():
    tree = run().setup.strategy.new_tree(np.random.default_rng(0))
    found = Spread(run(), Unreliable(run(), 0), lambda _: None).evaluate(0, [tree] * 5, NO_GENES)
    assert len(found.trees) == 5
    assert len({each.tobytes() for each in found.trees}) == 1
