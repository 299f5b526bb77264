"""The contents of a device profile: blocks of numbers, each with its unit, source and certainty."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from neuraltree.activations import ACTIVATIONS, NAMES
from neuraltree.compress.builds import BuildName
from neuraltree.compress.formats import Precision, Style

# M: measured on an emulated core or on silicon, or published as such. D: the vendor's document. S: a secondary
# source. E: derived or estimated. U: uncertain, to be checked before it is relied on.
Certainty = Literal["M", "D", "S", "E", "U"]
Bound = Literal["lo", "mid", "hi"]
# "any": an estimate that holds for every build.
Compiler = Literal[BuildName, "any"]
Text = Annotated[str, Meta(min_length=1)]
Positive = Annotated[float, Meta(gt=0, le=1e18)]
NonNegative = Annotated[float, Meta(ge=0, le=1e18)]  # the upper end refuses inf
Percent = NonNegative


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """A number with its range; ``hi`` is left out if there is only one value.

    ``certainty`` and ``source`` are given if they differ from those of the block that contains the figure.
    The two ends may come from two fits: then ``lo`` can be above ``hi`` for one figure, but not for the cost of a tree.
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
    """The certainty and source of the numbers in a block; a single figure may state its own."""

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
    """The energy of the whole board in one active cycle."""

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
    """A figure that is a divisor, so it cannot be 0."""

    value: Figure

    def __post_init__(self) -> None:
        if self.value.lo <= 0:
            raise ValueError("value.lo must be above 0")


class Bandwidth(Rate, frozen=True):
    unit: Literal["B/s"]


class WaitStates(Quantity, frozen=True):
    """A board's cycles over those of its core without wait states, 1 or more."""

    unit: Literal["cycle/cycle"]

    def __post_init__(self) -> None:
        if min(self.value.lo, self.value.at("hi")) < 1:
            raise ValueError("value must be 1 or more: memory cannot make a core faster")


class Peak(Rate, frozen=True):
    """A multiply-accumulate is two operations."""

    unit: Literal["op/s"]


NONE = Figure(lo=0.0)
TASKS = ("regression", "binary", "multiclass")


class Terms(Block, frozen=True, kw_only=True):
    """A cost that is linear in a tree's counts.

    ``const``: once; ``regression``, ``binary``, ``multiclass``: in addition once, by task. ``node``: per function node,
    outputs included; ``inner_node``: in addition per function node with hidden nodes among its children.
    ``spilled_edge``: in addition per edge from an input in a tree with inner nodes. ``output``: in addition per output
    node. ``feature``: per distinct float read, for the input stage. ``far_input``: per mean that
    float code subtracts, see ``linear_model.design``. ``float_inputs``: once, if a float is read. ``feature_int16`` and
    ``feature_uint8``: per distinct integer read; without them integers are priced as floats, see ``linear_model``.
    """

    const: Figure
    regression: Figure = NONE
    binary: Figure = NONE
    multiclass: Figure = NONE
    node: Figure
    inner_node: Figure = NONE
    leaf_edge: Figure
    spilled_edge: Figure = NONE
    node_edge: Figure
    output: Figure
    feature: Figure
    far_input: Figure = NONE
    float_inputs: Figure = NONE
    feature_int16: Figure | None = None
    feature_uint8: Figure | None = None
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


# Functions that several activations share, and the activations that need each: a tree that has any of these contains
# the function once. Positive weights need an addition too, and negative weights a subtraction; on a core without
# floating point these are two large functions.
SHARED: dict[str, tuple[str, ...]] = {
    name: tuple(row.name for row in ACTIVATIONS if name in row.shared)
    for name in ("addition", "subtraction", "exponential", "division", "rounding", "comparison", "look_up")
}


def refuse_unknown(figures: dict[str, Figure], allowed: tuple[str, ...], group: str) -> None:
    """``ValueError`` for a figure whose name is not allowed."""
    if wrong := set(figures) - set(allowed):
        raise ValueError(f"{group} does not know {', '.join(sorted(wrong))}; allowed: {', '.join(allowed)}")


class Flash(Terms, frozen=True, kw_only=True):
    """``kinds``: bytes once per tree that uses the activation, for its code or table; ``nodes``: in addition bytes of
    each function node with it; ``shared``: see ``SHARED``."""

    unit: Literal["B"]
    nodes: dict[str, Figure] = {}
    shared: dict[str, Figure] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        for row in ACTIVATIONS:
            if row.priced_as in self.nodes:
                self.nodes.setdefault(row.name, self.nodes[row.priced_as])
        refuse_unknown(self.nodes, NAMES, "nodes")
        refuse_unknown(self.shared, tuple(SHARED), "shared")


class Ram(Block, frozen=True, kw_only=True):
    """Static memory and stack, linear in counts as ``Terms``. The vector of raw inputs belongs to the caller and is not
    counted.

    ``live_value``: per value live at one time. ``output_edge``: per edge from an input, over the number of outputs.
    ``array``: per block of arrays, see ``linear_model.design``. ``frames``: the stack of the functions of activations;
    they are not called at one time, so only the largest that a tree needs counts. ``least``: by task, the RAM of the
    smallest tree; no tree has less. ``kinds`` and ``shared``: once per tree that needs them.
    """

    unit: Literal["B"]
    const: Figure
    regression: Figure = NONE
    binary: Figure = NONE
    multiclass: Figure = NONE
    node: Figure = NONE
    inner_node: Figure = NONE
    live_value: Figure
    leaf_edge: Figure = NONE
    output_edge: Figure = NONE
    feature: Figure
    output: Figure
    array: Figure = NONE
    far_input: Figure = NONE
    float_inputs: Figure = NONE
    feature_int16: Figure | None = None
    feature_uint8: Figure | None = None
    frames: dict[str, Figure] = {}
    least: dict[str, Figure] = {}
    kinds: dict[str, Figure] = {}
    shared: dict[str, Figure] = {}

    def __post_init__(self) -> None:
        groups = {"kinds": NAMES, "frames": NAMES, "shared": tuple(SHARED), "least": TASKS}
        for group, allowed in groups.items():
            refuse_unknown(getattr(self, group), allowed, group)


class Added(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``binary`` or ``multiclass``: once, by task; ``output``: per output of several classes. ``shared``: functions
    that the code of the tree itself may have already, see ``SHARED``; each counts for trees without it."""

    binary: Figure
    multiclass: Figure
    output: Figure = NONE
    shared: dict[str, Figure] = {}

    def __post_init__(self) -> None:
        if wrong := set(self.shared) - set(SHARED):
            raise ValueError(f"shared does not know {', '.join(sorted(wrong))}; allowed: {', '.join(SHARED)}")


class Probabilities(Block, frozen=True, kw_only=True):
    """What the function of probabilities adds: cycles, if it is called instead of the function of the class; bytes of a
    program that has both."""

    units: Literal["cycle, B"]
    cycles: Added
    flash: Added


class NarrowCycles(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the counts of ``NarrowEdges`` cost: ``unit_weights`` and ``power_weights`` in straight code less than other
    edges, all others in tables more."""

    unit_weights: Figure = NONE
    power_weights: Figure = NONE
    packed_edges: Figure = NONE
    wide_edges: Figure = NONE
    mixed_edges: Figure = NONE
    packed_bytes: Figure = NONE


class NarrowFlash(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``unit_weights``, ``power_weights``: bytes that such edges of straight code take less. ``packed``: the code that
    unpacks."""

    unit_weights: Figure = NONE
    power_weights: Figure = NONE
    packed: Figure = NONE


class NarrowRam(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``packed``: bytes of stack, an upper bound."""

    packed: Figure = NONE


class Narrow(Block, frozen=True, kw_only=True):
    """What weights of fewer than 8 bits change in int8 code with as many edges; see ``hardware.model.narrow_cost``."""

    units: Literal["cycle, B"]
    cycles: NarrowCycles
    flash: NarrowFlash
    ram: NarrowRam = NarrowRam()


class Residual(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The errors of the linear model against measurements of ``trees`` trees to which it was not fitted.

    Of a bound also: ``below_percent``, the share of trees that need more than it says, and ``near_percent``, the share
    that it exceeds by at most 25 % or 16 B.
    """

    rmspe_percent: Percent
    within_5_percent: Percent
    within_10_percent: Percent
    worst_percent: Percent
    kendall: Annotated[float, Meta(ge=-1, le=1)]
    trees: Annotated[int, Meta(gt=0)]
    below_percent: Percent | None = None
    near_percent: Percent | None = None


class Residuals(Struct, frozen=True, forbid_unknown_fields=True):
    cycles: Residual | None = None
    worst_cycles: Residual | None = None
    flash: Residual | None = None
    ram: Residual | None = None
    narrow_cycles: Residual | None = None
    narrow_flash: Residual | None = None
    narrow_ram: Residual | None = None


class Entry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The costs of one precision and code style as one compiler builds it.

    ``cycles``: on usual inputs; ``worst_cycles``: on the costliest of the inputs that were tried. ``ram_integers``:
    the RAM of trees that read integers, if it has figures of its own. ``narrow``: of int8, what formats of fewer bits
    change.
    """

    precision: Precision
    style: Style
    compiler: Compiler
    compiler_version: Text | None = None
    instructions: Instructions | None = None
    cycles: Cycles
    worst_cycles: Cycles | None = None
    flash: Flash
    ram: Ram
    ram_integers: Ram | None = None
    probabilities: Probabilities | None = None
    narrow: Narrow | None = None
    residuals: Residuals | None = None


class Scaling(Block, frozen=True):
    """A rule that takes entries from another core, with cycles times ``factor`` and unchanged flash and RAM.

    ``precision``, ``style`` and ``compiler`` choose among the entries of that core. If ``compiler`` is given, the
    figures are offered for any compiler.
    """

    core: Text
    factor: Figure
    precision: Precision | None = None
    style: Style | None = None
    compiler: Compiler | None = None


class Arithmetic(Struct, frozen=True, forbid_unknown_fields=True):
    """The arithmetic of one precision: its peak rate, and the energy of an operation."""

    peak: Peak
    energy: OperationEnergy
