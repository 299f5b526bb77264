"""The code that is chosen for a tree: against a search through all codes, one tree at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree import Tree, hardware, save
from neuraltree.hardware import Code
from neuraltree.hardware.__main__ import main
from neuraltree.hardware.choice import CodeRule, Decision, candidates, choose, decide, taken
from neuraltree.hardware.choice_words import word_of_code, word_of_codes
from neuraltree.hardware.dominated_code import dominated, word_on_integers, words_on_dominated
from neuraltree.hardware.profile.devices import CycleDevice
from tests.hardware.test_counts import record

ALL = Code("auto", "auto", "clang")
CODES = tuple(Code(p, s, "clang") for p in ("float32", "int8") for s in ("straight", "table"))
COSTS = ("latency_s", "flash_bytes", "ram_bytes", "energy_j")
MARGIN = 1.1


def best(costs: list[dict[str, float]], losses: list[float], rule: CodeRule) -> int:
    """The place of the chosen code, by sorting lists."""
    order = list(dict.fromkeys([*rule.order, *COSTS]))
    over = [sum(max(row[name] - most, 0) / (most or 1) for name, most in rule.limits.items()) for row in costs]
    left = list(range(len(costs)))
    for key in ([max(loss - rule.max_loss, 0) for loss in losses], over):
        left = [i for i in left if key[i] == min(key[j] for j in left)]
    for name in order:
        least = min(costs[i][name] for i in left)
        left = [i for i in left if costs[i][name] <= MARGIN * least]
    return min(left, key=lambda i: ([costs[i][name] for name in order], i))


NUMBERS = st.integers(95, 125).map(float)  # some are within a tenth of each other
ROW = st.fixed_dictionaries(dict.fromkeys(COSTS, NUMBERS))
RULES = st.builds(
    CodeRule,
    st.just(CODES),
    st.lists(st.sampled_from(COSTS), unique=True).map(tuple),
    st.dictionaries(st.sampled_from(COSTS), NUMBERS, max_size=2),
    st.just(0.01),
)
LOSSES = st.lists(st.sampled_from([0.0, 0.01, 0.02, np.inf]), min_size=4, max_size=4)


@given(st.lists(st.tuples(st.lists(ROW, min_size=4, max_size=4), LOSSES), min_size=1, max_size=5), RULES)
def test_the_choice_is_that_of_a_search_through_all_codes(trees: list[Any], rule: CodeRule) -> None:
    found = [{name: np.array([rows[i][name] for rows, _ in trees]) for name in COSTS} for i in range(4)]
    losses = np.array([each for _, each in trees]).T
    places = choose(rule, found, losses)
    assert places.tolist() == [best(rows, each, rule) for rows, each in trees]
    own = taken(places, found)
    for i, (rows, each) in enumerate(trees):
        assert {name: own[name][i] for name in COSTS} == rows[places[i]]
        exact = [row for row, loss in zip(rows, each, strict=True) if loss <= rule.max_loss]
        assert (rows[places[i]] in exact) == bool(exact)
        assert not any(beats(row, rows[places[i]]) for row in exact)


def beats(a: dict[str, float], b: dict[str, float]) -> bool:
    return all(a[name] <= b[name] for name in COSTS) and any(a[name] < b[name] for name in COSTS)


def test_limits_go_before_what_is_quick() -> None:
    rows = costs_of(1.0, 900.0), costs_of(9.0, 500.0)
    found = [{name: np.array([value]) for name, value in row.items()} for row in rows]
    rule = CodeRule(CODES[:2], ("latency_s",))
    assert choose(rule, found).tolist() == [0]
    assert choose(rule._replace(limits={"flash_bytes": 600.0}), found).tolist() == [1]
    assert choose(rule._replace(limits={"flash_bytes": 400.0}), found).tolist() == [1]  # the least over it
    assert choose(rule._replace(order=("flash_bytes",)), found).tolist() == [1]


def tree_of(loss: float | None, seed: int = 0, classes: tuple[str, ...] | None = None) -> Tree:
    outputs: list[Any] = [("identity", [0, ("relu", [1, 2, 0]), ("relu", [1, 1, 2])])]
    nodes = record(outputs * (len(classes) if classes else 1))
    nodes["weight"], nodes["bias"] = np.random.default_rng(seed).normal(size=(2, len(nodes), 1))
    kind = "multiclass" if classes else "regression"
    return Tree(nodes, kind, ("p", "q", "r"), classes, int8_loss=loss)


@pytest.mark.parametrize("name", ["cortex-m0plus", "cortex-m4f", "rv32imc", "desktop", "atmega328p"])
@pytest.mark.parametrize("order", [(), ("flash_bytes",), ("energy_j", "ram_bytes")])
def test_decisions_have_the_costs_of_each_code(name: str, order: tuple[str, ...]) -> None:
    device = hardware.load_device(name)
    codes = candidates(ALL, device)
    assert codes == CODES
    trees = [tree_of(loss, seed) for seed, loss in enumerate((0.0, 0.01, 0.0101, None))]
    rule = CodeRule(codes, order)
    for tree, decision in zip(trees, decide(trees, device, rule), strict=True):
        nodes, starts, about = hardware.laid_out([tree])
        rows = []
        for code in codes:
            found = hardware.costs(nodes, starts, device, *code, **about)
            rows.append({cost: float(values[0]) for cost, values in found.items()})
        assert [decision.costs[code] for code in codes] == rows
        loss = np.inf if tree.int8_loss is None else tree.int8_loss
        assert decision.code == codes[best(rows, [0.0, 0.0, loss, loss], rule)]
        assert decision.loss == tree.int8_loss


def test_integers_are_chosen_where_they_are_cheaper_and_exact_enough() -> None:
    trees = [tree_of(loss) for loss in (0.0, 0.01, 0.02, None)]
    chosen = {}
    for name in ("cortex-m0plus", "cortex-m4f"):
        device = hardware.load_device(name)
        chosen[name] = [row.code.precision for row in decide(trees, device, CodeRule(candidates(ALL, device)))]
    assert chosen == {"cortex-m0plus": ["int8", "int8", "float32", "float32"], "cortex-m4f": ["float32"] * 4}


def test_candidates_are_the_codes_with_figures() -> None:
    device = hardware.load_device("cortex-m4f")
    straight, table = (Code("int8", style, "gcc") for style in ("straight", "table"))
    assert candidates(Code("int8", "auto", "gcc"), device) == (straight, table)
    assert candidates(table, device) == (table,)
    with pytest.raises(ValueError, match="is not supported"):
        candidates(ALL, hardware.load_device("coral-edgetpu"))
    with pytest.raises(ValueError, match="has no figures for float32 straight by"):
        candidates(ALL._replace(compiler="icc"), device)


def costs_of(latency: float, flash: float) -> dict[str, float]:
    return {"latency_s": latency, "flash_bytes": flash, "ram_bytes": 10.0, "energy_j": latency}


def test_what_was_decided_is_said_in_a_line() -> None:
    device = hardware.load_device("cortex-m0plus")  # 48 MHz
    assert device.clock.value == 48  # type: ignore[attr-defined]
    codes = CODES[0], CODES[2]
    costs = dict(zip(codes, (costs_of(12_400 / 48e6, 2310), costs_of(852 / 48e6, 672)), strict=True))
    small, far = Decision(codes[1], costs, 0.0004), Decision(codes[0], costs, 0.03)
    assert word_of_code(small, device, tree_of(0, classes=("a", "b", "c"))) == (
        "int8 straight: 852 cycles, 672 B predicted for cortex-m0plus; float32 straight would need 12,400 and 2,310; "
        "loss of accuracy in integers 0.000"
    )
    assert word_of_code(far, device, tree_of(0)) == (
        "float32 straight: 12,400 cycles, 2,310 B predicted for cortex-m0plus; int8 straight would need 852 and 672; "
        "loss of R² in integers 0.030"
    )
    assert word_of_code(far._replace(loss=None), device, tree_of(0)).endswith("; its loss of R² is not known")
    assert word_of_code(small, hardware.load_device("rpi-4"), tree_of(0)).startswith("int8 straight: 17.8 µs, 672 B")
    assert word_of_codes([far._replace(loss=None)] * 2) == "code: float32 straight for 2 of 2 models"
    assert (
        word_of_codes([Decision(codes[1], {codes[1]: costs[codes[1]]}, None)])
        == "code: int8 straight for 1 of 1 models"
    )
    assert word_of_codes([small, far, small._replace(loss=0.004)]) == (
        "code: int8 straight for 2 of 3 models (up to 14.6 times faster than float32, losing at most 0.004 of the "
        "score), float32 straight for 1 (integers would lose up to 0.030 of the score)"
    )


def test_a_dominated_code_is_named_with_what_it_costs() -> None:
    own = {"latency_s": np.array([2.0, 4.0, 6.0]), "flash_bytes": np.full(3, 100.0), "ram_bytes": np.full(3, 50.0)}
    better = {name: values / 2 for name, values in own.items()}
    near = {name: values / 1.05 for name, values in own.items()}
    larger = better | {"ram_bytes": np.full(3, 56.0)}
    exact = np.array([True, True, False])
    codes = CODES[0], CODES[2]
    assert dominated(codes, [own, better], own, exact) == (CODES[2], 2.0, 0.5)
    assert dominated(codes, [own, better], own, ~exact) is None  # for most trees integers are not exact enough
    assert dominated(codes, [better, own], own, ~exact) == (CODES[0], 2.0, 0.5)
    assert dominated(codes, [own, near], own, exact) is None  # within the error of predictions
    assert dominated(codes, [own, larger], own, exact) is None


def test_words_about_finished_trees() -> None:
    m0, m4 = hardware.load_device("cortex-m0plus"), hardware.load_device("cortex-m4f")
    floats, integers = CODES[0], CODES[2]
    (said,) = words_on_dominated(floats, m0, [tree_of(0.0)])
    assert said.startswith("float32 straight is dominated on cortex-m0plus: int8 straight is ")
    assert said.endswith(" where 8 bits are exact enough; give --precision auto --style auto")
    assert words_on_dominated(floats, m0, [tree_of(0.02)]) == words_on_dominated(floats, m0, [tree_of(None)]) == []
    assert words_on_dominated(floats, m4, [tree_of(0.0)]) == []
    (said,) = words_on_dominated(integers, m4, [tree_of(0.0), tree_of(0.5, 1)])
    assert said.startswith("int8 straight is dominated on cortex-m4f: float32 straight is ")
    assert " smaller (medians of 2 models); give --precision auto" in said
    assert words_on_dominated(ALL, m4, [tree_of(0.0)]) == []


def test_the_command_chooses_the_code_of_each_model(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for name, loss in (("a", 0.0), ("b", 0.5)):
        save(tree_of(loss), tmp_path / f"{name}.json")
    auto = ["--device", "cortex-m0plus", "--precision", "auto", "--style", "auto"]
    assert main([str(tmp_path), *auto]) == 0
    printed = capsys.readouterr()
    assert "int8 straight for 1 of 2 models (up to " in printed.out
    assert "losing at most 0.000 of the score), float32 " in printed.out
    assert "int8 straight" in next(line for line in printed.out.splitlines() if "a.json" in line)
    assert printed.err == ""
    assert main([str(tmp_path / "a.json"), *auto]) == 0
    assert "loss of R² in integers 0.000" in capsys.readouterr().out
    assert main([str(tmp_path / "a.json"), "--device", "cortex-m4f", "--precision", "int8"]) == 0
    assert "int8 straight is dominated on cortex-m4f: float32 straight is " in capsys.readouterr().err


def test_a_single_code_is_taken_whatever_it_costs_or_loses() -> None:
    device = hardware.load_device("cortex-m4f")
    (decision,) = decide([tree_of(1.0)], device, CodeRule((CODES[3],), limits={"flash_bytes": 1.0}))
    assert decision.code == CODES[3]
    (decision,) = decide([replace(tree_of(1.0), int8_loss=None)], device, CodeRule((CODES[3],)))
    assert decision.code == CODES[3]


def test_integers_without_figures_are_said_to_be_dear_and_not_compared() -> None:
    """The profile of a core that was never calibrated with integer inputs."""
    device = hardware.load_device("avr")
    assert isinstance(device, CycleDevice)
    codes = [Code("int8", style, device.build("clang")) for style in ("straight", "table")]
    changed = msgspec.structs.replace
    rows = (changed(row, cycles=changed(row.cycles, feature_int16=None)) for row in device.entries)
    bare = changed(device, entries=tuple(rows))
    assert word_on_integers(codes, bare, "float32") == ""
    assert word_on_integers(codes, device, "int16") == ""
    assert word_on_integers(codes, hardware.load_device("rpi-4"), "int16") == ""
    said = word_on_integers(codes, bare, {"default": "float32", "a": "int16/100"})
    assert said.startswith("the profile of avr has no figures for int16 inputs in int8 straight, int8 table: they are ")
    (only,) = words_on_dominated(codes[0], bare, [tree_of(0)], "int16")
    assert only == word_on_integers(codes[:1], bare, "int16")
