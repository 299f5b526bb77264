"""On an AVR with 2 KB of RAM: no warnings, and the self-test of a tree with 20 features fits, runs and passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.compress.formats import STYLES, InputSpec
from neuraltree.export import export_c
from neuraltree.export.c.training.on_device import export_training
from neuraltree.tree.generate import random_tree
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from neuraltree.updating.selection import select
from neuraltree.updating.training_state import TrainingState
from tests.helpers.cross_compilers import AVR_MAIN, build, run_on_avr, section_bytes
from tests.helpers.table_models import table_model

RAM = 2048
FEATURES = 20
OPTIONS = ("-std=gnu11", "-Os", "-Wl,--gc-sections", "-Dmain=program_main", "-I.")
MAIN = f"#undef main\n{AVR_MAIN}"  # the only file whose main is the program's


def tree_of(kind: str, outputs: int) -> Tree:
    """A tree that reads all of 20 features."""
    rng = np.random.default_rng(7)
    nodes = random_tree(rng, Space(FEATURES, outputs, NAMES, "identity", max_nodes=90, max_depth=4, max_arity=8)).copy()
    leaves = np.flatnonzero(nodes["op"] >= 0)
    nodes["op"][leaves] = np.arange(len(leaves)) % FEATURES
    classes = None if kind == "regression" else tuple("abcd"[: max(outputs, 2)])
    scaler = Scaler(rng.normal(scale=10, size=FEATURES), np.exp(rng.normal(size=FEATURES)))
    return Tree(nodes, kind, tuple(f"x{i}" for i in range(FEATURES)), classes, scaler)


TREES = {"regression": tree_of("regression", 1), "multiclass": tree_of("multiclass", 4)}


def ram_of(folder: Path, files: dict[str, str]) -> tuple[str, int, int]:
    """What the program printed and returned, and its RAM: variables and stack."""
    sources = {name: text for name, text in files.items() if name.endswith((".c", ".h"))}
    elf = build(folder, sources | {"avr_main.c": MAIN}, "gcc, AVR", OPTIONS)
    text, result, stack = run_on_avr(elf)
    return text, result, section_bytes(elf, ".data", ".bss", ".noinit") + stack


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("kind", TREES)
def test_the_self_test_of_20_features_fits_into_2_kb(kind: str, precision: str, style: str, tmp_path: Path) -> None:
    tree = TREES[kind]
    assert len(np.unique(tree.nodes["op"][tree.nodes["op"] >= 0])) == FEATURES
    text, result, ram = ram_of(tmp_path, export_c(tree, precision=precision, style=style))
    assert "32 of 32 vectors are right" in text
    assert result == 0
    assert ram < RAM / 4, "room for the rest of a sketch"


INPUTS: list[InputSpec] = ["int16/100", {"default": "int16/100", "x0": "float32", "x7": "uint8/0.1"}]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("kind", "precision"), [("regression", "int8"), ("multiclass", "int8"), ("multiclass", "float32")]
)
@pytest.mark.parametrize("spec", INPUTS)
def test_the_self_test_of_integers_passes_on_an_avr(
    spec: InputSpec, kind: str, precision: str, style: str, tmp_path: Path
) -> None:
    tree = TREES[kind]
    scaler = Scaler(np.abs(tree.scaler.mean), tree.scaler.scale) if tree.scaler else None
    tree = replace(tree, scaler=scaler)  # a mean below 0 is no byte
    text, result, ram = ram_of(tmp_path, export_c(tree, precision=precision, style=style, inputs=spec))
    assert "32 of 32 vectors are right" in text
    assert result == 0
    assert ram < RAM / 4


def test_a_wrong_result_is_found_on_an_avr(tmp_path: Path) -> None:
    files = export_c(TREES["multiclass"], precision="int8")
    changed = files["model.c"].replace("return model_largest(y, 4);", "return 3 - model_largest(y, 4);")
    assert changed != files["model.c"]
    text, result, _ = ram_of(tmp_path, files | {"model.c": changed})
    assert result == 1
    assert "vector 0: " in text


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_self_test_of_columns_passes_on_an_avr(precision: str, tmp_path: Path) -> None:
    text, result, ram = ram_of(tmp_path, export_c(table_model(3, "binary"), precision=precision))
    assert result == 0, text
    assert ram < RAM / 4


def test_the_check_of_training_passes_on_an_avr(tmp_path: Path) -> None:
    text, result, ram = ram_of(tmp_path, export_training(TREES["regression"]))
    assert result == 0, text
    assert ram < RAM


def test_training_of_some_nodes_takes_less_ram_on_an_avr(tmp_path: Path) -> None:
    tree = TREES["regression"]
    live = select(tree.nodes, 120, "output")
    text, result, ram = ram_of(tmp_path / "part", export_training(tree, live=live))
    assert result == 0, text
    whole = ram_of(tmp_path / "whole", export_training(tree))[2]
    state = TrainingState(tree.nodes)
    assert ram < whole - (state.most_bytes - state.bytes(live)) + 32
