"""What a program does not call is not linked, though all functions stand in one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuraltree.export import export_c
from neuraltree.export.c.training.on_device import export_training
from tests.helpers.cross_compilers import COMPILERS, build, section_bytes, symbols
from tests.helpers.random_models import random_model

TREE = random_model(304, "multiclass", "identity", 3)
WIDTH = len(TREE.features)
MAIN = """#include "model.h"
int main(void);
int main(void)
{{
    static volatile float raw[{width}];
    float x[{width}], p[3];
    int8_t q[{width}];
    int i;
    for (i = 0; i < {width}; ++i) {{ x[i] = raw[i]; }}
    (void)p; (void)q; (void)x;
    return {calls};
}}
"""
CALLS = {
    "model_predict": "model_predict(x)",
    "model_probabilities": "(model_probabilities(x, p), (int)p[0])",
    "model_quantize": "(model_quantize(x, q), q[0])",
    "model_predict_q": "model_predict_q(q)",
}


def program(precision: str, style: str, names: list[str]) -> dict[str, str]:
    files = export_c(TREE, "model", precision=precision, style=style)
    main = MAIN.format(width=WIDTH, calls=" + ".join(CALLS[name] for name in names))
    return {"model.c": files["model.c"], "model.h": files["model.h"], "main.c": main}


@pytest.mark.parametrize("style", ["straight", "table"])
@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_only_what_is_called_is_linked(compiler: str, precision: str, style: str, tmp_path: Path) -> None:
    """Without -ffunction-sections, which many build files lack."""
    options = ("-std=c99", "-O2", "-Wl,--gc-sections")
    elf = build(tmp_path, program(precision, style, ["model_predict"]), compiler, options)
    found = symbols(elf)
    assert "model_predict" in found
    assert "model_probabilities" not in found
    assert precision == "float32" or "nt_exp" not in found, "only probabilities need e^x in integer code"
    both = build(tmp_path, program(precision, style, ["model_predict", "model_probabilities"]), compiler, options)
    assert {"model_predict", "model_probabilities", "nt_exp"} <= set(symbols(both))


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_section_for_each_function_changes_nothing_more(compiler: str, precision: str, tmp_path: Path) -> None:
    files = program(precision, "straight", ["model_predict"])
    sizes = [
        section_bytes(build(tmp_path, files, compiler, ("-std=c99", "-O2", "-Wl,--gc-sections", *more)), ".text")
        for more in ((), ("-ffunction-sections",))
    ]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("compiler", [name for name in COMPILERS if name.startswith("gcc")])
def test_a_program_that_uses_the_trained_tree_alone_links_no_training(compiler: str, tmp_path: Path) -> None:
    files = export_training(TREE, "model")
    main = MAIN.format(width=WIDTH, calls="model_trained_predict(x)").replace("model.h", "model_train.h")
    files = {name: text for name, text in files.items() if name.startswith("model_train.")} | {"main.c": main}
    found = symbols(build(tmp_path, files, compiler, ("-std=c99", "-O2", "-Wl,--gc-sections")))
    assert "model_trained_predict" in found
    assert not {"model_train", "model_reset", "nt_log"} & set(found)
