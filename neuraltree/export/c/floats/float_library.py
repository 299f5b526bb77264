"""The parts of the C files of a tree in single floats."""

from __future__ import annotations

from neuraltree.export.c.code import Code
from neuraltree.export.c.decisions import answer, largest, probabilities
from neuraltree.export.c.floats import float_code
from neuraltree.export.c.parts import literal
from neuraltree.tree.tree import Tree


def float_library(tree: Tree, name: str, style: str) -> Code:
    """The code of a tree that takes raw inputs; ``ValueError`` for numbers that single floats cannot hold."""
    definitions, outputs = float_code.body(tree, name, style)
    result = "float" if tree.classes is None else "int"
    threshold = literal(tree.logit_threshold) if tree.logit_threshold else "0"
    lines = f"    float y[{tree.num_outputs}];\n    nt_outputs(x, y);\n    return {answer(tree, name, threshold)};\n"
    entries = [largest(name, "float")] if tree.kind == "multiclass" else []
    entries.append(f"{result} {name}_predict(const float *x)\n{{\n{lines}}}\n")
    if tree.classes is not None:
        entries.append(probabilities(tree, name, run="    nt_outputs(x, y);\n", share="y[k]"))
    return Code("", "", [], [float_code.functions(tree), definitions, outputs], entries)
