"""The parts of the C files of a tree in single floats."""

from __future__ import annotations

from collections.abc import Sequence

from neuraltree.compress.formats import Input
from neuraltree.export.c.argument import Argument
from neuraltree.export.c.code import Code
from neuraltree.export.c.columns import column_code
from neuraltree.export.c.decisions import answer, largest, probabilities, scores, scores_declaration
from neuraltree.export.c.floats import float_code
from neuraltree.export.c.parts import literal
from neuraltree.export.needed import Read
from neuraltree.inputs.features import Feature
from neuraltree.tree.tree import Tree


def float_library(
    tree: Tree,
    argument: Argument,
    style: str,
    reads: Sequence[Read] = (),
    stored: str = "float32",
    with_scores: bool = False,
) -> Code:
    """The code of a tree without columns that takes raw inputs, or if ``reads`` says what its inputs are, columns.
    ``stored``: how a table stores weights, a key of ``STORED``. ``with_scores``: with ``NAME_scores``, for classes.

    ``ValueError`` for numbers that single floats cannot hold.
    """
    name = argument.name
    if argument.is_struct and style == "table" and not reads:  # a table finds its inputs by their positions
        reads = [Read(i, Feature(label, "value")) for i, label in enumerate(argument.labels)]
    features = Argument(name, (Input(),) * len(tree.features), tree.features) if reads else argument
    definitions, outputs = float_code.body(tree, features, style, stored)
    result = "float" if tree.classes is None else "int"
    threshold = literal(tree.logit_threshold) if tree.logit_threshold else "0"
    before, inputs = column_code.encoded(reads)
    run = f"{before}    nt_outputs({inputs}, y);\n"
    lines = f"    float y[{tree.num_outputs}];\n{run}    return {answer(tree, name, threshold)};\n"
    entries = [largest(name, "float")] if tree.kind == "multiclass" else []
    entries.append(f"NT_PUBLIC {result} {name}_predict({argument.parameter})\n{{\n{lines}}}\n")
    if tree.classes is not None:
        entries.append(probabilities(tree, argument, run=run, share="y[k]"))
    if with_scores:
        entries.append(scores(tree, argument, run, threshold))
    declarations = [scores_declaration(argument)] if with_scores else []
    functions = float_code.functions(tree, sine=column_code.uses_sine(reads))
    encoding = [column_code.encode(reads, argument)] if reads else []
    return Code("", "", declarations, [functions, *encoding, definitions, outputs], entries)
