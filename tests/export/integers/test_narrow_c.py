"""C with weights of few bits and with gaps between inputs: equal to Python bit for bit, under sanitizers."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.compress import IntegerTree, quantize_tree
from neuraltree.compress.formats import NARROW, PRECISIONS
from neuraltree.export import export_c
from neuraltree.export.c.edges.edge_storage import bit_stream, by_gaps, in_bits, plain, smallest
from neuraltree.export.order import steps
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, RELU, edge_models, random_model, raw_inputs, regression, wide_tree
from tests.helpers.strategies import steady

FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
ROWS = 60
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler: cc is not on PATH")


@dataclass(frozen=True)
class Case:
    name: str
    tree: Tree
    precision: str
    style: str
    fine: bool = False

    @cached_property
    def files(self) -> dict[str, str]:
        return export_c(self.tree, self.name, precision=self.precision, style=self.style, fine=self.fine)

    @cached_property
    def integers(self) -> IntegerTree:
        return quantize_tree(self.tree, fine=self.fine, weights=self.precision)

    @cached_property
    def X(self) -> np.ndarray:
        return raw_inputs(self.tree, 30, seed=1)

    @cached_property
    def q(self) -> np.ndarray:
        """Rows of integers: both ends, and all that lies between."""
        rng = np.random.default_rng(len(self.name))
        width = max(len(self.integers.inputs.features), 1)
        q = rng.integers(-127, 128, size=(ROWS, width))
        return np.concatenate([q, np.sign(q[:9]) * 127, np.full((1, width), 127), -np.full((1, width), 127)]).astype(
            "i1"
        )


TABLES = {
    "wide": ("int8", *NARROW),
    "direct": ("int8", "int6", "binary"),
    "long": ("int8", "ternary"),
    "constant": ("int4",),
    "random_a": ("int3",),
    "all_direct": ("int4",),
    "far": ("int8", "int4"),
}


CODED = (
    *(("wide", "int8"), ("wide", "int4"), ("direct", "int6"), ("long", "ternary"), ("constant", "int4")),
    *(("random_a", "int3"), ("all_direct", "int4"), ("far", "int4"), ("far", "int8")),
)


def _cases() -> list[Case]:
    edges = edge_models()
    trees = {
        "random_a": random_model(11),
        "random_b": random_model(104, "multiclass", "identity", 3),
        "constant": edges["constant"],
        "wide": wide_tree(0, 700, 9, 4),
        "direct": wide_tree(1, 700, 20, 3, direct=30),
        "long": wide_tree(2, 900, 400, 1, "regression", direct=3),
        "all_direct": edges["features_300"],
        "far": regression([(0, IDENTITY, 0.0, 0.0), (1, RELU, 1.0, 0.1), (2, 3, -1.0, 0.0), (2, 700, 0.4, 0.0)]),
    }
    found = [Case(f"{name}_{x}_table", trees[name], x, "table") for name, row in TABLES.items() for x in row]
    found += [Case(f"random_b_{x}_straight", trees["random_b"], x, "straight") for x in ("int4", "ternary", "binary")]
    found += [Case(f"{name}_{x}_coded", trees[name], x, "coded") for name, x in CODED]
    fine = Case("fine_int4_table", wide_tree(5, 600, 30, 6, "regression", direct=9), "int4", "table", fine=True)
    return [*found, fine]


CASES = _cases()


def driver(case: Case) -> str:
    bits = case.X.astype(np.float32).view(np.uint32).ravel().tolist()
    return f"""    {{
        static const int8_t q[] = {{{", ".join(map(str, case.q.ravel().tolist()))}}};
        for (int i = 0; i < {len(case.q)}; ++i) {{
            int8_t row[{case.q.shape[1]}];
            memcpy(row, q + i * {case.q.shape[1]}, sizeof row);
            printf("%ld ", (long){case.name}_predict_q(row));
        }}
        printf("\\n");
    }}
    {{
        static const union {{ uint32_t bits; float value; }} x[] = {{{", ".join(f"{{{bits}u}}" for bits in bits)}}};
        for (int i = 0; i < {len(case.X)}; ++i) {{
            float row[{case.X.shape[1]}];
            int8_t q[{case.name.upper()}_INTEGERS];
            memcpy(row, x + i * {case.X.shape[1]}, sizeof row);
            {case.name}_quantize(row, q);
            for (unsigned j = 0; j < sizeof q; ++j) {{
                printf("%d ", q[j]);
            }}
        }}
        printf("\\n");
    }}
"""


@needs_compiler
def test_c_equals_python_bit_for_bit(tmp_path: Path) -> None:
    """Each row lies in an array of just its size, so that a read beyond it is seen."""
    names = [f"{case.name}.c" for case in CASES]
    for case in CASES:
        for ending in ("c", "h"):
            (tmp_path / f"{case.name}.{ending}").write_text(case.files[f"{case.name}.{ending}"])
    heads = "".join(f'#include "{case.name}.h"\n' for case in CASES)
    main = f"int main(void)\n{{\n{''.join(map(driver, CASES))}    return 0;\n}}\n"
    (tmp_path / "main.c").write_text(f"#include <stdio.h>\n#include <string.h>\n{heads}{main}")
    command = ["cc", *FLAGS, *SANITIZERS, "main.c", *names, "-o", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    done = subprocess.run(["./check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    lines = done.stdout.splitlines()
    for case, line, quantized in zip(CASES, lines[::2], lines[1::2], strict=True):
        width = len(case.integers.inputs.features)
        integers = case.integers.quantize(case.X) if width else np.zeros((len(case.X), 1), int)
        assert list(map(int, quantized.split())) == integers.ravel().tolist(), case.name
        assert list(map(int, line.split())) == case.integers.predict_q(case.q[:, :width]).tolist(), case.name


def test_every_storage_is_chosen_somewhere() -> None:
    texts = {
        name: [case.files[f"{case.name}.c"] for case in CASES if (case.precision, case.style) == (name, "table")]
        for name in ("int8", "int4")
    }
    assert any("nt_gap[" in text for text in texts["int8"])
    assert not any("nt_level[" in text for text in texts["int8"])
    assert any("nt_level[" in text for text in texts["int4"])
    assert any("&input->gap" in text for text in texts["int4"])
    assert any("&input->place" in text for text in texts["int4"])
    assert any("nt_level[" not in text and "nt_gap[" not in text for text in texts["int4"])


# ---- what is stored ----


def read_bits(stream: list[int], width: int) -> list[int]:
    """The values of a stream, by one large number."""
    whole = int.from_bytes(bytes(stream), "little")
    return [(whole >> (width * i)) & (2**width - 1) for i in range(8 * len(stream) // width)]


@steady
@given(width=st.integers(1, 16), data=st.data())
def test_a_stream_of_bits_is_read_back(width: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, 2**width - 1), max_size=40))
    stream = bit_stream(values, width)
    assert len(stream) == -(-len(values) * width // 8)
    assert read_bits(stream, width)[: len(values)] == values


@pytest.mark.parametrize("gap_bits", range(1, 9))
def test_the_edges_are_those_of_the_tree(gap_bits: int) -> None:
    """Read again as the interpreter does, without fillers they are the edges of each node."""
    tree = quantize_tree(wide_tree(3, 700, 40, 4, direct=5), weights="int4")
    order = steps(tree.nodes)
    made = in_bits(tree, order, gap_bits)
    levels = numbers(made.arrays[2])
    pairs = iter(read_bits(numbers(made.arrays[1]), gap_bits + (len(levels) - 1).bit_length()))
    place = {feature: i for i, feature in enumerate(tree.inputs.features.tolist())}
    for step, row in zip(order, made.rows, strict=True):
        expected = [(place[int(tree.nodes["op"][leaf])], int(tree.numbers.weight[leaf])) for leaf in step.leaves]
        found, at = [], 0
        for i in range(row.length):
            pair = next(pairs)
            at += pair % 2**gap_bits
            found.append((at, row.weights[i] if step.slot < 0 else levels[pair >> gap_bits]))
        assert [edge for edge in found if edge[1]] == sorted(expected)


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"-?\d+", text[text.index("{") :])]


def array_bytes(text: str) -> dict[str, int]:
    """The bytes of each table of numbers in a text of C."""
    sizes = {"int8_t": 1, "uint8_t": 1, "uint16_t": 2, "int32_t": 4}
    found = re.findall(r"^static const (\w+) (nt_\w+)\[(\d+)\]", text, re.M)
    return {name: sizes[kind] * int(count) for kind, name, count in found if kind in sizes}


@pytest.mark.parametrize("precision", ["int8", *NARROW])
def test_sizes_are_those_of_the_tables(precision: str) -> None:
    tree = quantize_tree(wide_tree(4, 700, 60, 8, direct=4), weights=precision)
    order = steps(tree.nodes)
    edges = smallest(tree, order)
    others = [plain(tree, order), by_gaps(tree, order), *(in_bits(tree, order, bits) for bits in range(1, 9))]
    assert edges.size <= min(other.size for other in (others[:2] if precision == "int8" else others))
    text = export_c(wide_tree(4, 700, 60, 8, direct=4), "m", precision=precision, style="table")["m.c"]
    bytes_of = array_bytes(text)
    own = sum(step.slot >= 0 for step in order)
    stored = sum(bytes_of.get(name, 0) for name in ("nt_code", "nt_weight", "nt_gap", "nt_edge", "nt_level")) - own
    assert edges.size - stored == (28 if precision == "int8" else 104)
    if precision == "int8":
        assert stored < others[0].size * 0.72


def test_a_wide_model_shrinks_with_its_bits() -> None:
    tree = wide_tree(4, 700, 60, 8)
    sizes = [
        sum(array_bytes(export_c(tree, "m", precision=name, style="table")["m.c"]).values())
        for name in ("int8", "int6", "int4", "int3", "ternary")
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 5


def test_signs_become_additions_in_straight_code() -> None:
    rows = [(0, IDENTITY, 0.0, 0.0), (1, RELU, 1.0, 0.0), (2, 0, 0.5, 0.0), (2, 1, -0.4, 0.0), (2, 2, 0.01, 0.0)]
    text = export_c(regression(rows), "m", precision="ternary")["m.c"]
    assert re.search(r"s = 0 \+ 1 \* \(int32_t\)q\[0\] - 1 \* \(int32_t\)q\[1\];", text)


def test_block_constants_take_int8_alone() -> None:
    with pytest.raises(ValueError, match="float32 or int8 table code"):
        export_c(random_model(1), precision="int4", style="table", constants=True)
    assert not set(NARROW) & set(PRECISIONS)
