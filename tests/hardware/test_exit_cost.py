"""What code with an early exit costs: each row against the cost of the tree that it computes, and emulated cycles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neuraltree.compress import early_exit_of, quantize_tree
from neuraltree.compress.exits.early_exit import EarlyExit
from neuraltree.export import export_c
from neuraltree.hardware import Code, costs, laid_out, load_device
from neuraltree.hardware.exiting import costs_with_exits, walked
from neuraltree.hardware.measure import Call, measure
from neuraltree.hardware.measure.cores import CORES, MeasureError
from neuraltree.hardware.measure.toolchains import check
from neuraltree.hardware.model import exit_cost
from neuraltree.hardware.model.cost_names import MEAN
from neuraltree.hardware.model.exit_cost import exit_costs
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, TANH, record

CODE = Code("int8", "straight", "clang")
WIDTH = 12


def model(outputs: int, seed: int = 0) -> Tree:
    """Many inputs of different weights, and some hidden nodes."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, float, float]] = []
    for _ in range(outputs):
        rows += [(0, IDENTITY, 0.0, rng.normal() * 0.1)]
        rows += [(1, i, float(w), 0.0) for i, w in enumerate(rng.normal(size=WIDTH) ** 3)]
        rows += [(1, TANH, 0.5, 0.0), (2, 0, 1.0, 0.0), (2, 1, -0.7, 0.0)]
    names = tuple("abcdef"[: max(outputs, 2)])
    return Tree(record(rows), "binary" if outputs == 1 else "multiclass", tuple(f"x{i}" for i in range(WIDTH)), names)


def raw(tree: Tree, rows: int = 40) -> np.ndarray:
    return np.random.default_rng(5).normal(size=(rows, len(tree.features))).astype(np.float32)


@pytest.mark.parametrize("outputs", [1, 4])
def test_a_row_costs_the_tree_that_it_computes(outputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With looks that cost nothing, and floats as in other code: the ordinary cost of what is left of the tree."""
    monkeypatch.setattr(exit_cost, "CORE_TIMES", {"cortex-m0plus": exit_cost.Times(0, 0, 0, 0, 0)})
    monkeypatch.setattr(exit_cost, "WITHOUT", ())
    tree, device = model(outputs), load_device("cortex-m0plus")
    X = raw(tree)
    each = [walked(tree, row[None], "float32") for row in X]
    found = exit_costs(each, device, CODE, kind=tree.kind)[MEAN]
    whole = quantize_tree(tree)
    exits = early_exit_of(whole)
    kept_of = [_computed(exits, stops) for stops in exits(whole.quantize(X)).terms.tolist()]
    for cost, kept in zip(found, kept_of, strict=True):
        part = replace(tree, nodes=whole.nodes[kept])
        nodes, starts, about = laid_out([part])
        plain = costs(nodes, starts, device, *CODE, **about)["latency_s"][0]
        ahead = {i for one in exits.parts for i in one.ahead}
        read = {int(op) for op in whole.nodes["op"][kept] if op >= 0}
        more = len(ahead - read) * _input_latency(tree)
        assert cost == pytest.approx(plain + more)
    together = exit_costs([walked(tree, X)], device, CODE, kind=tree.kind)
    assert together[MEAN][0] == pytest.approx(found.mean())
    assert together["latency_s"][0] == pytest.approx(
        costs(*laid_out([tree])[:2], device, *CODE, kind=tree.kind)["latency_s"][0]
    )


def _computed(exits: EarlyExit, stops: list[int]) -> np.ndarray:
    """The positions of the nodes of the terms that a row computes, and of the outputs."""
    depth = exits.tree.nodes["depth"].tolist()
    found = [i for i, d in enumerate(depth) if d == 0]
    for part, stop in zip(exits.parts, stops, strict=True):
        for term in part.terms[:stop]:
            end = next((i for i in range(term.node + 1, len(depth)) if depth[i] <= depth[term.node]), len(depth))
            found += range(term.node, end)
    return np.array(sorted(found))


def _input_latency(tree: Tree) -> float:
    """What an input more costs that no edge of its own reads."""
    device = load_device("cortex-m0plus")

    def latency(leaves: list[int]) -> float:
        rows = [(0, IDENTITY, 0.0, 0.0), *((1, i, 1.0 + i, 0.0) for i in leaves)]
        one = Tree(record(rows), "binary", tree.features, ("a", "b"))
        return float(costs(*laid_out([one])[:2], device, *CODE, kind="binary")["latency_s"][0])

    repeated = latency([0, 1, 2]) - latency([0, 1])
    return repeated - (_edge_latency(tree))


def _edge_latency(tree: Tree) -> float:
    """What an edge more costs whose input is read already."""
    device = load_device("cortex-m0plus")

    def latency(second: list[int]) -> float:
        rows = [(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0), (1, 1, 1.5, 0.0)]
        rows += [(1, TANH, 1.0, 0.0), *((2, i, 1.0 + i, 0.0) for i in second)]
        one = Tree(record(rows), "binary", tree.features, ("a", "b"))
        return float(costs(*laid_out([one])[:2], device, *CODE, kind="binary")["latency_s"][0])

    return latency([0, 1]) - latency([0])


BUILDS = (("cortex-m0plus", "clang"), ("cortex-m4f", "clang"), ("rv32imc", "clang"), ("avr", "gcc"))


@pytest.mark.parametrize(("core", "build"), BUILDS)
@pytest.mark.parametrize("outputs", [1, 4])
def test_predictions_are_near_emulated_cycles(core: str, build: str, outputs: int) -> None:
    """The mean over rows; and the most on one of them, which no row of the code can exceed by much."""
    try:
        check(CORES[core], build)
    except MeasureError as error:
        pytest.skip(str(error))
    tree, device = model(outputs, seed=3), load_device(core)
    X = np.concatenate([raw(tree), 30 * raw(tree, 20), np.zeros((5, WIDTH), np.float32)])
    files = export_c(tree, precision="int8", early_exit=True)
    files = {name: text for name, text in files.items() if name.startswith("model.")}
    measured = measure(files, [Call("model_predict", [(row,) for row in X], "int")], core, build)
    cycles = (measured.costs[0].cycles_lo + measured.costs[0].cycles_hi) / 2
    found = {
        name: float(v[0]) for name, v in costs_with_exits([tree], X, device, CODE._replace(compiler=build)).items()
    }
    cycle = device.seconds(1, "mid")
    assert found[MEAN] / cycle == pytest.approx(cycles.mean(), rel=0.15)
    assert found["latency_s"] / cycle > 0.88 * cycles.max()
    assert found["flash_bytes"] == pytest.approx(measured.flash_bytes, rel=0.3 if core == "avr" else 0.15)
    assert found["ram_bytes"] >= measured.static_ram_bytes + measured.costs[0].stack_bytes.max()
    assert found[MEAN] < 0.9 * found["latency_s"]


def test_a_tree_without_a_look_costs_what_it_did() -> None:
    """Energy follows the mean of rows, all else the longest way."""
    small = Tree(record([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)]), "binary", ("x0",), ("no", "yes"))
    assert not early_exit_of(quantize_tree(small)).looks
    device = load_device("cortex-m0plus")
    plain = costs(*laid_out([small])[:2], device, *CODE, kind="binary")
    found = costs_with_exits([small], np.zeros((3, 1)), device, CODE)
    assert found.keys() == {*plain, MEAN}
    assert all(found[name][0] == values[0] for name, values in plain.items())
    assert found[MEAN][0] == plain["latency_s"][0]
    large = costs_with_exits([model(1)], raw(model(1)), device, CODE)
    ratio = large["energy_j"][0] / large[MEAN][0]
    assert ratio == pytest.approx(plain["energy_j"][0] / plain["latency_s"][0])
    assert large["worst_latency_s"][0] >= large["latency_s"][0] > large[MEAN][0]
