"""The costs of a population on a device, in total or term by term.

They are the costs of ``predict`` in exported code, from raw inputs to a value or a class. For int8 the edges that are
dead after rounding are removed first, because the code does not contain them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import INTEGER_INPUTS, NARROW, RAW, InputSpec, c_format
from neuraltree.compress.narrow.narrow_edges import narrow_edges
from neuraltree.hardware.model import encoding_cost, latency_formula, linear_model, narrow_cost
from neuraltree.hardware.model.counts import Counts, count
from neuraltree.hardware.profile.devices import CycleDevice, Device, FormulaDevice
from neuraltree.hardware.profile.profile_schema import Bound
from neuraltree.inputs.features import RULES
from neuraltree.tree.nodes import IntArray, Nodes, join
from neuraltree.tree.simplify import simplify_all

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

COSTS = ("latency_s", "flash_bytes", "ram_bytes", "energy_j")
WORST = "worst_latency_s"
WHOLE = ("flash_bytes", "ram_bytes")
NARROW_TERM = "weights below 8 bits"


class Features(TypedDict, total=False):
    """The arguments of ``counted`` that say what features are, (features,) each; by default all are ordinary floats.

    ``input_range``: see ``compress.effective_trees``; ``far``: see ``folding.far``; ``rules`` and ``inputs``: see
    ``counts.count``.
    """

    input_range: FloatArray | None
    far: NDArray[np.bool_] | None
    rules: IntArray | None
    inputs: IntArray | None


def costs(
    nodes: Nodes,
    starts: IntArray,
    device: Device,
    precision: str,
    style: str,
    compiler: str = "clang",
    *,
    kind: str = "regression",
    bound: Bound = "mid",
    **features: Unpack[Features],
) -> dict[str, FloatArray]:
    """Each of ``COSTS`` of trees laid end to end, shape (trees,); bytes are whole numbers.

    And ``WORST``, the latency on the costliest inputs, if the device has figures for it. RAM is an upper bound.
    ``kind``: the task, as in ``Tree.kind``. ``features``: see ``Features``. ``bound`` "lo" or "hi" takes that end of
    each figure's range instead of its middle.
    ``ValueError`` if the device has no figures for the code.
    """
    counts = counted(nodes, starts, precision, **features)
    return costs_of_counts(counts, device, precision, style, compiler, kind=kind, bound=bound)


def costs_of_counts(
    counts: Counts,
    device: Device,
    precision: str,
    style: str,
    compiler: str = "clang",
    *,
    kind: str = "regression",
    bound: Bound = "mid",
) -> dict[str, FloatArray]:
    """``costs`` from the counts of trees."""
    code = precision, style, compiler
    _, parts = _parts(counts, kind, device, code, bound)
    # Sums over the last axis and not a BLAS product, so that a tree alone gets the same bits as in a population.
    columns = _of_columns(counts, kind, device, code, bound) + _of_narrow(counts, device, code, bound)
    result = dict(zip(COSTS, (parts.sum(axis=-1) + columns).T, strict=True))
    worst = linear_model.worst_latency(counts, kind, device, code, bound) if isinstance(device, CycleDevice) else None
    if worst is not None:  # the two are fitted apart, and the worst is no better than the mean
        result[WORST] = np.maximum(worst + columns[:, COSTS.index("latency_s")], result["latency_s"])
    return result | {name: np.rint(result[name]) for name in WHOLE}


def breakdown(
    nodes: Nodes,
    starts: IntArray,
    device: Device,
    precision: str,
    style: str,
    compiler: str = "clang",
    *,
    kind: str = "regression",
    bound: Bound = "mid",
    **features: Unpack[Features],
) -> dict[str, dict[str, FloatArray]]:
    """The part of each term in each of ``COSTS``, (trees,) each; the parts sum to ``costs`` before bytes are rounded.

    The terms of a ``CycleDevice`` are ``linear_model.TERMS``, "columns" if there are ``rules``, and ``NARROW_TERM`` of
    code in fewer than 8 bits, which may be below 0; of a ``FormulaDevice`` ``latency_formula.TERMS``.
    """
    counts = counted(nodes, starts, precision, **features)
    return breakdown_of_counts(counts, device, precision, style, compiler, kind=kind, bound=bound)


def breakdown_of_counts(
    counts: Counts,
    device: Device,
    precision: str,
    style: str,
    compiler: str = "clang",
    *,
    kind: str = "regression",
    bound: Bound = "mid",
) -> dict[str, dict[str, FloatArray]]:
    """``breakdown`` from the counts of trees."""
    about = counts, kind, device, (precision, style, compiler), bound
    names, parts = _parts(*about)
    if isinstance(device, CycleDevice) and counts.rules.any():
        names, parts = (*names, "columns"), np.concatenate([parts, _of_columns(*about)[:, :, None]], axis=2)
    if counts.narrow is not None:
        narrow = _of_narrow(counts, device, (precision, style, compiler), bound)
        names, parts = (*names, NARROW_TERM), np.concatenate([parts, narrow[:, :, None]], axis=2)
    return {cost: dict(zip(names, parts[:, i].T, strict=True)) for i, cost in enumerate(COSTS)}


def laid_out(trees: Sequence[Tree], inputs: InputSpec = "float32") -> tuple[Nodes, IntArray, dict[str, Any]]:
    """Trees of one kind laid end to end, and the other arguments that costs depend on; ``inputs`` as for ``export_c``.

    Each tree gets input positions of its own and so keeps its own input ranges. Use the result as
    ``costs(nodes, starts, device, *code, **about)``.
    """
    from neuraltree.compress.byte_inputs import as_bytes
    from neuraltree.compress.input_types import in_units, sources
    from neuraltree.compress.int8.integer_tree import about_middle, input_kinds, input_range

    kinds = [input_kinds(tree, inputs) for tree in trees]
    trees, tables = [in_units(tree, sources(tree, inputs)) for tree in trees], trees
    trees = [as_bytes(tree) if (own == RAW).any() else tree for tree, own in zip(trees, kinds, strict=True)]
    nodes, starts = join([about_middle(tree).nodes for tree in trees])
    widths = [len(tree.features) for tree in trees]
    first = np.repeat(np.cumsum([0, *widths[:-1]]), np.diff(starts))
    nodes["op"] += np.where(nodes["op"] >= 0, first, 0).astype(nodes["op"].dtype)
    ranges, far = (np.concatenate(part) for part in ([input_range(t) for t in trees], [t.far for t in trees]))
    about: dict[str, Any] = {"kind": trees[0].kind, "input_range": ranges, "far": far}
    of_inputs = np.concatenate(kinds)
    if any(tree.columns is not None for tree in tables):
        rules = np.concatenate([rules_of(tree) for tree in tables])
        about["rules"] = np.where(of_inputs < 0, rules, -1)  # features of integers are priced as inputs of that type
    if (of_inputs >= 0).any():
        about["inputs"] = of_inputs
    return nodes, starts, about


def rules_of(tree: Tree) -> IntArray:
    """(features,) the position in ``RULES`` of the rule that makes each feature from a column, -1 without columns."""
    if tree.columns is None:
        return np.full(len(tree.features), -1)
    names = tuple(RULES)
    return np.array([names.index(feature.rule) for column in tree.columns for feature in column.features])


def counted(
    nodes: Nodes,
    starts: IntArray,
    precision: str,
    input_range: FloatArray | None = None,
    far: NDArray[np.bool_] | None = None,
    rules: IntArray | None = None,
    inputs: IntArray | None = None,
) -> Counts:
    """The counts on which the costs in this number format depend.

    Integer code has no far inputs. It converts an integer once; float code in a table does so at every edge.
    """
    row = c_format(precision)
    if row.is_integer:
        from neuraltree.compress.int8.effective import effective_integers

        is_narrow = precision in NARROW
        if is_narrow:  # such code merges repeated inputs first
            nodes, starts = join(simplify_all(np.split(nodes, starts[1:-1])))
        nodes, starts, weight = effective_integers(nodes, starts, input_range, row.weights)
        narrow = narrow_edges(nodes, starts, weight) if is_narrow else None
        return replace(integer_counts(nodes, starts, rules, inputs), narrow=narrow)
    bytes_of = INTEGER_INPUTS.index("uint8")
    inputs = None if inputs is None else np.where(inputs == RAW, bytes_of, inputs)  # these are converted to floats
    return count(nodes, starts, far, rules, inputs)


def integer_counts(
    nodes: Nodes, starts: IntArray, rules: IntArray | None = None, inputs: IntArray | None = None
) -> Counts:
    """The counts of effective trees in integer code, which compares the outputs' sums without their activations."""
    nodes = nodes.copy()
    nodes["op"][nodes["depth"] == 0] = ~code_of("identity")
    found = count(nodes, starts, None, rules, inputs)
    return replace(found, integer_edges=found.integer_features)


def has_worst(device: Device, precision: str, style: str, compiler: str = "clang") -> bool:
    """Whether ``costs`` of this code have ``WORST``."""
    return isinstance(device, CycleDevice) and device.entry(precision, style, compiler).worst_cycles is not None


def training_ram_bytes(counts: Counts, device: Device) -> FloatArray:
    """RAM of one float32 training step in place, (trees,): ``Counts.training_bytes`` and the stack."""
    if not isinstance(device, CycleDevice) or device.training_stack is None:
        raise ValueError(f"device {device.name} has no figures for training; its profile gives no training_stack")
    return counts.training_bytes.astype(np.float64) + device.training_stack.value.at("mid")


def fits(found: dict[str, FloatArray], device: Device) -> NDArray[np.bool_]:
    """Which trees fit into the device's flash and SRAM, given their ``costs``; an unstated capacity is no limit."""
    limits = {"flash_bytes": device.flash_bytes, "ram_bytes": device.sram_bytes}
    masks = [found[name] <= limit.value for name, limit in limits.items() if limit]
    return np.logical_and.reduce(masks) if masks else np.ones_like(found["flash_bytes"], dtype=bool)


def _parts(
    counts: Counts, kind: str, device: Device, code: tuple[str, str, str], bound: Bound
) -> tuple[tuple[str, ...], FloatArray]:
    device.check(*code)
    if isinstance(device, CycleDevice):
        return linear_model.parts(counts, kind, device, code, bound)
    if isinstance(device, FormulaDevice):
        return latency_formula.parts(counts, device, code[0], bound)
    raise TypeError(f"{type(device).__name__} has no cost model")


def _of_columns(counts: Counts, kind: str, device: Device, code: tuple[str, str, str], bound: Bound) -> FloatArray:
    """(trees, costs) the cost of making features from columns, beside that of ``_parts``."""
    if isinstance(device, CycleDevice) and counts.rules.any():
        return encoding_cost.part(counts, kind, device, code, bound)
    return np.zeros((len(counts.nodes), len(COSTS)))  # a FormulaDevice has it in its terms


def _of_narrow(counts: Counts, device: Device, code: tuple[str, str, str], bound: Bound) -> FloatArray:
    """(trees, costs) what weights of fewer than 8 bits change, beside the cost of int8 code with as many edges."""
    if isinstance(device, CycleDevice) and counts.narrow is not None:
        return narrow_cost.part(counts, device, code, bound)
    return np.zeros((len(counts.nodes), len(COSTS)))
