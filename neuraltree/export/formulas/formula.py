"""A tree as formulas over its raw inputs, through SymPy: expressions, plain text and LaTeX."""

from __future__ import annotations

from typing import Any

from neuraltree.activations import ACTIVATIONS, Activation
from neuraltree.export.extras import need
from neuraltree.export.formulas.formula_text import LATEX, TEXT, Language, reading
from neuraltree.export.formulas.rounding import MOST_DIGITS, rounded
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree

# Activations are undefined functions to SymPy, with a name only. Its own tanh searches its whole argument for minus
# signs, which for nested calls takes time exponential in their number.
NUMERIC = {row.formula: row.value for row in ACTIVATIONS if row.formula}  # for lambdify
DIGITS = 4


def formula(tree: Tree) -> tuple[Any, ...]:
    """A SymPy expression for each output over raw inputs, whose symbols are the feature names.

    The outputs of a regression are its targets in their own units; the output of a binary tree is the logit of its
    second class; the outputs of a multiclass tree are logits or sigmoids. Activations appear as functions by name:
    ``expanded`` replaces them by their definitions, and ``sympy.lambdify(symbols, expression, [NUMERIC, "numpy"])``
    computes them. (A feature with the name of an activation would hide it from ``lambdify``: rename its symbol first.)
    ``ValueError`` if SymPy is missing or the tree is too deep for it.
    """
    return _expressions(tree, tree.folded(), float)


def expanded(expression: Any) -> Any:
    """The expression with each named activation replaced by its definition, which SymPy can differentiate, simplify and
    evaluate."""
    sympy = need("sympy", "a formula")
    s = sympy.Dummy("s")
    for row in ACTIVATIONS:
        if row.sympy:
            expression = expression.replace(sympy.Function(row.formula), sympy.Lambda(s, row.sympy(s, sympy)))
    return expression


def export_text(tree: Tree, digits: int = DIGITS) -> str:
    """The formulas as plain text, with the meaning of the functions and outputs; numbers have ``digits`` significant
    digits.

    A feature name that is not a plain word is put in double quotes. ``ValueError`` as for ``formula``, or if
    ``digits`` is not in 1 to 17.
    """
    return _written(tree, digits, TEXT)


def export_latex(tree: Tree, digits: int = DIGITS) -> str:
    """The same in LaTeX: an ``align*`` environment of amsmath."""
    return _written(tree, digits, LATEX)


def _written(tree: Tree, digits: int, language: Language) -> str:
    if not 1 <= digits <= MOST_DIGITS:
        raise ValueError(f"digits is {digits}; a formula has 1 to {MOST_DIGITS} significant digits")
    sympy = need("sympy", "a formula")
    nodes = rounded(tree, digits)
    expressions = _expressions(tree, nodes, repr)
    codes = {~op for op in tree.nodes["op"].tolist() if op < 0}
    features = {tree.features[op] for op in nodes["op"].tolist() if op >= 0}
    show = language.printer(sympy)
    try:
        return reading(tree, [show(expression) for expression in expressions], codes, features, language)
    except RecursionError:
        raise _too_deep(tree) from None


def _expressions(tree: Tree, nodes: Nodes, number: Any) -> tuple[Any, ...]:
    """The outputs of folded nodes; ``number`` converts each double to the value that SymPy gets."""
    sympy = need("sympy", "a formula")
    symbols = [sympy.Symbol(name) for name in tree.features]
    sums: dict[int, list[Any]] = {}
    outputs = []
    try:
        for i in range(len(nodes) - 1, -1, -1):
            depth, op = int(nodes["depth"][i]), int(nodes["op"][i])
            weight, bias = (_float(sympy, number(float(nodes[part][i, 0]))) for part in ("weight", "bias"))
            value = symbols[op] if op >= 0 else _apply(sympy, ACTIVATIONS[~op], [*sums.pop(depth + 1), bias])
            if depth == 0:
                outputs.append(value)
            else:
                # A sum stays in its brackets; otherwise SymPy would multiply each of its rounded numbers.
                sums.setdefault(depth, []).append(sympy.Mul(weight, value, evaluate=not value.is_Add))
    except RecursionError:
        raise _too_deep(tree) from None
    return tuple(outputs[::-1])


def _float(sympy: Any, value: float | str) -> Any:
    """A double at full precision, or a decimal text of one, whose digits are printed unchanged."""
    return sympy.Float(value) if isinstance(value, float) else sympy.Float(value, MOST_DIGITS)


def _apply(sympy: Any, activation: Activation, terms: list[Any]) -> Any:
    total = sympy.Add(*terms)
    return sympy.Function(activation.formula)(total) if activation.formula else total


def _too_deep(tree: Tree) -> ValueError:
    return ValueError(f"a tree {tree.depth} levels deep is too deep for a formula; export it as python")
