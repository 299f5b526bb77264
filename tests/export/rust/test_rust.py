"""Exported Rust: it compiles without a lint, its own test passes, and it computes what the tree does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.compress import quantize_tree
from neuraltree.export import export_rust
from neuraltree.export.needed import needed
from neuraltree.export.rust.rust_names import string, variants
from neuraltree.tree.tree import Tree
from tests.export.test_export_c import NASTY, bound
from tests.helpers.packages import MODELS, save_files
from tests.helpers.random_models import edge_models, models, random_model, raw_inputs
from tests.helpers.strategies import steady
from tests.helpers.table_models import frame, plain_features, plain_numbers, table_model

needs_cargo = pytest.mark.skipif(shutil.which("cargo") is None, reason="no Rust: cargo is not on PATH")
ROWS = 500
NAMED = {f"random_{i}": tree for i, tree in enumerate(models(2))} | edge_models()
TABLES = {f"table_{seed}": needed(table_model(seed, "regression" if seed % 2 else "binary")) for seed in range(4)}
CASES = [(name, precision) for name in [*NAMED, *TABLES] for precision in ("float32", "int8")]


def cargo(folder: Path, *arguments: str) -> str:
    """What cargo prints, without the network; its files are in ``folder``."""
    done = subprocess.run(
        ["cargo", *arguments, "--offline", "--quiet"],
        cwd=folder,
        env={**os.environ, "CARGO_TARGET_DIR": str(folder / "target"), "RUSTFLAGS": "-D warnings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[:3000] + done.stdout[-2000:]
    return done.stdout


def options(precision: str) -> dict[str, str]:
    return {"precision": precision}


# ---- crates as users have them ----


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crate for each model, with names that end strings and comments."""
    folder = tmp_path_factory.mktemp("crates")
    for name, (tree, given_options) in MODELS.items():
        tree = replace(tree, features=(*NASTY, *tree.features)[: len(tree.features)]) if tree.columns is None else tree
        precision = given_options.get("precision", "float32")
        save_files(folder / name, export_rust(tree, name, precision=precision))
    members = ", ".join(f'"{name}"' for name in MODELS)
    (folder / "Cargo.toml").write_text(f'[workspace]\nresolver = "2"\nmembers = [{members}]\n')
    return folder


@needs_cargo
def test_the_tests_of_the_crates_pass(workspace: Path) -> None:
    assert cargo(workspace, "test", "--workspace").count("1 passed; 0 failed") == len(MODELS)


@needs_cargo
def test_clippy_has_nothing_to_say(workspace: Path) -> None:
    if shutil.which("cargo-clippy") is None:
        pytest.skip("no clippy: cargo-clippy is not on PATH")
    cargo(workspace, "clippy", "--workspace", "--all-targets")


@needs_cargo
def test_a_wrong_crate_fails_its_test(tmp_path: Path) -> None:
    files = export_rust(NAMED["threshold_low"], "wrong")
    files["src/lib.rs"] = re.sub(r"usize::from\(y\[0\] > ", "usize::from(y[0] <= ", files["src/lib.rs"])
    with pytest.raises(AssertionError, match="instead of"):
        cargo(save_files(tmp_path, files), "test")


# ---- what it computes ----


@cache
def rows(name: str) -> np.ndarray:
    """(rows, inputs) single floats, odd ones too; of a table the numbers of its columns."""
    if name in TABLES:
        return plain_numbers(TABLES[name], frame(ROWS, 1)).astype(np.float32)
    return raw_inputs(NAMED[name], ROWS, seed=len(name))


def main_of(cases: list[tuple[str, str]]) -> str:
    """A program that runs each model over the rows in a file and writes predictions, integers and probabilities."""
    text = "use std::fs;\n"
    for name, precision in cases:
        text += f"#[allow(dead_code)] mod {name}_{precision};\n"
    text += "fn main() {\n"
    for name, precision in cases:
        tree, model = (NAMED | TABLES)[name], f"{name}_{precision}"
        classes = tree.classes is not None
        text += f"""    let mut out: Vec<u8> = vec![];
    for row in fs::read("{name}.in").unwrap().chunks({4 * rows(name).shape[1]}) {{
        let mut x = [0f32; {model}::INPUTS];
        for (x, b) in x.iter_mut().zip(row.chunks(4)) {{ *x = f32::from_le_bytes(b.try_into().unwrap()); }}
        out.extend(({model}::predict(&x){" as i32 as f32" if classes else ""}).to_le_bytes());
"""
        if classes:
            text += f"        for p in {model}::probabilities(&x) {{ out.extend(p.to_le_bytes()); }}\n"
        text += f'    }}\n    fs::write("{model}.out", out).unwrap();\n'
    return text + "}\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what every model gives. Arithmetic that overflows would have stopped the program."""
    folder = tmp_path_factory.mktemp("driver")
    sources = {"Cargo.toml": '[package]\nname = "driver"\nversion = "1.0.0"\nedition = "2021"\n'}
    for name, precision in CASES:
        text = export_rust((NAMED | TABLES)[name], name, **options(precision))["src/lib.rs"]
        assert "#![no_std]\n#![forbid(unsafe_code)]\n" in text
        sources[f"src/{name}_{precision}.rs"] = text.replace("#![no_std]\n", "")
        rows(name).tofile(folder / f"{name}.in")
    save_files(folder, sources | {"src/main.rs": main_of(CASES)})
    cargo(folder, "run")
    return folder


def found(results: Path, name: str, precision: str) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) values or positions of classes, and (rows, classes) probabilities."""
    classes = len((NAMED | TABLES)[name].classes or ())
    values = np.fromfile(results / f"{name}_{precision}.out", np.float32).reshape(ROWS, 1 + classes)
    return values[:, 0], values[:, 1:]


@needs_cargo
def test_integers_give_the_bits_of_python(results: Path) -> None:
    for name, tree in NAMED.items():
        integers = quantize_tree(tree)
        values, p = found(results, name, "int8")
        if tree.classes is None:
            assert values.tobytes() == integers.predict(rows(name)).tobytes(), name
            continue
        assert np.array_equal(values, integers.predict_q(integers.quantize(rows(name)))), name
        assert np.abs(p - integers.predict_proba(rows(name))).max() < 1e-5, name


@needs_cargo
def test_floats_lie_within_the_bound_of_single_floats(results: Path) -> None:
    for name, tree in NAMED.items():
        values, p = found(results, name, "float32")
        X = rows(name).astype(np.float64)
        errors, inside = bound(tree, X)
        truth = tree.outputs(X[inside])
        if tree.classes is None:
            assert (np.abs(values[inside] - truth[:, 0]) <= errors[inside, 0] + 1e-37).all(), name
            continue
        assert np.abs(p.astype(np.float64).sum(axis=1) - 1).max() < 1e-5, name
        off = np.abs(p[inside] - tree.predict_proba(X[inside])).max(axis=1)
        sure = errors[inside].max(axis=1) < 2e-6
        assert (off[sure] < 1e-5).all(), name
        labels = tree.predict(X[inside])
        right = np.array(tree.classes)[values[inside].astype(int)] == labels
        margin = np.abs(np.diff(np.sort(truth, axis=1)[:, -2:], axis=1) if truth.shape[1] > 1 else truth - logit(tree))
        assert right[margin[:, 0] > 2 * errors[inside].max(axis=1) + 1e-6].all(), name


def logit(tree: Tree) -> float:
    return float(-np.log(1 / tree.threshold - 1))


@needs_cargo
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_columns_are_taken_as_numbers(results: Path, precision: str) -> None:
    """Sines of times are rounded, so an input at the edge between two integers may become the other one."""
    for name, tree in TABLES.items():
        values, _ = found(results, name, precision)
        features = plain_features(tree, rows(name).astype(np.float64))
        inner = replace(tree, columns=None)
        wanted = (inner if precision == "float32" else quantize_tree(inner)).predict(features)
        if tree.classes is not None:
            assert (np.array(tree.classes)[values.astype(int)] == wanted).mean() > 0.97, name
        else:
            assert (np.abs(values - wanted) <= 1e-3 * np.abs(wanted).max() + 1e-6).mean() > 0.97, name


# ---- names ----


@given(st.lists(st.sampled_from(NASTY) | st.text(max_size=5), unique=True, min_size=2, max_size=12))
@steady
def test_variants_differ_and_are_names(names: list[str]) -> None:
    made = variants(names)
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]*", variant) and variant != "Self" for variant in made)


def test_variants_are_camel_case() -> None:
    names = ["not worn", "OK", "self", "3", "", "Not-Worn", "β"]
    assert variants(names) == ["NotWorn", "Ok", "ClassSelf", "Class3", "Class4", "NotWornAt5", "Class6"]


def test_strings_are_ascii_and_end_nowhere() -> None:
    assert string('a"b\\c\n') == '"a\\u{22}b\\u{5c}c\\u{a}"'
    assert string("é\U0001f600\ud800") == '"\\u{e9}\\u{1f600}\\u{fffd}"'
    assert string(3) == '"3"'


def test_the_names_of_columns_and_levels_are_constants() -> None:
    text = export_rust(table_model(3), "table")["src/lib.rs"]
    names = re.findall(r"^pub const (\w+): (\w+) = ([^;]+);", text, re.MULTILINE)
    assert len({name for name, *_ in names}) == len(names)
    kinds = {name.split("_")[0]: kind for name, kind, _ in names}
    assert kinds["COLUMN"] == "usize"
    assert {kinds[word] for word in ("LEVEL", "START") if word in kinds} <= {"f32", "f64"}


@pytest.mark.parametrize("name", ["fn", "core", "Self", "test", "match", "vectors", "a b", "int", "1a"])
def test_a_name_that_rust_keeps_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of"):
        export_rust(random_model(1), name)


def test_the_crate_has_its_name_in_small_letters() -> None:
    files = export_rust(random_model(1), "MySensor")
    assert 'name = "mysensor"' in files["Cargo.toml"]
    assert "use mysensor::{predict, INPUTS};" in files["tests/vectors.rs"]
    assert set(files) == {"Cargo.toml", "src/lib.rs", "tests/vectors.rs"}
    assert files == export_rust(random_model(1), "MySensor")
    assert "dependencies" not in files["Cargo.toml"]


def test_what_it_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="int4 is a format of C code alone: export it with --to c"):
        export_rust(random_model(1), precision="int4")
    nodes = random_model(1).nodes.copy()
    nodes["weight"][nodes["depth"] > 0] = 1e300
    for precision in ("float32", "int8"):
        with pytest.raises(ValueError, match="beyond single floats"):
            export_rust(replace(random_model(1), nodes=nodes), precision=precision)
