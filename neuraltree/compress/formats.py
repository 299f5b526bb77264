"""The number formats of exported code, one row each, and the styles that C code is written in."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Precision = Literal["float32", "int8"]
Style = Literal["straight", "table"]


class NumberFormat(NamedTuple):
    """How code stores and computes its numbers.

    ``weight_bytes``: the size of a weight or a value. ``is_integer``: a model is quantised first, so its inputs have
    ranges, and the edges whose weight rounds to zero are left out.
    """

    weight_bytes: int
    is_integer: bool


FORMATS: dict[Precision, NumberFormat] = {
    "float32": NumberFormat(weight_bytes=4, is_integer=False),
    "int8": NumberFormat(weight_bytes=1, is_integer=True),
}
PRECISIONS: tuple[str, ...] = tuple(FORMATS)
STYLES: tuple[str, ...] = get_args(Style)
AUTO = "auto"  # in place of a format or a style: the cheapest, see ``hardware.choice``
MAX_SCORE_LOSS = 0.01  # by default the largest share of its score that a model may lose for a cheaper format


def number_format(precision: str) -> NumberFormat:
    """The row of this name; ``ValueError`` names the formats that are allowed."""
    for name, row in FORMATS.items():
        if name == precision:
            return row
    raise ValueError(f"unknown precision {precision!r}; allowed: {', '.join(PRECISIONS)}")


def check_style(style: str) -> None:
    """``ValueError`` for an unknown style names the styles that are allowed."""
    if style not in STYLES:
        raise ValueError(f"unknown style {style!r}; allowed: {', '.join(STYLES)}")
