"""Formulas as text: names, definitions and the meaning of the outputs, in plain text and in LaTeX."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from itertools import cycle
from typing import Any, NamedTuple

from neuraltree.activations import ACTIVATIONS
from neuraltree.export.formulas.column_legend import meaning
from neuraltree.export.names import MARK
from neuraltree.tree.soundness import DEFAULT_THRESHOLD
from neuraltree.tree.tree import Tree


class Language(NamedTuple):
    """One language of formulas. Its templates have places: {k}, the position of an output; {last}, the position of the
    last output; {name}, {first} and {second}, names of classes; {value}, a formula; {threshold}, a probability;
    {summary}, the summary of the tree."""

    printer: Callable[[Any], Callable[[Any], str]]  # from sympy to a function that writes an expression
    name: Callable[[object], str]  # of a feature or a class
    outputs: dict[tuple[bool, bool], str]  # by whether the tree is a classifier, and whether it has several outputs
    meanings: dict[tuple[str, str], tuple[str, ...]]  # by kind and output activation: templates for the classes in turn
    decision: str  # the predicted class of a tree whose threshold is not 0.5
    definitions: tuple[str, ...]  # by activation code; empty for an activation that everyone knows
    feature: str  # how a feature comes from a column: {name}, the feature; {value}, the words
    column: Callable[[str], str]  # the name of a column or a level within words
    words: Callable[[str], str]  # words as they stand in the language
    before: str
    between: str
    after: str


def reading(
    tree: Tree, formulas: list[str], codes: Collection[int], features: Collection[str], language: Language
) -> str:
    """The whole text around formulas that are written in ``language``.

    ``codes``, ``features``: the activations and the names of the features in the formulas.
    """
    output = language.outputs[tree.classes is not None, len(formulas) > 1]
    lines = [output.format(k=k, value=text) for k, text in enumerate(formulas)]
    meanings = language.meanings.get((tree.kind, tree.output_activation), ())
    names, last = tree.classes or (), len(formulas) - 1
    for k, (template, label) in enumerate(zip(cycle(meanings), names, strict=False)):
        lines.append(template.format(k=k, last=last, name=language.name(label)))
    if tree.threshold != DEFAULT_THRESHOLD:
        first, second = map(language.name, names)
        lines.append(language.decision.format(first=first, second=second, threshold=tree.threshold))
    lines += filter(None, (language.definitions[code] for code in sorted(codes)))
    lines += _sources(tree, features, language)
    summary = f"{tree.kind}: {len(tree.features)} inputs, {tree.num_weights} weights. {MARK}; do not edit."
    return language.before.format(summary=summary) + language.between.join(lines) + language.after


def _sources(tree: Tree, features: Collection[str], language: Language) -> Iterator[str]:
    """A line for each of the features that is not the number of a column itself."""
    for column in tree.columns or ():
        for feature in column.features:
            value = meaning(column, feature, language.column)
            if value and feature.name in features:
                yield language.feature.format(name=language.name(feature.name), value=language.words(value))


# All other words in formulas and definitions; a feature with such a name is put in quotes.
WORDS = {"y", "z", "s", "P", "exp"}
WORDS |= {word for row in ACTIVATIONS for word in re.findall(r"[^\W\d]\w*", f"{row.formula} {row.text}")}


def text_name(name: object) -> str:
    """A plain word as it is, any other text in double quotes with JSON's escapes, a number as Python writes it."""
    if not isinstance(name, str):
        return repr(name)
    if name.isidentifier() and name not in WORDS:
        return name
    quoted = json.dumps(name, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in quoted)


def _text_printer(sympy: Any) -> Callable[[Any], str]:
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):
        def _print_Symbol(self, expr: Any) -> str:
            return text_name(expr.name)

    return Printer({"full_prec": False}).doprint


ESCAPES = str.maketrans(
    {
        **{letter: f"\\{letter}" for letter in "#$%&_{}"},
        **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
        **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
    }
)


def latex_name(name: object) -> str:
    """LaTeX that shows the name as it is; a character that cannot be printed becomes a blank."""
    plain = "".join(letter if letter.isprintable() else " " for letter in str(name))
    return rf"\text{{{plain.translate(ESCAPES)}}}"


def _latex_printer(sympy: Any) -> Callable[[Any], str]:
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):
        def _print_Symbol(self, expr: Any, style: str = "plain") -> str:
            return latex_name(expr.name)

    return Printer({"mul_symbol": "dot"}).doprint


TEXT = Language(
    printer=_text_printer,
    name=text_name,
    outputs={
        (False, False): "y = {value}",
        (False, True): "y[{k}] = {value}",
        (True, False): "z = {value}",
        (True, True): "z[{k}] = {value}",
    },
    meanings={
        ("binary", "identity"): ("P({name}) = 1 / (1 + exp(z))", "P({name}) = 1 / (1 + exp(-z))"),
        ("multiclass", "identity"): ("P({name}) = exp(z[{k}]) / (exp(z[0]) + ... + exp(z[{last}]))",),
        ("multiclass", "sigmoid"): ("P({name}) = z[{k}] / (z[0] + ... + z[{last}])",),
    },
    decision="class = {second} if P({second}) > {threshold}, else {first}",
    definitions=tuple(row.text for row in ACTIVATIONS),
    feature="{name} = {value}",
    column=text_name,
    words=str,
    before="# {summary}\n",
    between="\n",
    after="\n",
)
LATEX = Language(
    printer=_latex_printer,
    name=latex_name,
    outputs={
        (False, False): "y &= {value}",
        (False, True): "y_{{{k}}} &= {value}",
        (True, False): "z &= {value}",
        (True, True): "z_{{{k}}} &= {value}",
    },
    meanings={
        ("binary", "identity"): (r"P({name}) &= \frac{{1}}{{1 + e^{{z}}}}", r"P({name}) &= \frac{{1}}{{1 + e^{{-z}}}}"),
        ("multiclass", "identity"): (r"P({name}) &= \frac{{e^{{z_{{{k}}}}}}}{{\sum_{{j=0}}^{{{last}}} e^{{z_j}}}}",),
        ("multiclass", "sigmoid"): (r"P({name}) &= \frac{{z_{{{k}}}}}{{\sum_{{j=0}}^{{{last}}} z_j}}",),
    },
    decision=(
        r"\text{{class}} &= \begin{{cases}} {second} & \text{{if }} P({second}) > {threshold} \\ "
        r"{first} & \text{{otherwise}} \end{{cases}}"
    ),
    definitions=tuple(row.latex for row in ACTIVATIONS),
    feature="{name} &= {value}",
    column=str,
    words=latex_name,
    before="% {summary}\n\\begin{{align*}}\n",
    between=" \\\\\n",
    after="\n\\end{align*}\n",
)
