"""The rows of ``python -m neuraltree.export --to`` that are packages of a build system or a language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuraltree.compress.formats import PRECISIONS
from neuraltree.export.format_row import C_OPTIONS, Format, Made, c_options

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


def _arduino(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.packages.arduino import export_arduino

    return export_arduino(tree, name, **c_options(options))


def _platformio(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.packages.platformio import export_platformio

    return export_platformio(tree, name, **c_options(options))


def _zephyr(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.packages.zephyr import export_zephyr

    return export_zephyr(tree, name, **c_options(options))


def _micropython(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.micropython.micropython_module import export_micropython

    return export_micropython(tree, name, **options)


def _rust(tree: Tree, name: str, **options: Any) -> Made:
    from neuraltree.export.rust.crate import export_rust

    return export_rust(tree, name, **options)


PACKAGES: dict[str, Format] = {
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
    "micropython": Format(
        _micropython,
        "a module for MicroPython, in integers or in floats",
        {"precision": PRECISIONS},
        (".py",),
        then="to copy it to a board: mpremote cp {file} :",
        integers=True,
    ),
    "rust": Format(
        _rust,
        "a Rust crate without std, with a test that checks it",
        {"name": (), "precision": PRECISIONS},
        then="to check it: cd {folder} && cargo test --offline",
        heads=("src/lib.rs",),
        integers=True,
    ),
}
