"""A tree as an Arduino library of the 1.5 layout: sources, keywords, and sketches that predict and that check."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neuraltree.compress.formats import InputSpec
from neuraltree.export.packages.example import Model, described, model_of
from neuraltree.export.packages.sketch import self_test_sketch, sketch
from neuraltree.tree.tree import Tree

VERSION = "1.0.0"
# Arduino's tools want an address. This one is reserved for examples, so it is nobody's.
URL = "https://example.com/"


def export_arduino(
    tree: Tree,
    name: str = "model",
    *,
    precision: str = "float32",
    style: str = "straight",
    fine: bool = False,
    inputs: InputSpec = "float32",
) -> dict[str, str]:
    """The texts of the files by file name; the options are those of ``export_c``.

    ``ValueError`` also for a name that starts with "arduino": such names are kept for Arduino's own libraries.
    """
    check_library_name(name)
    model = model_of(tree, name, {"precision": precision, "style": style, "fine": fine, "inputs": inputs})
    includes = f"#include <{name}.h>"
    return {
        f"src/{name}.h": model.header,
        f"src/{name}.c": model.source,
        "library.properties": properties(name, described(model)),
        "keywords.txt": keywords(name, model.header, [f"{name}_input"] * model.argument.is_struct),
        "README.md": _readme(model),
        "examples/Predict/Predict.ino": sketch(model, includes),
        "examples/SelfTest/SelfTest.ino": self_test_sketch(model, includes),
        f"examples/SelfTest/{name}_vectors.h": model.vectors,
    }


def check_library_name(name: str) -> None:
    """``ValueError`` for a name that is kept for Arduino's own libraries."""
    if name.lower().startswith("arduino"):
        raise ValueError(f"{name!r} cannot be the name of an Arduino library: names with Arduino in front are its own")


def properties(name: str, text: str) -> str:
    """``library.properties``; ``text``: what the model is, in a line."""
    fields = {
        "name": name,
        "version": VERSION,
        "author": "neuraltree",
        "maintainer": "neuraltree",
        "sentence": f"A neural tree ({text}).",
        "paragraph": "Exported by neuraltree. It uses no heap and no other library.",
        "category": "Data Processing",
        "url": URL,
        "architectures": "*",
        "includes": f"{name}.h",
    }
    return "".join(f"{key}={value}\n" for key, value in fields.items())


def keywords(name: str, header: str, types: Sequence[str]) -> str:
    """The names that Arduino's editor colours, between tabs: types, functions, constants."""
    functions = re.findall(rf"\b({name}_\w+)\(", header)
    places = re.findall(rf"^ +({name.upper()}_\w+) =", header, re.MULTILINE)
    rows = [(kind, "KEYWORD1") for kind in types]
    rows += [(word, "KEYWORD2") for word in dict.fromkeys(functions)]
    rows += [(word, "LITERAL1") for word in dict.fromkeys(places)]
    return "".join(f"{word}\t{kind}\n" for word, kind in rows)


def _readme(model: Model) -> str:
    return f"""# {model.name}

A neural tree, {described(model)}, exported by neuraltree.

Copy this folder into the `libraries` folder of your sketchbook and restart the IDE. Two examples then stand under
File > Examples > {model.name}: `Predict` fills the inputs with usual numbers, to be replaced by readings; `SelfTest`
compares the model with Python on this board. `src/{model.name}.h` says what the functions do.

Before you publish the library, put your own address into `url` in `library.properties`, and add a licence.
"""
