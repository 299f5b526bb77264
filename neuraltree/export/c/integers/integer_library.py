"""The parts of the C files of a tree in integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neuraltree.compress.int8.losing import loses_much, word_of_loss
from neuraltree.export.c.code import Code
from neuraltree.export.c.columns import column_code
from neuraltree.export.c.decisions import (
    answer,
    largest,
    probabilities,
    rule,
    scores,
    scores_declaration,
)
from neuraltree.export.c.integers import integer_code, integer_table, result_code, sure_code
from neuraltree.export.c.integers.float_stage import packed
from neuraltree.export.c.integers.from_integers import apart, exit_part, integer_body
from neuraltree.export.c.integers.input_stage import input_stage
from neuraltree.export.c.parts import EXP, literal
from neuraltree.export.names import comment
from neuraltree.signals.event_rule import SCORE_UNIT
from neuraltree.tree.tree import Tree

if TYPE_CHECKING:
    from neuraltree.compress.exits.early_exit import EarlyExit
    from neuraltree.compress.int8.integer_tree import IntegerTree
    from neuraltree.export.c.argument import Argument
    from neuraltree.export.needed import Read


def integer_library(
    tree: Tree,
    integers: IntegerTree,
    argument: Argument,
    style: str,
    reads: Sequence[Read] = (),
    exits: EarlyExit | None = None,
    least: int | None = None,
    with_scores: bool = False,
) -> Code:
    """The code of ``integers``, the 8-bit model of ``tree``, which has no columns; ``reads`` says what its inputs are
    if the code takes columns. ``exits``: ``NAME_predict`` and ``NAME_predict_q`` stop as soon as their class is
    certain. ``least``: with ``NAME_sure`` for a cascade, whose margin this is.
    ``with_scores``: with ``NAME_scores``, for classes."""
    name = argument.name
    reads = [reads[feature] for feature in integers.inputs.features.tolist()] if reads else ()
    code = _from_floats if argument.is_float else _from_integers
    made, run = code(tree, integers, argument, style, reads)
    if least is not None:
        made.declarations.append(sure_code.declaration(argument, least))
        made.entries.append(sure_code.entry(integers, argument, run, least))
    if with_scores:
        made.declarations.append(scores_declaration(argument))
        whole = f"nt_scaled(y[k], {packed(*integers.outputs.rescaled(SCORE_UNIT))[0]}u)"
        made.entries.append(scores(tree, argument, run, str(integers.score_threshold), whole))
    if exits is None:
        return made
    stops = {
        f"NT_PUBLIC int {name}_predict({argument.parameter})\n": "nt_decide(x)",
        f"NT_PUBLIC int {name}_predict_q(const int8_t *q)\n": "nt_decide_q(q)",
    }
    entries = [
        next((f"{head}{{\n    return {call};\n}}\n" for head, call in stops.items() if text.startswith(head)), text)
        for text in made.entries
    ]
    return made._replace(definitions=[*made.definitions, *exit_part(exits, argument, reads)], entries=entries)


def _from_floats(
    tree: Tree, integers: IntegerTree, argument: Argument, style: str, reads: Sequence[Read]
) -> tuple[Code, str]:
    """The code, and the lines that fill ``y`` with scores."""
    name = argument.name
    definitions, outputs = integer_table.body(integers, name, style, integer_code.quantised(integers))
    exp = EXP if tree.classes is not None else ""
    run = f"    int8_t q[{integer_code.room(integers)}];\n    {name}_quantize(x, q);\n    nt_outputs(q, y);\n"
    code = Code(
        _remark(tree),
        _size(name, integers) + result_code.constants(integers, argument),
        _declarations(tree, name, integers) + result_code.declarations(integers, argument),
        [exp, definitions, outputs, *encoding(reads, argument), input_stage(integers, name, reads)],
        [*_entries(tree, argument, integers), *result_code.entries(integers, argument, run)],
    )
    return code, run


def _from_integers(
    tree: Tree, integers: IntegerTree, argument: Argument, style: str, reads: Sequence[Read]
) -> tuple[Code, str]:
    """The code, and the lines that fill ``y`` with scores."""
    definitions, lines = integer_body(integers, argument, style, reads)
    exp = EXP if tree.classes is not None else ""
    run = "".join(f"    {line}\n" for line in lines)
    code = Code(
        _remark(tree),
        result_code.constants(integers, argument),
        result_code.declarations(integers, argument),
        [exp, *definitions],
        [*_results(tree, integers, argument, run), *result_code.entries(integers, argument, run)],
    )
    return code, run


def _size(name: str, integers: IntegerTree) -> str:
    return f"enum {{ {name.upper()}_INTEGERS = {integer_code.room(integers)} }};\n"


def _remark(tree: Tree) -> str:
    return f"/* {word_of_loss(tree).replace('²', '^2')}. */" if loses_much(tree) else ""


def _results(tree: Tree, integers: IntegerTree, argument: Argument, run: str) -> list[str]:
    """The public functions of the argument; ``run``: the lines that fill ``y`` with scores."""
    name, count = argument.name, tree.num_outputs
    kind = "float" if tree.classes is None else "int"
    value = (
        natural_text(integers, "y[0]") if tree.classes is None else answer(tree, name, str(integers.score_threshold))
    )
    lines = f"    int32_t y[{count}];\n{run}    return {value};\n"
    entries = [largest(name, "int32_t")] if tree.kind == "multiclass" else []
    entries.append(f"NT_PUBLIC {kind} {name}_predict({argument.parameter})\n{{\n{lines}}}\n")
    if tree.classes is not None:
        scores = f"    int32_t scores[{count}];\n{run.replace('y)', 'scores)')}"
        values = LOGITS.format(count=count, value=natural_text(integers, "scores[k]"))
        entries.append(probabilities(tree, argument, run=scores + values, share=SHARE))
    return entries


SHARE = "1.0f / (1.0f + nt_exp(-y[k]))"
LOGITS = """    NT_LOOP
    for (int k = 0; k < {count}; ++k) {{
        y[k] = {value};
    }}
"""


def encoding(reads: Sequence[Read], argument: Argument) -> list[str]:
    """From columns to features. The sine of floats has a name of its own, as ``nt_sine`` is a table of integers."""
    sine = [column_code.float_sine()] if column_code.uses_sine(reads) else []
    return [apart(text) for text in (*sine, column_code.encode(reads, argument))] if reads else []


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


def _entries(tree: Tree, argument: Argument, integers: IntegerTree) -> list[str]:
    name = argument.name
    score = f"{name}_predict_q(q)"
    result, value, kind = (
        ("int32_t", natural_text(integers, score), "float") if tree.classes is None else ("int", score, "int")
    )
    found = answer(tree, name, str(integers.score_threshold))
    lines = f"    int32_t y[{tree.num_outputs}];\n    nt_outputs(q, y);\n    return {found};\n"
    prepare = f"    int8_t q[{integer_code.room(integers)}];\n    {name}_quantize(x, q);\n"
    entries = [largest(name, "int32_t")] if tree.kind == "multiclass" else []
    entries.append(f"NT_PUBLIC {result} {name}_predict_q(const int8_t *q)\n{{\n{lines}}}\n")
    entries.append(f"NT_PUBLIC {kind} {name}_predict(const float *x)\n{{\n{prepare}    return {value};\n}}\n")
    if tree.classes is not None:
        entries.append(probabilities(tree, argument, run=_scores(tree, name, integers), share=SHARE))
    return entries


def _scores(tree: Tree, name: str, integers: IntegerTree) -> str:
    """The lines that fill ``y`` with logits."""
    return f"""    int8_t q[{integer_code.room(integers)}];
    int32_t scores[{tree.num_outputs}];
    {name}_quantize(x, q);
    nt_outputs(q, scores);
{LOGITS.format(count=tree.num_outputs, value=natural_text(integers, "scores[k]"))}"""


def natural_text(integers: IntegerTree, score: str) -> str:
    """The C expression of a value in natural units, or of a logit."""
    stage = integers.outputs
    whole = f"({score} >> {stage.drop})" if stage.drop else score
    shifted = f"({whole} + {stage.offset})" if stage.offset else f"{whole}"
    return f"(float){shifted} * {literal(float(stage.gain))}"
