"""What the example programs of all packages of C share: the model's C, and statements that fill its inputs."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from neuraltree.compress.formats import Input
from neuraltree.export.c.argument import Argument, argument_of, narrowed
from neuraltree.export.c.library import export_c
from neuraltree.export.c.parts import literal
from neuraltree.export.c.self_test import vectors
from neuraltree.export.names import MARK, comment, constants, members
from neuraltree.export.needed import needed
from neuraltree.tree.tree import Tree

DIGITS = 6  # of the numbers that stand for readings in an example
CHANGED = f"{MARK}; change a copy, as another export replaces this file."
HEAD = f"// An example for the model @NAME@. {CHANGED}"


class Model(NamedTuple):
    """A tree and its C. ``tree`` has only the columns that it reads; ``argument`` is what the C functions take;
    ``vectors``: the header of test vectors."""

    tree: Tree
    argument: Argument
    header: str
    source: str
    vectors: str

    @property
    def name(self) -> str:
        return self.argument.name

    @property
    def x(self) -> str:
        """The inputs as an argument."""
        return "&x" if self.argument.is_struct else "x"

    @property
    def word(self) -> str:
        """The word for an input in constants."""
        return "FEATURE" if self.tree.columns is None else "COLUMN"


def model_of(tree: Tree, name: str, options: dict[str, Any]) -> Model:
    """``options``: those of ``export_c``, which refuses what C cannot express."""
    files = export_c(tree, name, **options)
    argument = argument_of(needed(tree), name, narrowed(tree, options["inputs"]))
    texts = (files[file] for file in (f"{name}.h", f"{name}.c", f"test/{name}_vectors.h"))
    return Model(needed(tree), argument, *texts)


def written(template: str, model: Model, **texts: str) -> str:
    """The template with its marks replaced, ``@NAME@`` and those of ``texts``, in one pass: no name of the user's is
    taken for a mark."""
    known = {"NAME": model.name, "UPPER": model.name.upper(), "X": model.x, "INPUTS": declared(model), **texts}
    return re.sub(f"@({'|'.join(known)})@", lambda mark: known[mark[1]], template)


def declared(model: Model) -> str:
    """The variable of the inputs: an array of one type, or a struct if their types differ."""
    width = "" if model.argument.is_struct else f"[{model.name.upper()}_{model.word}S]"
    return f"static {model.argument.c_type} x{width};"


def fill(model: Model) -> str:
    """A statement for each input, with a usual number for it."""
    argument = model.argument
    places = constants(f"{model.name.upper()}_{model.word}", argument.labels)
    names = [f".{name}" for name in members(argument.labels)] if argument.is_struct else [f"[{p}]" for p in places]
    rows = zip(names, typical(model), argument.inputs, argument.labels, strict=True)
    return "\n".join(_statement(name, value, one, label) for name, value, one, label in rows)


def _statement(name: str, value: float, one: Input, label: str) -> str:
    number = str(int(value)) if one.row.is_integer else literal(value)
    scaled = f", times {one.scale:g}" if one.scale != 1 else ""
    return f"    x{name} = {number}; // {comment(label)}{scaled}".rstrip()


def typical(model: Model) -> list[float]:
    """A number for each input: the middle one of its test vectors, which is about its mean."""
    middle = [np.sort(column[np.isfinite(column)]) for column in vectors(model.tree, None, model.argument).T]
    return [float(f"{column[len(column) // 2]:.{DIGITS}g}") for column in middle]


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
