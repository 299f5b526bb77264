"""Names in Rust: of the crate, of inputs, levels and classes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neuraltree.export.names import LONGEST, comment, constants
from neuraltree.inputs.encoders import Category, Column, Ordinal, Time
from neuraltree.tree.tree import Tree

# Words of Rust, its own crates, and the crate that is made of ``tests/vectors.rs``.
CRATES = frozenset(
    """
    abstract alloc as async await become box break const continue core crate do dyn else enum extern false final fn for
    gen if impl in let loop macro match mod move mut override priv proc_macro pub ref return self static std struct
    super test trait true try type typeof unsafe unsized use vectors virtual where while yield
    """.split()  # noqa: SIM905
)
ENUM = """/// What `predict` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {{
{variants}
}}

impl Class {{
    /// All classes, in the order of `probabilities`.
    pub const ALL: [Class; {count}] = [
{all}
    ];

    /// The name of the class.
    pub const fn name(self) -> &'static str {{
        match self {{
{names}
        }}
    }}
}}
"""


def enum(classes: Sequence[object]) -> str:
    """The enumeration of the classes."""
    made = variants(classes)
    return ENUM.format(
        variants="\n".join(f"    {variant} = {place}," for place, variant in enumerate(made)),
        count=len(made),
        all="\n".join(f"        Class::{variant}," for variant in made),
        names="\n".join(
            f"            Class::{variant} => {string(label)}," for variant, label in zip(made, classes, strict=True)
        ),
    )


def variants(names: Sequence[object]) -> list[str]:
    """A variant of an enumeration for each name: ``NotWorn``; all differ, and none is a word of Rust."""
    made: list[str] = []
    for position, name in enumerate(names):
        words = re.findall(r"[A-Z0-9]+", str(name).upper())
        variant = "".join(word.capitalize() for word in words)[:LONGEST]
        if not variant[:1].isalpha() or variant == "Self":
            variant = f"Class{variant or position}"
        while variant in made:
            variant = f"{variant}At{position}"
        made.append(variant)
    return made


def string(text: object) -> str:
    """The text as a string literal in ASCII; half of a surrogate pair, which Rust cannot hold, becomes U+FFFD."""
    codes = [0xFFFD if 0xD800 <= ord(letter) < 0xE000 else ord(letter) for letter in str(text)]
    return '"' + "".join(_letter(code) for code in codes) + '"'


def _letter(code: int) -> str:
    return chr(code) if 32 <= code < 127 and chr(code) not in '"\\' else f"\\u{{{code:x}}}"


def constants_of_inputs(tree: Tree) -> str:
    """The number of inputs and their positions; of columns also the numbers of their levels and starts of times."""
    if tree.columns is None:
        rows = _positions("FEATURE", tree.features)
        return "\n".join(["/// The number of raw inputs; their positions follow.", *rows, ""])
    places = constants("COLUMN", [column.name for column in tree.columns])
    rows, taken = _positions("COLUMN", [column.name for column in tree.columns]), set(places)
    for column, place in zip(tree.columns, places, strict=True):
        made = _numbers(column, place.replace("COLUMN", "LEVEL", 1), taken)
        rows += [f"pub const {name}: {kind} = {value}; // {text}".rstrip() for name, kind, value, text in made]
        taken.update(name for name, *_ in made)
    head = "/// The number of columns; their positions follow, and the numbers of levels. A missing cell is NaN."
    return "\n".join([head, *rows, ""])


def _positions(word: str, names: Sequence[str]) -> list[str]:
    rows = zip(constants(word, names), names, strict=True)
    count = f"pub const INPUTS: usize = {len(names)};"
    return [
        count,
        *(f"pub const {name}: usize = {i}; // {comment(text)}".rstrip() for i, (name, text) in enumerate(rows)),
    ]


def _numbers(column: Column, prefix: str, taken: set[str]) -> list[tuple[str, str, str, str]]:
    """Name, type, value and meaning of each constant of a column."""
    if isinstance(column, Category | Ordinal):
        others = ["OTHER"] * isinstance(column, Category)
        shown = [*map(comment, column.levels), *["any other level"] * len(others)]
        names = constants(prefix, [*column.levels, *others], taken)
        return [(name, "f32", f"{place}.0", shown[place]) for place, name in enumerate(names)]
    if isinstance(column, Time):
        (name,) = constants(f"START{prefix.removeprefix('LEVEL')}", [""], taken)
        return [(name, "f64", repr(float(column.start)), "seconds since 1970 that are 0 in this column")]
    return []
