"""The values of ``python -m neuraltree.export --to``, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from neuraltree.compress.formats import PRECISIONS, STYLES, input_spec

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

Made = dict[str, str] | str | bytes


class Format(NamedTuple):
    """``make(tree, name, **options)`` returns the content of a file, or the files of a folder by name."""

    make: Callable[..., Made]
    help: str
    options: dict[str, tuple[Any, ...]]  # the options it takes and their allowed values; an empty tuple allows any
    suffixes: tuple[str, ...] = ()  # allowed endings of its file; empty if it writes a folder
    marked: bool = True  # whether its file says that it is an export, so that a new export may replace it
    then: str = ""  # the next step for the user, with the places {folder} {file} {name}
    # Of a folder: the files by which an earlier export is known, with the place {name}.
    heads: tuple[str, ...] = ("{name}.h", "{name}_train.h")
    integers: bool = False  # whether int8 means code in integers, so that what they lose is said


def _c(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.c.library import export_c

    if "input" in options:
        options["inputs"] = input_spec(options.pop("input"))
    return export_c(tree, name, **_fine(options))


def _constants(tree: Tree, name: str, *, program: str = "") -> Made:
    from pathlib import Path

    from neuraltree.export.c.constants.block import export_constants
    from neuraltree.export.c.constants.layout import read_layout

    if not program:
        raise ValueError("--to constants needs --program HEADER.h, of the program that will read the constants")
    return export_constants(tree, read_layout(Path(program).read_text("utf-8", errors="replace")))


def _arduino(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.packages.arduino import export_arduino

    return export_arduino(tree, name, **_fine(options))


def _platformio(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.packages.platformio import export_platformio

    return export_platformio(tree, name, **_fine(options))


def _zephyr(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.packages.zephyr import export_zephyr

    return export_zephyr(tree, name, **_fine(options))


def _fine(options: dict[str, Any]) -> dict[str, Any]:
    """The options of the command as those of the functions."""
    return {{"wide": "fine"}.get(name, name): value for name, value in options.items()}


def _training(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.c.training.on_device import export_training

    return export_training(tree, name)


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


C_OPTIONS: dict[str, tuple[Any, ...]] = {"name": (), "precision": PRECISIONS, "style": STYLES, "wide": ()}
COMPILE = "cd {folder} && cc -std=c99 -I. {name}%s.c test/{name}%s_test.c -o check && ./check"

FORMATS: dict[str, Format] = {
    "c": Format(
        _c,
        "C99 that predicts, with a program that checks it",
        C_OPTIONS | {"input": (), "constants": ()},
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
    "arduino": Format(
        _arduino,
        "an Arduino library of the C code, with sketches that predict and check",
        C_OPTIONS,
        then="to use it: copy {folder} into the libraries folder of your sketchbook; see File > Examples > {name}",
        heads=("src/{name}.h",),
        integers=True,
    ),
    "platformio": Format(
        _platformio,
        "a PlatformIO library of the C code, with an example project",
        C_OPTIONS,
        then="to build the example: cd {folder}/examples/predict && pio run",
        heads=("src/{name}.h",),
        integers=True,
    ),
    "zephyr": Format(
        _zephyr,
        "a Zephyr module of the C code, with a sample application",
        C_OPTIONS,
        then="to build the sample: west build -b BOARD {folder}/samples/predict",
        heads=("include/{name}.h",),
        integers=True,
    ),
    "c-train": Format(
        _training,
        "C99 that trains on the device, in float32",
        {"name": (), "precision": ("float32",)},
        then="to check it: " + COMPILE.replace("%s", "_train"),
    ),
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
