"""A tree as a PlatformIO library, with an example project that builds it."""

from __future__ import annotations

import json

from neuraltree.compress.formats import InputSpec
from neuraltree.export.packages.arduino import VERSION
from neuraltree.export.packages.example import CHANGED, described, model_of, written
from neuraltree.export.packages.sketch import sketch
from neuraltree.tree.tree import Tree

PROJECT = f"""; The example project of the model @NAME@. {CHANGED}
; pio run builds it, pio run -t upload writes it to the board; name yours in place of uno.
[env:uno]
platform = atmelavr
board = uno
framework = arduino
lib_deps = @NAME@=symlink://../..
"""


def export_platformio(
    tree: Tree,
    name: str = "model",
    *,
    precision: str = "float32",
    style: str = "straight",
    fine: bool = False,
    inputs: InputSpec = "float32",
) -> dict[str, str]:
    """The texts of the files by file name; the options and refusals are those of ``export_c``."""
    model = model_of(tree, name, {"precision": precision, "style": style, "fine": fine, "inputs": inputs})
    includes = f"#include <Arduino.h>\n#include <{name}.h>"
    return {
        f"src/{name}.h": model.header,
        f"src/{name}.c": model.source,
        "library.json": manifest(name, described(model), "predict"),
        "examples/predict/platformio.ini": written(PROJECT, model),
        "examples/predict/src/main.cpp": sketch(model, includes),
    }


def manifest(name: str, text: str, example: str) -> str:
    """``library.json``; ``text``: what the model is, in a line. The C needs no framework, so it builds for any."""
    fields = {
        "name": name,
        "version": VERSION,
        "description": f"A neural tree, {text}, exported by neuraltree.",
        "keywords": ["neural tree", "machine learning", "tinyml"],
        "frameworks": ["*"],
        "platforms": ["*"],
        "headers": [f"{name}.h"],
        "examples": [
            {"name": example, "base": f"examples/{example}", "files": ["platformio.ini", "src/main.cpp"]},
        ],
    }
    return json.dumps(fields, indent=2) + "\n"
