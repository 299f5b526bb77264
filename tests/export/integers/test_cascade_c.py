"""C of cascades gives the classes of Python, under sanitizers; code that stops early takes columns too."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from neuraltree.compress.exits.cascade import Cascade, answers
from neuraltree.export import export_c
from neuraltree.export.c.cascade_library import cascade_of, export_cascade
from neuraltree.export.needed import needed
from tests.compress.test_cascade import pair
from tests.export.integers.test_integer_c import FLAGS, SANITIZERS, for_integers, needs_compiler
from tests.helpers.random_models import raw_inputs
from tests.helpers.table_models import frame, plain_features, plain_numbers, table_models

ROWS = 20_000
MAIN = """#include <stdio.h>
#include "@NAME@.h"
int main(void)
{
    @TYPE@ x[@WIDTH@];
    while (fread(x, sizeof x[0], @WIDTH@, stdin) == @WIDTH@) {
        putchar('0' + @NAME@_predict(x));
    }
    return 0;
}
"""
COLUMN_TREES = [tree for tree in table_models(2) if tree.classes is not None]


def compiled(folder: Path, files: Mapping[str, str], *sources: str) -> Path:
    """The program of these sources among the files."""
    (folder / "test").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    command = ["cc", *FLAGS, *SANITIZERS, "-I.", *sources, "-o", "program"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[:3000]
    return folder / "program"


def codes_of_c(folder: Path, cascade: Cascade, inputs: str, X: np.ndarray, *, early: bool = False) -> list[int]:
    files = export_cascade(cascade, "two", inputs=inputs, early_exit=early, chosen_on="7 rows" if early else "")
    assert ("nt_decide" in files["two_large.c"]) == ("It stops" in files["two_large.h"]) == early
    assert "nt_decide" not in files["two_small.c"]
    assert ("was chosen on 7 rows" in files["two.h"]) == early
    kind = {"float32": "float", "int16": "int16_t"}[inputs]
    main = MAIN.replace("@NAME@", "two").replace("@TYPE@", kind).replace("@WIDTH@", str(X.shape[1]))
    program = compiled(folder, files | {"main.c": main}, "main.c", "two.c", "two_small.c", "two_large.c")
    done = subprocess.run([program], input=X.astype(inputs).tobytes(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    return [int(digit) for digit in done.stdout.decode()]


@needs_compiler
@pytest.mark.parametrize("inputs", ["float32", "int16"])
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_classes_are_those_of_python(kind: str, inputs: str, share: float, tmp_path: Path) -> None:
    """With limits that pass no row on, half of them, and all."""
    small, large = pair(kind, 4, threshold=0.3)
    if inputs == "int16":
        small, large = for_integers(small, 0), for_integers(large, 0)
        X = np.clip(np.rint(np.random.default_rng(0).normal(0, 9000, (ROWS, 4))), -32768, 32767)
    else:
        X = raw_inputs(small, ROWS)
    y = np.zeros(len(X), dtype=int)
    made = cascade_of(small, large, X, y, inputs=inputs)
    margin = answers(made.small, made.small.quantize(X))[1]
    least = {0.0: 0, 1.0: 2**20}.get(share, int(np.median(margin)))
    cascade = Cascade(made.small, made.large, least)
    found = codes_of_c(tmp_path, cascade, inputs, X)
    assert found == cascade.predict_q(cascade.quantize(X)).tolist()
    assert found == codes_of_c(tmp_path, cascade, inputs, X, early=True)
    asked = cascade.passed(X).mean()
    assert asked == share if share in (0.0, 1.0) else 0.2 < asked < 0.8


@needs_compiler
@pytest.mark.parametrize("place", range(len(COLUMN_TREES)))
def test_columns_stop_early_too(place: int, tmp_path: Path) -> None:
    """The vectors of the self-test have holes and unknown levels."""
    files = export_c(COLUMN_TREES[place], "early", precision="int8", early_exit=True)
    program = compiled(tmp_path, files, "early.c", "test/early_test.c")
    assert subprocess.run([program], capture_output=True).returncode == 0


@needs_compiler
def test_parts_share_the_columns_that_either_reads(tmp_path: Path) -> None:
    of_two = [tree for tree in COLUMN_TREES if tree.kind == "binary"]
    small, large = of_two[0], of_two[1]
    X = plain_features(small, plain_numbers(small, frame(200)))
    cascade = cascade_of(small, large, X, np.zeros(len(X), dtype=int))
    files = export_cascade(cascade, "two")
    assert needed(small).columns != needed(large).columns
    for part in ("small", "large"):
        program = compiled(tmp_path, files, f"two_{part}.c", f"test/two_{part}_test.c")
        assert subprocess.run([program], capture_output=True).returncode == 0
    enums = [files[f"two_{part}.h"].split("enum {")[1].split("}")[0].lower() for part in ("small", "large")]
    assert enums[0].replace("two_small", "") == enums[1].replace("two_large", "")
