"""The speed benchmark runs, its file is complete, and its contenders compute the same."""

from __future__ import annotations

import sys

import jax
import numpy as np
import pytest

from benchmarks import predict_speed, search_rate, speed_peers, train_speed
from benchmarks import run as by_name
from benchmarks.engine import frozen_training, jax_loop_overhead, memory
from benchmarks.peers import agreement as checks
from benchmarks.peers import case as cases
from benchmarks.peers import generations, steps, workload
from benchmarks.peers.agreement import agreement
from benchmarks.peers.case import Job, Seconds, make_case, measure
from benchmarks.peers.forest_engine import engine, jax_loop
from benchmarks.peers.gathered_forest import gather
from benchmarks.peers.handwritten import available, handwritten
from benchmarks.peers.per_tree import per_tree
from benchmarks.peers.workload import make_workload
from neuraltree.engine.kernel.binding import Missing, load
from neuraltree.tree.generate import random_tree
from neuraltree.tree.prediction import evaluate
from neuraltree.tree.space import Space

needs_compiler = pytest.mark.skipif(not available(), reason="no C compiler called cc")
TREES = 2


@pytest.fixture(scope="module", autouse=True)
def small_trees():
    with pytest.MonkeyPatch.context() as patch:  # shallow trees compile sooner
        patch.setattr(workload, "MAX_NODES", 16)
        yield


def moments(trained: object) -> np.ndarray:
    """Of all weights, whatever arrays they are in: unused entries are zero."""
    values = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(trained)]).astype(np.float64)
    return np.array([values.sum(), (values**2).sum(), (values**3).sum()])


@pytest.fixture(scope="module")
def work():
    return make_workload(TREES, 10, rows=30, epochs=2, seed=1)


@pytest.fixture(scope="module")
def trained(work):
    return moments(engine(work, 1).run())


@pytest.mark.parametrize("builder", [jax_loop, gather, per_tree])
def test_contenders_train_alike(work, trained, builder):
    start = moments([np.where(tree["op"] < 0, tree["bias"][:, 0], 0) for tree in work.trees])
    assert not np.allclose(trained, start, rtol=1e-3)
    np.testing.assert_allclose(moments(builder(work, 1).run()), trained, rtol=1e-5)


@needs_compiler
def test_c_trains_alike(work, trained):
    np.testing.assert_allclose(moments(handwritten(work, 2).run().param), trained, rtol=1e-5)


@needs_compiler
def test_c_agrees_entry_by_entry():
    found = agreement(make_workload(TREES, 10, rows=10, epochs=1, seed=2))
    assert 0 <= max(found) < 1e-4


@needs_compiler
def test_disagreement_is_an_error(monkeypatch):
    work = make_workload(TREES, 10, rows=10, epochs=1, seed=2)
    monkeypatch.setattr(
        checks, "handwritten", lambda work, threads: handwritten(work._replace(targets=-work.targets), 1)
    )
    with pytest.raises(ValueError, match="differ by"):
        agreement(work)


@pytest.mark.rare
def test_benchmark_writes_every_key(monkeypatch):
    monkeypatch.setattr(workload, "MAX_NODES", 5)
    monkeypatch.setattr(train_speed, "ROUNDS", 2)
    monkeypatch.setattr(train_speed, "COMPILED_ALONE", 1)
    result = train_speed.run(TREES, [10], 0.01, rows=20, epochs=1)
    (entry,) = result["batches"]
    measured = [name for name, row in train_speed.CONTENDERS.items() if available() or row[0] is not handwritten]
    assert list(entry["contenders"]) == measured
    assert set(entry["ratios"]) == set(train_speed.RATIOS) & set(measured)
    for row in entry["contenders"].values():
        assert 0 < row["median_mws"] <= row["best_mws"] == max(row["rounds_mws"])
    assert (entry["c_agreement"] is None) != available()
    assert result["machine"]["cpu_count"] > 0
    assert set(result["machine"]["versions"]) == set(train_speed.PACKAGES)
    assert train_speed.table(entry).row_count == len(measured)
    assert len(train_speed.notes(result["batches"], TREES)) == 3


def test_the_prediction_benchmark_writes_every_key(monkeypatch):
    monkeypatch.setattr(predict_speed, "CALLS", 2)
    result = predict_speed.run(rows=50, rounds=2, train_rows=100)
    assert [task["kind"] for task in result["tasks"]] == list(predict_speed.PEERS)
    assert set(result["versions"]) == set(predict_speed.PACKAGES)
    for task in result["tasks"]:
        peers = set(predict_speed.PEERS[task["kind"]])
        assert task["weights"] == predict_speed.WEIGHTS
        assert set(task["one_row_us"]) == peers | {predict_speed.OURS, predict_speed.ONE}
        assert set(task["one_row_ratios"]) == peers
        assert set(task["many_rows"]) == set(task["many_rows_ratios"]) == set(predict_speed.FORMS)
        for form, found in task["many_rows"].items():
            assert set(found) == peers | {predict_speed.OURS}
            assert all(row["seconds"] > 0 and row["extra_mib"] > 0 for row in found.values())
            assert set(task["many_rows_ratios"][form]) == peers
        assert predict_speed.table(task, 50).row_count == len(peers) + 2


@pytest.fixture
def small_case(monkeypatch):
    monkeypatch.setattr(cases, "NODES", 9)  # small ones compile sooner
    monkeypatch.setattr(cases, "STEPS", 2)
    return make_case("friedman1", TREES)


def test_a_case_is_standardised_rows_and_trees_of_one_size(small_case):
    assert small_case.X.shape == (1200, 5)
    np.testing.assert_allclose(small_case.X.std(axis=0), 1)
    assert all(abs(len(tree) - 9) <= cases.SLACK for tree in small_case.trees)


def test_calls_are_divided_by_what_they_do():
    made = []

    def call() -> list[str]:
        made.append("12345"[: len(made) + 1])
        return made[-2:]

    def phases(given: list[str]) -> dict[str, float]:
        return {"train": 3.0, "vary": len(given) / 2}

    found = measure(Job(lambda: call, units=4, share=0.5, nodes=cases.lengths, phases=phases), repeats=3)
    assert len(made) == 4
    assert isinstance(found, Seconds)
    assert min(found[:5]) >= 0
    assert found.nodes == 3.5  # of the last call
    assert found.shares == {"train": 0.75, "vary": 0.25}


def test_nodes_of_matrices_are_rows_in_use():
    trees = np.zeros((2, 1, 5, 4))
    trees[0, 0, 2:, 0], trees[1, 0, 4:, 0] = 3, 1
    np.testing.assert_array_equal(cases.nodes_of_matrices(trees), [[3], [1]])


# kozax is left out: it compiles for a minute.
JOBS = {
    "ours": lambda case: steps.ours(case, 64),
    "ours, all rows": lambda case: steps.ours(case, 0),
    "one jit per tree": steps.jit_per_tree,
    "dense": steps.dense_networks,
    "pyoperon": lambda case: steps.operon(case, "lm"),
    "pyoperon, sgd": lambda case: steps.operon(case, "sgd"),
}
GENERATIONS = {
    "ours": lambda case: generations.ours(case._replace(trees=2 * case.trees), 1, 1),
    "pyoperon": lambda case: generations.operon(case, 1),
    "DEAP": generations.deap,
}


@pytest.mark.parametrize(
    "job", [*JOBS.values(), *GENERATIONS.values()], ids=[*JOBS, *(f"{n} gen" for n in GENERATIONS)]
)
def test_a_peer_can_be_measured(small_case, monkeypatch, job):
    if job in (JOBS["pyoperon"], JOBS["pyoperon, sgd"], GENERATIONS["pyoperon"]):
        pytest.importorskip("pyoperon")
    monkeypatch.setattr(steps, "ALONE", 1)
    found = measure(job(small_case), repeats=1)
    assert found.first_s > 0
    assert found.warm_s > 0
    if job is not JOBS["dense"]:
        assert 1 <= found.nodes <= 70
    if job is GENERATIONS["ours"]:
        assert set(found.shares) == {"vary", "train", "cost", "select"}


def test_the_benchmark_of_peers_says_what_there_is_and_is_not(monkeypatch):
    def absent(case):
        raise ImportError("no module")

    def broken(case):
        raise MemoryError("too large")

    monkeypatch.setattr(speed_peers, "CASES", ("friedman1",))
    monkeypatch.setattr(speed_peers, "PACKAGES", ("numpy", "no-such-package"))
    quick = Job(lambda: lambda: sum(range(1000)))
    line, other = speed_peers.LINES["gradient step"][0], speed_peers.LINES["gradient step"][-1]
    jobs = {"ours": lambda case: quick, "gone": absent, "broken": broken}
    ours, *others = [line._replace(name=line.name if name == "ours" else name, job=job) for name, job in jobs.items()]
    lines = {"gradient step": (ours, other, *others)}
    result = speed_peers.run(TREES, 1, lines)
    ours, none, gone, failed = result["cases"][0]["parts"]["gradient step"]
    assert all(ours[name] >= 0 for name in speed_peers.NUMBERS)
    assert none["note"] == speed_peers.NO_STEP
    assert gone["note"] == "cannot be imported: no module"
    assert failed["note"] == "failed: MemoryError: too large"
    assert result["versions"]["no-such-package"] is None
    text = speed_peers.page(result)
    assert "1,200 rows x 5 features" in text
    assert speed_peers.NO_STEP in text


def test_a_page_without_the_line_that_others_compare_with():
    number = dict.fromkeys(speed_peers.NUMBERS, 0.5) | {"nodes": None, "work": "steps"}
    rows = [{"name": speed_peers.OURS, "note": "failed"}, {"name": "theirs"} | number]
    case = {"name": "friedman1", "rows": 1200, "features": 5, "parts": {"gradient step": rows}}
    text = speed_peers.page({"command": "it", "models": 100, "cases": [case]})
    assert "| theirs | 0.50 | 0.50 | 500 | 500 |  |  | steps |" in text


def test_benchmarks_run_by_name(capsys):
    assert by_name.main([]) == 0
    assert "peers" in capsys.readouterr().out
    assert by_name.main(["nonsense"]) == 2
    assert "search" in capsys.readouterr().err


@pytest.mark.parametrize("name", by_name.BENCHMARKS)
def test_every_benchmark_has_help(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", sys.argv)  # which ``main`` replaces
    with pytest.raises(SystemExit) as ended:
        by_name.main([name, "--help"])
    assert ended.value.code == 0
    assert "usage: " in capsys.readouterr().out


def test_the_loop_in_jax_trains_as_the_kernel_does(monkeypatch, capsys):
    if isinstance(found := load(), Missing):
        pytest.skip(found.reason)
    monkeypatch.setattr(sys, "argv", sys.argv)
    for name, value in {"TREES": 4, "ROWS": 160, "FIT_ROWS": 128, "EPOCHS": 2, "REPEATS": 1}.items():
        monkeypatch.setattr(jax_loop_overhead, name, value)
    monkeypatch.setattr(jax_loop_overhead, "BATCHES", (64,))
    by_name.main(["jax_loop"])
    *_, row = capsys.readouterr().out.splitlines()
    assert len(row.split()) == 7
    assert float(row.split()[-1]) < 1e-4


def test_a_frozen_subtree_becomes_an_input_of_its_values():
    rng, features = np.random.default_rng(0), 4
    space = Space(features, 1, ("tanh", "sigmoid"), "identity", 120, 6, 5)
    trees, X = [random_tree(rng, space, max_nodes=60) for _ in range(5)], rng.standard_normal((7, features))
    for share in (0.3, 0.7, 1.0):
        kept = frozen_training.keep(trees, share, features)
        values = frozen_training.values_of(kept.subtrees, X)
        wide = np.concatenate([X, values], axis=1)
        assert values.shape == (7, len(kept.subtrees))
        for whole, cut in zip(trees, kept.trees, strict=True):
            np.testing.assert_allclose(evaluate(cut, wide), evaluate(whole, X), rtol=1e-4, atol=1e-5)
        hidden = sum(np.count_nonzero((tree["op"] < 0) & (tree["depth"] > 0)) for tree in trees)
        left = sum(np.count_nonzero((tree["op"] < 0) & (tree["depth"] > 0)) for tree in kept.trees)
        assert left == pytest.approx((1 - share) * hidden, abs=len(trees))


def test_the_page_of_frozen_subtrees(tmp_path, monkeypatch):
    for name, value in {"TREES": 3, "ROWS": 70, "EPOCHS": 1, "REPEATS": 1, "NODES": (30,)}.items():
        monkeypatch.setattr(frozen_training, name, value)
    monkeypatch.setattr(sys, "argv", ["frozen_training", "--out", str(tmp_path / "frozen_training.json")])
    frozen_training.main()
    text = (tmp_path / "frozen_training.md").read_text()
    assert "Made by `python -m benchmarks.run frozen_training`" in text
    assert text.count("| 30 nodes |") == len(frozen_training.SHARES)


def test_the_rate_of_two_engines(tmp_path, capsys):
    """By the driver, with this engine as the old one too."""
    assert list(search_rate.configs(tmp_path, tmp_path)) == ["quickstart"]
    config = tmp_path / "small.toml"
    config.write_text('[data]\nsource = "iris"\n[search]\npopulation = 6\n[train]\nepochs = 1\n')
    found = search_rate.measure_phases("small", config, search_rate.ROOT, 0, 1)
    assert found["work"] > 0
    assert found["train_cpu_ns"] == 1e3 * found["train_cpu_s"] / found["work"]
    new = {"engine": "new", **found, "cold_cpu_s": 2.0, "cold_first_line_s": 1.0, "table": "quickstart"}
    old = new | {"engine": "old", "train_cpu_ns": 3 * found["train_cpu_ns"], "cold_cpu_s": 5.0}
    summary = search_rate.report([old, new])
    assert summary["ratios"] == {"train_cpu_ns": {"quickstart": pytest.approx(3)}, "cold_cpu_s": {"quickstart": 2.5}}
    assert (summary["cold_small_tables"], summary["first_line_s"]) == (2.5, 1.0)
    assert "cold_small_tables: 2.50" in capsys.readouterr().out


@pytest.mark.rare
def test_the_memory_of_a_search():
    assert 50 < memory.peak_mib(rows=200, population=4) < 4000
