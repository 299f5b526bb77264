"""Halves of models whose inputs are columns of a table, or integers: C of both in sequence gives the bits of the C of
the whole, for any number that an input can be, under sanitizers."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from neuraltree.compress import quantize_tree
from neuraltree.compress.byte_inputs import ByteStage
from neuraltree.compress.formats import DEFAULT, InputSpec
from neuraltree.compress.input_types import sources
from neuraltree.compress.splitting.halves import Halves
from neuraltree.export import export_c
from neuraltree.export.c.argument import Argument, argument_of
from neuraltree.export.c.integer_vectors import arrays, in_types
from neuraltree.export.c.two_devices.sides import sides_of
from neuraltree.export.c.two_devices.split_library import export_split, halves_of, owned_names
from neuraltree.export.needed import needed
from neuraltree.tree.tree import Tree
from tests.export.integers.test_byte_inputs import any_tree, of_pixels
from tests.export.integers.test_cascade_c import compiled
from tests.export.integers.test_integer_c import for_integers, needs_compiler
from tests.helpers.random_models import KINDS, random_model, raw_inputs
from tests.helpers.table_models import frame, plain_features, plain_numbers, table_models

ROWS = 4000
NASTY = (np.nan, np.inf, -np.inf, 3.4e38, -3.4e38, 1e-40, 0.0, -0.0, 1.0, 2.0, 255.0, -32768.0)
MAIN = """#include <stdio.h>
#include "two.h"
#include "whole.h"
int main(void)
{
    union { unsigned char bytes[@SIZE@]; @TWO@; @WHOLE@; } in;
    while (fread(in.bytes, @SIZE@, 1, stdin) == 1) {
        const double found[4] = {(double)two_predict(@X@two), (double)whole_predict(@X@whole), @CHECKS@};
        fwrite(found, sizeof found, 1, stdout);
    }
    return 0;
}
"""
SOURCES = ("two.c", "two_node.c", "two_gateway.c", "whole.c")
FLOATS = {"when": "float32", "since": "float32", "pressure, Pa": "float32"}  # too large for integers
OF_COLUMNS: tuple[InputSpec, ...] = (
    "float32",
    {DEFAULT: "uint8", **FLOATS},
    {DEFAULT: "int16/10", "species": "uint8", **FLOATS},
    {"size": "int16/100", "smoker": "uint8", "sex": "uint8"},
)
OF_NUMBERS: tuple[InputSpec, ...] = (
    "int16",
    {DEFAULT: "int16", "x0": "uint8"},
    {DEFAULT: "int16/0.5", "x1": "float32"},
)
COLUMN_TREES = table_models(2)
NUMBER_TREES = [for_integers(random_model(40 + row, *kind), row) for row, kind in enumerate(KINDS)]
NUMBER_TREES = [tree for tree in NUMBER_TREES if len(set(tree.nodes["op"][tree.nodes["op"] >= 0].tolist())) > 2]
CASES = [(tree, spec) for tree in COLUMN_TREES[:5] for spec in OF_COLUMNS]
CASES += [(tree, spec) for tree in NUMBER_TREES for spec in OF_NUMBERS]
CASES += [(of_pixels(any_tree(0, "regression", 1)), "uint8"), (of_pixels(any_tree(1, "multiclass", 3)), "uint8")]


def split_somewhere(tree: Tree, spec: InputSpec, seed: int) -> Halves:
    """The halves for about half of what the tree reads."""
    names = list(owned_names(needed(tree)))
    rng = np.random.default_rng(seed)
    for _ in range(20):
        with suppress(ValueError):  # in integers a side may read nothing
            return halves_of(tree, rng.permutation(names)[: (len(names) + 1) // 2].tolist(), inputs=spec)
    raise AssertionError("no two of the inputs are read")


def rows_for(tree: Tree, argument: Argument, seed: int) -> np.ndarray:
    """(rows, inputs) ordinary numbers, with one in ten at the edges of its type, or no number at all."""
    own, rng = needed(tree), np.random.default_rng(seed)
    ordinary = raw_inputs(own, ROWS) if own.columns is None else plain_numbers(own, frame(ROWS, seed))
    X = np.where(rng.random(ordinary.shape) < 0.1, rng.choice(NASTY, ordinary.shape), ordinary)
    X = in_types(argument.inputs, X)
    with np.errstate(all="ignore"):
        return np.where([one.row.is_integer for one in argument.inputs], X, X.astype(np.float32))


def answers_of_c(folder: Path, halves: Halves, X: np.ndarray) -> np.ndarray:
    """(rows, 4) prediction of both halves and of the whole, and what their checks say."""
    tree, spec = halves.model, halves.inputs
    files = export_split(halves, "two") | export_c(tree, "whole", precision="int8", inputs=spec)
    own = needed(tree)
    two, whole = (argument_of(own, name, spec) for name in ("two", "whole"))
    given = arrays(two, X)
    room = "" if two.is_struct else f"[{len(two.inputs)}]"
    call = "&in." if two.is_struct else "in."
    marks = {
        "@SIZE@": str(given[0].nbytes),
        "@TWO@": f"{two.c_type} two{room}",
        "@WHOLE@": f"{whole.c_type} whole{room}",
        "@X@": call,
        "@CHECKS@": "0, 0" if own.columns is None else f"two_check({call}two), whole_check({call}whole)",
    }
    main = MAIN
    for mark, value in marks.items():
        main = main.replace(mark, value)
    program = compiled(folder, files | {"main.c": main}, "main.c", *SOURCES)
    done = subprocess.run([program], input=b"".join(row.tobytes() for row in given), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    return np.frombuffer(done.stdout).reshape(-1, 4)


@needs_compiler
@pytest.mark.parametrize("place", range(len(CASES)))
def test_halves_give_the_bits_of_the_whole(place: int, tmp_path: Path) -> None:
    tree, spec = CASES[place]
    halves = split_somewhere(tree, spec, place)
    X = rows_for(tree, argument_of(needed(tree), "two", halves.inputs), place)
    found = answers_of_c(tmp_path, halves, X)
    assert len(found) == ROWS
    assert np.array_equal(found[:, 0], found[:, 1])
    assert np.array_equal(found[:, 2], found[:, 3])
    assert len(set(found[:, 0].tolist())) > 1
    assert tree.columns is None or len(set(found[:, 2].tolist())) > 1


@needs_compiler
@pytest.mark.parametrize("place", range(1, len(CASES), 6))
def test_the_program_beside_it_finds_all_vectors_right(place: int, tmp_path: Path) -> None:
    files = export_split(split_somewhere(*CASES[place], place), "two")
    program = compiled(tmp_path, files, *SOURCES[:3], "test/two_test.c")
    done = subprocess.run([program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_cases_have_sides_of_all_sorts() -> None:
    """Structs and arrays, floats alone where the whole has integers, bytes as they are, and every encoder."""
    sides = [side for place, case in enumerate(CASES) for side in sides_of(split_somewhere(*case, place), "two")]
    assert {side.argument.c_type.split()[0] for side in sides} == {"float", "int16_t", "uint8_t", "struct"}
    assert any(side.whole.is_struct and side.argument.is_float for side in sides)
    assert any(isinstance(side.stage, ByteStage) for side in sides)
    assert {type(column).__name__ for side in sides for column in side.columns or ()} == {
        *("Number", "Flag", "Category", "Ordinal", "Time")
    }


@pytest.mark.parametrize("place", range(0, len(CASES), 3))
def test_python_gives_what_it_gives_for_the_whole(place: int) -> None:
    tree, spec = CASES[place]
    halves, whole = split_somewhere(tree, spec, place), quantize_tree(tree, sources=sources(tree, spec))
    X = raw_inputs(tree, 300) if tree.columns is None else plain_features(tree, plain_numbers(tree, frame(300)))
    of = sources(tree, spec)
    for i, source in enumerate(of):
        if source.is_integer:
            X[:, i] = np.clip(np.rint(np.nan_to_num(X[:, i]) * source.scale), source.low, source.high)
    assert halves.predict(X).tolist() == whole.predict(X).tolist()


def test_a_column_is_not_torn() -> None:
    """All features of a category go with their column, and its encoder stands in the source of one side alone."""
    tree = next(tree for tree in table_models(4) if _features_read(tree, "species") > 1)
    halves = halves_of(tree, ["species"])
    names = halves.whole.source.features
    assert {names[i].partition("=")[0] for i in halves.own} <= {"species", "species is missing"}
    assert not any(names[i].startswith("species") for i in halves.others)
    files = export_split(halves, "two")
    assert "TWO_NODE_SPECIES_GENTOO" in files["two_node.h"]
    assert "SPECIES" not in files["two_gateway.h"]
    assert "nt_encode" in files["two_node.c"]
    assert "species=" not in files["two_gateway.c"]


def _features_read(tree: Tree, column: str) -> int:
    return sum(tree.features[i].startswith(column) for i in set(tree.nodes["op"].tolist()) if i >= 0)


def test_what_cannot_be_split() -> None:
    tree = COLUMN_TREES[0]
    with pytest.raises(ValueError, match="no input of the model: species=Gentoo; it has: size, weight"):
        halves_of(tree, ["species=Gentoo"])
    with pytest.raises(ValueError, match="reads no input of the gateway"):
        halves_of(tree, owned_names(tree))
    with pytest.raises(ValueError, match=r"'(when|since)' is a time, which uint8 does not hold"):
        halves_of(tree, ["size"], inputs="uint8")
    with pytest.raises(ValueError, match="no column 'colour'"):
        halves_of(tree, ["size"], inputs={"colour": "uint8"})
