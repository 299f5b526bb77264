"""Models for tests of packages, what their example programs should print, and writing the files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neuraltree.compress import quantize_tree
from neuraltree.compress.input_types import sources
from neuraltree.export.needed import needed
from neuraltree.tree.model_files import dumps, loads
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import edge_models, random_model, wide_tree
from tests.helpers.table_models import plain_features, table_model

NASTY = ('say "no" \\ */ ??/', "@NAME@\n#include", "% §d")
MIXED = {"default": "int16/100", "x0": "uint8", "x1": "float32"}  # a struct in C
# A model of each kind, with names that end strings, comments and marks, and the options of its export.
MODELS: dict[str, tuple[Tree, dict[str, Any]]] = {
    "floats": (random_model(1), {}),
    "floats_table": (replace(random_model(3, "multiclass", "identity", 3), classes=NASTY), {"style": "table"}),
    "integers": (replace(random_model(7, "multiclass", "sigmoid", 4), classes=("a", *NASTY)), {"precision": "int8"}),
    "integers_table": (edge_models()["threshold_low"], {"precision": "int8", "style": "table"}),
    "counts": (edge_models()["threshold_high"], {"precision": "int8", "inputs": "int16/100"}),
    "mixed": (random_model(4, "multiclass", "identity", 3), {"precision": "int8", "inputs": MIXED}),
    "bytes": (
        replace(wide_tree(0, 130, 9, 4), scaler=Scaler(np.full(130, 90.0), np.full(130, 60.0))),
        {"precision": "int8", "style": "coded", "inputs": "uint8"},
    ),
    "columns": (loads(dumps(table_model(5, "binary"))), {"precision": "int8"}),
}


def save_files(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def printed_by(tree: Tree, options: Mapping[str, Any], program: str) -> str | float:
    """What an example prints for the numbers that stand in it: a class in ASCII, or a value."""
    found = re.findall(r"^    x(?:\[\w+\]|\.\w+) = (-?[\d.]+(?:e[+-]?\d+)?)f?;", program, re.MULTILINE)
    row = np.array([list(map(float, found))])
    if tree.columns is not None:
        tree = needed(tree)
        row = plain_features(tree, row)
        tree = replace(tree, columns=None)
    of = sources(tree, options["inputs"]) if "inputs" in options else ()
    model = quantize_tree(tree, sources=of) if options.get("precision") == "int8" else tree
    answer = model.predict(row)[0]
    return float(answer) if tree.classes is None else plain(str(answer))


def plain(label: str) -> str:
    """A class as its name stands in exported C."""
    letters = "".join(letter if letter.isprintable() and letter != "\\" else " " for letter in label)
    text = letters.encode("ascii", "replace").decode().replace("*/", "* /").replace("??", "?")
    return text.strip()
