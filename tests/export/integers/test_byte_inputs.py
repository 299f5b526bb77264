"""Bytes of one range are read as they are: equal to plain arithmetic and to C bit for bit, and without a conversion."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.compress.byte_inputs import LEAST_INPUTS, ByteStage
from neuraltree.compress.exits.early_exit import early_exit_of
from neuraltree.compress.input_types import sources
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.export import export_c
from neuraltree.tree.generate import random_tree
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from tests.helpers.cross_compilers import AVR_MAIN, build, run_on_avr, section_bytes
from tests.helpers.integer_inputs import ByteOracle
from tests.helpers.plain_snaps import PLAIN_SNAPS
from tests.helpers.random_models import wide_tree

FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
ROWS = 80


def of_pixels(tree: Tree, seed: int = 0, scale: float = 66.0) -> Tree:
    """The tree with inputs of different means and one spread."""
    rng, width = np.random.default_rng(seed), len(tree.features)
    return replace(tree, scaler=Scaler(rng.uniform(0, 255, width), np.full(width, scale)))


def any_tree(seed: int, kind: str, outputs: int) -> Tree:
    """A tree of all activations over 130 inputs."""
    rng = np.random.default_rng(seed)
    nodes = random_tree(rng, Space(130, outputs, NAMES, "identity", max_nodes=160, max_depth=4, max_arity=9))
    classes = None if kind == "regression" else tuple("abcd"[: max(outputs, 2)])
    return Tree(nodes, kind, tuple(f"x{i}" for i in range(130)), classes)


@dataclass(frozen=True)
class Case:
    name: str
    tree: Tree
    style: str
    weights: str = "int8"
    fine: bool = False
    exits: bool = False
    scale: float = 1.0

    @property
    def spec(self) -> str:
        return "uint8" if self.scale == 1 else f"uint8/{self.scale:g}"

    @cached_property
    def files(self) -> dict[str, str]:
        options: dict[str, Any] = {"precision": self.weights, "style": self.style, "fine": self.fine}
        return export_c(self.tree, self.name, inputs=self.spec, early_exit=self.exits, **options)

    @cached_property
    def integers(self) -> IntegerTree:
        return quantize_tree(self.tree, fine=self.fine, weights=self.weights, sources=sources(self.tree, self.spec))

    @cached_property
    def oracle(self) -> ByteOracle:
        snaps = None if self.weights == "int8" else (PLAIN_SNAPS[self.weights], PLAIN_SNAPS["int8"])
        return ByteOracle(self.tree, self.scale, self.fine, snaps)

    @cached_property
    def X(self) -> np.ndarray:
        """Rows of bytes: both ends everywhere and mixed, near them, and any."""
        rng, width = np.random.default_rng(len(self.name)), len(self.tree.features)
        X = rng.integers(0, 256, (ROWS, width))
        X[:4] = np.array([0, 255, 1, 254])[:, None]
        X[4:30] = rng.choice([0, 255], (26, width))
        X[30:40] = rng.choice([0, 1, 127, 128, 129, 254, 255], (10, width))
        return X.astype(np.uint8)


def _cases() -> list[Case]:
    few, many = of_pixels(wide_tree(0, 130, 9, 4)), of_pixels(wide_tree(1, 700, 30, 5, direct=12), 1)
    value = of_pixels(wide_tree(2, 300, 30, 4, "regression", direct=9), 2)
    found = [Case(f"few_{style}", few, style) for style in ("straight", "table")]
    found += [Case(f"many_{weights}", many, "table", weights) for weights in ("int8", "int4", "int3", "ternary")]
    found += [Case("many_straight", many, "straight", "int4")]
    found += [Case(f"coded_{weights}", many, "coded", weights) for weights in ("int8", "int4", "ternary")]
    found += [Case("coded_fine", value, "coded", "int3", fine=True)]
    found += [Case(f"fine_{style}", value, style, fine=True) for style in ("straight", "table")]
    found += [Case(f"value_{style}", value, style) for style in ("straight", "table")]
    for kind, outputs in (("regression", 1), ("binary", 1), ("multiclass", 4)):
        tree = of_pixels(any_tree(3 + outputs, kind, outputs), 3)
        found += [Case(f"any_{kind}_{style}", tree, style) for style in ("straight", "table")]
        if kind != "regression":
            found.append(Case(f"any_{kind}_exit", tree, "straight", exits=True))
    found.append(Case("halves", of_pixels(wide_tree(4, 130, 9, 4), 4, 33.0), "table", scale=2.0))
    return [replace_scaler(case) if case.scale != 1 else case for case in found]


def replace_scaler(case: Case) -> Case:
    """With means that fit into bytes after scaling."""
    assert case.tree.scaler is not None
    tree = replace(case.tree, scaler=Scaler(case.tree.scaler.mean / case.scale, case.tree.scaler.scale))
    return replace(case, tree=tree)


CASES = _cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_python_gives_what_plain_arithmetic_gives(case: Case) -> None:
    tree, rows = case.integers, case.X[:: 4 if len(case.tree.features) > 200 else 2]
    assert isinstance(tree.inputs, ByteStage)
    q = tree.quantize(rows)
    assert q.tolist() == [case.oracle.quantize(row) for row in rows.tolist()]
    assert tree.predict_q(q).tolist() == [case.oracle.predict_q(row) for row in q.tolist()]
    assert tree.scores(q).tolist() == [case.oracle.scores(row) for row in q.tolist()]


def runner(case: Case) -> str:
    """C that prints for each row the prediction and what has no floats; each row lies in an array of its size."""
    width, name = case.X.shape[1], case.name
    more = "confidence" if case.tree.classes else "predict_fixed"
    return f"""    {{
        static const uint8_t x[] = {{{", ".join(map(str, case.X.ravel().tolist()))}}};
        for (int i = 0; i < {len(case.X)}; ++i) {{
            uint8_t row[{width}];
            memcpy(row, x + i * {width}, sizeof row);
            printf("%.9g %ld ", (double){name}_predict(row), (long){name}_{more}(row));
        }}
        printf("\\n");
    }}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler: cc is not on PATH")
def test_c_equals_python_bit_for_bit(tmp_path: Path) -> None:
    """The self-tests of the exports pass on the way."""
    (tmp_path / "test").mkdir()
    selves = calls = ""
    for case in CASES:
        for file, text in case.files.items():
            if file.endswith((".c", ".h")):
                (tmp_path / file).write_text(text)
        own = ("main", "nt_inputs", "nt_expected", "nt_tolerance")
        selves += "".join(f"#define {o} {case.name}_{o}\n" for o in own) + f"int {case.name}_main(void);\n"
        selves += f'#include "test/{case.name}_test.c"\n' + "".join(f"#undef {o}\n" for o in own)
        calls += f"    wrong |= {case.name}_main();\n{runner(case)}"
    main = f"int main(void)\n{{\n    int wrong = 0;\n{calls}    return wrong;\n}}\n"
    (tmp_path / "main.c").write_text(f"{selves}{main}")
    sources_of = [f"{case.name}.c" for case in CASES]
    command = ["cc", *FLAGS, *SANITIZERS, "-I.", "main.c", *sources_of, "-o", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    done = subprocess.run(["./check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-2000:] + done.stderr[:3000]
    for case, line in zip(CASES, done.stdout.splitlines()[1::2], strict=True):
        found, tree = np.array(line.split(), dtype=np.float64).reshape(ROWS, 2), case.integers
        q = tree.quantize(case.X)
        if case.tree.classes is None:
            assert found[:, 0].astype(np.float32).tobytes() == tree.outputs.values(tree.predict_q(q)).tobytes(), case
            assert np.array_equal(found[:, 1], tree.predict_fixed(case.X)), case.name
        else:
            assert np.array_equal(found[:, 0], tree.predict_q(q)), case.name
            assert np.array_equal(found[:, 1], tree.confidence(case.X)), case.name


def test_tables_have_no_conversion_and_no_copy_of_the_inputs() -> None:
    for case in CASES:
        text = case.files[f"{case.name}.c"]
        assert "nt_convert" not in text, case.name
        assert not re.search(r"int8_t q\[", text), case.name
    text = next(case for case in CASES if case.name == "many_int4").files["many_int4.c"]
    assert "NT_CALL void nt_outputs(const uint8_t *q, int32_t *y)" in text
    text = next(case for case in CASES if case.name == "few_straight").files["few_straight.c"]
    assert re.search(r"const int32_t q\d+ = x\[\d+\];", text)


def test_an_early_exit_gives_the_same_classes() -> None:
    """Bounds hold for the byte 0, too, which stands for -128."""
    for case in (case for case in CASES if case.exits):
        rng = np.random.default_rng(9)
        X = rng.choice([0, 255, 3], (3000, len(case.tree.features)))
        q = case.integers.quantize(X)
        assert np.array_equal(early_exit_of(case.integers)(q).codes, case.integers.predict_q(q))
        assert early_exit_of(case.integers).mean_macs(X) < early_exit_of(case.integers).most_macs


def stage_of(tree: Tree, spec: Any) -> type:
    return type(quantize_tree(tree, sources=sources(tree, spec)).inputs)


def test_other_inputs_keep_a_conversion() -> None:
    tree = of_pixels(wide_tree(0, LEAST_INPUTS, 9, 4))
    assert tree.scaler is not None
    assert stage_of(tree, "uint8") is ByteStage
    assert stage_of(tree, "int16") is not ByteStage
    assert stage_of(tree, {"default": "uint8", "x0": "int16"}) is not ByteStage
    assert stage_of(tree, "float32") is not ByteStage
    assert stage_of(of_pixels(wide_tree(0, LEAST_INPUTS - 1, 9, 4)), "uint8") is not ByteStage, "too few"
    assert stage_of(of_pixels(tree, scale=15.0), "uint8") is not ByteStage, "a range of 60 bytes"
    assert stage_of(of_pixels(tree, scale=16.0), "uint8") is ByteStage
    scale = tree.scaler.scale.copy()
    scale[3] *= 1.02
    assert stage_of(replace(tree, scaler=Scaler(tree.scaler.mean, scale)), "uint8") is not ByteStage, "another range"


@pytest.mark.parametrize("wrong", [-1, 256, 0.5])
def test_what_is_no_byte_is_refused(wrong: float) -> None:
    case = CASES[0]
    X = case.X.astype(np.float64)
    X[3, int(case.integers.inputs.features[2])] = wrong
    with pytest.raises(ValueError, match="takes whole numbers from 0 to 255"):
        case.integers.quantize(X)


def test_nothing_is_lost_by_bytes() -> None:
    """The float tree and its code from bytes differ by less than from a conversion of each input."""
    tree = of_pixels(wide_tree(6, 300, 40, 6))
    X = np.random.default_rng(0).integers(0, 256, (3000, 300))
    truth = tree.outputs(X)
    by_bytes, converted = quantize_tree(tree, sources=sources(tree, "uint8")), quantize_tree(tree)
    errors = [
        np.abs(model.outputs.values(model.scores(model.quantize(X))) - truth).mean() for model in (by_bytes, converted)
    ]
    assert errors[0] < errors[1]


AVR_IMAGES = """#include <stdio.h>
#include <avr/pgmspace.h>
#include "model.h"

static const uint8_t images[{count}][784] PROGMEM = {{{{{rows}}}}};

int program_main(void)
{{
    static uint8_t x[784];
    for (int i = 0; i < {count}; ++i) {{
        memcpy_P(x, images[i], sizeof x);
        printf_P(PSTR("%d "), model_predict(x));
    }}
    return 0;
}}
"""


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_784_pixels_run_on_an_avr_of_2_kb(precision: str, tmp_path: Path) -> None:
    """On an ATmega328P a tree of pixels takes less than its 32 KB of flash and 2 KB of RAM, the image included."""
    tree = of_pixels(wide_tree(7, 784, 60, 12), 7)
    X = np.random.default_rng(1).integers(0, 256, (9, 784))
    X[:2] = np.array([0, 255])[:, None]
    model = export_c(tree, precision=precision, style="table", inputs="uint8")
    rows = "}, {".join(", ".join(map(str, row)) for row in X.tolist())
    files = {"model.c": model["model.c"], "model.h": model["model.h"], "avr_main.c": f"#undef main\n{AVR_MAIN}"}
    files["images.c"] = AVR_IMAGES.format(count=len(X), rows=rows)
    elf = build(tmp_path, files, "gcc, AVR", ("-std=gnu11", "-Os", "-Wl,--gc-sections", "-I."))
    text, result, stack = run_on_avr(elf)
    integers = quantize_tree(tree, weights=precision, sources=sources(tree, "uint8"))
    assert " ".join(map(str, integers.predict_q(integers.quantize(X)))) in text
    assert result == 0
    assert section_bytes(elf, ".text", ".data") <= 32 * 1024
    assert section_bytes(elf, ".data", ".bss", ".noinit") + stack <= 2 * 1024
