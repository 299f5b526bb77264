"""What a device profile holds: blocks of numbers, each with its unit, source and certainty."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from neuraltree.activations import ACTIVATIONS, NAMES
from neuraltree.compress.formats import Precision, Style

# M: measured on an emulated core or on silicon, or published as such. D: the vendor's document. S: a secondary
# source. E: derived or estimated. U: uncertain, to be checked before it is relied on.
Certainty = Literal["M", "D", "S", "E", "U"]
Bound = Literal["lo", "mid", "hi"]
# "any": an estimate that belongs to no compiler and stands for each.
Compiler = Literal["clang", "gcc", "any"]
Text = Annotated[str, Meta(min_length=1)]
Positive = Annotated[float, Meta(gt=0, le=1e18)]
NonNegative = Annotated[float, Meta(ge=0, le=1e18)]  # the upper end refuses inf
Percent = NonNegative


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """A number with its range; ``hi`` is left out where there is one value.

    ``certainty`` and ``source`` are given where they differ from those of the block the figure stands in.
    The ends may belong to two fits: a single ``lo`` can then lie above its ``hi``, though no whole tree's cost does.
    """

    lo: NonNegative
    hi: NonNegative | None = None
    certainty: Certainty | None = None
    source: Text | None = None

    def at(self, bound: Bound) -> float:
        """The value at one end of the range or in its middle."""
        hi = self.lo if self.hi is None else self.hi
        return {"lo": self.lo, "mid": (self.lo + hi) / 2, "hi": hi}[bound]


class Block(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the numbers of a block come from, unless one of them says otherwise."""

    certainty: Certainty
    source: Text


class Clock(Block, frozen=True):
    unit: Literal["MHz"]
    value: Positive


class Capacity(Block, frozen=True):
    unit: Literal["B"]
    value: Annotated[int, Meta(gt=0)]


class Quantity(Block, frozen=True):
    value: Figure


class Energy(Quantity, frozen=True):
    """Of one active cycle, of the whole board."""

    unit: Literal["pJ/cycle"]


class Bytes(Quantity, frozen=True):
    unit: Literal["B"]


class Seconds(Quantity, frozen=True):
    unit: Literal["s"]


class Power(Quantity, frozen=True):
    unit: Literal["W"]


class ByteEnergy(Quantity, frozen=True):
    unit: Literal["pJ/B"]


class OperationEnergy(Quantity, frozen=True):
    unit: Literal["pJ/op"]


class Rate(Block, frozen=True):
    """A figure to divide by: it cannot be 0."""

    value: Figure

    def __post_init__(self) -> None:
        if self.value.lo <= 0:
            raise ValueError("value.lo must be above 0")


class Bandwidth(Rate, frozen=True):
    unit: Literal["B/s"]


class Peak(Rate, frozen=True):
    """A multiply-accumulate is two operations."""

    unit: Literal["op/s"]


NONE = Figure(lo=0.0)


class Terms(Block, frozen=True, kw_only=True):
    """A cost that is linear in a tree's counts.

    ``const``: once; ``regression``, ``binary``, ``multiclass``: once on top, by what the outputs mean. ``node``: per
    function node, outputs included; ``inner_node``: per function node with hidden nodes among its children, on top.
    ``output``: per output node, on top. ``feature``: per distinct feature read, for the input stage. ``far_input``: per
    mean that float code takes off, see ``linear.design``.
    """

    const: Figure
    regression: Figure = NONE
    binary: Figure = NONE
    multiclass: Figure = NONE
    node: Figure
    inner_node: Figure = NONE
    leaf_edge: Figure
    node_edge: Figure
    output: Figure
    feature: Figure
    far_input: Figure = NONE
    kinds: dict[str, Figure]

    def __post_init__(self) -> None:
        for row in ACTIVATIONS:  # a profile may be older than an activation
            if row.priced_as in self.kinds:
                self.kinds.setdefault(row.name, self.kinds[row.priced_as])
        for wrong, text in ((set(NAMES) - set(self.kinds), "lacks"), (set(self.kinds) - set(NAMES), "does not know")):
            if wrong:
                raise ValueError(f"kinds {text} {', '.join(sorted(wrong))}; it gives one figure for each of {NAMES}")


class Instructions(Terms, frozen=True):
    unit: Literal["instruction"]


class Cycles(Terms, frozen=True):
    """``kinds``: cycles of each function node with that activation."""

    unit: Literal["cycle"]


# What several activations share, and by which it is needed: once in a tree that has any of them. Positive weights need
# an addition too, negative ones a subtraction: without floating point these are two large functions.
SHARED: dict[str, tuple[str, ...]] = {
    name: tuple(row.name for row in ACTIVATIONS if name in row.shared)
    for name in ("addition", "subtraction", "exponential", "division", "rounding", "comparison", "look_up")
}


class Flash(Terms, frozen=True, kw_only=True):
    """``kinds``: bytes once per tree that uses the activation, for its code or table; ``shared``: see ``SHARED``."""

    unit: Literal["B"]
    shared: dict[str, Figure] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        if wrong := set(self.shared) - set(SHARED):
            raise ValueError(f"shared does not know {', '.join(sorted(wrong))}; allowed: {', '.join(SHARED)}")


class Ram(Block, frozen=True, kw_only=True):
    """Static memory and stack, linear in counts as ``Terms``; the vector of raw inputs is the caller's and not in it.

    ``live_value``: per value alive at once. ``kinds`` and ``shared``: once per tree that needs them, for the frames of
    functions that are called.
    """

    unit: Literal["B"]
    const: Figure
    regression: Figure = NONE
    binary: Figure = NONE
    multiclass: Figure = NONE
    node: Figure = NONE
    inner_node: Figure = NONE
    live_value: Figure
    feature: Figure
    output: Figure
    far_input: Figure = NONE
    kinds: dict[str, Figure] = {}
    shared: dict[str, Figure] = {}

    def __post_init__(self) -> None:
        for group, allowed in (("kinds", NAMES), ("shared", tuple(SHARED))):
            if wrong := set(getattr(self, group)) - set(allowed):
                raise ValueError(f"{group} does not know {', '.join(sorted(wrong))}; allowed: {', '.join(allowed)}")


class Residual(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far the linear model was from what was measured, over ``trees`` trees it was not fitted to."""

    rmspe_percent: Percent
    within_5_percent: Percent
    within_10_percent: Percent
    worst_percent: Percent
    kendall: Annotated[float, Meta(ge=-1, le=1)]
    trees: Annotated[int, Meta(gt=0)]


class Residuals(Struct, frozen=True, forbid_unknown_fields=True):
    cycles: Residual | None = None
    flash: Residual | None = None
    ram: Residual | None = None


class Entry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one precision and code style costs, as one compiler builds it."""

    precision: Precision
    style: Style
    compiler: Compiler
    compiler_version: Text | None = None
    instructions: Instructions | None = None
    cycles: Cycles
    flash: Flash
    ram: Ram
    residuals: Residuals | None = None


class Scaling(Block, frozen=True):
    """Entries taken from another core, cycles times ``factor``; flash and RAM as they are there.

    ``precision``, ``style`` and ``compiler`` choose among that core's entries. Where ``compiler`` is given, the
    figures are offered for any compiler.
    """

    core: Text
    factor: Figure
    precision: Precision | None = None
    style: Style | None = None
    compiler: Compiler | None = None


class Arithmetic(Struct, frozen=True, forbid_unknown_fields=True):
    """Of one precision."""

    peak: Peak
    energy: OperationEnergy
