"""From the values of output nodes to a class and to probabilities, in C for every number format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuraltree.export.c.parts import literal
from neuraltree.signals.event_rule import SCORE_UNIT
from neuraltree.tree.soundness import COVERAGE, DEFAULT_THRESHOLD
from neuraltree.tree.tree import Tree

if TYPE_CHECKING:
    from neuraltree.export.c.argument import Argument


def largest(name: str, number: str) -> str:
    """The function that finds the first of the largest of values of the C type ``number``."""
    return LARGEST.replace("@NAME@", name).replace("@TYPE@", number)


# Not static, like the interpreters, so that it stays one loop however few classes there are.
LARGEST = """int @NAME@_largest(const @TYPE@ *y, int count);
NT_ALONE int @NAME@_largest(const @TYPE@ *y, int count)
{
    int best = 0;
    NT_LOOP
    for (int i = 1; i < count; ++i) {
        if (y[i] > y[best]) {
            best = i;
        }
    }
    return best;
}
"""


def answer(tree: Tree, name: str, threshold: str) -> str:
    """The C expression of the prediction, from the values ``y`` of the output nodes.

    ``threshold``: the number above which the output of a binary tree is its second class, in the type of ``y``.
    """
    if tree.classes is None:
        return "y[0]"
    return f"y[0] > {threshold}" if tree.kind == "binary" else f"{name}_largest(y, {tree.num_outputs})"


def rule(tree: Tree) -> str:
    """What a comment about the predicted class says of the tree's own threshold; nothing if it is 0.5."""
    if tree.threshold == DEFAULT_THRESHOLD:
        return ""
    return f": 1 if its probability is above {tree.threshold}, else 0"


def band(tree: Tree, upper: str) -> str:
    """The macro of a known band, with a comment that says how to use it."""
    where = (
        f"lies within {upper}_BAND of the prediction"
        if tree.classes is None
        else f"is the most probable class, or a class k with p[k] >= {upper}_BAND"
    )
    what = "target" if tree.classes is None else "class"
    text = f"/* The {what} of about {100 * COVERAGE:.0f} % of new rows {where}. */"
    return f"{text}\n#define {upper}_BAND {literal(tree.band or 0.0)}\n"


def probabilities(tree: Tree, argument: Argument, run: str, share: str) -> str:
    """Softmax of logits, the logistic function of one logit, or sigmoids divided by their sum.

    ``run``: the lines that fill ``y`` with logits or sigmoids for the inputs ``x``. ``share``: the C expression of one
    sigmoid, from ``y[k]``.
    """
    count = len(tree.classes or ())
    if tree.kind == "binary":
        link = "    p[1] = 1.0f / (1.0f + nt_exp(-y[0]));\n    p[0] = 1.0f - p[1];\n"
    elif tree.output_activation == "identity":
        link = TOP + SHARES.format(value="nt_exp(y[k] - top)", even="0.0f")
    else:
        link = SHARES.format(value=share, even=literal(1 / count))
    text = f"    float y[{tree.num_outputs}];\n{run}{link}".replace("@COUNT@", str(count))
    return f"NT_PUBLIC void {argument.name}_probabilities({argument.parameter}, float *p)\n{{\n{text}}}\n"


TOP = """    float top = y[0];
    NT_LOOP
    for (int k = 1; k < @COUNT@; ++k) {
        top = y[k] > top ? y[k] : top;
    }
"""
SHARES = """    float total = 0.0f;
    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {{
        p[k] = {value};
        total += p[k];
    }}
    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {{
        p[k] = total > 0.0f ? p[k] / total : {even};
    }}
"""


def scores_declaration(argument: Argument) -> tuple[str, str]:
    """Comment and prototype of ``NAME_scores``."""
    text = (
        f"/* The class, and for each class {SCORE_UNIT} times its logit within +-32767; of two classes 0 and that. */"
    )
    return text, f"int {argument.name}_scores({argument.parameter}, int16_t *scores)"


def scores(tree: Tree, argument: Argument, run: str, threshold: str, whole: str = "") -> str:
    """``NAME_scores``. ``run``: the lines that fill ``y`` with the values of output nodes; ``threshold``: as in
    ``answer``; ``whole``: for integers the C expression of a score from ``y[k]``, before it is held within 16 bits."""
    is_binary = tree.kind == "binary"
    taken = score_threshold(tree)
    value = whole or f"y[k] * {SCORE_UNIT}.0f"
    if taken:
        value = f"{value} - {taken if whole else literal(taken)}".replace("- -", "+ ")
    marks = {
        "NAME": argument.name,
        "PARAMETER": argument.parameter,
        "TYPE": "int32_t" if whole else "float",
        "OUTPUTS": str(tree.num_outputs),
        "RUN": run,
        "VALUE": value,
        "HELD": HELD if whole else HELD_FLOAT,
        "PLACE": "k + 1" if is_binary else "k",
        "ZERO": "    scores[0] = 0;\n" if is_binary else "",
        "ANSWER": answer(tree, argument.name, threshold),
    }
    text = SCORES
    for mark, content in marks.items():
        text = text.replace(f"@{mark}@", content)
    return text


def score_threshold(tree: Tree) -> int:
    """What is taken from the score of the second of two classes, so that it is chosen from a score above 0 on."""
    limit = 2 * 32767
    return min(max(round(tree.logit_threshold * SCORE_UNIT), -limit), limit) if tree.kind == "binary" else 0


HELD = "(int16_t)(v > 32767 ? 32767 : v < -32767 ? -32767 : v)"
HELD_FLOAT = "(int16_t)(v < 32767.0f ? v > -32767.0f ? v < 0.0f ? v - 0.5f : v + 0.5f : -32767.0f : 32767.0f)"
SCORES = """NT_PUBLIC int @NAME@_scores(@PARAMETER@, int16_t *scores)
{
    @TYPE@ y[@OUTPUTS@];
@RUN@@ZERO@    NT_LOOP
    for (int k = 0; k < @OUTPUTS@; ++k) {
        const @TYPE@ v = @VALUE@;
        scores[@PLACE@] = @HELD@;
    }
    return @ANSWER@;
}
"""
