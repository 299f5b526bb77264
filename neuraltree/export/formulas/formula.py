"""A tree as formulas over its raw inputs, through SymPy: expressions, plain text and LaTeX."""

from __future__ import annotations

from typing import Any

from neuraltree.activations import ACTIVATIONS, Activation
from neuraltree.export.extras import need
from neuraltree.export.formulas.formula_text import LATEX, TEXT, Language, reading
from neuraltree.export.formulas.rounding import MOST_DIGITS, rounded
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree

# Functions are names to SymPy: its own tanh looks for minus signs in all of its argument, which for one within another
# takes time exponential in their number.
NUMERIC = {row.formula: row.value for row in ACTIVATIONS if row.formula}  # for lambdify
DIGITS = 4


def formula(tree: Tree) -> tuple[Any, ...]:
    """A SymPy expression for each output over raw inputs, whose symbols are the feature names.

    A regression's are its targets in their own units, a binary tree's is the logit of its second class, those of
    several classes are logits or sigmoids. Activations are functions by name: ``expanded`` replaces them by their
    definitions, and ``sympy.lambdify(symbols, expression, [NUMERIC, "numpy"])`` computes them.
    (A feature called like one of them would hide it from ``lambdify``: rename its symbol first.) ``ValueError``
    without SymPy, or for a tree too deep for it.
    """
    return _expressions(tree, tree.folded(), float)


def expanded(expression: Any) -> Any:
    """The expression with functions that SymPy can differentiate, simplify and evaluate in place of their names."""
    sympy = need("sympy", "a formula")
    s = sympy.Dummy("s")
    for row in ACTIVATIONS:
        if row.sympy:
            expression = expression.replace(sympy.Function(row.formula), sympy.Lambda(s, row.sympy(s, sympy)))
    return expression


def export_text(tree: Tree, digits: int = DIGITS) -> str:
    """The formulas as plain text, numbers to ``digits`` significant digits, with what the functions and outputs mean.

    Feature names that are no plain word stand in double quotes. ``ValueError`` as for ``formula`` and ``digits``.
    """
    return _written(tree, digits, TEXT)


def export_latex(tree: Tree, digits: int = DIGITS) -> str:
    """The same in LaTeX: an ``align*`` environment of amsmath."""
    return _written(tree, digits, LATEX)


def _written(tree: Tree, digits: int, language: Language) -> str:
    if not 1 <= digits <= MOST_DIGITS:
        raise ValueError(f"digits is {digits}; a formula has 1 to {MOST_DIGITS} significant digits")
    sympy = need("sympy", "a formula")
    expressions = _expressions(tree, rounded(tree, digits), repr)
    codes = {~op for op in tree.nodes["op"].tolist() if op < 0}
    show = language.printer(sympy)
    try:
        return reading(tree, [show(expression) for expression in expressions], codes, language)
    except RecursionError:
        raise _too_deep(tree) from None


def _expressions(tree: Tree, nodes: Nodes, number: Any) -> tuple[Any, ...]:
    """The outputs of folded nodes; ``number`` makes of a double what SymPy is given."""
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
                # A sum stays in its brackets, or each of its rounded numbers would become a product.
                sums.setdefault(depth, []).append(sympy.Mul(weight, value, evaluate=not value.is_Add))
    except RecursionError:
        raise _too_deep(tree) from None
    return tuple(outputs[::-1])


def _float(sympy: Any, value: float | str) -> Any:
    """A double as it is, or the text of one in decimal, which prints as it stands."""
    return sympy.Float(value) if isinstance(value, float) else sympy.Float(value, MOST_DIGITS)


def _apply(sympy: Any, activation: Activation, terms: list[Any]) -> Any:
    total = sympy.Add(*terms)
    return sympy.Function(activation.formula)(total) if activation.formula else total


def _too_deep(tree: Tree) -> ValueError:
    return ValueError(f"a tree {tree.depth} levels deep is too deep for a formula; export it as python")
