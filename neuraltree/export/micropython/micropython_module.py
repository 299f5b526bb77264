"""A tree as one module of plain Python for MicroPython: no NumPy, and nothing that MicroPython lacks."""

from __future__ import annotations

import keyword
from collections.abc import Sequence

import numpy as np

from neuraltree.compress.formats import number_format
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.export.micropython import plain_floats, plain_integers
from neuraltree.export.micropython.plain_parts import CLASSIFIER, HEAD, LINKS
from neuraltree.export.names import MARK, check_name, comment
from neuraltree.export.needed import Read, needed, reads
from neuraltree.export.python.python_columns import described
from neuraltree.inputs.features import RULES
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree

# Modules of MicroPython and its boards: a file of such a name would be taken for them, or they for it.
MODULES = frozenset(
    """
    array asyncio binascii bluetooth board boot builtins cmath collections cryptolib deflate digitalio errno esp esp32
    framebuf gc hashlib heapq io json machine main math microbit micropython neopixel network openamp os platform pyb
    random re rp2 select socket ssl stm struct sys time uctypes vfs zephyr zlib
    """.split()  # noqa: SIM905
)


def export_micropython(tree: Tree, name: str = "model", *, precision: str = "float32") -> str:
    """The text of a module ``name`` with ``predict``, and ``probabilities`` for a classifier.

    int8: tables in bytes and integers alone, ``predict`` gives the bits of ``compress.quantize_tree``. float32: the
    board's own floats. ``ValueError`` for a name that MicroPython's modules have, several targets, or a tree that
    single floats or integers cannot hold.
    """
    is_integer = number_format(precision).is_integer
    if keyword.iskeyword(check_name(name)) or name in MODULES:
        raise ValueError(f"{name!r} cannot be the name of a module of MicroPython, as it has one; give another name")
    refuse_several_targets(tree.kind, tree.num_outputs, "MicroPython export")
    tree = needed(tree)
    inner, read = (tree, ()) if tree.columns is None else reads(tree)
    with np.errstate(all="ignore"):  # a number that overflows is refused where it would be written
        if is_integer:
            body = plain_integers.body(inner, quantize_tree(inner), bool(read))
        else:
            body = plain_floats.body(inner, bool(read))
    parts = [_head(tree, name), *_encoding(read), *body]
    if tree.classes is not None:
        parts += [CLASSIFIER, LINKS[tree.kind, tree.output_activation]]
    return "\n\n".join(part.rstrip("\n") + "\n" for part in parts)


def _head(tree: Tree, name: str) -> str:
    names = tree.features if tree.columns is None else [f"{each.name}: {described(each)}" for each in tree.columns]
    shown = "\n".join(f"#   x[{i}]: {comment(text)}".rstrip() for i, text in enumerate(names))
    text = HEAD.format(name=name, kind=tree.kind, weights=tree.num_weights, mark=MARK, inputs=shown)
    if tree.classes is not None:
        text += f"CLASSES = ({', '.join(f'{label!a}' for label in tree.classes)},)\n"
    return text


def _encoding(read: Sequence[Read]) -> list[str]:
    """From the numbers of columns to the features that are read; nothing without columns."""
    if not read:
        return []
    functions = dict.fromkeys(RULES[each.feature.rule].plain_function for each in read)
    rows = [f"        {_feature(each)},  # {comment(each.feature.name)}" for each in read]
    return [*filter(None, functions), "\n".join(["def _features(x):", "    return (", *rows, "    )"])]


def _feature(read: Read) -> str:
    numbers = (plain_floats.number(value) for value in read.feature.numbers)
    return RULES[read.feature.rule].plain.format(*numbers, x=f"x[{read.column}]")
