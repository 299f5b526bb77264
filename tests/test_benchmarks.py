"""The speed benchmark runs, its file is complete, and its contenders compute the same."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from benchmarks import predict_speed, train_speed
from benchmarks.peers import agreement as checks
from benchmarks.peers import workload
from benchmarks.peers.agreement import agreement
from benchmarks.peers.forest import autodiff, engine
from benchmarks.peers.gather import gather
from benchmarks.peers.handwritten import available, handwritten
from benchmarks.peers.per_tree import per_tree
from benchmarks.peers.workload import make_workload

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


@pytest.mark.parametrize("builder", [autodiff, gather, per_tree])
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
