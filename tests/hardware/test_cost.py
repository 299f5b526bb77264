"""Costs against hand arithmetic, and laws every device obeys."""

from functools import cache

import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.compress import effective_trees
from neuraltree.hardware import (
    COSTS,
    WORST,
    breakdown,
    costs,
    costs_of_counts,
    count,
    counted,
    device_names,
    fits,
    has_worst,
    probability_costs,
    training_ram_bytes,
)
from neuraltree.hardware import load_device as load
from neuraltree.hardware.profile.profile_toml import profile_text
from neuraltree.tree.nodes import join
from tests.hardware.test_counts import HIDDEN, random_tree, record

load_device = cache(load)
ROWS = [(name, *row) for name in device_names() for row in load_device(name).rows]


def weighted(trees, seed=0):
    """The trees end to end, with weights."""
    nodes, starts = join([record(tree) for tree in trees])
    nodes, rng = nodes.copy(), np.random.default_rng(seed)
    nodes["weight"], nodes["bias"] = rng.normal(size=(2, len(nodes), 1))
    return nodes, starts


def naive(trees, device, row, **options):
    return costs_of_counts(count(*join([record(tree) for tree in trees])), load_device(device), *row, **options)


# A device of round numbers: each term's figure is told apart in every sum.
def block(unit, **figures):
    return {"unit": unit, "certainty": "E", "source": "test"} | {
        name: {"lo": lo} if isinstance(lo, int) else {"lo": lo[0], "hi": lo[1]} for name, lo in figures.items()
    }


def entry(precision, style="straight", compiler="gcc"):
    kinds = {"kinds": {name: {"lo": 10_000 * i} for i, name in enumerate(NAMES, 1)}}
    return {
        "precision": precision,
        "style": style,
        "compiler": compiler,
        "cycles": block("cycle", const=1, node=20, leaf_edge=(300, 500), node_edge=7, output=2, feature=3)
        | block("cycle", regression=11, binary=13, multiclass=17, inner_node=19)
        | kinds,
        "flash": block("B", const=100, node=8, leaf_edge=4, node_edge=5, output=6, feature=9)
        | {"shared": {"exponential": {"lo": 70}, "rounding": {"lo": 71}, "division": {"lo": 72}}}
        | kinds,
        "ram": block("B", const=20, live_value=4, feature=1, output=2),
    }


PLAIN = {"unit": "MHz", "value": 2, "certainty": "D", "source": "test"}
MINE = {
    "title": "My board",
    "kind": "board",
    "core": "mine",
    "clock": PLAIN,
    "energy": block("pJ/cycle", value=500),
    "sram_bytes": PLAIN | {"unit": "B", "value": 40},
    "flash_bytes": PLAIN | {"unit": "B", "value": 90_000},
    "training_stack": block("B", value=64),
    "entries": [entry("float32"), entry("int8")],
}
RATE = {"peak": block("op/s", value=(10, 20)), "energy": block("pJ/op", value=2)}
COMPUTER = {
    "title": "My computer",
    "kind": "processor",
    "core": "mine",
    "bandwidth": block("B/s", value=(40, 80)),
    "overhead": block("s", value=(1, 3)),
    "byte_energy": block("pJ/B", value=5),
    "power": block("W", value=7),
    "arithmetic": {"float32": RATE},
}


@pytest.fixture
def made(tmp_path):
    def load_text(raw):
        path = tmp_path / "mine.toml"
        path.write_text(profile_text(raw))
        return load(path)

    return load_text


# An output over two tanh nodes, one of which reads another sigmoid: 4 function nodes, 5 leaf edges, 3 node edges,
# 4 features.
SMALL = [("identity", [("tanh", [0, 1, 2]), ("tanh", [3, ("sigmoid", [0])])])]
SIGMOID, TANH, IDENTITY = (10_000 * (1 + NAMES.index(name)) for name in ("sigmoid", "tanh", "identity"))


@pytest.mark.parametrize(("kind", "once"), [("regression", 11), ("binary", 13), ("multiclass", 17)])
@pytest.mark.parametrize(("bound", "edge"), [("lo", 300), ("mid", 400), ("hi", 500)])
def test_costs_by_hand(made, bound, edge, kind, once):
    code = ("float32", "straight", "gcc")
    got = costs_of_counts(count(*join([record(SMALL)])), made(MINE), *code, kind=kind, bound=bound)
    cycles = 1 + once + 2 * 19 + 4 * 20 + 5 * edge + 3 * 7 + 2 + 4 * 3 + 2 * TANH + SIGMOID + IDENTITY
    flash = 100 + 4 * 8 + 5 * 4 + 3 * 5 + 6 + 4 * 9 + TANH + SIGMOID + IDENTITY + 70 + 71 + 72
    ram = 20 + 2 * 4 + 4 + 2
    np.testing.assert_allclose([got[name][0] for name in COSTS], [cycles / 2e6, flash, ram, cycles * 500e-12])


def test_the_breakdown_by_hand(made):
    parts = breakdown(*join([record(SMALL)]), made(MINE), "float32", "straight", "gcc")
    assert {name: float(part[0]) for name, part in parts["flash_bytes"].items() if part[0]} == {
        "const": 100, "node": 32, "leaf_edge": 20, "node_edge": 15, "output": 6, "feature": 36,
        "exponential": 70, "rounding": 71, "division": 72,
        **{name: 10_000.0 * i for i, name in enumerate(NAMES, 1) if name in ("sigmoid", "tanh", "identity")},
    }  # fmt: skip
    assert parts["latency_s"]["tanh"][0] == pytest.approx(2 * TANH / 2e6)
    assert {name: float(part[0]) for name, part in parts["ram_bytes"].items() if part[0]} == {
        "const": 20, "live_value": 8, "feature": 4, "output": 2,
    }  # fmt: skip


def test_ram_has_the_largest_frame_and_no_tree_has_less_than_the_smallest(made):
    """By hand: of sigmoid (40 B) and tanh (50 B) only tanh counts, of sigmoid alone sigmoid; 90 B is the least."""
    first = entry("float32")
    first["ram"] |= {"leaf_edge": {"lo": 3}, "frames": {"sigmoid": {"lo": 40}, "tanh": {"lo": 50}}}
    first["ram"] |= {"least": {"regression": {"lo": 90}}}
    device = made(MINE | {"entries": [first]})
    trees = join([record(tree) for tree in (SMALL, [("identity", [("sigmoid", [0])])], [("identity", [0])])])
    code = ("float32", "straight", "gcc")
    linear = [20 + 2 * 4 + 4 + 2 + 5 * 3, 20 + 4 + 1 + 2 + 3, 20 + 4 + 1 + 2 + 3]
    assert costs(*trees, device, *code)["ram_bytes"].tolist() == [linear[0] + 50, 90, 90]
    assert costs(*trees, device, *code, kind="binary")["ram_bytes"].tolist() == [
        linear[0] + 50,
        linear[1] + 40,
        linear[2],
    ]
    parts = breakdown(*trees, device, *code)["ram_bytes"]
    assert (parts["tanh"].tolist(), parts["sigmoid"].tolist()) == ([50, 0, 0], [0, 40, 0])
    assert parts["regression"].tolist() == [0, 90 - linear[1] - 40, 90 - linear[2]]


def test_the_worst_latency_by_hand(made):
    first = entry("float32")
    kinds = {"kinds": {name: {"lo": 5} for name in NAMES}}
    first["worst_cycles"] = (
        block("cycle", const=200_000, node=30, leaf_edge=(400, 600), node_edge=7, output=2, feature=3) | kinds
    )
    device = made(MINE | {"entries": [first, entry("int8")]})
    nodes, starts = weighted([SMALL])
    found = costs(nodes, starts, device, "float32", "straight", "gcc")
    cycles = 200_000 + 4 * 30 + 5 * 500 + 3 * 7 + 2 + 4 * 3 + 4 * 5
    assert found[WORST][0] == pytest.approx(cycles / 2e6)
    assert has_worst(device, "float32", "straight", "gcc")
    assert not has_worst(device, "int8", "straight", "gcc")
    assert WORST not in costs(nodes, starts, device, "int8", "straight", "gcc")
    first["worst_cycles"]["const"] = {"lo": 2}  # below the mean, which a worst case cannot be
    device = made(MINE | {"entries": [first, entry("int8")]})
    found = costs(nodes, starts, device, "float32", "straight", "gcc")
    assert found[WORST].tolist() == found["latency_s"].tolist()


def test_wait_states_multiply_latency_and_energy(made):
    waits = block("cycle/cycle", value=(1, 2))
    device = made({"extends": "cortex-m4f", "wait_states": waits})
    for bound, factor in (("lo", 1.0), ("mid", 1.5), ("hi", 2.0)):
        plain = naive([SMALL], "cortex-m4f", ("float32", "table", "gcc"), bound=bound)
        slow = costs_of_counts(count(*join([record(SMALL)])), device, "float32", "table", "gcc", bound=bound)
        for name, wanted in (("latency_s", factor), ("energy_j", factor), ("flash_bytes", 1), ("ram_bytes", 1)):
            assert slow[name][0] == pytest.approx(wanted * plain[name][0])


@pytest.mark.parametrize(("sign", "shared"), [(1, 0), (-1, 71)])
def test_negative_weights_need_a_subtraction(made, sign, shared):
    """A linear tree shares nothing else; sigmoid, Gaussian and sine have one of their own."""
    raw = {**MINE, "entries": [entry("float32")]}
    raw["entries"][0]["flash"]["shared"] = {"subtraction": {"lo": 71}}
    tree = record([("identity", [0, 1])])
    tree["weight"] = sign
    parts = breakdown(*join([tree]), made(raw), "float32", "straight", "gcc")
    assert parts["flash_bytes"]["subtraction"][0] == shared


@pytest.mark.parametrize(("far", "shared"), [(False, 0), (True, 71)])
def test_a_table_subtracts_means_alone(made, far, shared):
    """Its sum takes products of any sign."""
    raw = {**MINE, "entries": [entry("float32", "table")]}
    raw["entries"][0]["flash"]["shared"] = {"subtraction": {"lo": 71}, "addition": {"lo": 33}}
    tree = record([("identity", [0, 1])])
    tree["weight"] = -1
    parts = breakdown(*join([tree]), made(raw), "float32", "table", "gcc", far=np.array([far, False]))
    assert parts["flash_bytes"]["subtraction"][0] == shared
    assert parts["flash_bytes"]["addition"][0] == 33


@pytest.mark.parametrize(("kind", "shared"), [("regression", 0), ("binary", 55), ("multiclass", 55)])
def test_a_class_needs_comparisons(made, kind, shared):
    raw = {**MINE, "entries": [entry("float32")]}
    raw["entries"][0]["flash"]["shared"] = {"comparison": {"lo": 55}}
    parts = breakdown(*join([record([("identity", [0, 1])])]), made(raw), "float32", "straight", "gcc", kind=kind)
    assert parts["flash_bytes"]["comparison"][0] == shared


def test_flash_of_an_activation_once_and_of_each_node(made):
    """Two nodes of tanh, one of sigmoid."""
    raw = {**MINE, "entries": [entry("float32")]}
    raw["entries"][0]["flash"]["nodes"] = {"tanh": {"lo": 6}}
    tree = record([("identity", [("tanh", [0]), ("tanh", [1]), ("sigmoid", [0])])])
    parts = breakdown(*join([tree]), made(raw), "float32", "straight", "gcc")
    assert parts["flash_bytes"]["tanh"][0] == 10_000 * (1 + NAMES.index("tanh"))
    assert parts["flash_bytes"]["tanh_node"][0] == 2 * 6
    assert parts["flash_bytes"]["sigmoid_node"][0] == 0
    assert parts["latency_s"]["tanh_node"][0] == parts["ram_bytes"]["tanh_node"][0] == 0


def test_larger_devices_by_the_sources_formula(made):
    """Operations 16 edges + 4 biases + 2 tanh 15 + sigmoid 13; 12 weights, 12 values read and written, 4 B each."""
    computer, counts = made(COMPUTER), count(*join([record(SMALL)]))
    assert int(counts.flops[0]) == 16 + 4 + 30 + 13
    got = {b: costs_of_counts(counts, computer, "float32", "table", bound=b) for b in ("lo", "mid", "hi")}
    serial, overlap = 63 / 10 + 48 / 40 + 48 / 40 + 3, max(63 / 20, 96 / 80) + 1
    latency = {"lo": overlap, "hi": serial, "mid": (serial + overlap) / 2}
    for bound, seconds in latency.items():
        assert got[bound]["latency_s"][0] == pytest.approx(seconds)
        assert got[bound]["energy_j"][0] == pytest.approx((63 * 2 + 96 * 5) * 1e-12 + 7 * seconds)
        assert [got[bound][name][0] for name in ("flash_bytes", "ram_bytes")] == [48, 4 * (4 + 2)]


def test_what_is_hidden_behind_the_longer_adds_no_time(made):
    slow = made(COMPUTER | {"bandwidth": block("B/s", value=1)})
    parts = breakdown(*join([record(SMALL)]), slow, "float32", "table", bound="lo")["latency_s"]
    assert {name: float(part[0]) for name, part in parts.items()} == {
        "computation": 0, "weights": 48, "activations": 48, "overhead": 1,
    }  # fmt: skip


# For int8 the effective tree is counted.


def test_int8_costs_are_those_of_the_effective_tree(made):
    device, rng = made(MINE), np.random.default_rng(2)
    nodes, starts = weighted([random_tree(rng) for _ in range(50)])
    nodes["weight"][rng.random(len(nodes)) < 0.3] = 0
    reach = np.full(7, 3.0)
    kept, kept_starts = effective_trees(nodes, starts, reach)
    kept = kept.copy()
    kept["op"][kept["depth"] == 0] = ~NAMES.index("identity")  # integers compare outputs; they do not evaluate them
    left = count(kept, kept_starts)
    assert left.edges.sum() < count(nodes, starts).edges.sum()
    got = costs(nodes, starts, device, "int8", "straight", "gcc", input_range=reach)
    for name, values in costs_of_counts(left, device, "int8", "straight", "gcc").items():
        np.testing.assert_array_equal(got[name], values)


def test_an_output_without_children_has_a_cost(made):
    nodes, starts = join([record([("identity", [0]), ("identity", [1])])])
    assert int(counted(nodes, starts, "int8").edges[0]) == 0
    got = costs(nodes, starts, made(MINE), "int8", "straight", "gcc")
    assert got["flash_bytes"][0] == 100 + 2 * (8 + 6) + IDENTITY


# Memory.


def test_capacities(made):
    found = {"flash_bytes": np.array([90_000, 90_001, 1, 1]), "ram_bytes": np.array([40, 40, 41, 1])}
    assert fits(found, made(MINE)).tolist() == [True, False, False, True]
    without = {name: value for name, value in MINE.items() if name != "sram_bytes"}
    assert fits(found, made(without)).tolist() == [True, False, True, True]
    assert fits(found, load_device("cortex-m4f")).all()


def test_training_memory(made):
    counts = count(*join([record(SMALL)]))
    assert training_ram_bytes(counts, made(MINE))[0] == 4 * 12 + 4 * 4 + 64
    with pytest.raises(ValueError, match="device rpi-4 has no figures for training"):
        training_ram_bytes(counts, load_device("rpi-4"))


# Function nodes, weights, and bytes of variables of the exported step as linked for a Cortex-M4F.
MEASURED = [(20, 82, 408), (50, 207, 1028), (150, 616, 3064)]


@pytest.mark.parametrize(("functions", "weights", "ram"), MEASURED)
def test_training_memory_is_what_was_measured(functions, weights, ram):
    leaves = [0] * (weights - 2 * functions + 1)
    chain = leaves
    for _ in range(functions - 1):
        chain = [("tanh", chain)]
    counts = count(*join([record([("identity", chain)])]))
    assert (int(counts.function_nodes[0]), int(counts.weights[0])) == (functions, weights)
    assert counts.training_bytes[0] == ram
    assert 96 <= training_ram_bytes(counts, load_device("cortex-m4f"))[0] - ram <= 136


# Laws.


@cache
def sixty():
    rng = np.random.default_rng(7)
    return weighted([random_tree(rng) for _ in range(60)])


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_costs_are_positive_between_their_bounds_and_the_sums_of_their_parts(row):
    device, code = load_device(row[0]), row[1:]
    nodes, starts = sixty()
    lo, mid, hi = (costs(nodes, starts, device, *code, bound=bound) for bound in ("lo", "mid", "hi"))
    parts = breakdown(nodes, starts, device, *code)
    assert tuple(parts) == COSTS
    assert tuple(mid) == (*COSTS, *[WORST] * has_worst(device, *code))
    assert np.all(mid.get(WORST, mid["latency_s"]) >= mid["latency_s"])
    for name in COSTS:
        assert mid[name].shape == (60,)
        assert mid[name].dtype == np.float64
        assert np.all((lo[name] > 0) & np.isfinite(hi[name])), name
        assert np.all((lo[name] <= mid[name]) & (mid[name] <= hi[name])), name
        total = sum(parts[name].values())
        np.testing.assert_allclose(total, mid[name], rtol=1e-12, atol=0.5 * name.endswith("bytes"))
    for name in ("flash_bytes", "ram_bytes"):
        np.testing.assert_array_equal(mid[name], np.round(mid[name]))


def grown(rng, node, child):
    """The node with one more child somewhere in it."""
    inner = [i for i, below in enumerate(node[1]) if not isinstance(below, int)]
    if not inner or rng.random() < 0.4:
        at = int(rng.integers(len(node[1]) + 1))
        return (node[0], [*node[1][:at], child, *node[1][at:]])
    at = inner[rng.integers(len(inner))]
    return (node[0], [grown(rng, below, child) if i == at else below for i, below in enumerate(node[1])])


ADDED = [3, *((kind, [1]) for kind in HIDDEN), ("tanh", [("relu", [0, 2]), ("relu", [1])])]


@cache
def counts_of_grown():
    """Of 20 trees for each added child, and of the same ones with it."""
    rng = np.random.default_rng(11)
    trees = [random_tree(rng) for _ in range(20)] * len(ADDED)
    larger = [[grown(rng, tree[0], ADDED[i // 20]), *tree[1:]] for i, tree in enumerate(trees)]
    return [count(*join([record(tree) for tree in each])) for each in (trees, larger)]


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_an_added_edge_never_lowers_a_cost(row):
    before, after = (costs_of_counts(counts, load_device(row[0]), *row[1:]) for counts in counts_of_grown())
    assert before["latency_s"].shape == (20 * len(ADDED),)
    assert all(np.all(after[name] >= before[name]) for name in COSTS)
    assert np.all(after["latency_s"] > before["latency_s"])


SOME = [row for row in ROWS if row[0] in ("cortex-m0plus", "cortex-m4f", "desktop", "rpi-4")]


@pytest.mark.parametrize("row", SOME, ids="-".join)
def test_a_tree_alone_costs_bit_for_bit_what_it_costs_in_a_population(row):
    rng = np.random.default_rng(13)
    nodes, starts = weighted([random_tree(rng) for _ in range(25)])
    together = costs(nodes, starts, load_device(row[0]), *row[1:])
    for i in range(25):
        alone = costs(nodes[starts[i] : starts[i + 1]], starts[i : i + 2] - starts[i], load_device(row[0]), *row[1:])
        assert all(alone[name][0] == together[name][i] for name in COSTS)


@pytest.mark.parametrize("code", [("float16", "table", "clang"), ("float32", "curly", "clang")])
@pytest.mark.parametrize("name", ["cortex-m4f", "rpi-4"])
def test_code_without_figures_names_what_there_is(name, code):
    has = ", ".join(" ".join(row) for row in load_device(name).rows)
    with pytest.raises(ValueError, match=f"{name} has no figures for {code[0]} {code[1]} by clang; it has: {has}"):
        naive([SMALL], name, code)


def test_the_other_compiler_s_figures_do_not_stand_in(made):
    device = made(MINE)
    with pytest.raises(ValueError, match="mine has no figures for int8 straight by clang; it has: float32 straight g"):
        costs(*join([record(SMALL)]), device, "int8", "straight")
    both = made(MINE | {"entries": [entry("int8"), entry("int8", compiler="any")]})
    assert both.entry("int8", "straight", "clang").compiler == "any"
    assert both.entry("int8", "straight", "gcc").compiler == "gcc"


def test_an_unsupported_device_says_why():
    with pytest.raises(ValueError, match="coral-edgetpu is not supported: it runs compiled TensorFlow Lite graphs"):
        naive([SMALL], "coral-edgetpu", ("int8", "table", "clang"))


def test_the_cost_of_probabilities_by_hand(made):
    """A program that calls them has the functions that the tree lacks; SMALL has an exponential and a division."""
    flash = {
        "binary": {"lo": 60},
        "multiclass": {"lo": 90},
        "shared": {"exponential": {"lo": 300}, "comparison": {"lo": 7}},
    }
    cycles = {"binary": {"lo": 100}, "multiclass": {"lo": 40}, "output": {"lo": 50, "hi": 70}}
    added = {"units": "cycle, B", "certainty": "E", "source": "test", "cycles": cycles, "flash": flash}
    device = made(MINE | {"entries": [entry("float32") | {"probabilities": added}, entry("int8")]})
    code = ("float32", "straight", "gcc")
    plain = [("identity", [0])]
    counts = count(*join([record(tree) for tree in (SMALL, plain, plain * 3)]))
    binary = probability_costs(counts, device, *code, kind="binary")
    assert binary["probabilities_latency_s"][:2] == pytest.approx([100 / 2e6] * 2)
    assert binary["probabilities_flash_bytes"][:2].tolist() == [60, 60 + 300]
    several = probability_costs(counts, device, *code, kind="multiclass", bound="hi")
    assert several["probabilities_latency_s"][2] == pytest.approx((40 + 3 * 70) / 2e6)
    assert several["probabilities_flash_bytes"][2] == 90 + 300
    assert probability_costs(counts, device, *code, kind="regression") == {}
    assert probability_costs(counts, device, "int8", "straight", "gcc", kind="binary") == {}
    assert probability_costs(counts, load_device("rpi-4"), *code, kind="binary") == {}


@pytest.mark.parametrize("function", [costs, breakdown])
def test_an_argument_that_does_not_exist_is_refused(made, function):
    """``costs`` and ``breakdown`` pass on what they do not name."""
    with pytest.raises(TypeError, match="ranges"):
        function(*join([record(SMALL)]), made(MINE), "float32", "straight", "gcc", ranges=np.ones(2))
