"""What the example programs of all packages of C share: the model's C, and statements that fill its inputs."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from neuraltree.export.c.library import export_c
from neuraltree.export.c.parts import literal
from neuraltree.export.c.self_test import vectors
from neuraltree.export.names import MARK, comment, constants
from neuraltree.export.needed import needed
from neuraltree.tree.tree import Tree

DIGITS = 6  # of the numbers that stand for readings in an example
CHANGED = f"{MARK}; change a copy, as another export replaces this file."
HEAD = f"// An example for the model @NAME@. {CHANGED}"


class Model(NamedTuple):
    """A tree and its C. ``tree`` has only the columns that it reads; ``word`` is that for an input in constants."""

    tree: Tree
    name: str
    header: str
    source: str
    word: str

    @property
    def width(self) -> str:
        """The C constant of the number of inputs."""
        return f"{self.name.upper()}_{self.word}S"


def model_of(tree: Tree, name: str, options: dict[str, Any]) -> Model:
    """``options``: those of ``export_c``, which refuses what C cannot express."""
    files = export_c(tree, name, **options)
    word = "FEATURE" if tree.columns is None else "COLUMN"
    return Model(needed(tree), name, files[f"{name}.h"], files[f"{name}.c"], word)


def written(template: str, model: Model, **texts: str) -> str:
    """The template with ``@NAME@``, ``@UPPER@``, ``@WIDTH@`` and the marks of ``texts`` replaced, in one pass: no name
    of the user's is taken for a mark."""
    known = {"NAME": model.name, "UPPER": model.name.upper(), "WIDTH": model.width, **texts}
    return re.sub(f"@({'|'.join(known)})@", lambda mark: known[mark[1]], template)


def fill(model: Model) -> str:
    """A statement for each input, with a usual number for it."""
    tree = model.tree
    names = tree.features if tree.columns is None else [column.name for column in tree.columns]
    places = constants(f"{model.name.upper()}_{model.word}", names)
    rows = zip(places, typical(tree), names, strict=True)
    return "\n".join(f"    x[{place}] = {literal(value)}; // {comment(name)}".rstrip() for place, value, name in rows)


def typical(tree: Tree) -> list[float]:
    """A number for each input, about its mean, or for a column any that it may have."""
    X = vectors(tree)
    row = X[np.isfinite(X).all(axis=1)][0]
    return [float(f"{value:.{DIGITS}g}") for value in row.tolist()]


def class_rows(model: Model) -> list[tuple[str, str]]:
    """The C constant of each class, and its name as a string literal."""
    classes = model.tree.classes or ()
    places = constants(f"{model.name.upper()}_CLASS", classes)
    return [(place, text_literal(label)) for place, label in zip(places, classes, strict=True)]


def text_literal(text: object) -> str:
    """The text in printable ASCII as a string literal of C."""
    return '"' + comment(text).replace('"', '\\"') + '"'


def described(model: Model) -> str:
    """One line about the tree, from its header."""
    found = re.search(r"A neural tree, (.*?)\. Written by", model.header)
    return found[1] if found else "a neural tree"
