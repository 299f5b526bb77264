"""Models for tests of packages, what their example programs should print, and writing the files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neuraltree.compress import quantize_tree
from neuraltree.export.needed import needed
from neuraltree.tree.model_files import dumps, loads
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import edge_models, random_model
from tests.helpers.table_models import plain_features, table_model

NASTY = ('say "no" \\ */ ??/', "@NAME@\n#include", "% §d")
# A model of each kind, with names that end strings, comments and marks, and the options of its export.
MODELS: dict[str, tuple[Tree, dict[str, Any]]] = {
    "floats": (random_model(1), {}),
    "floats_table": (replace(random_model(3, "multiclass", "identity", 3), classes=NASTY), {"style": "table"}),
    "integers": (replace(random_model(7, "multiclass", "sigmoid", 4), classes=("a", *NASTY)), {"precision": "int8"}),
    "integers_table": (edge_models()["threshold_low"], {"precision": "int8", "style": "table"}),
    "columns": (loads(dumps(table_model(5, "binary"))), {"precision": "int8"}),
}


def save_files(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def printed_by(tree: Tree, options: Mapping[str, Any], program: str) -> str | float:
    """What an example prints for the numbers that stand in it: a class in ASCII, or a value."""
    row = np.array([[float(number) for number in re.findall(r"^    x\[\w+\] = (\S+)f;", program, re.MULTILINE)]])
    if tree.columns is not None:
        tree = needed(tree)
        row = plain_features(tree, row)
        tree = replace(tree, columns=None)
    model = quantize_tree(tree) if options.get("precision") == "int8" else tree
    found = model.predict(row)[0]
    return float(found) if tree.classes is None else plain(str(found))


def plain(label: str) -> str:
    """A class as its name stands in exported C."""
    letters = "".join(letter if letter.isprintable() and letter != "\\" else " " for letter in label)
    text = letters.encode("ascii", "replace").decode().replace("*/", "* /").replace("??", "?")
    return text.strip()
