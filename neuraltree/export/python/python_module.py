"""A tree as a Python module that needs only NumPy and gives the same bits as ``Tree.predict``."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from math import isfinite
from textwrap import wrap
from typing import Any

import numpy as np

from neuraltree.activations import ACTIVATIONS, Activation
from neuraltree.export.c.columns.column_vectors import features as features_read
from neuraltree.export.c.self_test import vectors
from neuraltree.export.names import MARK, comment
from neuraltree.export.needed import Read, needed, reads
from neuraltree.export.python.python_columns import described, encoding, imports
from neuraltree.export.python.python_parts import (
    CHECK,
    CLASSIFIER,
    LINKS,
    OUTPUTS,
    OUTPUTS_OF_COLUMNS,
    PREDICT,
    PROBABILITIES,
    REGRESSION,
)
from neuraltree.tree.labels import label_array
from neuraltree.tree.nodes import parents
from neuraltree.tree.soundness import DEFAULT_THRESHOLD
from neuraltree.tree.tree import Tree

WIDTH = 110
TERMS = 40  # most terms of a sum in one statement, as Python's compiler has a limit
INDENT = " " * 8
CHECKED, DIGITS = 6, 6  # rows of the check that a module contains, and digits of their inputs


def export_python(tree: Tree, name: str = "model") -> str:
    """The text of a module ``name`` with ``predict``, and ``predict_proba`` for a classifier; if run, it checks itself.

    A module of a tree with columns takes the numbers of those that the tree reads, (rows, columns), or their cells by
    name. It gives the names of features and classes as ASCII string literals, and in comments as ``names.comment``
    writes them. ``ValueError`` for a name that no module can have.
    """
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        raise ValueError(f"{name!r} cannot be the name of a Python module; use letters, digits and _, no keyword")
    tree = needed(tree)
    inner, read = (tree, ()) if tree.columns is None else reads(tree)
    kinds = sorted({~op for op in tree.nodes["op"].tolist() if op < 0})
    functions = [text for code in kinds if (text := ACTIVATIONS[code].python_function)]
    parts = [_head(tree, inner, name), *functions, *encoding(tree.columns or (), read), _outputs(inner, read)]
    if tree.classes is None:
        parts.append(REGRESSION[tree.num_outputs > 1])
    else:
        numbers = {"threshold": tree.threshold, "logit": tree.logit_threshold}
        predict = PREDICT[tree.threshold == DEFAULT_THRESHOLD]
        predict = predict.format(dtype=label_array(tree.classes).dtype.str, **numbers)
        parts += [CLASSIFIER[tree.kind], LINKS[tree.output_activation], predict, PROBABILITIES]
    if tree.columns is not None:
        parts = [part.replace("raw inputs X (rows, features)", "columns X as in ``numbers``") for part in parts]
    return "\n\n".join([*parts, _check(tree)])


def _head(tree: Tree, inner: Tree, name: str) -> str:
    """``inner``: the tree over the features that it reads; ``tree`` itself if it has no columns."""
    shown = tree.features if tree.columns is None else [f"{each.name}: {described(each)}" for each in tree.columns]
    lines = [
        f'"""{name}: a neural tree, {_summary(tree)}. {MARK}; do not edit.',
        "",
        "Inputs, the columns of X, in their own units:" if tree.columns is None else BY_COLUMN,
        *(f"  {place} {_quoted(text)}" for place, text in enumerate(shown)),
    ]
    if tree.classes is not None:
        lines += ["Classes:", *(f"  {place} {_quoted(label)}" for place, label in enumerate(tree.classes))]
    lines += ['"""', "", *imports(tree.columns or ()), "import numpy as np", "", f"FEATURES = {_tuple(inner.features)}"]
    if tree.classes is not None:
        lines.append(f"CLASSES = {_tuple(tree.classes)}")
    if tree.target_scaler is not None:
        mean, scale = (_array(part, "") for part in (tree.target_scaler.mean, tree.target_scaler.scale))
        lines += [f"TARGET_MEAN = {mean}", f"TARGET_SCALE = {scale}"]
    return "\n".join(lines) + "\n"


BY_COLUMN = """X has the columns of a table by name, with None or NaN for a missing cell, or is an array of these
numbers in this order, with NaN for a missing cell:"""


def _summary(tree: Tree) -> str:
    outputs = f", {tree.num_outputs} outputs" if tree.num_outputs > 1 else ""
    inputs = f"{len(tree.features)} inputs" if tree.columns is None else f"{len(tree.columns)} columns"
    return f"{tree.kind}: {inputs}{outputs}, {tree.num_weights} weights"


def _quoted(text: object) -> str:
    """The text in a form that is safe inside a docstring with double quotes."""
    return comment(text).replace('"', "'")


def _outputs(tree: Tree, read: Sequence[Read]) -> str:
    """The function that computes the outputs: a line for each function node, in the order of ``Tree.outputs``.

    The terms of each sum are added in that order as well, so that every rounding is the same.
    """
    depth, op = tree.nodes["depth"].tolist(), tree.nodes["op"].tolist()
    weight, bias = tree.nodes["weight"][:, 0].tolist(), tree.nodes["bias"][:, 0].tolist()
    up = parents(tree.nodes["depth"]).tolist()
    below: list[list[str]] = [[] for _ in op]
    lines = [OUTPUTS_OF_COLUMNS if read else OUTPUTS.format(width=len(tree.features))]
    lines += [_column(tree, feature) for feature in sorted({feature for feature in op if feature >= 0})]
    for i in range(len(op) - 1, -1, -1):
        if op[i] < 0:
            lines += _statements(f"n{i}", ACTIVATIONS[~op[i]], [*below[i], repr(bias[i])])
        if depth[i]:
            below[up[i]].append(f"{weight[i]!r} * {f'x{op[i]}' if op[i] >= 0 else f'n{i}'}")
    values = ", ".join(f"n{i}" for i in range(len(op)) if not depth[i])
    scaled = "" if tree.target_scaler is None else " * TARGET_SCALE + TARGET_MEAN"
    lines += _statement("return ", "np.stack([", values, f"], axis=1){scaled}")
    return "\n".join(lines) + "\n"


def _column(tree: Tree, i: int) -> str:
    column = f"X[:, {i}]"
    if tree.scaler is not None:
        mean, scale = float(tree.scaler.mean[i]), float(tree.scaler.scale[i])
        column = f"(X[:, {i}] - {mean!r}) / {scale!r}"
    return f"    x{i} = {column}  # {comment(tree.features[i])}".rstrip()


def _statements(target: str, kind: Activation, terms: list[str]) -> list[str]:
    """The lines that compute one function node from the terms of its sum."""
    lines: list[str] = []
    while len(terms) > TERMS:
        lines += _statement(f"{target} = ", "", _sum(terms[:TERMS]), "")
        terms = [target, *terms[TERMS:]]
    opening, closing = kind.python.split("{}")
    return lines + _statement(f"{target} = ", opening, _sum(terms), closing)


def _sum(terms: list[str]) -> str:
    first, *rest = terms
    return first + "".join(f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in rest)


def _statement(head: str, opening: str, body: str, closing: str) -> list[str]:
    """A statement in one line, or broken inside its brackets into several lines of about ``WIDTH`` letters."""
    if len(head + opening + body + closing) <= WIDTH:
        return [f"    {head}{opening}{body}{closing}"]
    lines = [
        f"    {head}{opening or '('}",
        *wrap(body, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False),
    ]
    return [*lines, f"    {closing or ')'}"]


def _tuple(values: tuple) -> str:
    """A tuple of names as a literal of printable ASCII, one a line."""
    return "\n".join(["(", *(f"    {value!a}," for value in values), ")"])


def _array(values: Any, indent: str) -> str:
    """An array as a literal that reads back as the same doubles."""
    rows = [f"{indent}    {_number(row)},\n" for row in values.tolist()]
    return f"np.array([\n{''.join(rows)}{indent}])"


def _number(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_number, value))}]"
    return repr(value) if isfinite(value) else f'float("{value}")'


def _check(tree: Tree) -> str:
    X = np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"))(vectors(tree)[:CHECKED])
    inner, features = tree, X
    if tree.columns is not None:
        inner, read = reads(tree)
        features, _ = features_read(read, X)
    with np.errstate(all="ignore"):
        wanted = inner.outputs(features)
    return CHECK.format(rows=_array(X, "    "), wanted=_array(wanted, "    "))
