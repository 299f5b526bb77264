"""Pieces of Rust that code of both number formats shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from neuraltree.activations import ACTIVATIONS
from neuraltree.export.c.parts import number
from neuraltree.export.names import comment
from neuraltree.export.needed import Read
from neuraltree.inputs.features import RULES
from neuraltree.tree.tree import Tree


class Parts(NamedTuple):
    """Private functions and tables, then public functions."""

    functions: list[str]
    entries: list[str]


# As in C: Cody and Waite's reduction and a polynomial (Cephes expf, Moshier).
EXP = """/// e^x, within 2 units in the last place; 1e-38 or less below -87.
fn exp(x: f32) -> f32 {
    let x = if x > 88.0 { 88.0 } else if x > -87.0 { x } else { -87.0 };
    let n = (x * 1.44269504 + if x < 0.0 { -0.5 } else { 0.5 }) as i32;
    let whole = n as f32;
    let rest = (x - whole * 0.693359375) + whole * 2.12194440e-4;
    let power = f32::from_bits(((n + 127) as u32) << 23);
    power * (1.0 + (rest + rest * rest * (0.5 + rest * (1.66666655e-1 + rest * (4.16657959e-2
        + rest * (8.33345193e-3 + rest * (1.39819995e-3 + rest * 1.98756915e-4)))))))
}
"""

LARGEST = """/// The position of the first of the largest.
fn largest<T: PartialOrd>(y: &[T]) -> usize {
    let mut best = 0;
    for (k, value) in y.iter().enumerate() {
        if *value > y[best] {
            best = k;
        }
    }
    best
}
"""

SHARES = """    let total: f32 = {total};
    let even = if total > 0.0 {{ 0.0 }} else {{ 1.0 / {count}.0 }};
    shares.map(|share| if total > 0.0 {{ share / total }} else {{ even }})
"""
SOFTMAX = """    let top = y[largest(&y)];
    let shares = y.map(|value| exp(value - top));
"""


def functions(codes: Iterable[int], *, exp: bool) -> list[str]:
    """The functions of these activations; ``exp``: include e^x in any case."""
    found = [text for code in sorted(set(codes)) if (text := ACTIVATIONS[code].rust_function)]
    return ([EXP] if exp or any("exp(" in text for text in found) else []) + found


def answer(tree: Tree, threshold: str) -> str:
    """The expression of the prediction of a classifier, from the values ``y`` of the output nodes."""
    place = f"usize::from(y[0] > {threshold})" if tree.kind == "binary" else "largest(&y)"
    return f"Class::ALL[{place}]"


def probabilities(tree: Tree, values: str, share: str) -> str:
    """The public function. ``values``: the expression of the logits, or of the values under sigmoids, for inputs ``x``;
    ``share``: that of a sigmoid from such a ``value``."""
    count = len(tree.classes or ())
    if tree.kind == "binary":
        body = "    let second = 1.0 / (1.0 + exp(-y[0]));\n    [1.0 - second, second]\n"
    else:
        total = " + ".join(f"shares[{k}]" for k in range(count))
        shares = SOFTMAX if tree.output_activation == "identity" else f"    let shares = y.map(|value| {share});\n"
        body = shares + SHARES.format(total=total, count=count)
    text = "/// The probability of each class, in the order of `Class::ALL`.\n"
    text += f"pub fn probabilities(x: &[f32; INPUTS]) -> [f32; {count}] {{\n"
    return f"{text}    let y = {values};\n{body}}}\n"


def encoding(read: Sequence[Read]) -> list[str]:
    """From the numbers of columns to the features that are read; nothing without columns."""
    if not read:
        return []
    made = dict.fromkeys(RULES[each.feature.rule].rust_function for each in read)
    rows = [f"        {_feature(each)}, // {comment(each.feature.name)}" for each in read]
    head = f"fn features(x: &[f32; INPUTS]) -> [f32; {len(read)}] {{\n    [\n"
    return [*filter(None, made), head + "\n".join(rows) + "\n    ]\n}\n"]


def _feature(read: Read) -> str:
    return RULES[read.feature.rule].rust.format(*map(number, read.feature.numbers), x=f"x[{read.column}]")
