"""The parts of the C files of a tree in integers."""

from __future__ import annotations

from collections.abc import Sequence

from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.int8.losing import loses_much, word_of_loss
from neuraltree.export.c.code import Code
from neuraltree.export.c.columns import column_code
from neuraltree.export.c.decisions import answer, largest, probabilities, rule
from neuraltree.export.c.integers import integer_code
from neuraltree.export.c.integers.input_stage import input_stage, room
from neuraltree.export.c.parts import EXP, literal
from neuraltree.export.names import comment
from neuraltree.export.needed import Read
from neuraltree.tree.tree import Tree


def integer_library(tree: Tree, integers: IntegerTree, name: str, style: str, reads: Sequence[Read] = ()) -> Code:
    """The code of ``integers``, the 8-bit model of ``tree``, which has no columns; ``reads`` says what its inputs are
    if the code takes columns."""
    reads = [reads[feature] for feature in integers.inputs.features.tolist()] if reads else ()
    definitions, outputs = integer_code.body(integers, name, style)
    exp = EXP if tree.classes is not None else ""
    return Code(
        f"/* {word_of_loss(tree).replace('²', '^2')}. */" if loses_much(tree) else "",
        f"enum {{ {name.upper()}_INTEGERS = {room(integers)} }};\n",
        _declarations(tree, name, integers),
        [exp, definitions, outputs, *_encoding(reads), input_stage(integers, name, reads)],
        _entries(tree, name, integers),
    )


def _encoding(reads: Sequence[Read]) -> list[str]:
    """From columns to features. The sine of floats has a name of its own, as ``nt_sine`` is a table of integers."""
    sine = [column_code.float_sine()] if column_code.uses_sine(reads) else []
    texts = [*sine, column_code.encode(reads)] if reads else []
    return [text.replace("nt_sine(", "nt_float_sine(").replace("As nt_sine", "As nt_float_sine") for text in texts]


def _declarations(tree: Tree, name: str, integers: IntegerTree) -> list[tuple[str, str]]:
    upper = name.upper()
    used = [comment(tree.features[feature]) for feature in integers.inputs.features.tolist()]
    text = f"/* Converts raw inputs to the integers of the tree, q[{upper}_INTEGERS]: clamped to their range, NaN to 0."
    lines = [f"   {', '.join(used)}."] if used else []
    quantize = ("\n".join([text, *lines]) + " */", f"void {name}_quantize(const float *x, int8_t *q)")
    if tree.classes is None:
        stage = integers.outputs
        whole = f"(result >> {stage.drop})" if stage.drop else "result"
        units = f"({whole} + {stage.offset}) * {literal(float(stage.gain))}"
        text = f"/* The target as an integer; in its own units it is {units}. */"
        return [quantize, (text, f"int32_t {name}_predict_q(const int8_t *q)")]
    return [quantize, (f"/* The class, for integer inputs{rule(tree)}. */", f"int {name}_predict_q(const int8_t *q)")]


def _entries(tree: Tree, name: str, integers: IntegerTree) -> list[str]:
    score = f"{name}_predict_q(q)"
    result, value, kind = (
        ("int32_t", _value(integers, score), "float") if tree.classes is None else ("int", score, "int")
    )
    found = answer(tree, name, str(integers.score_threshold))
    lines = f"    int32_t y[{tree.num_outputs}];\n    nt_outputs(q, y);\n    return {found};\n"
    prepare = f"    int8_t q[{room(integers)}];\n    {name}_quantize(x, q);\n"
    entries = [largest(name, "int32_t")] if tree.kind == "multiclass" else []
    entries.append(f"NT_PUBLIC {result} {name}_predict_q(const int8_t *q)\n{{\n{lines}}}\n")
    entries.append(f"NT_PUBLIC {kind} {name}_predict(const float *x)\n{{\n{prepare}    return {value};\n}}\n")
    if tree.classes is not None:
        share = "1.0f / (1.0f + nt_exp(-y[k]))"
        entries.append(probabilities(tree, name, run=_scores(tree, name, integers), share=share))
    return entries


def _scores(tree: Tree, name: str, integers: IntegerTree) -> str:
    """The lines that fill ``y`` with logits."""
    return f"""    int8_t q[{room(integers)}];
    int32_t scores[{tree.num_outputs}];
    {name}_quantize(x, q);
    nt_outputs(q, scores);
    NT_LOOP
    for (int k = 0; k < {tree.num_outputs}; ++k) {{
        y[k] = {_value(integers, "scores[k]")};
    }}
"""


def _value(integers: IntegerTree, score: str) -> str:
    """The C expression of a value in natural units, or of a logit."""
    stage = integers.outputs
    whole = f"({score} >> {stage.drop})" if stage.drop else score
    shifted = f"({whole} + {stage.offset})" if stage.offset else f"{whole}"
    return f"(float){shifted} * {literal(float(stage.gain))}"
