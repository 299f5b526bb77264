"""Edges in Huffman codes: what the tables of the C mean by another decoder, their sizes, and refusals."""

from __future__ import annotations

import re

import pytest

from neuraltree.compress import quantize_tree
from neuraltree.compress.formats import C_STYLES, NARROW, STYLES
from neuraltree.export import export_c
from neuraltree.export.c.edges import coded_storage
from neuraltree.export.c.edges.coded_storage import DECODING_BYTES, in_codes
from neuraltree.export.c.edges.edge_storage import smallest
from neuraltree.export.order import steps
from neuraltree.hardware import load_device
from neuraltree.hardware.__main__ import main as hardware_main
from neuraltree.hardware.choice import Code, candidates
from neuraltree.tree.model_files import save
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import random_model, wide_tree


def numbers(text: str, name: str) -> list[int]:
    body = re.search(rf"{name}\[\d+\] NT_FLASH = {{(.*?)}};", text, re.S)
    assert body
    return [int(number) for number in re.findall(r"-?\d+", body[1])]


def meanings(table: list[int], lengths: int) -> dict[str, int]:
    """Symbols by code: codes count up, and each step to a longer one adds a 0 (RFC 1951, section 3.2.2)."""
    found, code, symbols = {}, 0, iter(table[lengths:])
    for length in range(1, lengths + 1):
        for _ in range(table[length - 1]):
            found[f"{code:0{length}b}"] = next(symbols)
            code += 1
        code <<= 1
    assert next(symbols, None) is None
    return found


def read(bits: str, at: int, codes: dict[str, int]) -> tuple[int, int]:
    """A symbol, and where the next one begins."""
    end = at + 1
    while bits[at:end] not in codes:
        end += 1
        assert end <= len(bits)
    return codes[bits[at:end]], end


@pytest.mark.parametrize("precision", ["int8", "int4", "ternary"])
@pytest.mark.parametrize("direct", [0, 7])
def test_the_edges_are_those_of_the_tree(precision: str, direct: int) -> None:
    tree = wide_tree(3, 700, 40, 4, direct=direct)
    text = export_c(tree, "m", precision=precision, style="coded")["m.c"]
    integers = quantize_tree(tree, weights=precision)
    bits = "".join(f"{byte:08b}"[::-1] for byte in numbers(text, "nt_edge"))
    places = [int(n) for n in re.findall(r"nt_symbol\(&bits, \w+, \w+ \+ (\d+)\)", text)]
    gaps, levels = (meanings(numbers(text, f"nt_{n}"), p) for n, p in zip(("gap", "level"), places, strict=True))
    codes, weights = iter(numbers(text, "nt_code")), iter(numbers(text, "nt_weight"))
    place = {feature: i for i, feature in enumerate(integers.inputs.features.tolist())}
    at = 0
    for step in steps(integers.nodes):
        _, count = next(codes), next(codes)
        found, input_ = [], 0
        for _ in range(count):
            gap, at = read(bits, at, gaps)
            input_ += gap
            if step.slot < 0:
                weight = next(weights)
            else:
                symbol, at = read(bits, at, levels)
                weight = symbol - 128
            found.append((input_, weight))
        if step.slot >= 0:
            assert next(weights) == integers.numbers.weight[step.node]
        leaves = step.leaves
        edges = [(place[int(integers.nodes["op"][leaf])], int(integers.numbers.weight[leaf])) for leaf in leaves]
        assert [edge for edge in found if edge[1]] == sorted(edges)
    assert len(bits) - at < 8
    assert next(weights, None) is None


@pytest.mark.parametrize("precision", ["int8", *NARROW])
def test_sizes_are_those_of_the_tables(precision: str) -> None:
    tree = wide_tree(4, 700, 60, 8, direct=4)
    integers = quantize_tree(tree, weights=precision)
    order = steps(integers.nodes)
    coded = in_codes(integers, order)
    text = export_c(tree, "m", precision=precision, style="coded")["m.c"]
    size = sum(len(numbers(text, name)) for name in ("nt_edge", "nt_gap", "nt_level", "nt_weight"))
    size += len(numbers(text, "nt_code")) * (2 if "uint16_t nt_code" in text else 1)
    assert coded.size - DECODING_BYTES == size - sum(step.slot >= 0 for step in order)
    assert coded.size - DECODING_BYTES < smallest(integers, order).size


def test_no_code_is_longer_than_the_interpreter_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coded_storage, "LONGEST", 3)
    with pytest.raises(ValueError, match="style coded takes 3 at most: give --style table"):
        export_c(wide_tree(4, 700, 60, 8), precision="int4", style="coded")


def refused(**options: object) -> str:
    with pytest.raises(ValueError, match=r"style|early exit|constants") as error:
        export_c(random_model(1, "binary"), **options)  # type: ignore[arg-type]
    return str(error.value)


def test_what_it_is_not_for_is_refused(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(style="coded") == ("style coded is for weights in integers; with float32 give straight or table")
    assert refused(style="code", precision="int8") == "unknown style 'code'; allowed: straight, table, coded"
    assert "early exit is an option of int8 code in straight style" in refused(
        style="coded", precision="int8", early_exit=True
    )
    assert "give --style table" in refused(style="coded", precision="int8", constants=True)
    with pytest.raises(ValueError, match="coded is a format of C code alone, and no device has figures"):
        candidates(Code("int8", "coded", "clang"), load_device("rp2040"))
    tree: Tree = random_model(11)
    save(tree, tmp_path / "m.json")
    given = [str(tmp_path / "m.json"), "--device", "rp2040", "--precision", "int8", "--style", "coded"]
    assert hardware_main(given) == 2
    assert "coded is a format of C code alone" in capsys.readouterr().err
    assert (*STYLES, "coded") == C_STYLES
