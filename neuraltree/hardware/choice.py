"""The code of a tree, chosen by its costs: the cheapest number format and style of those that are exact enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import (
    AUTO,
    CODED,
    HALVES,
    MAX_SCORE_LOSS,
    NO_FIGURES,
    PRECISIONS,
    STYLES,
    InputSpec,
    c_format,
)
from neuraltree.hardware.model.cost import COSTS, costs_of_counts, counted, laid_out
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.tree.nodes import IntArray, Nodes

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

# Predictions differ from measurements by up to this share, so codes that are nearer to each other cost the same.
MARGIN = 0.1
ByCode = list[dict[str, FloatArray]]  # for each code its costs, (trees,) each


class CodeRule(NamedTuple):
    """What chooses the code of a tree. ``codes``: the candidates; a single one is the code of every tree.

    ``order``: the costs that matter, the most important first. ``limits``: the largest allowed value of a cost.
    ``max_loss``: the largest share of its score that integer code may lose.
    """

    codes: tuple[Code, ...]
    order: tuple[str, ...] = ()
    limits: Mapping[str, float] = MappingProxyType({})
    max_loss: float = MAX_SCORE_LOSS


class Decision(NamedTuple):
    """The code of a tree, the costs of all candidates, and the share of its score that integer code loses.

    ``loss``: None if it is unknown, or if the tree has no integer code; integer code is then no candidate beside
    another.
    """

    code: Code
    costs: dict[Code, dict[str, float]]
    loss: float | None


def candidates(code: Code, device: Device) -> tuple[Code, ...]:
    """The codes that a code stands for whose number format or style is "auto", if the device has figures for them.

    ``ValueError`` if it has figures for none.
    """
    for part, unknown in ((code.precision, HALVES), (code.style, (CODED,))):
        if part in unknown:
            raise ValueError(f"{part} {NO_FIGURES}")
    precisions = PRECISIONS if code.precision == AUTO else (code.precision,)
    styles = STYLES if code.style == AUTO else (code.style,)
    wanted = [code._replace(precision=precision, style=style) for precision in precisions for style in styles]
    found = [each for each in wanted if device.has(*each)]
    if not found:
        device.check(*wanted[0])
    return tuple(found)


def costs_by_code(nodes: Nodes, starts: IntArray, device: Device, codes: Sequence[Code], **about: Any) -> ByCode:
    """``hardware.costs`` of trees laid end to end in each code; ``about`` are its other arguments."""
    kind = {name: about.pop(name) for name in ("kind", "bound") if name in about}
    counts = {name: counted(nodes, starts, name, **about) for name in {code.precision for code in codes}}
    return [costs_of_counts(counts[code.precision], device, *code, **kind) for code in codes]


def choose(rule: CodeRule, found: ByCode, losses: FloatArray | None = None) -> IntArray:
    """(trees,) the place in ``rule.codes`` of the code that each tree should have.

    ``found``: the costs in each code. ``losses`` (codes, trees): the share of the score that a code loses; by default
    none. Codes that lose no more than ``max_loss`` come first, then those that keep the ``limits``. Among these the
    costs decide, those of ``order`` before latency, flash, RAM and energy: only codes within ``MARGIN`` of the least
    remain, cost after cost. Of those that remain after all costs, the one with the least first cost is chosen. So no
    other of the codes that come first is at least as good in every cost and better in one.
    """
    order = tuple(dict.fromkeys((*rule.order, *COSTS)))
    costs = {name: np.stack([row[name] for row in found]) for name in order}
    over = [np.maximum(costs[name] - limit, 0) / (limit or 1.0) for name, limit in rule.limits.items()]
    lost = [] if losses is None else [np.maximum(losses - rule.max_loss, 0)]
    exact = [*lost, *([np.sum(over, axis=0)] if over else [])]
    steps = [*((key, 0.0) for key in exact), *((costs[name], MARGIN) for name in order)]
    left = np.ones((len(found), len(found[0][COSTS[0]])), dtype=bool)
    for key, margin in (*steps, *((costs[name], 0.0) for name in order)):
        left &= key <= (1 + margin) * np.where(left, key, np.inf).min(axis=0)
    return left.argmax(axis=0)


def taken(places: IntArray, found: ByCode) -> dict[str, FloatArray]:
    """The costs (trees,) of each tree in its own code."""
    trees = np.arange(len(places))
    return {name: np.stack([row[name] for row in found])[places, trees] for name in found[0]}


def loss_in(code: Code, loss: float | None) -> float:
    """The share of the score that code loses whose loss in integers is ``loss``; an unknown one is infinite."""
    if not c_format(code.precision).is_integer:
        return 0.0
    return np.inf if loss is None else loss


def decide(trees: Sequence[Tree], device: Device, rule: CodeRule, inputs: InputSpec = "float32") -> list[Decision]:
    """The code of each tree, of one kind all; the losses are those that the trees state. ``inputs``: as for
    ``export_c``."""
    nodes, starts, about = laid_out(trees, inputs)
    found = costs_by_code(nodes, starts, device, rule.codes, **about)
    losses = np.array([[loss_in(code, tree.int8_loss) for tree in trees] for code in rule.codes])
    places = choose(rule, found, losses)
    return [
        Decision(
            rule.codes[places[i]],
            {
                code: {name: float(values[i]) for name, values in row.items()}
                for code, row in zip(rule.codes, found, strict=True)
            },
            tree.int8_loss,
        )
        for i, tree in enumerate(trees)
    ]
