"""Table code with weights of two bytes: every half float is read right, and results are those of float32 code."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuraltree.compress import with_weight_format
from neuraltree.compress.formats import HALVES
from neuraltree.export import export_c
from neuraltree.export.c.floats.stored_weights import STORED
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.export.test_far_inputs import offset_tree, raw
from tests.helpers.plain_tree import evaluate
from tests.helpers.random_models import IDENTITY, RELU, TANH, random_model, raw_inputs, regression

FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler: cc is not on PATH")

READER = """#include <stdint.h>
#include <stdio.h>
#define NT_CALL static
{function}
int main(void)
{{
    for (uint32_t i = 0; i < 65536u; ++i) {{
        const float value = nt_half((uint16_t)i);
        fwrite(&value, sizeof value, 1, stdout);
    }}
    return 0;
}}
"""
DRIVER = """#include <stdio.h>
#include "{name}.h"
int main(void)
{{
    static const float rows[][{width}] = {{{rows}}};
    for (int i = 0; i < {count}; ++i) {{
        printf("%a\\n", (double){call});
    }}
    return 0;
}}
"""


def ran(folder: Path, sources: dict[str, str], *flags: str) -> bytes:
    for name, text in sources.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    files = [name for name in sources if name.endswith(".c")]
    subprocess.run(["cc", *FLAGS, *flags, "-I.", *files, "-o", "program"], cwd=folder, check=True)
    return subprocess.run(["./program"], cwd=folder, check=True, capture_output=True).stdout


@needs_compiler
@pytest.mark.parametrize("name", HALVES)
def test_every_finite_half_float_is_read_as_numpy_reads_it(tmp_path: Path, name: str) -> None:
    found = np.frombuffer(ran(tmp_path, {"main.c": READER.format(function=STORED[name].function)}), np.float32)
    bits = np.arange(65536, dtype=np.uint32)
    if name == "fp16":
        wanted = bits.astype(np.uint16).view(np.float16).astype(np.float32)
    else:
        wanted = (bits << 16).astype(np.uint32).view(np.float32)
    finite = np.isfinite(wanted)
    assert finite.sum() > 63_000
    np.testing.assert_array_equal(found[finite].view(np.uint32), wanted[finite].view(np.uint32))


TREES = {
    "random": random_model(3),
    "two_classes": random_model(5, "binary", "identity"),
    "far": offset_tree("adc"),
    "above": replace(
        regression([(0, TANH, 0.0, 0.1), (1, 0, 0.7, 0.0), (1, RELU, 0.3, 0.2), (2, 1, 1.1, 0.0)]),
        target_scaler=Scaler(np.array([30.0]), np.array([12.7])),
    ),
    "small": regression([(0, IDENTITY, 0.0, 0.1), (1, 0, 3e-7, 0.0), (1, 1, -5e-5, 0.0), (1, 2, 1e-9, 0.0)]),
}


def results(folder: Path, tree: Tree, precision: str, X: np.ndarray) -> list[str]:
    folder.mkdir()
    files = export_c(tree, "m", precision=precision, style="table")
    rows = ", ".join("{" + ", ".join(float(cell).hex() + "f" for cell in row) + "}" for row in X)
    call = "m_predict(rows[i])"
    if tree.classes is not None:
        call = "(m_probabilities(rows[i], p), p[0])"
    driver = DRIVER.format(name="m", width=X.shape[1], rows=rows, count=len(X), call=call)
    driver = driver.replace("int main(void)\n{\n", "int main(void)\n{\n    float p[8] = {0};\n    (void)p;\n")
    sources = {name: text for name, text in files.items() if "/" not in name} | {"main.c": driver}
    return ran(folder, sources, *SANITIZERS).decode().split()


@needs_compiler
@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("precision", HALVES)
def test_code_computes_what_float32_code_of_the_rounded_tree_does(tmp_path: Path, precision: str, name: str) -> None:
    tree = TREES[name]
    X = raw(tree, 40) if name == "far" else raw_inputs(tree, 40, seed=2)
    X = X[np.isfinite(X).all(axis=1)]
    found = results(tmp_path / "half", tree, precision, X)
    assert found == results(tmp_path / "whole", with_weight_format(tree, precision), "float32", X)
    assert found != results(tmp_path / "other", tree, "float32", X)


@pytest.mark.parametrize("precision", HALVES)
def test_the_tables_hold_the_rounded_weights_for_raw_inputs(precision: str) -> None:
    scaler, target = Scaler(np.array([2.0, 5.0]), np.array([0.3, 700.0])), Scaler(np.array([1.0]), np.array([9.1]))
    rows = [(0, IDENTITY, 0.0, 0.5), (1, RELU, 1.3, 0.2), (2, 0, 0.77, 0.0), (1, 1, -2.1, 0.0)]
    tree = with_weight_format(regression(rows, scaler=scaler, target_scaler=target), precision)
    stored = np.array([1.3 * 9.1, 0.77 / 0.3, -2.1 * 9.1 / 700.0])
    if precision == "fp16":
        rounded = stored.astype(np.float16).astype(np.float64)
    else:
        ml_dtypes = pytest.importorskip("ml_dtypes")
        rounded = stored.astype(ml_dtypes.bfloat16).astype(np.float64)
    wanted = rounded / [9.1, 1 / 0.3, 9.1 / 700.0]
    np.testing.assert_allclose(tree.nodes["weight"][1:, 0], wanted, rtol=1e-14)
    X = np.array([[1.0, 2.0], [3.0, 900.0]])
    plain = evaluate(tree.nodes, (X - scaler.mean) / scaler.scale)[0] * 9.1 + 1.0
    np.testing.assert_allclose(tree.predict(X), plain)


@needs_compiler
@pytest.mark.parametrize("precision", HALVES)
def test_the_self_test_passes(tmp_path: Path, precision: str) -> None:
    for name, tree in TREES.items():
        folder = tmp_path / name
        folder.mkdir()
        assert b"32" in ran(folder, export_c(tree, "m", precision=precision, style="table"), *SANITIZERS)


def test_what_cannot_be_is_refused() -> None:
    tree = TREES["random"]
    with pytest.raises(ValueError, match="fp16 stores weights in a table, straight code in 4 bytes: add --style table"):
        export_c(tree, precision="fp16")
    with pytest.raises(ValueError, match="bf16: the scale of an input would round weights again"):
        export_c(tree, precision="bf16", style="table", inputs="int16/10")
    steep = regression([(0, IDENTITY, 0.0, 0.0), (1, 0, 1e6, 0.0)])
    with pytest.raises(ValueError, match=r"beyond fp16 \(65,504\); take bf16"):
        export_c(steep, precision="fp16", style="table")
