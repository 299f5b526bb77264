"""The values of ``python -m neuraltree.export --to``, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuraltree.compress.formats import PRECISIONS
from neuraltree.export.format_row import C_OPTIONS, Format, Made, c_options
from neuraltree.export.package_formats import PACKAGES

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


def _c(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.c.library import export_c

    return export_c(tree, name, **c_options(options))


def _constants(tree: Tree, name: str, *, program: str = "") -> Made:
    from pathlib import Path

    from neuraltree.export.c.constants.block import export_constants
    from neuraltree.export.c.constants.layout import read_layout
    from neuraltree.tree.soundness import refuse_several_targets

    refuse_several_targets(tree.kind, tree.num_outputs, "C export")
    if not program:
        raise ValueError("--to constants needs --program HEADER.h, of the program that will read the constants")
    return export_constants(tree, read_layout(Path(program).read_text("utf-8", errors="replace")))


def _training(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.c.training.on_device import export_training
    from neuraltree.export.c.training.updated import trained_nodes

    options.pop("precision", None)  # there is one
    return export_training(tree, name, trained_nodes(tree, **options))


def _onnx(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.onnx.onnx_model import export_onnx

    return export_onnx(tree, name=name, **options)


def _python(tree: Tree, name: str) -> Made:
    from neuraltree.export.python.python_module import export_python

    return export_python(tree, name)


def _text(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.formulas.formula import export_text

    return export_text(tree, **options)


def _latex(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.formulas.formula import export_latex

    return export_latex(tree, **options)


def _dot(tree: Tree, name: str) -> Made:
    from neuraltree.export.dot import export_dot

    return export_dot(tree)


def _json(tree: Tree, name: str) -> Made:
    from neuraltree.tree.model_files import dumps

    return dumps(tree)


COMPILE = "cd {folder} && cc -std=c99 -I. {name}%s.c test/{name}%s_test.c -o check && ./check"

FORMATS: dict[str, Format] = {
    "c": Format(
        _c,
        "C99 that predicts, with a program that checks it",
        C_OPTIONS | {"constants": (), "early_exit": ()},
        then="to check it: " + COMPILE.replace("%s", ""),
        integers=True,
    ),
    "constants": Format(
        _constants,
        "the constants of another model for a program that was written with --constants",
        {"program": ()},
        (".bin",),
        marked=False,
    ),
    "c-train": Format(
        _training,
        "C99 that trains on the device, in float32",
        {"name": (), "precision": ("float32",), "update": (), "select": (), "rows": ()},
        then="to check it: " + COMPILE.replace("%s", "_train"),
    ),
    **PACKAGES,
    "onnx": Format(
        _onnx,
        "ONNX, opset 13; int8: 8-bit weights, float32 arithmetic",
        {"precision": PRECISIONS},
        (".onnx",),
    ),
    "python": Format(_python, "a module that needs only NumPy", {}, (".py",), then="to check it: python {file}"),
    "latex": Format(_latex, "the formula in LaTeX (amsmath)", {"digits": ()}, (".tex",)),
    "text": Format(_text, "the formula in plain text", {"digits": ()}, (".txt",)),
    "dot": Format(
        _dot, "a drawing for Graphviz", {}, (".dot", ".gv"), then="to draw it: dot -Tsvg {file} -o {name}.svg"
    ),
    "json": Format(_json, "a model file, also from a model of BNeuralT or MONT", {}, (".json",), marked=False),
}
