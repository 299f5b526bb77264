"""A tree in integers in Rust: the arithmetic of ``compress.int8.integer_tree``, bit for bit."""

from __future__ import annotations

from neuraltree.activations import ACTIVATIONS, NAMES, code_of
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.int8.lookup_tables import KINDS, table
from neuraltree.compress.int8.stages import InputStage
from neuraltree.export.c.parts import number
from neuraltree.export.order import Step, steps
from neuraltree.export.rust.rust_parts import EXP, LARGEST, Parts, answer, probabilities
from neuraltree.tree.tree import Tree

INTEGER = """/// A sum times multiplier / 2^shift, rounded.
fn scaled(sum: i32, multiplier: i32, shift: u32) -> i32 {
    (sum * multiplier + (1 << (shift - 1))) >> shift
}

/// An input to -127..127: its bits are shifted to an integer, minus its zero, rescaled; NaN gives 0.
fn integer(value: f32, power: i32, zero: i32, multiplier: i32, shift: u32) -> i8 {
    let bits = value.to_bits();
    let down = 158 - power - ((bits >> 23) & 255) as i32;
    let whole = if down > 1 {
        if down < 32 { (((bits << 8) | 0x8000_0000) >> down) as i32 } else { 0 }
    } else if value.is_nan() {
        return 0;
    } else {
        0x4000_0000
    };
    let whole = if bits >> 31 != 0 { -whole } else { whole } - zero;
    scaled(whole.clamp(-65_535, 65_535), multiplier, shift).clamp(-127, 127) as i8
}
"""
VALUE = """/// A score in natural units, or as a logit.
fn value(score: i32) -> f32 {{
    ({whole} + {offset}) as f32 * {gain}
}}
"""
QUANTIZE = """/// The number of integers that the tree reads.
pub const INTEGERS: usize = {count};

/// The integers of the tree for raw inputs: clamped to their range, NaN to 0.
pub fn quantize({argument}: &[f32; INPUTS]) -> [i8; INTEGERS] {{
{rows}
}}
"""
REGRESSION = """/// The target as an integer, for the integers of `quantize`.
pub fn predict_q(q: &[i8; INTEGERS]) -> i32 {
    scores(q)[0]
}

/// The target in its own units, for raw inputs.
pub fn predict(x: &[f32; INPUTS]) -> f32 {
    value(predict_q(&quantize(x)))
}
"""
CLASSIFIER = """/// The class, for the integers of `quantize`.
pub fn predict_q(q: &[i8; INTEGERS]) -> Class {{
    let y = scores(q);
    {answer}
}}

/// The class, for raw inputs.
pub fn predict(x: &[f32; INPUTS]) -> Class {{
    predict_q(&quantize(x))
}}
"""


def integer_parts(tree: Tree, integers: IntegerTree, has_columns: bool, *, sine: bool) -> Parts:
    """``sine``: include the sine of floats, which features of columns need."""
    order, stage = steps(integers.nodes), integers.outputs
    whole = f"(score >> {stage.drop})" if stage.drop else "score"
    parts = [*([ACTIVATIONS[code_of("sine")].rust_function] if sine else []), *_tables(order), INTEGER]
    parts += [VALUE.format(whole=whole, offset=stage.offset, gain=number(float(stage.gain))), _scores(integers, order)]
    entries = [_quantize(integers, has_columns)]
    if tree.classes is None:
        return Parts(parts, [*entries, REGRESSION])
    largest = [LARGEST] if tree.kind == "multiclass" else []
    entries.append(CLASSIFIER.format(answer=answer(tree, str(integers.score_threshold))))
    entries.append(probabilities(tree, "scores(&quantize(x)).map(value)", "1.0 / (1.0 + exp(-value))"))
    return Parts([EXP, *largest, *parts], entries)


def _tables(order: list[Step]) -> list[str]:
    """The look-up table of each kind in use that has one."""
    codes = sorted({step.code for step in order if step.slot >= 0 and KINDS[step.code].domain})
    return [f"static {NAMES[c].upper()}: [i8; 256] = [{', '.join(map(str, table(c).tolist()))}];\n" for c in codes]


def _quantize(tree: IntegerTree, has_columns: bool) -> str:
    stage = tree.inputs
    assert isinstance(stage, InputStage)  # raw inputs are f32
    columns = (stage.features, stage.power, stage.zero, stage.multiplier, stage.shift)
    used = list(zip(*(column.tolist() for column in columns), strict=True))
    rows = [f"        integer(x[{i}], {', '.join(map(str, numbers))})," for i, *numbers in used]
    before = ["    let x = features(x);"] if has_columns and used else []
    text = "\n".join([*before, "    [", *rows, "    ]"])
    return QUANTIZE.format(count=len(used), rows=text, argument="x" if used else "_x")


def _scores(tree: IntegerTree, order: list[Step]) -> str:
    place = {feature: i for i, feature in enumerate(tree.inputs.features.tolist())}
    count = tree.source.num_outputs
    lines = [f"    let q{i} = i32::from(q[{i}]);" for i in range(len(place))]
    output = 0
    for step in order:
        terms = [f"a{step.own}"] * step.opened + [str(tree.numbers.bias[step.node])]
        terms += [f"{tree.numbers.weight[leaf]} * q{place[int(tree.nodes['op'][leaf])]}" for leaf in step.leaves]
        total = " + ".join(terms).replace("+ -", "- ")
        if step.slot < 0:
            lines.append(f"    let y{output} = {_score(tree, output, total)};")
            output += 1
            continue
        before = "" if step.first else f"a{step.slot} + "
        weight = tree.numbers.weight[step.node]
        lines.append(f"    let a{step.slot} = {before}{weight} * {_value(tree, step, total)};")
    names = ", ".join(f"y{k}" for k in range(count))
    head = f"fn scores({'q' if place else '_q'}: &[i8; INTEGERS]) -> [i32; {count}] {{"
    return "\n".join([head, *lines, f"    [{names}]", "}", ""])


def _score(tree: IntegerTree, output: int, total: str) -> str:
    """The score of an output: its sum, or for several classes its sum in their common scale."""
    stage = tree.outputs
    if stage.multiplier is None or stage.shift is None:
        return total
    return f"scaled({total}, {stage.multiplier[output]}, {stage.shift[output]})"


def _value(tree: IntegerTree, step: Step, total: str) -> str:
    """The expression of a node's value from that of its sum. The index of a table cannot be out of its bounds."""
    kind, numbers = KINDS[step.code], tree.numbers
    if kind.jumps:
        return f"(if {total} < 0 {{ {kind.low} }} else {{ {kind.high} }})"
    index = f"scaled({total}, {numbers.multiplier[step.node]}, {numbers.shift[step.node]})"
    if kind.repeats:
        return f"i32::from({NAMES[step.code].upper()}[(({index} + 128) & 255) as usize])"
    index = f"{index}.clamp({kind.low}, 127)"
    return f"i32::from({NAMES[step.code].upper()}[(({index} + 128) & 255) as usize])" if kind.domain else index
