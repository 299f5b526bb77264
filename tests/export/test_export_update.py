"""Training of chosen nodes on the device, against gradients by plain recursion that other nodes do not follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuraltree.export.c.training.device_step import training_step, with_parameters
from neuraltree.export.c.training.on_device import export_training
from neuraltree.hardware.measure import Call, measure, store
from neuraltree.tree.tree import Tree
from neuraltree.updating.training_state import TrainingState
from tests.export.test_export_train import (
    CASES,
    HOSTS,
    LOW_RATE,
    MEASURED,
    RATE,
    TOLERANCE,
    Device,
    assert_close,
    compile_strictly,
    large_tree,
    make_rows,
    make_tree,
    oracle_step,
    run_on_any_input,
    tell_right_from_wrong,
)
from tests.helpers.plain_tree import evaluate


def some_nodes(tree: Tree, seed: int, share: float = 0.3) -> np.ndarray:
    """A random choice of function nodes, one at least."""
    function = tree.nodes["op"] < 0
    live = function & (np.random.default_rng(seed).random(len(function)) < share)
    live[np.flatnonzero(function)[-1]] = True
    return live


def partial_oracle(tree: Tree, live: np.ndarray, x: np.ndarray, y: float, rate: float) -> tuple[float, Tree]:
    """The full step of the recursion, with the old numbers if a bias's node or an edge's parent is not trained."""
    loss, new = oracle_step(tree, x, y, rate)
    nodes, depth = tree.nodes.copy(), tree.nodes["depth"].tolist()
    for i in range(len(nodes)):
        if live[i]:
            nodes["bias"][i] = new.nodes["bias"][i]
        above = next((j for j in range(i - 1, -1, -1) if depth[j] == depth[i] - 1), None)
        if above is not None and live[above]:
            nodes["weight"][i] = new.nodes["weight"][i]
    return loss, replace(tree, nodes=nodes)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("case", CASES)
def test_steps_are_those_of_the_oracle(case: str, seed: int, tmp_path: Path) -> None:
    tree = make_tree(case, seed)
    live = some_nodes(tree, seed, (0.05, 0.2, 0.5, 0.9)[seed])
    device, expected = Device(tree, tmp_path, live), tree
    rows = make_rows(tree, 20)
    device.train(*rows[0], RATE)
    assert_close(device.tree, partial_oracle(tree, live, *rows[0], RATE)[1])
    device.reset()
    for x, y in rows:
        wanted, expected = partial_oracle(expected, live, x, y, LOW_RATE)
        assert device.train(x, y, LOW_RATE) == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE)
    assert_close(device.tree, expected)
    if tree.classes is None:
        outputs = evaluate(device.tree.nodes, tree.scaler.transform(rows[0][0][None]))[0]
        wanted = outputs if tree.target_scaler is None else tree.target_scaler.inverse(outputs)
        assert device.predict(rows[0][0]) == pytest.approx(float(np.ravel(wanted)[0]), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_the_step_in_numpy_is_the_oracle_s(case: str) -> None:
    tree = make_tree(case, 5)
    live = some_nodes(tree, 5)
    for x, y in make_rows(tree, 3):
        loss, trained = training_step(tree, x, y, RATE, live)
        wanted, expected = partial_oracle(tree, live, x, y, RATE)
        assert loss == pytest.approx(wanted, rel=1e-12)
        assert_close(trained, expected, 1e-12)


def test_each_node_alone(tmp_path: Path) -> None:
    tree = make_tree("softmax", 3, nodes=25)
    ((x, y),) = make_rows(tree, 1)
    for node in np.flatnonzero(tree.nodes["op"] < 0).tolist():
        live = np.arange(len(tree.nodes)) == node
        device = Device(tree, tmp_path / str(node), live)
        device.train(x, y)
        assert_close(device.tree, partial_oracle(tree, live, x, y, RATE)[1])


def test_all_nodes_are_the_full_export() -> None:
    tree = make_tree("binary", 1)
    assert export_training(tree, "pot", tree.nodes["op"] < 0) == export_training(tree, "pot")
    assert export_training(tree, "pot", some_nodes(tree, 0)) != export_training(tree, "pot")
    with pytest.raises(ValueError, match="names no node"):
        export_training(tree, "pot", np.zeros(len(tree.nodes), dtype=bool))


def test_the_header_names_the_nodes_and_their_bytes() -> None:
    tree = make_tree("regression", 2)
    live = np.arange(len(tree.nodes)) == 0
    header = export_training(tree, "pot", live)["pot_train.h"]
    arity = int(np.sum(tree.nodes["depth"] == 1))
    inner = int(np.sum((tree.nodes["depth"] == 1) & (tree.nodes["op"] < 0)))
    assert f"RAM: 4 bytes for each of {1 + arity} parameters and {1 + inner} function nodes" in header
    assert "by their positions in the model file: 0." in header
    assert f"The other {tree.num_weights - 1 - arity} weights are constants." in header
    with pytest.raises(ValueError, match=rf"\({1 + arity},\)"):
        with_parameters(tree, np.zeros(arity), live)


@pytest.mark.parametrize("compiler", HOSTS)
def test_it_compiles_without_a_warning(compiler: str, tmp_path: Path) -> None:
    for case in CASES:
        tree = make_tree(case)
        compile_strictly(compiler, export_training(tree, "pot", some_nodes(tree, 1)), tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_any_input_is_defined(case: str, tmp_path: Path) -> None:
    tree = make_tree(case, 1)
    run_on_any_input(tree, export_training(tree, "pot", some_nodes(tree, 2, 0.15)), tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_the_self_test_tells_right_from_wrong(case: str, tmp_path: Path) -> None:
    tree = make_tree(case, 2)
    files = export_training(tree, "pot", some_nodes(tree, 3))
    tell_right_from_wrong(files, "*--live -= change;", "*--live -= 0.99f * change;", tmp_path)


@pytest.mark.skipif(not MEASURED, reason="measuring needs a cross-compiler and an emulator: neuraltree[measure]")
@pytest.mark.parametrize(("core", "share"), [("cortex-m0plus", 0.7), ("cortex-m4f", 0.9)])
def test_ram_is_what_is_counted_and_a_step_gets_shorter(
    core: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "cache_folder", lambda part: tmp_path / part)
    tree = large_tree()
    live = (tree.nodes["op"] < 0) & (tree.nodes["depth"] < 2)  # the output and the nodes below it
    x = np.linspace(-3, 3, 8).astype(np.float32)
    taken = []
    for chosen in (None, live):
        files = export_training(tree, "pot", chosen)
        step = Call("pot_train", [(x, 1.5, RATE)], "float32", ["pot_parameters"])
        own = {name: text for name, text in files.items() if not name.startswith("test/")}
        taken.append(measure(own, [Call("pot_reset", [()]), step], core))
    full, part = taken
    assert part.static_ram_bytes == TrainingState(tree.nodes).bytes(live) < full.static_ram_bytes / 4
    assert part.costs[1].stack_bytes[0] <= full.costs[1].stack_bytes[0] + 32
    assert part.costs[1].instructions[0] < share * full.costs[1].instructions[0]
    found = with_parameters(tree, np.frombuffer(part.costs[1].variables["pot_parameters"], "<f4"), live)
    assert_close(found, partial_oracle(tree, live, x, 1.5, RATE)[1])
