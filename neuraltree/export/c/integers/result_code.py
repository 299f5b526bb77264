"""Results of integer code without floats, in C: see ``compress.int8.integer_results``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuraltree.compress.int8.integer_results import HALVES, Confidence, FixedStage
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.export.c.parts import array, literal

if TYPE_CHECKING:
    from neuraltree.export.c.argument import Argument

MOST_MACRO = 30  # largest power of 2 that is an integer in a macro


def declarations(tree: IntegerTree, argument: Argument) -> list[tuple[str, str]]:
    """Comment and prototype of the function that has no floats."""
    upper, x = argument.name.upper(), argument.parameter
    if tree.confidence_stage is None:
        text = f"/* The target times {upper}_TARGET_SCALE, without a floating-point operation. */"
        return [(text, f"int32_t {argument.name}_predict_fixed({x})")]
    text = "/* The probability of the predicted class times 255, within 1, without a floating-point operation. */"
    return [(text, f"uint8_t {argument.name}_confidence({x})")]


def constants(tree: IntegerTree, argument: Argument) -> str:
    """The macro of the scale of a target in fixed point."""
    if tree.confidence_stage is not None:
        return ""
    power = tree.fixed_stage.power
    scale = str(2**power) if 0 <= power <= MOST_MACRO else literal(2.0**power)
    text = f"/* {argument.name}_predict_fixed returns the target times this number. */"
    return f"{text}\n#define {argument.name.upper()}_TARGET_SCALE {scale}\n"


def entries(tree: IntegerTree, argument: Argument, run: str) -> list[str]:
    """The functions; ``run``: the lines that fill ``y`` with scores."""
    stage = tree.confidence_stage
    if stage is None:
        return [_fixed(tree.fixed_stage, argument, run)]
    text = {"logistic": LOGISTIC, "softmax": SOFTMAX, "sigmoids": SIGMOIDS}[stage.link]
    marks = {
        "@NAME@": argument.name,
        "@PARAMETER@": argument.parameter,
        "@RUN@": run,
        "@COUNT@": str(tree.source.num_outputs),
        "@SCALE@": f"{_packed(stage)}u",
        "@THRESHOLD@": str(tree.score_threshold),
    }
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return [array("uint16_t", "nt_halves", HALVES.tolist()), HALVED, text]


def _packed(stage: Confidence) -> int:
    return (stage.shift << 11) | (stage.multiplier - 2048)


def _fixed(stage: FixedStage, argument: Argument, run: str) -> str:
    score = f"(y[0] + {stage.score_half}) >> {stage.drop}" if stage.drop else "y[0]"
    half = f" + {stage.half}" if stage.half else ""
    product = f"(t >> 10) * {stage.factor} + (((t & 1023) * {stage.factor}) >> 10){half}"
    whole = f"(({product}) >> {stage.shift}) + {stage.offset}".replace("+ -", "- ")
    body = f"    int32_t y[1];\n    int32_t t;\n{run}    t = {score};\n    return {whole};\n"
    return f"NT_PUBLIC int32_t {argument.name}_predict_fixed({argument.parameter})\n{{\n{body}}}\n"


HALVED = """/* 2^15 x 2^(-t / 256), between 16 points by straight lines. */
NT_CALL uint32_t nt_halved(int32_t t)
{
    const uint16_t *const at = nt_halves + ((t >> 4) & 15);
    const int32_t high = NT_READ(word, uint16_t, at), low = NT_READ(word, uint16_t, at + 1);
    const int32_t between = high - (((high - low) * (t & 15) + 8) >> 4);
    return t < 4096 ? (uint32_t)between >> (t >> 8) : 0u;
}
"""
LOGISTIC = """NT_PUBLIC uint8_t @NAME@_confidence(@PARAMETER@)
{
    int32_t y[1];
    uint32_t less, found;
@RUN@    less = nt_halved(nt_scaled(y[0] < 0 ? -y[0] : y[0], @SCALE@));
    found = (y[0] > @THRESHOLD@) == (y[0] > 0) ? 32768u : less;
    return (uint8_t)((255u * found + (32768u + less) / 2u) / (32768u + less));
}
"""
SOFTMAX = """NT_PUBLIC uint8_t @NAME@_confidence(@PARAMETER@)
{
    int32_t y[@COUNT@];
    int32_t top;
    uint32_t total = 0;
@RUN@    top = y[@NAME@_largest(y, @COUNT@)];
    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {
        total += nt_halved(nt_scaled(top - y[k], @SCALE@));
    }
    return (uint8_t)((UINT32_C(8355840) + total / 2u) / total);
}
"""
SIGMOIDS = """NT_PUBLIC uint8_t @NAME@_confidence(@PARAMETER@)
{
    int32_t y[@COUNT@];
    int32_t best, base;
    uint32_t total = 0, found = 0;
@RUN@    best = @NAME@_largest(y, @COUNT@);
    base = y[best] < 0 ? nt_scaled(-y[best], @SCALE@) & ~(int32_t)255 : 0;
    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {
        const int32_t t = nt_scaled(y[k] < 0 ? -y[k] : y[k], @SCALE@);
        const uint32_t share = (y[k] < 0 ? nt_halved(t - base) : 32768u) * 32768u / (32768u + nt_halved(t));
        total += share;
        found = k == best ? share : found;
    }
    return (uint8_t)((255u * found + total / 2u) / total);
}
"""
