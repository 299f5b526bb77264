"""A program takes the constants of another model from a file and predicts as that model; it refuses what is damaged."""

from __future__ import annotations

import binascii
import dataclasses
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from neuraltree import save
from neuraltree.compress import quantize_tree
from neuraltree.export import export_c
from neuraltree.export.__main__ import main
from neuraltree.export.c.constants.block import export_constants
from neuraltree.export.c.constants.layout import read_layout
from neuraltree.inputs.encoders import Number
from neuraltree.tree.tree import Tree
from tests.helpers.cross_compilers import AVR_MAIN, build, run_on_avr, section_bytes
from tests.helpers.random_models import IDENTITY, KINDS, random_model, raw_inputs, record

STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler: cc is not on PATH")
ROWS = 300
DRIVER = """#include <stdio.h>
#include "a.h"
static struct a_constants block;
int main(int count, char **names)
{{
    float x[{width}], p[8] = {{0}};
    if (count > 1) {{
        FILE *file = fopen(names[1], "rb");
        int result;
        if (file == NULL || fread(&block, 1, sizeof block, file) != sizeof block) {{ return 90; }}
        result = a_check_constants(&block);
        if (result != 0) {{ return result; }}
        a_use_constants(&block);
    }}
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        const float y = (float)a_predict(x);
        {probabilities}
        fwrite(&y, 4, 1, stdout);
        fwrite(p, 4, {classes}, stdout);
    }}
    return 0;
}}
"""


def pair(kind: tuple[str, str, int], precision: str) -> tuple[Tree, Tree]:
    """A large tree, and another with the same inputs and other nodes that fits into its program."""
    big = random_model(106, *kind)
    scale = {"scaler": big.scaler, "features": big.features, "input_range": big.input_range, "target_scaler": None}
    first = dataclasses.replace(big, target_scaler=None)
    for seed in range(300, 900):
        other = random_model(seed, *kind)
        if len(other.features) <= len(big.features) and 6 < len(other.nodes) < len(big.nodes):
            return first, dataclasses.replace(other, **scale)
    raise AssertionError("no second tree")


def program(folder: Path, tree: Tree, precision: str, *, checked: bool = False) -> None:
    """``run``, and ``check`` of its self-test if it is ``checked``."""
    files = export_c(tree, "a", precision=precision, style="table", constants=True)
    classes = len(tree.classes or ())
    files["main.c"] = DRIVER.format(
        width=len(tree.features), classes=classes, probabilities="a_probabilities(x, p);" if classes else ""
    )
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for source, out in (("main.c", "run"), ("test/a_test.c", "check"))[: 1 + checked]:
        done = subprocess.run(
            ["cc", "-std=c99", "-O1", *STRICT, "-fsanitize=address,undefined", "-I.", "a.c", source, "-o", out],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[:3000]


def run(folder: Path, tree: Tree, *files: str) -> tuple[int, np.ndarray]:
    """What it returned, and (rows, 1 + classes) what it printed."""
    X = raw_inputs(tree, ROWS)
    done = subprocess.run(["./run", *files], cwd=folder, input=X.tobytes(), capture_output=True, check=False)
    assert not done.stderr, done.stderr.decode()
    return done.returncode, np.frombuffer(done.stdout, np.float32).reshape(-1, 1 + len(tree.classes or ()))


def wanted(tree: Tree, precision: str) -> np.ndarray:
    X = raw_inputs(tree, ROWS)
    if precision == "int8":
        integers = quantize_tree(tree)
        return integers.predict(X) if tree.classes is None else integers.predict_q(integers.quantize(X))
    return tree.outputs(X.astype(float))[:, 0] if tree.classes is None else np.array([])


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_program_predicts_as_the_model_of_the_block(
    kind: tuple[str, str, int], precision: str, tmp_path: Path
) -> None:
    first, second = pair(kind, precision)
    program(tmp_path, first, precision, checked=True)
    assert subprocess.run(["./check"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    layout = read_layout((tmp_path / "a.h").read_text())
    own = export_constants(first, layout)
    (tmp_path / "own.bin").write_bytes(own)
    (tmp_path / "b.bin").write_bytes(export_constants(second, layout))
    (tmp_path / "b").mkdir()
    program(tmp_path / "b", second, precision)
    for tree, arguments, where in (
        (first, (), tmp_path),
        (first, ("own.bin",), tmp_path),
        (second, (), tmp_path / "b"),
    ):
        code, found = run(where, tree, *arguments)
        assert code == 0
        if precision == "int8":
            assert np.array_equal(found[:, 0], wanted(tree, precision))
    code, replaced = run(tmp_path, second, "b.bin")
    assert code == 0
    assert replaced.tobytes() == found.tobytes(), "the same bits as a program built with the second model"
    assert not np.array_equal(replaced[:, 0], run(tmp_path, first)[1][:, 0])


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_block_gives_the_bits_of_table_code(precision: str, tmp_path: Path) -> None:
    tree = pair(KINDS[4], precision)[0]
    program(tmp_path, tree, precision)
    found = run(tmp_path, tree)[1]
    plain = export_c(tree, "a", precision=precision, style="table")
    source = DRIVER.format(width=len(tree.features), classes=3, probabilities="a_probabilities(x, p);")
    start, end = source.index("    if (count"), source.index("    while")
    source = source[:start] + "    (void)count; (void)names;\n" + source[end:]
    files = {
        "a.c": plain["a.c"],
        "a.h": plain["a.h"],
        "main.c": source.replace("static struct a_constants block;\n", ""),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    subprocess.run(["cc", "-std=c99", "-O1", "a.c", "main.c", "-o", "run"], cwd=tmp_path, check=True)
    assert run(tmp_path, tree)[1].tobytes() == found.tobytes()


@pytest.fixture(scope="module", params=["float32", "int8"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tree, bytes]:
    folder = tmp_path_factory.mktemp("program")
    first, second = pair(KINDS[4], request.param)
    program(folder, first, request.param)
    return folder, second, export_constants(second, read_layout((folder / "a.h").read_text()))


def test_every_flipped_bit_is_refused(built: tuple[Path, Tree, bytes]) -> None:
    folder, tree, block = built
    rng = np.random.default_rng(0)
    for place in [*range(24), *rng.integers(24, len(block), 20).tolist(), len(block) - 1]:
        changed = bytearray(block)
        changed[place] ^= 1 << int(rng.integers(8))
        (folder / "flipped.bin").write_bytes(changed)
        code, found = run(folder, tree, "flipped.bin")
        assert code in (1, 2, 3, 4), place
        assert code == 4 or place < 22
        assert len(found) == 0


@pytest.mark.parametrize(("at", "format", "code"), [(0, "<I", 1), (20, "<H", 2), (8, "<I", 3), (12, "<I", 3)])
def test_a_block_of_another_kind_is_refused_though_its_checksum_is_right(
    at: int, format: str, code: int, built: tuple[Path, Tree, bytes]
) -> None:
    folder, tree, block = built
    changed = bytearray(block)
    struct.pack_into(format, changed, at, struct.unpack_from(format, block, at)[0] + 1)
    struct.pack_into("<I", changed, 4, binascii.crc32(bytes(changed[8:])))
    (folder / "other.bin").write_bytes(changed)
    assert run(folder, tree, "other.bin")[0] == code
    (folder / "big_endian.bin").write_bytes(np.frombuffer(block, ">u4").astype("<u4").tobytes())
    assert run(folder, tree, "big_endian.bin")[0] == 1


def test_what_does_not_fit_is_refused() -> None:
    first, second = pair(KINDS[4], "int8")
    layout = read_layout(export_c(second, "a", precision="int8", style="table", constants=True)["a.h"])
    with pytest.raises(ValueError, match=r"the model has \d+ entries of \w+, the program has room for \d+; export the"):
        export_constants(first, layout)
    with pytest.raises(ValueError, match="not one for this program"):
        export_constants(dataclasses.replace(second, classes=("a", "b", "c")), layout)
    with pytest.raises(ValueError, match="not the header of a program with replaceable constants"):
        read_layout(export_c(second, "a", style="table")["a.h"])
    for options in ({"style": "straight"}, {"style": "table", "inputs": "int16"}):
        with pytest.raises(ValueError, match="give --style table, and no --wide or --input"):
            export_c(second, "a", precision="int8", constants=True, **options)


def test_a_model_of_columns_is_refused() -> None:
    column = Number("a", 1.0)
    tree = Tree(record([(0, IDENTITY, 0.0, 0.1), (1, 0, 0.5, 0.0)]), "regression", ("a",), columns=(column,))
    with pytest.raises(ValueError, match="for models without columns of a table"):
        export_c(tree, "a", style="table", constants=True)


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = pair(KINDS[0], "int8")
    save(first, tmp_path / "first.json")
    save(second, tmp_path / "second.json")
    options = ["--precision", "int8", "--style", "table", "--constants", "--out", str(tmp_path / "a")]
    assert main([str(tmp_path / "first.json"), "--to", "c", *options]) == 0
    to = ["--to", "constants", "--out", str(tmp_path / "b.bin")]
    assert main([str(tmp_path / "second.json"), *to, "--program", str(tmp_path / "a" / "a.h")]) == 0
    layout = read_layout((tmp_path / "a" / "a.h").read_text())
    assert (tmp_path / "b.bin").read_bytes() == export_constants(second, layout)
    capsys.readouterr()
    assert main([str(tmp_path / "second.json"), *to]) == 2
    assert "--to constants needs --program HEADER.h" in capsys.readouterr().err


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_on_an_avr_the_block_stays_in_flash(precision: str, tmp_path: Path) -> None:
    tree = pair(KINDS[4], precision)[0]
    files = export_c(tree, "a", precision=precision, style="table", constants=True)
    sources = {name: text for name, text in files.items() if name.endswith((".c", ".h"))}
    options = ("-std=gnu11", "-Os", "-Wl,--gc-sections", "-Dmain=program_main", "-I.")
    elf = build(tmp_path, sources | {"avr_main.c": f"#undef main\n{AVR_MAIN}"}, "gcc, AVR", options)
    text, result, stack = run_on_avr(elf)
    assert result == 0, text
    assert section_bytes(elf, ".data", ".bss") + stack < 400
