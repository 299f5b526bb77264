"""The number formats of exported code and the types of its inputs, one row each, and the styles of C code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite
from typing import Literal, NamedTuple, get_args

Precision = Literal["float32", "int8"]
NarrowPrecision = Literal["int6", "int4", "int3", "ternary", "binary", "power_of_two"]
Style = Literal["straight", "table"]


class NumberFormat(NamedTuple):
    """How code stores and computes its numbers.

    ``weight_bytes``: the size of a weight or a value. ``is_integer``: a model is quantised first, so its inputs have
    ranges, and the edges whose weight rounds to zero are left out. ``weights``: the format of stored weights.
    """

    weight_bytes: int
    is_integer: bool
    weights: str


FORMATS: dict[Precision, NumberFormat] = {
    "float32": NumberFormat(weight_bytes=4, is_integer=False, weights="float32"),
    "int8": NumberFormat(weight_bytes=1, is_integer=True, weights="int8"),
}
PRECISIONS: tuple[str, ...] = tuple(FORMATS)
# Integers whose weights have fewer bits: int8 code with other numbers.
NARROW: dict[str, NumberFormat] = {
    name: NumberFormat(weight_bytes=1, is_integer=True, weights=name) for name in get_args(NarrowPrecision)
}
# Single floats whose weights are stored in two bytes, in table code.
HALVES: dict[str, NumberFormat] = {
    name: NumberFormat(weight_bytes=2, is_integer=False, weights=name) for name in ("fp16", "bf16")
}
ONLY_IN_C = NARROW | HALVES
C_PRECISIONS = (*PRECISIONS, *ONLY_IN_C)
STYLES: tuple[str, ...] = get_args(Style)
CODED = "coded"  # a table of integers whose edges have Huffman codes: less flash, more time
C_STYLES = (*STYLES, CODED)
AUTO = "auto"  # in place of a format or a style: the cheapest, see ``hardware.choice``
MAX_SCORE_LOSS = 0.01  # by default the largest share of its score that a model may lose for a cheaper format


def number_format(precision: str) -> NumberFormat:
    """The row of this name; ``ValueError`` names the formats that are allowed."""
    for name, row in FORMATS.items():
        if name == precision:
            return row
    if precision in ONLY_IN_C:
        raise ValueError(f"{precision} {ONLY_C}: export it with --to c; allowed here: {', '.join(PRECISIONS)}")
    raise ValueError(f"unknown precision {precision!r}; allowed: {', '.join(PRECISIONS)}")


ONLY_C = "is a format of C code alone"
NO_FIGURES = (
    f"{ONLY_C}, and no device has figures for its time and memory: export it with --to c, compile it, and read its "
    "size from the compiler"
)


def c_format(precision: str) -> NumberFormat:
    """The row of this name among all formats of C code; ``ValueError`` names those that there are."""
    if precision not in C_PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}; allowed: {', '.join(C_PRECISIONS)}")
    return ONLY_IN_C[precision] if precision in ONLY_IN_C else number_format(precision)


def check_style(style: str, precision: str) -> None:
    """``ValueError`` for an unknown style names the styles that are allowed with a number format."""
    allowed = C_STYLES if c_format(precision).is_integer else STYLES
    if style in C_STYLES and style not in allowed:
        raise ValueError(f"style {style} is for weights in integers; with {precision} give {' or '.join(allowed)}")
    if style not in allowed:
        raise ValueError(f"unknown style {style!r}; allowed: {', '.join(allowed)}")


class InputType(NamedTuple):
    """A type of the numbers that go into exported code, from ``low`` to ``high``.

    ``hole``: the number of a missing cell, which then is no other cell's number.
    """

    c_type: str
    size_bytes: int
    is_integer: bool
    low: float
    high: float
    hole: int | None


INPUT_TYPES: dict[str, InputType] = {
    "float32": InputType("float", 4, is_integer=False, low=-inf, high=inf, hole=None),
    "int16": InputType("int16_t", 2, is_integer=True, low=-32768, high=32767, hole=-32768),
    "uint8": InputType("uint8_t", 1, is_integer=True, low=0, high=255, hole=255),
}
INTEGER_INPUTS = tuple(name for name, row in INPUT_TYPES.items() if row.is_integer)
RAW = len(INTEGER_INPUTS)  # beside their positions: bytes that integer code reads as they are, see ``byte_inputs``
INPUT_HELP = (  # of the option --input of commands
    f"what goes into C: {', '.join(INPUT_TYPES)}; integers may have a scale, as int16/100; COLUMN=TYPE for one column; "
    "may be repeated"
)
DEFAULT_RANGE = 4.0  # 8-bit range of an input in standard deviations, if none is known
DEFAULT = "default"  # the key of a mapping of inputs for all columns that it does not name
InputSpec = str | Mapping[str, str]


class Input(NamedTuple):
    """How one input goes into exported code: its type, and how many units of it are 1 in the input's own unit."""

    kind: str = "float32"
    scale: float = 1.0

    @property
    def row(self) -> InputType:
        return INPUT_TYPES[self.kind]


def parse_input(text: str) -> Input:
    """``int16``, or with a scale ``int16/100``: the integer is 100 times the number. ``ValueError`` for other texts."""
    kind, slash, scale = str(text).partition("/")
    if kind not in INPUT_TYPES:
        raise ValueError(
            f"unknown input {text!r}; allowed: {', '.join(INPUT_TYPES)}, and integers with a scale, int16/100"
        )
    if not slash:
        return Input(kind)
    if not INPUT_TYPES[kind].is_integer:
        raise ValueError(f"input {text!r}: only integers have a scale, as in int16/100")
    try:
        found = float(scale)
    except ValueError:
        found = 0.0
    if not (isfinite(found) and found > 0):
        raise ValueError(f"input {text!r}: the scale must be a number above 0, as in int16/100")
    return Input(kind, found)


def input_spec(texts: Sequence[str]) -> InputSpec:
    """The inputs that texts of a command line give: a type for all, and ``COLUMN=TYPE`` for single ones."""
    pairs = [text.rpartition("=") for text in texts]
    found = {name if equals else DEFAULT: kind for name, equals, kind in pairs}
    if len(found) < len(texts):
        raise ValueError(f"--input names a column twice: {', '.join(texts)}")
    return found


def only_floats(spec: InputSpec) -> bool:
    """Whether no input is an integer."""
    return all(parse_input(text) == Input() for text in ([spec] if isinstance(spec, str) else spec.values()))


def input_texts(spec: InputSpec) -> list[str]:
    """The texts from which ``input_spec`` makes inputs."""
    return [spec] if isinstance(spec, str) else [f"{name}={kind}" for name, kind in spec.items()]


def inputs_of(spec: InputSpec, names: Sequence[str]) -> tuple[Input, ...]:
    """The input of each name. ``spec``: one text for all, or texts by name and for all others by ``default``.

    ``ValueError`` for a text that is no input, or a name that is not among ``names``.
    """
    if isinstance(spec, str):
        return (parse_input(spec),) * len(names)
    if unknown := [name for name in spec if name not in (*names, DEFAULT)]:
        raise ValueError(f"input: no column {unknown[0]!r}; allowed: {DEFAULT}, {', '.join(map(str, names))}")
    return tuple(parse_input(spec.get(name, spec.get(DEFAULT, "float32"))) for name in names)
