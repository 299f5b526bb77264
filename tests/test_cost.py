"""Costs against hand arithmetic and published totals; laws every device obeys; profiles that must be refused."""

import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.hardware import COSTS, ProfileError, costs, costs_of_counts, count, device_names, load_device
from neuraltree.tree import join
from tests.test_counts import HIDDEN, random_tree, record

ROWS = [(name, row.precision, row.style) for name in device_names() for row in load_device(name).entries]
# Function nodes of each kind in REFERENCE: the mix for which the published M4F instruction figures give 3,530.
MIX = {"sigmoid": 14, "tanh": 14, "gaussian": 12, "relu": 10}


def cost(trees, name, precision, style, **options):
    return costs(*join([record(tree) for tree in trees]), load_device(name), precision, style, **options)


def reference_tree():
    """50 function nodes, 102 leaf and 49 node edges, 3 live values: the size of the tree the facts were measured on."""
    kinds = iter(np.random.default_rng(0).permutation(np.repeat(list(MIX), list(MIX.values()))).tolist())

    def chain(length):
        return (next(kinds), [0, 1] if length == 1 else [2, 3, chain(length - 1)])

    return [(next(kinds), [0, 1, 2, 3] + [(next(kinds), [4, 5, chain(3), chain(3)]) for _ in range(7)])]


REFERENCE = reference_tree()


def test_the_reference_tree_has_the_published_size():
    counts = count(*join([record(REFERENCE)]))
    size = (counts.function_nodes, counts.edges, counts.weights, counts.leaf_edges, counts.peak_live)
    assert [int(n[0]) for n in size] == [50, 151, 201, 102, 3]


# Published for a tree of this size: instructions of the least and the most, the range of cycles per instruction,
# flash bytes, stack and static bytes.
PUBLISHED = [
    ("cortex-m4f", "float32", "straight", (3461, 3697), (1.9, 2.1), 4461, 72 + 5),
    ("cortex-m4f", "float32", "table", (5779, 5779), (1.9, 2.1), 2877, 64 + 5),
    ("cortex-m4f", "int8", "table", (3029, 3029), (1.36, 1.73), 1780, 56),
    ("cortex-m0plus", "float32", "straight", (150722, 150722), (1.17, 1.32), 9561, 136 + 5),
    ("cortex-m0plus", "int8", "table", (5309, 5309), (1.17, 1.32), 1888, 72),
    ("desktop", "float32", "straight", (3169, 3169), (0.3, 0.6), None, None),
    ("desktop", "float32", "table", (5630, 5630), (0.3, 0.6), None, None),
    ("desktop", "int8", "table", (4099, 4099), (0.3, 0.6), None, None),
]


@pytest.mark.parametrize(("name", "precision", "style", "instructions", "per_instruction", "flash", "ram"), PUBLISHED)
def test_the_reference_tree_costs_what_was_published(name, precision, style, instructions, per_instruction, flash, ram):
    got = cost([REFERENCE], name, precision, style)
    cycles = got["latency_s"][0] * load_device(name).clock.value * 1e6
    assert instructions[0] * per_instruction[0] < cycles < instructions[1] * per_instruction[1]
    if flash:
        assert got["flash_bytes"][0] == pytest.approx(flash, rel=0.025)
        assert got["ram_bytes"][0] == ram


def test_published_rows_are_all_rows():
    assert sorted(row[:3] for row in PUBLISHED) == sorted(ROWS)


def test_published_instructions_and_calibrated_cycles_agree():
    """Two separately published fits of one core: cycles over instructions is 1.7 to 2.2 in every mixed tree."""
    rng = np.random.default_rng(3)
    trees = [random_tree(rng, outputs=1, depth=5, leaf=0.3) for _ in range(60)]
    each = np.array([69.3, 99.6, 64.7, 5.7, 73.9, 0])
    counts = count(*join([record(tree) for tree in trees]))
    instructions = 7.8 + 2.6 * counts.leaf_edges + counts.kinds @ each
    cycles = cost(trees, "cortex-m4f", "float32", "straight")["latency_s"] * 100e6
    big = counts.function_nodes > 20
    assert big.sum() > 20
    assert np.all((cycles / instructions)[big] > 1.7)
    assert np.all((cycles / instructions)[big] < 2.2)


# An output over two tanh nodes, one of which reads another sigmoid: 4 function nodes, 5 leaf edges, 3 node edges.
SMALL = [("identity", [("tanh", [0, 1, 2]), ("tanh", [3, ("sigmoid", [0])])])]
BY_HAND = [
    ("cortex-m4f", "float32", "straight", "lo", 16.2 + 4 * 9.2 + 5 * 6 + 2 * 169.8 + 125.5, 322),
    ("cortex-m4f", "float32", "straight", "hi", 16.4 + 5 * 6 + 2 * 208.2 + 149.9 + 9.2, 790),
    ("cortex-m4f", "int8", "table", "mid", 40.7 + 4 * 61.6 + 5 * 10.75 + 2 * 9.2 + 9.85, 556),
    ("cortex-m0plus", "float32", "straight", "mid", 5 * 263.8 + 3 * 170.7 + 2 * 5034.0 + 3360.1, 600),
    ("cortex-m0plus", "int8", "table", "mid", 60.9 + 4 * 93.4 + 5 * 17.7 + 2 * 8.0 + 11.6, 600),
]


@pytest.mark.parametrize(("name", "precision", "style", "bound", "cycles", "picojoule"), BY_HAND)
def test_cycles_and_energy_by_hand(name, precision, style, bound, cycles, picojoule):
    got = cost([SMALL], name, precision, style, bound=bound)
    hertz = {"cortex-m4f": 100e6, "cortex-m0plus": 48e6}[name]
    assert got["latency_s"][0] == pytest.approx(cycles / hertz)
    assert got["energy_j"][0] == pytest.approx(cycles * picojoule * 1e-12)


def test_bytes_by_hand():
    got = cost([SMALL, [("identity", [0])]], "cortex-m4f", "int8", "table")
    np.testing.assert_array_equal(got["flash_bytes"], [819, 224])  # 212 + 2 * 278 + 4 * 10.3 + 5 * 2; 212 + 10.3 + 2
    np.testing.assert_array_equal(got["ram_bytes"], [48 + 4, 48])  # two tanh nodes need a value each


def test_the_output_activation_is_paid_for():
    tanh, identity = cost([[("tanh", [0])], [("identity", [0])]], "cortex-m4f", "float32", "straight")["flash_bytes"]
    assert tanh - identity == 680


@pytest.mark.parametrize("row", ROWS)
def test_costs_are_positive_and_between_their_bounds(row):
    rng = np.random.default_rng(7)
    trees = [random_tree(rng) for _ in range(60)]
    lo, mid, hi = (cost(trees, *row, bound=bound) for bound in ("lo", "mid", "hi"))
    assert tuple(mid) == COSTS
    for name in COSTS:
        assert mid[name].shape == (60,)
        assert mid[name].dtype == np.float64
        assert np.all(lo[name] > 0), name
        assert np.all((lo[name] <= mid[name]) & (mid[name] <= hi[name])), name
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


@pytest.mark.parametrize("row", ROWS)
def test_an_added_edge_never_lowers_a_cost(row):
    rng = np.random.default_rng(11)
    trees = [random_tree(rng) for _ in range(20)]
    for child in ADDED:
        before = cost(trees, *row)
        after = cost([[grown(rng, tree[0], child), *tree[1:]] for tree in trees], *row)
        assert all(np.all(after[name] >= before[name]) for name in COSTS)
        assert np.all(after["latency_s"] > before["latency_s"])


@pytest.mark.parametrize("row", ROWS)
def test_a_tree_alone_costs_bit_for_bit_what_it_costs_in_a_population(row):
    rng = np.random.default_rng(13)
    trees = [random_tree(rng) for _ in range(25)]
    together = cost(trees, *row)
    for i, tree in enumerate(trees):
        alone = cost([tree], *row)
        assert all(alone[name][0] == together[name][i] for name in COSTS)


def test_costs_of_counts_takes_counts():
    nodes, starts = join([record(SMALL), record(REFERENCE)])
    device = load_device("desktop")
    for name, values in costs_of_counts(count(nodes, starts), device, "int8", "table").items():
        np.testing.assert_array_equal(values, costs(nodes, starts, device, "int8", "table")[name])


# Devices and their files.


def test_names_and_aliases():
    assert device_names() == ["cortex-m0plus", "cortex-m4f", "desktop"]
    assert [load_device(name).name for name in device_names()] == device_names()
    assert load_device("cortex-m0+") == load_device("cortex-m0plus")


def test_an_unknown_device_lists_the_names():
    with pytest.raises(ValueError, match=r"unknown device 'cortex-m99'; allowed: cortex-m0plus, cortex-m4f, desktop"):
        load_device("cortex-m99")


@pytest.mark.parametrize(("precision", "style"), [("int8", "straight"), ("float16", "table")])
def test_an_unknown_row_names_the_rows_there_are(precision, style):
    rows = "float32 straight, float32 table, int8 table"
    with pytest.raises(ValueError, match=f"cortex-m4f has no figures for {precision} {style}; it has: {rows}"):
        cost([SMALL], "cortex-m4f", precision, style)


ENTRY = """
[[entries]]
precision = "float32"
style = "straight"
compiler = "gcc 14 -O2"
[entries.cycles]
unit = "cycle"
certainty = "M"
source = "timer"
const = { lo = 10 }
node = { lo = 2 }
leaf_edge = { lo = 3, hi = 5 }
node_edge = { lo = 4 }
[entries.cycles.kinds]
""" + "".join(f"{name} = {{ lo = 7 }}\n" for name in NAMES) + """
[entries.flash]
unit = "B"
certainty = "M"
source = "size"
const = { lo = 100 }
node = { lo = 8 }
leaf_edge = { lo = 4 }
node_edge = { lo = 4 }
[entries.flash.kinds]
""" + "".join(f"{name} = {{ lo = 50 }}\n" for name in NAMES) + """
[entries.ram]
unit = "B"
certainty = "M"
source = "watermark"
const = { lo = 20 }
live_value = { lo = 4 }
"""  # fmt: skip
PROFILE = """
name = "mine"
title = "My board"
[clock]
value = 1
unit = "MHz"
certainty = "D"
source = "datasheet"
[energy]
unit = "pJ/cycle"
value = { lo = 500 }
certainty = "U"
source = "guess"
""" + ENTRY  # fmt: skip


def test_a_profile_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(PROFILE)
    got = costs(*join([record(SMALL)]), load_device(path), "float32", "straight")
    # Four nodes of three kinds, five leaf edges, three node edges, two values live.
    cycles = 10 + 4 * 2 + 5 * 4 + 3 * 4 + 4 * 7
    expected = [cycles * 1e-6, 100 + 4 * 8 + 8 * 4 + 3 * 50, 28, cycles * 500e-12]
    np.testing.assert_allclose([got[name][0] for name in COSTS], expected)


BROKEN = [
    ('value = 1\nunit = "MHz"', "value = 1", r"mine\.toml: Object missing required field `unit` - at `\$\.clock`"),
    ('source = "datasheet"\n', "", r"missing required field `source` - at `\$\.clock`"),
    ('certainty = "U"\n', "", r"missing required field `certainty` - at `\$\.energy`"),
    ('certainty = "U"', 'certainty = "X"', r"Invalid enum value 'X' - at `\$\.energy\.certainty`"),
    ('unit = "MHz"', 'unit = "GHz"', r"Invalid enum value 'GHz' - at `\$\.clock\.unit`"),
    ("value = 1\n", "value = 0\n", r"Expected `float` > 0\.0 - at `\$\.clock\.value`"),
    ("lo = 2 }", "lo = -2 }", r">= 0\.0 - at `\$\.entries\[0\]\.cycles\.node\.lo`"),
    ("lo = 2 }", "lo = nan }", r">= 0\.0 - at `\$\.entries\[0\]\.cycles\.node\.lo`"),
    ("lo = 2 }", "lo = inf }", r"`\$\.entries\[0\]\.cycles\.node\.lo`"),
    ("lo = 2 }", "lo = 2, high = 3 }", r"unknown field `high` - at `\$\.entries\[0\]\.cycles\.node`"),
    ('title = "My board"', 'title = "My board"\nmhz = 3', "unknown field `mhz`"),
    ('style = "straight"', 'style = "curly"', r"Invalid enum value 'curly' - at `\$\.entries\[0\]\.style`"),
    ("tanh = { lo = 7 }\n", "", r"kinds lacks tanh; .*`\$\.entries\[0\]\.cycles`"),
    ("tanh = { lo = 50 }\n", "tanh = { lo = 50 }\nswish = { lo = 5 }\n", r"does not know swish; .*\.flash`"),
    (ENTRY, ENTRY + ENTRY, "two rows with the same precision and style"),
    (PROFILE, "entries = []" + PROFILE.replace(ENTRY, ""), r"length >= 1 - at `\$\.entries`"),
    ("[clock]", "[clock", r"mine\.toml: .*line 4"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_wrong_profile_is_refused_and_the_place_named(tmp_path, old, new, message):
    assert old in PROFILE
    path = tmp_path / "mine.toml"
    path.write_text(PROFILE.replace(old, new))
    with pytest.raises(ProfileError, match=message):
        load_device(str(path))


def test_a_profile_that_is_not_there(tmp_path):
    with pytest.raises(ProfileError, match=r"none\.toml: No such file"):
        load_device(tmp_path / "none.toml")
